//! Environments in the GraphQL schema: the object, and what an agent serves in one. The mutations are in `mutation.rs`.

use std::sync::Arc;

use async_graphql::{Enum, ID, Object};

mod mutation;

pub use mutation::EnvironmentMutation;

use super::{
    activation::Activation,
    agent::Agent,
    customer::Customer,
    error::{Nullable, linked, nullable, to_graphql_error},
    gateway::Convergence,
    scalar::{DateTime, Revision, to_id},
    user::{Permission, Role},
    version::AgentVersion,
};
use crate::{
    domain::{
        Error, PageArgs,
        environment::{self, EnvironmentKey},
        gateway::ConvergenceTarget,
        permission, serving,
    },
    graphql::engine::context::RequestView,
    id::{ActivationId, AgentId, CustomerId, EnvironmentId},
};

/// A place where a customer's agents serve, such as `production` or `staging`. Each customer has `production`, its
/// default for ever, and at most 8. Each way to activate there is held to its rules: `promoteFrom`, `minSoakSeconds`,
/// `onBreaking`, `allowedModels` and `activateRole`. `activationPlan` says beforehand what they say.
#[derive(Clone)]
pub struct Environment {
    pub(in crate::graphql) row: Arc<environment::Environment>,
    pub(in crate::graphql) view: RequestView,
}

/// What an environment does with a plan whose impact is UNKNOWN, NARROWED or REMOVED.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "environment::BreakingPolicy")]
pub enum BreakingPolicy {
    /// The activation goes through.
    Allow,
    /// The activation needs `confirm`.
    Confirm,
    /// The activation is refused.
    Refuse,
}

/// A place where a customer's agents serve, such as `production` or `staging`. Each customer has `production`, its
/// default for ever, and at most 8.
#[Object]
impl Environment {
    /// The environment's UUID, which never changes.
    pub(in crate::graphql) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The customer that the environment belongs to. FORBIDDEN for service tokens, and for API keys without
    /// `agents:read`.
    async fn customer(&self) -> async_graphql::Result<Customer> {
        let customer = self.view.customer(self.row.customer_id).await?;
        customer.ok_or_else(|| to_graphql_error(&Error::NotFound("customer")))
    }

    /// The name in arguments and inputs: `^[a-z][a-z0-9-]{0,31}$`, unique within the customer, also among archived
    /// environments. It never changes.
    async fn key(&self) -> &str {
        self.row.key.as_str()
    }

    /// The name for people: 1 to 200 characters, not unique. Erasing the customer replaces it.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// The place in lists, ascending.
    async fn rank(&self) -> i32 {
        self.row.rank
    }

    /// True for `production` alone.
    async fn is_default(&self) -> bool {
        self.row.is_default
    }

    /// The environment in which a version must have been active before it may serve here; null if any version may.
    async fn promote_from(&self) -> Nullable<Environment> {
        linked(self.row.promote_from, |id| self.view.environment(id)).await
    }

    /// For how many seconds the version must have been active there; 0 if `promoteFrom` is null.
    async fn min_soak_seconds(&self) -> i32 {
        self.row.min_soak_seconds
    }

    /// What happens to a plan whose impact is UNKNOWN, NARROWED or REMOVED.
    async fn on_breaking(&self) -> BreakingPolicy {
        self.row.on_breaking.into()
    }

    /// The only models that versions may use here, at most 100; null if they may use every model.
    async fn allowed_models(&self) -> Option<&[String]> {
        self.row.allowed_models.as_deref()
    }

    /// The lowest role that may activate, roll back and deactivate here: EDITOR or ADMIN. An API key counts as EDITOR, an
    /// operator as ADMIN.
    async fn activate_role(&self) -> Role {
        self.row.activate_role.into()
    }

    /// When the environment was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// When the environment was archived; null if it isn't archived.
    async fn archived_at(&self) -> Option<DateTime> {
        self.row.archived_at.map(Into::into)
    }

    /// How many gateways have applied the latest commit that changed what serves here; null before the first. Null without
    /// READ_AGENTS.
    async fn convergence(&self) -> Nullable<Convergence> {
        let (customer, key) = (self.row.customer_id, &self.row.key);
        nullable(async { self.view.convergence_of_environment(customer, key).await }).await
    }
}

/// What one agent serves in one environment. Exists for every environment that isn't archived, also while nothing
/// serves.
#[derive(Clone)]
pub struct Serving {
    agent: Agent,
    environment: Environment,
    /// `None` when the agent never served there.
    row: Option<serving::Serving>,
}

/// What one agent serves in one environment. Exists for every environment that isn't archived, also while nothing
/// serves.
#[Object]
impl Serving {
    /// The agent that serves.
    async fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The environment in which it serves.
    async fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The active version, which is served unless the customer is SUSPENDED or CANCELED; null if no version is active
    /// here.
    async fn active_version(&self) -> Nullable<AgentVersion> {
        let active = self.row.as_ref().and_then(|row| row.active_version_id);
        linked(active, |id| self.agent.view.version(id)).await
    }

    /// When the active version was activated; null if no version is active here.
    async fn activated_at(&self) -> Option<DateTime> {
        self.row.as_ref().and_then(|row| row.activated_at).map(Into::into)
    }

    /// The last commit that changed what serves here; null if nothing ever served.
    async fn revision(&self) -> Option<Revision> {
        self.row.as_ref().map(|row| row.config_revision).filter(|revision| *revision > Revision::ZERO)
    }

