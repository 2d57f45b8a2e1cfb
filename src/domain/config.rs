//! Active configurations: what the runtime loads for an agent, now or at a revision of the log.

use std::{collections::HashMap, sync::Arc};

use super::{
    Error, Reading, Registry, Result,
    activation::Reason,
    customer::{BillingStatus, Customer},
    policy::{self, Action},
    version::AgentVersion,
};
use crate::{
    clock::Instant,
    db::{Scope, View},
    entity::{TenantFilter, agent, agent_version, customer, serving},
    id::{AgentId, CustomerId, Revision},
};

/// The active configuration of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveConfig {
    /// The agent.
    pub agent_id: AgentId,
    /// The agent's customer.
    pub customer_id: CustomerId,
    /// The agent's name.
    pub name: String,
    /// The active version.
    pub version: AgentVersion,
    /// When this version was activated.
    pub activated_at: Instant,
    /// The commit that last changed this: an activation, or a change of the agent's name.
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

/// The configuration of an agent at a revision of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigAt {
    /// The agent.
    pub agent_id: AgentId,
    /// The agent's customer.
    pub customer_id: CustomerId,
    /// The active configuration, or why there is none.
    pub config: std::result::Result<Arc<ActiveConfig>, NotServed>,
}

/// Which configurations to read.
#[derive(Clone, Copy, Debug)]
pub struct ConfigSelection<'a> {
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
}

impl Registry {
    /// The active configuration of this agent; `None` when no version is active.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the agent, [`Error::Forbidden`], [`Error::Suspended`] when its customer is suspended
    /// or canceled.
    pub async fn active_config(&self, reading: &Reading, id: AgentId) -> Result<Option<ActiveConfig>> {
        policy::allow(&reading.caller, Action::ReadConfigs)?;
        let (view, tenants) = (&reading.view, reading.view.tenant_filter());
        let agent = view.one(agent::by_ids(&tenants, &[id])).await?.ok_or(Error::NotFound("agent"))?;
        let customer = view
            .one(customer::by_ids(&tenants, &[agent.customer_id]))
            .await?
            .ok_or(Error::NotFound("agent"))?;
        check_served(&customer)?;
        let (Some(version), Some(activated_at)) = (agent.active_version_id, agent.activated_at) else {
            return Ok(None);
        };
        let version = view.one(agent_version::by_ids(&tenants, &[version])).await?;
        Ok(version.map(|version| ActiveConfig {
            agent_id: agent.id,
            customer_id: agent.customer_id,
            name: agent.name,
            version,
            activated_at,
            revision: agent.config_revision,
        }))
    }

    /// What these agents served at the end of this commit. Leaves out agents that the reader may not see.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::CursorTooOld`].
    pub(crate) async fn configs_at(
        &self,
        reading: &Reading,
        revision: Revision,
        agents: &[AgentId],
    ) -> Result<Vec<ConfigAt>> {
        policy::allow(&reading.caller, Action::ReadConfigs)?;
        let rows = reading.view.all(serving::at(&reading.view.tenant_filter(), revision, agents)).await?;
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

    /// What these agents serve now, whichever customers they belong to. Asks no policy: it fills the configurations
    /// in memory, which are shared between callers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub(crate) async fn configs_now(&self, agents: &[AgentId]) -> Result<Vec<ConfigAt>> {
        let view = self.db().internal_view(Scope::Runtime);
        let rows = view.all(serving::now(agents)).await?;
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
        let page = serving::page(&tenants, revision, which.agent_ids, after, limit);
        with_contents(&reading.view, revision, reading.view.all(page).await?).await
    }
}

/// Adds the versions' contents to these rows. Fails with [`Error::CursorTooOld`] when the log has been pruned beyond
/// this commit.
async fn with_contents(
    view: &View,
    revision: Revision,
    rows: Vec<serving::Serving>,
) -> Result<Vec<ConfigAt>> {
    if let Some(floor) = rows.first().map(|row| row.floor).filter(|floor| revision < *floor) {
        return Err(Error::CursorTooOld { floor });
    }
    let is_served = |row: &serving::Serving| row.status.not_served().is_none();
    let ids: Vec<_> = rows.iter().filter(|row| is_served(row)).filter_map(|row| row.version_id).collect();
    let versions = view.all(agent_version::by_ids(&view.tenant_filter(), &ids)).await?;
    let mut versions: HashMap<_, _> = versions.into_iter().map(|version| (version.id, version)).collect();
    let config = |row: serving::Serving| {
        let serving::Serving {
            agent_id,
            customer_id,
            name,
            version_id,
            activated_at,
            reason,
            revision,
            status,
            floor: _,
        } = row;
        let version = version_id.and_then(|id| versions.remove(&id));
        let config = match (status.not_served(), version, activated_at, revision) {
            (Some(why), ..) => Err(why),
            (None, Some(version), Some(activated_at), Some(revision)) => {
                Ok(Arc::new(ActiveConfig { agent_id, customer_id, name, version, activated_at, revision }))
            }
            (None, ..) if reason == Some(Reason::Archive) => Err(NotServed::Archived),
            (None, ..) => Err(NotServed::Deactivated),
        };
        ConfigAt { agent_id, customer_id, config }
    };
    Ok(rows.into_iter().map(config).collect())
}

fn check_served(customer: &Customer) -> Result<()> {
    match customer.billing_status.not_served() {
        None => Ok(()),
        Some(why) => Err(why.into()),
    }
}
