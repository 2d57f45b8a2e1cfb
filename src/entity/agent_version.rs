//! `agent_versions`: what an agent is, at one time and for ever.

use sea_orm::{
    DbBackend, FromJsonQueryResult, SelectModel, SelectorRaw, Statement, entity::prelude::*, sea_query::Order,
};
use serde::{Deserialize, Serialize};

use super::{Reach, Slice, change::ActorKind, uuids};
use crate::{
    clock::Instant,
    id::{AgentId, CustomerId, VersionId},
};

/// One tool that a version may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name, unique within the version.
    pub name: String,
    /// What it does, for the model to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON Schema of its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<serde_json::Value>,
}

/// A version's tools, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Tools(pub Vec<Tool>);

/// A version of an agent. Never changes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "agent_versions")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VersionId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Of which agent.
    pub agent_id: AgentId,
    /// 1, 2, 3 … within the agent, without gap.
    pub number: i32,
    /// What the model is told first; at most 512 KiB.
    pub system_prompt: String,
    /// Which model, such as `gpt-4-turbo`.
    pub model_name: String,
    /// Temperature and the like: a JSON object.
    pub model_parameters: Json,
    /// What it may call.
    #[sea_orm(column_type = "JsonBinary")]
    pub tools: Tools,
    /// Why this version, in its author's words.
    pub message: Option<String>,
    /// SHA-256 over the canonical form of prompt, model, parameters and tools.
    pub content_hash: Vec<u8>,
    /// What kind of caller published it.
    pub created_by_kind: ActorKind,
    /// Which one.
    pub created_by_id: Option<Uuid>,
    /// When it was published.
    pub created_at: Instant,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Versions within reach.
pub fn within(reach: &Reach) -> Select<Entity> {
    reach.narrow(Entity::find(), Column::CustomerId)
}

/// Those of `ids` within reach.
pub fn by_ids(reach: &Reach, ids: &[VersionId]) -> Select<Entity> {
    within(reach).filter(Column::Id.eq_any(ids.to_vec()))
}

/// The numbers alone of those of `ids` within reach: rows of (id, number).
pub fn numbers(reach: &Reach, ids: &[VersionId]) -> Select<Entity> {
    use sea_orm::QuerySelect;
    by_ids(reach, ids).select_only().column(Column::Id).column(Column::Number)
}

/// All versions of these agents within reach, oldest first.
pub fn of_agents(reach: &Reach, agents: &[AgentId]) -> Select<Entity> {
    use sea_orm::QueryOrder;
    within(reach)
        .filter(Column::AgentId.eq_any(agents.to_vec()))
        .order_by_asc(Column::AgentId)
        .order_by_asc(Column::Number)
}

/// The versions of these numbers of these agents, pair by pair.
pub fn by_numbers(pairs: &[(AgentId, i32)]) -> SelectorRaw<SelectModel<Model>> {
    let (agents, numbers): (Vec<AgentId>, Vec<i32>) = pairs.iter().copied().unzip();
    Entity::find().from_raw_sql(Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT t.* FROM registry.agent_versions AS t \
         JOIN unnest($1::uuid[], $2::int[]) AS wanted (agent_id, number) USING (agent_id, number)",
        [uuids(&agents), numbers.into()],
    ))
}

/// The same page, newest first, of each of these agents.
pub fn page_each(agents: &[AgentId], slice: &Slice<i32>) -> SelectorRaw<SelectModel<Model>> {
    let sql = slice.under_each("agent_versions", "agent_id", ("number", "int"), Order::Desc, "true");
    let values = slice.values(uuids(agents), Value::Int(None));
    Entity::find().from_raw_sql(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}
