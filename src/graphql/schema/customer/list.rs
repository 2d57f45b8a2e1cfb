//! Lists of customers in the GraphQL schema: their filter, their orders and their connection.

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject};

use super::{
    super::{
        error::to_graphql_error,
        page::{CUSTOMERS, OrderDirection, connection},
        scalar::{DateTime, id},
    },
    BillingStatus, Customer, Plan,
};
use crate::{
    domain::{
        self, BoundedCount, PageArgs,
        customer_list::{self, CustomerListing, CustomerPosition, ListedCustomer},
        page::ListId,
    },
    graphql::engine::context::RequestView,
    id::CustomerId,
};

/// Conditions on customers; all given ones must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct CustomerFilter {
    /// Only customers of exactly this name, in the same case. Names aren't unique.
    name: Option<String>,
    /// Only customers whose name contains this text of at most 200 characters, in any case; an empty one filters nothing.
    name_contains: Option<String>,
    /// Only customers with one of these billing statuses. FORBIDDEN for API keys.
    billing_statuses: Option<Vec<BillingStatus>>,
    /// Only customers with one of these plans. FORBIDDEN for API keys.
    plans: Option<Vec<Plan>>,
    /// Only customers that were created at or after this instant.
    created_since: Option<DateTime>,
    /// Only customers of these UUIDs, at most 100.
    ids: Option<Vec<ID>>,
    /// Only the customer with exactly this `externalId`.
    external_id: Option<String>,
}

impl CustomerFilter {
    fn read(self) -> domain::Result<customer_list::CustomerFilter> {
        let Self { name, name_contains, billing_statuses, plans, created_since, ids, external_id } = self;
        let customer = |customer: &ID| id::<CustomerId>("filter.ids", customer);
        Ok(customer_list::CustomerFilter {
            name,
            name_contains,
            billing_statuses: billing_statuses.map(|all| all.into_iter().map(Into::into).collect()),
            plans: plans.map(|all| all.into_iter().map(Into::into).collect()),
            created_since: created_since.map(DateTime::instant),
            ids: ids.map(|ids| ids.iter().map(customer).collect::<domain::Result<_>>()).transpose()?,
            external_id,
        })
    }
}

/// What customers can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "customer_list::OrderField")]
pub enum CustomerOrderField {
    /// The name, in any case, by the code points of its lower-case letters.
    Name,
    /// When the customer was created.
    CreatedAt,
    /// The minute of `lastActivityAt`. FORBIDDEN for credentials that are limited to environments.
    LastActivityAt,
}

/// The order of a list of customers. Customers of equal values are ordered by age.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct CustomerOrder {
    /// What the customers are ordered by.
    field: CustomerOrderField,
    /// Ascending or descending; rows without a value come last in both.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl From<CustomerOrder> for customer_list::CustomerOrder {
    fn from(CustomerOrder { field, direction }: CustomerOrder) -> Self {
        Self { field: field.into(), is_descending: direction == OrderDirection::Desc }
    }
}

/// Reads the arguments of a list of customers.
pub(super) fn listing_of(
    filter: Option<CustomerFilter>,
    order: Option<CustomerOrder>,
) -> async_graphql::Result<CustomerListing> {
    let filter = filter.unwrap_or_default().read().map_err(|err| to_graphql_error(&err))?;
    Ok(CustomerListing { filter, order: order.map(Into::into).unwrap_or_default() })
}

/// The list of customers in this order, for its cursors.
pub(super) fn ordered_customers(listing: &CustomerListing) -> ListId {
    let (list, order) = (ListId::all(CUSTOMERS), listing.order);
    if order == customer_list::CustomerOrder::default() {
        return list;
    }
    let name = match order.field {
        customer_list::OrderField::Name => "name",
        customer_list::OrderField::CreatedAt => "created at",
        customer_list::OrderField::LastActivityAt => "last activity at",
    };
    list.ordered(&format!("{name} {}", if order.is_descending { "descending" } else { "ascending" }))
}

/// What `totalCount` counts: the customers that the reader can see and the filter matches.
pub struct CustomerCount {
    view: RequestView,
    filter: customer_list::CustomerFilter,
}

async fn count(of: &CustomerCount) -> async_graphql::Result<BoundedCount> {
    let counted = of.view.registry().count_customers(of.view.reading(), &of.filter).await;
    counted.map_err(|err| to_graphql_error(&err))
}

connection!(
    /// A page of customers.
    CustomerConnection, CustomerEdge, Customer, Customer::position, count, CustomerCount
);

impl CustomerConnection {
    pub(super) async fn of(
        view: &RequestView,
        listing: CustomerListing,
        list: ListId,
        args: PageArgs<CustomerPosition>,
    ) -> async_graphql::Result<Self> {
        let page = view.registry().customers(view.reading(), &listing, &args).await;
        let node = |ListedCustomer { customer, position }: ListedCustomer| {
            let position = (position != CustomerPosition::of_id(customer.id)).then(|| Arc::new(position));
            Customer { row: Arc::new(customer), view: view.clone(), position }
        };
        let page = page.map_err(|err| to_graphql_error(&err))?.map(node);
        Ok(Self::new(page, list, CustomerCount { view: view.clone(), filter: listing.filter }))
    }
}
