//! `api_keys`: credentials of a customer's own programs.

use sea_orm::{
    DbBackend, FromQueryResult, QuerySelect, SelectModel, SelectorRaw, Statement,
    entity::prelude::*,
    sea_query::{LockType, Order},
};

use super::{Reach, Slice, change::ActorKind, customer::Plan, sql::Sql, uuids};
use crate::{
    clock::Instant,
    id::{ApiKeyId, CustomerId},
};

/// An API key. The secret itself is never here.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "api_keys")]
pub struct Model {
    /// Its id, part of the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiKeyId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What it is for; 1 to 200 characters.
    pub name: String,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// What it may do, such as `agents:read`.
    pub scopes: Vec<String>,
    /// What kind of caller made it.
    pub created_by_kind: ActorKind,
    /// Which one.
    pub created_by_id: Option<Uuid>,
    /// When it was made.
    pub created_at: Instant,
    /// From when on it is not accepted, if it ends by itself.
    pub expires_at: Option<Instant>,
    /// When it was last accepted, to the minute.
    pub last_used_at: Option<Instant>,
    /// When it ceased to be accepted.
    pub revoked_at: Option<Instant>,
    /// Which one took over when this one was rotated.
    pub replaced_by: Option<ApiKeyId>,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What signing in asks of a key.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Credential {
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What it is for.
    pub name: String,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// From when on it is not accepted, if it ends by itself.
    pub expires_at: Option<Instant>,
    /// When it was last accepted, to the minute.
    pub last_used_at: Option<Instant>,
    /// When it ceased to be accepted.
    pub revoked_at: Option<Instant>,
    /// What its customer pays for.
    pub plan: Plan,
}

/// What signing in asks of the key of this id.
pub fn credential(id: ApiKeyId) -> SelectorRaw<SelectModel<Credential>> {
    let sql = "SELECT k.customer_id, k.name, k.secret_hash, k.scopes, k.expires_at, k.last_used_at, k.revoked_at, c.plan \
               FROM registry.api_keys AS k JOIN registry.customers AS c ON c.id = k.customer_id WHERE k.id = $1";
    Credential::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [id.into()]))
}

/// The keys within reach of this id.
pub fn by_id(reach: &Reach, id: ApiKeyId) -> Select<Entity> {
    reach.narrow(Entity::find(), Column::CustomerId).filter(Column::Id.eq(id))
}

/// One within reach, locked against other writers of it until the transaction ends.
pub fn locked(reach: &Reach, id: ApiKeyId) -> Select<Entity> {
    by_id(reach, id).lock(LockType::NoKeyUpdate)
}

/// The key that was given this successor and is accepted beside it at this time, locked as [`locked`] is.
pub fn before(reach: &Reach, successor: ApiKeyId, now: Instant) -> Select<Entity> {
    reach
        .narrow(Entity::find(), Column::CustomerId)
        .filter(Column::ReplacedBy.eq(successor))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .lock(LockType::NoKeyUpdate)
}

/// The same page, newest first, of each of these customers.
pub fn page_each(customers: &[CustomerId], slice: &Slice<ApiKeyId>) -> SelectorRaw<SelectModel<Model>> {
    let (rows, parents) = (("t.*", "api_keys"), ("customer_id", uuids(customers)));
    Entity::find().from_raw_sql(slice.under_each(Sql::default(), rows, parents, "id", &Order::Desc))
}

/// How many each of these customers has, those that are not accepted any more too: rows of (customer, count).
pub fn count_each(customers: &[CustomerId]) -> Select<Entity> {
    super::count_by_customer(Entity::find(), customers, Column::CustomerId)
}

/// Notes that this key was accepted at this time, unless one was noted after `before`.
pub fn touch(id: ApiKeyId, now: Instant, before: Instant) -> sea_orm::UpdateMany<Entity> {
    let stale =
        sea_orm::Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lt(before));
    Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(stale)
}

/// Takes away all of one customer.
pub fn delete_of(customer: CustomerId) -> sea_orm::DeleteMany<Entity> {
    Entity::delete_many().filter(Column::CustomerId.eq(customer))
}
