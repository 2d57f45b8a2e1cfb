//! A random number generator: all choices of a run come from one seed, which the run prints.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

/// Random numbers by SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone)]
pub(super) struct SeededRandom(u64);

impl SeededRandom {
    /// A generator for this seed and player. Each player has its own sequence, so they don't affect each other.
    pub(super) fn new(seed: u64, player: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        player.hash(&mut hasher);
        Self(seed ^ hasher.finish())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(count).unwrap()).unwrap()
    }

    /// True with this probability, in percent.
    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// A time between these two, in milliseconds.
    pub(super) fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(least + self.next() % (most - least + 1))
    }

    pub(super) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
