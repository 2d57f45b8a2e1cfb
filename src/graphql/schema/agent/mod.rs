//! Agents in the GraphQL schema: the object and its filter. The lists and queries are in `list.rs`, the mutations in
//! `mutation.rs`.

use std::sync::Arc;

use async_graphql::{ID, Object};

mod list;
mod mutation;

pub use list::{AgentConnection, AgentFilter, AgentOrder, AgentQuery};
pub(in crate::graphql) use list::{listing, ordered_list};
pub use mutation::AgentMutation;
pub(in crate::graphql) use mutation::{not_null, patch};

use super::{
    activation::{Activation, ActivationConnection},
    change::{ChangeConnection, ChangeFilter},
    customer::Customer,
    diff::VersionDiff,
    environment::{Serving, key_argument, keys_argument},
    error::{Nullable, linked, nullable, to_graphql_error},
    page::{ACTIVATIONS, CHANGES, VERSIONS, page_args},
    scalar::{DateTime, to_id},
    user::{Permission, User},
    version::{AgentVersion, AgentVersionConnection},
};
use crate::{
    domain::{
        Error,
        agent::{self, AgentPosition},
        audit::AuditSubject,
        environment::EnvironmentKey,
        page::ListId,
        permission,
        policy::Action,
    },
    graphql::engine::context::RequestView,
};

/// An agent of a customer: a lasting name, under which versions are published and one of them is served.
#[derive(Clone)]
pub struct Agent {
    pub(in crate::graphql) row: Arc<agent::Agent>,
    pub(in crate::graphql) view: RequestView,
    /// Its position in the list that led to it; `None` in a list that is ordered by ids.
    position: Option<Arc<AgentPosition>>,
}

impl Agent {
    /// The agent, which no list led to.
    pub(in crate::graphql) fn new(row: Arc<agent::Agent>, view: RequestView) -> Self {
        Self { row, view, position: None }
    }

    /// The agent's position in the list that led to it.
    fn position(&self) -> AgentPosition {
        self.position.as_deref().cloned().unwrap_or_else(|| AgentPosition::of_id(self.row.id))
    }
}

/// An agent of a customer: a lasting name, under which versions are published and one of them is served.
#[Object]
impl Agent {
    /// The agent's UUID, which never changes.
    pub(in crate::graphql) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The name, unique within the customer: 1 to 200 characters. Erasing the customer replaces it.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// The purpose, as its authors describe it, at most 2,000 characters. Null if none was written; also for
    /// service tokens and for API keys that have only `changes:read`.
    async fn description(&self) -> Nullable<&str> {
        nullable(async {
            self.view.allow(Action::ReadNotes)?;
            let description = self.row.description.as_deref();
            self.view.weigh_text(description.unwrap_or_default())?;
            Ok(description)
        })
        .await
    }

    /// The customer that the agent belongs to. FORBIDDEN for service tokens, and for API keys without
    /// `agents:read`.
    async fn customer(&self) -> async_graphql::Result<Customer> {
        let customer = self.view.customer(self.row.customer_id).await?;
        customer.ok_or_else(|| to_graphql_error(&Error::NotFound("customer")))
    }

    /// The member responsible for the agent. Null if there is none, or that member has left; also for service
    /// tokens, and for API keys without `changes:read`.
    async fn owner(&self) -> Nullable<User> {
        linked(self.row.owner_id, |id| self.view.user(id)).await
    }

    /// The version that is active in `production`, which is served unless the customer is SUSPENDED or CANCELED; null if no
    /// version is active there.
    async fn active_version(&self) -> Nullable<AgentVersion> {
        linked(self.row.active_version_id, |id| self.view.version(id)).await
    }

    /// What the agent serves in each environment that isn't archived, by rank. FORBIDDEN for service tokens, and for API
    /// keys without `agents:read`.
    async fn servings(&self) -> async_graphql::Result<Vec<Serving>> {
        self.view.servings_of(self).await
    }

    /// What the agent serves in one environment. Null if the customer has no such environment; also for service tokens,
    /// and for API keys without `agents:read`.
    async fn serving(
        &self,
        #[graphql(desc = "The key of the environment; `production` if left out.")] environment: Option<
            String,
        >,
    ) -> Nullable<Serving> {
        nullable(async { self.view.serving_of(self, &key_argument(environment.as_deref())?).await }).await
    }

