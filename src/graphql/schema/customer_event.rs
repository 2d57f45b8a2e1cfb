//! Events of customers in the GraphQL schema: what changed, for clients that read a customer's agents.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::{
    actor::Actor,
    agent::Agent,
    change::ChangeAction,
    error::{Nullable, linked, to_graphql_error},
    scalar::{Cursor, DateTime, Revision, to_id},
    version::AgentVersion,
};
use crate::{
    domain::{Error, change},
    graphql::engine::context::RequestView,
};

/// A change to a customer, its environments, agents or versions. It tells a client what to refetch. Changes of members,
/// invitations and API keys are in `changes` only.
#[derive(Clone)]
pub struct CustomerEvent {
    row: Arc<change::Change>,
    view: RequestView,
}

impl CustomerEvent {
    pub(in crate::graphql) fn new(row: Arc<change::Change>, view: RequestView) -> Self {
        Self { row, view }
    }
}

/// A change to a customer, its environments, agents or versions. It tells a client what to refetch. Changes of members,
/// invitations and API keys are in `changes` only.
#[Object]
impl CustomerEvent {
    /// The event's position in the log. Pass it as `after` to a subscription, which then continues with the next event.
    async fn cursor(&self) -> Cursor {
        Cursor(change::Cursor::of(&self.row).to_string())
    }

    /// The commit that made the change; other events of the same commit share it.
    async fn revision(&self) -> Revision {
        self.row.revision
    }

    /// When the commit got its revision; never earlier than for the revision before.
    async fn at(&self) -> DateTime {
        self.row.at.into()
    }

    /// The kind of change. CUSTOMER_PLAN_SET and CUSTOMER_BILLING_SET are for members and operators.
    async fn action(&self) -> ChangeAction {
        self.row.action.into()
    }

    /// The caller that made the change.
    async fn actor(&self) -> Actor {
        Actor::new(self.row.actor_kind, self.row.actor_id, self.view.clone())
    }

    /// The UUID of the customer whose data changed.
    async fn customer_id(&self) -> async_graphql::Result<ID> {
        let customer = self.row.customer_id.map(to_id);
        customer.ok_or_else(|| to_graphql_error(&Error::Internal("an event has no customer".into())))
    }

    /// The UUID of the agent that changed; null if the event isn't about an agent.
    async fn agent_id(&self) -> Option<ID> {
        self.row.agent_id.map(to_id)
    }

    /// The agent that changed, as it is now; null if the event isn't about an agent.
    async fn agent(&self) -> Nullable<Agent> {
        linked(self.row.agent_id, |id| self.view.agent(id)).await
    }

    /// The version that was published or activated; null if there is none.
    async fn version(&self) -> Nullable<AgentVersion> {
        linked(self.row.version_id, |id| self.view.version(id)).await
    }

    /// The key of the environment that changed, or in which a version was activated or an agent deactivated; null for
    /// other events.
    async fn environment_key(&self) -> Option<String> {
        self.row.event_environment().map(|key| key.to_string())
    }
}
