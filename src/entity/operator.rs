//! The table `operators`: people who run the platform, with all rights at all customers. They are added by name,
//! before they first sign in.

use sea_orm::{Condition, QueryOrder, QuerySelect, entity::prelude::*, sea_query::LockType};

use crate::clock::Instant;

/// An operator, by the subject of their tokens.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "operators")]
pub struct Model {
    /// The issuer of the subject: the `iss` of the tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub issuer: String,
    /// The name at the issuer: the `sub` of the tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// When the operator was added.
    pub created_at: Instant,
}

/// None are declared.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The operator with this name, if there is one.
pub fn by_subject(issuer: &str, subject: &str) -> Select<Entity> {
    Entity::find_by_id((issuer.to_owned(), subject.to_owned()))
}

/// Locks the operator against removal until the transaction ends.
pub fn locked_against_removal(issuer: &str, subject: &str) -> Select<Entity> {
    by_subject(issuer, subject).lock(LockType::KeyShare)
}

/// Locks these operators for a removal. Always in the same order, so that two removals can't deadlock.
pub fn locked(names: &[(String, String)]) -> Select<Entity> {
    let is = |(issuer, subject): &(String, String)| {
        Condition::all().add(Column::Issuer.eq(issuer.as_str())).add(Column::Subject.eq(subject.as_str()))
    };
    let any = names.iter().fold(Condition::any(), |any, name| any.add(is(name)));
    all().filter(any).lock(LockType::Update)
}

/// All operators, by issuer and subject.
pub fn all() -> Select<Entity> {
    Entity::find().order_by_asc(Column::Issuer).order_by_asc(Column::Subject)
}

/// Deletes this operator.
pub fn delete(issuer: &str, subject: &str) -> sea_orm::DeleteMany<Entity> {
    Entity::delete_many().filter(Column::Issuer.eq(issuer)).filter(Column::Subject.eq(subject))
}
