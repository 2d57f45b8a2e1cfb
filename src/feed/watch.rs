//! One watcher's way through the log: what it missed from the table, then live; who lags reads on from the table.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::sync::broadcast;

use super::{
    hub::{Commit, Hub, WatchFilter},
    roster::Entered,
    told::Readings,
};
use crate::domain::{
    Caller, Error, Reach, Registry, Result,
    change::{Change, Cursor, Place},
    policy::{self, Action},
};

/// How many entries a replay reads at once.
const REPLAY_PAGE: u64 = 256;
/// How old what an instance has seen of the log may be before it must not say that nothing has happened.
const LEASE: Duration = Duration::from_secs(5);

/// One watcher's way through the log.
#[derive(Debug)]
pub struct Watch {
    pub(super) hub: Hub,
    pub(super) caller: Arc<Caller>,
    /// What it needs the right to do.
    pub(super) action: Action,
    /// Whose entries it may see live.
    pub(super) reach: Reach,
    /// Of which turn of the log it is.
    pub(super) turn: u64,
    pub(super) entered: Entered,
    pub(super) filter: WatchFilter,
    pub(super) live: broadcast::Receiver<Arc<Commit>>,
    /// All up to here has been sent, or is in `ready`.
    pub(super) place: Place,
    /// Whether to read on from the log before listening again.
    pub(super) behind: bool,
    /// The end of the last commit of which all has been seen.
    pub(super) mark: Cursor,
    pub(super) ready: VecDeque<Arc<Change>>,
    /// What [`Watch::next_commit`] has of the commit that it answers next.
    pub(super) commit: Vec<Arc<Change>>,
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
                // Boxed, so that who waits for what comes live does not take the room of it.
                Box::pin(self.replay()).await?;
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
                None if self.behind => Box::pin(self.replay()).await?,
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
            Box::pin(self.replay()).await?;
        }
        Ok(())
    }

    /// Whether what it was begun on was found not to be the log any more.
    fn is_of_another_log(&self) -> bool {
        self.turn != self.hub.turn()
    }

    /// Whether its instance still follows the log: a mark of one that does not is old.
    pub(super) fn is_followed(&self) -> bool {
        self.hub.age() < LEASE
    }

    /// What others were told.
    pub(super) fn readings(&self) -> &Readings {
        self.hub.readings()
    }

    /// The verbs that it reads with.
    pub(super) fn registry(&self) -> &Registry {
        self.hub.registry()
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
        let reading = self.hub.registry().reading(&self.caller);
        let (page, head) = self
            .hub
            .registry()
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
