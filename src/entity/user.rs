//! The table `users`: profiles of people, identified by issuer and subject.

use sea_orm::{
    ActiveEnum, DbBackend, FromQueryResult, QueryOrder, QuerySelect, SelectModel, SelectorRaw, Statement,
    entity::prelude::*,
    sea_query::{ExprTrait, LockType},
};

use super::{TenantFilter, change::ChangeAction, membership};
use crate::{
    clock::Instant,
    id::{CustomerId, UserId},
};

/// A user's profile.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "users")]
pub struct Model {
    /// The user's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// The issuer of the subject: the `iss` of the user's tokens.
    pub issuer: String,
    /// The name at the issuer: the `sub` of the user's tokens, 1 to 255 characters.
    pub subject: String,
    /// The e-mail address, which the issuer has verified, in lower case; if known.
    pub email: Option<String>,
    /// The display name in the user's token, if known.
    pub name: Option<String>,
    /// When the profile was created.
    pub created_at: Instant,
    /// The display name that the user has chosen, in place of the token's; 1 to 200 characters.
    pub chosen_name: Option<String>,
}

impl Model {
    /// The display name: the chosen one, else the token's.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.chosen_name.as_deref().or(self.name.as_deref())
    }
}

/// A user's profile, and when a token of the identity that it was found by last updated it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct SignedInProfile {
    /// The user's id.
    pub id: UserId,
    /// The e-mail address.
    pub email: Option<String>,
    /// The display name in the user's token.
    pub name: Option<String>,
    /// When the identity's token last updated the profile and the memberships.
    pub synced_at: Option<Instant>,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The user with this identity.
pub fn by_subject(issuer: &str, subject: &str) -> SelectorRaw<SelectModel<Model>> {
    let sql = "SELECT u.* FROM registry.users AS u JOIN registry.identities AS i ON i.user_id = u.id \
               WHERE i.issuer = $1 AND i.subject = $2";
    Entity::find().from_raw_sql(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        [issuer.into(), subject.into()],
    ))
}

/// The profile of the user with this identity, for sign-in.
pub fn signed_in(issuer: &str, subject: &str) -> SelectorRaw<SelectModel<SignedInProfile>> {
    let sql = "SELECT u.id, u.email, u.name, i.synced_at FROM registry.users AS u \
               JOIN registry.identities AS i ON i.user_id = u.id WHERE i.issuer = $1 AND i.subject = $2";
    SignedInProfile::find_by_statement(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        [issuer.into(), subject.into()],
    ))
}

/// Locks the user against joining and leaving customers until the transaction ends.
pub fn locked(id: UserId) -> Select<Entity> {
    Entity::find_by_id(id).lock_exclusive()
}

/// The user with this id.
pub fn by_id(id: UserId) -> Select<Entity> {
    Entity::find_by_id(id)
}

/// The users with this address, which must be in lower case; at most 100.
pub fn by_email(email: &str) -> Select<Entity> {
    Entity::find().filter(Column::Email.eq(email)).order_by_asc(Column::Id).limit(100)
}

/// Locks the user's profile against other writers until the transaction ends.
pub fn locked_profile(id: UserId) -> Select<Entity> {
    Entity::find_by_id(id).lock(LockType::NoKeyUpdate)
}

/// The user, unless it is a member of another customer than this one, or an operator.
pub fn member_of_this_alone(id: UserId, customer: CustomerId) -> Select<Entity> {
    let elsewhere = Expr::cust_with_values(
        "EXISTS (SELECT FROM registry.memberships AS o WHERE o.user_id = users.id AND o.customer_id <> $1)",
        [Value::from(Uuid::from(customer))],
    );
    Entity::find_by_id(id).filter(elsewhere.not()).filter(Expr::cust(IS_OPERATOR).not())
}

/// The SQL condition that a user is an operator by any of its identities.
const IS_OPERATOR: &str = "EXISTS (SELECT FROM registry.operators AS p JOIN registry.identities AS i \
     ON i.issuer = p.issuer AND i.subject = p.subject WHERE i.user_id = users.id)";

/// The users with these ids who are members of a customer that `tenants` admits, and the user `oneself`.
pub fn by_ids(tenants: &TenantFilter, ids: &[UserId], oneself: Option<UserId>) -> Select<Entity> {
    let select = Entity::find().filter(Column::Id.eq_any(ids.to_vec()));
    match tenants {
        TenantFilter::All => select,
        TenantFilter::Only(customers) => {
            let colleagues = membership::is_member_of_any("users.id", customers);
            let mut known = sea_orm::Condition::any().add(colleagues);
            if let Some(oneself) = oneself {
                known = known.add(Column::Id.eq(oneself));
            }
            select.filter(known)
        }
    }
}

/// Locks the users who are or were members of this customer, are members of no other, and aren't operators. The
/// lock keeps them from joining another customer meanwhile.
pub fn locked_exclusive_members(customer: CustomerId) -> Select<Entity> {
    let only_here = Expr::cust_with_values(
        "users.id IN (SELECT m.user_id FROM registry.memberships AS m WHERE m.customer_id = $1 \
         UNION SELECT c.subject_id FROM registry.changes AS c WHERE c.customer_id = $1 AND c.action = $2) \
         AND NOT EXISTS (SELECT FROM registry.memberships AS o WHERE o.user_id = users.id AND o.customer_id <> $1)",
        [Value::from(Uuid::from(customer)), ChangeAction::MemberRemoved.to_value().into()],
    );
    // Ordered, so that two erasures that lock the same users can't deadlock.
    let only_here = Entity::find().filter(only_here).filter(Expr::cust(IS_OPERATOR).not());
    only_here.order_by_asc(Column::Id).lock_exclusive()
}

/// Deletes those of these profiles whose users are members of no customer.
pub fn delete(ids: &[UserId]) -> sea_orm::DeleteMany<Entity> {
    let is_nowhere = "NOT EXISTS (SELECT FROM registry.memberships AS m WHERE m.user_id = users.id)";
    Entity::delete_many().filter(Column::Id.eq_any(ids.to_vec())).filter(Expr::cust(is_nowhere))
}
