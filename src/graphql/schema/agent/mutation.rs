//! The mutations of agents: create, update, archive, restore.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};

use super::Agent;
use crate::{
    domain::{self, Error, Input, InputErrors, agent},
    graphql::{
        engine::context::{RequestView, request},
        schema::{
            error::{MutationResult, UserError, into_mutation_result},
            scalar::Revision,
        },
    },
};

/// The fields of a new agent.
#[derive(Clone, Debug, InputObject)]
pub struct CreateAgentInput {
    /// The UUID of the customer that the agent will belong to.
    customer_id: ID,
    /// The name, unique within the customer: 1 to 200 characters.
    name: String,
    /// The purpose, for people: at most 2,000 characters.
    description: Option<String>,
    /// The user responsible for the agent, who must be a member of the customer.
    owner_id: Option<ID>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The fields of an agent to change. A field that is left out keeps its value; null clears `description` and `ownerId`,
/// and fails with INVALID for `name`.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateAgentInput {
    /// The UUID of the agent to change.
    agent_id: ID,
    /// The new name, unique within the customer: 1 to 200 characters. Not null.
    name: MaybeUndefined<String>,
    /// The new purpose: at most 2,000 characters. Null clears it.
    description: MaybeUndefined<String>,
    /// The user responsible from now on, who must be a member of the customer. Null clears it.
    owner_id: MaybeUndefined<ID>,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The agent to archive.
#[derive(Clone, Debug, InputObject)]
pub struct ArchiveAgentInput {
    /// The UUID of the agent to archive.
    agent_id: ID,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

/// The agent to restore.
#[derive(Clone, Debug, InputObject)]
pub struct RestoreAgentInput {
    /// The UUID of the agent to restore.
    agent_id: ID,
    #[doc = idempotency_key!()]
    idempotency_key: Option<String>,
}

macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub struct $name {
            /// The agent after the write; null if there are `userErrors`.
            agent: Option<Agent>,
            /// The commit that brought the agent into this state, an earlier one if nothing had to change; null if
            /// there are `userErrors`.
            revision: Option<Revision>,
            /// Why nothing was written; empty on success.
            user_errors: Vec<UserError>,
        }

        impl $name {
            async fn of(view: RequestView, answer: domain::Result<domain::WriteResult<agent::Agent>>) -> async_graphql::Result<Self> {
                let MutationResult { value, revision, user_errors } = into_mutation_result(answer)?;
                let agent = match value {
                    Some(row) => view.agent(row.id).await?,
                    None => None,
                };
                Ok(Self { agent, revision, user_errors })
            }
        }
    )*};
}

payloads! {
    /// The result of `createAgent`.
    CreateAgentPayload;
    /// The result of `updateAgent`.
    UpdateAgentPayload;
    /// The result of `archiveAgent`.
    ArchiveAgentPayload;
    /// The result of `restoreAgent`.
    RestoreAgentPayload;
}

/// The root fields of `Mutation` that write agents.
#[derive(Default)]
pub struct AgentMutation;

#[Object]
impl AgentMutation {
    /// Creates an agent without versions. Needs EDITOR or `agents:write`. Fails with ALREADY_EXISTS for a name that
    /// is taken, and with LIMIT_REACHED beyond the plan.
    async fn create_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new agent's fields.")] input: CreateAgentInput,
    ) -> async_graphql::Result<CreateAgentPayload> {
        let (request, CreateAgentInput { customer_id, name, description, owner_id, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let input = agent::CreateAgent {
                customer_id: errors.id("customerId", &customer_id),
                name,
                description,
                owner_id: owner_id.map(|owner| errors.id("ownerId", &owner)),
            };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.create_agent(&caller, Input::new(input, errors)).await
        };
        CreateAgentPayload::of(request.fresh_view(), answer.await).await
    }

    /// Changes an agent's name, description or owner; its versions stay as they are. A new name also changes the
    /// served configuration. Needs EDITOR or `agents:write`.
    async fn update_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent, and the fields to change.")] input: UpdateAgentInput,
    ) -> async_graphql::Result<UpdateAgentPayload> {
        let (request, UpdateAgentInput { agent_id, name, description, owner_id, idempotency_key }) =
            (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let input = agent::UpdateAgent {
                id: errors.id("agentId", &agent_id),
                name: errors.take(not_null("name", name)).flatten(),
                description: patch(description),
                owner_id: patch(owner_id).map(|owner| owner.map(|owner| errors.id("ownerId", &owner))),
            };
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            request.registry.update_agent(&caller, Input::new(input, errors)).await
        };
        UpdateAgentPayload::of(request.fresh_view(), answer.await).await
    }

    /// Archives an agent: deactivates it, and rejects new versions and activations with ARCHIVED until it's
    /// restored. It keeps its name, and still counts against the plan. Needs EDITOR or `agents:write`.
    async fn archive_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent to archive.")] input: ArchiveAgentInput,
    ) -> async_graphql::Result<ArchiveAgentPayload> {
        let (request, ArchiveAgentInput { agent_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let agent = errors.id("agentId", &agent_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.archive_agent(&caller, agent).await
        };
        ArchiveAgentPayload::of(request.fresh_view(), answer.await).await
    }

    /// Restores an archived agent. It serves nothing until you activate a version. Needs EDITOR or `agents:write`.
    async fn restore_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The agent to restore.")] input: RestoreAgentInput,
    ) -> async_graphql::Result<RestoreAgentPayload> {
        let (request, RestoreAgentInput { agent_id, idempotency_key }) = (request(ctx)?, input);
        let answer = async {
            let mut errors = InputErrors::default();
            let agent = errors.id("agentId", &agent_id);
            let caller = request.caller_with_key(ctx, idempotency_key, &mut errors)?;
            errors.into_result()?;
            request.registry.restore_agent(&caller, agent).await
        };
        RestoreAgentPayload::of(request.fresh_view(), answer.await).await
    }
}

/// A field that can be changed, but not to null.
///
/// # Errors
/// [`Error::Invalid`] for null.
pub(in crate::graphql) fn not_null<T>(field: &str, value: MaybeUndefined<T>) -> domain::Result<Option<T>> {
    match value {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Value(value) => Ok(Some(value)),
        MaybeUndefined::Null => {
            let message = format!("{field} must not be null; leave it out to keep it");
            Err(Error::invalid(field, message))
        }
    }
}

/// Turns an input field into a patch: keep (left out), clear (null), or set.
pub(in crate::graphql) fn patch<T>(value: MaybeUndefined<T>) -> domain::Patch<T> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}
