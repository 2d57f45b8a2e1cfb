//! Who watches: for operators who want to know, and for the counts.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use uuid::Uuid;

use super::hub::WatchFilter;
use crate::{
    clock::{Clock, Instant},
    domain::Caller,
    task::lock,
};

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Watched {
    /// Activations and deactivations.
    Activations,
    /// Active configurations.
    Configs,
    /// All of the log.
    Changes,
}

impl Watched {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Activations, Self::Configs, Self::Changes];

    /// Its name among the counts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activations => "activations",
            Self::Configs => "configs",
            Self::Changes => "changes",
        }
    }
}

/// One that watches.
#[derive(Debug)]
pub struct Watcher {
    /// Names it, and sorts by age.
    pub id: Uuid,
    /// What it watches.
    pub watched: Watched,
    /// Who it is.
    pub caller: Arc<Caller>,
    /// What of the log it is sent.
    pub filter: WatchFilter,
    /// Since when.
    pub since: Instant,
    revision: AtomicI64,
}

impl Watcher {
    /// The last commit of which all that it may see has been handed to it, or is being handed to it.
    #[must_use]
    pub fn revision(&self) -> i64 {
        self.revision.load(Ordering::Relaxed)
    }
}

/// All that watch on this instance. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster(Arc<Mutex<HashMap<Uuid, Arc<Watcher>>>>);

/// A line of the roster, struck out when dropped.
#[derive(Debug)]
pub(super) struct Entered {
    watcher: Arc<Watcher>,
    roster: Roster,
}

impl Roster {
    pub(super) fn enter(
        &self,
        clock: &Clock,
        watched: Watched,
        caller: Arc<Caller>,
        filter: WatchFilter,
    ) -> Entered {
        let (id, since, revision) = (clock.id(), clock.now(), AtomicI64::new(0));
        let watcher = Arc::new(Watcher { id, watched, caller, filter, since, revision });
        lock(&self.0).insert(id, Arc::clone(&watcher));
        Entered { watcher, roster: self.clone() }
    }

    /// All of them, oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Watcher>> {
        let mut all: Vec<_> = lock(&self.0).values().cloned().collect();
        all.sort_by_key(|watcher| watcher.id);
        all
    }
}

impl Entered {
    /// Notes how far it has come.
    pub(super) fn at(&self, revision: i64) {
        self.watcher.revision.store(revision, Ordering::Relaxed);
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        lock(&self.roster.0).remove(&self.watcher.id);
    }
}
