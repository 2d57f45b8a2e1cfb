//! The table `agent_versions`: immutable versions of what an agent is.

use json_reader::JsonText;
use sea_orm::{
    DbBackend, FromQueryResult, QueryResult, SelectModel, SelectorRaw, Statement, entity::prelude::*,
    sea_query::Order,
};

use super::{
    KeysetPage, TenantFilter,
    change::ActorKind,
    content::{ModelParameters, Tools, bytes_hash},
    erasure::{self, ERASED, ErasureAction},
    extensions::Extensions,
    json::Jsonb,
    sql::Sql,
    uuids,
};
use crate::{
    clock::Instant,
    id::{AgentId, CustomerId, VersionId},
};

/// A row of the table.
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
    /// The model's parameters, for SQL.
    #[sea_orm(column_type = "JsonBinary")]
    pub model_parameters: Jsonb,
    /// The tools, for SQL and for the search: of each its name, description and input schema.
    #[sea_orm(column_type = "JsonBinary")]
    pub tools: Jsonb,
    /// The text of the model's parameters that is served; `None` in versions that older releases published.
    pub model_parameters_text: Option<String>,
    /// The text of the tools that is served; `None` in versions that older releases published.
    pub tools_text: Option<String>,
    /// The text of the extensions that is served; `None` without extensions.
    pub extensions_text: Option<String>,
    /// SHA-256 over what is served; `None` in versions that older releases published.
    pub bytes_hash: Option<Vec<u8>>,
    /// The size of prompt, parameters, tools and extensions together, as they are served, in bytes; `None` as the first
    /// texts are.
    pub served_bytes: Option<i32>,
    /// The author's message on this version.
    pub message: Option<String>,
    /// SHA-256 over the canonical form of prompt, model, parameters, tools and extensions.
    pub content_hash: Vec<u8>,
    /// The kind of caller that published the version.
    pub created_by_kind: ActorKind,
    /// The caller's id; `None` for the system.
    pub created_by_id: Option<Uuid>,
    /// When the version was published.
    pub created_at: Instant,
}

/// A version of an agent. Immutable, but for an erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The version's id.
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
    pub model_parameters: ModelParameters,
    /// The tools that the version may call.
    pub tools: Tools,
    /// The version's extensions.
    pub extensions: Extensions,
    /// The author's message on this version.
    pub message: Option<String>,
    /// SHA-256 over the canonical form of prompt, model, parameters, tools and extensions.
    pub content_hash: Vec<u8>,
    /// SHA-256 over prompt, model, parameters, tools and extensions as they are served.
    pub bytes_hash: Vec<u8>,
    /// The kind of caller that published the version.
    pub created_by_kind: ActorKind,
    /// The caller's id; `None` for the system.
    pub created_by_id: Option<Uuid>,
    /// When the version was published.
    pub created_at: Instant,
}

/// The columns of [`Version`]. The columns for SQL are read only where there is no text.
const VERSION: &str = "t.id, t.customer_id, t.agent_id, t.number, t.system_prompt, t.model_name, t.model_parameters_text, \
    CASE WHEN t.tools_text IS NULL THEN t.model_parameters END AS model_parameters, t.tools_text, \
    CASE WHEN t.tools_text IS NULL THEN t.tools END AS tools, t.extensions_text, t.message, t.content_hash, t.bytes_hash, \
    t.created_by_kind, t.created_by_id, t.created_at";

fn malformed(err: json_reader::ReadError) -> DbErr {
    DbErr::Type(format!("a version's text: {err}"))
}

/// Reads the parameters and the tools of a row: their texts, or else the columns for SQL.
fn content(row: &QueryResult, prefix: &str) -> Result<(ModelParameters, Tools), DbErr> {
    let text = |name: &str| row.try_get::<Option<String>>(prefix, name);
    if let (Some(parameters), Some(tools)) = (text("model_parameters_text")?, text("tools_text")?) {
        let parameters = JsonText::read(parameters.as_bytes()).map_err(malformed)?;
        return Ok((ModelParameters(parameters), Tools::read(&tools).map_err(malformed)?));
    }
    let (Jsonb(parameters), Jsonb(tools)) =
        (row.try_get(prefix, "model_parameters")?, row.try_get(prefix, "tools")?);
    Ok((ModelParameters::of_jsonb(&parameters), Tools::of_jsonb(&tools)))
}

