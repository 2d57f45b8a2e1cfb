//! The feed's handle for the outer layers. It owns the parts, applies each commit to them in order, and passes every
//! other call on to one of them.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::{
    authenticator::Authenticator,
    caches::{Caches, ResponseCaches},
    chain_check::{ChainCheck, ChainStatus},
    config_cache::ConfigCache,
    config_entry::{Render, RenderedConfig},
    config_read_cache::ConfigReadCache,
    config_reader::{ConfigReader, ConfigResponse},
    config_watch::ConfigWatch,
    credential_cache::CredentialCache,
    event_hub::{Commit, EventHub},
    fallback::Fallback,
    freshness::Freshness,
    gateway_reports::GatewayReports,
    lease::Moment,
    outage::Outage,
    readiness::Readiness,
    revocation_log::RevocationLog,
    subscriber_registry::{SubscriberRegistry, Watched, Watcher},
    watch::Watch,
    watch_source::{PAGE_READS_MAX, REPLAYS_MAX, WatchFilter, WatchSource},
};
use crate::{
    clock::Instant,
    domain::{
        CallOrigin, Caller, Input, Reading, Registry, Result,
        auth::VerifiedCredential,
        change::Cursor,
        environment::EnvironmentKey,
        gateway::ServingReport,
        policy::{self, Action},
    },
    id::{AgentId, Revision},
    share::KeyedSemaphore,
    task::Tasks,
};

/// Follows the log for the outer layers: answers from memory, and streams. Cheap to clone; clones share state.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Parts>);

/// The parts, each of which owns what it needs for one job.
#[derive(Debug)]
struct Parts {
    registry: Registry,
    events: EventHub,
    caches: Caches,
    freshness: Freshness,
    revocation_log: RevocationLog,
    watch_source: WatchSource,
    authenticator: Authenticator,
    config_reader: ConfigReader,
    chain_check: ChainCheck,
    outage: Outage,
    gateway_reports: GatewayReports,
    started_at: Instant,
}

impl Hub {
    /// Creates a hub that has applied no commit. It caches at most about `config_bytes` of configurations,
    /// serialised by `render`. A notification on `bell` makes the tail read the log.
    #[must_use]
    pub fn new(
        registry: Registry,
        tasks: Tasks,
        render: Render,
        config_bytes: usize,
        bell: Arc<Notify>,
    ) -> Self {
        let events = EventHub::default();
        let freshness = Freshness::new(registry.clone(), events.clone(), bell);
        let fallback = Fallback::default();
        let caches = Caches {
            registry: registry.clone(),
            configs: ConfigCache::new(registry.clone(), tasks, render, config_bytes),
            credentials: CredentialCache::default(),
            config_reads: ConfigReadCache::default(),
            responses: ResponseCaches::default(),
        };
        let watch_source = WatchSource {
            registry: registry.clone(),
            events: events.clone(),
            freshness: freshness.clone(),
            config_reads: caches.config_reads.clone(),
            subscribers: SubscriberRegistry::default(),
            replays: KeyedSemaphore::new(REPLAYS_MAX),
            page_reads: KeyedSemaphore::new(PAGE_READS_MAX),
        };
        let authenticator = Authenticator {
            registry: registry.clone(),
            credentials: caches.credentials.clone(),
            freshness: freshness.clone(),
            fallback: fallback.clone(),
        };
        let config_reader = ConfigReader {
            registry: registry.clone(),
            configs: caches.configs.clone(),
            freshness: freshness.clone(),
            fallback,
        };
        let (started_at, gateway_reports) = (registry.clock().now(), GatewayReports::new(registry.clock()));
        Self(Arc::new(Parts {
            registry,
            events,
            caches,
            freshness,
            revocation_log: RevocationLog::default(),
            watch_source,
            authenticator,
            config_reader,
            chain_check: ChainCheck::default(),
            outage: Outage::default(),
            gateway_reports,
            started_at,
        }))
    }

    /// Applies one commit: invalidates the caches, then broadcasts it to all watchers.
    pub(super) fn publish(&self, commit: Commit) {
        self.0.caches.invalidate(&commit.changes);
        // After the credential cache is invalidated, so that a connection that rechecks its caller looks it up
        // again.
        self.0.revocation_log.record(&commit.changes);
        self.0.events.broadcast(commit);
    }

