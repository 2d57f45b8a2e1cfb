//! The check of a plan under the lock of the write that changes what serves.

use std::{collections::HashMap, sync::Arc};

use super::{ActivationPlan, PlanRefusal, read_source};
use crate::{
    domain::{
        Error, Registry, Result,
        diff::{ComparedContent, SMALL_BYTES},
        plan::{Plan, PlanConfirmation, PlanInput, PlanRules, refused},
        policy::{self, Action},
        right::GrantedTxn,
        serving::LockedServing,
        version::{AgentVersion, VersionBody},
    },
    entity::{agent_version, log, serving, time_in_environment},
    id::{AgentId, EnvironmentId, Revision, VersionId},
};

/// Proof that the rules of an environment let a change of what an agent serves there through. Nothing becomes active or
/// inactive without one ([`LockedServing::set`]), so that no way to activate can forget the rules.
#[derive(Debug)]
pub(in crate::domain) struct Clearance {
    agent_id: AgentId,
    environment_id: EnvironmentId,
}

/// The version that a write is about to activate.
#[derive(Clone, Debug)]
pub(in crate::domain) enum PlannedVersion {
    /// One of the agent's versions, which is written already.
    Published(VersionId),
    /// One that this write publishes.
    New(ComparedContent),
}

impl PlannedVersion {
    /// Its id, if it has one already.
    fn id(&self) -> Option<VersionId> {
        match self {
            Self::Published(id) => Some(*id),
            Self::New(_) => None,
        }
    }
}

impl From<VersionId> for PlannedVersion {
    fn from(id: VersionId) -> Self {
        Self::Published(id)
    }
}

impl Clearance {
    fn at(place: &LockedServing) -> Self {
        Self { agent_id: place.agent.id, environment_id: place.environment.id }
    }

    /// Uses it up. It is good for the agent and the environment that were checked, and for no others.
    pub(in crate::domain) fn spend(self, place: &LockedServing) {
        let Self { agent_id, environment_id } = self;
        debug_assert_eq!((agent_id, environment_id), (place.agent.id, place.environment.id));
    }

    /// Checks the role alone: for a rollback, a deactivation and an archiving, which must not wait when what serves is
    /// broken.
    ///
    /// # Errors
    /// [`Error::Plan`].
    pub(in crate::domain) fn of_role(txn: &GrantedTxn, place: &LockedServing) -> Result<Self> {
        let role = txn.role_at(place.agent.customer_id);
        let Some(finding) = PlanRules::of(&place.environment).role_finding(role) else {
            return Ok(Self::at(place));
        };
        let (objection, message) = refused(&finding);
        Err(Error::Plan(Box::new(PlanRefusal { objection, message, plan: None })))
    }
}

impl Registry {
    /// Checks an activation in a locked serving against the rules of its environment and the plan that the caller has
    /// seen. Reads nothing if the environment has no rules or the version serves there already, and the caller names no
    /// plan.
    ///
    /// # Errors
    /// [`Error::Plan`]; [`Error::NotFound`] for a version that isn't the agent's.
    pub(in crate::domain) async fn clear(
        &self,
        txn: &GrantedTxn,
        place: &LockedServing,
        next: PlannedVersion,
        seen: &PlanConfirmation,
    ) -> Result<Clearance> {
        let (rules, version_id) = (PlanRules::of(&place.environment), next.id());
        if !seen.names_a_plan() {
            if rules.is_unrestricted() {
                return Ok(Clearance::at(place));
            }
            if version_id.is_some() && version_id == place.active_version_id {
                return Clearance::of_role(txn, place);
            }
        }
        let input = read_input(self, txn, place, rules, next).await?;
        let plan = if input.bytes() <= SMALL_BYTES {
            Plan::of(&input)?
        } else {
            self.compute(txn.caller(), "plan", move || Plan::of(&input)).await??
        };
        match seen.objection(&plan) {
            None => Ok(Clearance::at(place)),
            Some((objection, message)) => {
                let plan = refused_plan(txn, place, version_id, plan).await?;
                Err(Error::Plan(Box::new(PlanRefusal { objection, message, plan })))
            }
        }
    }
}

/// The plan by which a write is refused; `None` if the caller may activate, but not read what the plan shows.
async fn refused_plan(
    txn: &GrantedTxn,
    place: &LockedServing,
    version_id: Option<VersionId>,
    plan: Plan,
) -> Result<Option<ActivationPlan>> {
    let (agent, environment) = (&place.agent, &place.environment);
    let may = |action| policy::allow_on(txn.caller(), action, agent.customer_id, "agent").is_ok();
    if !(may(Action::ReadAgents) && may(Action::ReadContent)) {
        return Ok(None);
    }
    let (tenants, reach) = (txn.tenant_filter(), txn.environment_filter());
    let row = txn.one(serving::in_environment(tenants, reach, agent.id, environment.id)).await?;
    let serving_revision = row.map_or(Revision::ZERO, |row| row.config_revision);
    let revision = txn.one(log::head()).await?.map_or(Revision::ZERO, |head| head.revision);
    Ok(Some(ActivationPlan {
        agent_id: agent.id,
        customer_id: agent.customer_id,
        environment: environment.clone(),
        previous_version_id: place.active_version_id,
        version_id,
        plan,
        serving_revision,
        revision,
    }))
}

/// Reads what the plan is computed from, as the write sees it.
async fn read_input(
    registry: &Registry,
    txn: &GrantedTxn,
    place: &LockedServing,
    mut rules: PlanRules,
    next: PlannedVersion,
) -> Result<PlanInput> {
    let (agent, active, version) = (&place.agent, place.active_version_id, next.id());
    let mut source = None;
    if let Some(from) = &mut rules.promote_from {
        let select = time_in_environment::of_version(agent.id, from.id, version);
        source = read_source(txn.one(select).await?, from, txn.environment_filter());
    }
    let ids: Vec<VersionId> = active.into_iter().chain(version).collect();
    let mut contents: HashMap<VersionId, ComparedContent> = HashMap::new();
    if !ids.is_empty() {
        let mut versions = txn.all(agent_version::by_ids(txn.tenant_filter(), &ids)).await?;
        versions.retain(|version| version.agent_id == agent.id);
        contents
            .extend(versions.into_iter().map(|version| (version.id, ComparedContent::of_version(version))));
    }
    let find = |id| contents.get(&id).cloned().ok_or(Error::NotFound("version of this agent"));
    let previous = active.map(find).transpose()?;
    let next = match next {
        PlannedVersion::Published(id) => find(id)?,
        PlannedVersion::New(content) => content,
    };
    let caller_role = txn.role_at(agent.customer_id);
    Ok(PlanInput { rules, caller_role, previous, next: Some(next), source, now: registry.clock().now() })
}

impl ComparedContent {
    /// The content of a version.
    pub(in crate::domain) fn of_version(version: AgentVersion) -> Self {
        let AgentVersion {
            id,
            system_prompt,
            model_name,
            model_parameters,
            tools,
            extensions,
            bytes_hash,
            ..
        } = version;
        let body = VersionBody { id, system_prompt, model_parameters, tools, extensions, bytes_hash };
        Self::Version(model_name, Arc::new(body))
    }
}
