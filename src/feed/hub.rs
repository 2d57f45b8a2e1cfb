//! The meeting place of the log and its watchers, and what an instance keeps in memory under its lease.

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
    configs::{Configs, Render},
    credentials::Credentials,
    lease::{Lease, Moment},
    rights::Rights,
    roster::{Roster, Watched, Watcher},
    told::Readings,
    watch::Watch,
};
use crate::{
    domain::{
        Caller, Error, Reach, Registry, Result,
        change::{Change, ChangeAction, Cursor, Place},
        policy::{self, Action},
    },
    id::{AgentId, CustomerId},
    task::{Tasks, lock},
};

/// How many commits a watcher may be behind before it is sent to the log instead; bounds the memory of all of them.
const LIVE_COMMITS: usize = 1024;
/// For how long an instance may serve what it has in memory without proof of the log's head: it looks four times as often.
pub(super) const LEASE: Duration = Duration::from_secs(1);
/// How long an answer that has seen more of the log than this instance has followed waits for it.
const SETTLING: Duration = Duration::from_millis(250);
/// How long a read waits for the revision that it must not be older than.
const AT_LEAST_WAIT: Duration = Duration::from_secs(2);

/// One commit of the log.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) revision: i64,
    pub(super) changes: Vec<Arc<Change>>,
}

/// What drops the answers that are kept somewhere.
struct Dropper(Box<dyn Fn() + Send + Sync>);

impl fmt::Debug for Dropper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dropper")
    }
}

/// Where commits arrive, and watchers wait. Clones are the same hub.
#[derive(Clone, Debug)]
pub struct Hub(Arc<Inner>);

impl Deref for Hub {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// What all clones of a hub share.
#[derive(Debug)]
pub struct Inner {
    pub(super) registry: Registry,
    live: broadcast::Sender<Arc<Commit>>,
    /// How far the log has been followed; none until the tail has found its end.
    applied: watch::Sender<Option<Cursor>>,
    lease: Lease,
    /// How often the log was found to be another.
    turns: AtomicU64,
    rights: Rights,
    roster: Roster,
    pub(super) configs: Configs,
    pub(super) credentials: Credentials,
    /// What watchers of configurations are told of.
    readings: Readings,
    /// What else keeps answers in memory, and drops them when a customer is erased.
    droppers: Mutex<Vec<Dropper>>,
    /// What wakes the tail.
    bell: Arc<Notify>,
    /// When the database last did not answer somebody who had something else to go by.
    pub(super) silent_since: Mutex<Option<Instant>>,
}

/// What of the log a watcher is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WatchFilter {
    /// Only of this customer.
    pub customer_id: Option<CustomerId>,
    /// Only of these agents.
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
    /// A hub that nothing has arrived at. It keeps at most about `config_bytes` of configurations, made ready to send by
    /// `render`, and rings `bell` to have the log looked at.
    #[must_use]
    pub fn new(
        registry: Registry,
        tasks: Tasks,
        render: Render,
        config_bytes: usize,
        bell: Arc<Notify>,
    ) -> Self {
        Self(Arc::new(Inner {
            configs: Configs::new(registry.clone(), tasks, render, config_bytes),
            credentials: Credentials::default(),
            readings: Readings::default(),
            droppers: Mutex::default(),
            bell,
            silent_since: Mutex::default(),
            lease: Lease::new(Moment::now(registry.clock())),
            registry,
            live: broadcast::Sender::new(LIVE_COMMITS),
            applied: watch::Sender::new(None),
            turns: AtomicU64::default(),
            rights: Rights::default(),
            roster: Roster::default(),
        }))
    }

    /// Hands one commit to all watchers.
    pub(super) fn arrive(&self, commit: Commit) {
        let end = commit.changes.last().map(|last| Cursor::of(last));
        self.credentials.note(&commit.changes);
        self.configs.note(&commit.changes);
        self.registry.note(&commit.changes);
        if commit.changes.iter().any(|change| change.action == ChangeAction::CustomerErased) {
            self.drop_answers();
        }
        // After who is who is forgotten: whoever is looked up from now on is looked up anew.
        self.rights.note(&commit.changes);
        // Before it is sent: who begins to watch in between gets it twice, and not never.
        self.applied.send_replace(end);
        // It only fails when nobody watches.
        let _ = self.live.send(Arc::new(commit));
    }

    /// Has this called when a customer was erased, for who keeps answers in memory that may hold what was its.
    pub fn when_erased(&self, drop: impl Fn() + Send + Sync + 'static) {
        lock(&self.droppers).push(Dropper(Box::new(drop)));
    }

    /// Drops all answers that are kept in memory. Which of them hold something of whom isn't known, and erasures are rare.
    fn drop_answers(&self) {
        self.readings.clear();
        lock(&self.droppers).iter().for_each(|Dropper(drop)| drop());
    }

    /// The last revision that this instance has followed the log to; 0 until it has begun.
    #[must_use]
    pub fn applied(&self) -> i64 {
        self.applied.borrow().map_or(0, |end| end.revision())
    }

    /// The end of the log as this instance knows it, if it may go by that: nothing that was answered is beyond it.
    fn end(&self) -> Option<Cursor> {
        let end = *self.applied.borrow();
        end.filter(|end| end.revision() >= self.registry.seen() && self.has_lease())
    }

    /// Notes that at this moment all that there was of the log had been followed.
    pub(super) fn saw_all(&self, at: Moment) {
        self.lease.renew(at);
    }

