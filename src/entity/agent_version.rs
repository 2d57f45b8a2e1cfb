//! `agent_versions`: what an agent is, at one time and for ever.

use sea_orm::{
    DbBackend, FromQueryResult, QuerySelect, SelectModel, Selector, SelectorRaw, Statement,
    entity::prelude::*, sea_query::Order,
};
use serde::{Deserialize, Serialize};

use super::{
    Reach, Slice,
    change::ActorKind,
    erasure::{self, ERASED, Fate},
    json::{exact, exact_if_any, json_column},
    sql::Sql,
    uuids,
};
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
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "exact_if_any")]
    pub input_schema: Option<serde_json::Value>,
}

/// A version's tools, in the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tools(pub Vec<Tool>);

/// A version's model parameters: a JSON object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelParameters(#[serde(deserialize_with = "exact")] pub serde_json::Value);

json_column!(Tools);
json_column!(ModelParameters);

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
    #[sea_orm(column_type = "JsonBinary")]
    pub model_parameters: ModelParameters,
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

/// A version without its content: what lists show.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Summary {
    /// Its id.
    pub id: VersionId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Of which agent.
    pub agent_id: AgentId,
    /// 1, 2, 3 … within the agent, without gap.
    pub number: i32,
    /// Which model.
    pub model_name: String,
    /// Why this version, in its author's words.
    pub message: Option<String>,
    /// SHA-256 over the canonical form of prompt, model, parameters and tools.
    pub content_hash: Vec<u8>,
    /// How many bytes of text its prompt, parameters and tools are.
    pub content_bytes: i32,
    /// What kind of caller published it.
    pub created_by_kind: ActorKind,
    /// Which one.
    pub created_by_id: Option<Uuid>,
    /// When it was published.
    pub created_at: Instant,
}

/// What a version holds, without what it is called.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Body {
    /// The version's id.
    pub id: VersionId,
    /// What the model is told first.
    pub system_prompt: String,
    /// Temperature and the like: a JSON object.
    pub model_parameters: ModelParameters,
    /// What it may call.
    pub tools: Tools,
}

/// The columns of [`Summary`].
const SUMMARY: &str = "t.id, t.customer_id, t.agent_id, t.number, t.model_name, t.message, t.content_hash, \
                       t.content_bytes, t.created_by_kind, t.created_by_id, t.created_at";

/// Those of `ids`, without their content. Whose they are is for the reader to see.
pub fn summaries(ids: &[VersionId]) -> SelectorRaw<SelectModel<Summary>> {
    let sql = format!("SELECT {SUMMARY} FROM registry.agent_versions AS t WHERE t.id = ANY($1::uuid[])");
    Summary::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [uuids(ids)]))
}

/// All versions of one agent, oldest first, without their content.
pub fn history(agent: AgentId) -> SelectorRaw<SelectModel<Summary>> {
    let sql =
        format!("SELECT {SUMMARY} FROM registry.agent_versions AS t WHERE t.agent_id = $1 ORDER BY t.number");
    Summary::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [agent.into()]))
}

/// The versions of these numbers of these agents, pair by pair, without their content.
pub fn summaries_by_numbers(pairs: &[(AgentId, i32)]) -> SelectorRaw<SelectModel<Summary>> {
    let (agents, numbers): (Vec<AgentId>, Vec<i32>) = pairs.iter().copied().unzip();
    let sql = format!(
        "SELECT {SUMMARY} FROM registry.agent_versions AS t \
         JOIN unnest($1::uuid[], $2::int[]) AS wanted (agent_id, number) \
         ON t.agent_id = wanted.agent_id AND t.number = wanted.number"
    );
    let values = [uuids(&agents), numbers.into()];
    Summary::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// The same page, newest first and without their content, of each of these agents.
pub fn page_each(agents: &[AgentId], slice: &Slice<i32>) -> SelectorRaw<SelectModel<Summary>> {
    let (rows, parents) = ((SUMMARY, "agent_versions"), ("agent_id", uuids(agents)));
    Summary::find_by_statement(slice.under_each(Sql::default(), rows, parents, "number", &Order::Desc))
}

/// What those of `ids` within reach hold.
pub fn bodies(reach: &Reach, ids: &[VersionId]) -> Selector<SelectModel<Body>> {
    let columns = [Column::Id, Column::SystemPrompt, Column::ModelParameters, Column::Tools];
    by_ids(reach, ids).select_only().columns(columns).into_model()
}

/// A version that serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Serving {
    /// Its id.
    pub id: VersionId,
}

/// Those of `ids` that their agents serve, of customers that are served.
pub fn serving(ids: &[VersionId]) -> SelectorRaw<SelectModel<Serving>> {
    let sql = "SELECT t.id FROM registry.agent_versions AS t \
               JOIN registry.agents AS a ON a.id = t.agent_id AND a.active_version_id = t.id \
               JOIN registry.customers AS c ON c.id = t.customer_id \
               WHERE t.id = ANY($1::uuid[]) AND c.billing_status NOT IN ('SUSPENDED', 'CANCELED')";
    Serving::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [uuids(ids)]))
}

/// What becomes of each column when the customer is erased: numbers and hashes stay.
pub(super) fn fate(column: Column) -> Fate {
    match column {
        Column::SystemPrompt => Fate::Erase(Expr::value("")),
        Column::ModelName => Fate::Erase(Expr::value(ERASED)),
        Column::ModelParameters => Fate::Erase(Expr::value(serde_json::json!({}))),
        Column::Tools => Fate::Erase(Expr::value(serde_json::json!([]))),
        Column::Message => Fate::Erase(Expr::value(Option::<String>::None)),
        Column::Id
        | Column::CustomerId
        | Column::AgentId
        | Column::Number
        | Column::ContentHash
        | Column::CreatedByKind
        | Column::CreatedById
        | Column::CreatedAt => Fate::Keep,
    }
}

/// Takes away what all versions of one customer hold. Only an erased customer's may be.
pub fn erase(customer: CustomerId) -> sea_orm::UpdateMany<Entity> {
    erasure::erase::<Entity>(fate).filter(Column::CustomerId.eq(customer))
}
