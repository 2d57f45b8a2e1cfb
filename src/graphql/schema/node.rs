//! Any object by its id alone (Relay Global Object Identification).

use async_graphql::{Context, ID, Interface, Object};
use uuid::Uuid;

use super::{
    activation::Activation,
    agent::Agent,
    api_key::ApiKey,
    customer::Customer,
    environment::Environment,
    error::{Nullable, nullable_root, to_graphql_error},
    invitation::Invitation,
    service_token::ServiceToken,
    user::User,
    version::AgentVersion,
};
use crate::{
    domain::{
        Error,
        policy::{self, Action},
    },
    graphql::engine::context::{RequestView, request},
};

/// The most ids that `nodes` accepts at once: as many as a page has objects.
const NODES_MAX: usize = 100;

/// An object that `node` and `nodes` find by its id alone.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The object's UUID, unique across all types."))]
pub enum Node {
    /// A customer that you can see.
    Customer(Customer),
    /// An agent that you can see.
    Agent(Agent),
    /// A version of an agent that you can see.
    AgentVersion(AgentVersion),
    /// A record of a change of an agent's active version.
    Activation(Activation),
    /// An API key of a customer; for its ADMINs and operators.
    ApiKey(ApiKey),
    /// An open invitation to a customer; for its ADMINs and operators.
    Invitation(Invitation),
    /// A service token; for operators.
    ServiceToken(ServiceToken),
    /// An environment of a customer that you can see.
    Environment(Environment),
    /// A user that you can see.
    User(User),
}

impl RequestView {
    /// Looks an id up in each table, because a UUID doesn't say what it names; each table is read once for all ids
    /// of a query.
    async fn node(&self, id: &ID) -> async_graphql::Result<Option<Node>> {
        let Ok(id) = id.parse::<Uuid>() else {
            return Ok(None);
        };
        if let Some(agent) = self.agent(id.into()).await? {
            return Ok(Some(agent.into()));
        }
        if let Some(version) = self.version(id.into()).await? {
            return Ok(Some(version.into()));
        }
        if let Some(customer) = self.customer(id.into()).await? {
            return Ok(Some(customer.into()));
        }
        if let Some(activation) = self.activation(id.into()).await? {
            return Ok(Some(activation.into()));
        }
        if let Some(environment) = self.environment(id.into()).await? {
            return Ok(Some(environment.into()));
        }
        if let Some(key) = self.api_key(id.into()).await? {
            return Ok(Some(key.into()));
        }
        if let Some(invitation) = self.invitation(id.into()).await? {
            return Ok(Some(invitation.into()));
        }
        // Callers who may not see people find no users, rather than an error.
        if policy::allow(self.caller(), Action::ReadPeople).is_ok()
            && let Some(user) = self.user(id.into()).await?
        {
            return Ok(Some(user.into()));
        }
        Ok(self.service_token(id.into()).await?.map(Into::into))
    }
}

/// The root fields of `Query` that find objects by id.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this id; null if it doesn't exist or you can't see it. Not for service tokens; API keys need
    /// `agents:read`.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The object's UUID.")] id: ID,
    ) -> Nullable<Node> {
        nullable_root(async {
            let view = request(ctx)?.view();
            view.allow(Action::ReadAgents)?;
            view.node(&id).await
        })
        .await
    }

    /// The objects with these ids, in the same order; null for each that doesn't exist or that you can't see. Not
    /// for service tokens; API keys need `agents:read`.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The objects' UUIDs, at most 100.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        let view = request(ctx)?.view();
        view.allow(Action::ReadAgents)?;
        if ids.len() > NODES_MAX {
            let (field, unit) = ("ids".to_owned(), "ids");
            return Err(to_graphql_error(&Error::TooLarge {
                field,
                actual: ids.len(),
                limit: NODES_MAX,
                unit,
            }));
        }
        futures_util::future::try_join_all(ids.iter().map(|id| view.node(id))).await
    }
}
