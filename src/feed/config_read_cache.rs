//! A read cache for watches of configurations: one query serves all watchers of equal scope. An entry holds
//! configurations as of a commit, so it never becomes stale.

use std::{convert::Infallible, sync::Arc};

use super::config_entry;
use crate::{
    cache::{Weighed, WeighedCache, weighed_cache},
    domain::{Error, Result, Scope, config::ConfigAt, environment::EnvironmentKey},
    id::{AgentId, CustomerId, Revision},
    share::ShareHolder,
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
    /// The configurations of these agents in an environment at the end of this commit.
    Agents(Scope, EnvironmentKey, Revision, Vec<AgentId>),
    /// A page of all configurations of an environment at the end of a commit, by agent id.
    Page {
        scope: Scope,
        environment: EnvironmentKey,
        revision: Revision,
        customer_id: Option<CustomerId>,
        agent_ids: Option<Arc<[AgentId]>>,
        after: Option<AgentId>,
    },
}

type CachedRead = std::result::Result<Arc<Vec<ConfigAt>>, Arc<FailedRead>>;

/// A read that failed, for those that waited for it.
#[derive(Debug)]
struct FailedRead {
    /// The holder that the read was counted for. It may have failed only because this holder's share is used up.
    holder: ShareHolder,
    error: Error,
}

/// Estimates the memory that a cached read takes.
fn bytes(answer: &CachedRead) -> usize {
    let page = answer.iter().flat_map(|page| page.iter());
    let bytes = |at: &ConfigAt| at.config.as_ref().map_or(0, |config| config_entry::weight_of(config));
    page.map(|at| config_entry::OVERHEAD + bytes(at)).sum()
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
    /// Returns the cached read, waits for one in progress, or calls `read` and caches its result. When a read of
    /// another holder fails, calls `read` once more, on this holder's account.
    ///
    /// # Errors
    /// Those of `read`, for all of the same holder that wait for it. Errors aren't cached.
    pub(super) async fn get<Read: Future<Output = Result<Vec<ConfigAt>>>>(
        &self,
        asked: ConfigReadKey,
        holder: ShareHolder,
        read: impl Fn() -> Read,
    ) -> Result<Arc<Vec<ConfigAt>>> {
        let shared = async {
            let failed = |error| Arc::new(FailedRead { holder: holder.clone(), error });
            let answer: CachedRead = read().await.map(Arc::new).map_err(failed);
            let bytes = bytes(&answer);
            Ok::<_, Infallible>(Weighed::new(answer, bytes))
        };
        let Ok(answer) = self.0.get_or_insert_async(&asked, shared).await;
        let failed = match answer.value {
            Ok(page) => return Ok(page),
            Err(failed) => failed,
        };
        self.0.remove_if(&asked, |answer| answer.value.is_err());
        if failed.holder != holder {
            return read().await.map(Arc::new);
        }
        Err(match &failed.error {
            Error::Unavailable(why) => Error::Unavailable(why),
            Error::Forbidden(why) => Error::Forbidden(why),
            Error::NotFound(what) => Error::NotFound(what),
            Error::CursorTooOld { floor } => Error::CursorTooOld { floor: *floor },
            other => Error::Internal(other.to_string().into()),
        })
    }

    /// Removes all entries: the log has diverged, or a customer was erased, or an erasure may have been missed.
    pub(super) fn clear(&self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::{IpAddr, Ipv4Addr},
        sync::atomic::{AtomicU32, Ordering},
    };

    use futures_util::future::join;
    use tokio::sync::Notify;

    use super::*;

    fn holder(last: u8) -> ShareHolder {
        ShareHolder::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
    }

    /// Two holders ask at the same time, and the read of the first one fails. Returns the result and the number of
    /// reads of the second one.
    async fn beside_a_failure(second: ShareHolder) -> (Result<Arc<Vec<ConfigAt>>>, u32) {
        let (cache, begun, ended) = (ConfigReadCache::default(), Notify::new(), Notify::new());
        let key = || {
            let environment = EnvironmentKey::default();
            ConfigReadKey::Agents(Scope::Runtime, environment, Revision::default(), Vec::new())
        };
        let reads = AtomicU32::new(0);
        let first = cache.get(key(), holder(1), async || {
            begun.notify_one();
            ended.notified().await;
            Err(Error::Unavailable("the share is used up"))
        });
        let second = async {
            begun.notified().await;
            let own = cache.get(key(), second, async || {
                reads.fetch_add(1, Ordering::Relaxed);
                Ok(Vec::new())
            });
            let release = async { ended.notify_one() };
            join(own, release).await.0
        };
        let (first, second) = join(first, second).await;
        assert!(matches!(first, Err(Error::Unavailable(_))), "{first:?}");
        (second, reads.into_inner())
    }

    #[tokio::test]
    async fn an_error_of_one_holder_is_not_anothers() {
        let (second, reads) = beside_a_failure(holder(2)).await;
        assert!(second.is_ok(), "{second:?}");
        assert_eq!(reads, 1);
    }

    #[tokio::test]
    async fn watches_of_one_holder_share_an_error() {
        let (second, reads) = beside_a_failure(holder(1)).await;
        assert!(matches!(second, Err(Error::Unavailable(_))), "{second:?}");
        assert_eq!(reads, 0);
    }
}
