//! Plans of activations: read in one snapshot for a query, and computed again under the lock of the write that they are
//! about (`clearance.rs`). Reading one writes and locks nothing.

mod clearance;

use std::{collections::HashMap, sync::Arc};

use super::{
    Error, Input, Reading, Registry, Result,
    agent::Agent,
    content::{CheckedContent, Content},
    diff::ComparedContent,
    environment::{Environment, EnvironmentKey},
    plan::{Plan, PlanInput, PlanObjection, PlanRules, PromotionSource, SourceService},
    policy::{self, Action},
    version::{BodyKey, VersionBody, VersionSummary},
};
use crate::{
    entity::{agent, agent_version, environment, serving, time_in_environment},
    id::{AgentId, CustomerId, Revision, VersionId},
};

pub(super) use clearance::{Clearance, PlannedVersion};

/// An activation to plan.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// The agent.
    pub agent_id: AgentId,
    /// The environment.
    pub environment: EnvironmentKey,
    /// What would be activated.
    pub target: PlanTarget,
}

/// What an activation to plan would activate.
#[derive(Clone, Debug)]
pub enum PlanTarget {
    /// One of the agent's versions.
    Version(VersionId),
    /// A version with this content, which isn't published yet.
    Content(Box<Content>),
    /// No version: a deactivation.
    Nothing,
}

impl PlanTarget {
    /// What a client asks for.
    ///
    /// # Errors
    /// [`Error::Invalid`] for both.
    pub fn of(version: Option<VersionId>, content: Option<Content>) -> Result<Self> {
        match (version, content) {
            (Some(_), Some(_)) => Err(Error::invalid("content", "give the version or the content, not both")),
            (Some(version), None) => Ok(Self::Version(version)),
            (None, Some(content)) => Ok(Self::Content(Box::new(content))),
            (None, None) => Ok(Self::Nothing),
        }
    }
}

/// The plan of one agent's activation in one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivationPlan {
    /// The agent.
    pub agent_id: AgentId,
    /// Its customer.
    pub customer_id: CustomerId,
    /// The environment.
    pub environment: Environment,
    /// The version that serves now; `None` when none does.
    pub previous_version_id: Option<VersionId>,
    /// The version that would serve; `None` for a deactivation and for a content that isn't published.
    pub version_id: Option<VersionId>,
    /// What changes, and what the rules say.
    pub plan: Plan,
    /// The commit of the last activation there; 0 when there was none.
    pub serving_revision: Revision,
    /// The commit of whose moment the plan is.
    pub revision: Revision,
}

/// Why an activation was refused by its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanRefusal {
    /// What stands against it.
    pub objection: PlanObjection,
    /// The message for the caller.
    pub message: String,
    /// The plan as it is now; `None` for a rollback and a deactivation, which only a role can refuse, and for a caller that
    /// may not read contents.
    pub plan: Option<ActivationPlan>,
}

/// What a plan is about, read without the contents of the versions.
#[derive(Debug)]
pub struct PlanSubject {
    agent: Agent,
    environment: Environment,
    serving_revision: Revision,
    previous: Option<VersionSummary>,
    next: PlannedNext,
}

#[derive(Debug)]
enum PlannedNext {
    Version(VersionSummary),
    Content(Arc<CheckedContent>),
    Nothing,
}

impl PlanSubject {
    /// The contents that the plan reads.
    #[must_use]
    pub fn contents(&self) -> Vec<BodyKey> {
        let next = match &self.next {
            PlannedNext::Version(version) => Some(version),
            PlannedNext::Content(_) | PlannedNext::Nothing => None,
        };
        self.previous.iter().chain(next).map(BodyKey::of).collect()
    }
}

