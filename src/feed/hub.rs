//! The hub between the log and its subscribers: broadcasts each commit, invalidates the in-memory caches before
//! that, and holds the lease under which an instance may answer from memory.

use std::{
    collections::VecDeque,
    fmt,
    ops::Deref,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, broadcast, watch},
    time::{Instant, timeout},
};

use super::{
    config_cache::{ConfigCache, Render},
    config_read_cache::ConfigReadCache,
    credential_cache::CredentialCache,
    lease::{Lease, Moment},
    revocation_log::RevocationLog,
    subscriber_registry::{SubscriberRegistry, Watched, Watcher},
    watch::Watch,
};
use crate::{
    domain::{
        Caller, Error, Registry, Result, TenantFilter,
        change::{Change, ChangeAction, Cursor, LogPosition},
        policy::{self, Action},
    },
    id::{AgentId, CustomerId},
    task::{Tasks, lock},
};

/// How many commits the broadcast buffers. A watcher that lags further behind reads from the log instead, so
/// memory use is bounded.
const LIVE_COMMITS: usize = 1024;
/// How long an instance may answer from memory without proof that it has followed the log to its head. The tail
/// polls four times as often.
pub(super) const CACHE_LEASE: Duration = Duration::from_secs(1);
/// How long a response waits for this instance to apply the commits that its reads and writes have seen.
const CATCH_UP_TIMEOUT: Duration = Duration::from_millis(250);
/// How long a read waits for the revision given as `atLeast`.
const AT_LEAST_WAIT: Duration = Duration::from_secs(2);

/// One commit of the log.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) revision: i64,
    pub(super) changes: Vec<Arc<Change>>,
}

/// A callback that empties a response cache.
struct InvalidationHook(Box<dyn Fn() + Send + Sync>);

impl fmt::Debug for InvalidationHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dropper")
    }
}

/// Broadcasts commits to watchers, and owns the caches that follow the log. Cheap to clone; clones share state.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Inner>);

impl Deref for Hub {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// The shared state of a [`Hub`].
#[derive(Debug)]
pub struct Inner {
    pub(super) registry: Registry,
    live: broadcast::Sender<Arc<Commit>>,
    /// The last entry that this instance has applied. None until the tail has read the log's head, and after a
    /// divergence.
    applied: watch::Sender<Option<Cursor>>,
    lease: Lease,
    /// How often the log diverged from what this instance had followed.
    epoch: AtomicU64,
    revocation_log: RevocationLog,
    subscribers: SubscriberRegistry,
    pub(super) configs: ConfigCache,
    pub(super) credentials: CredentialCache,
    /// Configurations that watchers have read, shared between watchers of equal scope.
    config_reads: ConfigReadCache,
    /// Callbacks that empty the other response caches. They run when a customer is erased, and when commits may
    /// have been missed.
    invalidation_hooks: Mutex<Vec<InvalidationHook>>,
    /// Wakes the tail, so that it reads the log at once.
    bell: Arc<Notify>,
    /// When the database last failed to answer a request that had a fallback in memory. None once it answers
    /// again.
    pub(super) silent_since: Mutex<Option<Instant>>,
}

/// Which entries of the log a watcher receives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchFilter {
    /// Only entries of this customer.
    pub customer_id: Option<CustomerId>,
    /// Only entries about these agents.
    pub agent_ids: Option<Arc<[AgentId]>>,
}

