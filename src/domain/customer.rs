//! Customers: the tenants.

use sea_orm::Set;
use serde_json::json;

use super::{
    Caller, Error, Input, Outcome, Patch, Reading, Registry, Result, WriteResult,
    change::ChangeAction,
    idempotency::{ReplayIds, Replayable, require_allowed},
    policy::{self, Action},
    right::OpenTxn,
    text,
};
use crate::{db::ChangeRecord, entity::customer, id::CustomerId};

pub use customer::{BillingStatus, CustomerStatus, Model as Customer, Plan};

/// The fields of a new customer.
#[derive(Clone, Debug)]
pub struct CreateCustomer {
    /// The name: 1 to 200 characters, not necessarily unique.
    pub name: String,
    /// The customer's id in another system: 1 to 200 characters, unique.
    pub external_id: Option<String>,
}

/// Changes to a customer. `None` keeps a field.
#[derive(Clone, Debug)]
pub struct UpdateCustomer {
    /// The customer to change.
    pub id: CustomerId,
    /// The new name.
    pub name: Option<String>,
    /// The new id in another system, or none.
    pub external_id: Patch<String>,
}

/// A customer's ADMIN who could set the id would learn from the refusal which ids other customers have.
const EXTERNAL_ID_IS_OPERATORS: Error = Error::Forbidden("only operators set a customer's externalId");

/// The customer's own fields that log entries contain.
fn logged_fields(customer: &Customer) -> serde_json::Value {
    match &customer.external_id {
        None => json!({ "name": customer.name }),
        Some(id) => json!({ "name": customer.name, "external_id": id }),
    }
}

/// Checks an id in another system: 1 to 200 characters, no control characters.
fn check_external_id(id: Option<&str>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    if id.is_empty() || id.chars().any(char::is_control) {
        let message = "externalId must be 1 to 200 characters, none of them control characters";
        return Err(Error::invalid("externalId", message));
    }
    text::check_part("externalId", id)
}

impl Replayable for Customer {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let found = txn.one(customer::by_ids(txn.tenant_filter(), &[subject.id.into()])).await?;
        require_allowed(found, txn, Action::UpdateCustomer, "customer", |row| row.id).await
    }
}

impl Registry {
    /// Creates a customer with the plan FREE and the status ACTIVE.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::Invalid`] or [`Error::TooLarge`] for its name.
    pub async fn create_customer(
        &self,
        caller: &Caller,
        input: impl Into<Input<CreateCustomer>>,
    ) -> Result<WriteResult<Customer>> {
        policy::allow(caller, Action::CreateCustomer)?;
        let (CreateCustomer { name, external_id }, mut errors) = input.into().open();
        errors.note(check_external_id(external_id.as_deref()));
        let name = errors.and(text::normal_name("name", &name))?;
        let now = self.clock().now();
        let customer = Customer {
            id: self.clock().id(),
            name,
            plan: Plan::Free,
            billing_status: BillingStatus::Active,
            created_at: now,
            updated_at: now,
            erased_at: None,
            external_id,
        };
        self.write(caller, move |txn| async move {
            let txn = txn.platform(Action::CreateCustomer).await?;
            txn.insert(customer::ActiveModel::from(customer.clone())).await?;
            let after = json!({ "after": logged_fields(&customer) });
            txn.record(ChangeRecord::of(ChangeAction::CustomerCreated, customer.id).details(after));
            Ok(Outcome::Changed(customer))
        })
        .await
    }

    /// Changes a customer's own fields. The id in another system is the platform's: only operators change it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] unless the caller is its ADMIN or an operator, and for the id in another
    /// system unless it is an operator; [`Error::Suspended`], [`Error::AlreadyExists`] for that id, [`Error::Invalid`] or
    /// [`Error::TooLarge`] for a field.
    pub async fn update_customer(
        &self,
        caller: &Caller,
        input: impl Into<Input<UpdateCustomer>>,
    ) -> Result<WriteResult<Customer>> {
        let (UpdateCustomer { id, name: given, external_id }, mut errors) = input.into().open();
        errors.allow_on(caller, Action::UpdateCustomer, id, "customer")?;
        if external_id.is_some() {
            policy::allow(caller, Action::CreateCustomer).map_err(|_| EXTERNAL_ID_IS_OPERATORS)?;
        }
        errors.note(check_external_id(external_id.as_ref().and_then(|id| id.as_deref())));
        // A name from before today's rules may stay, so without another error the name is checked in the write.
        if let Some(name) = given.as_deref().filter(|_| !errors.is_empty()) {
            errors.note(text::normal_name("name", name).map(drop));
        }
        errors.into_result()?;
        let now = self.clock().now();
        self.write(caller, move |txn| async move {
            let (txn, before) = txn.customer(Action::UpdateCustomer, id, "customer").await?;
            let name = match given {
                Some(name) if name != before.name => text::normal_name("name", &name)?,
                _ => before.name.clone(),
            };
            let after = Customer {
                name,
                external_id: external_id.unwrap_or_else(|| before.external_id.clone()),
                ..before.clone()
            };
            if after == before {
                let since =
                    super::write::last_change_of_customer(&txn, id, ChangeAction::CustomerUpdated).await?;
                return Ok(Outcome::Unchanged { value: before, since });
            }
            let details = json!({ "before": logged_fields(&before), "after": logged_fields(&after) });
            let row = customer::ActiveModel {
                name: Set(after.name),
                external_id: Set(after.external_id),
                updated_at: Set(now),
                ..before.into()
            };
            let after = txn.update(row).await?;
            txn.record(ChangeRecord::of(ChangeAction::CustomerUpdated, id).details(details));
            Ok(Outcome::Changed(after))
        })
        .await
    }

    /// Checks that a customer exists, for a caller that sees all customers.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unavailable`] when the database is.
    pub(crate) async fn check_customer_exists(&self, caller: &Caller, id: CustomerId) -> Result<()> {
        let reading = self.reading(caller);
        let found = reading.view.one(customer::by_ids(&reading.view.tenant_filter(), &[id])).await?;
        found.map(drop).ok_or(Error::NotFound("customer"))
    }

    /// The customers with these ids that the reader may see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn customers_by_ids(&self, reading: &Reading, ids: &[CustomerId]) -> Result<Vec<Customer>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        Ok(reading.view.all(customer::by_ids(&reading.view.tenant_filter(), ids)).await?)
    }
}
