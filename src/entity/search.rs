//! Pages of agents that pass a filter. What a filter lets pass may be little or nearly all of a list, and what Postgres knows
//! of a table as a whole says neither for one customer. So the statement looks: it takes from each filter's index the agents
//! that it lets pass, up to [`FEW`], and goes by the first filter that lets no more pass; when each does, agents that pass
//! all of them are soon met, and it goes by the list's own order.

use sea_orm::{Statement, sea_query::Order};

use super::{
    Reach, Slice,
    agent::{ENDING_CHARS, Filter},
    sql::{Sql, limit},
    uuids,
};
use crate::id::{AgentId, CustomerId};

/// So many agents are looked up one by one, and their ids sorted, rather than that the list is gone through.
const FEW: i64 = 2_000;
/// After every text that begins so: `from ≤ text < from || END`.
const END: &str = "chr(1114111)";

/// What each filter lets pass of the agents `t`, and which agents its index has: all of those, and perhaps others.
struct Searched {
    /// Conditions on `t`.
    conditions: Vec<String>,
    /// Selects of `agent_id`, without whose they are.
    indexed: Vec<Indexed>,
}

/// The agents that an index has for a filter.
struct Indexed {
    /// The column with the agent's id, and the table.
    column: &'static str,
    table: &'static str,
    /// Which rows of it, named `x`.
    condition: String,
}

impl Searched {
    /// Each condition on text is a comparison that row-level security lets an index serve (see `0007_search.up.sql`).
    fn of(filter: &Filter, sql: &mut Sql) -> Self {
        let Filter { archived, name, name_starts_with, name_contains, model_name, tool_name } = filter;
        let (mut conditions, mut indexed) = (Vec::new(), Vec::new());
        let mut index = |column, table, condition: String| indexed.push(Indexed { column, table, condition });
        if let Some(name) = name {
            let name = sql.value(name.clone());
            conditions.push(format!("t.name = {name}"));
            index("id", "agents", format!("x.name_lower = lower({name}::text)"));
        }
        if let Some(start) = name_starts_with {
            let start = format!("lower({}::text)", sql.value(start.clone()));
            // Not a range: what goes by the list's order is not to go by that of names.
            conditions.push(format!("strpos(t.name_lower, {start}) = 1"));
            let range = format!("x.name_lower >= {start} AND x.name_lower < {start} || {END}");
            index("id", "agents", range);
        }
        if let Some(part) = name_contains {
            let part = format!("lower({}::text)", sql.value(part.clone()));
            conditions.push(format!("strpos(t.name_lower, {part}) > 0"));
            let start = format!("left({part}, {ENDING_CHARS})");
            let range = format!("x.ending >= {start} AND x.ending < {start} || {END}");
            index("agent_id", "agent_name_ends", range);
        }
        if let Some(tool) = tool_name {
            let tool = sql.value(tool.clone());
            // A value and no EXISTS, which Postgres might make a join of that begins with all who have the tool.
            conditions.push(format!(
                "(SELECT true FROM registry.agent_active_tools AS u WHERE u.agent_id = t.id AND u.tool_name = {tool})"
            ));
            index("agent_id", "agent_active_tools", format!("x.tool_name = {tool}"));
        }
        if let Some(model) = model_name {
            let model = sql.value(model.clone());
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

    /// The page of the agents `t` that are of this list, as `whose` says of each table.
    fn page(self, slice: &Slice<AgentId>, sql: &mut Sql, whose: &dyn Fn(&str) -> String) -> String {
        let (direction, bounds) = (slice.direction(&Order::Asc), sql.bounds(slice, &Order::Asc));
        let rows = sql.value(limit(slice.limit));
        let conditions: String =
            self.conditions.iter().map(|condition| format!(" AND {condition}")).collect();
        let (mut looked, mut ways, mut many) = (Vec::new(), Vec::new(), String::new());
        for (nth, Indexed { column, table, condition }) in self.indexed.iter().enumerate() {
            let (of_list, beyond) = (whose("x"), bounds.and(&format!("x.{column}")));
            looked.push(format!(
                "i{nth} AS MATERIALIZED (SELECT x.{column} AS agent_id FROM registry.{table} AS x \
                 WHERE {of_list} AND {condition}{beyond} LIMIT {FEW})"
            ));
            // One by one, in the list's order, until the page is full: OFFSET keeps Postgres from joining all of them.
            let of_list = whose("t");
            ways.push(format!(
                "(SELECT t.* FROM (SELECT DISTINCT agent_id FROM i{nth} ORDER BY agent_id {direction}) AS w CROSS JOIN LATERAL \
                 (SELECT t.* FROM registry.agents AS t WHERE t.id = w.agent_id AND {of_list}{conditions} OFFSET 0) AS t \
                 WHERE (SELECT count(*) FROM i{nth}) < {FEW}{many} ORDER BY w.agent_id {direction} LIMIT {rows})"
            ));
            many += &format!(" AND (SELECT count(*) FROM i{nth}) >= {FEW}");
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

/// A page of the agents within reach that pass, oldest first.
pub(super) fn page(reach: &Reach, filter: &Filter, slice: &Slice<AgentId>) -> Statement {
    let mut sql = Sql::default();
    let searched = Searched::of(filter, &mut sql);
    match reach {
        Reach::Everyone => {
            let text = searched.page(slice, &mut sql, &|_| "true".to_owned());
            sql.statement(text)
        }
        // First a page of each, because an index has each customer's agents in order, and then a page of these.
        Reach::Only(customers) => {
            let each = of_each(searched, customers, slice, &mut sql);
            let (direction, rows) = (slice.direction(&Order::Asc), sql.value(limit(slice.limit)));
            sql.statement(format!("{each} ORDER BY p.id {direction} LIMIT {rows}"))
        }
    }
}

/// The same page under each of these customers.
pub(super) fn page_each(customers: &[CustomerId], filter: &Filter, slice: &Slice<AgentId>) -> Statement {
    let mut sql = Sql::default();
    let searched = Searched::of(filter, &mut sql);
    let text = of_each(searched, customers, slice, &mut sql);
    sql.statement(text)
}

fn of_each(searched: Searched, customers: &[CustomerId], slice: &Slice<AgentId>, sql: &mut Sql) -> String {
    let page = searched.page(slice, sql, &|table| format!("{table}.customer_id = parent.id"));
    let customers = sql.value(uuids(customers));
    format!("SELECT p.* FROM unnest({customers}::uuid[]) AS parent (id) CROSS JOIN LATERAL ({page}) AS p")
}
