//! The table `sign_in_links`: one-time addresses that sign a browser in. They belong to people, not to customers, so every
//! select is by the address's secret.

use sea_orm::{DeleteMany, QuerySelect, UpdateMany, entity::prelude::*};

use crate::{clock::Instant, id::UserId};

/// A one-time address. The secret is never stored.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "sign_in_links")]
pub struct Model {
    /// SHA-256 of the address's secret.
    #[sea_orm(primary_key, auto_increment = false)]
    pub secret_hash: Vec<u8>,
    /// The user whom it signs in.
    pub user_id: UserId,
    /// Whether the user becomes an operator when it is spent.
    pub makes_operator: bool,
    /// When it was created.
    pub created_at: Instant,
    /// When it expires.
    pub expires_at: Instant,
    /// When it was spent; `None` while it wasn't.
    pub spent_at: Option<Instant>,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The address with this hash.
pub fn by_hash(secret_hash: &[u8]) -> Select<Entity> {
    Entity::find_by_id(secret_hash.to_vec())
}

/// Locks the address with this hash until the transaction ends, so that it is spent once.
pub fn locked(secret_hash: &[u8]) -> Select<Entity> {
    by_hash(secret_hash).lock_exclusive()
}

/// Marks the address with this hash as spent.
pub fn spend(secret_hash: &[u8], now: Instant) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::SpentAt, Expr::value(now))
        .filter(Column::SecretHash.eq(secret_hash.to_vec()))
}

/// Deletes the addresses that expired at `until` or before.
pub fn forget(until: Instant) -> DeleteMany<Entity> {
    Entity::delete_many().filter(Column::ExpiresAt.lte(until))
}
