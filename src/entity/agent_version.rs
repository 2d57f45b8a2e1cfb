//! The table `agent_versions`: immutable versions of what an agent is.

use sea_orm::{
    DbBackend, FromQueryResult, QuerySelect, SelectModel, Selector, SelectorRaw, Statement,
    entity::prelude::*, sea_query::Order,
};
use serde::{Deserialize, Serialize};

use super::{
    KeysetPage, TenantFilter,
    change::ActorKind,
    erasure::{self, ERASED, ErasureAction},
    json::{exact, exact_if_any, json_column},
    sql::Sql,
    uuids,
};
use crate::{
    clock::Instant,
    id::{AgentId, CustomerId, VersionId},
};

/// A tool that a version may call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// The tool's name, unique within the version.
    pub name: String,
    /// A description of the tool, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The JSON Schema of the tool's input.
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

/// A version of an agent. Immutable, but for an erasure.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "agent_versions")]
pub struct Model {
    /// The version's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VersionId,
    /// The customer that owns the agent.
    pub customer_id: CustomerId,
    /// The agent that the version belongs to.
    pub agent_id: AgentId,
    /// The version's number within the agent: 1, 2, 3 …, without gaps.
    pub number: i32,
    /// The system prompt; at most 512 KiB.
    pub system_prompt: String,
    /// The model's name, such as `gpt-4-turbo`.
    pub model_name: String,
    /// The model's parameters, such as the temperature.
    #[sea_orm(column_type = "JsonBinary")]
    pub model_parameters: ModelParameters,
    /// The tools that the version may call.
    #[sea_orm(column_type = "JsonBinary")]
    pub tools: Tools,
    /// The author's message on this version.
    pub message: Option<String>,
    /// SHA-256 over the canonical form of prompt, model, parameters and tools.
    pub content_hash: Vec<u8>,
    /// The kind of caller that published the version.
    pub created_by_kind: ActorKind,
    /// The caller's id; `None` for the system.
    pub created_by_id: Option<Uuid>,
    /// When the version was published.
    pub created_at: Instant,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The versions that `tenants` admits.
pub fn within(tenants: &TenantFilter) -> Select<Entity> {
    tenants.narrow(Entity::find(), Column::CustomerId)
}

/// The versions with these ids that `tenants` admits.
pub fn by_ids(tenants: &TenantFilter, ids: &[VersionId]) -> Select<Entity> {
    within(tenants).filter(Column::Id.eq_any(ids.to_vec()))
}

/// The versions with these pairs of agent and number.
pub fn by_numbers(pairs: &[(AgentId, i32)]) -> SelectorRaw<SelectModel<Model>> {
    let (agents, numbers): (Vec<AgentId>, Vec<i32>) = pairs.iter().copied().unzip();
    Entity::find().from_raw_sql(Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT t.* FROM registry.agent_versions AS t \
         JOIN unnest($1::uuid[], $2::int[]) AS wanted (agent_id, number) USING (agent_id, number)",
        [uuids(&agents), numbers.into()],
    ))
}

/// A version without its content, for lists.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Summary {
    /// The version's id.
    pub id: VersionId,
    /// The customer that owns the agent.
    pub customer_id: CustomerId,
    /// The agent that the version belongs to.
    pub agent_id: AgentId,
    /// The version's number within the agent: 1, 2, 3 …, without gaps.
    pub number: i32,
    /// The model's name.
    pub model_name: String,
    /// The author's message on this version.
    pub message: Option<String>,
    /// SHA-256 over the canonical form of prompt, model, parameters and tools.
    pub content_hash: Vec<u8>,
    /// The size of prompt, parameters and tools together, in bytes of text.
    pub content_bytes: i32,
    /// The kind of caller that published the version.
    pub created_by_kind: ActorKind,
    /// The caller's id; `None` for the system.
    pub created_by_id: Option<Uuid>,
    /// When the version was published.
    pub created_at: Instant,
}

