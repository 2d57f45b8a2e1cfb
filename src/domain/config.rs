//! Active configurations: what the runtime loads for an agent, now or at a revision of the log.

use std::{collections::HashMap, sync::Arc};

use super::{
    Error, Reading, Registry, Result,
    activation::Reason,
    customer::BillingStatus,
    environment::EnvironmentKey,
    policy::{self, Action},
    version::AgentVersion,
};
use crate::{
    clock::Instant,
    db::{Scope, View},
    entity::{
        EnvironmentFilter, TenantFilter, agent, agent_version, customer, environment, served_config, serving,
    },
    id::{AgentId, CustomerId, Revision, VersionId},
};

/// The active configuration of an agent in an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveConfig {
    /// The agent.
    pub agent_id: AgentId,
    /// The environment in which the configuration is active.
    pub environment_key: EnvironmentKey,
    /// The agent's customer.
    pub customer_id: CustomerId,
    /// The agent's name.
    pub name: String,
    /// The active version.
    pub version: AgentVersion,
    /// When this version was activated.
    pub activated_at: Instant,
    /// The commit that last changed this: an activation in the environment, or a change of the agent's name.
    pub revision: Revision,
}

/// Why an agent serves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotServed {
    /// No version is active.
    Deactivated,
    /// The agent is archived.
    Archived,
    /// The agent's customer is suspended.
    Suspended,
    /// The agent's customer is canceled or erased.
    Canceled,
    /// The agent doesn't exist, or the caller may not know that it does.
    NotFound,
}

impl From<NotServed> for Error {
    fn from(why: NotServed) -> Self {
        match why {
            NotServed::Deactivated => Self::NotFound("active version"),
            NotServed::NotFound => Self::NotFound("agent"),
            NotServed::Archived => Self::Archived,
            NotServed::Suspended => Self::Suspended,
            NotServed::Canceled => Self::Canceled,
        }
    }
}

/// The configuration of an agent in an environment at a revision of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigAt {
    /// The agent.
    pub agent_id: AgentId,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// The agent's customer.
    pub customer_id: CustomerId,
    /// The active configuration, or why there is none.
    pub config: std::result::Result<Arc<ActiveConfig>, NotServed>,
}

/// Which configurations to read.
#[derive(Clone, Copy, Debug)]
pub struct ConfigSelection<'a> {
    /// Those of this environment.
    pub environment: &'a EnvironmentKey,
    /// Only those of this customer.
    pub customer_id: Option<CustomerId>,
    /// Only those of these agents.
    pub agent_ids: Option<&'a [AgentId]>,
}

impl BillingStatus {
    /// Why a customer with this billing status isn't served; `None` when it is.
    #[must_use]
    pub fn not_served(self) -> Option<NotServed> {
        match self {
            Self::Suspended => Some(NotServed::Suspended),
            Self::Canceled => Some(NotServed::Canceled),
            Self::Trialing | Self::Active | Self::PastDue => None,
        }
    }

    /// Checks that a customer with this billing status is served.
    ///
    /// # Errors
    /// [`Error::Suspended`]; [`Error::Canceled`].
    pub(super) fn check_served(self) -> Result<()> {
        self.not_served().map_or(Ok(()), |why| Err(why.into()))
    }
}

impl Registry {
    /// The active configuration of this agent in this environment; `None` when no version is active there.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the agent, also when its customer has no such environment or the reader doesn't reach it;
    /// [`Error::Forbidden`], [`Error::Suspended`] when its customer is suspended or canceled.
    pub async fn active_config(
        &self,
        reading: &Reading,
        id: AgentId,
        environment: &EnvironmentKey,
    ) -> Result<Option<ActiveConfig>> {
        policy::allow(&reading.caller, Action::ReadConfigs)?;
        let (view, tenants) = (&reading.view, reading.view.tenant_filter());
        let missing = || Error::NotFound("agent");
        let agent = view.one(agent::by_ids(&tenants, &[id])).await?.ok_or_else(missing)?;
        let customer =
            view.one(customer::by_ids(&tenants, &[agent.customer_id])).await?.ok_or_else(missing)?;
        let place = self.place_of(reading, &agent, environment).await?.ok_or_else(missing)?;
        customer.billing_status.check_served()?;
        let Some((version, activated_at)) = place.active else { return Ok(None) };
        let version = view.one(agent_version::by_ids(&tenants, &[version])).await?;
        Ok(version.map(|version| ActiveConfig {
            agent_id: agent.id,
            environment_key: environment.clone(),
            customer_id: agent.customer_id,
            name: agent.name,
            version,
            activated_at,
            revision: place.revision,
        }))
    }

    /// What an agent serves in an environment. `None` when the agent's customer has no such environment, or the reader
    /// doesn't reach it.
    pub(super) async fn place_of(
        &self,
        reading: &Reading,
        agent: &agent::Model,
        environment: &EnvironmentKey,
    ) -> Result<Option<Place>> {
        if !reading.caller.principal.environments().admits(environment) {
            return Ok(None);
        }
        if environment.is_default() {
            let active = agent.active_version_id.zip(agent.activated_at);
            return Ok(Some(Place { active, revision: agent.config_revision }));
        }
        let view = &reading.view;
        let select = environment::by_key(agent.customer_id, &view.environment_filter(), environment);
        if view.one(select).await?.is_none_or(|found| found.archived_at.is_some()) {
            return Ok(None);
        }
        let tenants = TenantFilter::Only(vec![agent.customer_id]);
        let reach = EnvironmentFilter::Only(vec![environment.clone()]);
        let row = view.one(serving::of_agents(&tenants, &reach, &[agent.id])).await?;
        Ok(Some(row.map_or(Place { active: None, revision: agent.name_revision }, |row| Place {
            active: row.active_version_id.zip(row.activated_at),
            revision: row.config_revision.max(agent.name_revision),
        })))
    }

