//! Plans of activations in the GraphQL schema: what an activation would change, and what its environment's rules say.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::{
    agent::Agent,
    environment::{Environment, key_argument},
    error::{Nullable, linked, nullable_root, to_graphql_error},
    finding::{ChangeImpact, Finding},
    publish::VersionContentInput,
    scalar::Revision,
    version::AgentVersion,
};
use crate::{
    domain::{
        self, Error, Input, InputErrors,
        activation_plan::{self, PlanRequest, PlanTarget},
        gateway::{ConvergenceTarget, GatewayCounts},
        plan::{self, PlanConfirmation},
    },
    graphql::engine::context::{RequestView, request},
};

/// What an activation would change, at one moment. Computing it writes and locks nothing.
pub struct ActivationPlan {
    plan: Arc<activation_plan::ActivationPlan>,
    view: RequestView,
}

/// What the environment's rules say to the activation. It may fail for other reasons, such as your scopes, an archived agent
/// or a suspended customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "plan::PlanDecision")]
pub enum PlanDecision {
    /// The rules let the activation through as it is.
    Allow,
    /// The activation needs `planHash`, and `confirm` with each impact of `mustConfirm`.
    Confirm,
    /// The rules refuse the activation.
    Refuse,
}

/// A rule that a plan is held to. New ones may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "plan::PolicyRule")]
pub enum PolicyRule {
    /// The caller must have the environment's `activateRole`.
    ActivateRole,
    /// The version must have been active in the environment `promoteFrom`.
    PromoteFrom,
    /// The version must have been active there for `minSoakSeconds`, all periods together.
    MinSoak,
    /// An UNKNOWN, NARROWED or REMOVED impact is handled as the environment's `onBreaking` says.
    OnBreaking,
    /// The model must be one of the environment's `allowedModels`.
    AllowedModels,
    /// The prompt holds what looks like a secret. Needs `confirm` where `onBreaking` isn't ALLOW.
    SecretInPrompt,
}

/// What a rule does to the activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "plan::PolicyEffect")]
pub enum PolicyEffect {
    /// The rule does nothing to it: for the reader.
    Info,
    /// The activation needs `confirm`.
    Confirm,
    /// The activation fails with POLICY_REFUSED, or with NOT_PROMOTABLE for `PROMOTE_FROM` and `MIN_SOAK`.
    Refuse,
}

/// What a rule of the environment says to the plan.
#[derive(Clone, SimpleObject)]
pub struct PolicyFinding {
    /// The rule that says it.
    rule: PolicyRule,
    /// What the rule does to the activation.
    effect: PolicyEffect,
    /// A sentence for people; its wording may change.
    message: String,
}

/// What an activation would change, at one moment. Computing it writes and locks nothing.
#[Object]
impl ActivationPlan {
    /// The agent whose active version would change.
    async fn agent(&self) -> async_graphql::Result<Agent> {
        let agent = self.view.agent(self.plan.agent_id).await?;
        agent.ok_or_else(|| to_graphql_error(&Error::NotFound("agent")))
    }

    /// The environment in which it would change.
    async fn environment(&self) -> Environment {
        Environment { row: Arc::new(self.plan.environment.clone()), view: self.view.clone() }
    }

    /// The version that serves now; null if none does.
    async fn previous_version(&self) -> Nullable<AgentVersion> {
        linked(self.plan.previous_version_id, |id| self.view.version(id)).await
    }

    /// The version that would serve; null for a deactivation, and for `content` that isn't published.
    async fn version(&self) -> Nullable<AgentVersion> {
        linked(self.plan.version_id, |id| self.view.version(id)).await
    }

    /// The worst of the findings; SAME without any.
    async fn impact(&self) -> ChangeImpact {
        self.plan.plan.impact.into()
    }

    /// Each thing that differs and what it may do, in the order of the content. At most 1,000, and then a last one that
    /// says how many are left out.
    async fn findings(&self) -> async_graphql::Result<Vec<Finding>> {
        Finding::all(&self.plan.plan.findings, &self.view)
    }

    /// What the environment's rules say, in the order of `PolicyRule`; at most one for each rule.
    async fn policy(&self) -> async_graphql::Result<Vec<PolicyFinding>> {
        let make = |finding: &plan::PolicyFinding| {
            let plan::PolicyFinding { rule, effect, message } = finding;
            self.view.weigh_text(message)?;
            Ok(PolicyFinding { rule: (*rule).into(), effect: (*effect).into(), message: message.clone() })
        };
        self.plan.plan.policy.iter().map(make).collect()
    }

