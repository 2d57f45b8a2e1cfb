//! The table `rollback_targets`: the versions to which a rollback of an agent may return. A trigger of `activations`
//! keeps it, so no write goes through this file.

use sea_orm::{
    Condition, FromQueryResult, QueryOrder, QuerySelect, SelectModel, SelectorRaw, entity::prelude::*,
    sea_query::IntoCondition,
};

use super::{
    EnvironmentFilter, TenantFilter,
    count::{self, SelectCounts},
    sql::Sql,
};
use crate::{
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, VersionId},
};

/// A version to which a rollback of its agent may return, because no rollback has left it since its last explicit
/// activation. The active version has a row too, unless a rollback of an earlier release brought it back.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "rollback_targets")]
pub struct Model {
    /// The customer that owns the agent.
    pub customer_id: CustomerId,
    /// The agent.
    #[sea_orm(primary_key, auto_increment = false)]
    pub agent_id: AgentId,
    /// The key of the environment.
    #[sea_orm(primary_key, auto_increment = false)]
    pub environment_key: EnvironmentKey,
    /// The version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version_id: VersionId,
    /// The order of the versions' last explicit activations. A rollback goes to the highest place, besides that of
    /// the active version.
    pub place: i32,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The version that a rollback of an agent would activate.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct NextTarget {
    /// The agent.
    pub agent_id: AgentId,
    /// The key of the environment.
    pub environment_key: EnvironmentKey,
    /// The version.
    pub version_id: VersionId,
}

/// The version that is `skipped` places further back than the next target of this locked agent.
pub fn nth(
    agent: AgentId,
    environment: &EnvironmentKey,
    active: Option<VersionId>,
    skipped: u64,
) -> Select<Entity> {
    let targets = Entity::find()
        .filter(Column::AgentId.eq(agent))
        .filter(Column::EnvironmentKey.eq(environment.as_str()));
    let others = active.map_or_else(Condition::all, |active| Column::VersionId.ne(active).into_condition());
    targets.filter(others).order_by_desc(Column::Place).offset(skipped).limit(1)
}

/// Counts the versions to which a rollback of this locked agent may go.
pub fn count(agent: AgentId, environment: &EnvironmentKey, active: Option<VersionId>) -> SelectCounts {
    let mut sql = Sql::default();
    sql.and_compare("t.agent_id", "=", Some(agent));
    sql.and_compare("t.environment_key", "=", Some(environment.clone()));
    sql.and_compare("t.version_id", "<>", active);
    let conditions = sql.where_clause();
    count::of_select(sql, &format!("SELECT FROM registry.rollback_targets AS t WHERE {conditions}"))
}

/// The row of this version of an agent in an environment.
pub fn of_version(agent: AgentId, environment: &EnvironmentKey, version: VersionId) -> Select<Entity> {
    Entity::find_by_id((agent, environment.clone(), version))
}

/// For each of these agents that `tenants` admits and that isn't archived, in the environment beside it, if `reach` admits
/// that: the version that a rollback would activate.
pub fn next_of_each(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    places: &[(AgentId, EnvironmentKey)],
) -> SelectorRaw<SelectModel<NextTarget>> {
    let mut sql = Sql::default();
    sql.within("a", tenants);
    sql.reaching("w.key", reach);
    let conditions = sql.where_clause();
    let (agents, environments) = sql.bind_places(places);
    NextTarget::find_by_statement(sql.statement(format!(
        "SELECT a.id AS agent_id, w.key AS environment_key, next.version_id \
         FROM unnest({agents}::uuid[], {environments}::text[]) AS w (id, key) \
         JOIN registry.agents AS a ON a.id = w.id \
         LEFT JOIN registry.servings AS s ON s.agent_id = a.id AND s.environment_key = w.key CROSS JOIN LATERAL (\
         SELECT t.version_id FROM registry.rollback_targets AS t WHERE t.agent_id = a.id AND t.environment_key = w.key \
         AND t.version_id IS DISTINCT FROM s.active_version_id ORDER BY t.place DESC LIMIT 1) AS next \
         WHERE a.archived_at IS NULL AND {conditions}"
    )))
}
