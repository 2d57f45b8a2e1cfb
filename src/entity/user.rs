//! The table `users`: profiles of people, identified by issuer and subject.

use sea_orm::{ActiveEnum, QueryOrder, QuerySelect, entity::prelude::*};

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
    /// The e-mail address, if known.
    pub email: Option<String>,
    /// The display name, if known.
    pub name: Option<String>,
    /// When the profile was created.
    pub created_at: Instant,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The user with this name at this issuer.
pub fn by_subject(issuer: &str, subject: &str) -> Select<Entity> {
    Entity::find().filter(Column::Issuer.eq(issuer)).filter(Column::Subject.eq(subject))
}

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
         AND NOT EXISTS (SELECT FROM registry.memberships AS o WHERE o.user_id = users.id AND o.customer_id <> $1) \
         AND NOT EXISTS (SELECT FROM registry.operators AS p WHERE p.issuer = users.issuer AND p.subject = users.subject)",
        [Value::from(Uuid::from(customer)), ChangeAction::MemberRemoved.to_value().into()],
    );
    // Ordered, so that two erasures that lock the same users can't deadlock.
    Entity::find().filter(only_here).order_by_asc(Column::Id).lock_exclusive()
}

/// Deletes those of these profiles whose users are members of no customer.
pub fn delete(ids: &[UserId]) -> sea_orm::DeleteMany<Entity> {
    let is_nowhere = "NOT EXISTS (SELECT FROM registry.memberships AS m WHERE m.user_id = users.id)";
    Entity::delete_many().filter(Column::Id.eq_any(ids.to_vec())).filter(Expr::cust(is_nowhere))
}
