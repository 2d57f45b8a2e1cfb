//! The table `servings`: what each agent serves in each environment. A trigger keeps the rows of the default environment
//! equal to `agents`, which is written instead.

use sea_orm::{
    FromQueryResult, QueryResult, QuerySelect, SelectModel, SelectorRaw, entity::prelude::*,
    sea_query::LockType,
};

use super::{EnvironmentFilter, TenantFilter, agent, customer::CustomerStatus, environment, sql::Sql, uuids};
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, EnvironmentId, Revision, VersionId},
};

/// What one agent serves in one environment. An agent that never served there may have no row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "servings")]
pub struct Model {
    /// The customer that owns both.
    pub customer_id: CustomerId,
    /// The agent.
    #[sea_orm(primary_key, auto_increment = false)]
    pub agent_id: AgentId,
    /// The environment.
    #[sea_orm(primary_key, auto_increment = false)]
    pub environment_id: EnvironmentId,
    /// The environment's key.
    pub environment_key: EnvironmentKey,
    /// The active version; `None` when the agent serves nothing there.
    pub active_version_id: Option<VersionId>,
    /// When the active version was activated.
    pub activated_at: Option<Instant>,
    /// The commit of the last activation or deactivation; 0 while there was none.
    pub config_revision: Revision,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which lock a write takes on an agent's row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentLock {
    /// The write changes the row: it excludes all other such writes of the agent.
    Changed,
    /// The row only stays as it is: it excludes the archiving of the agent, and nothing else.
    Kept,
}

/// A locked agent, an environment of its customer, and the customer's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedPlace {
    /// The agent.
    pub agent: agent::Model,
    /// The customer's status.
    pub status: CustomerStatus,
    /// The environment. Nobody changes it meanwhile, since that takes a lock on the customer.
    pub environment: environment::Model,
}

impl FromQueryResult for LockedPlace {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            agent: FromQueryResult::from_query_result(row, prefix)?,
            status: FromQueryResult::from_query_result(row, prefix)?,
            environment: FromQueryResult::from_query_result(row, environment::PREFIX)?,
        })
    }
}

/// Locks one agent that `tenants` admits, and its customer, until the transaction ends, as `agent::locked` does. Returns
/// them with the environment of this key; nothing when the customer has no such environment within `reach`.
pub fn locked_place(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    id: AgentId,
    key: &EnvironmentKey,
    lock: AgentLock,
) -> SelectorRaw<SelectModel<LockedPlace>> {
    let mut sql = Sql::default();
    sql.and_compare("a.id", "=", Some(id));
    sql.and_compare("e.key", "=", Some(key.clone()));
    sql.within("a", tenants);
    sql.reaching("e.key", reach);
    let (conditions, columns) = (sql.where_clause(), environment::prefixed_columns());
    let lock = match lock {
        AgentLock::Changed => "NO KEY UPDATE",
        AgentLock::Kept => "KEY SHARE",
    };
    LockedPlace::find_by_statement(sql.statement(format!(
        "SELECT a.*, c.plan, c.billing_status, c.erased_at, {columns} FROM registry.agents AS a \
         JOIN registry.customers AS c ON c.id = a.customer_id \
         JOIN registry.environments AS e ON e.customer_id = a.customer_id WHERE {conditions} \
         FOR SHARE OF c FOR {lock} OF a"
    )))
}

/// Locks the row of this agent in this environment against other writers of it.
pub fn locked(agent: AgentId, environment: EnvironmentId) -> Select<Entity> {
    Entity::find_by_id((agent, environment)).lock(LockType::NoKeyUpdate)
}

/// All rows of these agents that `tenants` and `reach` admit.
pub fn of_agents(tenants: &TenantFilter, reach: &EnvironmentFilter, agents: &[AgentId]) -> Select<Entity> {
    let select =
        tenants.narrow(Entity::find(), Column::CustomerId).filter(Column::AgentId.eq_any(agents.to_vec()));
    reach.narrow(select, Column::EnvironmentKey)
}

/// The row of this agent in this environment, if `tenants` and `reach` admit it.
pub fn in_environment(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    agent: AgentId,
    environment: EnvironmentId,
) -> Select<Entity> {
    of_agents(tenants, reach, &[agent]).filter(Column::EnvironmentId.eq(environment))
}

/// A locked row, and its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedServingRow {
    /// The row.
    pub serving: Model,
    /// Its environment.
    pub environment: environment::Model,
}

impl FromQueryResult for LockedServingRow {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        Ok(Self {
            serving: FromQueryResult::from_query_result(row, prefix)?,
            environment: FromQueryResult::from_query_result(row, environment::PREFIX)?,
        })
    }
}

/// Locks the rows by which this locked agent serves, in any environment, against other writers. Returns them by the rank
/// of their environments.
pub fn locked_active(agent: AgentId) -> SelectorRaw<SelectModel<LockedServingRow>> {
    let mut sql = Sql::default();
    let (agent, columns) = (sql.bind(agent), environment::prefixed_columns());
    LockedServingRow::find_by_statement(sql.statement(format!(
        "SELECT s.*, {columns} FROM registry.servings AS s JOIN registry.environments AS e ON e.id = s.environment_id \
         WHERE s.agent_id = {agent} AND s.active_version_id IS NOT NULL ORDER BY e.rank, e.key FOR NO KEY UPDATE OF s"
    )))
}

/// The number of the version that an agent serves in an environment.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ActiveNumber {
    /// The agent.
    pub agent_id: AgentId,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// The version's number.
    pub number: i32,
}

/// The numbers of the versions that these agents of one customer serve, in each environment within `reach`.
pub fn active_numbers(
    customer: CustomerId,
    reach: &EnvironmentFilter,
    agents: &[AgentId],
) -> SelectorRaw<SelectModel<ActiveNumber>> {
    let mut sql = Sql::default();
    sql.and_compare("s.customer_id", "=", Some(customer));
    sql.reaching("s.environment_key", reach);
    let (agents, conditions) = (sql.bind(uuids(agents)), sql.where_clause());
    ActiveNumber::find_by_statement(sql.statement(format!(
        "SELECT s.agent_id, s.environment_key, v.number FROM registry.servings AS s \
         JOIN registry.agent_versions AS v ON v.id = s.active_version_id \
         WHERE s.agent_id = ANY({agents}::uuid[]) AND {conditions}"
    )))
}

/// The id of an active version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ActiveVersion {
    /// The version's id.
    pub id: VersionId,
}

/// Those of these versions that are active in an environment within `reach`, of customers that are neither suspended
/// nor canceled.
pub fn active_versions(
    reach: &EnvironmentFilter,
    ids: &[VersionId],
) -> SelectorRaw<SelectModel<ActiveVersion>> {
    let mut sql = Sql::default();
    let ids = sql.bind(uuids(ids));
    sql.reaching("s.environment_key", reach);
    let conditions = sql.where_clause();
    ActiveVersion::find_by_statement(sql.statement(format!(
        "SELECT DISTINCT t.id FROM registry.agent_versions AS t \
         JOIN registry.servings AS s ON s.agent_id = t.agent_id AND s.active_version_id = t.id \
         JOIN registry.customers AS c ON c.id = t.customer_id \
         WHERE t.id = ANY({ids}::uuid[]) AND c.billing_status NOT IN ('SUSPENDED', 'CANCELED') AND {conditions}"
    )))
}
