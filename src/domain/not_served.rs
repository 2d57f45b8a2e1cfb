//! Why an agent serves nothing, and since which commit.

use super::{
    Reading, Registry, Result,
    change::ChangeAction,
    customer::BillingStatus,
    environment::EnvironmentKey,
    policy::{self, Action},
};
use crate::{
    entity::{activation, agent, change, customer},
    id::{AgentId, Revision},
};

/// Why an agent serves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotServedReason {
    /// The agent or the environment doesn't exist, or the reader may not know that it does.
    NotFound,
    /// No version was ever active.
    NeverActivated,
    /// The agent was deactivated.
    Deactivated,
    /// The agent is archived.
    Archived,
    /// The agent's customer is suspended.
    Suspended,
    /// The agent's customer is canceled.
    Canceled,
    /// The data of the agent's customer was erased.
    Erased,
}

/// Why an agent serves nothing, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotServedSince {
    /// The reason.
    pub reason: NotServedReason,
    /// The commit that the reason began with. `None` for [`NotServedReason::NotFound`], and when the log has been pruned
    /// beyond it.
    pub revision: Option<Revision>,
}

impl Registry {
    /// Why this agent serves nothing in this environment; `None` when it serves a version.
    ///
    /// # Errors
    /// [`super::Error::Forbidden`]; [`super::Error::Unavailable`] when the database is.
    pub async fn why_not_served(
        &self,
        reading: &Reading,
        id: AgentId,
        environment: &EnvironmentKey,
    ) -> Result<Option<NotServedSince>> {
        use NotServedReason::{Archived, Canceled, Deactivated, Erased, NeverActivated, NotFound, Suspended};
        policy::allow(&reading.caller, Action::ReadConfigs)?;
        let (view, tenants) = (&reading.view, reading.view.tenant_filter());
        let not_found = Some(NotServedSince { reason: NotFound, revision: None });
        let Some(agent) = view.one(agent::by_ids(&tenants, &[id])).await? else { return Ok(not_found) };
        let customer = view.one(customer::by_ids(&tenants, &[agent.customer_id])).await?;
        let Some(customer) = customer else { return Ok(not_found) };
        let Some(place) = self.place_of(reading, &agent, environment).await? else { return Ok(not_found) };
        let of_customer = |action| change::last_of_customer(customer.id, [action; 2]);
        let of_agent = |action| change::last_of(id, [action; 2]);
        let (reason, entry) = match (customer.erased_at, customer.billing_status) {
            (Some(_), _) => (Erased, of_customer(ChangeAction::CustomerErased)),
            (None, BillingStatus::Suspended) => (Suspended, of_customer(ChangeAction::CustomerBillingSet)),
            (None, BillingStatus::Canceled) => (Canceled, of_customer(ChangeAction::CustomerBillingSet)),
            (None, BillingStatus::Trialing | BillingStatus::Active | BillingStatus::PastDue) => {
                if agent.archived_at.is_some() {
                    (Archived, of_agent(ChangeAction::AgentArchived))
                } else if place.active.is_some() {
                    return Ok(None);
                } else if let Some(last) = view.one(activation::latest(id, environment)).await? {
                    return Ok(Some(NotServedSince { reason: Deactivated, revision: last.revision }));
                } else {
                    (NeverActivated, of_agent(ChangeAction::AgentCreated))
                }
            }
        };
        let revision = view.one(entry).await?.map(|entry| entry.revision);
        Ok(Some(NotServedSince { reason, revision }))
    }
}
