//! What watchers of configurations are told of, read once for all who may see the same. It is what was so by a commit, and
//! so it stays.

use std::{convert::Infallible, sync::Arc};

use quick_cache::{Weighter, sync::Cache};

use super::configs;
use crate::{
    domain::{Error, Result, Scope, config::ConfigAt},
    id::{AgentId, CustomerId},
};

/// The most readings that are kept, and about the most bytes that they take: many watchers are told of the same within
/// moments, and all begin with the same pages when they come back at once.
const READINGS_MAX: usize = 1024;
/// The same.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What was read, under which scope.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// What these agents served at the end of this commit.
    Agents(Scope, i64, Vec<AgentId>),
    /// A page of what all served then.
    Page {
        scope: Scope,
        revision: i64,
        customer_id: Option<CustomerId>,
        agent_ids: Option<Arc<[AgentId]>>,
        after: Option<AgentId>,
    },
}

type Answer = std::result::Result<Arc<Vec<ConfigAt>>, Arc<Error>>;

#[derive(Clone, Debug)]
struct Size;

impl Weighter<Asked, Answer> for Size {
    fn weight(&self, _: &Asked, answer: &Answer) -> u64 {
        let page = answer.iter().flat_map(|page| page.iter());
        let bytes = |at: &ConfigAt| at.config.as_ref().map_or(0, |config| configs::weight_of(config));
        page.map(|at| u64::try_from(configs::OVERHEAD + bytes(at)).unwrap_or(u64::MAX)).sum::<u64>().max(1)
    }
}

/// What was read of late. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Readings(Arc<Cache<Asked, Answer, Size>>);

impl Default for Readings {
    fn default() -> Self {
        Self(Arc::new(Cache::with_weighter(READINGS_MAX, BYTES_MAX, Size)))
    }
}

impl Readings {
    /// What was read already, or is by now; else `read` does.
    ///
    /// # Errors
    /// Those of `read`, for all who wait for it.
    pub(super) async fn get(
        &self,
        asked: Asked,
        read: impl Future<Output = Result<Vec<ConfigAt>>>,
    ) -> Result<Arc<Vec<ConfigAt>>> {
        let read = async { Ok::<_, Infallible>(read.await.map(Arc::new).map_err(Arc::new)) };
        let Ok(answer) = self.0.get_or_insert_async(&asked, read).await;
        answer.map_err(|err| {
            self.0.remove_if(&asked, |answer| answer.is_err());
            match &*err {
                Error::Unavailable(why) => Error::Unavailable(why),
                Error::Forbidden(why) => Error::Forbidden(why),
                Error::NotFound(what) => Error::NotFound(what),
                Error::CursorTooOld { floor } => Error::CursorTooOld { floor: *floor },
                other => Error::Internal(other.to_string().into()),
            }
        })
    }

    /// Forgets all: the log is another.
    pub(super) fn clear(&self) {
        self.0.clear();
    }
}
