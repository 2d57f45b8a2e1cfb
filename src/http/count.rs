//! Counts by key, with a maximum for each key.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex},
};

use crate::task::lock;

/// Counts by key. Keys whose count is 0 take no memory. Clones share the counts.
#[derive(Debug)]
pub(super) struct Counts<K>(Arc<Mutex<HashMap<K, usize>>>);

impl<K> Clone for Counts<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// One count of a key. Dropping it decrements the count.
#[derive(Debug)]
pub(super) struct Counted<K: Eq + Hash> {
    counts: Counts<K>,
    key: K,
}

impl<K: Clone + Eq + Hash> Counts<K> {
    /// Increments the count of this key. `None` if it has reached `most`.
    pub(super) fn increment(&self, key: K, most: usize) -> Option<Counted<K>> {
        let mut counts = lock(&self.0);
        let count = counts.get(&key).copied().unwrap_or(0);
        if count >= most {
            return None;
        }
        counts.insert(key.clone(), count + 1);
        Some(Counted { counts: self.clone(), key })
    }

    /// The count of this key.
    #[cfg(test)]
    pub(super) fn count(&self, key: &K) -> usize {
        lock(&self.0).get(key).copied().unwrap_or(0)
    }

    /// The number of keys whose count isn't 0.
    pub(super) fn keys(&self) -> usize {
        lock(&self.0).len()
    }
}

impl<K: Eq + Hash> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts.0);
        match counts.get_mut(&self.key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.key)),
        }
    }
}
