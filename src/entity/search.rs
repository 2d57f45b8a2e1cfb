//! Pages of agents that pass a filter. A filter may pass few agents of a customer or nearly all; Postgres's
//! statistics describe the whole table and don't tell. So the statement finds out: it reads up to [`LOOKUP_MAX`] agents
//! from the index of each condition, and looks up the agents of the first index with fewer matches. If every
//! condition has more, agents that pass all of them are frequent, so the statement scans the list in its own
//! order.

use sea_orm::{Statement, sea_query::Order};

use super::{
    KeysetPage, TenantFilter,
    agent::{ENDING_CHARS, Filter},
    sql::{Sql, limit},
    uuids,
};
use crate::id::{AgentId, CustomerId};

/// Below this number of matches, the statement looks up and sorts the matches of an index, instead of scanning the
/// list.
const LOOKUP_MAX: i64 = 2_000;
/// Ends the range of texts that begin with `from`: `from <= text < from || END`.
const END: &str = "chr(1114111)";

/// A filter as SQL: its conditions, and for each an index that finds a superset of the agents that meet it.
struct SearchConditions {
    /// Conditions on the agent's row `t`.
    conditions: Vec<String>,
    /// The indexes, without a condition on the customer.
    indexed: Vec<IndexMatches>,
}

/// The rows of an index that a condition of the filter selects.
struct IndexMatches {
    /// The column with the agent's id, and the table.
    column: &'static str,
    table: &'static str,
    /// The condition on the table's row `x`.
    condition: String,
}

impl SearchConditions {
    /// Text is compared in ways for which row-level security permits an index (see `0007_search.up.sql`).
    fn of(filter: &Filter, sql: &mut Sql) -> Self {
        let Filter { archived, name, name_starts_with, name_contains, model_name, tool_name } = filter;
        let (mut conditions, mut indexed) = (Vec::new(), Vec::new());
        let mut index =
            |column, table, condition: String| indexed.push(IndexMatches { column, table, condition });
        if let Some(name) = name {
            let name = sql.bind(name.clone());
            conditions.push(format!("t.name = {name}"));
            index("id", "agents", format!("x.name_lower = lower({name}::text)"));
        }
        if let Some(start) = name_starts_with {
            let start = format!("lower({}::text)", sql.bind(start.clone()));
            // Not a range, or Postgres might scan the index of names instead of the list's order.
            conditions.push(format!("strpos(t.name_lower, {start}) = 1"));
            let range = format!("x.name_lower >= {start} AND x.name_lower < {start} || {END}");
            index("id", "agents", range);
        }
        if let Some(part) = name_contains {
            let part = format!("lower({}::text)", sql.bind(part.clone()));
            conditions.push(format!("strpos(t.name_lower, {part}) > 0"));
            let start = format!("left({part}, {ENDING_CHARS})");
            let range = format!("x.ending >= {start} AND x.ending < {start} || {END}");
            index("agent_id", "agent_name_ends", range);
        }
        if let Some(tool) = tool_name {
            let tool = sql.bind(tool.clone());
            // A scalar subquery, because Postgres might turn EXISTS into a join that begins with all agents that
            // have the tool.
            conditions.push(format!(
                "(SELECT true FROM registry.agent_active_tools AS u WHERE u.agent_id = t.id AND u.tool_name = {tool})"
            ));
            index("agent_id", "agent_active_tools", format!("x.tool_name = {tool}"));
        }
        if let Some(model) = model_name {
            let model = sql.bind(model.clone());
            conditions.push(format!("t.active_model_name = {model}"));
            index("id", "agents", format!("x.active_model_name = {model}"));
        }
        if let Some(archived) = archived {
            let is = if *archived { "IS NOT NULL" } else { "IS NULL" };
            conditions.push(format!("t.archived_at {is}"));
            index("id", "agents", format!("x.archived_at {is}"));
        }
        Self { conditions, indexed }
    }

