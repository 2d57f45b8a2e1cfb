//! `customers`: the tenants.

use sea_orm::{
    DbBackend, FromQueryResult, QuerySelect, SelectModel, SelectorRaw, Statement,
    entity::prelude::*,
    sea_query::{LockType, Order},
};

use super::{
    Reach, Slice,
    erasure::{self, ERASED, Fate},
    uuids,
};
use crate::{clock::Instant, id::CustomerId};

/// What a customer pays for, the smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Plan {
    /// To try it.
    Free,
    /// For one team.
    Pro,
    /// For a city.
    Enterprise,
}

/// Where a customer stands with its bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BillingStatus {
    /// Not paying yet.
    Trialing,
    /// In good standing.
    Active,
    /// A payment is late; everything still works.
    PastDue,
    /// Nothing is served. Its people can look, revoke keys and invitations, and remove members; operators can also write.
    Suspended,
    /// Gone; its data may be erased.
    Canceled,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "customers")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomerId,
    /// What people call it; 1 to 200 characters, not unique.
    pub name: String,
    /// What it pays for.
    pub plan: Plan,
    /// Where it stands with its bills.
    pub billing_status: BillingStatus,
    /// When it was created.
    pub created_at: Instant,
    /// When its row last changed.
    pub updated_at: Instant,
    /// When its prompts and personal data were taken away; only a canceled one's are.
    pub erased_at: Option<Instant>,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What decides whether a customer's rows may be written, and how many of them there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Standing {
    /// What it pays for.
    pub plan: Plan,
    /// Where it stands with its bills.
    pub billing_status: BillingStatus,
    /// When its prompts and personal data were taken away.
    pub erased_at: Option<Instant>,
}

impl Model {
    /// What decides whether its rows may be written.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let Self { plan, billing_status, erased_at, .. } = *self;
        Standing { plan, billing_status, erased_at }
    }
}

/// How much a customer has of what its plan limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Usage {
    /// Whose.
    pub id: CustomerId,
    /// What it pays for.
    pub plan: Plan,
    /// Its agents, archived ones too.
    pub agents: i64,
    /// The versions of the agent that has the most.
    pub versions: i32,
    /// Its API keys that are accepted.
    pub api_keys: i64,
    /// Its members, and those who have been invited.
    pub members: i64,
}

/// Customers within reach.
pub fn within(reach: &Reach) -> Select<Entity> {
    reach.narrow(Entity::find(), Column::Id)
}

/// Those of `ids` within reach.
pub fn by_ids(reach: &Reach, ids: &[CustomerId]) -> Select<Entity> {
    within(reach).filter(Column::Id.eq_any(ids.to_vec()))
}

/// A page of customers within reach, oldest first.
pub fn page(reach: &Reach, name: Option<&str>, slice: &Slice<CustomerId>) -> Select<Entity> {
    slice.cut(named(reach, name), Column::Id, Order::Asc)
}

/// Customers within reach, only those of that exact name when one is given.
pub fn named(reach: &Reach, name: Option<&str>) -> Select<Entity> {
    let select = within(reach);
    match name {
        Some(name) => select.filter(Column::Name.eq(name)),
        None => select,
    }
}

/// One customer, locked for a change of its own row until the transaction ends.
pub fn locked(reach: &Reach, id: CustomerId) -> Select<Entity> {
    by_ids(reach, &[id]).lock(LockType::NoKeyUpdate)
}

/// What is counted of a customer before it gets one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Its agents, archived ones too.
    Agents,
    /// Its API keys that are accepted.
    ApiKeys,
    /// Its members, and those who have been invited.
    Members,
}

impl Counted {
    /// The count for the customer `c` at the time `$2`, in SQL.
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
        }
    }
}

/// A count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Count {
    /// How many there are.
    pub count: i64,
}

/// How many of this a customer has at this time.
pub fn count(what: Counted, id: CustomerId, now: Instant) -> SelectorRaw<SelectModel<Count>> {
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

/// How much each of these customers has at this time. Whose they are is for the reader to see.
pub fn usage(ids: &[CustomerId], now: Instant) -> SelectorRaw<SelectModel<Usage>> {
    let [agents, api_keys, members] = [Counted::Agents, Counted::ApiKeys, Counted::Members].map(Counted::sql);
    let sql = format!(
        "SELECT c.id, c.plan, {agents} AS agents, {api_keys} AS api_keys, {members} AS members, \
         (SELECT coalesce(max(a.latest_number), 0) FROM registry.agents AS a WHERE a.customer_id = c.id) AS versions \
         FROM registry.customers AS c WHERE c.id = ANY($1::uuid[])"
    );
    Usage::find_by_statement(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        [uuids(ids), now.into()],
    ))
}

/// What becomes of each column when the customer is erased.
pub(super) fn fate(column: Column) -> Fate {
    match column {
        Column::Name => Fate::Erase(Expr::value(ERASED)),
        Column::Id
        | Column::Plan
        | Column::BillingStatus
        | Column::CreatedAt
        | Column::UpdatedAt
        | Column::ErasedAt => Fate::Keep,
    }
}

/// Erases a customer's own row, as of now. With that, the triggers let the content of its versions go.
pub fn erase(customer: CustomerId, now: Instant) -> sea_orm::UpdateMany<Entity> {
    erasure::erase::<Entity>(fate)
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .col_expr(Column::ErasedAt, Expr::value(now))
        .filter(Column::Id.eq(customer))
}
