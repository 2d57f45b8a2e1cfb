//! What each agent served in an environment at the end of a commit, computed from its rows, `activations` and `changes`.
//! So an event shows the state as of its commit, however late it is read.

use sea_orm::{FromQueryResult, SelectModel, SelectorRaw};

use super::{
    EnvironmentFilter, TenantFilter,
    activation::Reason,
    customer::BillingStatus,
    sql::{self, Sql},
    uuids,
};
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, Revision, VersionId},
};

/// What an agent served in one environment at the end of a commit.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ServedConfig {
    /// The agent.
    pub agent_id: AgentId,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// The customer that owns the agent.
    pub customer_id: CustomerId,
    /// The agent's name at that commit.
    pub name: String,
    /// The active version; `None` when the agent served nothing.
    pub version_id: Option<VersionId>,
    /// When that version was activated.
    pub activated_at: Option<Instant>,
    /// Why the active version last changed; `None` when it never had.
    pub reason: Option<Reason>,
    /// The commit that last changed this: an activation in the environment, or a change of the agent's name. None
    /// when there was none yet.
    pub revision: Option<Revision>,
    /// The customer's billing status at that commit.
    pub status: BillingStatus,
    /// The last pruned commit. Configurations before it can't be computed.
    pub floor: Revision,
}

/// The columns of [`ServedConfig`], for the agents `a` and their servings `s`, if they have any, in the environment `$2` at
/// the end of the commit `$1`. A value that has changed since then is the `before` of the next log entry about it;
/// otherwise it is the row's. So no pruned entry is needed, with one exception: when the entry that last changed an agent is
/// pruned, `revision` is that of its last activation. An erased customer's content is gone, so its status is CANCELED at
/// every commit.
const COLUMNS: &str = "a.id AS agent_id, $2 AS environment_key, a.customer_id, \
    CASE WHEN a.name_revision <= $1 THEN a.name ELSE coalesce(( \
        SELECT c.details::jsonb #>> '{before,name}' FROM registry.changes AS c \
        WHERE c.agent_id = a.id AND c.revision > $1 AND c.action = 'agent.updated' \
        ORDER BY c.revision, c.position LIMIT 1), a.name) END AS name, \
    act.version_id, CASE WHEN act.version_id IS NOT NULL THEN act.activated_at END AS activated_at, act.reason, \
    CASE WHEN greatest(s.config_revision, a.name_revision) <= $1 THEN nullif(greatest(s.config_revision, a.name_revision), 0) \
        ELSE coalesce(( \
        SELECT c.revision FROM registry.changes AS c WHERE c.agent_id = a.id AND c.revision <= $1 \
        AND (c.action IN ('agent.activated', 'agent.deactivated') \
                AND coalesce(c.details::jsonb ->> 'environment', 'production') = $2 \
            OR c.action = 'agent.updated' \
                AND c.details::jsonb #> '{before,name}' IS DISTINCT FROM c.details::jsonb #> '{after,name}') \
        ORDER BY c.revision DESC, c.position DESC LIMIT 1), act.revision) END AS revision, \
    CASE WHEN k.erased_at IS NOT NULL THEN 'CANCELED' \
        ELSE coalesce((SELECT c.details::jsonb ->> 'before' FROM registry.changes AS c \
        WHERE c.customer_id = a.customer_id AND c.revision > $1 AND c.action = 'customer.billing_status_set' \
        ORDER BY c.revision, c.position LIMIT 1), k.billing_status) END AS status, \
    (SELECT f.revision FROM registry.log_floor AS f) AS floor";

/// The joins that [`COLUMNS`] needs in addition to the agents `a` and their servings `s`. OFFSET 0 keeps Postgres from
/// starting with all customers.
const JOINS: &str = "CROSS JOIN LATERAL ( \
        SELECT c.billing_status, c.erased_at FROM registry.customers AS c WHERE c.id = a.customer_id OFFSET 0) AS k \
    LEFT JOIN LATERAL ( \
        SELECT x.version_id, x.activated_at, x.reason, x.revision FROM registry.activations AS x \
        WHERE x.agent_id = a.id AND x.environment_key = $2 AND x.revision <= $1 \
        ORDER BY x.revision DESC, x.position DESC LIMIT 1) AS act ON true";

/// What these agents served in this environment at the end of this commit; only agents that `tenants` admits, and nothing
/// unless `reach` admits the environment.
pub fn at(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    (revision, environment): (Revision, &EnvironmentKey),
    agents: &[AgentId],
) -> SelectorRaw<SelectModel<ServedConfig>> {
    let mut sql = from(revision, environment);
    sql.within("a", tenants);
    sql.reaching("$2", reach);
    let (agents, within) = (sql.bind(uuids(agents)), sql.where_clause());
    let text = format!(
        "SELECT {COLUMNS} FROM registry.agents AS a \
         LEFT JOIN registry.servings AS s ON s.agent_id = a.id AND s.environment_key = $2 {JOINS} \
         WHERE a.id = ANY({agents}::uuid[]) AND {within} ORDER BY a.id"
    );
    ServedConfig::find_by_statement(sql.statement(text))
}