    /// What these agents served in this environment at the end of this commit. Leaves out agents that the reader may not
    /// see.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::CursorTooOld`].
    pub(crate) async fn configs_at(
        &self,
        reading: &Reading,
        (revision, environment): (Revision, &EnvironmentKey),
        agents: &[AgentId],
    ) -> Result<Vec<ConfigAt>> {
        policy::allow(&reading.caller, Action::ReadConfigs)?;
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        let select = served_config::at(&tenants, &reach, (revision, environment), agents);
        let rows = reading.view.all(select).await?;
        with_contents(&reading.view, revision, rows).await
    }

    /// Those of these agents that don't exist, or that the reader may not see among this customer's.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub(crate) async fn unknown_agents(
        &self,
        reading: &Reading,
        customer: Option<CustomerId>,
        agents: &[AgentId],
    ) -> Result<Vec<AgentId>> {
        policy::allow(&reading.caller, Action::ReadConfigs)?;
        let (view, tenants) = (&reading.view, reading.view.tenant_filter());
        if agents.is_empty() {
            return Ok(Vec::new());
        }
        let known = view.all(agent::by_ids(&tenants, agents)).await?;
        let is_known = |id: &AgentId| {
            known.iter().any(|agent| agent.id == *id && customer.is_none_or(|only| only == agent.customer_id))
        };
        let mut unknown: Vec<AgentId> = agents.iter().copied().filter(|id| !is_known(id)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        Ok(unknown)
    }

    /// What these agents serve now, each in the environment beside it, whichever customers they belong to. Asks no policy:
    /// it fills the configurations in memory, which are shared between callers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub(crate) async fn configs_now(&self, places: &[(AgentId, EnvironmentKey)]) -> Result<Vec<ConfigAt>> {
        let view = self.db().internal_view(Scope::Runtime);
        let rows = view.all(served_config::now(places)).await?;
        with_contents(&view, Revision::MAX, rows).await
    }

    /// Up to `limit` of the agents that had an active version at the end of this commit, in the order of their ids,
    /// after `after`. Each has its configuration, or the reason why its customer wasn't served.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::CursorTooOld`].
    pub(crate) async fn configs_page_at(
        &self,
        reading: &Reading,
        revision: Revision,
        which: ConfigSelection<'_>,
        after: Option<AgentId>,
        limit: u64,
    ) -> Result<Vec<ConfigAt>> {
        policy::allow(&reading.caller, Action::ReadConfigs)?;
        let mut tenants = reading.view.tenant_filter();
        if let Some(customer) = which.customer_id {
            reading.allow_on(Action::ReadConfigs, customer, "customer")?;
            tenants = TenantFilter::Only(vec![customer]);
        }
        let (at, reach) = ((revision, which.environment), reading.view.environment_filter());
        let page = served_config::page(&tenants, &reach, at, which.agent_ids, after, limit);
        with_contents(&reading.view, revision, reading.view.all(page).await?).await
    }
}

/// Adds the versions' contents to these rows. Fails with [`Error::CursorTooOld`] when the log has been pruned beyond
/// this commit.
async fn with_contents(
    view: &View,
    revision: Revision,
    rows: Vec<served_config::ServedConfig>,
) -> Result<Vec<ConfigAt>> {
    if let Some(floor) = rows.first().map(|row| row.floor).filter(|floor| revision < *floor) {
        return Err(Error::CursorTooOld { floor });
    }
    let is_served = |row: &served_config::ServedConfig| row.status.not_served().is_none();
    let ids: Vec<_> = rows.iter().filter(|row| is_served(row)).filter_map(|row| row.version_id).collect();
    let versions = view.all(agent_version::by_ids(&view.tenant_filter(), &ids)).await?;
    let versions: HashMap<_, _> = versions.into_iter().map(|version| (version.id, version)).collect();
    let config = |row: served_config::ServedConfig| {
        let served_config::ServedConfig {
            agent_id,
            environment_key,
            customer_id,
            name,
            version_id,
            activated_at,
            reason,
            revision,
            status,
            floor: _,
        } = row;
        let version = version_id.and_then(|id| versions.get(&id).cloned());
        let config = match (status.not_served(), version, activated_at, revision) {
            (Some(why), ..) => Err(why),
            (None, Some(version), Some(activated_at), Some(revision)) => {
                let environment_key = environment_key.clone();
                Ok(Arc::new(ActiveConfig {
                    agent_id,
                    environment_key,
                    customer_id,
                    name,
                    version,
                    activated_at,
                    revision,
                }))
            }
            (None, ..) if reason == Some(Reason::Archive) => Err(NotServed::Archived),
            (None, ..) => Err(NotServed::Deactivated),
        };
        ConfigAt { agent_id, environment_key, customer_id, config }
    };
    Ok(rows.into_iter().map(config).collect())
}

/// What an agent serves in an environment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The active version, and when it was activated.
    pub(super) active: Option<(VersionId, Instant)>,
    /// The commit that last changed this; 0 while there was none.
    revision: Revision,
}
