//! One table a file: columns, enums, selects that name their reach. No rules, no connection.

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, Value,
    sea_query::{ArrayType, Expr, Order},
};
use uuid::Uuid;

use crate::id::CustomerId;

pub mod activation;
pub mod agent;
pub mod agent_version;
pub mod api_key;
pub mod audit;
pub mod change;
pub mod customer;
pub mod erasure;
pub mod idempotency_key;
pub mod invitation;
pub mod log;
pub mod membership;
pub mod operator;
pub mod publication;
mod search;
pub mod service_token;
pub mod serving;
mod sql;
pub mod told;
pub mod user;

/// Whose rows a select may touch. Each select of a tenant's table takes one: an unscoped read can't be written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Every customer's.
    Everyone,
    /// Those of the customers named.
    Only(Vec<CustomerId>),
}

impl Reach {
    /// Whether this customer's rows are within reach.
    #[must_use]
    pub fn holds(&self, customer: CustomerId) -> bool {
        match self {
            Self::Everyone => true,
            Self::Only(customers) => customers.contains(&customer),
        }
    }

    /// `select`, narrowed to rows whose `column` names a customer within reach.
    pub fn narrow<E: EntityTrait>(&self, select: Select<E>, column: E::Column) -> Select<E> {
        match self {
            Self::Everyone => select,
            Self::Only(customers) => select.filter(column.eq_any(customers.clone())),
        }
    }
}

/// One page by keyset: `limit` rows beyond a key, in the list's own order or backwards from its end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slice<K> {
    /// Rows after this key in the list's order.
    pub after: Option<K>,
    /// Rows before this key in the list's order.
    pub before: Option<K>,
    /// At most so many rows.
    pub limit: u64,
    /// Take the rows nearest to the end; they come in reverse.
    pub backward: bool,
}

impl<K: Clone + Into<Value>> Slice<K> {
    /// `select`, cut to this slice of a list that is ordered by `key`.
    pub fn cut<E: EntityTrait>(&self, mut select: Select<E>, key: E::Column, order: Order) -> Select<E> {
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

/// How many rows of `select` each of these customers has: rows of (customer, count); none for a customer without.
fn count_by_customer<E: EntityTrait>(
    select: Select<E>,
    customers: &[CustomerId],
    column: E::Column,
) -> Select<E> {
    Reach::Only(customers.to_vec())
        .narrow(select, column)
        .select_only()
        .column(column)
        .column_as(Expr::cust("count(*)"), "count")
        .group_by(column)
}

/// Ids as one array value: `= ANY($1)` has one plan, whatever their number.
fn uuids<T: Into<Uuid> + Copy>(ids: &[T]) -> Value {
    let values = ids.iter().map(|&id| Value::Uuid(Some(id.into()))).collect();
    Value::Array(ArrayType::Uuid, Some(Box::new(values)))
}
