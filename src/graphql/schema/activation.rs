//! Activations in the graph: the mutations that make them, and the records of them.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::{
    agent::{Agent, patch},
    error::{Nullable, Outcome, UserError, linked, refuse, settle},
    page::connection,
    scalar::{Cursor, DateTime, Revision, id, to_id},
    user::Actor,
    version::AgentVersion,
};
use crate::{
    domain::{self, Changed, Error, ErrorCode, Page, PageArgs, activation as verbs},
    graphql::engine::{
        context::{Lens, Request, request},
        inline_fields::Plain,
    },
    id::{ActivationId, AgentId},
};

/// One time that an agent's active version changed.
#[derive(Clone)]
pub struct Activation {
    pub(in crate::graphql) row: Arc<verbs::Activation>,
    pub(in crate::graphql) lens: Lens,
}

/// Why an agent's active version changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "ActivationReason", remote = "verbs::Reason")]
pub enum ActivationReason {
    /// A version was named.
    Activate,
    /// A version was published and activated in one.
    Publish,
    /// Back to the version that was active before.
    Rollback,
    /// Nothing serves any more.
    Deactivate,
    /// The agent was archived.
    Archive,
}

/// One time that an agent's active version changed.
#[Object]
impl Activation {
    /// Its UUID.
    pub(in crate::graphql) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The commit that did it.
    async fn revision(&self) -> async_graphql::Result<Revision> {
        self.row.revision.map(Revision).ok_or_else(unnumbered)
    }

    /// Where it stands in the log: pass it as `after` to go on from here.
    async fn cursor(&self) -> async_graphql::Result<Cursor> {
        self.row.cursor().map(|cursor| Cursor(cursor.to_string())).ok_or_else(unnumbered)
    }

    /// Of which agent.
    async fn agent(&self) -> async_graphql::Result<Agent> {
        let agent = self.lens.agent(self.row.agent_id).await?;
        agent.ok_or_else(|| refuse(&Error::NotFound("agent")))
    }

    /// What serves from then on; null when nothing does.
    async fn version(&self) -> Nullable<AgentVersion> {
        linked(self.row.version_id, |id| self.lens.version(id)).await
    }

    /// What served until then; null when nothing did.
    async fn previous_version(&self) -> Nullable<AgentVersion> {
        linked(self.row.previous_version_id, |id| self.lens.version(id)).await
    }

    /// Why.
    async fn reason(&self) -> ActivationReason {
        self.row.reason.into()
    }

    /// Who did it.
    async fn activated_by(&self) -> Actor {
        Actor::new(self.row.activated_by_kind, self.row.activated_by_id, self.lens.clone())
    }

    /// When.
    async fn activated_at(&self) -> DateTime {
        self.row.activated_at.into()
    }
}

fn unnumbered() -> async_graphql::Error {
    refuse(&Error::Internal("an activation without a revision".into()))
}

/// What a list of activations counts.
pub struct Count {
    lens: Lens,
    agent: AgentId,
}

async fn count(of: &Count) -> async_graphql::Result<u64> {
    Ok(of.lens.activation_counts.load(of.agent).await?.map_or(0, |count| *count))
}

impl Plain for Activation {}

connection!(
    /// A page of activations.
    ActivationConnection, ActivationEdge, Activation, |node: &Activation| node.row.id, count, Count
);

impl ActivationConnection {
    pub(in crate::graphql) async fn of_agent(
        lens: &Lens,
        agent: AgentId,
        args: PageArgs<ActivationId>,
    ) -> async_graphql::Result<Self> {
        let page = lens.activation_pages.load((agent, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| Activation { row: Arc::clone(row), lens: lens.clone() })
        });
        Ok(Self::new(page, Count { lens: lens.clone(), agent }))
    }
}

impl Lens {
    pub(in crate::graphql) async fn activation(
        &self,
        id: ActivationId,
    ) -> async_graphql::Result<Option<Activation>> {
        Ok(self.activations.load(id).await?.map(|row| Activation { row, lens: self.clone() }))
    }
}

/// Which version is to serve.
#[derive(Clone, Debug, InputObject)]
pub struct ActivateVersionInput {
    /// Of which agent.
    agent_id: ID,
    /// Which of its versions.
    version_id: ID,
    /// Refuse with CONFLICT when another version is active than this one; null expects none to be.
    expected_active_version_id: MaybeUndefined<ID>,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. The same, sent again with it within 24
    /// hours, is not done again: its object, as it is now, and its revision are told again, but no secret.
    idempotency_key: Option<String>,
}

