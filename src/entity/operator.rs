//! `operators`: users of the platform itself, named before they ever sign in.

use sea_orm::{QueryOrder, entity::prelude::*};

use crate::clock::Instant;

/// An operator, by the name its tokens carry.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "operators")]
pub struct Model {
    /// Who vouches for the subject.
    #[sea_orm(primary_key, auto_increment = false)]
    pub issuer: String,
    /// Its name at the issuer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// Since when.
    pub created_at: Instant,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The operator of this name, if it is one.
pub fn by_subject(issuer: &str, subject: &str) -> Select<Entity> {
    Entity::find_by_id((issuer.to_owned(), subject.to_owned()))
}

/// All operators.
pub fn all() -> Select<Entity> {
    Entity::find().order_by_asc(Column::Issuer).order_by_asc(Column::Subject)
}

/// Takes this operator away.
pub fn delete(issuer: &str, subject: &str) -> sea_orm::DeleteMany<Entity> {
    Entity::delete_many().filter(Column::Issuer.eq(issuer)).filter(Column::Subject.eq(subject))
}
