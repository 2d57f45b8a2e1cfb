//! `users`: people, known by who vouches for them and under which name.

use sea_orm::{ActiveEnum, QueryOrder, QuerySelect, entity::prelude::*};

use super::{Reach, change::Action, membership};
use crate::{
    clock::Instant,
    id::{CustomerId, UserId},
};

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

/// Those of `ids` that work for a customer within reach, and `oneself`.
pub fn by_ids(reach: &Reach, ids: &[UserId], oneself: Option<UserId>) -> Select<Entity> {
    let select = Entity::find().filter(Column::Id.eq_any(ids.to_vec()));
    match reach {
        Reach::Everyone => select,
        Reach::Only(customers) => {
            let colleagues = membership::works_within("users.id", customers);
            let mut known = sea_orm::Condition::any().add(colleagues);
            if let Some(oneself) = oneself {
                known = known.add(Column::Id.eq(oneself));
            }
            select.filter(known)
        }
    }
}

/// Those who work or once worked for this customer, work for no other, and are no operators; locked, so that they join
/// no other meanwhile.
pub fn only_of(customer: CustomerId) -> Select<Entity> {
    let only_here = Expr::cust_with_values(
        "users.id IN (SELECT m.user_id FROM registry.memberships AS m WHERE m.customer_id = $1 \
         UNION SELECT c.subject_id FROM registry.changes AS c WHERE c.customer_id = $1 AND c.action = $2) \
         AND NOT EXISTS (SELECT FROM registry.memberships AS o WHERE o.user_id = users.id AND o.customer_id <> $1) \
         AND NOT EXISTS (SELECT FROM registry.operators AS p WHERE p.issuer = users.issuer AND p.subject = users.subject)",
        [Value::from(Uuid::from(customer)), Action::MemberRemoved.to_value().into()],
    );
    // In one order: two erasures may want the same users.
    Entity::find().filter(only_here).order_by_asc(Column::Id).lock_exclusive()
}

/// Takes away those of these profiles whose users work nowhere.
pub fn delete(ids: &[UserId]) -> sea_orm::DeleteMany<Entity> {
    let is_nowhere = "NOT EXISTS (SELECT FROM registry.memberships AS m WHERE m.user_id = users.id)";
    Entity::delete_many().filter(Column::Id.eq_any(ids.to_vec())).filter(Expr::cust(is_nowhere))
}
