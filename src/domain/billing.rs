//! Billing: a customer's plan and billing status.

use sea_orm::Set;
use serde_json::json;

use super::{
    Caller, Error, Outcome, Registry, Result, WriteResult,
    change::ChangeAction,
    customer::{BillingStatus, Customer, Plan},
    policy::{self, Action},
};
use crate::{db::ChangeRecord, entity::customer, id::CustomerId};

impl BillingStatus {
    /// Whether a customer may change from this status to `next`. A canceled customer stays canceled, because its data
    /// may be erased.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use BillingStatus::{Active, Canceled, PastDue, Suspended, Trialing};
        match self {
            Trialing => matches!(next, Trialing | Active | PastDue | Suspended | Canceled),
            Active => matches!(next, Active | PastDue | Suspended | Canceled),
            PastDue => matches!(next, PastDue | Active | Suspended | Canceled),
            Suspended => matches!(next, Suspended | Active | PastDue | Canceled),
            Canceled => matches!(next, Canceled),
        }
    }
}

impl Registry {
    /// Sets a customer's plan.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::NotFound`]; [`Error::Canceled`] for an erased
    /// customer.
    pub async fn set_plan(
        &self,
        caller: &Caller,
        id: CustomerId,
        plan: Plan,
    ) -> Result<WriteResult<Customer>> {
        policy::allow(caller, Action::ManageBilling)?;
        let now = self.clock().now();
        self.write(caller, move |txn| async move {
            let (txn, before) = txn.customer(Action::ManageBilling, id, "customer").await?;
            // The row of an erased customer never changes.
            if before.erased_at.is_some() {
                return Err(Error::Canceled);
            }
            if before.plan == plan {
                let since =
                    super::write::last_change_of_customer(&txn, id, ChangeAction::CustomerPlanSet).await?;
                return Ok(Outcome::Unchanged { value: before, since });
            }
            let details = json!({ "before": name(before.plan), "after": name(plan) });
            let row = customer::ActiveModel { plan: Set(plan), updated_at: Set(now), ..before.into() };
            let after = txn.update(row).await?;
            txn.record(ChangeRecord::of(ChangeAction::CustomerPlanSet, id).details(details));
            Ok(Outcome::Changed(after))
        })
        .await
    }

    /// Sets a customer's billing status. From this commit on, a suspended or canceled customer serves no
    /// configurations.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::NotFound`]; [`Error::Invalid`] for a change
    /// that [`BillingStatus::may_become`] doesn't allow.
    pub async fn set_billing_status(
        &self,
        caller: &Caller,
        id: CustomerId,
        status: BillingStatus,
    ) -> Result<WriteResult<Customer>> {
        policy::allow(caller, Action::ManageBilling)?;
        let now = self.clock().now();
        self.write(caller, move |txn| async move {
            let (txn, before) = txn.customer(Action::ManageBilling, id, "customer").await?;
            let was = before.billing_status;
            if was == status {
                let last = super::write::last_change_of_customer(&txn, id, ChangeAction::CustomerBillingSet);
                return Ok(Outcome::Unchanged { value: before, since: last.await? });
            }
            if !was.may_become(status) {
                let message =
                    format!("a customer with the status {} can't change to {}", name(was), name(status));
                return Err(Error::invalid("status", message));
            }
            let details = json!({ "before": name(was), "after": name(status) });
            let row =
                customer::ActiveModel { billing_status: Set(status), updated_at: Set(now), ..before.into() };
            let after = txn.update(row).await?;
            txn.record(ChangeRecord::of(ChangeAction::CustomerBillingSet, id).details(details));
            Ok(Outcome::Changed(after))
        })
        .await
    }
}

fn name<T: sea_orm::ActiveEnum<Value = String>>(value: T) -> String {
    value.to_value()
}