/// Which agent is to serve what it served before.
#[derive(Clone, Debug, InputObject)]
pub struct RollbackInput {
    /// Which one.
    agent_id: ID,
    /// Refuse with CONFLICT when another version is active than this one.
    expected_active_version_id: MaybeUndefined<ID>,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. The same, sent again with it within 24
    /// hours, is not done again: its object, as it is now, and its revision are told again, but no secret.
    idempotency_key: Option<String>,
}

/// Which agent is to serve nothing.
#[derive(Clone, Debug, InputObject)]
pub struct DeactivateInput {
    /// Which one.
    agent_id: ID,
    /// Refuse with CONFLICT when another version is active than this one.
    expected_active_version_id: MaybeUndefined<ID>,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. The same, sent again with it within 24
    /// hours, is not done again: its object, as it is now, and its revision are told again, but no secret.
    idempotency_key: Option<String>,
}

/// What activating, rolling back or deactivating came to.
#[derive(SimpleObject)]
pub struct ActivateVersionPayload {
    /// The agent as it is now, also after a CONFLICT: it shows what is active.
    agent: Option<Agent>,
    /// The record of the change, or of the earlier one that made it so already; null when there is none.
    activation: Option<Activation>,
    /// The commit that made it so.
    revision: Option<Revision>,
    /// Why nothing was changed; empty when it was, or was so already.
    user_errors: Vec<UserError>,
}

impl ActivateVersionPayload {
    async fn of(
        request: &Request,
        agent: &ID,
        answer: domain::Result<Changed<verbs::Switched>>,
    ) -> async_graphql::Result<Self> {
        let conflict = matches!(&answer, Err(err) if err.code() == ErrorCode::Conflict);
        let Outcome { value, revision, user_errors } = settle(answer)?;
        let lens = request.fresh();
        let (agent, activation) = match value {
            Some(verbs::Switched { agent, activation }) => (Some(agent.id), activation),
            None if conflict => (id("agentId", agent).ok(), None),
            None => (None, None),
        };
        let agent = match agent {
            Some(agent) => lens.agent(agent).await?,
            None => None,
        };
        let activation = match activation {
            Some(activation) => lens.activation(activation).await?,
            None => None,
        };
        Ok(Self { agent, activation, revision, user_errors })
    }
}

fn expected(id_or: MaybeUndefined<ID>) -> domain::Result<verbs::Expected> {
    let expected =
        |version: Option<ID>| version.map(|version| id("expectedActiveVersionId", &version)).transpose();
    patch(id_or).map(expected).transpose()
}

/// Their mutations.
#[derive(Default)]
pub struct ActivationMutation;

#[Object]
impl ActivationMutation {
    /// Makes a version the one that its agent serves. Activating the one that already serves changes nothing.
    async fn activate_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which version, and what is expected to serve until then.")]
        input: ActivateVersionInput,
    ) -> async_graphql::Result<ActivateVersionPayload> {
        let (
            request,
            ActivateVersionInput { agent_id, version_id, expected_active_version_id, idempotency_key },
        ) = (request(ctx)?, input);
        let answer = async {
            let input = verbs::ActivateVersion {
                agent_id: id("agentId", &agent_id)?,
                version_id: id("versionId", &version_id)?,
                expected: expected(expected_active_version_id)?,
            };
            request.registry.activate_version(&request.once(ctx, idempotency_key)?, input).await
        };
        ActivateVersionPayload::of(request, &agent_id, answer.await).await
    }

    /// Makes the version serve again that was active before the current activation.
    async fn rollback(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which agent, and what is expected to serve until then.")] input: RollbackInput,
    ) -> async_graphql::Result<ActivateVersionPayload> {
        let (request, RollbackInput { agent_id, expected_active_version_id, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let expected = expected(expected_active_version_id)?;
            request
                .registry
                .rollback(&request.once(ctx, idempotency_key)?, id("agentId", &agent_id)?, expected)
                .await
        };
        ActivateVersionPayload::of(request, &agent_id, answer.await).await
    }

    /// Makes an agent serve nothing.
    async fn deactivate(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which agent, and what is expected to serve until then.")] input: DeactivateInput,
    ) -> async_graphql::Result<ActivateVersionPayload> {
        let (request, DeactivateInput { agent_id, expected_active_version_id, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let expected = expected(expected_active_version_id)?;
            request
                .registry
                .deactivate(&request.once(ctx, idempotency_key)?, id("agentId", &agent_id)?, expected)
                .await
        };
        ActivateVersionPayload::of(request, &agent_id, answer.await).await
    }
}
