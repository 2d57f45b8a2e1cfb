//! Lists of customers: their filter, and the indexes that have their orders (`0025_lists.up.sql`).

use sea_orm::{ActiveEnum, FromQueryResult, SelectModel, SelectorRaw, Value};

use super::{
    KeysetPage, TenantFilter, array_of_texts,
    count::{self, SelectCounts},
    customer::{BillingStatus, Model, Plan},
    list_filter::{
        Comparison::{self, Contains, Equals, Meets},
        IndexMatches, ListCondition, normal,
    },
    list_position::{ListPosition, SortKind},
    ordered_list::{ListOrder, OrderedList, Parts},
    sql::Sql,
    uuids,
};
use crate::{clock::Instant, id::CustomerId};

/// The filter of a list of customers. All conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only customers with exactly this name.
    pub name: Option<String>,
    /// Only customers whose name contains this, ignoring case.
    pub name_contains: Option<String>,
    /// Only customers with one of these billing statuses.
    pub billing_statuses: Option<Vec<BillingStatus>>,
    /// Only customers with one of these plans.
    pub plans: Option<Vec<Plan>>,
    /// Only customers that were created at this time or later.
    pub created_since: Option<Instant>,
    /// Only the customers with these ids.
    pub ids: Option<Vec<CustomerId>>,
    /// Only the customer with this id in another system.
    pub external_id: Option<String>,
}

/// What customers can be ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OrderField {
    /// The name, ignoring case.
    Name,
    /// When the customer was created: the order of ids.
    #[default]
    CreatedAt,
    /// The minute of the customer's latest entry of the log.
    LastActivityAt,
}

/// An order of a list of customers; oldest first by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CustomerOrder {
    /// What the customers are ordered by.
    pub field: OrderField,
    /// Descending instead of ascending.
    pub is_descending: bool,
}

impl CustomerOrder {
    /// What the values of the order are.
    #[must_use]
    pub fn kind(self) -> SortKind {
        match self.field {
            OrderField::CreatedAt => SortKind::Id,
            OrderField::Name => SortKind::Text,
            OrderField::LastActivityAt => SortKind::Time,
        }
    }

    fn list_order(self) -> ListOrder {
        let (table, id, key) = match self.field {
            OrderField::CreatedAt => return ListOrder::by_id("customers", self.is_descending),
            OrderField::Name => ("customers", "id", "name_folded"),
            OrderField::LastActivityAt => ("customer_activity", "customer_id", "minute"),
        };
        let (kind, is_descending) = (self.kind(), self.is_descending);
        ListOrder { table, id, key: Some(key), kind, within: None, parts: Parts::Values, is_descending }
    }
}

/// A list of customers: its filter and its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Listing {
    /// The filter.
    pub filter: Filter,
    /// The order.
    pub order: CustomerOrder,
}

/// A customer of a list, and what the list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ListedRow {
    /// The customer.
    #[sea_orm(nested)]
    pub customer: Model,
    /// The text that the list is ordered by, if it is a text.
    pub sort_text: Option<String>,
    /// The instant that the list is ordered by, if it is one.
    pub sort_time: Option<Instant>,
}

fn texts<T: ActiveEnum<Value = String>>(values: &[T]) -> Value {
    array_of_texts(values.iter().map(|value| value.to_value().into()).collect())
}

/// The conditions on the rows of this list. Binds their values.
fn conditions(tenants: &TenantFilter, filter: &Filter, sql: &mut Sql) -> Vec<ListCondition> {
    let Filter { name, name_contains, billing_statuses, plans, created_since, ids, external_id } = filter;
    let of_customers = |comparison| IndexMatches::of("customers", "id", comparison);
    let mut conditions = Vec::new();
    let mut add = |condition: String| {
        let index = of_customers(Meets(condition.clone()));
        conditions.push(ListCondition::indexed(Meets(condition), index));
    };
    // Most callers that don't see all customers see few of them.
    if let TenantFilter::Only(customers) = tenants {
        add(format!("@.id = ANY({}::uuid[])", sql.bind(uuids(customers))));
    }
    if let Some(ids) = ids {
        add(format!("@.id = ANY({}::uuid[])", sql.bind(uuids(ids))));
    }
    if let Some(id) = external_id {
        add(format!("@.external_id = {}", sql.bind(id.as_str())));
    }
    if let Some(statuses) = billing_statuses {
        add(format!("@.billing_status = ANY({}::text[])", sql.bind(texts(statuses))));
    }
    if let Some(plans) = plans {
        add(format!("@.plan = ANY({}::text[])", sql.bind(texts(plans))));
    }
    if let Some(since) = created_since {
        add(format!("@.created_at >= {}", sql.bind(*since)));
    }
    if let Some(name) = name {
        let name = sql.bind(name.as_str());
        conditions
            .push(ListCondition::indexed(Equals("name", name.clone()), of_customers(Equals("name", name))));
    }
    if let Some(part) = name_contains.as_ref().filter(|part| !part.is_empty()) {
        let part = format!("registry.fold_case({}::text)", sql.bind(normal(part)));
        let ending = Comparison::ends_with("ending", &part);
        let endings = IndexMatches::of("customer_name_ends", "customer_id", ending);
        conditions.push(ListCondition::roughly_indexed(Contains("name_folded", part), endings));
    }
    conditions
}

/// A page of the customers that `tenants` admits and that pass the filter.
pub fn page(
    tenants: &TenantFilter,
    listing: &Listing,
    page: &KeysetPage<ListPosition<CustomerId>>,
) -> SelectorRaw<SelectModel<ListedRow>> {
    let (mut sql, order) = (Sql::default(), listing.order.list_order());
    let conditions = conditions(tenants, &listing.filter, &mut sql);
    let whose = |_: &str, _: &str| "true".to_owned();
    let list = OrderedList { table: "customers", order: &order, conditions: &conditions, whose: &whose };
    let text = list.page(page, &mut sql);
    ListedRow::find_by_statement(sql.statement(text))
}

/// Counts the customers that `tenants` admits and that pass the filter.
pub fn count(tenants: &TenantFilter, filter: &Filter) -> SelectCounts {
    let (mut sql, order) = (Sql::default(), CustomerOrder::default().list_order());
    let conditions = conditions(tenants, filter, &mut sql);
    let whose = |_: &str, _: &str| "true".to_owned();
    let list = OrderedList { table: "customers", order: &order, conditions: &conditions, whose: &whose };
    let text = list.counted::<CustomerId>(&mut sql);
    count::of_select(sql, &text)
}

/// The time of a customer's latest entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Activity {
    /// The customer.
    pub id: CustomerId,
    /// The time; to the minute when the entry has been pruned.
    pub at: Instant,
}

/// The latest activity of each of these customers. Not filtered by the caller's rights: the caller must do so.
pub fn activity(ids: &[CustomerId]) -> SelectorRaw<SelectModel<Activity>> {
    let mut sql = Sql::default();
    let ids = sql.bind(uuids(ids));
    Activity::find_by_statement(sql.statement(format!(
        "SELECT a.customer_id AS id, coalesce((SELECT x.at FROM registry.changes AS x WHERE x.customer_id = a.customer_id \
         ORDER BY x.revision DESC, x.position DESC LIMIT 1), a.minute) AS at \
         FROM registry.customer_activity AS a WHERE a.customer_id = ANY({ids}::uuid[])"
    )))
}
