//! The models and the tools of active versions, from the rows of `listed_servings` and `version_tools`.

use sea_orm::{FromQueryResult, SelectModel, SelectorRaw};

use super::{EnvironmentFilter, TenantFilter, sql::Sql};
use crate::clock::Instant;

/// The most servings, or servings' tools, that are counted.
pub const IN_USE_ROWS_MAX: u64 = 100_000;

/// The most rows that a count reads: one more than it counts, to know whether there are more.
const ROWS_READ: u64 = IN_USE_ROWS_MAX + 1;

/// A model or a tool of active versions, and how much uses it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct InUse {
    /// Its name.
    pub name: String,
    /// How many agents serve a version with it.
    pub agent_count: i64,
    /// How many customers these agents are of.
    pub customer_count: i64,
    /// How many active versions have it.
    pub version_count: i64,
    /// The latest activation of one of them.
    pub last_activated_at: Option<Instant>,
    /// How many rows were read for all names together: at most one more than `IN_USE_ROWS_MAX`.
    pub rows_read: i64,
}

/// What active versions are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InUseKind {
    /// Their models.
    Models,
    /// The names of their tools.
    Tools,
}

/// The models or tools of the versions that are active in environments within `reach`, of customers that `tenants` admits;
/// most agents first.
pub fn in_use(
    kind: InUseKind,
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    limit: i64,
) -> SelectorRaw<SelectModel<InUse>> {
    let mut sql = Sql::default();
    sql.within("x", tenants);
    sql.reaching("x.environment_key", reach);
    sql.and_where("x.model_name IS NOT NULL");
    let (conditions, limit) = (sql.where_clause(), sql.bind(limit));
    let (name, tools) = match kind {
        InUseKind::Models => ("x.model_name", ""),
        InUseKind::Tools => {
            ("v.tool_name", " JOIN registry.version_tools AS v ON v.version_id = x.active_version_id")
        }
    };
    InUse::find_by_statement(sql.statement(format!(
        "WITH t AS MATERIALIZED (SELECT {name} AS name, x.agent_id, x.customer_id, x.active_version_id, x.last_activated_at \
         FROM registry.listed_servings AS x{tools} WHERE {conditions} LIMIT {ROWS_READ}) \
         SELECT t.name, count(DISTINCT t.agent_id) AS agent_count, count(DISTINCT t.customer_id) AS customer_count, \
         count(DISTINCT t.active_version_id) AS version_count, max(t.last_activated_at) AS last_activated_at, \
         (SELECT count(*) FROM t) AS rows_read \
         FROM t GROUP BY t.name ORDER BY agent_count DESC, t.name LIMIT {limit}"
    )))
}
