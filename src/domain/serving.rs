//! Servings: what each agent serves in each environment.

use std::collections::HashMap;

use super::{
    Reading, Registry, Result,
    activation::{self, Reason},
    activation_plan::{Clearance, PlannedVersion},
    agent::Agent,
    environment::{Environment, EnvironmentKey},
    plan::PlanConfirmation,
    policy::{self, Action},
    right::GrantedTxn,
};
use crate::{
    clock::{Clock, Instant},
    entity::{agent, publication::Publication, serving},
    id::{AgentId, Revision, VersionId},
};

pub use serving::Model as Serving;

impl Registry {
    /// The servings of each of these agents, in the environments that the reader reaches. Leaves out environments in which an
    /// agent never served.
    ///
    /// # Errors
    /// [`super::Error::Forbidden`] for a credential without any scope.
    pub async fn servings_of_each(
        &self,
        reading: &Reading,
        agents: &[AgentId],
    ) -> Result<HashMap<AgentId, Vec<Serving>>> {
        policy::allow(&reading.caller, Action::ReadServing)?;
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        let rows = reading.view.all(serving::of_agents(&tenants, &reach, agents)).await?;
        Ok(super::grouped(rows, |row| row.agent_id))
    }
}

/// A locked agent, and what it serves in one environment, which nobody else changes meanwhile.
#[derive(Clone, Debug)]
pub(super) struct LockedServing {
    /// The agent. Its own active version is that of the default environment.
    pub(super) agent: Agent,
    /// The environment.
    pub(super) environment: Environment,
    /// The active version there.
    pub(super) active_version_id: Option<VersionId>,
    /// When it was activated.
    activated_at: Option<Instant>,
}

impl LockedServing {
    /// What a locked agent serves in an environment: in the default one what its own row says, and elsewhere this row.
    /// Without one, it never served there.
    pub(super) fn of(agent: Agent, environment: Environment, row: Option<Serving>) -> Self {
        let (active_version_id, activated_at) = match row {
            _ if environment.is_default => (agent.active_version_id, agent.activated_at),
            Some(row) => (row.active_version_id, row.activated_at),
            None => (None, None),
        };
        Self { agent, environment, active_version_id, activated_at }
    }

    /// The environment's key.
    pub(super) fn key(&self) -> &EnvironmentKey {
        &self.environment.key
    }

    /// Makes this version, or none, the active one, as the rules of the environment let it through. [`LockedServing::put`]
    /// writes it.
    pub(super) fn set(&mut self, version: Option<VersionId>, now: Instant, clearance: Clearance) {
        clearance.spend(self);
        let activated_at = version.map(|_| now);
        (self.active_version_id, self.activated_at) = (version, activated_at);
        if self.environment.is_default {
            (self.agent.active_version_id, self.agent.activated_at) = (version, activated_at);
        }
    }

    /// Adds the row that the serving is in to a publication.
    pub(super) fn put(&self, into: &mut Publication) {
        if self.environment.is_default {
            into.agents.push(self.agent.clone());
            return;
        }
        into.servings.push(serving::Model {
            customer_id: self.agent.customer_id,
            agent_id: self.agent.id,
            environment_id: self.environment.id,
            environment_key: self.environment.key.clone(),
            active_version_id: self.active_version_id,
            activated_at: self.activated_at,
            config_revision: Revision::ZERO,
        });
    }
}

/// The agent as a reader sees it that reaches only some environments: an agent's own active version is that of the default
/// one.
pub(super) fn as_reached(reading: &Reading, agent: Agent) -> Agent {
    if reading.caller.principal.environments().admits(&EnvironmentKey::default()) {
        return agent;
    }
    agent::Model { active_version_id: None, activated_at: None, config_revision: Revision::ZERO, ..agent }
}

/// The locked agent of a publication, and where it activates the version.
pub(super) enum PublishPlace {
    /// Nowhere.
    Nowhere(Agent),
    /// In an environment.
    Active(LockedServing),
}

impl PublishPlace {
    pub(super) fn agent(&self) -> &Agent {
        match self {
            Self::Nowhere(agent) => agent,
            Self::Active(place) => &place.agent,
        }
    }

    pub(super) fn agent_mut(&mut self) -> &mut Agent {
        match self {
            Self::Nowhere(agent) => agent,
            Self::Active(place) => &mut place.agent,
        }
    }

    /// Checks the activation of `next` where the publication says; `None` when it activates nothing.
    ///
    /// # Errors
    /// As [`Registry::clear`].
    pub(super) async fn clear(
        &self,
        registry: &Registry,
        txn: &GrantedTxn,
        next: PlannedVersion,
        seen: &PlanConfirmation,
    ) -> Result<Option<Clearance>> {
        match self {
            Self::Nowhere(_) => Ok(None),
            Self::Active(place) => registry.clear(txn, place, next, seen).await.map(Some),
        }
    }

    /// Activates this version where the publication says, and records that. Returns whether it did: not when the version is
    /// active there.
    pub(super) fn activate(
        &mut self,
        txn: &GrantedTxn,
        clock: &Clock,
        (version, reason): (VersionId, Reason),
        clearance: Option<Clearance>,
        publication: &mut Publication,
    ) -> bool {
        let (Self::Active(place), Some(clearance)) = (self, clearance) else { return false };
        if place.active_version_id == Some(version) {
            return false;
        }
        let activation = activation::record_activation(txn, clock, place, Some(version), reason, clearance);
        publication.activations.push(activation);
        true
    }

    /// Adds the changed rows of the agent to a publication.
    pub(super) fn put(&self, into: &mut Publication) {
        into.agents.push(self.agent().clone());
        if let Self::Active(place) = self
            && !place.environment.is_default
        {
            place.put(into);
        }
    }
}
