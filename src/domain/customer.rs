//! Customers: the tenants.

use sea_orm::Set;
use serde_json::json;

use super::{
    BoundedCount, Caller, Error, Input, Outcome, Page, PageArgs, Reading, Registry, Result, WriteResult,
    change::ChangeAction,
    idempotency::{ReplayIds, Replayable, require_allowed},
    policy::{self, Action},
    right::OpenTxn,
    text,
};
use crate::{
    db::ChangeRecord,
    entity::{count::Counted, customer},
    id::CustomerId,
};

pub use customer::{BillingStatus, CustomerStatus, Model as Customer, Plan};

/// The fields of a new customer.
#[derive(Clone, Debug)]
pub struct CreateCustomer {
    /// The name: 1 to 200 characters, not necessarily unique.
    pub name: String,
}

/// Changes to a customer. `None` keeps a field.
#[derive(Clone, Debug)]
pub struct UpdateCustomer {
    /// The customer to change.
    pub id: CustomerId,
    /// The new name.
    pub name: Option<String>,
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
        let (CreateCustomer { name }, errors) = input.into().open();
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
        };
        self.write(caller, move |txn| async move {
            let txn = txn.platform(Action::CreateCustomer).await?;
            txn.insert(customer::ActiveModel::from(customer.clone())).await?;
            let after = json!({ "after": { "name": customer.name } });
            txn.record(ChangeRecord::of(ChangeAction::CustomerCreated, customer.id).details(after));
            Ok(Outcome::Changed(customer))
        })
        .await
    }

    /// Changes a customer's own fields.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] unless the caller is its ADMIN or an operator, [`Error::Suspended`],
    /// [`Error::Invalid`] or [`Error::TooLarge`] for its name.
    pub async fn update_customer(
        &self,
        caller: &Caller,
        input: impl Into<Input<UpdateCustomer>>,
    ) -> Result<WriteResult<Customer>> {
        let (UpdateCustomer { id, name: given }, mut errors) = input.into().open();
        errors.allow_on(caller, Action::UpdateCustomer, id, "customer")?;
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
            if name == before.name {
                let since =
                    super::write::last_change_of_customer(&txn, id, ChangeAction::CustomerUpdated).await?;
                return Ok(Outcome::Unchanged { value: before, since });
            }
            let details = json!({ "before": { "name": before.name }, "after": { "name": name } });
            let row = customer::ActiveModel { name: Set(name), updated_at: Set(now), ..before.into() };
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

    /// A page of the customers that the reader may see, oldest first; with `name`, only those with exactly this name.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`; [`Error::Invalid`] for the
    /// name.
    pub async fn customers(
        &self,
        reading: &Reading,
        name: Option<&str>,
        page: &PageArgs<CustomerId>,
    ) -> Result<Page<Customer>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        name.map_or(Ok(()), |name| text::check_no_nul("name", name))?;
        let rows = reading
            .view
            .all(customer::page(&reading.view.tenant_filter(), name, &page.keyset_page()))
            .await?;
        Ok(page.page(rows))
    }

    /// How many customers the reader may see; with `name`, only those with exactly this name.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`; [`Error::Invalid`] for the
    /// name.
    pub async fn count_customers(&self, reading: &Reading, name: Option<&str>) -> Result<BoundedCount> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        name.map_or(Ok(()), |name| text::check_no_nul("name", name))?;
        let row = reading.view.one(customer::count_named(&reading.view.tenant_filter(), name)).await?;
        Ok(row.map(Counted::bounded).unwrap_or_default())
    }
}
