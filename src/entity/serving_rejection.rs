//! The table `gateway_rejections`: the versions that gateways refuse.

use sea_orm::{
    DbBackend, DeleteMany, FromQueryResult, SelectModel, SelectorRaw, Statement, entity::prelude::*,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{EnvironmentFilter, TenantFilter, gateway::Number, keys, sql::Sql, uuids};
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, GatewayId, Revision, VersionId},
};

/// Why a gateway refused a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RejectionCode {
    /// It doesn't know the model.
    UnknownModel,
    /// It doesn't know a tool.
    UnknownTool,
    /// It can't use the schema of a tool.
    InvalidSchema,
    /// The configuration is too large for it.
    TooLarge,
    /// It failed for another reason.
    Internal,
}

/// A version that a gateway refuses.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "gateway_rejections")]
pub struct Model {
    /// The gateway.
    #[sea_orm(primary_key, auto_increment = false)]
    pub gateway_id: GatewayId,
    /// The agent.
    #[sea_orm(primary_key, auto_increment = false)]
    pub agent_id: AgentId,
    /// The agent's customer.
    pub customer_id: CustomerId,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// The version.
    pub version_id: VersionId,
    /// The commit of the event that it refused.
    pub revision: Revision,
    /// The kind of reason.
    pub code: RejectionCode,
    /// What it says about that; at most 500 characters.
    pub message: Option<String>,
    /// When it first reported that.
    pub reported_at: Instant,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A rejection, with its gateway's name.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct NamedRejection {
    /// The gateway.
    pub gateway_id: GatewayId,
    /// The gateway's own name.
    pub gateway_name: String,
    /// The agent.
    pub agent_id: AgentId,
    /// The agent's customer.
    pub customer_id: CustomerId,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// The version.
    pub version_id: VersionId,
    /// The commit of the event that it refused.
    pub revision: Revision,
    /// The kind of reason.
    pub code: RejectionCode,
    /// What it says about that.
    pub message: Option<String>,
    /// When it first reported that.
    pub reported_at: Instant,
}

/// The columns of [`NamedRejection`].
const COLUMNS: &str = "r.gateway_id, g.name AS gateway_name, r.agent_id, r.customer_id, r.environment_key, r.version_id, r.revision, \
     r.code, r.message, r.reported_at";

/// The rejections of what these customers' agents serve now in these environments, newest first.
pub fn of_servings(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    customers: &[CustomerId],
    environments: &[EnvironmentKey],
) -> SelectorRaw<SelectModel<NamedRejection>> {
    let mut sql = Sql::default();
    sql.within("r", tenants);
    sql.reaching("r.environment_key", reach);
    let (customers, environments) = (sql.bind(uuids(customers)), sql.bind(keys(environments)));
    let conditions = sql.where_clause();
    NamedRejection::find_by_statement(sql.statement(format!(
        "SELECT {COLUMNS} FROM registry.gateway_rejections AS r JOIN registry.gateways AS g ON g.id = r.gateway_id \
         JOIN registry.servings AS s ON s.agent_id = r.agent_id AND s.environment_key = r.environment_key \
         AND s.customer_id = r.customer_id AND s.active_version_id = r.version_id AND s.config_revision <= r.revision \
         WHERE r.customer_id = ANY({customers}::uuid[]) AND r.environment_key = ANY({environments}::text[]) AND {conditions} \
         ORDER BY r.reported_at DESC, r.gateway_id, r.agent_id"
    )))
}

/// The rejections of these gateways, newest first.
pub fn of_gateways(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    gateways: &[GatewayId],
) -> SelectorRaw<SelectModel<NamedRejection>> {
    let mut sql = Sql::default();
    sql.within("r", tenants);
    sql.reaching("r.environment_key", reach);
    let (gateways, conditions) = (sql.bind(uuids(gateways)), sql.where_clause());
    NamedRejection::find_by_statement(sql.statement(format!(
        "SELECT {COLUMNS} FROM registry.gateway_rejections AS r JOIN registry.gateways AS g ON g.id = r.gateway_id \
         WHERE r.gateway_id = ANY({gateways}::uuid[]) AND {conditions} ORDER BY r.reported_at DESC, r.agent_id"
    )))
}

/// The number of rejections of this token's other gateways, up to one more than `limit`.
pub fn count_others(
    principal: Uuid,
    (environment, name): (&EnvironmentKey, &str),
    limit: i64,
) -> SelectorRaw<SelectModel<Number>> {
    let sql = "SELECT count(*) AS number FROM (SELECT FROM registry.gateway_rejections AS r \
               JOIN registry.gateways AS g ON g.id = r.gateway_id WHERE g.principal_id = $1 \
               AND (g.environment_key, g.name) IS DISTINCT FROM ($2, $3) LIMIT $4 + 1) AS others";
    let values = [principal.into(), environment.clone().into(), name.into(), limit.into()];
    Number::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// A rejection that was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct StoredRejection {
    /// The agent.
    pub agent_id: AgentId,
    /// The version.
    pub version_id: VersionId,
    /// The kind of reason.
    pub code: RejectionCode,
    /// Whether the gateway hadn't reported it before.
    pub is_new: bool,
}

/// Makes these the rejections of these gateways, and returns them. One that a gateway repeats keeps its time.
pub fn replace(gateways: &[GatewayId], rejections: &[Model]) -> SelectorRaw<SelectModel<StoredRejection>> {
    let sql = "WITH r AS MATERIALIZED (SELECT * FROM jsonb_populate_recordset(NULL::registry.gateway_rejections, $2)), \
               gone AS (DELETE FROM registry.gateway_rejections AS d WHERE d.gateway_id = ANY($1::uuid[]) \
               AND NOT EXISTS (SELECT FROM r WHERE r.gateway_id = d.gateway_id AND r.agent_id = d.agent_id)), \
               kept AS (INSERT INTO registry.gateway_rejections AS k SELECT r.* FROM r ORDER BY r.gateway_id, r.agent_id \
               ON CONFLICT ON CONSTRAINT gateway_rejections_pkey DO UPDATE SET version_id = EXCLUDED.version_id, \
               revision = EXCLUDED.revision, code = EXCLUDED.code, message = EXCLUDED.message, \
               reported_at = CASE WHEN (k.version_id, k.revision, k.code, k.message) IS NOT DISTINCT FROM \
               (EXCLUDED.version_id, EXCLUDED.revision, EXCLUDED.code, EXCLUDED.message) THEN k.reported_at \
               ELSE EXCLUDED.reported_at END RETURNING k.gateway_id, k.agent_id, k.version_id, k.code, k.reported_at) \
               SELECT k.agent_id, k.version_id, k.code, k.reported_at = r.reported_at AS is_new \
               FROM kept AS k JOIN r ON r.gateway_id = k.gateway_id AND r.agent_id = k.agent_id";
    let rows: Value = rejections.iter().map(row_json).collect();
    let values = [uuids(gateways), rows.into()];
    StoredRejection::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

fn row_json(rejection: &Model) -> Value {
    let Model {
        gateway_id,
        agent_id,
        customer_id,
        environment_key,
        version_id,
        revision,
        code,
        message,
        reported_at,
    } = rejection;
    json!({
        "gateway_id": gateway_id, "agent_id": agent_id, "customer_id": customer_id,
        "environment_key": environment_key.as_str(), "version_id": version_id, "revision": revision, "code": code,
        "message": message, "reported_at": reported_at,
    })
}

/// Deletes the rejections of one customer's agents.
pub fn delete_of(customer: CustomerId) -> DeleteMany<Entity> {
    Entity::delete_many().filter(Column::CustomerId.eq(customer))
}
