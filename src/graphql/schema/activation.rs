//! Activations in the GraphQL schema: the records, and the mutations that create them.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::{
    actor::Actor,
    agent::{Agent, patch},
    error::{MutationResult, Nullable, UserError, into_mutation_result, linked, to_graphql_error},
    page::{ACTIVATIONS, connection},
    scalar::{Cursor, DateTime, Revision, id, to_id},
    version::AgentVersion,
};
use crate::{
    domain::{
        self, BoundedCount, Error, ErrorCode, InputErrors, Page, PageArgs, WriteResult, activation,
        page::ListId, rollback::RollbackTo,
    },
    graphql::engine::context::{Request, RequestView, request},
    id::{ActivationId, AgentId},
};

/// The record of one change of an agent's active version. It never changes.
#[derive(Clone)]
pub struct Activation {
    pub(in crate::graphql) row: Arc<activation::Activation>,
    pub(in crate::graphql) view: RequestView,
}

/// What changed an agent's active version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "ActivationReason", remote = "activation::Reason")]
pub enum ActivationReason {
    /// `activateVersion`, or an import, activated this version.
    Activate,
    /// `publishVersion` published and activated the version in one commit.
    Publish,
    /// `rollback` activated a version that was active before.
    Rollback,
    /// `deactivate` ended serving: no version is active.
    Deactivate,
    /// `archiveAgent` ended serving and archived the agent.
    Archive,
}

/// The record of one change of an agent's active version. It never changes.
#[Object]
impl Activation {
    /// The record's UUID, which never changes.
    pub(in crate::graphql) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The commit that changed the active version.
    async fn revision(&self) -> async_graphql::Result<Revision> {
        self.row.revision.ok_or_else(missing_revision)
    }

    /// The record's position in the audit log. Pass it as `after` to a subscription, which then continues with the
    /// next event.
    async fn cursor(&self) -> async_graphql::Result<Cursor> {
        self.row.cursor().map(|cursor| Cursor(cursor.to_string())).ok_or_else(missing_revision)
    }

    /// The agent whose active version changed.
    async fn agent(&self) -> async_graphql::Result<Agent> {
        let agent = self.view.agent(self.row.agent_id).await?;
        agent.ok_or_else(|| to_graphql_error(&Error::NotFound("agent")))
    }

    /// The version that is active from then on; null for a deactivation.
    async fn version(&self) -> Nullable<AgentVersion> {
        linked(self.row.version_id, |id| self.view.version(id)).await
    }

    /// The version that was active before; null if there was none.
    async fn previous_version(&self) -> Nullable<AgentVersion> {
        linked(self.row.previous_version_id, |id| self.view.version(id)).await
    }

    /// What made the change.
    async fn reason(&self) -> ActivationReason {
        self.row.reason.into()
    }

    /// The user, API key or operator that made the change; SYSTEM for an import on the command line.
    async fn activated_by(&self) -> Actor {
        Actor::new(self.row.activated_by_kind, self.row.activated_by_id, self.view.clone())
    }

    /// When the active version changed.
    async fn activated_at(&self) -> DateTime {
        self.row.activated_at.into()
    }
}

fn missing_revision() -> async_graphql::Error {
    to_graphql_error(&Error::Internal("an activation has no revision".into()))
}

/// What `totalCount` counts: the activations of one agent.
pub struct Count {
    view: RequestView,
    agent: AgentId,
}

async fn count(of: &Count) -> async_graphql::Result<BoundedCount> {
    Ok(of.view.loaders().activation_counts.load(of.agent).await?.map(|count| *count).unwrap_or_default())
}

connection!(
    /// A page of activations.
    ActivationConnection, ActivationEdge, Activation, |node: &Activation| node.row.id, count, Count
);

impl ActivationConnection {
    pub(in crate::graphql) async fn of_agent(
        view: &RequestView,
        agent: AgentId,
        args: PageArgs<ActivationId>,
    ) -> async_graphql::Result<Self> {
        let page = view.loaders().activation_pages.load((agent, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| Activation { row: Arc::clone(row), view: view.clone() })
        });
        Ok(Self::new(page, ListId::below(ACTIVATIONS, agent), Count { view: view.clone(), agent }))
    }
}

impl RequestView {
    pub(in crate::graphql) async fn activation(
        &self,
        id: ActivationId,
    ) -> async_graphql::Result<Option<Activation>> {
        Ok(self.loaders().activations.load(id).await?.map(|row| Activation { row, view: self.clone() }))
    }
}

