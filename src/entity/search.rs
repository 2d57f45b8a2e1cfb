//! Pages and counts of agents that pass a filter. A filter may pass few agents of a customer or nearly all; Postgres's
//! statistics describe the whole table, so they can't predict this. The statement measures it: it reads up to
//! [`LOOKUP_MAX`] agents from the index of each condition, and looks up the agents of the first index with fewer
//! matches. If every condition has more, agents that pass all of them are frequent, so the statement scans the list
//! in its own order.

use sea_orm::{Statement, sea_query::Order};

use super::{
    KeysetPage, TenantFilter,
    agent::Listing,
    agent_order,
    count::{self, COUNTED_ROWS_MAX, SelectCounts},
    list_filter::{IndexMatches, ListCondition},
    list_position::ListPosition,
    ordered_list::OrderedList,
    sql::{Sql, limit},
    uuids,
};
use crate::id::{AgentId, CustomerId};

/// Below this number of matches, the statement looks up and sorts the matches of an index, instead of scanning the
/// list. A longer page raises it to its own length.
pub(super) const LOOKUP_MAX: i64 = 2_000;

/// Returns the select of these columns of a page. `whose` returns the condition that a table's row belongs to the list's customers.
fn select(
    columns: &str,
    filter: &[ListCondition],
    (page, order): (&KeysetPage<AgentId>, &Order),
    sql: &mut Sql,
    whose: &dyn Fn(&str) -> String,
) -> String {
    let (direction, bounds) = (page.direction(order), sql.bounds(page, order));
    let (rows, lookup_max) = (sql.bind(limit(page.limit)), LOOKUP_MAX.max(limit(page.limit)));
    let conditions: String = filter.iter().map(|condition| format!(" AND {}", condition.on("t"))).collect();
    let (mut looked, mut ways, mut many) = (Vec::new(), Vec::new(), String::new());
    for (nth, index) in filter.iter().filter_map(ListCondition::index).enumerate() {
        let (IndexMatches { column, from, .. }, condition) = (index, index.on("x"));
        let (of_list, beyond) = (whose("x"), bounds.and(&format!("x.{column}")));
        looked.push(format!(
            "i{nth} AS MATERIALIZED (SELECT x.{column} AS agent_id FROM {from} AS x \
             WHERE {of_list} AND {condition}{beyond} LIMIT {lookup_max})"
        ));
        // Looks up one agent at a time in the list's order until the page is full. OFFSET 0 keeps Postgres
        // from joining all of them first.
        let of_list = whose("t");
        ways.push(format!(
            "(SELECT {columns} FROM (SELECT DISTINCT agent_id FROM i{nth} ORDER BY agent_id {direction}) AS w CROSS JOIN LATERAL \
             (SELECT {columns} FROM registry.agents AS t WHERE t.id = w.agent_id AND {of_list}{conditions} OFFSET 0) AS t \
             WHERE (SELECT count(*) FROM i{nth}) < {lookup_max}{many} ORDER BY w.agent_id {direction} LIMIT {rows})"
        ));
        many += &format!(" AND (SELECT count(*) FROM i{nth}) >= {lookup_max}");
    }
    let (of_list, beyond) = (whose("t"), bounds.and("t.id"));
    ways.push(format!(
        "(SELECT {columns} FROM registry.agents AS t WHERE {of_list}{many}{beyond}{conditions} \
         ORDER BY t.id {direction} LIMIT {rows})"
    ));
    let with = if looked.is_empty() { String::new() } else { format!("WITH {} ", looked.join(", ")) };
    with + &ways.join(" UNION ALL ")
}

/// A page of the agents that `tenants` admits and that pass the filter.
pub(super) fn page(
    tenants: &TenantFilter,
    listing: &Listing,
    page: &KeysetPage<ListPosition<AgentId>>,
) -> Statement {
    let mut sql = Sql::default();
    let conditions = listing.page_conditions(&mut sql);
    match tenants {
        TenantFilter::All => {
            let text = page_select(listing, &conditions, page, &mut sql, &|_| "true".to_owned());
            sql.statement(text)
        }
        // A page for each customer from its index, then the page of these.
        TenantFilter::Only(customers) => {
            let each = of_each(listing, &conditions, customers, page, &mut sql);
            let order = agent_order::list_order(listing, &mut sql);
            let column = order.key.map(|_| order.column());
            let (sorted, rows) = (order.order_by(column, "id", page.backward), sql.bind(limit(page.limit)));
            sql.statement(format!("{each} {sorted} LIMIT {rows}"))
        }
    }
}