impl FromQueryResult for Version {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let (model_parameters, tools) = content(row, prefix)?;
        let extensions = row.try_get::<Option<String>>(prefix, "extensions_text")?;
        let extensions = Extensions::read(extensions.as_deref()).map_err(malformed)?;
        let (system_prompt, model_name): (String, String) =
            (row.try_get(prefix, "system_prompt")?, row.try_get(prefix, "model_name")?);
        let stored: Option<Vec<u8>> = row.try_get(prefix, "bytes_hash")?;
        let computed =
            || bytes_hash(&system_prompt, &model_name, &model_parameters, &tools, &extensions).to_vec();
        let bytes_hash = stored.unwrap_or_else(computed);
        Ok(Self {
            id: row.try_get(prefix, "id")?,
            customer_id: row.try_get(prefix, "customer_id")?,
            agent_id: row.try_get(prefix, "agent_id")?,
            number: row.try_get(prefix, "number")?,
            system_prompt,
            model_name,
            model_parameters,
            tools,
            extensions,
            message: row.try_get(prefix, "message")?,
            content_hash: row.try_get(prefix, "content_hash")?,
            bytes_hash,
            created_by_kind: row.try_get(prefix, "created_by_kind")?,
            created_by_id: row.try_get(prefix, "created_by_id")?,
            created_at: row.try_get(prefix, "created_at")?,
        })
    }
}

impl From<Version> for Model {
    fn from(version: Version) -> Self {
        let served = version.served_bytes();
        let Version {
            id,
            customer_id,
            agent_id,
            number,
            system_prompt,
            model_name,
            model_parameters: ModelParameters(parameters),
            tools,
            extensions,
            message,
            content_hash,
            bytes_hash,
            created_by_kind,
            created_by_id,
            created_at,
        } = version;
        Self {
            id,
            customer_id,
            agent_id,
            number,
            system_prompt,
            model_name,
            model_parameters: Jsonb(parameters.parse()),
            tools: Jsonb(tools.for_sql()),
            model_parameters_text: Some(parameters.to_string()),
            tools_text: Some(tools.as_str().to_owned()),
            extensions_text: extensions.text().map(str::to_owned),
            bytes_hash: Some(bytes_hash),
            served_bytes: i32::try_from(served).ok(),
            message,
            content_hash,
            created_by_kind,
            created_by_id,
            created_at,
        }
    }
}

impl Version {
    /// The size of prompt, parameters, tools and extensions together, as they are served, in bytes.
    #[must_use]
    pub fn served_bytes(&self) -> usize {
        let Self { system_prompt, model_parameters: ModelParameters(parameters), tools, extensions, .. } =
            self;
        system_prompt.len() + parameters.as_str().len() + tools.as_str().len() + extensions.bytes()
    }
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The versions with these ids that `tenants` admits.
pub fn by_ids(tenants: &TenantFilter, ids: &[VersionId]) -> SelectorRaw<SelectModel<Version>> {
    Version::find_by_statement(select_by_ids(VERSION, tenants, ids))
}

/// The rows with these ids that `tenants` admits.
fn select_by_ids(columns: &str, tenants: &TenantFilter, ids: &[VersionId]) -> Statement {
    let mut sql = Sql::default();
    let ids = sql.bind(uuids(ids));
    sql.within("t", tenants);
    let within = sql.where_clause();
    sql.statement(format!(
        "SELECT {columns} FROM registry.agent_versions AS t WHERE t.id = ANY({ids}::uuid[]) AND {within}"
    ))
}

/// The versions with these pairs of agent and number.
pub fn by_numbers(pairs: &[(AgentId, i32)]) -> SelectorRaw<SelectModel<Version>> {
    let (agents, numbers): (Vec<AgentId>, Vec<i32>) = pairs.iter().copied().unzip();
    let sql = format!(
        "SELECT {VERSION} FROM registry.agent_versions AS t \
         JOIN unnest($1::uuid[], $2::int[]) AS wanted (agent_id, number) \
         ON t.agent_id = wanted.agent_id AND t.number = wanted.number"
    );
    let values = [uuids(&agents), numbers.into()];
    Version::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
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
    /// SHA-256 over the canonical form of prompt, model, parameters, tools and extensions.
    pub content_hash: Vec<u8>,
    /// SHA-256 over what is served; `None` in versions that older releases published.
    pub bytes_hash: Option<Vec<u8>>,
    /// The size of prompt, parameters, tools and extensions together, in bytes of text.
    pub content_bytes: i32,
    /// The kind of caller that published the version.
    pub created_by_kind: ActorKind,
    /// The caller's id; `None` for the system.
    pub created_by_id: Option<Uuid>,
    /// When the version was published.
    pub created_at: Instant,
}

/// A version's content, without its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The version's id.
    pub id: VersionId,
    /// The system prompt.
    pub system_prompt: String,
    /// The model's parameters.
    pub model_parameters: ModelParameters,
    /// The tools that the version may call.
    pub tools: Tools,
    /// The version's extensions.
    pub extensions: Extensions,
    /// SHA-256 over prompt, model, parameters, tools and extensions as they are served.
    pub bytes_hash: Vec<u8>,
}

