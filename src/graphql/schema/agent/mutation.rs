//! What can be done to agents.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::Agent;
use crate::{
    domain::{self, agent as verbs},
    graphql::{
        engine::context::{Lens, request},
        schema::{
            error::{Outcome, UserError, settle},
            scalar::{Revision, id},
        },
    },
};

/// A new agent.
#[derive(Clone, Debug, InputObject)]
pub struct CreateAgentInput {
    /// Whose it is.
    customer_id: ID,
    /// Unique within the customer: 1 to 200 characters.
    name: String,
    /// What it is for: at most 2,000 characters.
    description: Option<String>,
    /// Who answers for it: a member of the customer.
    owner_id: Option<ID>,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. The same, sent again with it within 24
    /// hours, is not done again: its object, as it is now, and its revision are told again, but no secret.
    idempotency_key: Option<String>,
}

/// What an agent is to become; what is left out stays, null takes away.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateAgentInput {
    /// Which one.
    agent_id: ID,
    /// Its new name: 1 to 200 characters.
    name: Option<String>,
    /// What it is for: at most 2,000 characters.
    description: MaybeUndefined<String>,
    /// Who answers for it: a member of the customer.
    owner_id: MaybeUndefined<ID>,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. The same, sent again with it within 24
    /// hours, is not done again: its object, as it is now, and its revision are told again, but no secret.
    idempotency_key: Option<String>,
}

/// Which agent to put away.
#[derive(Clone, Debug, InputObject)]
pub struct ArchiveAgentInput {
    /// Which one.
    agent_id: ID,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. The same, sent again with it within 24
    /// hours, is not done again: its object, as it is now, and its revision are told again, but no secret.
    idempotency_key: Option<String>,
}

/// Which agent to take back.
#[derive(Clone, Debug, InputObject)]
pub struct RestoreAgentInput {
    /// Which one.
    agent_id: ID,
    /// A key of your choice for this one write: 1 to 255 printable ASCII characters. The same, sent again with it within 24
    /// hours, is not done again: its object, as it is now, and its revision are told again, but no secret.
    idempotency_key: Option<String>,
}

macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub struct $name {
            /// The agent as it is now; null when it was not written.
            agent: Option<Agent>,
            /// The commit that made it so.
            revision: Option<Revision>,
            /// Why it was not written; empty when it was.
            user_errors: Vec<UserError>,
        }

        impl $name {
            async fn of(lens: Lens, answer: domain::Result<domain::Changed<verbs::Agent>>) -> async_graphql::Result<Self> {
                let Outcome { value, revision, user_errors } = settle(answer)?;
                let agent = match value {
                    Some(row) => lens.agent(row.id).await?,
                    None => None,
                };
                Ok(Self { agent, revision, user_errors })
            }
        }
    )*};
}

payloads! {
    /// What creating an agent came to.
    CreateAgentPayload;
    /// What changing an agent came to.
    UpdateAgentPayload;
    /// What archiving an agent came to.
    ArchiveAgentPayload;
    /// What restoring an agent came to.
    RestoreAgentPayload;
}

/// Its mutations.
#[derive(Default)]
pub struct AgentMutation;

#[Object]
impl AgentMutation {
    /// Creates an agent, without a version.
    async fn create_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new agent.")] input: CreateAgentInput,
    ) -> async_graphql::Result<CreateAgentPayload> {
        let (request, CreateAgentInput { customer_id, name, description, owner_id, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let input = verbs::CreateAgent {
                customer_id: id("customerId", &customer_id)?,
                name,
                description,
                owner_id: owner_id.map(|owner| id("ownerId", &owner)).transpose()?,
            };
            request.registry.create_agent(&request.once(ctx, idempotency_key)?, input).await
        };
        CreateAgentPayload::of(request.fresh(), answer.await).await
    }

    /// Changes an agent's own fields. Its versions are not touched.
    async fn update_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateAgentInput,
    ) -> async_graphql::Result<UpdateAgentPayload> {
        let (request, UpdateAgentInput { agent_id, name, description, owner_id, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let owner = patch(owner_id)
                .map(|owner| owner.map(|owner| id("ownerId", &owner)).transpose())
                .transpose()?;
            let input = verbs::UpdateAgent {
                id: id("agentId", &agent_id)?,
                name,
                description: patch(description),
                owner_id: owner,
            };
            request.registry.update_agent(&request.once(ctx, idempotency_key)?, input).await
        };
        UpdateAgentPayload::of(request.fresh(), answer.await).await
    }

    /// Puts an agent away: it stops serving, and takes no version until it is restored.
    async fn archive_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ArchiveAgentInput,
    ) -> async_graphql::Result<ArchiveAgentPayload> {
        let (request, ArchiveAgentInput { agent_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            request
                .registry
                .archive_agent(&request.once(ctx, idempotency_key)?, id("agentId", &agent_id)?)
                .await
        };
        ArchiveAgentPayload::of(request.fresh(), answer.await).await
    }

    /// Takes an archived agent back. It does not serve until a version is activated.
    async fn restore_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RestoreAgentInput,
    ) -> async_graphql::Result<RestoreAgentPayload> {
        let (request, RestoreAgentInput { agent_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            request
                .registry
                .restore_agent(&request.once(ctx, idempotency_key)?, id("agentId", &agent_id)?)
                .await
        };
        RestoreAgentPayload::of(request.fresh(), answer.await).await
    }
}

/// Left out, taken away, or set.
pub(in crate::graphql) fn patch<T>(value: MaybeUndefined<T>) -> domain::Patch<T> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}