impl WatchFilter {
    pub(super) fn passes(&self, change: &Change) -> bool {
        let Self { customer_id, agent_ids } = self;
        customer_id.is_none_or(|id| change.customer_id == Some(id))
            && agent_ids.as_ref().is_none_or(|ids| change.agent_id.is_some_and(|id| ids.contains(&id)))
    }
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
        Self(Arc::new(Inner {
            configs: ConfigCache::new(registry.clone(), tasks, render, config_bytes),
            credentials: CredentialCache::default(),
            config_reads: ConfigReadCache::default(),
            invalidation_hooks: Mutex::default(),
            bell,
            silent_since: Mutex::default(),
            lease: Lease::new(Moment::now(registry.clock())),
            registry,
            live: broadcast::Sender::new(LIVE_COMMITS),
            applied: watch::Sender::new(None),
            epoch: AtomicU64::default(),
            revocation_log: RevocationLog::default(),
            subscribers: SubscriberRegistry::default(),
        }))
    }

    /// Applies one commit: invalidates the caches, then broadcasts it to all watchers.
    pub(super) fn publish(&self, commit: Commit) {
        let end = commit.changes.last().map(|last| Cursor::of(last));
        self.credentials.invalidate(&commit.changes);
        self.configs.invalidate(&commit.changes);
        self.registry.apply_changes(&commit.changes);
        if commit.changes.iter().any(|change| change.action == ChangeAction::CustomerErased) {
            self.invalidate_responses();
        }
        // After the credential cache is invalidated, so that a connection that rechecks its caller looks it up
        // again.
        self.revocation_log.record(&commit.changes);
        // Before the broadcast: a watcher that subscribes in between sees the commit twice and skips the second,
        // but never misses it.
        self.applied.send_replace(end);
        // `send` fails only when nobody is subscribed.
        let _ = self.live.send(Arc::new(commit));
    }

    /// Registers a callback that empties a response cache. It runs when a customer is erased, and when commits may
    /// have been missed, because cached responses may contain the erased data.
    pub fn on_invalidation(&self, drop: impl Fn() + Send + Sync + 'static) {
        lock(&self.invalidation_hooks).push(InvalidationHook(Box::new(drop)));
    }

    /// Empties all response caches: they don't record whose data they contain, and erasures are rare.
    fn invalidate_responses(&self) {
        self.config_reads.clear();
        lock(&self.invalidation_hooks).iter().for_each(|InvalidationHook(drop)| drop());
    }

    /// The last revision that this instance has applied; 0 until the tail has read the log's head.
    #[must_use]
    pub fn applied(&self) -> i64 {
        self.applied.borrow().map_or(0, |end| end.revision())
    }

    /// The last applied entry, if it can serve as the log's end: the lease is valid, and no read or write of this
    /// instance has seen a later commit.
    fn end(&self) -> Option<Cursor> {
        let end = *self.applied.borrow();
        end.filter(|end| end.revision() >= self.registry.seen() && self.has_lease())
    }

    /// Renews the lease: at `at`, this instance had applied all of the log.
    pub(super) fn renew_lease(&self, at: Moment) {
        self.lease.renew(at);
    }

    /// The current moment, for [`Hub::renew_lease`].
    pub(super) fn moment(&self) -> Moment {
        Moment::now(self.registry.clock())
    }

    /// Restarts from `end`, the last entry of a commit, with nothing known of earlier commits. Clears all caches,
    /// treats everybody's rights as changed, and makes watchers read the missed commits from the log.
    pub(super) fn reset(&self, end: Cursor) {
        let revision = end.revision();
        self.registry.seen_at_most(revision);
        self.credentials.clear();
        self.configs.clear();
        // The missed commits may contain an erasure.
        self.registry.clear_contents();
        self.invalidate_responses();
        self.revocation_log.forget();
        self.applied.send_replace(Some(end));
        let _ = self.live.send(Arc::new(Commit { revision, changes: Vec::new() }));
    }

    /// Records that the log isn't the one that was followed: a backup was restored, or a standby without the last
    /// commits was promoted. Watchers have seen commits that no longer exist, so they fail with
    /// [`Error::CursorInvalid`].
    pub(super) fn diverged(&self) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
        self.applied.send_replace(None);
        self.credentials.clear();
        self.configs.clear();
        self.registry.clear_contents();
        self.invalidate_responses();
    }

    /// How often the log has diverged. A watch ends when this number changes.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Configurations that watchers have read.
    pub(super) fn config_reads(&self) -> &ConfigReadCache {
        &self.config_reads
    }

    /// The domain's operations.
    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// How long ago this instance had provably applied all of the log: the greatest age of what it holds in
    /// memory.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.lease.age(self.moment())
    }

    /// All watchers on this instance, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator or the system.
    pub fn watchers(&self, caller: &Caller) -> Result<Vec<Arc<Watcher>>> {
        policy::allow(caller, Action::ManagePlatform)?;
        Ok(self.subscribers.all())
    }

    /// How many watchers of this kind there are on this instance, and by how many commits the slowest one is
    /// behind.
    #[must_use]
    pub fn watcher_stats(&self, watched: Watched) -> (usize, i64) {
        let all = self.subscribers.all();
        let those = all.iter().filter(|watcher| watcher.watched == watched);
        let behind = those.clone().map(|watcher| self.applied() - watcher.revision()).max();
        (those.count(), behind.unwrap_or(0).max(0))
    }

    /// The recent changes of rights.
    #[must_use]
    pub fn revocation_log(&self) -> &RevocationLog {
        &self.revocation_log
    }

    /// Waits until this instance has applied `revision`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after two seconds, which also happens for a revision that doesn't exist yet.
    pub async fn wait_for_revision(&self, revision: i64) -> Result<()> {
        let mut applied = self.applied.subscribe();
        let reached =
            timeout(AT_LEAST_WAIT, applied.wait_for(|end| end.is_some_and(|end| end.revision() >= revision)))
                .await;
        match reached {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Error::Unavailable("this instance has not reached that revision")),
        }
    }

    /// Waits up to 250 ms until this instance has applied every commit that its reads and writes have seen. Called
    /// before a response is sent, so that a client that has seen a commit isn't answered from an older cache next.
    /// If the instance can't catch up in time, the lease is void until it has.
    pub async fn wait_until_caught_up(&self) {
        let seen = self.registry.seen();
        if self.applied() >= seen {
            return;
        }
        if self.has_lease() {
            self.bell.notify_one();
            let mut applied = self.applied.subscribe();
            let followed = applied.wait_for(|end| end.is_some_and(|end| end.revision() >= seen));
            if timeout(CATCH_UP_TIMEOUT, followed).await.is_ok() {
                return;
            }
        }
        self.lease.void(self.moment());
    }

    /// Whether this instance may answer from memory: its caches are at most a second old, and the lease isn't
    /// void.
    pub(super) fn has_lease(&self) -> bool {
        self.lease.holds(self.moment(), CACHE_LEASE) && self.applied.borrow().is_some()
    }

    /// How many configurations are cached, and how many bytes they take.
    #[must_use]
    pub fn configs_in_memory(&self) -> (usize, usize) {
        self.configs.size()
    }

    /// Starts a watch of the entries that `caller` may see and `filter` admits: those after `after`, or new ones
    /// only.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::NotFound`] for a customer that the caller may not see;
    /// [`Error::CursorInvalid`]; [`Error::CursorTooOld`]; [`Error::Unavailable`] when the tail hasn't started
    /// within two seconds, or the database is unavailable.
    pub async fn watch(
        &self,
        caller: Arc<Caller>,
        watched: Watched,
        filter: WatchFilter,
        after: Option<Cursor>,
    ) -> Result<Watch> {
        let action = match watched {
            Watched::Activations | Watched::Configs => Action::WatchActivations,
            Watched::Changes => Action::ReadChanges,
        };
        let tenants = policy::tenant_filter(&caller, action)?;
        if let Some(customer) = filter.customer_id {
            policy::allow_on(&caller, action, customer, "customer")?;
        }
        if watched == Watched::Changes && tenants == TenantFilter::Only(Vec::new()) {
            return Err(Error::Forbidden("only ADMINs of a customer read its audit"));
        }
        // Nothing is broadcast before the tail has started. The subscription precedes the position, so a commit
        // between the two is broadcast. A position from memory may be a moment old; later commits are broadcast
        // too.
        self.wait_for_revision(0).await?;
        let epoch = self.epoch.load(Ordering::Relaxed);
        let live = self.live.subscribe();
        let (place, behind, cursor) = match after {
            Some(cursor) => (self.registry.place(cursor).await?, true, cursor),
            None => {
                // A snapshot must include the newest commit, also of another instance, so it reads the head.
                // Without a snapshot, the cached end suffices: newer commits are broadcast.
                let cursor = match self.end().filter(|_| watched != Watched::Configs) {
                    Some(end) => end,
                    None => {
                        let head = Box::pin(self.registry.head()).await?;
                        Cursor::new(head.revision, head.position, &head.chain_hash)
                    }
                };
                (LogPosition::end_of(cursor.revision()), false, cursor)
            }
        };
        let registration =
            self.subscribers.register(self.registry.clock(), watched, Arc::clone(&caller), filter.clone());
        registration.record_progress(place.revision);
        Ok(Watch {
            hub: self.clone(),
            caller,
            action,
            tenants,
            epoch,
            registration,
            filter,
            live,
            place,
            behind,
            cursor,
            ready: VecDeque::new(),
            commit: Vec::new(),
        })
    }
}
