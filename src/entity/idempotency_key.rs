//! `idempotency_keys`: what writes with an idempotency key came to, so that they have their effect once.

use sea_orm::{
    DbBackend, DeleteMany, FromQueryResult, SelectModel, SelectorRaw, Statement, UpdateMany,
    entity::prelude::*,
};

use crate::clock::Instant;

/// One key of one principal.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "idempotency_keys")]
pub struct Model {
    /// Whose key it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub principal_id: Uuid,
    /// SHA-256 of the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_hash: Vec<u8>,
    /// SHA-256 of the request.
    pub request_hash: Vec<u8>,
    /// When it was sent.
    pub claimed_at: Instant,
    /// What it made or changed; none only inside the transaction that does.
    pub subject_id: Option<Uuid>,
    /// What else says which one that is.
    pub other_id: Option<Uuid>,
    /// In which commit; none as above.
    pub revision: Option<i64>,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What was written earlier with a key.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Earlier {
    /// SHA-256 of the request that came with it.
    pub request_hash: Vec<u8>,
    /// What that made or changed.
    pub subject_id: Uuid,
    /// What else says which one that is.
    pub other_id: Option<Uuid>,
    /// In which commit.
    pub revision: i64,
}

/// Claims a key that was last claimed after `over`, if ever; else yields what was written with it.
pub fn claim(
    principal: Uuid,
    key_hash: &[u8],
    request_hash: &[u8],
    now: Instant,
    over: Instant,
) -> SelectorRaw<SelectModel<Earlier>> {
    let claim = "SELECT * FROM registry.claim_key($1, $2, $3, $4, $5)";
    let values = [principal.into(), key_hash.into(), request_hash.into(), now.into(), over.into()];
    Earlier::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, claim, values))
}

/// Notes what the write with a claimed key came to.
pub fn came_to(
    principal: Uuid,
    key_hash: Vec<u8>,
    subject: Uuid,
    other: Option<Uuid>,
    revision: i64,
) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::SubjectId, Expr::value(subject))
        .col_expr(Column::OtherId, Expr::value(other))
        .col_expr(Column::Revision, Expr::value(revision))
        .filter(Column::PrincipalId.eq(principal))
        .filter(Column::KeyHash.eq(key_hash))
}

/// Forgets the keys that were claimed by then.
pub fn forget(until: Instant) -> DeleteMany<Entity> {
    Entity::delete_many().filter(Column::ClaimedAt.lte(until))
}
