//! The tables, one file each: columns, enums, statements. A select of a tenant's table either takes a
//! [`TenantFilter`], is bound to customers that the caller was checked for, or returns rows that `domain` filters
//! with [`TenantFilter::admits`]. No business rules and no connections here.

use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, UpdateMany, Value,
    sea_query::{ArrayType, Expr, Order},
};
use uuid::Uuid;

use crate::{clock::Instant, environment_key::EnvironmentKey, id::CustomerId};

pub mod activation;
pub mod agent;
mod agent_filter;
mod agent_order;
pub mod agent_update;
pub mod agent_version;
pub mod api_key;
pub mod audit;
pub mod change;
pub mod chart;
pub mod content;
pub mod count;
pub mod customer;
pub mod customer_list;
pub mod environment;
pub mod erasure;
pub mod extensions;
pub mod gateway;
pub mod gateway_watch;
pub mod idempotency_key;
pub mod identity;
pub mod in_use;
pub mod invitation;
mod json;
mod list_filter;
mod list_position;
pub mod log;
pub mod log_consistency;
pub mod membership;
pub mod operator;
mod ordered_list;
pub mod pinned_version;
pub mod publication;
pub mod rollback_target;
mod search;
pub mod served_config;
pub mod service_token;
pub mod serving;
pub mod serving_commit;
pub mod serving_rejection;
pub mod session;
pub mod sign_in_link;
mod sql;
#[cfg(test)]
mod tenant_filter_tests;
pub mod time_in_environment;
pub mod user;
pub mod user_list;

pub use count::{BoundedCount, COUNT_MAX};
pub use list_position::ListPosition;

/// The customers whose rows a caller may read. A select of a tenant's table either takes one, is bound to customers
/// that the caller was checked for, or returns rows that `domain` filters with [`TenantFilter::admits`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TenantFilter {
    /// All customers.
    All,
    /// The listed customers.
    Only(Vec<CustomerId>),
}

impl TenantFilter {
    /// Whether rows of this customer may be returned.
    #[must_use]
    pub fn admits(&self, customer: CustomerId) -> bool {
        match self {
            Self::All => true,
            Self::Only(customers) => customers.contains(&customer),
        }
    }

    /// Restricts `select` to rows whose `column` is an admitted customer.
    pub fn narrow<E: EntityTrait>(&self, select: Select<E>, column: E::Column) -> Select<E> {
        match self {
            Self::All => select,
            Self::Only(customers) => select.filter(column.eq_any(customers.clone())),
        }
    }
}

/// The environments whose rows a caller may read and change, at the customers that it may see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum EnvironmentFilter {
    /// All environments.
    #[default]
    All,
    /// The environments with these keys, sorted.
    Only(Vec<EnvironmentKey>),
}

impl EnvironmentFilter {
    /// Whether rows of this environment may be returned.
    #[must_use]
    pub fn admits(&self, key: &EnvironmentKey) -> bool {
        match self {
            Self::All => true,
            Self::Only(keys) => keys.contains(key),
        }
    }

    /// Restricts `select` to rows whose `column` is the key of an admitted environment.
    pub fn narrow<E: EntityTrait>(&self, select: Select<E>, column: E::Column) -> Select<E> {
        match self {
            Self::All => select,
            Self::Only(keys) => select.filter(column.is_in(keys.iter().map(EnvironmentKey::as_str))),
        }
    }
}

/// A page by keyset pagination: at most `limit` rows between two keys, from the list's start or from its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeysetPage<K> {
    /// Only rows after this key, in the list's order.
    pub after: Option<K>,
    /// Only rows before this key, in the list's order.
    pub before: Option<K>,
    /// The greatest number of rows.
    pub limit: u64,
    /// Take the last rows instead of the first, in reverse order.
    pub backward: bool,
}

impl<K: Clone + Into<Value>> KeysetPage<K> {
    /// Restricts `select` to this page of a list that is ordered by `key`.
    pub fn apply<E: EntityTrait>(&self, mut select: Select<E>, key: E::Column, order: Order) -> Select<E> {
        let ascending = matches!(order, Order::Asc);
        if let Some(after) = &self.after {
            select = select.filter(if ascending { key.gt(after.clone()) } else { key.lt(after.clone()) });
        }
        if let Some(before) = &self.before {
            select = select.filter(if ascending { key.lt(before.clone()) } else { key.gt(before.clone()) });
        }
        let order = if ascending == self.backward { Order::Desc } else { Order::Asc };
        select.order_by(key, order).limit(self.limit)
    }
}

/// Sets the time in the column `used` to `now` in the row of this credential, unless it is `before` or later already.
fn touch<E: EntityTrait>(
    is_row: impl Into<Expr>,
    used: E::Column,
    now: Instant,
    before: Instant,
) -> UpdateMany<E> {
    let is_stale = Condition::any().add(used.is_null()).add(used.lt(before));
    E::update_many().col_expr(used, Expr::value(now)).filter(is_row.into()).filter(is_stale)
}

/// Binds keys of environments as one array.
fn keys<'a>(keys: impl IntoIterator<Item = &'a EnvironmentKey>) -> Value {
    array_of_texts(keys.into_iter().map(|key| Value::from(key.clone())).collect())
}

/// Binds texts as one array.
fn array_of_texts(texts: Vec<Value>) -> Value {
    Value::Array(ArrayType::String, Some(Box::new(texts)))
}

/// Binds ids as one array, so that `= ANY($1)` has one plan for any number of ids.
fn uuids<T: Into<Uuid> + Copy>(ids: &[T]) -> Value {
    let values = ids.iter().map(|&id| Value::Uuid(Some(id.into()))).collect();
    Value::Array(ArrayType::Uuid, Some(Box::new(values)))
}
