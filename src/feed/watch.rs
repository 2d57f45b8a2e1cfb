//! One watcher's position in the log: replays missed entries from the table, then receives broadcasts. A watcher
//! that lags replays again.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::sync::broadcast;

use super::{
    config_read_cache::ConfigReadCache,
    event_hub::Commit,
    subscriber_registry::{Registration, Watched},
    watch_source::{WatchFilter, WatchSource},
};
use crate::{
    domain::{
        Caller, Error, Registry, Result, TenantFilter,
        change::{Change, Cursor, LogPosition},
        policy::{self, Action},
    },
    share::{KeyedPermit, ShareHolder},
};

/// How many entries one replay query reads.
const REPLAY_PAGE: u64 = 256;
/// The greatest age at which this instance may still claim that nothing has happened.
const FOLLOWING_MAX_AGE: Duration = Duration::from_secs(5);

/// A watch of the log, from one position on. Dropping it unregisters the watcher.
#[derive(Debug)]
pub struct Watch {
    pub(super) source: WatchSource,
    pub(super) caller: Arc<Caller>,
    /// The right that the caller needs.
    pub(super) action: Action,
    /// The customers whose broadcast entries the caller may see.
    pub(super) tenants: TenantFilter,
    /// The log's epoch when the watch began.
    pub(super) epoch: u64,
    pub(super) registration: Registration,
    pub(super) filter: WatchFilter,
    pub(super) live: broadcast::Receiver<Arc<Commit>>,
    /// All entries up to here have been returned, filtered out, or put into `ready`.
    pub(super) place: LogPosition,
    /// Whether to replay from the log before waiting for broadcasts.
    pub(super) behind: bool,
    /// The last entry that was read, whether or not the watcher may see it.
    pub(super) cursor: Cursor,
    pub(super) ready: VecDeque<Arc<Change>>,
    /// The entries so far of the commit that [`Watch::next_commit`] returns next.
    pub(super) commit: Vec<Arc<Change>>,
    /// Held from the first page of the log until the last one was returned.
    pub(super) replaying: Option<KeyedPermit<ShareHolder>>,
}

impl Watch {
    /// Returns the next entry, each exactly once and in order. Cancel-safe.
    ///
    /// # Errors
    /// The watch is over after an error. [`Error::Unavailable`] when the database must be read and can't be, or
    /// the service stops; [`Error::CursorTooOld`] when entries that it hasn't read were pruned;
    /// [`Error::CursorInvalid`] when the log has diverged.
    pub async fn next(&mut self) -> Result<Arc<Change>> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                self.registration.record_progress(change.revision);
                return Ok(change);
            }
            self.registration.record_progress(self.place.revision);
            if self.behind {
                // Boxed, so that a watch that only waits for broadcasts doesn't hold the memory of this future.
                Box::pin(self.replay()).await?;
                continue;
            }
            self.replaying = None;
            match self.live.recv().await {
                // Revisions have no gaps, so a gap means that a commit wasn't broadcast; it is in the log.
                _ if self.has_diverged() => return Err(Error::CursorInvalid),
                Ok(commit) if commit.changes.is_empty() || commit.revision > self.place.revision.next() => {
                    self.behind = true;
                }
                Ok(commit) => self.accept_live(&commit),
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

    /// Returns the next entries that share a commit. Cancel-safe.
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

    /// Replays from the log until an entry is ready or the log's end is reached. Cancel-safe.
    ///
    /// # Errors
    /// As [`Watch::next`].
    pub(super) async fn catch_up(&mut self) -> Result<()> {
        while self.behind && self.ready.is_empty() {
            Box::pin(self.replay()).await?;
        }
        Ok(())
    }

    /// Whether the log has diverged since this watch began.
    fn has_diverged(&self) -> bool {
        self.epoch != self.source.events.epoch()
    }

    /// Whether this instance still follows the log. If it doesn't, [`Watch::cursor`] is out of date.
    pub(super) fn is_log_followed(&self) -> bool {
        self.source.freshness.age() < FOLLOWING_MAX_AGE
    }

    /// Configurations that other watchers have read.
    pub(super) fn config_reads(&self) -> &ConfigReadCache {
        &self.source.config_reads
    }

    /// The domain's operations.
    pub(super) fn registry(&self) -> &Registry {
        &self.source.registry
    }

    /// The position to resume from; `None` while entries up to it haven't all been returned.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        let is_drained = self.ready.is_empty() && self.commit.is_empty() && !self.behind;
        is_drained.then_some(self.cursor)
    }

    /// Puts the entries of a broadcast commit that weren't replayed, and that the watcher may see, into `ready`.
    fn accept_live(&mut self, commit: &Commit) {
        if LogPosition::end_of(commit.revision) <= self.place {
            return;
        }
        for change in &commit.changes {
            let is_within = change.customer_id.is_none_or(|id| self.tenants.admits(id));
            if LogPosition::of(change) > self.place && is_within && self.admits(change) {
                self.ready.push_back(Arc::clone(change));
            }
        }
        self.place = LogPosition::end_of(commit.revision);
        if let Some(last) = commit.changes.last() {
            self.cursor = Cursor::of(last);
        }
    }

    async fn replay(&mut self) -> Result<()> {
        if self.has_diverged() {
            return Err(Error::CursorInvalid);
        }
        if self.replaying.is_none() {
            self.replaying = self.source.replays.acquire(self.caller.share_holder()).await;
        }
        let reads = self.source.page_reads.acquire(self.caller.share_holder()).await;
        let reading = self.registry().reading(&self.caller);
        let (page, head) = self
            .registry()
            .changes_after(&reading, self.action, self.filter.customer_id, self.place, REPLAY_PAGE)
            .await?;
        drop(reads);
        self.behind = u64::try_from(page.len()).unwrap_or(u64::MAX) >= REPLAY_PAGE;
        // A full page: the next one starts at its end. Otherwise all entries up to the log's head have been read,
        // including those that this watcher may not see.
        if self.behind {
            self.place = page.last().map_or(self.place, LogPosition::of);
            self.cursor = page.last().map_or(self.cursor, Cursor::of);
        } else if LogPosition::end_of(head.revision) >= self.place {
            self.place = LogPosition::end_of(head.revision);
            self.cursor = Cursor::new(head.revision, head.position, &head.chain_hash);
        }
        let shown: Vec<_> = page.into_iter().filter(|change| self.admits(change)).map(Arc::new).collect();
        self.ready.extend(shown);
        Ok(())
    }

    /// Whether the watcher receives an entry of a customer that it may see. Entries without a customer are for the
    /// platform only.
    fn admits(&self, change: &Change) -> bool {
        let is_of_kind = match self.registration.watched() {
            Watched::CustomerEvents => change.is_event_for(&self.caller),
            Watched::Activations | Watched::Configs | Watched::Changes => true,
        };
        is_of_kind
            && self.filter.passes(change)
            && (change.customer_id.is_some() || policy::is_platform(&self.caller))
    }
}