    /// Restarts from `end`, the last entry of a commit, with nothing known of earlier commits. Clears all caches,
    /// treats everybody's rights as changed, and makes watchers read the missed commits from the log.
    pub(super) fn reset(&self, end: Cursor) {
        self.0.registry.lower_observed_revision(end.revision());
        self.0.caches.clear();
        self.0.revocation_log.forget();
        self.0.events.restart(end);
    }

    /// Records that the log isn't the one that was followed: a backup was restored, or a standby without the last
    /// commits was promoted. Watchers have seen commits that no longer exist, so they fail with
    /// [`Error::CursorInvalid`](crate::domain::Error::CursorInvalid).
    pub(super) fn diverged(&self) {
        self.0.chain_check.failed();
        self.0.events.diverge();
        self.0.caches.clear();
    }

    /// Records that the log's hash chain holds up to this commit.
    pub(super) fn chain_holds(&self, revision: Revision) {
        self.0.chain_check.passed(revision, self.0.registry.clock().now());
    }

    /// What this instance's own check of the log's hash chain has found.
    #[must_use]
    pub fn chain_status(&self) -> ChainStatus {
        self.0.chain_check.status()
    }

    /// The outage of this instance, which the program begins and ends.
    #[must_use]
    pub fn outage(&self) -> &Outage {
        &self.0.outage
    }

    /// When this instance started.
    #[must_use]
    pub fn started_at(&self) -> Instant {
        self.0.started_at
    }

    /// Checks whether this instance is ready. Takes up to four seconds.
    pub async fn readiness(&self) -> Readiness {
        Readiness::check(&self.0.registry, self).await
    }

    /// The current moment, for [`Hub::renew_lease`].
    pub(super) fn moment(&self) -> Moment {
        self.0.freshness.moment()
    }

    /// Renews the lease: at `at`, this instance had applied all of the log.
    pub(super) fn renew_lease(&self, at: Moment) {
        self.0.freshness.renew_lease(at);
    }

    /// Registers a callback that empties a response cache. It runs when a customer is erased, and when commits may
    /// have been missed, because cached responses may contain the erased data.
    pub fn on_invalidation(&self, clear: impl Fn() + Send + Sync + 'static) {
        self.0.caches.responses.on_invalidation(clear);
    }

    /// The last revision that this instance has applied; 0 until the tail has read the log's head.
    #[must_use]
    pub fn applied(&self) -> Revision {
        self.0.events.applied()
    }

