//! The registry of watchers on this instance: for the operators' list and the metrics.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

use uuid::Uuid;

use super::watch_source::WatchFilter;
use crate::{
    clock::{Clock, Instant},
    domain::{Caller, environment::EnvironmentKey},
    id::{ConnectionId, Revision},
    task::lock,
};

/// The kind of a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Watched {
    /// Activations and deactivations.
    Activations,
    /// Active configurations.
    Configs,
    /// All entries of the log.
    Changes,
    /// The entries that readers of a customer's agents receive.
    CustomerEvents,
}

impl Watched {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Activations, Self::Configs, Self::Changes, Self::CustomerEvents];

    /// The value of the metrics' label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activations => "activations",
            Self::Configs => "configs",
            Self::Changes => "changes",
            Self::CustomerEvents => "customer_events",
        }
    }
}

/// A registered watcher.
#[derive(Debug)]
pub struct Watcher {
    /// Its id; ids sort by age.
    pub id: Uuid,
    /// The kind of the watch.
    pub watched: Watched,
    /// The caller that watches.
    pub caller: Arc<Caller>,
    /// Which entries it receives.
    pub filter: WatchFilter,
    /// When the watch began.
    pub since: Instant,
    revision: AtomicI64,
}

impl Watcher {
    /// The key of the only environment that it watches; `None` if it watches several or all.
    #[must_use]
    pub fn environment(&self) -> Option<&EnvironmentKey> {
        match self.filter.environments.as_deref() {
            Some([key]) => Some(key),
            Some(_) | None => None,
        }
    }

    /// The last commit up to which the watcher has received all that it may see, or is receiving it.
    #[must_use]
    pub fn revision(&self) -> Revision {
        Revision(self.revision.load(Ordering::Relaxed))
    }
}

/// All watchers on this instance. Cheap to clone; clones share state.
#[derive(Clone, Debug, Default)]
pub(super) struct SubscriberRegistry(Arc<Mutex<HashMap<Uuid, Arc<Watcher>>>>);

/// A registration. Dropping it removes the watcher from the registry.
#[derive(Debug)]
pub(super) struct Registration {
    watcher: Arc<Watcher>,
    registry: SubscriberRegistry,
}

impl SubscriberRegistry {
    pub(super) fn register(
        &self,
        clock: &Clock,
        watched: Watched,
        caller: Arc<Caller>,
        filter: WatchFilter,
    ) -> Registration {
        let (id, since, revision) = (clock.id(), clock.now(), AtomicI64::new(0));
        let watcher = Arc::new(Watcher { id, watched, caller, filter, since, revision });
        lock(&self.0).insert(id, Arc::clone(&watcher));
        Registration { watcher, registry: self.clone() }
    }

    /// Returns all watchers, oldest first.
    pub(super) fn all(&self) -> Vec<Arc<Watcher>> {
        let mut all: Vec<_> = lock(&self.0).values().cloned().collect();
        all.sort_by_key(|watcher| watcher.id);
        all
    }

    /// How many watchers of this kind there are, and by how many commits the slowest one is behind `applied`.
    pub(super) fn stats(&self, watched: Watched, applied: Revision) -> (usize, i64) {
        let all = lock(&self.0);
        let those = all.values().filter(|watcher| watcher.watched == watched);
        let behind = those.clone().map(|watcher| watcher.revision().behind(applied)).max();
        (those.count(), behind.unwrap_or(0))
    }
}

impl SubscriberRegistry {
    /// The watches of configurations on this connection in this environment.
    pub(super) fn of_connection(
        &self,
        connection: ConnectionId,
        environment: &EnvironmentKey,
    ) -> Vec<Arc<Watcher>> {
        let is_there = |watcher: &&Arc<Watcher>| {
            watcher.watched == Watched::Configs
                && watcher.environment() == Some(environment)
                && watcher.caller.origin.connection.as_ref().is_some_and(|of| of.id == connection)
        };
        lock(&self.0).values().filter(is_there).cloned().collect()
    }
}

impl Registration {
    /// The kind of the watch.
    pub(super) fn watched(&self) -> Watched {
        self.watcher.watched
    }

    /// Records the commit that the watcher has reached.
    pub(super) fn record_progress(&self, revision: Revision) {
        self.watcher.revision.store(revision.0, Ordering::Relaxed);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock(&self.registry.0).remove(&self.watcher.id);
    }
}
