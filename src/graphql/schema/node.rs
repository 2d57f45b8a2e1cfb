//! Any object by its id alone (Relay Global Object Identification).

use async_graphql::{Context, ID, Interface, Object};
use uuid::Uuid;

use super::{
    activation::Activation,
    agent::Agent,
    customer::Customer,
    error::{Nullable, refuse, root},
    user::User,
    version::AgentVersion,
};
use crate::{
    domain::{
        Error,
        policy::{self, Action},
    },
    graphql::engine::context::{Lens, request},
};

/// The most ids that `nodes` takes at once: as many as a page has.
const NODES_MAX: usize = 100;

/// An object with an id of its own.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Its UUID, the same everywhere."))]
pub enum Node {
    /// A customer.
    Customer(Customer),
    /// An agent.
    Agent(Agent),
    /// A version of an agent.
    AgentVersion(AgentVersion),
    /// A record of an agent's active version having changed.
    Activation(Activation),
    /// A person.
    User(User),
}

impl Lens {
    /// Whatever has this id. UUIDs don't tell of what, so each table is asked, once for all ids of a query.
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
        // To who may see no people, there are none.
        if policy::allow(&self.reading.caller, Action::ReadPeople).is_err() {
            return Ok(None);
        }
        Ok(self.user(id.into()).await?.map(Into::into))
    }
}

/// Its queries.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object of this id; null when there is none, or none that you may see.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Its UUID.")] id: ID) -> Nullable<Node> {
        root(async {
            let lens = request(ctx)?.lens();
            lens.allow(Action::ReadAgents)?;
            lens.node(&id).await
        })
        .await
    }

    /// The objects of these ids, in their order; null for each that does not exist or that you may not see.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Their UUIDs, at most 100.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        let lens = request(ctx)?.lens();
        lens.allow(Action::ReadAgents)?;
        if ids.len() > NODES_MAX {
            let (field, unit) = ("ids".to_owned(), "ids");
            return Err(refuse(&Error::TooLarge { field, actual: ids.len(), limit: NODES_MAX, unit }));
        }
        futures_util::future::try_join_all(ids.iter().map(|id| lens.node(id))).await
    }
}
