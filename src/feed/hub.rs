//! The meeting place of the log and its watchers: replay from the log, then live; who lags reads on from the log.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{broadcast, watch},
    time::{Instant, timeout},
};

use super::{
    rights::Rights,
    roster::{Entered, Roster, Watched, Watcher},
};
use crate::{
    domain::{
        Caller, Error, Reach, Registry, Result,
        change::{Change, Cursor, Place},
        policy::{self, Action},
    },
    id::{AgentId, CustomerId},
};

/// How many commits a watcher may be behind before it is sent to the log instead; bounds the memory of all of them.
const LIVE_COMMITS: usize = 1024;
/// How many entries a replay reads at once.
const REPLAY_PAGE: u64 = 256;
/// How old what an instance has seen of the log may be before it must not say that nothing has happened.
const LEASE: Duration = Duration::from_secs(5);
/// How long a read waits for the revision that it must not be older than.
const AT_LEAST_WAIT: Duration = Duration::from_secs(2);

/// One commit of the log.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) revision: i64,
    pub(super) changes: Vec<Arc<Change>>,
}

/// Where commits arrive, and watchers wait. Clones are the same hub.
#[derive(Clone, Debug)]
pub struct Hub {
    registry: Registry,
    live: broadcast::Sender<Arc<Commit>>,
    /// None until the tail has found the log's end.
    applied: watch::Sender<Option<i64>>,
    /// When this hub was made, and how many milliseconds after that the log's end was last seen.
    made: Instant,
    seen: Arc<AtomicU64>,
    /// How often the log was found to be another.
    turns: Arc<AtomicU64>,
    rights: Rights,
    roster: Roster,
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
    fn passes(&self, change: &Change) -> bool {
        let Self { customer_id, agent_ids } = self;
        customer_id.is_none_or(|id| change.customer_id == Some(id))
            && agent_ids.as_ref().is_none_or(|ids| change.agent_id.is_some_and(|id| ids.contains(&id)))
    }
}

