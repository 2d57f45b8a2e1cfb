//! Lists of customers.

use std::collections::HashMap;

use super::{
    BoundedCount, EnvironmentFilter, Error, InputErrors, Page, PageArgs, Reading, Registry, Result,
    content::at_most,
    customer::Customer,
    policy::{self, Action},
    text, visible,
};
use crate::{
    clock::Instant,
    entity::{
        ListPosition,
        count::Counted,
        customer_list::{self, ListedRow},
    },
    id::CustomerId,
};

pub use customer_list::{CustomerOrder, Filter as CustomerFilter, Listing as CustomerListing, OrderField};

/// The most ids in a filter of customers.
const IDS_MAX: usize = 100;

/// The position of a customer in a list.
pub type CustomerPosition = ListPosition<CustomerId>;

/// A customer of a list, and its position there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedCustomer {
    /// The customer.
    pub customer: Customer,
    /// Its position.
    pub position: CustomerPosition,
}

impl Registry {
    /// A page of the customers that the reader may see, in the listing's order.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, for an API key without `agents:read`, and for one that is limited to
    /// environments and asks for the latest activity; [`Error::Invalid`] and [`Error::TooLarge`] for the filter.
    pub async fn customers(
        &self,
        reading: &Reading,
        listing: &CustomerListing,
        page: &PageArgs<CustomerPosition>,
    ) -> Result<Page<ListedCustomer>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let CustomerListing { filter, order } = listing;
        if order.field == OrderField::LastActivityAt {
            require_all_environments(reading)?;
        }
        check_filter(reading, filter)?;
        page.check_positions(|position| order.kind().has(&position.key))?;
        let select = customer_list::page(&reading.view.tenant_filter(), listing, &page.keyset_page());
        let listed = |ListedRow { customer, sort_text, sort_time }: ListedRow| ListedCustomer {
            position: ListPosition::of_value(order.kind(), (sort_text, sort_time), customer.id),
            customer,
        };
        Ok(page.page(reading.view.all(select).await?.into_iter().map(listed).collect()))
    }

    /// How many customers match the filter, of those that the reader may see.
    ///
    /// # Errors
    /// As [`Registry::customers`].
    pub async fn count_customers(&self, reading: &Reading, filter: &CustomerFilter) -> Result<BoundedCount> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        check_filter(reading, filter)?;
        let row = reading.view.one(customer_list::count(&reading.view.tenant_filter(), filter)).await?;
        Ok(row.map(Counted::bounded).unwrap_or_default())
    }

    /// The time of the latest entry of the log about each of these customers, of those that the reader may see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, for an API key without `agents:read`, and for one that is limited to
    /// environments.
    pub async fn last_activity_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
    ) -> Result<HashMap<CustomerId, Instant>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        require_all_environments(reading)?;
        let visible = visible(reading, customers, |id| *id);
        let rows = reading.view.all(customer_list::activity(&visible)).await?;
        Ok(rows.into_iter().map(|row| (row.id, row.at)).collect())
    }
}

/// The latest activity of a customer may be one in any environment.
fn require_all_environments(reading: &Reading) -> Result<()> {
    match reading.caller.principal.environments() {
        EnvironmentFilter::All => Ok(()),
        EnvironmentFilter::Only(_) => Err(Error::Forbidden(
            "the latest activity may be one in any environment, and this credential is limited to some",
        )),
    }
}

/// Checks the filter, and that the reader may read what it is about.
fn check_filter(reading: &Reading, filter: &CustomerFilter) -> Result<()> {
    let CustomerFilter { name, name_contains, billing_statuses, plans, created_since: _, ids, external_id } =
        filter;
    if billing_statuses.is_some() || plans.is_some() {
        policy::allow(&reading.caller, Action::ReadBilling)?;
    }
    let mut errors = InputErrors::default();
    for (field, whole) in [("name", name), ("externalId", external_id)] {
        errors.note(whole.as_deref().map_or(Ok(()), |whole| text::check_no_nul(field, whole)));
    }
    errors.note(name_contains.as_deref().map_or(Ok(()), |part| text::check_part("nameContains", part)));
    errors.note(at_most("ids", ids.as_ref().map_or(0, Vec::len), IDS_MAX, "ids"));
    errors.into_result()
}
