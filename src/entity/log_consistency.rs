//! Selects that find differences between the tables and the log, for the audit's verification.

use sea_orm::{DbBackend, FromQueryResult, SelectModel, SelectorRaw, Statement};

use super::sql::{self, Sql};

use crate::id::{AgentId, CustomerId, VersionId};

/// What an agent serves in one environment by its rows, and by the log.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct LoggedState {
    /// The agent.
    pub agent_id: AgentId,
    /// The name in the agent's row.
    pub name: String,
    /// The name in the log; `None` when that entry was pruned.
    pub told_name: Option<String>,
    /// The active version in the serving; of the default environment, in the agent's row.
    pub active_version_id: Option<VersionId>,
    /// The active version in the serving.
    pub serving_version_id: Option<VersionId>,
    /// The version of the agent's last activation in the environment.
    pub told_version_id: Option<VersionId>,
    /// Whether the customer was erased.
    pub is_erased: bool,
    /// The content hash of the active version in the log, in hex; `None` when that entry was pruned.
    pub published_hash: Option<String>,
    /// The bytes hash of the active version in the log, in hex; `None` also in entries of older releases.
    pub published_bytes_hash: Option<String>,
}

/// What a page of agents serve by their rows and by the log, by id, after `after`. Returns a row for each environment in
/// which an agent serves or served, and one for each agent.
pub fn serving(after: Option<AgentId>, limit: u64) -> SelectorRaw<SelectModel<LoggedState>> {
    let mut sql = Sql::default();
    sql.and_compare("t.id", ">", after);
    let (limit, which) = (sql.bind(sql::limit(limit)), sql.where_clause());
    let read = format!(
        "SELECT a.id AS agent_id, a.name, p.active_version_id, p.serving_version_id, last.version_id AS told_version_id, \
        k.erased_at IS NOT NULL AS is_erased, \
        (SELECT c.details::jsonb #>> '{{after,name}}' FROM registry.changes AS c \
         WHERE c.agent_id = a.id AND c.action IN ('agent.created', 'agent.updated') \
         ORDER BY c.revision DESC, c.position DESC LIMIT 1) AS told_name, \
        published.details #>> '{{after,content_hash}}' AS published_hash, \
        published.details #>> '{{after,bytes_hash}}' AS published_bytes_hash \
        FROM (SELECT * FROM registry.agents AS t WHERE {which} ORDER BY t.id LIMIT {limit}) AS a CROSS JOIN LATERAL ( \
            SELECT c.erased_at FROM registry.customers AS c WHERE c.id = a.customer_id OFFSET 0) AS k CROSS JOIN LATERAL ( \
            SELECT coalesce(s.environment_key, d.key) AS environment_key, s.active_version_id AS serving_version_id, \
            CASE WHEN d.key = coalesce(s.environment_key, d.key) THEN a.active_version_id ELSE s.active_version_id END AS active_version_id \
            FROM (SELECT 'production' AS key) AS d FULL JOIN (SELECT * FROM registry.servings AS w WHERE w.agent_id = a.id) AS s \
            ON s.environment_key = d.key) AS p LEFT JOIN LATERAL ( \
            SELECT x.version_id FROM registry.activations AS x WHERE x.agent_id = a.id AND x.environment_key = p.environment_key \
            ORDER BY x.revision DESC, x.position DESC LIMIT 1) AS last ON true LEFT JOIN LATERAL ( \
            SELECT c.details::jsonb AS details FROM registry.changes AS c WHERE c.agent_id = a.id \
            AND c.version_id = p.active_version_id AND c.action = 'version.published' LIMIT 1) AS published ON true \
        ORDER BY a.id"
    );
    LoggedState::find_by_statement(sql.statement(read))
}

/// An agent whose rows differ from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct InconsistentAgent {
    /// The agent.
    pub agent_id: AgentId,
}

/// At most one agent that was activated in an environment and has no serving there.
pub fn missing_serving() -> SelectorRaw<SelectModel<InconsistentAgent>> {
    let read = "SELECT x.agent_id FROM registry.activations AS x WHERE NOT EXISTS (SELECT FROM registry.servings AS s \
        WHERE s.agent_id = x.agent_id AND s.environment_id = x.environment_id) LIMIT 1";
    InconsistentAgent::find_by_statement(Statement::from_string(DbBackend::Postgres, read))
}

/// At most one agent with an activation that differs from its log entry, or where either is missing. Pruned
/// commits are ignored.
pub fn inconsistent_activation() -> SelectorRaw<SelectModel<InconsistentAgent>> {
    let read = "WITH log AS (SELECT * FROM registry.changes WHERE action IN ('agent.activated', 'agent.deactivated')) \
        SELECT coalesce(x.agent_id, c.agent_id) AS agent_id FROM \
        (SELECT * FROM registry.activations \
         WHERE revision IS NULL OR revision > (SELECT f.revision FROM registry.log_floor AS f)) AS x \
        FULL JOIN log AS c ON c.subject_id = x.id \
        WHERE ROW (x.agent_id, x.customer_id, x.environment_key, x.version_id, x.revision, x.position, x.cursor_hash) \
            IS DISTINCT FROM ROW (c.agent_id, c.customer_id, coalesce(c.details::jsonb ->> 'environment', 'production'), \
                c.version_id, c.revision, c.position, substr(c.chain_hash, 1, 8)) \
        LIMIT 1";
    InconsistentAgent::find_by_statement(Statement::from_string(DbBackend::Postgres, read))
}

/// A customer whose row differs from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct InconsistentCustomer {
    /// The customer.
    pub customer_id: CustomerId,
}

/// At most one customer whose billing status differs from the last one in the log. Customers without such an entry
/// are ignored.
pub fn inconsistent_status() -> SelectorRaw<SelectModel<InconsistentCustomer>> {
    let read = "SELECT k.id AS customer_id FROM registry.customers AS k JOIN LATERAL ( \
            SELECT c.details::jsonb ->> 'after' AS status FROM registry.changes AS c \
            WHERE c.customer_id = k.id AND c.action = 'customer.billing_status_set' \
            ORDER BY c.revision DESC, c.position DESC LIMIT 1) AS last ON true \
        WHERE last.status <> k.billing_status LIMIT 1";
    InconsistentCustomer::find_by_statement(Statement::from_string(DbBackend::Postgres, read))
}