    /// The last change of what the agent serves in one environment; null if nothing ever served there. Null for service
    /// tokens, and for API keys without `agents:read`.
    async fn latest_activation(
        &self,
        #[graphql(desc = "The key of the environment; `production` if left out.")] environment: Option<
            String,
        >,
    ) -> Nullable<Activation> {
        nullable(async {
            self.view.latest_activation(self.row.id, &key_argument(environment.as_deref())?).await
        })
        .await
    }

    /// The version that `rollback` without `toVersionId` and `steps` would activate in `production`. Null if there is none to go back
    /// to, and while the agent is archived; also for service tokens, and for API keys without `agents:read`.
    async fn rollback_target(&self) -> Nullable<AgentVersion> {
        nullable(async { self.view.rollback_target(self.row.id, &EnvironmentKey::default()).await }).await
    }

    /// The agent's versions, newest first. FORBIDDEN for service tokens, and for API keys without `agents:read`.
    async fn versions(
        &self,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<AgentVersionConnection> {
        let list = ListId::below(VERSIONS, self.row.id);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        AgentVersionConnection::of_agent(&self.view, &self.row, args).await
    }

    /// The newest version, whose `number` is also how many there are; null if there is none. Null for service tokens, and
    /// for API keys without `agents:read`.
    async fn latest_version(&self) -> Nullable<AgentVersion> {
        let number = Some(self.row.latest_number).filter(|number| *number > 0);
        linked(number, |number| self.view.version_of(self.row.id, number)).await
    }

    /// The version with this number; null if there is none. Null for service tokens, and for API keys without
    /// `agents:read`.
    async fn version(
        &self,
        #[graphql(desc = "The version's number; the first version of an agent is 1.")] number: i32,
    ) -> Nullable<AgentVersion> {
        nullable(async { self.view.version_of(self.row.id, number).await }).await
    }

    /// Each change of what the agent serves in these environments, newest first. FORBIDDEN for service tokens, and for API keys without
    /// `agents:read`.
    async fn activations(
        &self,
        #[graphql(desc = "The keys of the environments, 1 to 100; `production` alone if left out.")]
        environments: Option<Vec<String>>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<ActivationConnection> {
        let environments = keys_argument(environments.as_deref())?;
        let list = ListId::below(ACTIVATIONS, self.row.id);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        ActivationConnection::of_agent(&self.view, self.row.id, environments, args).await
    }

    /// The agent's entries of the audit log, newest first. For ADMINs, operators, and API keys with `changes:read`;
    /// null for others.
    async fn changes(
        &self,
        #[graphql(desc = "Only matching entries; all if left out.")] filter: Option<ChangeFilter>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> Nullable<ChangeConnection> {
        nullable(async {
            self.view.allow_on(Action::ReadChanges, self.row.customer_id)?;
            let list = ListId::below(CHANGES, self.row.id);
            let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
            ChangeConnection::of(&self.view, AuditSubject::Agent(self.row.id), filter, args).await.map(Some)
        })
        .await
    }

    /// The difference between two versions; null if one of them doesn't exist. Null for service tokens, and for API
    /// keys without `agents:read`.
    async fn diff(
        &self,
        #[graphql(desc = "The number of the version to compare from, usually the older one.")] from: i32,
        #[graphql(desc = "The number of the version to compare to, usually the newer one.")] to: i32,
    ) -> Nullable<VersionDiff> {
        nullable(async {
            let (from, to) = (self.view.version_of(self.row.id, from), self.view.version_of(self.row.id, to));
            Ok(from.await?.zip(to.await?).map(|(from, to)| VersionDiff::new(from, to)))
        })
        .await
    }

    /// When the agent was archived; null if it isn't archived.
    async fn archived_at(&self) -> Option<DateTime> {
        self.row.archived_at.map(Into::into)
    }

    /// When the agent was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When the agent was last changed: its own fields, its versions, or what it serves in the environments that you reach.
    async fn updated_at(&self) -> async_graphql::Result<DateTime> {
        let updated = self.view.loaders().agent_updates.load(self.row.id).await?;
        Ok(updated.map_or(self.row.created_at, |at| *at).into())
    }

    /// What you may do now with this agent and what it serves. While the customer is SUSPENDED or CANCELED, only an
    /// operator may write; while the agent is archived, nobody publishes or activates. `Serving.viewerPermissions` also
    /// follows the environment's `activateRole`.
    async fn viewer_permissions(&self) -> async_graphql::Result<Vec<Permission>> {
        let status = self.view.customer_status(self.row.customer_id).await?;
        let may = |status| permission::on_agent(self.view.caller(), &self.row, status);
        Ok(status.map(may).unwrap_or_default().into_iter().map(Into::into).collect())
    }
}
