//! The table `activations`: one row for each change of an agent's active version.

use sea_orm::{QueryOrder, QuerySelect, SelectModel, SelectorRaw, entity::prelude::*, sea_query::Order};

use super::{
    EnvironmentFilter, KeysetPage, TenantFilter,
    change::ActorKind,
    count::{self, COUNTED_ROWS_MAX, SelectCounts},
    keys,
    sql::{self, Sql},
    uuids,
};
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{ActivationId, AgentId, CustomerId, EnvironmentId, Revision, VersionId},
};

/// Why the active version changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// A version was activated.
    Activate,
    /// A version was published and activated in one call.
    Publish,
    /// The previously active version was activated again.
    Rollback,
    /// The agent was deactivated.
    Deactivate,
    /// The agent was archived, which deactivates it.
    Archive,
}

/// An activation, or a deactivation when it has no version. Immutable, but for the last three columns, which are
/// filled in once.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "activations")]
pub struct Model {
    /// The activation's id; ids sort by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ActivationId,
    /// The customer that owns the agent.
    pub customer_id: CustomerId,
    /// The agent whose active version changed.
    pub agent_id: AgentId,
    /// The environment in which it changed.
    pub environment_id: EnvironmentId,
    /// That environment's key.
    pub environment_key: EnvironmentKey,
    /// The version that is active from now on; none after a deactivation.
    pub version_id: Option<VersionId>,
    /// The version that was active before; `None` when no version was active.
    pub previous_version_id: Option<VersionId>,
    /// The reason of the change.
    pub reason: Reason,
    /// The environment from which the version was promoted, by its key. The reason is [`Reason::Activate`] then.
    pub promoted_from: Option<EnvironmentKey>,
    /// The kind of caller that made the change.
    pub activated_by_kind: ActorKind,
    /// The caller's id; `None` for the system.
    pub activated_by_id: Option<Uuid>,
    /// The time of the change.
    pub activated_at: Instant,
    /// The commit of the change. `append_changes` fills it in before the transaction commits.
    pub revision: Option<Revision>,
    /// The position of the change's log entry in that commit; filled in as `revision`.
    pub position: Option<i32>,
    /// The first 8 bytes of that entry's chain hash; filled in as `revision`.
    pub cursor_hash: Option<Vec<u8>>,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The rows with these ids that `tenants` and `reach` admit.
pub fn by_ids(tenants: &TenantFilter, reach: &EnvironmentFilter, ids: &[ActivationId]) -> Select<Entity> {
    let select = tenants.narrow(Entity::find(), Column::CustomerId).filter(Column::Id.eq_any(ids.to_vec()));
    reach.narrow(select, Column::EnvironmentKey)
}

/// The newest activation of one agent in one environment.
pub fn latest(agent: AgentId, environment: &EnvironmentKey) -> Select<Entity> {
    Entity::find()
        .filter(Column::AgentId.eq(agent))
        .filter(Column::EnvironmentKey.eq(environment.as_str()))
        .order_by_desc(Column::Id)
        .limit(1)
}

/// One page of activations for each of these agents, in these environments, newest first. Costs one index descent for
/// each agent and environment.
pub fn page_each(
    agents: &[AgentId],
    environments: &[EnvironmentKey],
    page: &KeysetPage<ActivationId>,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let bounds = sql.bounds(page, &Order::Desc).and("t.id");
    let (agents, environments) = (sql.bind(uuids(agents)), sql.bind(keys(environments)));
    let (limit, direction) = (sql.bind(sql::limit(page.limit)), page.direction(&Order::Desc));
    let order = format!("ORDER BY t.id {direction} LIMIT {limit}");
    Entity::find().from_raw_sql(sql.statement(format!(
        "SELECT p.* FROM unnest({agents}::uuid[]) AS parent (id) CROSS JOIN LATERAL (\
         SELECT t.* FROM unnest({environments}::text[]) AS e (key) CROSS JOIN LATERAL (\
         SELECT t.* FROM registry.activations AS t WHERE t.agent_id = parent.id AND t.environment_key = e.key{bounds} {order}) AS t \
         {order}) AS p"
    )))
}

/// Counts the activations of each of these agents in these environments that `tenants` admits.
pub fn count_each(
    tenants: &TenantFilter,
    agents: &[AgentId],
    environments: &[EnvironmentKey],
) -> SelectCounts {
    let mut sql = Sql::default();
    sql.within("t", tenants);
    let (environments, conditions) = (sql.bind(keys(environments)), sql.where_clause());
    let select = format!(
        "SELECT FROM unnest({environments}::text[]) AS e (key) CROSS JOIN LATERAL (\
         SELECT FROM registry.activations AS t WHERE t.agent_id = parent.id AND t.environment_key = e.key AND {conditions} \
         ORDER BY t.id LIMIT {COUNTED_ROWS_MAX}) AS t"
    );
    count::of_each(sql, uuids(agents), &select)
}
