//! The table `gateways`: gateways by their own names, and what they report that they serve. Also `gateway_epochs`, which says
//! since when no report was lost.

use sea_orm::{
    DbBackend, DeleteMany, FromQueryResult, SelectModel, SelectorRaw, Statement, entity::prelude::*,
};
use serde_json::{Value, json};

use super::{EnvironmentFilter, TenantFilter, change::ActorKind, keys, sql::Sql, uuids};
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, GatewayId, Revision},
};

/// The most gateways that one token's reports create.
pub const PER_TOKEN_MAX: usize = 10_000;

/// A gateway's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "gateways")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: GatewayId,
    /// The kind of its token.
    pub principal_kind: ActorKind,
    /// Its token.
    pub principal_id: Uuid,
    /// Its own name.
    pub name: String,
    /// The customer of an API key; `None` for a service token.
    pub customer_id: Option<CustomerId>,
    /// The customers whose configurations it receives; `None` for all.
    pub customer_ids: Option<Vec<CustomerId>>,
    /// The agents whose configurations it receives; `None` for all, or for more than it names.
    pub agent_ids: Option<Vec<AgentId>>,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// Where it runs, in its own words.
    pub region: Option<String>,
    /// What it runs, in its own words.
    pub build: Option<String>,
    /// Its client library.
    pub client_name: Option<String>,
    /// The library's version.
    pub client_version: Option<String>,
    /// Its first report.
    pub since: Instant,
    /// Its latest report.
    pub last_report_at: Instant,
    /// The revision in its latest report.
    pub applied_revision: Revision,
    /// The last revisions that it reported, ascending.
    pub step_revisions: Vec<i64>,
    /// When it first reported each of them.
    pub step_times: Vec<Instant>,
    /// The subscription on whose socket it reports.
    pub watch_id: Option<Uuid>,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A gateway that has reported, without the history of its reports.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ReportedRow {
    /// Its id.
    pub id: GatewayId,
    /// The kind of its token.
    pub principal_kind: ActorKind,
    /// Its token.
    pub principal_id: Uuid,
    /// Its own name.
    pub name: String,
    /// The customers whose configurations it receives; `None` for all.
    pub customer_ids: Option<Vec<CustomerId>>,
    /// The agents whose configurations it receives; `None` for all.
    pub agent_ids: Option<Vec<AgentId>>,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// Where it runs, in its own words.
    pub region: Option<String>,
    /// What it runs, in its own words.
    pub build: Option<String>,
    /// Its client library.
    pub client_name: Option<String>,
    /// The library's version.
    pub client_version: Option<String>,
    /// Its first report.
    pub since: Instant,
    /// Its latest report.
    pub last_report_at: Instant,
    /// The revision in its latest report.
    pub applied_revision: Revision,
    /// The subscription on whose socket it reports.
    pub watch_id: Option<Uuid>,
    /// How many versions it refuses.
    pub rejections: i64,
    /// When it first reported the newest of them.
    pub rejected_at: Option<Instant>,
}

/// A report, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The id of the gateway's row, if it has none yet.
    pub id: GatewayId,
    /// The kind of its token.
    pub principal_kind: ActorKind,
    /// Its token.
    pub principal_id: Uuid,
    /// Its own name.
    pub name: String,
    /// The customer of an API key.
    pub customer_id: Option<CustomerId>,
    /// The customers whose configurations it receives; `None` for all.
    pub customer_ids: Option<Vec<CustomerId>>,
    /// The agents whose configurations it receives; `None` for all.
    pub agent_ids: Option<Vec<AgentId>>,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// Where it runs.
    pub region: Option<String>,
    /// What it runs.
    pub build: Option<String>,
    /// Its client library.
    pub client_name: Option<String>,
    /// The library's version.
    pub client_version: Option<String>,
    /// When it reported.
    pub at: Instant,
    /// All up to this commit is applied.
    pub applied_revision: Revision,
    /// The subscription on whose socket it reports.
    pub watch_id: Option<Uuid>,
}

/// A row that a batch of reports has written.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Stored {
    /// The gateway's id.
    pub id: GatewayId,
    /// Its token.
    pub principal_id: Uuid,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// Its own name.
    pub name: String,
    /// Whether this was its first report.
    pub is_new: bool,
}

/// A number of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Number {
    /// The number.
    pub number: i64,
}

/// When a gateway had first reported a revision or a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct AppliedAt {
    /// The gateway.
    pub id: GatewayId,
    /// Its first report of all.
    pub since: Instant,
    /// Its first report of the revision or a later one; `None` when it was too long ago to be known.
    pub applied_at: Option<Instant>,
}

/// The time since which no report was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Epoch {
    /// The time.
    pub begun_at: Instant,
}

