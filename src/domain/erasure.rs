//! Erasure: what a canceled customer had is taken away for good. Numbers, hashes and the log stay, and stay verifiable.

use serde_json::json;

use super::{
    Caller, Changed, Error, Registry, Result,
    change::ChangeAction,
    customer::{BillingStatus, Customer},
    policy::{self, Action},
};
pub use crate::entity::erasure::{ColumnFate, Fate, column_fates};
use crate::{
    db::Entry,
    entity::{agent, agent_version, api_key, customer as row, invitation, membership, user},
    id::CustomerId,
};

impl Registry {
    /// Erases a canceled customer: prompts, parameters, tools, models and messages of all versions, names and descriptions of its
    /// agents, its members' places, the profiles of those who worked nowhere else, its invitations, its API keys, and its
    /// name. There is no way back. Erasing it again changes nothing.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator, [`Error::NotFound`], [`Error::Invalid`] for a customer that
    /// is not canceled.
    pub async fn erase_customer(&self, caller: &Caller, id: CustomerId) -> Result<Changed<Customer>> {
        policy::allow(caller, Action::EraseCustomer)?;
        let now = self.clock.now();
        let made = self
            .write(caller, move |txn| async move {
                let (txn, before) = txn.customer(Action::EraseCustomer, id, "customer").await?;
                if before.erased_at.is_some() {
                    let since =
                        super::last_change_of_customer(&txn, id, ChangeAction::CustomerErased).await?;
                    return Ok((before, since));
                }
                if before.billing_status != BillingStatus::Canceled {
                    return Err(Error::invalid("customerId", "only a canceled customer can be erased"));
                }
                // All at once, however much it is: what is half erased would be neither there nor gone.
                txn.take_time().await?;
                // First its row: with that, the triggers let the content of its versions go.
                txn.update_all(row::erase(id, now)).await?;
                let erased = txn.one(row::by_ids(txn.reach(), &[id])).await?;
                let erased = erased.ok_or(Error::NotFound("customer"))?;
                let versions = txn.update_all(agent_version::erase(id)).await?;
                let agents = txn.update_all(agent::erase(id)).await?;
                let users: Vec<_> = txn.all(user::only_of(id)).await?.iter().map(|user| user.id).collect();
                let members = txn.delete(membership::delete(id, None)).await?;
                let users = txn.delete(user::delete(&users)).await?;
                let invitations = txn.delete(invitation::delete_of(id)).await?;
                let api_keys = txn.delete(api_key::delete_of(id)).await?;
                let details = json!({
                    "versions": versions, "agents": agents, "members": members, "users": users,
                    "invitations": invitations, "api_keys": api_keys,
                });
                txn.record(Entry::of(ChangeAction::CustomerErased, id).details(details));
                Ok((erased, 0))
            })
            .await?;
        Ok(made.or_since())
    }
}
