//! The event hub: broadcasts each commit to the watchers, and knows up to which entry this instance has applied the
//! log.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{broadcast, watch},
    time::timeout,
};

use crate::{
    domain::change::{Change, Cursor},
    id::Revision,
};

/// How many commits the broadcast buffers. A watcher that lags further behind reads from the log instead, so
/// memory use is bounded.
const LIVE_COMMITS: usize = 1024;

/// One commit of the log.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) revision: Revision,
    pub(super) changes: Vec<Arc<Change>>,
}

/// The broadcast of commits. Cheap to clone; clones share state.
#[derive(Clone, Debug)]
pub(super) struct EventHub(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    live: broadcast::Sender<Arc<Commit>>,
    /// The last entry that this instance has applied. `None` until the tail has read the log's head, and after a
    /// divergence.
    applied: watch::Sender<Option<Cursor>>,
    /// How often the log diverged from what this instance had followed.
    epoch: AtomicU64,
}

impl Default for EventHub {
    fn default() -> Self {
        Self(Arc::new(Inner {
            live: broadcast::Sender::new(LIVE_COMMITS),
            applied: watch::Sender::new(None),
            epoch: AtomicU64::default(),
        }))
    }
}

impl EventHub {
    /// Records that a commit is applied, and broadcasts it.
    pub(super) fn broadcast(&self, commit: Commit) {
        // Before the broadcast: a watcher that subscribes in between sees the commit twice and skips the second,
        // but never misses it.
        self.0.applied.send_replace(commit.changes.last().map(|last| Cursor::of(last)));
        // `send` fails only when nobody is subscribed.
        let _ = self.0.live.send(Arc::new(commit));
    }

    /// Continues from `end`, the last entry of a commit. Makes watchers read the missed commits from the log.
    pub(super) fn restart(&self, end: Cursor) {
        self.0.applied.send_replace(Some(end));
        let _ = self.0.live.send(Arc::new(Commit { revision: end.revision(), changes: Vec::new() }));
    }

    /// Records that the log isn't the one that was followed. Every watch ends.
    pub(super) fn diverge(&self) {
        self.0.epoch.fetch_add(1, Ordering::Relaxed);
        self.0.applied.send_replace(None);
    }

    /// Receives the commits that are broadcast from now on.
    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<Commit>> {
        self.0.live.subscribe()
    }

    /// How often the log has diverged. A watch ends when this number changes.
    pub(super) fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::Relaxed)
    }

    /// The last entry that this instance has applied. `None` until the tail has read the log's head, and after a
    /// divergence.
    pub(super) fn end(&self) -> Option<Cursor> {
        *self.0.applied.borrow()
    }

    /// The last revision that this instance has applied; 0 when there is no such entry.
    pub(super) fn applied(&self) -> Revision {
        self.end().map_or(Revision::ZERO, |end| end.revision())
    }

    /// Waits until this instance has applied `revision`. Returns false if it hasn't within `most`.
    pub(super) async fn wait_for(&self, revision: Revision, most: Duration) -> bool {
        let mut applied = self.0.applied.subscribe();
        let reached = applied.wait_for(|end| end.is_some_and(|end| end.revision() >= revision));
        timeout(most, reached).await.is_ok_and(|reached| reached.is_ok())
    }
}
