//! `service_tokens`: credentials of the Gateway and the Orchestrator.

use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*, sea_query::LockType};

use crate::{clock::Instant, id::ServiceTokenId};

/// A service token. The secret itself is never here.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "service_tokens")]
pub struct Model {
    /// Its id, part of the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceTokenId,
    /// What it is for.
    pub name: String,
    /// SHA-256 of the secret part.
    pub secret_hash: Vec<u8>,
    /// What it may do, such as `configs:read`.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it ceased to be accepted.
    pub revoked_at: Option<Instant>,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All tokens, oldest first.
pub fn all() -> Select<Entity> {
    Entity::find().order_by_asc(Column::Id)
}

/// The token of this id.
pub fn by_id(id: ServiceTokenId) -> Select<Entity> {
    Entity::find_by_id(id)
}

/// The token of this id, locked against other writers of it until the transaction ends.
pub fn locked(id: ServiceTokenId) -> Select<Entity> {
    by_id(id).lock(LockType::NoKeyUpdate)
}
