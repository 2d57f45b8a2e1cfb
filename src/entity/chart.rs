//! Counts for charts: activations a day, and entries of the log by group. Each reads a bounded number of rows of an index,
//! and says when there are more.

use chrono::NaiveDate;
use sea_orm::{FromQueryResult, SelectModel, SelectorRaw};
use uuid::Uuid;

use super::{
    EnvironmentFilter, KeysetPage, TenantFilter,
    activation::Reason,
    audit::{AuditScope, Filter, Parents, rows_select},
    change::{ActorKind, ChangeAction},
    sql::Sql,
    uuids,
};
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId},
};

/// The most rows that a chart counts.
pub const CHART_ROWS_MAX: u64 = 100_000;
/// The most groups of a chart of the log.
pub const CHART_GROUPS_MAX: usize = 1_000;

/// The most rows that a chart reads: one more than it counts, to know whether there are more.
const ROWS_READ: u64 = CHART_ROWS_MAX + 1;

/// From when to when a chart counts, and the time zone of its days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartWindow {
    /// Only rows at this time or later.
    pub since: Instant,
    /// Only rows before this time.
    pub until: Instant,
    /// The name of a time zone.
    pub time_zone: String,
}

/// The activations of one day, in one environment and for one reason.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ActivationCount {
    /// The day, in the chart's time zone.
    pub day: NaiveDate,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// The reason.
    pub reason: Reason,
    /// Whether the version was promoted from another environment.
    pub is_promoted: bool,
    /// How many there are.
    pub count: i64,
}

/// Counts the activations in these environments that `tenants` admits, a day.
pub fn activations(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    window: &ChartWindow,
) -> SelectorRaw<SelectModel<ActivationCount>> {
    let mut sql = Sql::default();
    let ChartWindow { since, until, time_zone } = window;
    sql.and_compare("x.activated_at", ">=", Some(*since));
    sql.and_compare("x.activated_at", "<", Some(*until));
    sql.reaching("x.environment_key", reach);
    let (conditions, zone) = (sql.where_clause(), sql.bind(time_zone.as_str()));
    let select = format!(
        "SELECT x.activated_at, x.environment_key, x.reason, x.promoted_from IS NOT NULL AS is_promoted \
         FROM registry.activations AS x WHERE {conditions}"
    );
    let rows = match tenants {
        TenantFilter::All => format!("{select} ORDER BY x.activated_at LIMIT {ROWS_READ}"),
        TenantFilter::Only(customers) => {
            let customers = sql.bind(uuids(customers));
            format!(
                "SELECT x.* FROM unnest({customers}::uuid[]) AS parent (id) CROSS JOIN LATERAL (\
                 {select} AND x.customer_id = parent.id ORDER BY x.activated_at LIMIT {ROWS_READ}) AS x LIMIT {ROWS_READ}"
            )
        }
    };
    ActivationCount::find_by_statement(sql.statement(format!(
        "SELECT (x.activated_at AT TIME ZONE {zone}::text)::date AS day, x.environment_key, x.reason, x.is_promoted, \
         count(*) AS count FROM ({rows}) AS x WHERE {} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
        is_known(&zone)
    )))
}

/// A condition that is true, or fails when Postgres doesn't know the time zone: also when there are no rows, and no days.
fn is_known(zone: &str) -> String {
    format!("(now() AT TIME ZONE {zone}::text) IS NOT NULL")
}

/// What entries of the log can be counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeGroup {
    /// The day.
    Day,
    /// The action.
    Action,
    /// The caller that made the change.
    Actor,
    /// The agent.
    Agent,
    /// The customer.
    Customer,
}

/// The entries of one group. A value is `None` when the entries aren't grouped by it, and when they have none.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ChangeCount {
    /// The day, in the chart's time zone.
    pub day: Option<NaiveDate>,
    /// The action.
    pub action: Option<ChangeAction>,
    /// The kind of caller.
    pub actor_kind: Option<ActorKind>,
    /// The caller's id.
    pub actor_id: Option<Uuid>,
    /// The agent.
    pub agent_id: Option<AgentId>,
    /// The customer.
    pub customer_id: Option<CustomerId>,
    /// How many there are.
    pub count: i64,
    /// How many entries were read for all groups together: at most one more than a chart counts.
    pub rows_read: i64,
}

/// Counts the log entries of these customers that pass the filter, in groups: by day first, then most entries first. Returns
/// at most one group more than [`CHART_GROUPS_MAX`].
pub fn changes(
    of: &AuditScope,
    filter: &Filter,
    groups: &[ChangeGroup],
    time_zone: &str,
) -> SelectorRaw<SelectModel<ChangeCount>> {
    let mut sql = Sql::default();
    let page = KeysetPage { after: None, before: None, limit: ROWS_READ, backward: false };
    let columns =
        "t.at, t.action, t.actor_kind, t.actor_id, t.agent_id, t.customer_id, t.revision, t.position";
    let rows = match of {
        AuditScope::Everyone => rows_select(columns, &mut sql, filter, &page, None),
        AuditScope::Customers(customers) => {
            let parents = Parents::Customers(customers);
            let each = rows_select(columns, &mut sql, filter, &page, Some(parents));
            let ids = sql.bind(uuids(customers));
            format!("SELECT t.* FROM unnest({ids}::uuid[]) AS parent (id) CROSS JOIN LATERAL ({each}) AS t")
        }
    };
    let zone = sql.bind(time_zone);
    let by = |group: ChangeGroup, value: &str, kind: &str| {
        if groups.contains(&group) { value.to_owned() } else { format!("NULL::{kind}") }
    };
    let (day, action) = (
        by(ChangeGroup::Day, &format!("(t.at AT TIME ZONE {zone}::text)::date"), "date"),
        by(ChangeGroup::Action, "t.action", "text"),
    );
    let (actor_kind, actor_id) =
        (by(ChangeGroup::Actor, "t.actor_kind", "text"), by(ChangeGroup::Actor, "t.actor_id", "uuid"));
    let (agent, customer) =
        (by(ChangeGroup::Agent, "t.agent_id", "uuid"), by(ChangeGroup::Customer, "t.customer_id", "uuid"));
    let limit = CHART_GROUPS_MAX + 1;
    let known = is_known(&zone);
    ChangeCount::find_by_statement(sql.statement(format!(
        "WITH t AS MATERIALIZED (SELECT t.* FROM ({rows}) AS t LIMIT {ROWS_READ}), \
         g AS (SELECT {day} AS day, {action} AS action, {actor_kind} AS actor_kind, {actor_id} AS actor_id, \
         {agent} AS agent_id, {customer} AS customer_id FROM t WHERE {known}) \
         SELECT g.*, count(*) AS count, (SELECT count(*) FROM t) AS rows_read FROM g \
         GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY day, count DESC, action, actor_id, agent_id, customer_id LIMIT {limit}"
    )))
}
