//! Batching loaders: one statement reads all that one level of a query asks for.
//!
//! The crate `dataloader` waits a few turns of the scheduler for more keys and then reads them all. Cancellation
//! breaks it: if the future that runs the batch is dropped, because a non-null sibling failed, the other futures
//! get no value. So a batch here stores an answer for each key, also for keys without a row, and a key without an
//! answer is loaded again.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    marker::PhantomData,
    sync::{Arc, OnceLock},
};

use ::dataloader::{BatchFn, cached};

use crate::{
    domain::{Error, Reading, Registry, Result},
    graphql::schema::error::refuse,
};

/// How many scheduler turns a batch waits for more keys. A level's fields ask within one or two turns.
const TURNS: usize = 3;
/// How many times a key is loaded before giving up, when the future that ran its batch was dropped.
const RETRIES: usize = 3;

/// One kind of batch: reads values by their keys.
pub(in crate::graphql) trait Fetch: Send + Sync + 'static {
    type Key: Clone + Eq + Hash + std::fmt::Debug + Send + Sync + 'static;
    type Value: Send + Sync + 'static;

    /// Reads the values of these keys. Keys without a value are left out.
    fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[Self::Key],
    ) -> impl Future<Output = Result<HashMap<Self::Key, Self::Value>>> + Send;
}

type Answer<F> = std::result::Result<Option<Arc<<F as Fetch>::Value>>, Arc<Error>>;

/// Runs the batches of one request, under its caller's scope.
pub(in crate::graphql) struct BatchReader<F> {
    through: Arc<(Registry, Reading)>,
    kind: PhantomData<fn() -> F>,
}

impl<F: Fetch> BatchFn<F::Key, Answer<F>> for BatchReader<F> {
    async fn load(&mut self, keys: &[F::Key]) -> HashMap<F::Key, Answer<F>> {
        match F::fetch(&self.through.0, &self.through.1, keys).await {
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
pub(in crate::graphql) struct Loader<F: Fetch> {
    through: Arc<(Registry, Reading)>,
    inner: OnceLock<cached::Loader<F::Key, Answer<F>, BatchReader<F>>>,
}

impl<F: Fetch> Loader<F> {
    pub(in crate::graphql) fn new(through: &Arc<(Registry, Reading)>) -> Self {
        Self { through: Arc::clone(through), inner: OnceLock::new() }
    }

    fn inner(&self) -> &cached::Loader<F::Key, Answer<F>, BatchReader<F>> {
        self.inner.get_or_init(|| {
            let source = BatchReader { through: Arc::clone(&self.through), kind: PhantomData };
            cached::Loader::new(source).with_yield_count(TURNS).with_max_batch_size(usize::MAX)
        })
    }

    /// Loads the value of this key; none if there is none. Waits for the batch.
    pub(in crate::graphql) async fn load(&self, key: F::Key) -> async_graphql::Result<Option<Arc<F::Value>>> {
        for _ in 0..RETRIES {
            if let Ok(answer) = self.inner().try_load(key.clone()).await {
                return answer.map_err(|err| refuse(&err));
            }
        }
        Err(refuse(&Error::Internal("a batch was dropped at each retry".into())))
    }
}
