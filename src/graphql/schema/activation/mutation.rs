//! The mutations that change what an agent serves, with their inputs and their payload.

use async_graphql::{ComplexObject, Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::Activation;
use crate::{
    domain::{
        self, ErrorCode, InputErrors, WriteResult, activation,
        environment::{self, EnvironmentKey},
        rollback::RollbackTo,
    },
    graphql::{
        engine::context::{Request, request},
        schema::{
            agent::{Agent, patch},
            environment::Serving,
            error::{MutationResult, Nullable, UserError, into_mutation_result, nullable},
            finding::ChangeImpact,
            plan::{ActivationPlan, confirmation, refused_plan},
            scalar::{Revision, id},
        },
    },
};

/// The version to activate.
#[derive(Clone, Debug, InputObject)]
pub struct ActivateVersionInput {
    /// The UUID of the agent to change.
    agent_id: ID,
    /// The UUID of the version to activate; must be one of the agent's own.
    version_id: ID,
    /// The key of the environment; `production` if left out.
    environment: Option<String>,
    /// Fail with CONFLICT if another version than this one is active there now; null expects that none is. Not checked if
    /// left out.
    expected_active_version_id: MaybeUndefined<ID>,
    /// Fail with PLAN_CHANGED, and answer the new plan, if this isn't the plan any more: the `planHash` of an
    /// `activationPlan`.
    plan_hash: Option<String>,
    /// The impacts that you accept, when the plan's decision is CONFIRM. Needs `planHash`.
    confirm: Option<Vec<ChangeImpact>>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The agent to roll back, and how far.
#[derive(Clone, Debug, InputObject)]
pub struct RollbackInput {
    /// The UUID of the agent to roll back.
    agent_id: ID,
    /// The key of the environment; `production` if left out.
    environment: Option<String>,
    /// Fail with CONFLICT if another version than this one is active there now; null expects that none is. Not checked if
    /// left out: then two people who roll back at the same time go back twice.
    expected_active_version_id: MaybeUndefined<ID>,
    /// The UUID of the version to go back to. It must have served before, and no rollback may have left it since its
    /// last activation. Not with `steps`.
    to_version_id: Option<ID>,
    /// How many activations to go back, 1 or more; 1 when both are left out. Going back 2 steps equals two rollbacks.
    steps: Option<i32>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The agent to deactivate.
#[derive(Clone, Debug, InputObject)]
pub struct DeactivateInput {
    /// The UUID of the agent to deactivate.
    agent_id: ID,
    /// The key of the environment; `production` if left out.
    environment: Option<String>,
    /// Fail with CONFLICT if another version than this one is active there now; null expects that none is. Not checked if
    /// left out.
    expected_active_version_id: MaybeUndefined<ID>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The agent whose version to take from one environment to another. The active versions of both are compared in the commit that
/// activates the version.
#[derive(Clone, Debug, InputObject)]
pub struct PromoteVersionInput {
    /// The UUID of the agent.
    agent_id: ID,
    /// The key of the environment whose active version to take.
    from_environment: String,
    /// The key of the environment in which to activate it.
    to_environment: String,
    /// Fail with CONFLICT if another version than this one is active in `fromEnvironment`.
    expected_from_version_id: ID,
    /// Fail with CONFLICT if another version than this one is active in `toEnvironment`; null, or left out, expects that
    /// none is.
    expected_to_version_id: Option<ID>,
    /// Fail with PLAN_CHANGED, and answer the new plan, if this isn't the plan any more: the `planHash` of an
    /// `activationPlan`.
    plan_hash: Option<String>,
    /// The impacts that you accept, when the plan's decision is CONFIRM. Needs `planHash`.
    confirm: Option<Vec<ChangeImpact>>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `activateVersion`, `promoteVersion`, `rollback` and `deactivate`.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ActivateVersionPayload {
    /// The environment that the input named.
    #[graphql(skip)]
    environment: EnvironmentKey,
    /// The agent after the write. After a CONFLICT too, with the version that is active now; null after other
    /// errors.
    agent: Option<Agent>,
    /// The record of this change, or of the earlier one if nothing had to change; null if the agent has no record,
    /// or after an error.
    activation: Option<Activation>,
    /// The plan as it is now, after PLAN_CHANGED, CONFIRMATION_REQUIRED, POLICY_REFUSED and NOT_PROMOTABLE; null otherwise,
    /// for `rollback` and `deactivate`, which only need the role, and for a caller that may not read contents.
    plan: Option<ActivationPlan>,
    /// The commit that brought the agent into this state, an earlier one if nothing had to change; null if there
    /// are `userErrors`.
    revision: Option<Revision>,
    /// Why nothing was changed; empty on success, also if nothing had to change.
    user_errors: Vec<UserError>,
}

#[ComplexObject]
impl ActivateVersionPayload {
    /// What the agent serves in the environment after the write. After a CONFLICT too; null after other errors, and for API
    /// keys without `agents:read`.
    async fn serving(&self) -> Nullable<Serving> {
        let agent = self.agent.as_ref()?;
        nullable(async { agent.view.serving_of(agent, &self.environment).await }).await
    }
}

impl ActivateVersionPayload {
    async fn of(
        request: &Request,
        (agent, environment): (&ID, Option<&str>),
        answer: domain::Result<WriteResult<activation::ActivationResult>>,
    ) -> async_graphql::Result<Self> {
        let conflict = matches!(&answer, Err(err) if err.code() == ErrorCode::Conflict);
        let plan = refused_plan(&answer);
        let MutationResult { value, revision, user_errors } = into_mutation_result(answer)?;
        let view = request.fresh_view();
        let (agent, activation) = match value {
            Some(activation::ActivationResult { agent, activation }) => (Some(agent.id), activation),
            None if conflict => (id("agentId", agent).ok(), None),
            None => (None, None),
        };
        let agent = match agent {
            Some(agent) => view.agent(agent).await?,
            None => None,
        };
        let activation = match activation {
            Some(activation) => view.activation(activation).await?,
            None => None,
        };
        // An input with an invalid key changes nothing, and its payload has no agent.
        let environment = environment::key_or_default("environment", environment).unwrap_or_default();
        let plan = plan.map(|plan| ActivationPlan::new(plan, &view));
        Ok(Self { environment, agent, activation, plan, revision, user_errors })
    }
}

/// Reads the key of an environment in this input field.
fn environment_key(errors: &mut InputErrors, field: &str, key: Option<&str>) -> EnvironmentKey {
    errors.take(environment::key_or_default(field, key)).unwrap_or_default()
}

fn expected(errors: &mut InputErrors, version: MaybeUndefined<ID>) -> activation::ExpectedVersion {
    patch(version).map(|version| version.map(|version| errors.id("expectedActiveVersionId", &version)))
}

/// The root fields of `Mutation` that change what an agent serves.
#[derive(Default)]
pub struct ActivationMutation;

#[Object]
impl ActivationMutation {
    /// Makes a version its agent's active one in an environment, which is served there from the commit on. Activating the active version
    /// again changes nothing. Needs EDITOR or `versions:activate`. Fails with ARCHIVED for an archived agent.
    async fn activate_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version, and the one that you expect to be active.")]
        input: ActivateVersionInput,
    ) -> async_graphql::Result<ActivateVersionPayload> {
        let (
            request,
            ActivateVersionInput {
                agent_id,
                version_id,
                environment,
                expected_active_version_id,
                plan_hash,
                confirm,
                idempotency_key,
            },
        ) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let input = activation::ActivateVersion {
                agent_id: errors.id("agentId", &agent_id),
                version_id: errors.id("versionId", &version_id),
                environment: environment_key(&mut errors, "environment", environment.as_deref()),
                expected: expected(&mut errors, expected_active_version_id),
                plan: confirmation(&mut errors, plan_hash.as_deref(), confirm),
            };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.activate_version(&caller, input).await
        };
        let answer = answer.await;
        ActivateVersionPayload::of(request, (&agent_id, environment.as_deref()), answer).await
    }

    /// Activates in one environment the version that is active in another, if both are as you expect. Needs EDITOR or
    /// `versions:activate`. Fails with CONFLICT if either has moved, with ARCHIVED for an archived agent, and with NOT_FOUND
    /// for an environment that the customer doesn't have.
    async fn promote_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent, both environments, and what you expect to be active in them.")]
        input: PromoteVersionInput,
    ) -> async_graphql::Result<ActivateVersionPayload> {
        let request = request(ctx)?;
        let PromoteVersionInput {
            agent_id,
            from_environment,
            to_environment,
            expected_from_version_id,
            expected_to_version_id,
            plan_hash,
            confirm,
            idempotency_key,
        } = input;
        let answer = async {
            let mut errors = InputErrors::default();
            let input = activation::PromoteVersion {
                agent_id: errors.id("agentId", &agent_id),
                from: environment_key(&mut errors, "fromEnvironment", Some(&from_environment)),
                to: environment_key(&mut errors, "toEnvironment", Some(&to_environment)),
                expected_from: errors.id("expectedFromVersionId", &expected_from_version_id),
                expected_to: expected_to_version_id.map(|id| errors.id("expectedToVersionId", &id)),
                plan: confirmation(&mut errors, plan_hash.as_deref(), confirm),
            };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.promote_version(&caller, input).await
        };
        let answer = answer.await;
        ActivateVersionPayload::of(request, (&agent_id, Some(&to_environment)), answer).await
    }

    /// Goes back to a version that was active before in the same environment, past each version that a rollback has left: only
    /// `activateVersion` and `publishVersion` bring such a version back. After `deactivate`, or `archiveAgent` and
    /// `restoreAgent`, it returns to the version that served before. `Agent.rollbackTarget` is the version that it
    /// would activate. Needs EDITOR or `versions:activate`. Fails with INVALID if there is no version to go back to,
    /// and with ARCHIVED for an archived agent.
    async fn rollback(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent, how far to go back, and the version that you expect to be active.")]
        input: RollbackInput,
    ) -> async_graphql::Result<ActivateVersionPayload> {
        let (
            request,
            RollbackInput {
                agent_id,
                environment,
                expected_active_version_id,
                to_version_id,
                steps,
                idempotency_key,
            },
        ) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let agent = errors.id("agentId", &agent_id);
            let key = environment_key(&mut errors, "environment", environment.as_deref());
            let expected = expected(&mut errors, expected_active_version_id);
            let version = to_version_id.map(|version| errors.id("toVersionId", &version));
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            let to = errors.and(RollbackTo::of(version, steps))?;
            request.registry.rollback(&caller, agent, key, to, expected).await
        };
        let answer = answer.await;
        ActivateVersionPayload::of(request, (&agent_id, environment.as_deref()), answer).await
    }

    /// Ends serving in an environment: the agent has no active version there from the commit on. Needs EDITOR or `versions:activate`.
    async fn deactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent, and the version that you expect to be active.")] input: DeactivateInput,
    ) -> async_graphql::Result<ActivateVersionPayload> {
        let (request, DeactivateInput { agent_id, environment, expected_active_version_id, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let agent = errors.id("agentId", &agent_id);
            let key = environment_key(&mut errors, "environment", environment.as_deref());
            let expected = expected(&mut errors, expected_active_version_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.deactivate(&caller, agent, key, expected).await
        };
        let answer = answer.await;
        ActivateVersionPayload::of(request, (&agent_id, environment.as_deref()), answer).await
    }
}
