//! Builds SQL that contains only the conditions that a request needs. With `$2 IS NULL OR t.id > $2` in every
//! statement, Postgres's generic plan couldn't start an index scan at `$2`.

use sea_orm::{DbBackend, Statement, Value, sea_query::Order};

use super::{EnvironmentFilter, KeysetPage, TenantFilter, keys, uuids};
use crate::{environment_key::EnvironmentKey, id::AgentId};

/// A statement under construction: its parameters, and the conditions that use them.
#[derive(Debug, Default)]
pub(super) struct Sql {
    values: Vec<Value>,
    conditions: Vec<String>,
}

impl Sql {
    /// Binds a parameter and returns its placeholder.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Adds a condition.
    pub(super) fn and_where(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// Adds the condition `column is value`, where `is` is an operator; nothing without a value.
    pub(super) fn and_compare(&mut self, column: &str, is: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let value = self.bind(value);
            self.and_where(format!("{column} {is} {value}"));
        }
    }

    /// Adds the condition that the rows of `table` belong to customers that `tenants` admits.
    pub(super) fn within(&mut self, table: &str, tenants: &TenantFilter) {
        if let TenantFilter::Only(customers) = tenants {
            let ids = self.bind(uuids(customers));
            self.and_where(format!("{table}.customer_id = ANY({ids}::uuid[])"));
        }
    }

    /// Adds the condition that `column`, the key of an environment, is one that `reach` admits.
    pub(super) fn reaching(&mut self, column: &str, reach: &EnvironmentFilter) {
        if let EnvironmentFilter::Only(admitted) = reach {
            let admitted = self.bind(keys(admitted));
            self.and_where(format!("{column} = ANY({admitted}::text[])"));
        }
    }

    /// Binds agents, each with the key of an environment, as two arrays of one length: ids and keys.
    pub(super) fn bind_places(&mut self, places: &[(AgentId, EnvironmentKey)]) -> (String, String) {
        let ids: Vec<AgentId> = places.iter().map(|(agent, _)| *agent).collect();
        let environments = keys(places.iter().map(|(_, key)| key));
        (self.bind(uuids(&ids)), self.bind(environments))
    }

    /// Binds the keys between which a page lies, in a list with this order.
    pub(super) fn bounds<K: Clone + Into<Value>>(&mut self, page: &KeysetPage<K>, order: &Order) -> Bounds {
        let (beyond, short_of) = if matches!(order, Order::Asc) { (">", "<") } else { ("<", ">") };
        let ends = [(beyond, page.after.clone()), (short_of, page.before.clone())];
        let named = ends.into_iter().filter_map(|(is, key)| Some((is, self.bind(key?))));
        Bounds(named.collect())
    }

    /// Returns the conditions so far, joined with AND; `true` when there are none.
    pub(super) fn where_clause(&self) -> String {
        if self.conditions.is_empty() { "true".to_owned() } else { self.conditions.join(" AND ") }
    }

    /// Returns the conditions so far, and clears them.
    pub(super) fn take_where_clause(&mut self) -> String {
        let clause = self.where_clause();
        self.conditions.clear();
        clause
    }

    /// Returns the statement with its parameters.
    pub(super) fn statement(self, text: impl Into<String>) -> Statement {
        Statement::from_sql_and_values(DbBackend::Postgres, text, self.values)
    }
}

/// The operators and placeholders that bound a page's keys.
#[derive(Debug)]
pub(super) struct Bounds(Vec<(&'static str, String)>);

impl Bounds {
    /// Returns the condition that `key` is within the bounds, with a leading ` AND `; empty without bounds.
    pub(super) fn and(&self, key: &str) -> String {
        self.0.iter().map(|(is, value)| format!(" AND {key} {is} {value}")).collect()
    }
}

/// Converts a number of rows to Postgres's type.
pub(super) fn limit(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

impl<K: Clone + Into<Value>> KeysetPage<K> {
    /// The direction of ORDER BY.
    pub(super) fn direction(&self, order: &Order) -> &'static str {
        if matches!(order, Order::Asc) == self.backward { "DESC" } else { "ASC" }
    }

    /// Returns the select of this page for each of many parents, of the rows of a table `t` that meet the
    /// conditions of `sql`. It costs one index descent for each parent, however many rows the parent has.
    pub(super) fn under_each(
        &self,
        mut sql: Sql,
        rows: (&str, &str),
        (parent, parents): (&str, Value),
        key: &str,
        order: &Order,
    ) -> Statement {
        let (columns, table) = rows;
        let bounds = sql.bounds(self, order).and(&format!("t.{key}"));
        let (parents, limit) = (sql.bind(parents), sql.bind(limit(self.limit)));
        let (conditions, direction) = (sql.where_clause(), self.direction(order));
        sql.statement(format!(
            "SELECT p.* FROM unnest({parents}::uuid[]) AS parent (id) CROSS JOIN LATERAL (\
             SELECT {columns} FROM registry.{table} AS t WHERE t.{parent} = parent.id AND {conditions}{bounds} \
             ORDER BY t.{key} {direction} LIMIT {limit}) AS p"
        ))
    }
}
