//! Answers from memory: who a credential belongs to, and what an agent serves. Only under the lease, with one
//! exception: while the database is unavailable, the platform's services get the last known state, marked as
//! stale.

use std::{slice, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::{
    config_cache::{CacheEntry, READERS, RenderedConfig},
    hub::{CACHE_LEASE, Hub},
};
use crate::{
    domain::{
        Caller, Error, Origin, Result,
        auth::{Authenticated, VerifiedCredential},
        config::NotServed,
        policy::{self, Action},
    },
    id::AgentId,
    task::lock,
};

/// How long the database may take to answer when memory holds a fallback that isn't covered by the lease.
const FALLBACK_TIMEOUT: Duration = Duration::from_millis(500);

/// The configuration that an agent serves, for a caller that may read it.
#[derive(Clone, Debug)]
pub struct ConfigResponse {
    /// The active configuration; none when no version is active.
    pub config: Option<Arc<RenderedConfig>>,
    /// Set when the lease has expired and the database is unavailable: how long ago `config` was last known to be
    /// current.
    pub stale: Option<Duration>,
}

impl Hub {
    /// Opens database connections and prepares the statements that read configurations, by reading as many times
    /// in parallel as the cache does, for an agent that doesn't exist. Ignores the result; gives up after
    /// [`FALLBACK_TIMEOUT`].
    pub async fn warm(&self) {
        let nobody: AgentId = self.registry.clock().id();
        let asked = (0..READERS).map(|_| self.registry.configs_now(slice::from_ref(&nobody)));
        let _ = timeout(FALLBACK_TIMEOUT, join_all(asked)).await;
    }

    /// Returns the caller behind a token whose form and signature have been verified: from memory under the lease,
    /// else from the database. While the database is unavailable, a service of the platform is accepted if its
    /// token is cached.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`]; [`Error::Unavailable`] when the database must be read and can't be.
    pub async fn look_up(&self, proven: VerifiedCredential, bearer: &str, origin: &Origin) -> Result<Caller> {
        let (known, lookup) = self.credentials.begin_lookup(bearer);
        let known = known.and_then(|principal| self.registry.recognize(&principal, origin));
        if let Some(caller) = known.as_ref().filter(|_| self.has_lease()) {
            return Ok(caller.clone());
        }
        let known = known.filter(|caller| caller.principal.is_service());
        match self.read_unless_late(known.is_some(), self.registry.look_up(proven, origin)).await {
            Ok(Authenticated { caller, is_settled }) => {
                if is_settled {
                    self.credentials.store(lookup, &caller.principal);
                }
                Ok(caller)
            }
            Err(err @ Error::Unavailable(_)) => known.ok_or(err),
            Err(err) => Err(err),
        }
    }

    /// Returns what this agent serves now: from memory under the lease, else from the database. While the database
    /// is unavailable, a service of the platform gets the last known configuration, with [`ConfigResponse::stale`] set.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the agent; [`Error::Forbidden`]; [`Error::Suspended`] when its customer is
    /// suspended or canceled; [`Error::Unavailable`].
    pub async fn active_config(&self, caller: &Caller, id: AgentId) -> Result<ConfigResponse> {
        policy::allow(caller, Action::ReadConfigs)?;
        if self.has_lease() {
            match self.configs.get(id).await {
                // The lease may have expired while the cache was read.
                Ok(known) if self.has_lease() => return config_response(caller, known.as_deref(), None),
                Ok(_) => {}
                Err(err) => tracing::debug!(error = %err, "the cache has no answer; reading the database"),
            }
        }
        let known = self.configs.peek(id).filter(|_| caller.principal.is_service());
        let reading = self.registry.reading(caller);
        match self.read_unless_late(known.is_some(), self.registry.active_config(&reading, id)).await {
            Ok(config) => {
                let config = config.map(|config| self.configs.render(Arc::new(config))).transpose()?;
                Ok(ConfigResponse { config, stale: None })
            }
            Err(err @ Error::Unavailable(_)) => match known {
                Some(known) => config_response(caller, Some(&known), Some(self.age())),
                None => Err(err),
            },
            Err(err) => Err(err),
        }
    }

    /// Returns what this agent serves if memory alone can decide it: under the lease, with the agent cached, and
    /// the token cached as that of a service of the platform with the right to read configurations. Services have
    /// no rate limit, and their tokens don't expire, so nothing else needs a check. None in all other cases.
    #[must_use]
    pub fn cached_config(&self, bearer: &str, id: AgentId) -> Option<Arc<RenderedConfig>> {
        let principal = self.credentials.get(bearer).filter(|known| known.is_service())?;
        policy::allow_principal(&principal, Action::ReadConfigs).ok()?;
        let known = self.configs.get_if_cached(id)?;
        // The lease is checked last, so that it covers the lookups above.
        if self.has_lease() { known.serves.as_ref().ok().cloned() } else { None }
    }

    /// Awaits a database read. With a fallback in memory (`has_other`), it waits at most [`FALLBACK_TIMEOUT`], and doesn't
    /// ask at all within [`CACHE_LEASE`] of the last failure.
    async fn read_unless_late<T>(
        &self,
        has_other: bool,
        asked: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        if !has_other {
            return asked.await;
        }
        const LATE: Error = Error::Unavailable("the database does not answer");
        if lock(&self.silent_since).is_some_and(|since| since.elapsed() < CACHE_LEASE) {
            return Err(LATE);
        }
        let answer = timeout(FALLBACK_TIMEOUT, asked).await.unwrap_or(Err(LATE));
        let is_silent = matches!(answer, Err(Error::Unavailable(_)));
        *lock(&self.silent_since) = is_silent.then(Instant::now);
        answer
    }
}

/// Checks that the caller may read this cache entry, and returns what it holds.
fn config_response(
    caller: &Caller,
    known: Option<&CacheEntry>,
    stale: Option<Duration>,
) -> Result<ConfigResponse> {
    let known = known.ok_or(Error::NotFound("agent"))?;
    policy::allow_on(caller, Action::ReadConfigs, known.customer_id, "agent")?;
    let config = match &known.serves {
        Ok(hot) => Some(Arc::clone(hot)),
        Err(NotServed::Deactivated | NotServed::Archived) => None,
        Err(NotServed::Suspended | NotServed::Canceled) => return Err(Error::Suspended),
    };
    Ok(ConfigResponse { config, stale })
}
