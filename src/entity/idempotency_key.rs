//! The table `idempotency_keys`: the results of writes with an idempotency key, so that a repeated request has no
//! second effect.

use sea_orm::{
    DbBackend, DeleteMany, FromQueryResult, SelectModel, SelectorRaw, Statement, UpdateMany,
    entity::prelude::*,
};

use crate::{clock::Instant, id::Revision};

/// One key of one principal.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "idempotency_keys")]
pub struct Model {
    /// The principal that sent the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub principal_id: Uuid,
    /// SHA-256 of the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: Vec<u8>,
    /// SHA-256 of the request.
    pub request_hash: Vec<u8>,
    /// When the request was sent.
    pub claimed_at: Instant,
    /// The row that the write created or changed. None only inside the transaction of that write.
    pub subject_id: Option<Uuid>,
    /// A second id that replaying the response needs: the rest of that row's key, or another row.
    pub other_id: Option<Uuid>,
    /// The commit of the write; none as `subject_id`.
    pub revision: Option<Revision>,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The result of an earlier write with the same key.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct StoredResult {
    /// SHA-256 of that request.
    pub request_hash: Vec<u8>,
    /// The row that the write created or changed.
    pub subject_id: Uuid,
    /// A second id that replaying the response needs: the rest of that row's key, or another row.
    pub other_id: Option<Uuid>,
    /// The commit of the write.
    pub revision: Revision,
}

/// Claims a key that is new, or was last claimed at `over` or before. Otherwise returns the result of the earlier
/// write. While another transaction holds the same key, waits for it to end.
pub fn claim(
    principal: Uuid,
    key_hash: &[u8],
    request_hash: &[u8],
    now: Instant,
    over: Instant,
) -> SelectorRaw<SelectModel<StoredResult>> {
    let claim = "SELECT * FROM registry.claim_key($1, $2, $3, $4, $5)";
    let values = [principal.into(), key_hash.into(), request_hash.into(), now.into(), over.into()];
    StoredResult::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, claim, values))
}

/// Stores the result of the write with a claimed key.
pub fn complete(
    principal: Uuid,
    key_hash: Vec<u8>,
    subject: Uuid,
    other: Option<Uuid>,
    revision: Revision,
) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::SubjectId, Expr::value(subject))
        .col_expr(Column::OtherId, Expr::value(other))
        .col_expr(Column::Revision, Expr::value(revision))
        .filter(Column::PrincipalId.eq(principal))
        .filter(Column::KeyHash.eq(key_hash))
}

/// Deletes the keys that were claimed at `until` or before.
pub fn forget(until: Instant) -> DeleteMany<Entity> {
    Entity::delete_many().filter(Column::ClaimedAt.lte(until))
}