/// One page of agents for each of these customers.
pub(super) fn page_each(
    customers: &[CustomerId],
    listing: &Listing,
    page: &KeysetPage<ListPosition<AgentId>>,
) -> Statement {
    let mut sql = Sql::default();
    let conditions = listing.page_conditions(&mut sql);
    let text = of_each(listing, &conditions, customers, page, &mut sql);
    sql.statement(text)
}

/// Returns the select of a page's rows, with the value that the list is ordered by.
fn page_select(
    listing: &Listing,
    conditions: &[ListCondition],
    page: &KeysetPage<ListPosition<AgentId>>,
    sql: &mut Sql,
    whose: &dyn Fn(&str) -> String,
) -> String {
    let order = agent_order::list_order(listing, sql);
    if order.key.is_some() {
        let whose = |alias: &str, _: &str| whose(alias);
        return OrderedList { table: "agents", order: &order, conditions, whose: &whose }.page(page, sql);
    }
    let KeysetPage { after, before, limit, backward } = page;
    let [after, before] = [after, before].map(|position| position.as_ref().map(|position| position.id));
    let page = KeysetPage { after, before, limit: *limit, backward: *backward };
    let direction = if order.is_descending { Order::Desc } else { Order::Asc };
    let select = select("t.*", conditions, (&page, &direction), sql, whose);
    format!("SELECT t.*, NULL::text AS sort_text, NULL::timestamptz AS sort_time FROM ({select}) AS t")
}

fn of_each(
    listing: &Listing,
    conditions: &[ListCondition],
    customers: &[CustomerId],
    page: &KeysetPage<ListPosition<AgentId>>,
    sql: &mut Sql,
) -> String {
    let page = page_select(listing, conditions, page, sql, &of_parent);
    let customers = sql.bind(uuids(customers));
    format!("SELECT p.* FROM unnest({customers}::uuid[]) AS parent (id) CROSS JOIN LATERAL ({page}) AS p")
}

/// Counts the agents that `tenants` admits and that pass the filter.
pub(super) fn count(tenants: &TenantFilter, listing: &Listing) -> SelectCounts {
    let mut sql = Sql::default();
    let searched = listing.conditions(&mut sql);
    let select = match tenants {
        TenantFilter::All => counted(&searched, &mut sql, &|_| "true".to_owned()),
        TenantFilter::Only(customers) => {
            let (each, customers) = (counted(&searched, &mut sql, &of_parent), sql.bind(uuids(customers)));
            format!("SELECT FROM unnest({customers}::uuid[]) AS parent (id) CROSS JOIN LATERAL ({each}) AS p")
        }
    };
    count::of_select(sql, &select)
}

/// Counts the agents of each of these customers that pass the filter.
pub(super) fn count_each(customers: &[CustomerId], listing: &Listing) -> SelectCounts {
    let mut sql = Sql::default();
    let searched = listing.conditions(&mut sql);
    let select = counted(&searched, &mut sql, &of_parent);
    count::of_each(sql, uuids(customers), &select)
}

/// Returns the select of the rows to count, at most [`COUNTED_ROWS_MAX`]. A single condition whose index has one row
/// for each agent is counted there. All others are counted as the first page of that length: an index of several
/// conditions doesn't exist, and that of the suffixes of names has many rows for an agent.
fn counted(searched: &[ListCondition], sql: &mut Sql, whose: &dyn Fn(&str) -> String) -> String {
    let rows = match searched {
        [only] if only.has_one_row_each() => only.index().map(|index| {
            let (from, of_list, condition) = (&index.from, whose("x"), index.on("x"));
            format!("SELECT FROM {from} AS x WHERE {of_list} AND {condition} LIMIT {COUNTED_ROWS_MAX}")
        }),
        _ => None,
    };
    let rows = rows.unwrap_or_else(|| {
        let page = KeysetPage { after: None, before: None, limit: COUNTED_ROWS_MAX, backward: false };
        select("t.id", searched, (&page, &Order::Asc), sql, whose)
    });
    // A select of its own, because the caller may add a LIMIT to it.
    format!("SELECT FROM ({rows}) AS t")
}

/// The condition that a table's row belongs to the customer `parent`.
fn of_parent(table: &str) -> String {
    format!("{table}.customer_id = parent.id")
}
