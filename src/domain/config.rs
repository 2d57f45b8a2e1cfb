//! Active configurations: what the runtime gets.

use super::{
    Error, Reading, Registry, Result,
    agent::Agent,
    customer::{BillingStatus, Customer},
    policy::{self, Action},
    version::AgentVersion,
};
use crate::{
    clock::Instant,
    entity::{agent as agent_row, agent_version, customer},
    id::AgentId,
};

/// What an agent serves now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveConfig {
    /// The agent.
    pub agent: Agent,
    /// Its active version.
    pub version: AgentVersion,
    /// Since when it serves.
    pub activated_at: Instant,
}

impl Registry {
    /// What this agent serves now; none when it serves nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the agent, [`Error::Forbidden`], [`Error::Suspended`] when its customer is.
    pub async fn active_config(&self, reading: &Reading, id: AgentId) -> Result<Option<ActiveConfig>> {
        policy::allow(&reading.caller, Action::ReadConfigs)?;
        let (view, reach) = (&reading.view, reading.view.reach());
        let agent = view.one(agent_row::by_ids(&reach, &[id])).await?.ok_or(Error::NotFound("agent"))?;
        let customer = view
            .one(customer::by_ids(&reach, &[agent.customer_id]))
            .await?
            .ok_or(Error::NotFound("agent"))?;
        check_served(&customer)?;
        let (Some(version), Some(activated_at)) = (agent.active_version_id, agent.activated_at) else {
            return Ok(None);
        };
        let version = view.one(agent_version::by_ids(&reach, &[version])).await?;
        Ok(version.map(|version| ActiveConfig { agent, version, activated_at }))
    }
}

fn check_served(customer: &Customer) -> Result<()> {
    match customer.billing_status {
        BillingStatus::Suspended | BillingStatus::Canceled => Err(Error::Suspended),
        BillingStatus::Trialing | BillingStatus::Active | BillingStatus::PastDue => Ok(()),
    }
}
