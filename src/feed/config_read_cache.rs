//! A read cache for watches of configurations: one query serves all watchers of equal scope. An entry holds
//! configurations as of a commit, so it never becomes stale.

use std::{convert::Infallible, sync::Arc};

use super::config_cache;
use crate::{
    cache::{Weighed, WeighedCache, weighed_cache},
    domain::{Error, Result, Scope, config::ConfigAt},
    id::{AgentId, CustomerId, Revision},
};

/// The greatest number of entries, and about the most bytes that they take. Watchers read the same commits at
/// nearly the same time, and after a reconnect the same pages of the snapshot.
const READS_MAX: usize = 1024;
/// See [`READS_MAX`].
const BYTES_MAX: u64 = 32 * 1024 * 1024;
/// The least bytes of a shard. A page heavier than that is read for each watcher.
const SHARD_BYTES: u64 = 4 * 1024 * 1024;

/// The key of a cached read: the scope, and the arguments of the query.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ConfigReadKey {
    /// The configurations of these agents at the end of this commit.
    Agents(Scope, Revision, Vec<AgentId>),
    /// A page of all configurations at the end of a commit, by agent id.
    Page {
        scope: Scope,
        revision: Revision,
        customer_id: Option<CustomerId>,
        agent_ids: Option<Arc<[AgentId]>>,
        after: Option<AgentId>,
    },
}

type CachedRead = std::result::Result<Arc<Vec<ConfigAt>>, Arc<Error>>;

/// Estimates the memory that a cached read takes.
fn bytes(answer: &CachedRead) -> usize {
    let page = answer.iter().flat_map(|page| page.iter());
    let bytes = |at: &ConfigAt| at.config.as_ref().map_or(0, |config| config_cache::weight_of(config));
    page.map(|at| config_cache::OVERHEAD + bytes(at)).sum()
}

/// The cached reads. Cheap to clone; clones share state.
#[derive(Clone, Debug)]
pub(super) struct ConfigReadCache(Arc<WeighedCache<ConfigReadKey, CachedRead>>);

impl Default for ConfigReadCache {
    fn default() -> Self {
        Self(Arc::new(weighed_cache(READS_MAX, BYTES_MAX, SHARD_BYTES)))
    }
}

impl ConfigReadCache {
    /// Returns the cached read, waits for one in progress, or awaits `read` and caches its result.
    ///
    /// # Errors
    /// Those of `read`, for all that wait for it. Errors aren't cached.
    pub(super) async fn get(
        &self,
        asked: ConfigReadKey,
        read: impl Future<Output = Result<Vec<ConfigAt>>>,
    ) -> Result<Arc<Vec<ConfigAt>>> {
        let read = async {
            let answer: CachedRead = read.await.map(Arc::new).map_err(Arc::new);
            let bytes = bytes(&answer);
            Ok::<_, Infallible>(Weighed::new(answer, bytes))
        };
        let Ok(answer) = self.0.get_or_insert_async(&asked, read).await;
        answer.value.map_err(|err| {
            self.0.remove_if(&asked, |answer| answer.value.is_err());
            match &*err {
                Error::Unavailable(why) => Error::Unavailable(why),
                Error::Forbidden(why) => Error::Forbidden(why),
                Error::NotFound(what) => Error::NotFound(what),
                Error::CursorTooOld { floor } => Error::CursorTooOld { floor: *floor },
                other => Error::Internal(other.to_string().into()),
            }
        })
    }

    /// Removes all entries: the log has diverged, or a customer was erased, or an erasure may have been missed.
    pub(super) fn clear(&self) {
        self.0.clear();
    }
}
