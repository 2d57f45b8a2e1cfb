//! A statement that is written as it is asked for: a condition that nobody asked for is not in it. `$2 IS NULL OR t.id > $2`
//! would be in every one, and no index could begin where `$2` says when Postgres keeps one plan for all values.

use sea_orm::{DbBackend, Statement, Value, sea_query::Order};

use super::{Reach, Slice, uuids};

/// A statement as it grows: its values, and the conditions that name them.
#[derive(Debug, Default)]
pub(super) struct Sql {
    values: Vec<Value>,
    conditions: Vec<String>,
}

impl Sql {
    /// Takes a value; answers its name.
    pub(super) fn value(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    /// Only rows that meet this condition.
    pub(super) fn when(&mut self, condition: impl Into<String>) {
        self.conditions.push(condition.into());
    }

    /// Only rows of which `column` stands so to this value.
    pub(super) fn only(&mut self, column: &str, is: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            let value = self.value(value);
            self.when(format!("{column} {is} {value}"));
        }
    }

    /// Only rows of `table` that are of customers within reach.
    pub(super) fn within(&mut self, table: &str, reach: &Reach) {
        if let Reach::Only(customers) = reach {
            let ids = self.value(uuids(customers));
            self.when(format!("{table}.customer_id = ANY({ids}::uuid[])"));
        }
    }

    /// Takes the ends of a slice of a list in that order.
    pub(super) fn bounds<K: Clone + Into<Value>>(&mut self, slice: &Slice<K>, order: &Order) -> Bounds {
        let (beyond, short_of) = if matches!(order, Order::Asc) { (">", "<") } else { ("<", ">") };
        let ends = [(beyond, slice.after.clone()), (short_of, slice.before.clone())];
        let named = ends.into_iter().filter_map(|(is, key)| Some((is, self.value(key?))));
        Bounds(named.collect())
    }

    /// What the conditions so far come to.
    pub(super) fn so_far(&self) -> String {
        if self.conditions.is_empty() { "true".to_owned() } else { self.conditions.join(" AND ") }
    }

    /// The same, and those to come are others.
    pub(super) fn take(&mut self) -> String {
        let so_far = self.so_far();
        self.conditions.clear();
        so_far
    }

    /// The statement, with the values that it names.
    pub(super) fn statement(self, text: impl Into<String>) -> Statement {
        Statement::from_sql_and_values(DbBackend::Postgres, text, self.values)
    }
}

/// Where a slice begins and ends, as far as anybody said.
#[derive(Debug)]
pub(super) struct Bounds(Vec<(&'static str, String)>);

impl Bounds {
    /// That `key` is within them, to be written after another condition.
    pub(super) fn and(&self, key: &str) -> String {
        self.0.iter().map(|(is, value)| format!(" AND {key} {is} {value}")).collect()
    }
}

/// A number of rows, as Postgres takes it.
pub(super) fn limit(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

impl<K: Clone + Into<Value>> Slice<K> {
    /// Which way the rows are read.
    pub(super) fn direction(&self, order: &Order) -> &'static str {
        if matches!(order, Order::Asc) == self.backward { "DESC" } else { "ASC" }
    }

    /// This slice of the rows of a table, `t`, that each of many parents has and that meet the conditions of `sql`: one
    /// index descent a parent, however many rows each has.
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
        let (parents, limit) = (sql.value(parents), sql.value(limit(self.limit)));
        let (conditions, direction) = (sql.so_far(), self.direction(order));
        sql.statement(format!(
            "SELECT p.* FROM unnest({parents}::uuid[]) AS parent (id) CROSS JOIN LATERAL (\
             SELECT {columns} FROM registry.{table} AS t WHERE t.{parent} = parent.id AND {conditions}{bounds} \
             ORDER BY t.{key} {direction} LIMIT {limit}) AS p"
        ))
    }
}
