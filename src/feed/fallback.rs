//! Database reads that memory can stand in for when the database doesn't answer.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::time::{Instant, timeout};

use super::freshness::CACHE_LEASE;
use crate::{
    domain::{Error, Result},
    task::lock,
};

/// How long the database may take to answer when memory holds a fallback that isn't covered by the lease.
pub(super) const FALLBACK_TIMEOUT: Duration = Duration::from_millis(500);

/// When the database last failed to answer a request that had a fallback in memory; `None` once it answers again. Cheap
/// to clone; clones share state.
#[derive(Clone, Debug, Default)]
pub(super) struct Fallback(Arc<Mutex<Option<Instant>>>);

impl Fallback {
    /// Awaits a database read. With a fallback in memory (`has_other`), it waits at most [`FALLBACK_TIMEOUT`], and
    /// doesn't ask at all within [`CACHE_LEASE`] of the last failure.
    pub(super) async fn read_unless_late<T>(
        &self,
        has_other: bool,
        asked: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if !has_other {
            return asked.await;
        }
        const LATE: Error = Error::Unavailable("the database does not answer");
        if lock(&self.0).is_some_and(|since| since.elapsed() < CACHE_LEASE) {
            return Err(LATE);
        }
        let answer = timeout(FALLBACK_TIMEOUT, asked).await.unwrap_or(Err(LATE));
        let is_silent = matches!(answer, Err(Error::Unavailable(_)));
        *lock(&self.0) = is_silent.then(Instant::now);
        answer
    }
}
