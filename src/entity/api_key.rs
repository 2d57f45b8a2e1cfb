//! The table `api_keys`: credentials of a customer's own programs.

use sea_orm::{
    DbBackend, FromQueryResult, QuerySelect, SelectModel, SelectorRaw, Statement,
    entity::prelude::*,
    sea_query::{LockType, Order},
};

use super::{
    KeysetPage, TenantFilter,
    change::ActorKind,
    count::{self, SelectCounts},
    customer::Plan,
    sql::Sql,
    uuids,
};
use crate::{
    clock::Instant,
    id::{ApiKeyId, CustomerId},
};

/// An API key. The secret is never stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "api_keys")]
pub struct Model {
    /// The key's id, which is part of the key's text.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiKeyId,
    /// The customer that owns the key.
    pub customer_id: CustomerId,
    /// The key's name; 1 to 200 characters.
    pub name: String,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// The scopes, such as `agents:read`.
    pub scopes: Vec<String>,
    /// The kind of caller that created the key.
    pub created_by_kind: ActorKind,
    /// The caller's id; `None` for the system.
    pub created_by_id: Option<Uuid>,
    /// When the key was created.
    pub created_at: Instant,
    /// When the key expires; `None` when it doesn't.
    pub expires_at: Option<Instant>,
    /// When the key was last accepted, to the minute.
    pub last_used_at: Option<Instant>,
    /// When the key was revoked; `None` while it isn't.
    pub revoked_at: Option<Instant>,
    /// The key that replaced this one in a rotation.
    pub replaced_by: Option<ApiKeyId>,
    /// The environments that the key reaches; `None` for all.
    pub environment_ids: Option<Vec<Uuid>>,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The columns that authentication needs.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Credential {
    /// The customer that owns the key.
    pub customer_id: CustomerId,
    /// The key's name.
    pub name: String,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// The scopes.
    pub scopes: Vec<String>,
    /// When the key expires; `None` when it doesn't.
    pub expires_at: Option<Instant>,
    /// When the key was last accepted, to the minute.
    pub last_used_at: Option<Instant>,
    /// When the key was revoked; `None` while it isn't.
    pub revoked_at: Option<Instant>,
    /// The customer's plan.
    pub plan: Plan,
    /// The keys of the environments that the key reaches, sorted; `None` for all.
    pub environments: Option<Vec<String>>,
}

/// Returns the columns that authentication needs, for the key with this id.
pub fn credential(id: ApiKeyId) -> SelectorRaw<SelectModel<Credential>> {
    let sql = "SELECT k.customer_id, k.name, k.secret_hash, k.scopes, k.expires_at, k.last_used_at, k.revoked_at, c.plan, \
               CASE WHEN k.environment_ids IS NOT NULL THEN ARRAY(SELECT e.key::text FROM registry.environments AS e \
               WHERE e.customer_id = k.customer_id AND e.id = ANY(k.environment_ids) ORDER BY e.key) END AS environments \
               FROM registry.api_keys AS k JOIN registry.customers AS c ON c.id = k.customer_id WHERE k.id = $1";
    Credential::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [id.into()]))
}

/// The key with this id, if `tenants` admits it.
pub fn by_id(tenants: &TenantFilter, id: ApiKeyId) -> Select<Entity> {
    tenants.narrow(Entity::find(), Column::CustomerId).filter(Column::Id.eq(id))
}

/// The keys with these ids that `tenants` admits.
pub fn by_ids(tenants: &TenantFilter, ids: &[ApiKeyId]) -> Select<Entity> {
    tenants.narrow(Entity::find(), Column::CustomerId).filter(Column::Id.eq_any(ids.to_vec()))
}

/// Locks the key with this id, if `tenants` admits it, against other writers until the transaction ends.
pub fn locked(tenants: &TenantFilter, id: ApiKeyId) -> Select<Entity> {
    by_id(tenants, id).lock(LockType::NoKeyUpdate)
}

/// Locks the key that `successor` has replaced, if it is still accepted at `now`.
pub fn locked_predecessor(tenants: &TenantFilter, successor: ApiKeyId, now: Instant) -> Select<Entity> {
    tenants
        .narrow(Entity::find(), Column::CustomerId)
        .filter(Column::ReplacedBy.eq(successor))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .lock(LockType::NoKeyUpdate)
}

/// One page of keys for each of these customers, newest first.
pub fn page_each(customers: &[CustomerId], page: &KeysetPage<ApiKeyId>) -> SelectorRaw<SelectModel<Model>> {
    let (rows, parents) = (("t.*", "api_keys"), ("customer_id", uuids(customers)));
    Entity::find().from_raw_sql(page.under_each(Sql::default(), rows, parents, "id", &Order::Desc))
}

/// Counts the keys of each of these customers, expired and revoked ones included.
pub fn count_each(customers: &[CustomerId]) -> SelectCounts {
    count::of_rows_under_each(Sql::default(), "api_keys", ("customer_id", uuids(customers)), "id")
}

/// Sets the time of the key's last use to `now`, unless it is `before` or later already.
pub fn touch(id: ApiKeyId, now: Instant, before: Instant) -> sea_orm::UpdateMany<Entity> {
    super::touch(Column::Id.eq(id), Column::LastUsedAt, now, before)
}

/// Deletes all keys of one customer.
pub fn delete_of(customer: CustomerId) -> sea_orm::DeleteMany<Entity> {
    Entity::delete_many().filter(Column::CustomerId.eq(customer))
}