    /// The last change of what serves here; null if nothing ever served. Null for service tokens, and for API keys
    /// without `agents:read`.
    async fn latest_activation(&self) -> Nullable<Activation> {
        let Some(row) = &self.row else { return None };
        nullable(async { self.agent.view.latest_activation(row.agent_id, &row.environment_key).await }).await
    }

    /// The version that `rollback` without `toVersionId` and `steps` would activate here. Null if there is none to go back
    /// to, and while the agent is archived; also for service tokens, and for API keys without `agents:read`.
    async fn rollback_target(&self) -> Nullable<AgentVersion> {
        let (agent, key) = (self.agent.row.id, &self.environment.row.key);
        nullable(async { self.agent.view.rollback_target(agent, key).await }).await
    }

    /// How many gateways have applied the last change of what serves here; null if nothing ever served. Null without
    /// READ_AGENTS.
    async fn convergence(&self) -> Nullable<Convergence> {
        let row = self.row.as_ref().filter(|row| row.config_revision > Revision::ZERO)?;
        let target = ConvergenceTarget {
            customer_id: row.customer_id,
            agent_id: Some(row.agent_id),
            environment_key: row.environment_key.clone(),
            revision: row.config_revision,
        };
        nullable(async { self.agent.view.convergence(target).await.map(Some) }).await
    }

    /// What you may do with this agent here now. Without PUBLISH_VERSIONS and ACTIVATE_VERSIONS while the agent is archived,
    /// and, unless you are an operator, while the customer is SUSPENDED or CANCELED; without ACTIVATE_VERSIONS also if the
    /// environment's `activateRole` is above yours.
    async fn viewer_permissions(&self) -> async_graphql::Result<Vec<Permission>> {
        let Agent { row, view, .. } = &self.agent;
        let status = view.customer_status(row.customer_id).await?;
        let may = |status| permission::on_serving(view.caller(), row, status, &self.environment.row);
        Ok(status.map(may).unwrap_or_default().into_iter().map(Into::into).collect())
    }
}

impl RequestView {
    pub(in crate::graphql) async fn environment(
        &self,
        id: EnvironmentId,
    ) -> async_graphql::Result<Option<Environment>> {
        Ok(self.loaders().environments.load(id).await?.map(|row| Environment { row, view: self.clone() }))
    }

    /// The environments of a customer that the reader reaches, archived ones too, by rank.
    pub(in crate::graphql) async fn environments_of(
        &self,
        customer: CustomerId,
    ) -> async_graphql::Result<Vec<Environment>> {
        let rows = self.loaders().customer_environments.load(customer).await?;
        let rows = rows.map(|rows| rows.as_ref().clone()).unwrap_or_default();
        let environment = |row| Environment { row: Arc::new(row), view: self.clone() };
        Ok(rows.into_iter().map(environment).collect())
    }

    /// What an agent serves in each environment that isn't archived and that the reader reaches, by rank.
    pub(in crate::graphql) async fn servings_of(&self, agent: &Agent) -> async_graphql::Result<Vec<Serving>> {
        let environments = self.environments_of(agent.row.customer_id).await?;
        let rows = self.loaders().servings.load(agent.row.id).await?;
        let rows: &[serving::Serving] = rows.as_deref().map_or(&[], Vec::as_slice);
        let serving = |environment: Environment| {
            let row = rows.iter().find(|row| row.environment_id == environment.row.id).cloned();
            Serving { agent: agent.clone(), environment, row }
        };
        Ok(environments
            .into_iter()
            .filter(|environment| environment.row.archived_at.is_none())
            .map(serving)
            .collect())
    }

    /// What an agent serves in the environment with this key; `None` when the customer has no such environment, or the
    /// reader doesn't reach it.
    pub(in crate::graphql) async fn serving_of(
        &self,
        agent: &Agent,
        key: &EnvironmentKey,
    ) -> async_graphql::Result<Option<Serving>> {
        let mut servings = self.servings_of(agent).await?.into_iter();
        Ok(servings.find(|serving| serving.environment.row.key == *key))
    }

    /// The last change of what an agent serves in this environment.
    pub(in crate::graphql) async fn latest_activation(
        &self,
        agent: AgentId,
        key: &EnvironmentKey,
    ) -> async_graphql::Result<Option<Activation>> {
        let first = PageArgs::<ActivationId>::new(Some(1), None, None, None);
        let first = first.map_err(|err| to_graphql_error(&err))?;
        let page = self.loaders().activation_pages.load((agent, vec![key.clone()], first)).await?;
        let row = page.and_then(|page| page.items.first().cloned());
        Ok(row.map(|row| Activation { row, view: self.clone() }))
    }

    /// The version that a rollback of an agent would activate in this environment.
    pub(in crate::graphql) async fn rollback_target(
        &self,
        agent: AgentId,
        key: &EnvironmentKey,
    ) -> async_graphql::Result<Option<AgentVersion>> {
        match self.loaders().rollback_targets.load((agent, key.clone())).await? {
            Some(target) => self.version(*target).await,
            None => Ok(None),
        }
    }
}

/// Reads the key of an environment in an argument; the default environment's when it is left out.
pub(in crate::graphql) fn key_argument(key: Option<&str>) -> async_graphql::Result<EnvironmentKey> {
    environment::key_or_default("environment", key).map_err(|err| to_graphql_error(&err))
}

/// Reads the keys of environments in an argument; the default environment's alone when they are left out.
pub(in crate::graphql) fn keys_argument(
    keys: Option<&[String]>,
) -> async_graphql::Result<Vec<EnvironmentKey>> {
    environment::keys_or_default("environments", keys).map_err(|err| to_graphql_error(&err))
}
