//! `activations`: each time an agent's active version changed.

use sea_orm::{QueryOrder, QuerySelect, SelectModel, SelectorRaw, entity::prelude::*, sea_query::Order};

use super::{Reach, Slice, change::ActorKind, sql::Sql, uuids};
use crate::{
    clock::Instant,
    id::{ActivationId, AgentId, CustomerId, VersionId},
};

/// Why the active version changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// A version was named.
    Activate,
    /// A version was published and activated in one.
    Publish,
    /// Back to the version that was active before.
    Rollback,
    /// Nothing serves any more.
    Deactivate,
    /// The agent was archived.
    Archive,
}

/// An activation, or with no version, a deactivation. Never changes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "activations")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ActivationId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Of which agent.
    pub agent_id: AgentId,
    /// What serves from now on.
    pub version_id: Option<VersionId>,
    /// What served until now.
    pub previous_version_id: Option<VersionId>,
    /// Why.
    pub reason: Reason,
    /// What kind of caller did it.
    pub activated_by_kind: ActorKind,
    /// Which one.
    pub activated_by_id: Option<Uuid>,
    /// When.
    pub activated_at: Instant,
    /// The commit that did it.
    pub revision: Option<i64>,
    /// Its place in that commit.
    pub position: Option<i32>,
    /// The first bytes of its change's chain hash.
    pub cursor_hash: Option<Vec<u8>>,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Those of `ids` within reach.
pub fn by_ids(reach: &Reach, ids: &[ActivationId]) -> Select<Entity> {
    reach.narrow(Entity::find(), Column::CustomerId).filter(Column::Id.eq_any(ids.to_vec()))
}

/// The newest record of one agent.
pub fn latest(agent: AgentId) -> Select<Entity> {
    Entity::find().filter(Column::AgentId.eq(agent)).order_by_desc(Column::Id).limit(1)
}

/// The same page, newest first, of each of these agents.
pub fn page_each(agents: &[AgentId], slice: &Slice<ActivationId>) -> SelectorRaw<SelectModel<Model>> {
    let (rows, parents) = (("t.*", "activations"), ("agent_id", uuids(agents)));
    Entity::find().from_raw_sql(slice.under_each(Sql::default(), rows, parents, "id", &Order::Desc))
}

/// How many records each of these agents has: rows of (agent, count); none for an agent without.
pub fn count_each(reach: &Reach, agents: &[AgentId]) -> Select<Entity> {
    reach
        .narrow(Entity::find(), Column::CustomerId)
        .filter(Column::AgentId.eq_any(agents.to_vec()))
        .select_only()
        .column(Column::AgentId)
        .column_as(Column::Id.count(), "count")
        .group_by(Column::AgentId)
}