/// Conditions that a gateway, or its subscription, belongs to one of these environments and may serve a customer that
/// `tenants` admits.
pub(super) fn reached(
    sql: &mut Sql,
    table: &str,
    (tenants, reach): (&TenantFilter, &EnvironmentFilter),
    environments: &[EnvironmentKey],
) {
    if let TenantFilter::Only(customers) = tenants {
        let ids = sql.bind(uuids(customers));
        sql.and_where(format!(
            "cardinality({ids}::uuid[]) > 0 AND ({table}.customer_ids IS NULL OR {table}.customer_ids && {ids}::uuid[])"
        ));
    }
    sql.reaching(&format!("{table}.environment_key"), reach);
    let environments = sql.bind(keys(environments));
    sql.and_where(format!("{table}.environment_key = ANY({environments}::text[])"));
}

/// The gateways of these environments that may serve customers that `tenants` admits.
pub fn in_environments(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    environments: &[EnvironmentKey],
) -> SelectorRaw<SelectModel<ReportedRow>> {
    let mut sql = Sql::default();
    reached(&mut sql, "g", (tenants, reach), environments);
    let conditions = sql.where_clause();
    ReportedRow::find_by_statement(sql.statement(format!(
        "SELECT g.id, g.principal_kind, g.principal_id, g.name, g.customer_ids, g.agent_ids, g.environment_key, g.region, g.build, \
         g.client_name, g.client_version, g.since, g.last_report_at, g.applied_revision, g.watch_id, \
         r.rejections, r.rejected_at FROM registry.gateways AS g CROSS JOIN LATERAL (SELECT count(*) AS rejections, \
         max(k.reported_at) AS rejected_at FROM registry.gateway_rejections AS k WHERE k.gateway_id = g.id) AS r WHERE {conditions} ORDER BY g.name, g.id"
    )))
}

/// When each gateway of this environment, that may serve customers that `tenants` admits, had first reported this revision or
/// a later one.
pub fn applied_times(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    (environment, revision): (&EnvironmentKey, Revision),
) -> SelectorRaw<SelectModel<AppliedAt>> {
    let mut sql = Sql::default();
    reached(&mut sql, "g", (tenants, reach), std::slice::from_ref(environment));
    let (conditions, revision) = (sql.where_clause(), sql.bind(revision));
    AppliedAt::find_by_statement(sql.statement(format!(
        "SELECT g.id, g.since, CASE WHEN g.step_revisions[1] < {revision} OR cardinality(g.step_revisions) < 64 THEN \
         (SELECT min(s.at) FROM unnest(g.step_revisions, g.step_times) AS s (revision, at) WHERE s.revision >= {revision}) END AS applied_at \
         FROM registry.gateways AS g WHERE {conditions} AND g.applied_revision >= {revision}"
    )))
}

/// The columns of a batch of reports.
const REPORTS: &str = "jsonb_to_recordset($1) AS r (id uuid, principal_kind text, principal_id uuid, name text, customer_id uuid, \
     customer_ids uuid[], agent_ids uuid[], environment_key text, region text, build text, client_name text, client_version text, \
     at timestamptz, applied_revision bigint, watch_id uuid)";

