//! Documents by their hashes: bounded in number and in bytes; what was not used for the longest time goes first.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use super::Hash;
use crate::task::lock;

/// A bounded map from hashes to documents.
#[derive(Debug)]
pub(super) struct Cache {
    entries_max: usize,
    bytes_max: usize,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    texts: HashMap<Hash, (Arc<str>, u64)>,
    /// When each was last used, as a count of uses: the first one goes first.
    uses: BTreeMap<u64, Hash>,
    used: u64,
    bytes: usize,
}

impl Shelf {
    fn get(&mut self, hash: &Hash) -> Option<Arc<str>> {
        let (text, last) = self.texts.get_mut(hash)?;
        self.uses.remove(last);
        self.used += 1;
        *last = self.used;
        self.uses.insert(self.used, *hash);
        Some(Arc::clone(text))
    }
}

impl Cache {
    pub(super) fn new(entries_max: usize, bytes_max: usize) -> Self {
        Self { entries_max, bytes_max, shelf: Mutex::default() }
    }

    /// The document of this hash; then it is the one that was used last.
    pub(super) fn get(&self, hash: &Hash) -> Option<Arc<str>> {
        lock(&self.shelf).get(hash)
    }

    /// Remembers it, and forgets others when that is too much.
    pub(super) fn keep(&self, hash: Hash, text: &str) {
        if text.len() > self.bytes_max {
            return;
        }
        let mut shelf = lock(&self.shelf);
        if shelf.get(&hash).is_some() {
            return;
        }
        shelf.used += 1;
        let used = shelf.used;
        shelf.bytes += text.len();
        shelf.texts.insert(hash, (text.into(), used));
        shelf.uses.insert(used, hash);
        while shelf.texts.len() > self.entries_max || shelf.bytes > self.bytes_max {
            let Some((_, oldest)) = shelf.uses.pop_first() else { break };
            if let Some((text, _)) = shelf.texts.remove(&oldest) {
                shelf.bytes -= text.len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(cache: &Cache, hashes: impl IntoIterator<Item = u8>) -> Vec<u8> {
        hashes
            .into_iter()
            .filter(|hash| cache.shelf.lock().unwrap().texts.contains_key(&[*hash; 32]))
            .collect()
    }

    #[test]
    fn it_is_bounded_in_number() {
        let cache = Cache::new(3, 100);
        for hash in 0..3 {
            cache.keep([hash; 32], "text");
        }
        assert_eq!(cache.get(&[0; 32]).as_deref(), Some("text"));
        cache.keep([1; 32], "text");
        cache.keep([3; 32], "text");
        assert_eq!(kept(&cache, 0..4), [0, 1, 3], "2 was not used for the longest time");
        let shelf = cache.shelf.lock().unwrap();
        assert_eq!((shelf.bytes, shelf.uses.len()), (12, 3));
    }

    #[test]
    fn it_is_bounded_in_bytes() {
        let cache = Cache::new(100, 10);
        cache.keep([0; 32], "1234");
        cache.keep([1; 32], "1234");
        cache.keep([2; 32], "12345678901");
        assert_eq!(kept(&cache, 0..3), [0, 1], "what never fits forgets nothing");
        cache.keep([3; 32], "123456");
        assert_eq!(kept(&cache, 0..4), [1, 3]);
        cache.keep([4; 32], "1234567890");
        assert_eq!(kept(&cache, 0..5), [4]);
        assert_eq!(cache.shelf.lock().unwrap().bytes, 10);
    }
}
