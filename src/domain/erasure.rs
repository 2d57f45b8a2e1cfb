//! Erasure: the contents and personal data of a canceled customer are deleted for good. Numbers, hashes and the log
//! stay, so that the log can still be verified.

use serde_json::json;

use super::{
    Caller, Error, Outcome, Registry, Result, WriteResult,
    change::ChangeAction,
    customer::{BillingStatus, Customer},
    policy::{self, Action},
};
pub use crate::entity::erasure::{ColumnErasure, ErasureAction, column_erasures};
use crate::{
    db::ChangeRecord,
    entity::{
        agent, agent_version, api_key, customer, environment, gateway, gateway_watch, invitation, membership,
        serving_rejection, user,
    },
    id::CustomerId,
};

impl Registry {
    /// Erases a canceled customer: the prompts, parameters, tools, models and messages of all versions; the names and
    /// descriptions of its agents; the names of its environments; its memberships, and the profiles of users without another customer; its
    /// invitations; its API keys, with their gateways; what gateways say about its agents; and its name. Can't be undone. Erasing a customer again changes nothing.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator, [`Error::NotFound`], [`Error::Invalid`] for a customer
    /// that isn't canceled.
    pub async fn erase_customer(&self, caller: &Caller, id: CustomerId) -> Result<WriteResult<Customer>> {
        policy::allow(caller, Action::EraseCustomer)?;
        let now = self.clock().now();
        self.write(caller, move |txn| async move {
            let (txn, before) = txn.customer(Action::EraseCustomer, id, "customer").await?;
            if before.erased_at.is_some() {
                let since =
                    super::write::last_change_of_customer(&txn, id, ChangeAction::CustomerErased).await?;
                return Ok(Outcome::Unchanged { value: before, since });
            }
            if before.billing_status != BillingStatus::Canceled {
                return Err(Error::invalid("customerId", "only a canceled customer can be erased"));
            }
            // In one transaction, however long it takes, so that no customer is ever erased by half.
            txn.extend_statement_timeout().await?;
            // The customer's row first: the triggers that protect versions' contents then allow changing them.
            txn.update_all(customer::erase(id, now)).await?;
            let erased = txn.one(customer::by_ids(txn.tenant_filter(), &[id])).await?;
            let erased = erased.ok_or(Error::NotFound("customer"))?;
            let versions = txn.update_all(agent_version::erase(id)).await?;
            let agents = txn.update_all(agent::erase(id)).await?;
            txn.update_all(environment::erase(id)).await?;
            let users: Vec<_> =
                txn.all(user::locked_exclusive_members(id)).await?.iter().map(|user| user.id).collect();
            let members = txn.delete(membership::delete(id, None)).await?;
            let users = txn.delete(user::delete(&users)).await?;
            let invitations = txn.delete(invitation::delete_of(id)).await?;
            let api_keys = txn.delete(api_key::delete_of(id)).await?;
            txn.delete(serving_rejection::delete_of(id)).await?;
            txn.delete(gateway::delete_of(id)).await?;
            txn.delete(gateway_watch::delete_of(id)).await?;
            let details = json!({
                "versions": versions, "agents": agents, "members": members, "users": users,
                "invitations": invitations, "api_keys": api_keys,
            });
            txn.record(ChangeRecord::of(ChangeAction::CustomerErased, id).details(details));
            Ok(Outcome::Changed(erased))
        })
        .await
    }
}