impl FromQueryResult for Body {
    fn from_query_result(row: &QueryResult, prefix: &str) -> Result<Self, DbErr> {
        let Version { id, system_prompt, model_parameters, tools, extensions, bytes_hash, .. } =
            Version::from_query_result(row, prefix)?;
        Ok(Self { id, system_prompt, model_parameters, tools, extensions, bytes_hash })
    }
}

/// The columns of [`Summary`].
pub(super) const SUMMARY: &str = "t.id, t.customer_id, t.agent_id, t.number, t.model_name, t.message, t.content_hash, \
                       t.bytes_hash, coalesce(t.served_bytes, t.content_bytes) AS content_bytes, t.created_by_kind, t.created_by_id, t.created_at";

/// The summaries with these ids. Not filtered by customer: the caller must do so.
pub fn summaries(ids: &[VersionId]) -> SelectorRaw<SelectModel<Summary>> {
    let sql = format!("SELECT {SUMMARY} FROM registry.agent_versions AS t WHERE t.id = ANY($1::uuid[])");
    Summary::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [uuids(ids)]))
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

/// The size of a version's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ContentSize {
    /// The agent that the version belongs to.
    pub agent_id: AgentId,
    /// The version's number within the agent.
    pub number: i32,
    /// The size of prompt, parameters, tools and extensions together, in bytes of text.
    pub content_bytes: i32,
}

/// The sizes of the versions with these pairs of agent and number. Not filtered by customer: the caller must do so.
pub fn sizes(pairs: &[(AgentId, i32)]) -> SelectorRaw<SelectModel<ContentSize>> {
    let (agents, numbers): (Vec<AgentId>, Vec<i32>) = pairs.iter().copied().unzip();
    let sql = "SELECT t.agent_id, t.number, coalesce(t.served_bytes, t.content_bytes) AS content_bytes FROM registry.agent_versions AS t \
               JOIN unnest($1::uuid[], $2::int[]) AS wanted (agent_id, number) \
               ON t.agent_id = wanted.agent_id AND t.number = wanted.number";
    let values = [uuids(&agents), numbers.into()];
    ContentSize::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// One page of summaries for each of these agents, newest first.
pub fn page_each(agents: &[AgentId], page: &KeysetPage<i32>) -> SelectorRaw<SelectModel<Summary>> {
    let (rows, parents) = ((SUMMARY, "agent_versions"), ("agent_id", uuids(agents)));
    Summary::find_by_statement(page.under_each(Sql::default(), rows, parents, "number", &Order::Desc))
}

/// The content of the versions with these ids that `tenants` admits.
pub fn bodies(tenants: &TenantFilter, ids: &[VersionId]) -> SelectorRaw<SelectModel<Body>> {
    Body::find_by_statement(select_by_ids(VERSION, tenants, ids))
}

/// What an erasure does to each column: numbers and hashes stay.
pub(super) fn erasure_action(column: Column) -> ErasureAction {
    match column {
        Column::SystemPrompt => ErasureAction::Erase(Expr::value("")),
        Column::ModelName => ErasureAction::Erase(Expr::value(ERASED)),
        Column::ModelParameters => ErasureAction::Erase(Expr::value(serde_json::json!({}))),
        Column::Tools => ErasureAction::Erase(Expr::value(serde_json::json!([]))),
        Column::ModelParametersText | Column::ToolsText | Column::ExtensionsText | Column::Message => {
            ErasureAction::Erase(Expr::value(Option::<String>::None))
        }
        // A trigger empties it with the texts.
        Column::ServedBytes => ErasureAction::Derived,
        Column::Id
        | Column::CustomerId
        | Column::AgentId
        | Column::Number
        | Column::ContentHash
        | Column::BytesHash
        | Column::CreatedByKind
        | Column::CreatedById
        | Column::CreatedAt => ErasureAction::Keep,
    }
}

/// Overwrites the content of all versions of one customer. A trigger refuses it unless the customer is erased.
pub fn erase(customer: CustomerId) -> sea_orm::UpdateMany<Entity> {
    erasure::erase::<Entity>(erasure_action).filter(Column::CustomerId.eq(customer))
}
