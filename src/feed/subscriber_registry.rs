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
    domain::{
        Caller, Principal,
        environment::EnvironmentKey,
        policy::{self, Action},
    },
    id::{AgentId, CustomerId, Revision},
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

/// How many gateways watch an agent in an environment on this instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GatewayCount {
    /// All that watch the agent there.
    pub watching: usize,
    /// The gateways among them that haven't received a commit yet.
    pub pending: usize,
}

impl Watcher {
    /// Whether this is a gateway that watches what this customer's agent serves in this environment: a service of the
    /// platform, or a program of the customer.
    fn is_gateway_of(&self, (customer, agent): (CustomerId, AgentId), environment: &EnvironmentKey) -> bool {
        let WatchFilter { customer_id, agent_ids, environments } = &self.filter;
        let is_program = match &self.caller.principal {
            Principal::Service(_) | Principal::ApiKey(_) => true,
            Principal::User(_) | Principal::System => false,
        };
        is_program
            && self.watched == Watched::Configs
            && customer_id.is_none_or(|id| id == customer)
            && agent_ids.as_ref().is_none_or(|ids| ids.contains(&agent))
            && environments.as_ref().is_none_or(|keys| keys.contains(environment))
            && self.caller.principal.environments().admits(environment)
            && policy::allow_on(&self.caller, Action::ReadConfigs, customer, "customer").is_ok()
    }
}

impl SubscriberRegistry {
    /// How many gateways watch this agent in this environment, and how many of them haven't received the commit `since`.
    pub(super) fn gateways(
        &self,
        agent: (CustomerId, AgentId),
        environment: &EnvironmentKey,
        since: Revision,
    ) -> GatewayCount {
        let all = lock(&self.0);
        let those = all.values().filter(|watcher| watcher.is_gateway_of(agent, environment));
        those.fold(GatewayCount::default(), |GatewayCount { watching, pending }, watcher| GatewayCount {
            watching: watching + 1,
            pending: pending + usize::from(watcher.revision() < since),
        })
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
