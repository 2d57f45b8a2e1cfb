//! Batching loaders: one statement reads all that one level of a query asks for.
//!
//! The crate `dataloader` waits a few turns of the scheduler for more keys and then reads them all. Cancellation
//! breaks it: if the future that runs the batch is dropped, because a non-null sibling failed, the other futures
//! get no value. So a batch here stores an answer for each key, also for keys without a row, and a key without an
//! answer is loaded again.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, OnceLock},
};

use ::dataloader::{BatchFn, cached};
use futures_util::future::BoxFuture;

use crate::{
    domain::{Error, Reading, Registry, Result},
    graphql::schema::error::to_graphql_error,
};

/// How many scheduler turns a batch waits for more keys. A level's fields ask within one or two turns.
const TURNS: usize = 3;
/// How many times a key is loaded before giving up, when the future that ran its batch was dropped.
const RETRIES: usize = 3;

/// Reads the values of these keys in one batch. Keys without a value are left out.
pub(in crate::graphql) type Fetch<K, V> =
    for<'a> fn(&'a Registry, &'a Reading, &'a [K]) -> BoxFuture<'a, Result<HashMap<K, V>>>;

/// What a loader keeps for each key.
type LoadedValue<V> = std::result::Result<Option<Arc<V>>, Arc<Error>>;

/// Runs the batches of one request, under its caller's scope.
struct BatchReader<K, V> {
    through: Arc<(Registry, Reading)>,
    fetch: Fetch<K, V>,
}

impl<K: Clone + Eq + Hash, V> BatchFn<K, LoadedValue<V>> for BatchReader<K, V> {
    async fn load(&mut self, keys: &[K]) -> HashMap<K, LoadedValue<V>> {
        match (self.fetch)(&self.through.0, &self.through.1, keys).await {
            Ok(mut found) => {
                keys.iter().map(|key| (key.clone(), Ok(found.remove(key).map(Arc::new)))).collect()
            }
            Err(err) => {
                let err = Arc::new(err);
                keys.iter().map(|key| (key.clone(), Err(Arc::clone(&err)))).collect()
            }
        }
    }
}

/// A caching loader of one kind of batch. The inner loader is created at its first use, because most requests use
/// few kinds.
pub(in crate::graphql) struct Loader<K: Clone + Eq + Hash, V> {
    through: Arc<(Registry, Reading)>,
    fetch: Fetch<K, V>,
    inner: OnceLock<cached::Loader<K, LoadedValue<V>, BatchReader<K, V>>>,
}

impl<K: Clone + Eq + Hash + std::fmt::Debug, V> Loader<K, V> {
    /// Makes a loader that reads with `fetch`.
    pub(in crate::graphql) fn new(through: &Arc<(Registry, Reading)>, fetch: Fetch<K, V>) -> Self {
        Self { through: Arc::clone(through), fetch, inner: OnceLock::new() }
    }

    fn inner(&self) -> &cached::Loader<K, LoadedValue<V>, BatchReader<K, V>> {
        self.inner.get_or_init(|| {
            let source = BatchReader { through: Arc::clone(&self.through), fetch: self.fetch };
            cached::Loader::new(source).with_yield_count(TURNS).with_max_batch_size(usize::MAX)
        })
    }

    /// Loads the value of this key; `None` if the key has no value. Waits for the batch.
    pub(in crate::graphql) async fn load(&self, key: K) -> async_graphql::Result<Option<Arc<V>>> {
        for _ in 0..RETRIES {
            if let Ok(answer) = self.inner().try_load(key.clone()).await {
                return answer.map_err(|err| to_graphql_error(&err));
            }
        }
        Err(to_graphql_error(&Error::Internal("a batch was dropped at each retry".into())))
    }
}
