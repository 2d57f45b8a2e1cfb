//! A semaphore for each key, with the same number of permits.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::task::lock;

/// A semaphore for each key. A key without permits in use takes no memory for long. Clones share the semaphores.
#[derive(Debug)]
pub struct KeyedSemaphore<K>(Arc<Inner<K>>);

#[derive(Debug)]
struct Inner<K> {
    permits: usize,
    semaphores: Mutex<Semaphores<K>>,
}

#[derive(Debug)]
struct Semaphores<K> {
    by_key: HashMap<K, Weak<Semaphore>>,
    /// The number of keys at which unused semaphores are removed.
    sweep_at: usize,
}

/// A permit of a key's semaphore.
#[derive(Debug)]
pub struct KeyedPermit {
    _permit: OwnedSemaphorePermit,
    /// Kept, so that all permits of the key are of one semaphore.
    _semaphore: Arc<Semaphore>,
}

impl<K> Clone for KeyedSemaphore<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Eq + Hash> KeyedSemaphore<K> {
    /// Creates semaphores with this many permits for each key.
    #[must_use]
    pub fn new(permits: usize) -> Self {
        let semaphores = Mutex::new(Semaphores { by_key: HashMap::new(), sweep_at: 64 });
        Self(Arc::new(Inner { permits, semaphores }))
    }

    /// Waits for a permit of this key, in the order of arrival.
    pub async fn acquire(&self, key: K) -> Option<KeyedPermit> {
        let semaphore = self.semaphore(key);
        // The semaphore is never closed, so acquiring can't fail.
        let permit = Arc::clone(&semaphore).acquire_owned().await.ok()?;
        Some(KeyedPermit { _permit: permit, _semaphore: semaphore })
    }

    fn semaphore(&self, key: K) -> Arc<Semaphore> {
        let mut semaphores = lock(&self.0.semaphores);
        let Semaphores { by_key, sweep_at } = &mut *semaphores;
        if let Some(semaphore) = by_key.get(&key).and_then(Weak::upgrade) {
            return semaphore;
        }
        if by_key.len() >= *sweep_at {
            by_key.retain(|_, semaphore| semaphore.strong_count() > 0);
            *sweep_at = 64.max(2 * by_key.len());
        }
        let semaphore = Arc::new(Semaphore::new(self.0.permits));
        by_key.insert(key, Arc::downgrade(&semaphore));
        semaphore
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
        assert!(lock(&semaphores.0.semaphores).by_key.len() <= 64);
        held.push(semaphores.acquire(1).now_or_never().flatten().unwrap());
        assert!(semaphores.acquire(1).now_or_never().is_none(), "the permits in use still count");
    }
}
