//! `operators`: users of the platform itself, named before they ever sign in.

use sea_orm::{Condition, QueryOrder, QuerySelect, entity::prelude::*, sea_query::LockType};

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

/// The same, which nobody removes until the transaction ends.
pub fn held(issuer: &str, subject: &str) -> Select<Entity> {
    by_subject(issuer, subject).lock(LockType::KeyShare)
}

/// Those of these names, locked for a removal: in one order, whoever asks.
pub fn locked(names: &[(String, String)]) -> Select<Entity> {
    let is = |(issuer, subject): &(String, String)| {
        Condition::all().add(Column::Issuer.eq(issuer.as_str())).add(Column::Subject.eq(subject.as_str()))
    };
    let any = names.iter().fold(Condition::any(), |any, name| any.add(is(name)));
    all().filter(any).lock(LockType::Update)
}

/// All operators.
pub fn all() -> Select<Entity> {
    Entity::find().order_by_asc(Column::Issuer).order_by_asc(Column::Subject)
}

/// Takes this operator away.
pub fn delete(issuer: &str, subject: &str) -> sea_orm::DeleteMany<Entity> {
    Entity::delete_many().filter(Column::Issuer.eq(issuer)).filter(Column::Subject.eq(subject))
}
