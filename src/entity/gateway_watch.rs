//! The tables `gateway_watches` and `gateway_instances`: which gateways are subscribed, and on which instances.

use sea_orm::{
    DbBackend, DeleteMany, FromQueryResult, SelectModel, SelectorRaw, Statement, entity::prelude::*,
};
use serde_json::{Value, json};

use super::{EnvironmentFilter, TenantFilter, change::ActorKind, gateway, gateway::Number, sql::Sql, uuids};
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, Revision},
};

/// A gateway's subscription.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "gateway_watches")]
pub struct Model {
    /// The subscription's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The instance on which it runs.
    pub instance_id: Uuid,
    /// The kind of its token.
    pub principal_kind: ActorKind,
    /// Its token.
    pub principal_id: Uuid,
    /// The token's name.
    pub name: String,
    /// The customer of an API key; `None` for a service token.
    pub customer_id: Option<CustomerId>,
    /// The customers whose configurations it receives; `None` for all.
    pub customer_ids: Option<Vec<CustomerId>>,
    /// The agents whose configurations it receives; `None` for all, or for more than a row holds.
    pub agent_ids: Option<Vec<AgentId>>,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// Its client library.
    pub client_name: Option<String>,
    /// The library's version.
    pub client_version: Option<String>,
    /// When it began.
    pub since: Instant,
    /// The last commit that it has received, or is receiving.
    pub delivered_revision: Revision,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The subscriptions in these environments that may serve customers that `tenants` admits, on instances that were seen after
/// `alive`. Oldest first.
pub fn in_environments(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    environments: &[EnvironmentKey],
    alive: Instant,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    gateway::reached(&mut sql, "w", (tenants, reach), environments);
    let (conditions, alive) = (sql.where_clause(), sql.bind(alive));
    Model::find_by_statement(sql.statement(format!(
        "SELECT w.* FROM registry.gateway_watches AS w JOIN registry.gateway_instances AS i ON i.id = w.instance_id \
         WHERE i.seen_at > {alive} AND {conditions} ORDER BY w.since, w.id"
    )))
}

/// Records that an instance lives. Returns a row with the number 1 if it wasn't recorded before.
pub fn see_instance(instance: Uuid, now: Instant) -> SelectorRaw<SelectModel<Number>> {
    let sql = "INSERT INTO registry.gateway_instances AS i (id, seen_at) VALUES ($1, $2) \
               ON CONFLICT ON CONSTRAINT gateway_instances_pkey DO UPDATE SET seen_at = EXCLUDED.seen_at \
               RETURNING (i.xmax = 0)::int::bigint AS number";
    let values = [instance.into(), now.into()];
    Number::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// Deletes instances that were last seen at `until` or before, with their subscriptions. Returns their number.
pub fn forget_instances(until: Instant) -> SelectorRaw<SelectModel<Number>> {
    let sql = "WITH gone AS (DELETE FROM registry.gateway_instances WHERE id IN (SELECT id FROM registry.gateway_instances \
               WHERE seen_at <= $1 ORDER BY id FOR UPDATE SKIP LOCKED) RETURNING id) SELECT count(*) AS number FROM gone";
    Number::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [until.into()]))
}

/// Inserts subscriptions. Returns their number.
pub fn insert(watches: &[Model]) -> SelectorRaw<SelectModel<Number>> {
    let sql = "WITH added AS (INSERT INTO registry.gateway_watches SELECT r.* FROM jsonb_populate_recordset(\
               NULL::registry.gateway_watches, $1) AS r ON CONFLICT DO NOTHING RETURNING id) \
               SELECT count(*) AS number FROM added";
    let rows: Value = watches.iter().map(row_json).collect();
    Number::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [rows.into()]))
}

fn row_json(watch: &Model) -> Value {
    let Model {
        id,
        instance_id,
        principal_kind,
        principal_id,
        name,
        customer_id,
        customer_ids,
        agent_ids,
        environment_key,
        client_name,
        client_version,
        since,
        delivered_revision,
    } = watch;
    json!({
        "id": id, "instance_id": instance_id, "principal_kind": principal_kind.to_value(), "principal_id": principal_id,
        "name": name, "customer_id": customer_id, "customer_ids": customer_ids, "agent_ids": agent_ids,
        "environment_key": environment_key.as_str(), "client_name": client_name, "client_version": client_version,
        "since": since, "delivered_revision": delivered_revision,
    })
}

/// Sets what these subscriptions of an instance have received. Returns their number.
pub fn set_delivered(instance: Uuid, delivered: &[(Uuid, Revision)]) -> SelectorRaw<SelectModel<Number>> {
    let sql = "WITH moved AS (UPDATE registry.gateway_watches AS w SET delivered_revision = r.revision \
               FROM jsonb_to_recordset($2) AS r (id uuid, revision bigint) WHERE w.id = r.id AND w.instance_id = $1 RETURNING w.id) \
               SELECT count(*) AS number FROM moved";
    let rows: Value =
        delivered.iter().map(|(id, revision)| json!({ "id": id, "revision": revision })).collect();
    let values = [instance.into(), rows.into()];
    Number::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// Deletes these subscriptions of an instance. Returns their number.
pub fn delete(instance: Uuid, ids: &[Uuid]) -> SelectorRaw<SelectModel<Number>> {
    let sql = "WITH gone AS (DELETE FROM registry.gateway_watches WHERE instance_id = $1 AND id = ANY($2::uuid[]) RETURNING id) \
               SELECT count(*) AS number FROM gone";
    let values = [instance.into(), uuids(ids)];
    Number::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// Deletes the subscriptions of one customer's API keys.
pub fn delete_of(customer: CustomerId) -> DeleteMany<Entity> {
    Entity::delete_many().filter(Column::CustomerId.eq(customer))
}