    /// How long ago this instance had provably applied all of the log: the greatest age of what it holds in
    /// memory.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.0.freshness.age()
    }

    /// Waits until this instance has applied `revision`.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::domain::Error::Unavailable) after two seconds, which also happens for a
    /// revision that doesn't exist yet.
    pub async fn wait_for_revision(&self, revision: Revision) -> Result<()> {
        self.0.freshness.wait_for_revision(revision).await
    }

    /// Waits up to 250 ms until this instance has applied every commit that its reads and writes have seen. Called
    /// before a response is sent, so that a client that has seen a commit isn't answered from an older cache next.
    /// If the instance can't catch up in time, the lease is void until it has.
    pub async fn wait_until_caught_up(&self) {
        self.0.freshness.wait_until_caught_up().await;
    }

    /// The recent changes of rights.
    #[must_use]
    pub fn revocation_log(&self) -> &RevocationLog {
        &self.0.revocation_log
    }

    /// Returns the caller behind a token whose form and signature have been verified: from memory under the lease,
    /// else from the database. While the database is unavailable, a service of the platform is accepted if its
    /// token is cached.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`](crate::domain::Error::Unauthenticated);
    /// [`Error::Unavailable`](crate::domain::Error::Unavailable) when the database must be read and can't be.
    pub async fn look_up(
        &self,
        proven: VerifiedCredential,
        bearer: &str,
        origin: &CallOrigin,
    ) -> Result<Caller> {
        self.0.authenticator.look_up(proven, bearer, origin).await
    }

    /// Opens database connections and prepares the statements that read configurations. Gives up after half a
    /// second.
    pub async fn warm(&self) {
        self.0.config_reader.warm().await;
    }

    /// Returns what this agent serves now in this environment: from memory under the lease, else from the database, through `reading`, which
    /// must not have begun. While the database is unavailable, a service of the platform gets the last known configuration, with [`ConfigResponse::stale`]
    /// set.
    ///
    /// # Errors
    /// [`Error::NotFound`](crate::domain::Error::NotFound) for the agent;
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden);
    /// [`Error::Suspended`](crate::domain::Error::Suspended) when its customer is suspended or canceled;
    /// [`Error::Unavailable`](crate::domain::Error::Unavailable).
    pub async fn active_config(
        &self,
        reading: &Reading,
        id: AgentId,
        environment: &EnvironmentKey,
    ) -> Result<ConfigResponse> {
        self.0.config_reader.active_config(reading, &(id, environment.clone())).await
    }

    /// Returns what this agent serves in the default environment if memory alone can decide it: under the lease, with the
    /// agent cached, and the token cached as that of a service of the platform that may read this agent's configuration, and
    /// not expired. Services have no rate limit, so nothing else needs a check. `None` in all other cases.
    #[must_use]
    pub fn cached_config(&self, bearer: &str, id: AgentId) -> Option<Arc<RenderedConfig>> {
        let service = self.0.authenticator.cached_service(bearer)?;
        self.0.config_reader.cached_config(&service, &(id, EnvironmentKey::default()))
    }

    /// How many configurations are cached, and how many bytes they take.
    #[must_use]
    pub fn configs_in_memory(&self) -> (usize, usize) {
        self.0.caches.configs.size()
    }

    /// All watchers on this instance, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden) unless the caller is an operator or the system.
    pub fn watchers(&self, caller: &Caller) -> Result<Vec<Arc<Watcher>>> {
        policy::allow(caller, Action::ManagePlatform)?;
        Ok(self.0.watch_source.subscribers.all())
    }

    /// Checks and stores what a gateway says that it serves. Returns after how many seconds it should report next.
    ///
    /// # Errors
    /// Those of [`Registry::check_report`]; [`Error::TooLarge`](crate::domain::Error::TooLarge) when the caller's token has as
    /// many gateways as it may; [`Error::Unavailable`](crate::domain::Error::Unavailable).
    pub async fn report_serving(&self, caller: &Caller, input: Input<ServingReport>) -> Result<u64> {
        let reports = &self.0.gateway_reports;
        let connection = caller.origin.connection.as_ref().map(|connection| connection.id);
        let environment = &input.value().environment;
        let watchers = connection
            .map(|id| self.0.watch_source.subscribers.of_connection(id, environment))
            .unwrap_or_default();
        let watch = match watchers.as_slice() {
            [one] => reports.row(one),
            _ => None,
        };
        let report = self.0.registry.check_report(caller, input, watch.as_ref()).await?;
        reports.store(report).await
    }

    /// The reports of gateways that aren't stored yet.
    pub(super) fn gateway_reports(&self) -> &GatewayReports {
        &self.0.gateway_reports
    }

    /// All watchers on this instance.
    pub(super) fn subscribers(&self) -> &SubscriberRegistry {
        &self.0.watch_source.subscribers
    }

    /// How many watchers of this kind there are on this instance, and by how many commits the slowest one is
    /// behind.
    #[must_use]
    pub fn watcher_stats(&self, watched: Watched) -> (usize, i64) {
        self.0.watch_source.subscribers.stats(watched, self.applied())
    }

    /// Starts a watch of the entries that `caller` may see and `filter` admits: those after `after`, or new ones
    /// only.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden);
    /// [`Error::NotFound`](crate::domain::Error::NotFound) for a customer that the caller may not see;
    /// [`Error::CursorInvalid`](crate::domain::Error::CursorInvalid);
    /// [`Error::CursorTooOld`](crate::domain::Error::CursorTooOld);
    /// [`Error::Unavailable`](crate::domain::Error::Unavailable) when the tail hasn't started within two seconds,
    /// or the database is unavailable.
    pub async fn watch(
        &self,
        caller: Arc<Caller>,
        watched: Watched,
        filter: WatchFilter,
        after: Option<Cursor>,
    ) -> Result<Watch> {
        self.0.watch_source.watch(caller, watched, filter, after).await
    }

    /// Starts a watch of the configurations of an environment that `caller` may see and `filter` admits: from a snapshot, or with
    /// the changes after the bookmark `after`.
    ///
    /// # Errors
    /// Those of [`Hub::watch`]. A bookmark of another scope or filter is invalid.
    pub async fn watch_configs(
        &self,
        caller: Arc<Caller>,
        filter: WatchFilter,
        environment: EnvironmentKey,
        after: Option<&str>,
    ) -> Result<ConfigWatch> {
        self.0.watch_source.watch_configs(caller, filter, environment, after).await
    }
}