    /// Now, as [`Hub::saw_all`] wants it.
    pub(super) fn moment(&self) -> Moment {
        Moment::now(self.registry.clock())
    }

    /// Notes that this instance follows the log from here on, the end of a commit, and knows nothing of what was before: who
    /// watches reads that in the log, and any rights may have changed.
    pub(super) fn begins_at(&self, end: Cursor) {
        let revision = end.revision();
        self.registry.seen_at_most(revision);
        self.credentials.clear();
        self.configs.clear();
        // An erasure may be among what was missed.
        self.registry.clear_contents();
        self.drop_answers();
        self.rights.forget();
        self.applied.send_replace(Some(end));
        let _ = self.live.send(Arc::new(Commit { revision, changes: Vec::new() }));
    }

    /// Notes that the log is not the one that was followed: a backup, or a server that had not got all of it. Whoever
    /// watches has been told what was not so, and begins anew.
    pub(super) fn diverged(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
        self.applied.send_replace(None);
        self.credentials.clear();
        self.configs.clear();
        self.registry.clear_contents();
        self.drop_answers();
    }

    /// How often that was.
    pub(super) fn turn(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// What watchers of configurations were told of.
    pub(super) fn readings(&self) -> &Readings {
        &self.readings
    }

    /// The verbs.
    pub(super) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// How long ago this instance had followed all that there was of the log: what it holds is at most so old.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.lease.age(self.moment())
    }

    /// All that watch on this instance, oldest first. For operators.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub fn watchers(&self, caller: &Caller) -> Result<Vec<Arc<Watcher>>> {
        policy::allow(caller, Action::ManagePlatform)?;
        Ok(self.roster.all())
    }

    /// How many watch this on this instance, and by how many commits the last of them is behind.
    #[must_use]
    pub fn watching(&self, watched: Watched) -> (usize, i64) {
        let all = self.roster.all();
        let those = all.iter().filter(|watcher| watcher.watched == watched);
        let behind = those.clone().map(|watcher| self.applied() - watcher.revision()).max();
        (those.count(), behind.unwrap_or(0).max(0))
    }

    /// Whose rights have changed of late.
    #[must_use]
    pub fn rights(&self) -> &Rights {
        &self.rights
    }

    /// Waits until this instance has followed the log to `revision`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it has not within two seconds, as for a revision that does not exist yet.
    pub async fn reach(&self, revision: i64) -> Result<()> {
        let mut applied = self.applied.subscribe();
        let reached =
            timeout(AT_LEAST_WAIT, applied.wait_for(|end| end.is_some_and(|end| end.revision() >= revision)))
                .await;
        match reached {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Error::Unavailable("this instance has not seen that revision yet")),
        }
    }

    /// Waits, if not for long, until this instance has followed the log to all that its reads and writes have seen: what
    /// is answered then is what is kept in memory too, and nobody who has it is given something older. When it can't
    /// follow, what is in memory is not served until it has.
    pub async fn settle(&self) {
        let seen = self.registry.seen();
        if self.applied() >= seen {
            return;
        }
        if self.has_lease() {
            self.bell.notify_one();
            let mut applied = self.applied.subscribe();
            let followed = applied.wait_for(|end| end.is_some_and(|end| end.revision() >= seen));
            if timeout(SETTLING, followed).await.is_ok() {
                return;
            }
        }
        self.lease.void(self.moment());
    }

    /// Whether what is in memory is at most a second old, and nobody has been answered with what is newer.
    pub(super) fn has_lease(&self) -> bool {
        self.lease.holds(self.moment(), LEASE) && self.applied.borrow().is_some()
    }

    /// How many configurations are in memory, and how many bytes they take.
    #[must_use]
    pub fn configs_in_memory(&self) -> (usize, usize) {
        self.configs.size()
    }

    /// Watches what `caller` may see and `filter` lets pass, after `after`, or from now on.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::NotFound`] for a customer that it may not see; [`Error::CursorInvalid`];
    /// [`Error::CursorTooOld`].
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
        let reach = policy::reach(&caller, action)?;
        if let Some(customer) = filter.customer_id {
            policy::allow_on(&caller, action, customer, "customer")?;
        }
        if watched == Watched::Changes && reach == Reach::Only(Vec::new()) {
            return Err(Error::Forbidden("only ADMINs of a customer read its audit"));
        }
        // Before the tail has begun, nothing comes live. Then first the receiver, then the place: what is committed
        // between the two comes live. From memory the place may be a moment old: what is in the log since comes live too.
        self.reach(0).await?;
        let turn = self.turns.load(Ordering::Relaxed);
        let live = self.live.subscribe();
        let (place, behind, mark) = match after {
            Some(cursor) => (self.registry.place(cursor).await?, true, cursor),
            None => {
                // A snapshot is of this very moment, whoever wrote last; what begins here without one hears of that live.
                let mark = match self.end().filter(|_| watched != Watched::Configs) {
                    Some(end) => end,
                    None => {
                        let head = Box::pin(self.registry.head()).await?;
                        Cursor::new(head.revision, head.position, &head.chain_hash)
                    }
                };
                (Place::end_of(mark.revision()), false, mark)
            }
        };
        let entered = self.roster.enter(self.registry.clock(), watched, Arc::clone(&caller), filter.clone());
        entered.at(place.revision);
        Ok(Watch {
            hub: self.clone(),
            caller,
            action,
            reach,
            turn,
            entered,
            filter,
            live,
            place,
            behind,
            mark,
            ready: VecDeque::new(),
            commit: Vec::new(),
        })
    }
}
