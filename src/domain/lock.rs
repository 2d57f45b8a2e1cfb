//! Rows that are locked for a write, always in this order: the customer, then the agent.

use super::{
    Caller, Error, Result,
    agent::Agent,
    customer::{BillingStatus, Customer, Standing},
    policy::{self, Action},
};
use crate::{
    db::Txn,
    entity::{Reach, agent as row, customer as customer_row},
    id::{AgentId, CustomerId},
};

/// The customer, locked for who adds to it: who counts what it has beside us waits. Refused as [`refuse_suspended`] says.
pub(super) async fn growing_customer(txn: &Txn, caller: &Caller, id: CustomerId) -> Result<Customer> {
    let found = txn.one(customer_row::locked(txn.reach(), id)).await?.ok_or(Error::NotFound("customer"))?;
    refuse_suspended(caller, found.standing())?;
    Ok(found)
}

/// A suspended customer's data is written by the platform only, and an erased one's by nobody.
pub(super) fn refuse_suspended(caller: &Caller, standing: Standing) -> Result<()> {
    let Standing { plan: _, billing_status, erased_at } = standing;
    if erased_at.is_some() {
        return Err(Error::Suspended);
    }
    match billing_status {
        BillingStatus::Suspended | BillingStatus::Canceled if !policy::is_platform(caller) => {
            Err(Error::Suspended)
        }
        BillingStatus::Trialing
        | BillingStatus::Active
        | BillingStatus::PastDue
        | BillingStatus::Suspended
        | BillingStatus::Canceled => Ok(()),
    }
}

/// The agent for writing: its customer first, then its row, both locked, and the caller's right to do this to it.
pub(super) async fn agent(txn: &Txn, caller: &Caller, action: Action, id: AgentId) -> Result<Agent> {
    Ok(agent_and_standing(txn, caller, action, id).await?.1)
}

/// The same, with how its customer stands. Nothing is locked for who may not do this.
pub(super) async fn agent_and_standing(
    txn: &Txn,
    caller: &Caller,
    action: Action,
    id: AgentId,
) -> Result<(Standing, Agent)> {
    let may = |customer| policy::allow_on(caller, action, customer, "agent");
    let reach = match txn.reach() {
        Reach::Everyone => Reach::Everyone,
        Reach::Only(customers) => {
            Reach::Only(customers.iter().copied().filter(|customer| may(*customer).is_ok()).collect())
        }
    };
    match txn.one(row::locked(&reach, id)).await? {
        Some(row::Locked { agent, standing }) => {
            may(agent.customer_id)?;
            refuse_suspended(caller, standing)?;
            Ok((standing, agent))
        }
        None => {
            let missing = Error::NotFound("agent");
            let found = txn.one(row::by_ids(txn.reach(), &[id])).await?;
            Err(found.and_then(|found| may(found.customer_id).err()).unwrap_or(missing))
        }
    }
}
