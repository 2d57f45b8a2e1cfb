//! A semaphore for each key, with the same number of permits.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::task::lock;

/// A semaphore for each key. A key whose permits nobody has or awaits takes no memory. Clones share the semaphores.
#[derive(Debug)]
pub struct KeyedSemaphore<K: Eq + Hash>(Arc<Inner<K>>);

#[derive(Debug)]
struct Inner<K> {
    permits: usize,
    semaphores: Mutex<HashMap<K, Arc<Semaphore>>>,
}

/// A key's semaphore, for as long as its permits are held or awaited.
#[derive(Debug)]
pub struct KeySemaphore<K: Eq + Hash> {
    semaphore: Arc<Semaphore>,
    key: K,
    of: KeyedSemaphore<K>,
}

/// A permit of a key's semaphore. The permit is dropped first.
#[derive(Debug)]
pub struct KeyedPermit<K: Eq + Hash> {
    _permit: OwnedSemaphorePermit,
    _semaphore: KeySemaphore<K>,
}

impl<K: Eq + Hash> Clone for KeyedSemaphore<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Clone + Eq + Hash> KeyedSemaphore<K> {
    /// Creates semaphores with this many permits for each key.
    #[must_use]
    pub fn new(permits: usize) -> Self {
        Self(Arc::new(Inner { permits, semaphores: Mutex::default() }))
    }

    /// Waits for a permit of this key, in the order of arrival.
    pub async fn acquire(&self, key: K) -> Option<KeyedPermit<K>> {
        let semaphore = self.semaphore(key);
        // The semaphore is never closed, so acquiring can't fail.
        let permit = Arc::clone(semaphore.as_ref()).acquire_owned().await.ok()?;
        Some(KeyedPermit { _permit: permit, _semaphore: semaphore })
    }

    /// The semaphore of this key. Keep it longer than its permits.
    #[must_use]
    pub fn semaphore(&self, key: K) -> KeySemaphore<K> {
        let mut semaphores = lock(&self.0.semaphores);
        let new = || Arc::new(Semaphore::new(self.0.permits));
        let semaphore = Arc::clone(semaphores.entry(key.clone()).or_insert_with(new));
        KeySemaphore { semaphore, key, of: self.clone() }
    }

    /// Whether nobody has or awaits a permit.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        lock(&self.0.semaphores).is_empty()
    }
}

impl<K: Eq + Hash> AsRef<Arc<Semaphore>> for KeySemaphore<K> {
    fn as_ref(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }
}

impl<K: Eq + Hash> Drop for KeySemaphore<K> {
    fn drop(&mut self) {
        let mut semaphores = lock(&self.of.0.semaphores);
        // Two owners, the map and this value: nobody else has or awaits a permit. Others get the semaphore from the map
        // only, under its lock.
        if Arc::strong_count(&self.semaphore) == 2 {
            semaphores.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn each_key_has_its_own_permits_and_unused_ones_are_removed() {
        let semaphores = KeyedSemaphore::new(2);
        let mut held = Vec::new();
        for _ in 0..2 {
            held.push(semaphores.acquire(1).now_or_never().flatten().unwrap());
        }
        assert!(semaphores.acquire(1).now_or_never().is_none());
        assert!(semaphores.acquire(2).now_or_never().is_some());
        held.pop();
        assert!(semaphores.acquire(1).now_or_never().is_some());
        for key in 3..1_000 {
            drop(semaphores.acquire(key).await);
        }
        assert_eq!(lock(&semaphores.0.semaphores).len(), 1);
        held.push(semaphores.acquire(1).now_or_never().flatten().unwrap());
        assert!(semaphores.acquire(1).now_or_never().is_none(), "the permits in use still count");
        drop(held);
        assert!(semaphores.is_unused());
    }
}
