//! How caches are bounded: by the memory that their entries take, weighed once per entry.
//!
//! `quick_cache` doesn't evict in the order of use. A new key is on trial until it is read again, and an entry
//! heavier than its shard is refused. So a cache may forget any entry at any time, and no caller may depend on a
//! value that it has just inserted.

use std::{hash::Hash, thread::available_parallelism};

use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, UnitWeighter, Weighter,
    sync::{Cache, DefaultLifecycle},
    unsync,
};

/// The part of a full [`fair_cache`] that is reserved for keys that were used again.
const REUSED: f64 = 0.5;

/// A cached value, with the memory that its entry takes.
#[derive(Clone, Copy, Debug)]
pub struct Weighed<T> {
    /// The value.
    pub value: T,
    bytes: u64,
}

impl<T> Weighed<T> {
    /// A value whose entry takes `bytes` of memory, its key included. The weight is stored because an eviction asks
    /// for it several times, and walking a configuration's JSON each time is slow. It is at least 1: an entry
    /// without weight is never evicted.
    pub fn new(value: T, bytes: usize) -> Self {
        Self { value, bytes: u64::try_from(bytes).unwrap_or(u64::MAX).max(1) }
    }
}

/// Weighs entries by the bytes stored beside their values.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByBytes;

impl<K, T> Weighter<K, Weighed<T>> for ByBytes {
    fn weight(&self, _: &K, entry: &Weighed<T>) -> u64 {
        entry.bytes
    }
}

/// A cache that is bounded by the bytes of its entries. Tasks that miss the same key can share one computation.
pub type WeighedCache<K, V> = Cache<K, Weighed<V>, ByBytes>;

/// Creates a cache of at most `bytes_max` bytes, sized for about `entries`. The number of shards grows with the
/// processors, but a shard keeps at least `shard_bytes`, because a shard refuses entries heavier than 97% of it.
#[must_use]
pub fn weighed_cache<K: Eq + Hash, V: Clone>(
    entries: usize,
    bytes_max: u64,
    shard_bytes: u64,
) -> WeighedCache<K, V> {
    let shards_max = 1 << (bytes_max / shard_bytes.max(1)).max(1).ilog2();
    let shards = available_parallelism().map_or(1, usize::from).saturating_mul(4).min(shards_max);
    let options = OptionsBuilder::new()
        .estimated_items_capacity(entries)
        .weight_capacity(bytes_max)
        .shards(shards)
        .build();
    match options {
        Ok(options) => {
            Cache::with_options(options, ByBytes, DefaultHashBuilder::default(), DefaultLifecycle::default())
        }
        // Building fails only without a required number, and both are given.
        Err(_) => Cache::with_weighter(entries, bytes_max, ByBytes),
    }
}

/// Creates a cache for one thread at a time, of at most `weight_max` in all, sized for about `entries`. Half of it is
/// reserved for keys that were used again. A new key goes into the other half, a queue, which evicts it after that much
/// newer weight unless it was used meanwhile. So a flood of new keys can't evict keys in use. `quick_cache`'s default
/// leaves 3% for new keys: they'd be evicted before their second use. It remembers no evicted keys: they would take the
/// place of new ones. It refuses an entry heavier than half of `weight_max`.
#[must_use]
pub fn fair_cache<K: Eq + Hash, V, W: Weighter<K, V> + Clone>(
    entries: usize,
    weight_max: u64,
    weighter: W,
) -> unsync::Cache<K, V, W> {
    let options = OptionsBuilder::new()
        .estimated_items_capacity(entries)
        .weight_capacity(weight_max)
        .hot_allocation(REUSED)
        .ghost_allocation(0.0)
        .build();
    match options {
        Ok(options) => unsync::Cache::with_options(
            options,
            weighter,
            DefaultHashBuilder::default(),
            unsync::DefaultLifecycle::default(),
        ),
        // Building fails only without a required number, and both are given.
        Err(_) => unsync::Cache::with_weighter(entries, weight_max, weighter),
    }
}

/// Creates a [`fair_cache`] of at most `most` entries.
#[must_use]
pub fn entry_cache<K: Eq + Hash, V>(most: usize) -> unsync::Cache<K, V> {
    fair_cache(most, u64::try_from(most).unwrap_or(u64::MAX), UnitWeighter)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn an_entry_as_heavy_as_promised_fits_whatever_the_processors() {
        let cache = weighed_cache(10_000, 64 * MIB, 4 * MIB);
        assert!(cache.shard_capacity() >= 4 * MIB);
        let heavy = usize::try_from(4 * MIB).unwrap() * 9 / 10;
        cache.insert(1, Weighed::new("heavy", heavy));
        assert_eq!(cache.get(&1).map(|entry| entry.value), Some("heavy"));
        assert_eq!(weighed_cache::<u8, ()>(1_000, 64 * MIB, 64 * MIB).num_shards(), 1);
    }

    #[test]
    fn the_weight_is_bounded_and_an_entry_without_one_counts() {
        let cache = weighed_cache(1_000, 1_000, 1_000);
        for key in 0..5_000 {
            cache.insert(key, Weighed::new((), if key % 2 == 0 { 0 } else { 10 }));
        }
        assert!(cache.weight() <= 1_000 && cache.len() <= 1_000, "{} in {}", cache.weight(), cache.len());
    }
}
