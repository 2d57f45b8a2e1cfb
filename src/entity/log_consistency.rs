//! Selects that find differences between the tables and the log, for the audit's verification.

use sea_orm::{DbBackend, FromQueryResult, SelectModel, SelectorRaw, Statement};

use super::sql::{self, Sql};

use crate::id::{AgentId, CustomerId, VersionId};

/// What an agent serves by its row, and by the log.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct LoggedState {
    /// The agent.
    pub agent_id: AgentId,
    /// The name in the agent's row.
    pub name: String,
    /// The name in the log; `None` when that entry was pruned.
    pub told_name: Option<String>,
    /// The active version in the agent's row.
    pub active_version_id: Option<VersionId>,
    /// The version of the agent's last activation.
    pub told_version_id: Option<VersionId>,
    /// Whether the customer was erased.
    pub is_erased: bool,
    /// The content hash of the active version in the log, in hex; `None` when that entry was pruned.
    pub published_hash: Option<String>,
    /// The bytes hash of the active version in the log, in hex; `None` also in entries of older releases.
    pub published_bytes_hash: Option<String>,
}

/// A page of what agents serve by their rows and by the log, by id, after `after`.
pub fn serving(after: Option<AgentId>, limit: u64) -> SelectorRaw<SelectModel<LoggedState>> {
    let mut sql = Sql::default();
    sql.and_compare("a.id", ">", after);
    let (limit, which) = (sql.bind(sql::limit(limit)), sql.where_clause());
    let read = format!(
        "SELECT a.id AS agent_id, a.name, a.active_version_id, last.version_id AS told_version_id, \
        k.erased_at IS NOT NULL AS is_erased, \
        (SELECT c.details::jsonb #>> '{{after,name}}' FROM registry.changes AS c \
         WHERE c.agent_id = a.id AND c.action IN ('agent.created', 'agent.updated') \
         ORDER BY c.revision DESC, c.position DESC LIMIT 1) AS told_name, \
        published.details #>> '{{after,content_hash}}' AS published_hash, \
        published.details #>> '{{after,bytes_hash}}' AS published_bytes_hash \
        FROM registry.agents AS a CROSS JOIN LATERAL ( \
            SELECT c.erased_at FROM registry.customers AS c WHERE c.id = a.customer_id OFFSET 0) AS k LEFT JOIN LATERAL ( \
            SELECT x.version_id FROM registry.activations AS x WHERE x.agent_id = a.id \
            ORDER BY x.revision DESC, x.position DESC LIMIT 1) AS last ON true LEFT JOIN LATERAL ( \
            SELECT c.details::jsonb AS details FROM registry.changes AS c WHERE c.agent_id = a.id \
            AND c.version_id = a.active_version_id AND c.action = 'version.published' LIMIT 1) AS published ON true \
        WHERE {which} ORDER BY a.id LIMIT {limit}"
    );
    LoggedState::find_by_statement(sql.statement(read))
}

/// An agent whose rows differ from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct InconsistentAgent {
    /// The agent.
    pub agent_id: AgentId,
}

/// At most one agent with an activation that differs from its log entry, or where either is missing. Pruned
/// commits are ignored.
pub fn inconsistent_activation() -> SelectorRaw<SelectModel<InconsistentAgent>> {
    let read = "WITH log AS (SELECT * FROM registry.changes WHERE action IN ('agent.activated', 'agent.deactivated')) \
        SELECT coalesce(x.agent_id, c.agent_id) AS agent_id FROM \
        (SELECT * FROM registry.activations \
         WHERE revision IS NULL OR revision > (SELECT f.revision FROM registry.log_floor AS f)) AS x \
        FULL JOIN log AS c ON c.subject_id = x.id \
        WHERE ROW (x.agent_id, x.customer_id, x.version_id, x.revision, x.position, x.cursor_hash) \
            IS DISTINCT FROM ROW (c.agent_id, c.customer_id, c.version_id, c.revision, c.position, substr(c.chain_hash, 1, 8)) \
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
