//! The table `customers`: the tenants.

use sea_orm::{
    DbBackend, FromQueryResult, QuerySelect, SelectModel, SelectorRaw, Statement, entity::prelude::*,
    sea_query::LockType,
};

use super::{
    TenantFilter,
    erasure::{self, ERASED, ErasureAction},
    uuids,
};
use crate::{clock::Instant, id::CustomerId};

/// A customer's plan, smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Plan {
    /// For trying the service.
    Free,
    /// For one team.
    Pro,
    /// For a city.
    Enterprise,
}

/// A customer's billing status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BillingStatus {
    /// Not paying yet.
    Trialing,
    /// In good standing.
    Active,
    /// A payment is late; nothing is restricted.
    PastDue,
    /// Nothing is served. The customer's people can read, revoke keys and invitations, and remove members;
    /// operators can also write.
    Suspended,
    /// Final. Nothing is served, and the data may be erased.
    Canceled,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "customers")]
pub struct Model {
    /// The customer's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomerId,
    /// The customer's name; 1 to 200 characters, not unique.
    pub name: String,
    /// The customer's plan.
    pub plan: Plan,
    /// The customer's billing status.
    pub billing_status: BillingStatus,
    /// When the customer was created.
    pub created_at: Instant,
    /// When the row last changed.
    pub updated_at: Instant,
    /// When the prompts and personal data were erased. Only a canceled customer's are.
    pub erased_at: Option<Instant>,
    /// The customer's id in another system, unique; 1 to 200 characters.
    pub external_id: Option<String>,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The status that decides whether a customer's rows may be written, and how many there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct CustomerStatus {
    /// The customer's plan.
    pub plan: Plan,
    /// The customer's billing status.
    pub billing_status: BillingStatus,
    /// When the prompts and personal data were erased.
    pub erased_at: Option<Instant>,
}

impl Model {
    /// The status that decides whether the customer's rows may be written.
    #[must_use]
    pub fn status(&self) -> CustomerStatus {
        let Self { plan, billing_status, erased_at, .. } = *self;
        CustomerStatus { plan, billing_status, erased_at }
    }
}

/// How much a customer uses of what its plan limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Usage {
    /// The customer.
    pub id: CustomerId,
    /// The customer's plan.
    pub plan: Plan,
    /// The number of agents, archived ones included.
    pub agents: i64,
    /// The number of versions of the agent that has the most.
    pub versions: i32,
    /// The number of API keys that are neither revoked nor expired.
    pub api_keys: i64,
    /// The number of members and open invitations.
    pub members: i64,
    /// The number of environments, without archived ones.
    pub environments: i64,
}

/// The customers that `tenants` admits.
pub fn within(tenants: &TenantFilter) -> Select<Entity> {
    tenants.narrow(Entity::find(), Column::Id)
}

/// The customers with these ids that `tenants` admits.
pub fn by_ids(tenants: &TenantFilter, ids: &[CustomerId]) -> Select<Entity> {
    within(tenants).filter(Column::Id.eq_any(ids.to_vec()))
}

/// Locks one customer that `tenants` admits for a change of its own row, until the transaction ends.
pub fn locked(tenants: &TenantFilter, id: CustomerId) -> Select<Entity> {
    by_ids(tenants, &[id]).lock(LockType::NoKeyUpdate)
}

/// What a plan limits by number: counted before one more is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaKind {
    /// The agents, archived ones included.
    Agents,
    /// The API keys that are neither revoked nor expired.
    ApiKeys,
    /// The members and open invitations.
    Members,
    /// The environments that aren't archived.
    Environments,
}

impl QuotaKind {
    /// The SQL that counts for the customer `c` at the time `$2`.
    fn sql(self) -> &'static str {
        match self {
            Self::Agents => "(SELECT count(*) FROM registry.agents AS a WHERE a.customer_id = c.id)",
            Self::ApiKeys => {
                "(SELECT count(*) FROM registry.api_keys AS k WHERE k.customer_id = c.id AND k.revoked_at IS NULL \
                 AND (k.expires_at IS NULL OR k.expires_at > $2))"
            }
            Self::Members => {
                "(SELECT count(*) FROM registry.memberships AS m WHERE m.customer_id = c.id) \
                 + (SELECT count(*) FROM registry.invitations AS i WHERE i.customer_id = c.id AND i.expires_at > $2)"
            }
            Self::Environments => {
                "(SELECT count(*) FROM registry.environments AS e WHERE e.customer_id = c.id AND e.archived_at IS NULL)"
            }
        }
    }
}

/// A count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Count {
    /// The number of rows.
    pub count: i64,
}

/// Counts `what` for one customer at the time `now`.
pub fn count(what: QuotaKind, id: CustomerId, now: Instant) -> SelectorRaw<SelectModel<Count>> {
    let sql = format!(
        "SELECT {} AS count FROM registry.customers AS c WHERE c.id = $1 AND $2::timestamptz IS NOT NULL",
        what.sql()
    );
    Count::find_by_statement(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        [id.into(), now.into()],
    ))
}

/// Returns the usage of each of these customers at the time `now`. Not filtered by the caller's rights: the caller
/// must do so.
pub fn usage(ids: &[CustomerId], now: Instant) -> SelectorRaw<SelectModel<Usage>> {
    let [agents, api_keys, members, environments] =
        [QuotaKind::Agents, QuotaKind::ApiKeys, QuotaKind::Members, QuotaKind::Environments]
            .map(QuotaKind::sql);
    let sql = format!(
        "SELECT c.id, c.plan, {agents} AS agents, {api_keys} AS api_keys, {members} AS members, \
         {environments} AS environments, \
         (SELECT coalesce(max(a.latest_number), 0) FROM registry.agents AS a WHERE a.customer_id = c.id) AS versions \
         FROM registry.customers AS c WHERE c.id = ANY($1::uuid[])"
    );
    Usage::find_by_statement(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        [uuids(ids), now.into()],
    ))
}

/// What an erasure does to each column.
pub(super) fn erasure_action(column: Column) -> ErasureAction {
    match column {
        Column::Name => ErasureAction::Erase(Expr::value(ERASED)),
        Column::ExternalId => ErasureAction::Erase(Expr::value(Option::<String>::None)),
        Column::Id
        | Column::Plan
        | Column::BillingStatus
        | Column::CreatedAt
        | Column::UpdatedAt
        | Column::ErasedAt => ErasureAction::Keep,
    }
}

/// Erases a customer's own row. Afterwards the triggers permit erasing the content of its versions.
pub fn erase(customer: CustomerId, now: Instant) -> sea_orm::UpdateMany<Entity> {
    erasure::erase::<Entity>(erasure_action)
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .col_expr(Column::ErasedAt, Expr::value(now))
        .filter(Column::Id.eq(customer))
}
