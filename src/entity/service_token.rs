//! The table `service_tokens`: credentials of the platform's services, the Gateway and the Orchestrator.

use sea_orm::{
    QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{LockType, Order},
};

use super::{
    KeysetPage,
    change::ActorKind,
    count::{self, SelectCounts},
    sql::Sql,
};
use crate::{
    clock::Instant,
    id::{CustomerId, ServiceTokenId},
};

/// A service token. The secret is never stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "service_tokens")]
pub struct Model {
    /// The token's id, which is part of the token's text.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceTokenId,
    /// The token's name.
    pub name: String,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// The scopes, such as `configs:read`.
    pub scopes: Vec<String>,
    /// When the token was created.
    pub created_at: Instant,
    /// When the token was revoked; `None` while it isn't.
    pub revoked_at: Option<Instant>,
    /// The only customers that the token is valid for, in order; `None` for all.
    pub customer_ids: Option<Vec<CustomerId>>,
    /// The kind of caller that created the token; `None` in rows of releases without this column.
    pub created_by_kind: Option<ActorKind>,
    /// The caller's id; `None` for the system.
    pub created_by_id: Option<Uuid>,
    /// When the token expires; `None` when it doesn't.
    pub expires_at: Option<Instant>,
    /// The token that replaced this one in a rotation.
    pub replaced_by: Option<ServiceTokenId>,
    /// The keys of the environments that the token reaches, sorted; `None` for all.
    pub environments: Option<Vec<String>>,
    /// When the token was last accepted; `None` if never.
    pub last_used_at: Option<Instant>,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All tokens, oldest first.
pub fn all() -> Select<Entity> {
    Entity::find().order_by_asc(Column::Id)
}

/// A page of the tokens, newest first.
pub fn page(page: &KeysetPage<ServiceTokenId>) -> Select<Entity> {
    page.apply(Entity::find(), Column::Id, Order::Desc)
}

/// Counts the tokens.
pub fn count() -> SelectCounts {
    count::of_select(Sql::default(), "SELECT FROM registry.service_tokens AS t ORDER BY t.id")
}

/// The token with this id.
pub fn by_id(id: ServiceTokenId) -> Select<Entity> {
    Entity::find_by_id(id)
}

/// The tokens with these ids.
pub fn by_ids(ids: &[ServiceTokenId]) -> Select<Entity> {
    Entity::find().filter(Column::Id.eq_any(ids.to_vec()))
}

/// Locks the token that `successor` has replaced, if it is still accepted at `now`.
pub fn locked_predecessor(successor: ServiceTokenId, now: Instant) -> Select<Entity> {
    Entity::find()
        .filter(Column::ReplacedBy.eq(successor))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .lock(LockType::NoKeyUpdate)
}

/// Sets the time of the token's last use to `now`, unless it is `before` or later already.
pub fn touch(id: ServiceTokenId, now: Instant, before: Instant) -> sea_orm::UpdateMany<Entity> {
    super::touch(Column::Id.eq(id), Column::LastUsedAt, now, before)
}

/// Locks the token with this id against other writers until the transaction ends.
pub fn locked(id: ServiceTokenId) -> Select<Entity> {
    by_id(id).lock(LockType::NoKeyUpdate)
}
