//! The table `operators`: people who run the platform, with all rights at all customers. They are added by name,
//! before they first sign in.

use sea_orm::{Condition, QueryOrder, QuerySelect, entity::prelude::*, sea_query::LockType};

use crate::{clock::Instant, id::UserId};

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

/// A person as an operator: by the identity of its token, and by each further identity of its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorName {
    /// The issuer of the token.
    pub issuer: String,
    /// The subject of the token.
    pub subject: String,
    /// The user, whose other identities count too.
    pub user: UserId,
}

/// The SQL condition that a row is this person's, by three values from `$1` on.
const IS_OF_PERSON: &str = "(issuer = $1 AND subject = $2 OR (issuer, subject) IN \
     (SELECT i.issuer, i.subject FROM registry.identities AS i WHERE i.user_id = $3))";

impl OperatorName {
    fn condition(&self) -> Expr {
        let Self { issuer, subject, user } = self;
        Expr::cust_with_values(
            IS_OF_PERSON,
            [Value::from(issuer.as_str()), subject.as_str().into(), Uuid::from(*user).into()],
        )
    }
}

/// The rows that make this person an operator.
pub fn of_person(person: &OperatorName) -> Select<Entity> {
    all().filter(person.condition())
}

/// Locks the rows that make this person an operator against removal until the transaction ends.
pub fn locked_against_removal(person: &OperatorName) -> Select<Entity> {
    of_person(person).lock(LockType::KeyShare)
}

/// Locks the operator with this name, and the rows of the person who removes it, if it is an operator. Always in the
/// same order, so that two removals can't deadlock.
pub fn locked(issuer: &str, subject: &str, remover: Option<&OperatorName>) -> Select<Entity> {
    let named = Condition::all().add(Column::Issuer.eq(issuer)).add(Column::Subject.eq(subject));
    let mut any = Condition::any().add(named);
    if let Some(remover) = remover {
        any = any.add(remover.condition());
    }
    all().filter(any).lock(LockType::Update)
}

/// Locks all operators, so that nobody adds or removes one meanwhile. In one order, so that two removals can't deadlock.
pub fn locked_all() -> Select<Entity> {
    all().lock(LockType::Update)
}

/// Deletes the rows that make this user an operator, by any of its identities.
pub fn delete_of(user: UserId) -> sea_orm::DeleteMany<Entity> {
    let is_of_user = "(issuer, subject) IN (SELECT i.issuer, i.subject FROM registry.identities AS i WHERE i.user_id = $1)";
    Entity::delete_many().filter(Expr::cust_with_values(is_of_user, [Value::from(Uuid::from(user))]))
}

/// All operators, by issuer and subject.
pub fn all() -> Select<Entity> {
    Entity::find().order_by_asc(Column::Issuer).order_by_asc(Column::Subject)
}

/// Deletes this operator.
pub fn delete(issuer: &str, subject: &str) -> sea_orm::DeleteMany<Entity> {
    Entity::delete_many().filter(Column::Issuer.eq(issuer)).filter(Column::Subject.eq(subject))
}