/// What these agents serve now, each in the environment beside it, of all customers; nothing where the customer has no such
/// environment, or it is archived. The rows aren't tied to a commit: the caller must relate them to the log, and `floor` is
/// 0.
pub fn now(places: &[(AgentId, EnvironmentKey)]) -> SelectorRaw<SelectModel<ServedConfig>> {
    let mut sql = Sql::default();
    let (agents, environments) = sql.bind_places(places);
    ServedConfig::find_by_statement(sql.statement(format!(
        "SELECT a.id AS agent_id, e.key AS environment_key, a.customer_id, a.name, s.active_version_id AS version_id, \
         s.activated_at, NULL AS reason, nullif(greatest(s.config_revision, a.name_revision), 0) AS revision, \
         k.billing_status AS status, 0::bigint AS floor \
         FROM unnest({agents}::uuid[], {environments}::text[]) AS w (id, key) \
         JOIN registry.agents AS a ON a.id = w.id JOIN registry.customers AS k ON k.id = a.customer_id \
         JOIN registry.environments AS e ON e.customer_id = a.customer_id AND e.key = w.key AND e.archived_at IS NULL \
         LEFT JOIN registry.servings AS s ON s.agent_id = a.id AND s.environment_id = e.id"
    )))
}

/// The agents that `tenants` admits and that had an active version in this environment at the end of this commit, by id,
/// after `after`; none unless `reach` admits the environment.
pub fn page(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    (revision, environment): (Revision, &EnvironmentKey),
    agents: Option<&[AgentId]>,
    after: Option<AgentId>,
    limit: u64,
) -> SelectorRaw<SelectModel<ServedConfig>> {
    let mut sql = from(revision, environment);
    let limit = sql.bind(sql::limit(limit));
    sql.reaching("$2", reach);
    let reached = sql.take_where_clause();
    let text = match (agents, tenants) {
        // Looks up one agent at a time by id, until the page is full.
        (Some(agents), _) => {
            let agents = sql.bind(uuids(agents));
            sql.and_compare("w.id", ">", after);
            let beyond = sql.take_where_clause();
            sql.within("x", tenants);
            let within = sql.take_where_clause();
            format!(
                "SELECT {COLUMNS} FROM (SELECT DISTINCT w.id FROM unnest({agents}::uuid[]) AS w (id) WHERE {beyond} ORDER BY w.id) AS w \
                 CROSS JOIN LATERAL (SELECT * FROM registry.agents AS x WHERE x.id = w.id AND {within} OFFSET 0) AS a \
                 JOIN registry.servings AS s ON s.agent_id = a.id AND s.environment_key = $2 {JOINS} \
                 WHERE act.version_id IS NOT NULL AND {reached} ORDER BY w.id LIMIT {limit}"
            )
        }
        (None, TenantFilter::All) => {
            sql.and_compare("s.agent_id", ">", after);
            let beyond = sql.take_where_clause();
            format!(
                "SELECT {COLUMNS} FROM registry.servings AS s {AGENT} {JOINS} \
                 WHERE s.environment_key = $2 AND act.version_id IS NOT NULL AND {beyond} AND {reached} \
                 ORDER BY s.agent_id LIMIT {limit}"
            )
        }
        // A page for each customer from its index, then the page of these.
        (None, TenantFilter::Only(customers)) => {
            let customers = sql.bind(uuids(customers));
            sql.and_compare("s.agent_id", ">", after);
            let beyond = sql.take_where_clause();
            format!(
                "SELECT p.* FROM unnest({customers}::uuid[]) AS parent (id) CROSS JOIN LATERAL (\
                 SELECT {COLUMNS} FROM registry.servings AS s {AGENT} {JOINS} \
                 WHERE s.customer_id = parent.id AND s.environment_key = $2 \
                 AND act.version_id IS NOT NULL AND {beyond} AND {reached} ORDER BY s.agent_id LIMIT {limit}) AS p \
                 ORDER BY p.agent_id LIMIT {limit}"
            )
        }
    };
    ServedConfig::find_by_statement(sql.statement(text))
}

/// The agent of a serving `s`. OFFSET 0 keeps Postgres from starting with the agents.
const AGENT: &str =
    "CROSS JOIN LATERAL (SELECT * FROM registry.agents AS x WHERE x.id = s.agent_id OFFSET 0) AS a";

/// A statement whose `$1` is this commit, and whose `$2` is this environment.
fn from(revision: Revision, environment: &EnvironmentKey) -> Sql {
    let mut sql = Sql::default();
    sql.bind(revision);
    sql.bind(environment.clone());
    sql
}
