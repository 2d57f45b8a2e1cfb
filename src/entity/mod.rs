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
pub mod idempotency_key;
pub mod invitation;
pub mod log;
pub mod membership;
pub mod operator;
pub mod service_token;
pub mod serving;
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

    /// SQL and values for the same slice under each of many parents: one index descent a parent, however many rows
    /// each has. `$1` is the parents; `condition` may use `$5` and up, `t` is the table.
    fn under_each(
        &self,
        columns: &str,
        table: &str,
        parent: &str,
        key: (&str, &str),
        order: Order,
        condition: &str,
    ) -> String {
        let (key, kind) = key;
        let ascending = matches!(order, Order::Asc);
        let (beyond, short_of) = if ascending { (">", "<") } else { ("<", ">") };
        let direction = if ascending == self.backward { "DESC" } else { "ASC" };
        format!(
            "SELECT p.* FROM unnest($1::uuid[]) AS parent (id) CROSS JOIN LATERAL (\
             SELECT {columns} FROM registry.{table} AS t WHERE t.{parent} = parent.id \
             AND ($2::{kind} IS NULL OR t.{key} {beyond} $2) AND ($3::{kind} IS NULL OR t.{key} {short_of} $3) \
             AND {condition} ORDER BY t.{key} {direction} LIMIT $4) AS p"
        )
    }

    /// The values `$1` to `$4` of [`Slice::under_each`].
    fn values(&self, parents: Value, none: Value) -> Vec<Value> {
        let bound = |key: &Option<K>| key.clone().map_or_else(|| none.clone(), Into::into);
        let limit = i64::try_from(self.limit).unwrap_or(i64::MAX);
        vec![parents, bound(&self.after), bound(&self.before), limit.into()]
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