    /// Returns the select of a page. `whose` returns the condition that a table's row belongs to the list's
    /// customers.
    fn page(self, page: &KeysetPage<AgentId>, sql: &mut Sql, whose: &dyn Fn(&str) -> String) -> String {
        let (direction, bounds) = (page.direction(&Order::Asc), sql.bounds(page, &Order::Asc));
        let rows = sql.bind(limit(page.limit));
        let conditions: String =
            self.conditions.iter().map(|condition| format!(" AND {condition}")).collect();
        let (mut looked, mut ways, mut many) = (Vec::new(), Vec::new(), String::new());
        for (nth, IndexMatches { column, table, condition }) in self.indexed.iter().enumerate() {
            let (of_list, beyond) = (whose("x"), bounds.and(&format!("x.{column}")));
            looked.push(format!(
                "i{nth} AS MATERIALIZED (SELECT x.{column} AS agent_id FROM registry.{table} AS x \
                 WHERE {of_list} AND {condition}{beyond} LIMIT {LOOKUP_MAX})"
            ));
            // Looks up one agent at a time in the list's order until the page is full. OFFSET 0 keeps Postgres
            // from joining all of them first.
            let of_list = whose("t");
            ways.push(format!(
                "(SELECT t.* FROM (SELECT DISTINCT agent_id FROM i{nth} ORDER BY agent_id {direction}) AS w CROSS JOIN LATERAL \
                 (SELECT t.* FROM registry.agents AS t WHERE t.id = w.agent_id AND {of_list}{conditions} OFFSET 0) AS t \
                 WHERE (SELECT count(*) FROM i{nth}) < {LOOKUP_MAX}{many} ORDER BY w.agent_id {direction} LIMIT {rows})"
            ));
            many += &format!(" AND (SELECT count(*) FROM i{nth}) >= {LOOKUP_MAX}");
        }
        let (of_list, beyond) = (whose("t"), bounds.and("t.id"));
        ways.push(format!(
            "(SELECT t.* FROM registry.agents AS t WHERE {of_list}{many}{beyond}{conditions} \
             ORDER BY t.id {direction} LIMIT {rows})"
        ));
        let with = if looked.is_empty() { String::new() } else { format!("WITH {} ", looked.join(", ")) };
        with + &ways.join(" UNION ALL ")
    }
}

/// A page of the agents that `tenants` admits and that pass the filter, oldest first.
pub(super) fn page(tenants: &TenantFilter, filter: &Filter, page: &KeysetPage<AgentId>) -> Statement {
    let mut sql = Sql::default();
    let searched = SearchConditions::of(filter, &mut sql);
    match tenants {
        TenantFilter::All => {
            let text = searched.page(page, &mut sql, &|_| "true".to_owned());
            sql.statement(text)
        }
        // A page for each customer from its index, then the page of these.
        TenantFilter::Only(customers) => {
            let each = of_each(searched, customers, page, &mut sql);
            let (direction, rows) = (page.direction(&Order::Asc), sql.bind(limit(page.limit)));
            sql.statement(format!("{each} ORDER BY p.id {direction} LIMIT {rows}"))
        }
    }
}

/// One page of agents for each of these customers, oldest first.
pub(super) fn page_each(customers: &[CustomerId], filter: &Filter, page: &KeysetPage<AgentId>) -> Statement {
    let mut sql = Sql::default();
    let searched = SearchConditions::of(filter, &mut sql);
    let text = of_each(searched, customers, page, &mut sql);
    sql.statement(text)
}

fn of_each(
    searched: SearchConditions,
    customers: &[CustomerId],
    page: &KeysetPage<AgentId>,
    sql: &mut Sql,
) -> String {
    let page = searched.page(page, sql, &|table| format!("{table}.customer_id = parent.id"));
    let customers = sql.bind(uuids(customers));
    format!("SELECT p.* FROM unnest({customers}::uuid[]) AS parent (id) CROSS JOIN LATERAL ({page}) AS p")
}