impl Registry {
    /// The plan of an activation; `None` when the reader sees no such agent, environment or version.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a reader that may not read agents and their contents; [`Error::Invalid`] or
    /// [`Error::TooLarge`] for a field of a content that isn't published.
    pub async fn activation_plan(
        &self,
        reading: &Reading,
        request: impl Into<Input<PlanRequest>>,
    ) -> Result<Option<ActivationPlan>> {
        match self.plan_subject(reading, request).await? {
            Some(subject) => self.plan(reading, subject, || true).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads what a plan is about. [`Registry::plan`] reads the contents, for which the caller must have memory.
    ///
    /// # Errors
    /// As [`Registry::activation_plan`].
    pub async fn plan_subject(
        &self,
        reading: &Reading,
        request: impl Into<Input<PlanRequest>>,
    ) -> Result<Option<PlanSubject>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        policy::allow(&reading.caller, Action::ReadContent)?;
        let (PlanRequest { agent_id, environment, target }, errors) = request.into().open();
        let (version, content) = match target {
            PlanTarget::Version(id) => {
                errors.into_result()?;
                (Some(id), None)
            }
            PlanTarget::Content(content) => {
                self.count_content_check();
                let check = move || errors.and(content.check());
                (None, Some(self.compute(&reading.caller, "content", check).await??))
            }
            PlanTarget::Nothing => {
                errors.into_result()?;
                (None, None)
            }
        };
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        let Some(agent) = reading.view.one(agent::by_ids(&tenants, &[agent_id])).await? else {
            return Ok(None);
        };
        let select = environment::by_key(agent.customer_id, &reach, &environment);
        let found = reading.view.one(select).await?.filter(|found| found.archived_at.is_none());
        let Some(environment) = found else { return Ok(None) };
        let (active, serving_revision) = self.serving_in(reading, &agent, &environment).await?;
        let ids: Vec<VersionId> = active.into_iter().chain(version).collect();
        let mut versions: HashMap<VersionId, VersionSummary> = HashMap::new();
        if !ids.is_empty() {
            let mut found = reading.view.all(agent_version::summaries(&ids)).await?;
            found.retain(|found| found.agent_id == agent.id && tenants.admits(found.customer_id));
            versions.extend(found.into_iter().map(|found| (found.id, found)));
        }
        let next = match (version, content) {
            (Some(id), _) => match versions.get(&id) {
                Some(version) => PlannedNext::Version(version.clone()),
                None => return Ok(None),
            },
            (None, Some(content)) => PlannedNext::Content(Arc::new(content)),
            (None, None) => PlannedNext::Nothing,
        };
        let previous = active.and_then(|id| versions.remove(&id));
        Ok(Some(PlanSubject { agent, environment, serving_revision, previous, next }))
    }

    /// What an agent serves in an environment, and the commit of the last activation there.
    async fn serving_in(
        &self,
        reading: &Reading,
        agent: &Agent,
        environment: &Environment,
    ) -> Result<(Option<VersionId>, Revision)> {
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        let row = serving::in_environment(&tenants, &reach, agent.id, environment.id);
        let row = reading.view.one(row).await?;
        Ok(row.map_or((None, Revision::ZERO), |row| (row.active_version_id, row.config_revision)))
    }

    /// Reads the contents of a plan's subject, and computes the plan: at once if they are small, else on a thread for
    /// computations, unless the plan isn't wanted any more by then.
    ///
    /// # Errors
    /// As [`Registry::diff_prompts`] and [`Registry::version_bodies`].
    pub async fn plan(
        &self,
        reading: &Reading,
        subject: PlanSubject,
        is_wanted: impl FnOnce() -> bool + Send + 'static,
    ) -> Result<ActivationPlan> {
        let bodies = self.version_bodies(reading, &subject.contents()).await?;
        let PlanSubject { agent, environment, serving_revision, previous, next } = subject;
        let (previous_version_id, customer_id) =
            (previous.as_ref().map(|version| version.id), agent.customer_id);
        let version_id = match &next {
            PlannedNext::Version(version) => Some(version.id),
            PlannedNext::Content(_) | PlannedNext::Nothing => None,
        };
        let mut rules = PlanRules::of(&environment);
        let mut source = None;
        if let Some(from) = &mut rules.promote_from {
            let select = time_in_environment::of_version(agent.id, from.id, version_id);
            source = read_source(reading.view.one(select).await?, from, &reading.view.environment_filter());
        }
        let previous = previous.map(|version| compared(&bodies, version)).transpose()?;
        let next = match next {
            PlannedNext::Version(version) => Some(compared(&bodies, version)?),
            PlannedNext::Content(content) => Some(ComparedContent::Checked(content)),
            PlannedNext::Nothing => None,
        };
        let caller_role = policy::role_of(&reading.caller, customer_id);
        let input = PlanInput { rules, caller_role, previous, next, source, now: self.clock().now() };
        let plan = self.compare(reading, input.bytes(), is_wanted, move || Plan::of(&input)).await?;
        let plan =
            plan.ok_or(Error::Unavailable("the answer was refused before the plan was computed"))??;
        let revision = reading.view.revision().await.unwrap_or(Revision::ZERO);
        Ok(ActivationPlan {
            agent_id: agent.id,
            customer_id,
            environment,
            previous_version_id,
            version_id,
            plan,
            serving_revision,
            revision,
        })
    }
}

/// The content of a version whose body was read.
fn compared(bodies: &HashMap<BodyKey, Arc<VersionBody>>, version: VersionSummary) -> Result<ComparedContent> {
    let body = bodies.get(&BodyKey::of(&version));
    let body = body.ok_or_else(|| Error::Internal("a version has no content".into()))?;
    Ok(ComparedContent::Version(version.model_name, Arc::clone(body)))
}

/// How long a version was active in the environment that is promoted from. Completes the key of that environment, if
/// `reach` admits it.
fn read_source(
    row: Option<time_in_environment::TimeInEnvironment>,
    from: &mut PromotionSource,
    reach: &crate::entity::EnvironmentFilter,
) -> Option<SourceService> {
    let time_in_environment::TimeInEnvironment { environment_key, periods, ended_seconds, active_since } =
        row?;
    from.key = Some(environment_key).filter(|key| reach.admits(key));
    (periods > 0).then(|| SourceService { ended: chrono::TimeDelta::seconds(ended_seconds), active_since })
}