    /// What the rules say together: the strictest of `policy`.
    async fn decision(&self) -> PlanDecision {
        self.plan.plan.decision.into()
    }

    /// The impacts that `confirm` must name; empty unless the decision is CONFIRM.
    async fn must_confirm(&self) -> Vec<ChangeImpact> {
        self.plan.plan.must_confirm.iter().map(|impact| (*impact).into()).collect()
    }

    /// How many gateways may serve this agent in this environment: `Convergence.gateways`, the same on every instance.
    async fn affected_gateways(&self) -> async_graphql::Result<usize> {
        Ok(self.gateways().await?.all())
    }

    /// How many of them report, and haven't applied the current activation, or refuse it. Gateways that never report
    /// don't count, since nobody knows.
    async fn pending_gateways(&self) -> async_graphql::Result<usize> {
        let GatewayCounts { pending, rejected, .. } = self.gateways().await?;
        Ok(pending + rejected)
    }

    /// SHA-256, as 64 hexadecimal digits, over the environment's key, both `bytesHash`es, the findings and the policy,
    /// without messages and without `ACTIVATE_ROLE`. `content` has the hash of the version that it becomes. Pass it to
    /// `activateVersion`, which then fails with PLAN_CHANGED if the plan is another one by then.
    async fn plan_hash(&self) -> String {
        self.plan.plan.hash.to_string()
    }

    /// The commit of whose moment the plan is.
    async fn revision(&self) -> Revision {
        self.plan.revision
    }
}

impl ActivationPlan {
    /// The plan that a refused write returned, whose objects are read through `view`.
    pub(super) fn new(plan: activation_plan::ActivationPlan, view: &RequestView) -> Self {
        Self { plan: Arc::new(plan), view: view.clone() }
    }

    async fn gateways(&self) -> async_graphql::Result<GatewayCounts> {
        self.view.gateway_counts(ConvergenceTarget::of_plan(&self.plan)).await
    }
}

/// Reads `planHash` and `confirm` of an input.
pub(super) fn confirmation(
    errors: &mut InputErrors,
    hash: Option<&str>,
    confirm: Option<Vec<ChangeImpact>>,
) -> PlanConfirmation {
    let confirmed = confirm.unwrap_or_default().into_iter().map(Into::into).collect();
    errors.take(PlanConfirmation::new(hash, confirmed)).unwrap_or_default()
}

/// The plan by which a write was refused.
pub(super) fn refused_plan<T>(answer: &domain::Result<T>) -> Option<activation_plan::ActivationPlan> {
    match answer {
        Err(Error::Plan(refusal)) => refusal.plan.clone(),
        _ => None,
    }
}

/// The root field of `Query` that plans activations.
#[derive(Default)]
pub struct PlanQuery;

#[Object]
impl PlanQuery {
    /// What the activation of a version, or of `content` that isn't published, would change; with neither, what a
    /// deactivation would. Reads the content of both versions. Needs the rights of `systemPrompt` and of `agent`. Null if
    /// you can see no such agent, environment or version. Fails for a content that `publishVersion` rejects.
    async fn activation_plan(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The UUID of the agent.")] agent_id: ID,
        #[graphql(desc = "The key of the environment; `production` if left out.")] environment: Option<
            String,
        >,
        #[graphql(desc = "The UUID of the version to activate. Not with `content`.")] version_id: Option<ID>,
        #[graphql(desc = "The content of a version to publish and activate.")] content: Option<
            VersionContentInput,
        >,
    ) -> Nullable<ActivationPlan> {
        nullable_root(async {
            let request = request(ctx)?;
            let mut errors = InputErrors::default();
            let agent_id = errors.id("agentId", &agent_id);
            let version = version_id.map(|version| errors.id("versionId", &version));
            let content = content.map(|content| content.read(&mut errors));
            let target = errors.take(PlanTarget::of(version, content)).unwrap_or(PlanTarget::Nothing);
            let environment = key_argument(environment.as_deref())?;
            let (view, wanted) = (request.view(), PlanRequest { agent_id, environment, target });
            let registry = view.registry();
            let subject = registry.plan_subject(view.reading(), Input::new(wanted, errors)).await;
            let Some(subject) = subject.map_err(|err| to_graphql_error(&err))? else { return Ok(None) };
            subject.contents().iter().try_for_each(|key| view.weigh_content(key))?;
            let plan = registry.plan(view.reading(), subject, view.is_wanted()).await;
            let plan = plan.map_err(|err| to_graphql_error(&err))?;
            Ok(Some(ActivationPlan::new(plan, &view)))
        })
        .await
    }
}
