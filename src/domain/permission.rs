//! What a caller may do now to an object: the policy's decision, the state of the object's customer and of the agent, and
//! the role that the environment asks for. Writes are refused by the same functions, so that what a client is shown as
//! permitted isn't refused for its right.

use std::collections::HashMap;

use super::{
    Caller, Error, Registry, Result,
    agent::Agent,
    caller::Reading,
    customer::{BillingStatus, CustomerStatus},
    environment::Environment,
    plan::PlanRules,
    policy::{self, Action, CustomerState},
};
use crate::{entity::customer, id::CustomerId};

/// The smallest object that an action is done to. A larger object's permissions include those of the smaller ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActionObject {
    /// What an agent serves in one environment.
    Serving,
    /// An agent.
    Agent,
    /// A customer.
    Customer,
    /// The platform itself.
    Platform,
}

impl Action {
    /// The smallest object that it is done to.
    #[must_use]
    pub fn object(self) -> ActionObject {
        match self {
            Self::CreateCustomer | Self::ManagePlatform | Self::ReadGateways => ActionObject::Platform,
            Self::ManageBilling
            | Self::EraseCustomer
            | Self::UpdateCustomer
            | Self::ReadBilling
            | Self::ReadMembers
            | Self::ManageMembers
            | Self::RemoveMembers
            | Self::ReadKeys
            | Self::ManageKeys
            | Self::RevokeKeys
            | Self::ReadPeople
            | Self::ManageEnvironments
            | Self::ExportAgents
            | Self::ImportAgents => ActionObject::Customer,
            Self::WriteAgents | Self::ReadChanges => ActionObject::Agent,
            Self::ReadAgents
            | Self::ReadServing
            | Self::ReadContent
            | Self::ReadNotes
            | Self::PublishVersions
            | Self::ActivateVersions
            | Self::ReadConfigs
            | Self::WatchActivations => ActionObject::Serving,
        }
    }

    /// Whether it can't be done to an archived agent.
    fn needs_unarchived(self) -> bool {
        match self {
            Self::PublishVersions | Self::ActivateVersions => true,
            Self::CreateCustomer
            | Self::ManagePlatform
            | Self::ManageBilling
            | Self::EraseCustomer
            | Self::UpdateCustomer
            | Self::ReadBilling
            | Self::ReadMembers
            | Self::ManageMembers
            | Self::RemoveMembers
            | Self::ReadKeys
            | Self::ManageKeys
            | Self::RevokeKeys
            | Self::ReadAgents
            | Self::ReadServing
            | Self::ReadContent
            | Self::ReadNotes
            | Self::ReadPeople
            | Self::ManageEnvironments
            // Restoring is one of these.
            | Self::WriteAgents
            | Self::ExportAgents
            // It checks each of its agents.
            | Self::ImportAgents
            | Self::ReadConfigs
            | Self::WatchActivations
            | Self::ReadChanges
            | Self::ReadGateways => false,
        }
    }
}

/// Fails when the customer's status doesn't allow this action. The platform may write to suspended and canceled
/// customers, to help them; for an erased customer, only actions are allowed that check its state themselves.
pub(super) fn check_status(caller: &Caller, action: Action, status: CustomerStatus) -> Result<()> {
    let CustomerStatus { plan: _, billing_status, erased_at } = status;
    let why_not = match billing_status {
        BillingStatus::Trialing | BillingStatus::Active | BillingStatus::PastDue => None,
        BillingStatus::Suspended => Some(Error::Suspended),
        BillingStatus::Canceled => Some(Error::Canceled),
    };
    // Only a canceled customer can be erased.
    let erased = erased_at.map(|_| Error::Canceled);
    let refused = match action.state_needed() {
        CustomerState::Served => erased.or(why_not.filter(|_| !policy::is_platform(caller))),
        CustomerState::Kept => erased,
        CustomerState::Any => None,
    };
    refused.map_or(Ok(()), Err)
}

/// Fails when the agent is archived and the action needs one that isn't.
///
/// # Errors
/// [`Error::Archived`].
pub(super) fn check_archived(action: Action, agent: &Agent) -> Result<()> {
    if agent.archived_at.is_some() && action.needs_unarchived() { Err(Error::Archived) } else { Ok(()) }
}

/// What the caller may do to the platform itself.
#[must_use]
pub fn on_platform(caller: &Caller) -> Vec<Action> {
    let may =
        |action: &Action| action.object() == ActionObject::Platform && policy::allow(caller, *action).is_ok();
    Action::ALL.into_iter().filter(may).collect()
}

/// What the caller may do now at a customer, to its agents and to what these serve.
#[must_use]
pub fn on_customer(caller: &Caller, customer: CustomerId, status: CustomerStatus) -> Vec<Action> {
    let may = |action: &Action| {
        action.object() <= ActionObject::Customer
            && policy::allow_on(caller, *action, customer, "customer").is_ok()
            && check_status(caller, *action, status).is_ok()
    };
    Action::ALL.into_iter().filter(may).collect()
}

/// What the caller may do now to an agent, and to what it serves.
#[must_use]
pub fn on_agent(caller: &Caller, agent: &Agent, status: CustomerStatus) -> Vec<Action> {
    let mut actions = on_customer(caller, agent.customer_id, status);
    actions.retain(|action| action.object() <= ActionObject::Agent && check_archived(*action, agent).is_ok());
    actions
}

/// What the caller may do now to what an agent serves in this environment.
#[must_use]
pub fn on_serving(
    caller: &Caller,
    agent: &Agent,
    status: CustomerStatus,
    environment: &Environment,
) -> Vec<Action> {
    let has_role = || {
        let role = policy::role_of(caller, agent.customer_id);
        PlanRules::of(environment).role_finding(role).is_none()
    };
    let mut actions = on_agent(caller, agent, status);
    actions.retain(|action| {
        action.object() <= ActionObject::Serving && (*action != Action::ActivateVersions || has_role())
    });
    actions
}

impl Registry {
    /// The status of each of these customers that the reader may see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a credential without any scope.
    pub async fn customer_statuses(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
    ) -> Result<HashMap<CustomerId, CustomerStatus>> {
        policy::allow(&reading.caller, Action::ReadServing)?;
        let rows = reading.view.all(customer::by_ids(&reading.view.tenant_filter(), customers)).await?;
        Ok(rows.into_iter().map(|row| (row.id, row.status())).collect())
    }
}
