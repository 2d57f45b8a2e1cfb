//! What an agent serves: from memory under the lease, else from the database. While the database is unavailable, the
//! platform's services get the last known configuration, marked as stale.

use std::{slice, sync::Arc, time::Duration};

use futures_util::future::join_all;
use tokio::time::timeout;

use super::{
    config_cache::{ConfigCache, READERS},
    config_entry::{CacheEntry, ConfigKey, RenderedConfig},
    fallback::{FALLBACK_TIMEOUT, Fallback},
    freshness::Freshness,
};
use crate::domain::{
    Caller, Error, Principal, Reading, Registry, Result,
    config::NotServed,
    environment::EnvironmentKey,
    policy::{self, Action},
};

/// The configuration that an agent serves, for a caller that may read it.
#[derive(Clone, Debug)]
pub struct ConfigResponse {
    /// The active configuration; `None` when no version is active.
    pub config: Option<Arc<RenderedConfig>>,
    /// Set when the lease has expired and the database is unavailable: how long ago `config` was last known to be
    /// current.
    pub stale: Option<Duration>,
}

/// Reads active configurations.
#[derive(Debug)]
pub(super) struct ConfigReader {
    pub(super) registry: Registry,
    pub(super) configs: ConfigCache,
    pub(super) freshness: Freshness,
    pub(super) fallback: Fallback,
}

impl ConfigReader {
    /// Opens database connections and prepares the statements that read configurations, by reading as many times
    /// in parallel as the cache does, for an agent that doesn't exist. Ignores the result; gives up after
    /// [`FALLBACK_TIMEOUT`].
    pub(super) async fn warm(&self) {
        let nobody: ConfigKey = (self.registry.clock().id(), EnvironmentKey::default());
        let asked = (0..READERS).map(|_| self.registry.configs_now(slice::from_ref(&nobody)));
        let _ = timeout(FALLBACK_TIMEOUT, join_all(asked)).await;
    }

    /// Returns what this agent serves now in this environment, from memory or through `reading`, which must not have begun.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the agent, also when the caller doesn't reach the environment; [`Error::Forbidden`]; [`Error::Suspended`] when its customer is
    /// suspended or canceled; [`Error::Unavailable`].
    pub(super) async fn active_config(&self, reading: &Reading, key: &ConfigKey) -> Result<ConfigResponse> {
        let caller = &*reading.caller;
        policy::allow(caller, Action::ReadConfigs)?;
        if !caller.principal.environments().admits(&key.1) {
            return Err(Error::NotFound("agent"));
        }
        if self.freshness.has_lease() {
            match self.configs.get(key).await {
                // The lease may have expired while the cache was read.
                Ok(known) if self.freshness.has_lease() => {
                    return config_response(caller, known.as_deref(), None);
                }
                Ok(_) => {}
                Err(err) => tracing::debug!(error = %err, "the cache has no answer; reading the database"),
            }
        }
        // Another customer's agent is as unknown as one that doesn't exist, also while the database is unavailable.
        let may_read = |known: &Arc<CacheEntry>| {
            policy::allow_on(caller, Action::ReadConfigs, known.customer_id, "agent").is_ok()
        };
        let known = self.configs.peek(key).filter(|_| caller.principal.is_service()).filter(may_read);
        let read = self.registry.active_config(reading, key.0, &key.1);
        match self.fallback.read_unless_late(known.is_some(), read).await {
            Ok(config) => {
                let config = config.map(|config| self.configs.render(Arc::new(config))).transpose()?;
                Ok(ConfigResponse { config, stale: None })
            }
            Err(err @ Error::Unavailable(_)) => match known {
                Some(known) => config_response(caller, Some(&known), Some(self.freshness.age())),
                None => Err(err),
            },
            Err(err) => Err(err),
        }
    }

    /// Returns what this agent serves in this environment if memory alone can decide it for this cached principal: under the lease, with
    /// the agent cached, and with the right to read configurations.
    pub(super) fn cached_config(
        &self,
        principal: &Principal,
        key: &ConfigKey,
    ) -> Option<Arc<RenderedConfig>> {
        if !principal.environments().admits(&key.1) {
            return None;
        }
        let known = self.configs.get_if_cached(key)?;
        policy::allow_principal_on(principal, Action::ReadConfigs, known.customer_id, "agent").ok()?;
        // The lease is checked last, so that it covers the lookups of the principal and of the agent.
        if self.freshness.has_lease() { known.serves.as_ref().ok().cloned() } else { None }
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
        Ok(rendered) => Some(Arc::clone(rendered)),
        Err(NotServed::Deactivated | NotServed::Archived) => None,
        Err(why @ (NotServed::Suspended | NotServed::Canceled | NotServed::NotFound)) => {
            return Err((*why).into());
        }
    };
    Ok(ConfigResponse { config, stale })
}