/// The version to activate.
#[derive(Clone, Debug, InputObject)]
pub struct ActivateVersionInput {
    /// The UUID of the agent to change.
    agent_id: ID,
    /// The UUID of the version to activate; must be one of the agent's own.
    version_id: ID,
    /// Fail with CONFLICT if another version than this one is active now; null expects that none is. Not checked if
    /// left out.
    expected_active_version_id: MaybeUndefined<ID>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The agent to roll back, and how far.
#[derive(Clone, Debug, InputObject)]
pub struct RollbackInput {
    /// The UUID of the agent to roll back.
    agent_id: ID,
    /// Fail with CONFLICT if another version than this one is active now; null expects that none is. Not checked if
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
    /// Fail with CONFLICT if another version than this one is active now; null expects that none is. Not checked if
    /// left out.
    expected_active_version_id: MaybeUndefined<ID>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The result of `activateVersion`, `rollback` and `deactivate`.
#[derive(SimpleObject)]
pub struct ActivateVersionPayload {
    /// The agent after the write. After a CONFLICT too, with the version that is active now; null after other
    /// errors.
    agent: Option<Agent>,
    /// The record of this change, or of the earlier one if nothing had to change; null if the agent has no record,
    /// or after an error.
    activation: Option<Activation>,
    /// The commit that brought the agent into this state, an earlier one if nothing had to change; null if there
    /// are `userErrors`.
    revision: Option<Revision>,
    /// Why nothing was changed; empty on success, also if nothing had to change.
    user_errors: Vec<UserError>,
}

impl ActivateVersionPayload {
    async fn of(
        request: &Request,
        agent: &ID,
        answer: domain::Result<WriteResult<activation::ActivationResult>>,
    ) -> async_graphql::Result<Self> {
        let conflict = matches!(&answer, Err(err) if err.code() == ErrorCode::Conflict);
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
        Ok(Self { agent, activation, revision, user_errors })
    }
}

fn expected(errors: &mut InputErrors, version: MaybeUndefined<ID>) -> activation::ExpectedVersion {
    patch(version).map(|version| version.map(|version| errors.id("expectedActiveVersionId", &version)))
}

/// The root fields of `Mutation` that change what an agent serves.
#[derive(Default)]
pub struct ActivationMutation;

#[Object]
impl ActivationMutation {
    /// Makes a version its agent's active one, which is served from the commit on. Activating the active version
    /// again changes nothing. Needs EDITOR or `versions:activate`. Fails with ARCHIVED for an archived agent.
    async fn activate_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The version, and the one that you expect to be active.")]
        input: ActivateVersionInput,
    ) -> async_graphql::Result<ActivateVersionPayload> {
        let (
            request,
            ActivateVersionInput { agent_id, version_id, expected_active_version_id, idempotency_key },
        ) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let input = activation::ActivateVersion {
                agent_id: errors.id("agentId", &agent_id),
                version_id: errors.id("versionId", &version_id),
                expected: expected(&mut errors, expected_active_version_id),
            };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.activate_version(&caller, input).await
        };
        ActivateVersionPayload::of(request, &agent_id, answer.await).await
    }

    /// Goes back to a version that was active before, past each version that a rollback has left: only
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
            RollbackInput { agent_id, expected_active_version_id, to_version_id, steps, idempotency_key },
        ) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let agent = errors.id("agentId", &agent_id);
            let expected = expected(&mut errors, expected_active_version_id);
            let version = to_version_id.map(|version| errors.id("toVersionId", &version));
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            let to = errors.and(RollbackTo::of(version, steps))?;
            request.registry.rollback(&caller, agent, to, expected).await
        };
        ActivateVersionPayload::of(request, &agent_id, answer.await).await
    }

    /// Ends serving: the agent has no active version from the commit on. Needs EDITOR or `versions:activate`.
    async fn deactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent, and the version that you expect to be active.")] input: DeactivateInput,
    ) -> async_graphql::Result<ActivateVersionPayload> {
        let (request, DeactivateInput { agent_id, expected_active_version_id, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let agent = errors.id("agentId", &agent_id);
            let expected = expected(&mut errors, expected_active_version_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.deactivate(&caller, agent, expected).await
        };
        ActivateVersionPayload::of(request, &agent_id, answer.await).await
    }
}