/// A version's content, without its metadata.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Body {
    /// The version's id.
    pub id: VersionId,
    /// The system prompt.
    pub system_prompt: String,
    /// The model's parameters.
    pub model_parameters: ModelParameters,
    /// The tools that the version may call.
    pub tools: Tools,
}

/// The columns of [`Summary`].
const SUMMARY: &str = "t.id, t.customer_id, t.agent_id, t.number, t.model_name, t.message, t.content_hash, \
                       t.content_bytes, t.created_by_kind, t.created_by_id, t.created_at";

/// The summaries with these ids. Not filtered by customer: the caller must do so.
pub fn summaries(ids: &[VersionId]) -> SelectorRaw<SelectModel<Summary>> {
    let sql = format!("SELECT {SUMMARY} FROM registry.agent_versions AS t WHERE t.id = ANY($1::uuid[])");
    Summary::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [uuids(ids)]))
}

/// The summaries of all versions of one agent, oldest first.
pub fn history(agent: AgentId) -> SelectorRaw<SelectModel<Summary>> {
    let sql =
        format!("SELECT {SUMMARY} FROM registry.agent_versions AS t WHERE t.agent_id = $1 ORDER BY t.number");
    Summary::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [agent.into()]))
}

/// The summaries with these pairs of agent and number. Not filtered by customer: the caller must do so.
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

/// One page of summaries for each of these agents, newest first.
pub fn page_each(agents: &[AgentId], page: &KeysetPage<i32>) -> SelectorRaw<SelectModel<Summary>> {
    let (rows, parents) = ((SUMMARY, "agent_versions"), ("agent_id", uuids(agents)));
    Summary::find_by_statement(page.under_each(Sql::default(), rows, parents, "number", &Order::Desc))
}

/// The content of the versions with these ids that `tenants` admits.
pub fn bodies(tenants: &TenantFilter, ids: &[VersionId]) -> Selector<SelectModel<Body>> {
    let columns = [Column::Id, Column::SystemPrompt, Column::ModelParameters, Column::Tools];
    by_ids(tenants, ids).select_only().columns(columns).into_model()
}

/// The id of an active version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Serving {
    /// The version's id.
    pub id: VersionId,
}

/// Those of `ids` that are active, of customers that are neither suspended nor canceled.
pub fn serving(ids: &[VersionId]) -> SelectorRaw<SelectModel<Serving>> {
    let sql = "SELECT t.id FROM registry.agent_versions AS t \
               JOIN registry.agents AS a ON a.id = t.agent_id AND a.active_version_id = t.id \
               JOIN registry.customers AS c ON c.id = t.customer_id \
               WHERE t.id = ANY($1::uuid[]) AND c.billing_status NOT IN ('SUSPENDED', 'CANCELED')";
    Serving::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [uuids(ids)]))
}

/// What an erasure does to each column: numbers and hashes stay.
pub(super) fn erasure_action(column: Column) -> ErasureAction {
    match column {
        Column::SystemPrompt => ErasureAction::Erase(Expr::value("")),
        Column::ModelName => ErasureAction::Erase(Expr::value(ERASED)),
        Column::ModelParameters => ErasureAction::Erase(Expr::value(serde_json::json!({}))),
        Column::Tools => ErasureAction::Erase(Expr::value(serde_json::json!([]))),
        Column::Message => ErasureAction::Erase(Expr::value(Option::<String>::None)),
        Column::Id
        | Column::CustomerId
        | Column::AgentId
        | Column::Number
        | Column::ContentHash
        | Column::CreatedByKind
        | Column::CreatedById
        | Column::CreatedAt => ErasureAction::Keep,
    }
}

/// Overwrites the content of all versions of one customer. A trigger refuses it unless the customer is erased.
pub fn erase(customer: CustomerId) -> sea_orm::UpdateMany<Entity> {
    erasure::erase::<Entity>(erasure_action).filter(Column::CustomerId.eq(customer))
}