impl Hub {
    /// A hub that nothing has arrived at.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self {
            registry,
            live: broadcast::Sender::new(LIVE_COMMITS),
            applied: watch::Sender::new(None),
            made: Instant::now(),
            seen: Arc::default(),
            turns: Arc::default(),
            rights: Rights::default(),
            roster: Roster::default(),
        }
    }

    /// Hands one commit to all watchers.
    pub(super) fn arrive(&self, commit: Commit) {
        let revision = commit.revision;
        self.rights.note(&commit.changes);
        // It only fails when nobody watches.
        let _ = self.live.send(Arc::new(commit));
        self.arrived(revision);
    }

    /// Notes that the log has been followed up to here.
    pub(super) fn arrived(&self, revision: i64) {
        self.applied.send_replace(Some(revision));
    }

    /// The last revision that this instance has followed the log to; 0 until it has begun.
    #[must_use]
    pub fn applied(&self) -> i64 {
        self.applied.borrow().unwrap_or(0)
    }

    /// Notes that at this moment all that there was of the log had been followed.
    pub(super) fn saw_all(&self, at: Instant) {
        let after = u64::try_from(at.duration_since(self.made).as_millis()).unwrap_or(u64::MAX);
        self.seen.store(after, Ordering::Relaxed);
    }

    /// Notes that this instance follows the log from the end of this commit on, and knows nothing of what was before: who
    /// watches reads that in the log, and any rights may have changed.
    pub(super) fn begins_at(&self, revision: i64) {
        let _ = self.live.send(Arc::new(Commit { revision, changes: Vec::new() }));
        self.arrived(revision);
        self.rights.forget();
    }

    /// Notes that the log is not the one that was followed: a backup, or a server that had not got all of it. Whoever
    /// watches has been told what was not so, and begins anew.
    pub(super) fn diverged(&self) {
        self.turns.fetch_add(1, Ordering::Relaxed);
    }

    /// How long ago this instance had followed all that there was of the log: what it holds is at most so old.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.made.elapsed().saturating_sub(Duration::from_millis(self.seen.load(Ordering::Relaxed)))
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
        let reached = timeout(AT_LEAST_WAIT, applied.wait_for(|applied| *applied >= Some(revision))).await;
        match reached {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Error::Unavailable("this instance has not seen that revision yet")),
        }
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
        // between the two comes live.
        self.reach(0).await?;
        let turn = self.turns.load(Ordering::Relaxed);
        let live = self.live.subscribe();
        let (place, behind, mark) = match after {
            Some(cursor) => (self.registry.place(cursor).await?, true, cursor),
            None => {
                let head = self.registry.head().await?;
                let mark = Cursor::new(head.revision, head.position, &head.chain_hash);
                (Place::end_of(head.revision), false, mark)
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

/// One watcher's way through the log.
#[derive(Debug)]
pub struct Watch {
    hub: Hub,
    caller: Arc<Caller>,
    /// What it needs the right to do.
    action: Action,
    /// Whose entries it may see live.
    reach: Reach,
    /// Of which turn of the log it is.
    turn: u64,
    entered: Entered,
    filter: WatchFilter,
    live: broadcast::Receiver<Arc<Commit>>,
    /// All up to here has been sent, or is in `ready`.
    place: Place,
    /// Whether to read on from the log before listening again.
    behind: bool,
    /// The end of the last commit of which all has been seen.
    mark: Cursor,
    ready: VecDeque<Arc<Change>>,
    /// What [`Watch::next_commit`] has of the commit that it answers next.
    commit: Vec<Arc<Change>>,
}

impl Watch {
    /// The next change; each exactly once and in order. Safe to drop while it waits.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is, while it must be read; [`Error::CursorTooOld`] when it has fallen
    /// behind what is kept; [`Error::CursorInvalid`] when the log is another now. The watch is over then.
    pub async fn next(&mut self) -> Result<Arc<Change>> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                self.entered.at(change.revision);
                return Ok(change);
            }
            self.entered.at(self.place.revision);
            if self.behind {
                self.replay().await?;
                continue;
            }
            match self.live.recv().await {
                // Revisions have no gap, so a gap means that something did not come this way: the log has it.
                _ if self.is_of_another_log() => return Err(Error::CursorInvalid),
                Ok(commit) if commit.changes.is_empty() || commit.revision > self.place.revision + 1 => {
                    self.behind = true;
                }
                Ok(commit) => self.take(&commit),
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    metrics::counter!("registry_watch_lagged_total").increment(1);
                    self.behind = true;
                }
                Err(broadcast::error::RecvError::Closed) => {
                    return Err(Error::Unavailable("the service is stopping"));
                }
            }
        }
    }

    /// The next changes that share a commit. Safe to drop while it waits.
    ///
    /// # Errors
    /// As [`Watch::next`].
    pub async fn next_commit(&mut self) -> Result<Vec<Arc<Change>>> {
        let revision = match self.commit.first() {
            Some(first) => first.revision,
            None => {
                let first = self.next().await?;
                let revision = first.revision;
                self.commit.push(first);
                revision
            }
        };
        loop {
            match self.ready.front() {
                Some(change) if change.revision == revision => self.commit.extend(self.ready.pop_front()),
                // A page of the log may end in the middle of a commit.
                None if self.behind => self.replay().await?,
                Some(_) | None => return Ok(std::mem::take(&mut self.commit)),
            }
        }
    }

    /// Reads on from the log until there is something to hand out, or nothing left. Safe to drop while it waits.
    ///
    /// # Errors
    /// As [`Watch::next`].
    pub(super) async fn catch_up(&mut self) -> Result<()> {
        while self.behind && self.ready.is_empty() {
            self.replay().await?;
        }
        Ok(())
    }

    /// Whether what it was begun on was found not to be the log any more.
    fn is_of_another_log(&self) -> bool {
        self.turn != self.hub.turns.load(Ordering::Relaxed)
    }

    /// Whether its instance still follows the log: a mark of one that does not is old.
    pub(super) fn is_followed(&self) -> bool {
        self.hub.age() < LEASE
    }

    /// The verbs that it reads with.
    pub(super) fn registry(&self) -> &Registry {
        &self.hub.registry
    }

    /// How far the log has been seen, when all of it up to there has been handed out.
    #[must_use]
    pub fn mark(&self) -> Option<Cursor> {
        let is_drained = self.ready.is_empty() && self.commit.is_empty() && !self.behind;
        is_drained.then_some(self.mark)
    }

    /// Takes over what of a live commit has not been seen in the log already.
    fn take(&mut self, commit: &Commit) {
        if Place::end_of(commit.revision) <= self.place {
            return;
        }
        for change in &commit.changes {
            let is_within = change.customer_id.is_none_or(|id| self.reach.holds(id));
            if Place::of(change) > self.place && is_within && self.shows(change) {
                self.ready.push_back(Arc::clone(change));
            }
        }
        self.place = Place::end_of(commit.revision);
        if let Some(last) = commit.changes.last() {
            self.mark = Cursor::of(last);
        }
    }

    async fn replay(&mut self) -> Result<()> {
        if self.is_of_another_log() {
            return Err(Error::CursorInvalid);
        }
        let reading = self.hub.registry.reading(&self.caller);
        let (page, head) = self
            .hub
            .registry
            .changes_after(&reading, self.action, self.filter.customer_id, self.place, REPLAY_PAGE)
            .await?;
        self.behind = u64::try_from(page.len()).unwrap_or(u64::MAX) >= REPLAY_PAGE;
        // The end of a whole page is where the next one begins; else all up to the log's end has been seen, also what
        // this watcher may not.
        if self.behind {
            self.place = page.last().map_or(self.place, Place::of);
            self.mark = page.last().map_or(self.mark, Cursor::of);
        } else if Place::end_of(head.revision) >= self.place {
            self.place = Place::end_of(head.revision);
            self.mark = Cursor::new(head.revision, head.position, &head.chain_hash);
        }
        let shown: Vec<_> = page.into_iter().filter(|change| self.shows(change)).map(Arc::new).collect();
        self.ready.extend(shown);
        Ok(())
    }

    /// Whether it is shown an entry that is within its reach. The platform's own are for the platform.
    fn shows(&self, change: &Change) -> bool {
        self.filter.passes(change) && (change.customer_id.is_some() || policy::is_platform(&self.caller))
    }
}