/// Writes a batch of reports, of one gateway each. Leaves out new gateways of a token that has [`PER_TOKEN_MAX`] of them.
pub fn store(reports: &[Report]) -> SelectorRaw<SelectModel<Stored>> {
    let sql = format!(
        "WITH r AS MATERIALIZED (SELECT r.*, EXISTS (SELECT FROM registry.gateways AS k WHERE k.principal_id = r.principal_id \
         AND k.environment_key = r.environment_key AND k.name = r.name) AS is_known FROM {REPORTS}), \
         number AS MATERIALIZED (SELECT g.principal_id, count(*) AS number FROM registry.gateways AS g \
         WHERE g.principal_id IN (SELECT r.principal_id FROM r WHERE NOT r.is_known) GROUP BY g.principal_id), \
         fresh AS MATERIALIZED (SELECT r.id, coalesce(n.number, 0) + row_number() OVER (PARTITION BY r.principal_id ORDER BY r.id) \
         AS place FROM r LEFT JOIN number AS n ON n.principal_id = r.principal_id WHERE NOT r.is_known) \
         INSERT INTO registry.gateways AS g (id, principal_kind, principal_id, name, customer_id, customer_ids, agent_ids, \
         environment_key, region, build, client_name, client_version, since, last_report_at, applied_revision, step_revisions, \
         step_times, watch_id) \
         SELECT r.id, r.principal_kind, r.principal_id, r.name, r.customer_id, r.customer_ids, r.agent_ids, r.environment_key, \
         r.region, r.build, r.client_name, r.client_version, r.at, r.at, r.applied_revision, ARRAY[r.applied_revision], ARRAY[r.at], \
         r.watch_id FROM r LEFT JOIN fresh AS f ON f.id = r.id WHERE r.is_known OR f.place <= $2 \
         ORDER BY r.principal_id, r.environment_key, r.name \
         ON CONFLICT ON CONSTRAINT gateways_name_key DO UPDATE SET customer_ids = EXCLUDED.customer_ids, \
         agent_ids = EXCLUDED.agent_ids, region = EXCLUDED.region, build = EXCLUDED.build, client_name = EXCLUDED.client_name, \
         client_version = EXCLUDED.client_version, last_report_at = EXCLUDED.last_report_at, \
         applied_revision = EXCLUDED.applied_revision, watch_id = EXCLUDED.watch_id, \
         step_revisions = CASE WHEN EXCLUDED.applied_revision = g.applied_revision THEN g.step_revisions \
         WHEN EXCLUDED.applied_revision < g.applied_revision THEN EXCLUDED.step_revisions \
         ELSE g.step_revisions[greatest(1, cardinality(g.step_revisions) - 62):] || EXCLUDED.step_revisions END, \
         step_times = CASE WHEN EXCLUDED.applied_revision = g.applied_revision THEN g.step_times \
         WHEN EXCLUDED.applied_revision < g.applied_revision THEN EXCLUDED.step_times \
         ELSE g.step_times[greatest(1, cardinality(g.step_times) - 62):] || EXCLUDED.step_times END \
         RETURNING g.id, g.principal_id, g.environment_key, g.name, (g.xmax = 0) AS is_new"
    );
    let limit = i64::try_from(PER_TOKEN_MAX).unwrap_or(i64::MAX);
    let values = [reports_json(reports).into(), limit.into()];
    Stored::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// Deletes the rows that these gateways had under tokens that theirs have replaced, so that a rotation leaves no gateway
/// behind. Returns their number.
pub fn delete_of_predecessors(gateways: &[GatewayId]) -> SelectorRaw<SelectModel<Number>> {
    let sql = "WITH gone AS (DELETE FROM registry.gateways AS old USING registry.gateways AS g \
               WHERE g.id = ANY($1::uuid[]) AND old.name = g.name AND old.environment_key = g.environment_key \
               AND old.principal_id <> g.principal_id AND (\
               EXISTS (SELECT FROM registry.service_tokens AS t WHERE t.id = old.principal_id AND t.replaced_by = g.principal_id) \
               OR EXISTS (SELECT FROM registry.api_keys AS k WHERE k.id = old.principal_id AND k.replaced_by = g.principal_id)) \
               RETURNING old.id) SELECT count(*) AS number FROM gone";
    Number::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [uuids(gateways)]))
}

fn reports_json(reports: &[Report]) -> Value {
    let row = |report: &Report| {
        let Report {
            id,
            principal_kind,
            principal_id,
            name,
            customer_id,
            customer_ids,
            agent_ids,
            environment_key,
            region,
            build,
            client_name,
            client_version,
            at,
            applied_revision,
            watch_id,
        } = report;
        json!({
            "id": id, "principal_kind": principal_kind.to_value(), "principal_id": principal_id, "name": name,
            "customer_id": customer_id, "customer_ids": customer_ids, "agent_ids": agent_ids,
            "environment_key": environment_key.as_str(), "region": region, "build": build, "client_name": client_name,
            "client_version": client_version, "at": at, "applied_revision": applied_revision,
            "watch_id": watch_id,
        })
    };
    reports.iter().map(row).collect()
}

/// The number of gateways that have reported after `since`.
pub fn count(since: Instant) -> SelectorRaw<SelectModel<Number>> {
    let sql = "SELECT count(*) AS number FROM registry.gateways WHERE last_report_at > $1";
    Number::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [since.into()]))
}

/// Begins an epoch at `now` if there is none, and returns it then.
pub fn begin_epoch(now: Instant) -> SelectorRaw<SelectModel<Epoch>> {
    let sql = "INSERT INTO registry.gateway_epochs (id, begun_at) VALUES (1, $1) ON CONFLICT DO NOTHING RETURNING begun_at";
    Epoch::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [now.into()]))
}

/// The time since which no report was lost.
pub fn epoch() -> SelectorRaw<SelectModel<Epoch>> {
    let sql = "SELECT begun_at FROM registry.gateway_epochs WHERE id = 1";
    Epoch::find_by_statement(Statement::from_string(DbBackend::Postgres, sql))
}

/// Deletes the gateways whose latest report was at `until` or before, with their rejections.
pub fn forget(until: Instant) -> DeleteMany<Entity> {
    Entity::delete_many().filter(Column::LastReportAt.lte(until))
}

/// Deletes the gateways of one customer's API keys, with their rejections.
pub fn delete_of(customer: CustomerId) -> DeleteMany<Entity> {
    Entity::delete_many().filter(Column::CustomerId.eq(customer))
}
