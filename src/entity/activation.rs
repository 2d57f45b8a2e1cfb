//! The table `activations`: one row for each change of an agent's active version.

use sea_orm::{QueryOrder, QuerySelect, SelectModel, SelectorRaw, entity::prelude::*, sea_query::Order};

use super::{
    KeysetPage, TenantFilter,
    change::ActorKind,
    count::{self, SelectCounts},
    sql::Sql,
    uuids,
};
use crate::{
    clock::Instant,
    id::{ActivationId, AgentId, CustomerId, Revision, VersionId},
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
    /// The version that is active from now on; none after a deactivation.
    pub version_id: Option<VersionId>,
    /// The version that was active before; `None` when no version was active.
    pub previous_version_id: Option<VersionId>,
    /// The reason of the change.
    pub reason: Reason,
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

/// The rows with these ids that `tenants` admits.
pub fn by_ids(tenants: &TenantFilter, ids: &[ActivationId]) -> Select<Entity> {
    tenants.narrow(Entity::find(), Column::CustomerId).filter(Column::Id.eq_any(ids.to_vec()))
}

/// The newest activation of one agent.
pub fn latest(agent: AgentId) -> Select<Entity> {
    Entity::find().filter(Column::AgentId.eq(agent)).order_by_desc(Column::Id).limit(1)
}

/// One page of activations for each of these agents, newest first.
pub fn page_each(agents: &[AgentId], page: &KeysetPage<ActivationId>) -> SelectorRaw<SelectModel<Model>> {
    let (rows, parents) = (("t.*", "activations"), ("agent_id", uuids(agents)));
    Entity::find().from_raw_sql(page.under_each(Sql::default(), rows, parents, "id", &Order::Desc))
}

/// Counts the activations of each of these agents that `tenants` admits.
pub fn count_each(tenants: &TenantFilter, agents: &[AgentId]) -> SelectCounts {
    let mut sql = Sql::default();
    sql.within("t", tenants);
    count::of_rows_under_each(sql, "activations", ("agent_id", uuids(agents)), "id")
}
