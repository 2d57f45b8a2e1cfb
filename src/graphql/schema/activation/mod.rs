//! Activations in the GraphQL schema: the records, and the mutations that create them.

mod list;
mod mutation;

use std::sync::Arc;

use async_graphql::{Enum, ID, Object};

pub(in crate::graphql) use list::activation_list;
pub use list::{ActivationConnection, ActivationQuery};
pub use mutation::ActivationMutation;

use super::{
    actor::Actor,
    agent::Agent,
    environment::Environment,
    error::{Nullable, linked, nullable, to_graphql_error},
    gateway::Convergence,
    scalar::{Cursor, DateTime, Revision, to_id},
    version::AgentVersion,
};
use crate::{
    domain::{Error, activation, gateway::ConvergenceTarget},
    graphql::engine::context::RequestView,
    id::{ActivationId, AgentId, VersionId},
};

/// The record of one change of an agent's active version. It never changes.
#[derive(Clone)]
pub struct Activation {
    pub(in crate::graphql) row: Arc<activation::Activation>,
    pub(in crate::graphql) view: RequestView,
}

/// What changed an agent's active version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "activation::ActivationKind")]
pub enum ActivationReason {
    /// `activateVersion`, or an import, activated this version.
    Activate,
    /// `publishVersion` published and activated the version in one commit.
    Publish,
    /// `rollback` activated a version that was active before.
    Rollback,
    /// `promoteVersion` activated the version that was active in another environment.
    Promote,
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

    /// The environment in which it changed.
    async fn environment(&self) -> async_graphql::Result<Environment> {
        let environment = self.view.environment(self.row.environment_id).await?;
        environment.ok_or_else(|| to_graphql_error(&Error::NotFound("environment")))
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
        self.row.kind().into()
    }

    /// The user, API key or operator that made the change; SYSTEM for an import on the command line.
    async fn activated_by(&self) -> Actor {
        Actor::new(self.row.activated_by_kind, self.row.activated_by_id, self.view.clone())
    }

    /// How many gateways have applied it; null if a later activation replaced it. Null without READ_AGENTS.
    async fn convergence(&self) -> Nullable<Convergence> {
        nullable(async { self.view.convergence_of_activation(&self.row).await }).await
    }

    /// When the active version changed.
    async fn activated_at(&self) -> DateTime {
        self.row.activated_at.into()
    }
}

fn missing_revision() -> async_graphql::Error {
    to_graphql_error(&Error::Internal("an activation has no revision".into()))
}

impl RequestView {
    pub(in crate::graphql) async fn activation(
        &self,
        id: ActivationId,
    ) -> async_graphql::Result<Option<Activation>> {
        Ok(self.loaders().activations.load(id).await?.map(|row| Activation { row, view: self.clone() }))
    }

    /// How many gateways have applied this activation; `None` when it isn't the agent's last one in its environment.
    async fn convergence_of_activation(
        &self,
        row: &activation::Activation,
    ) -> async_graphql::Result<Option<Convergence>> {
        let servings = self.loaders().servings.load(row.agent_id).await?;
        let servings = servings.as_deref().map_or(&[] as &[_], Vec::as_slice);
        let served = servings.iter().find(|served| served.environment_id == row.environment_id);
        let Some(revision) =
            row.revision.filter(|revision| served.is_some_and(|served| served.config_revision == *revision))
        else {
            return Ok(None);
        };
        let target = ConvergenceTarget {
            customer_id: row.customer_id,
            agent_id: Some(row.agent_id),
            environment_key: row.environment_key.clone(),
            revision,
        };
        self.convergence(target).await.map(Some)
    }

    /// The activation of this version of an agent by this commit.
    pub(in crate::graphql) async fn activation_of_commit(
        &self,
        version: (AgentId, VersionId),
        revision: Revision,
    ) -> async_graphql::Result<Option<Activation>> {
        let row = self.registry().activation_of_commit(self.reading(), version, revision).await;
        let row = row.map_err(|err| to_graphql_error(&err))?;
        Ok(row.map(|row| Activation { row: Arc::new(row), view: self.clone() }))
    }
}
