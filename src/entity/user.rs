//! `users`: people, known by who vouches for them and under which name.

use sea_orm::entity::prelude::*;

use crate::{clock::Instant, id::UserId};

/// A user's profile.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "users")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// Who vouches for the subject: the `iss` of its tokens.
    pub issuer: String,
    /// Its name at the issuer: the `sub` of its tokens, 1 to 255 characters.
    pub subject: String,
    /// Its address, when known.
    pub email: Option<String>,
    /// What people call it, when known.
    pub name: Option<String>,
    /// When the profile was made.
    pub created_at: Instant,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The user of this name at this issuer.
pub fn by_subject(issuer: &str, subject: &str) -> Select<Entity> {
    Entity::find().filter(Column::Issuer.eq(issuer)).filter(Column::Subject.eq(subject))
}

/// Those of `ids` that row-level security lets the transaction see: its customers' members.
pub fn by_ids(ids: &[UserId]) -> Select<Entity> {
    Entity::find().filter(Column::Id.eq_any(ids.to_vec()))
}
