//! The table `identities`: the names by which people sign in, each an issuer and a subject there.

use sea_orm::{QueryOrder, entity::prelude::*};

use super::{TenantFilter, membership};
use crate::{clock::Instant, id::UserId};

/// An identity of a user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "identities")]
pub struct Model {
    /// The issuer: the `iss` of the user's tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub issuer: String,
    /// The name at the issuer: the `sub` of the user's tokens, 1 to 255 characters.
    #[sea_orm(primary_key, auto_increment = false)]
    pub subject: String,
    /// The user.
    pub user_id: UserId,
    /// When the identity was added.
    pub created_at: Instant,
    /// When a token of this identity last updated the profile and the memberships.
    pub synced_at: Option<Instant>,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The identity with this name.
pub fn by_name(issuer: &str, subject: &str) -> Select<Entity> {
    Entity::find_by_id((issuer.to_owned(), subject.to_owned()))
}

/// The identities of these users who are members of a customer that `tenants` admits, oldest first.
pub fn of_users(tenants: &TenantFilter, users: &[UserId]) -> Select<Entity> {
    let select = Entity::find().filter(Column::UserId.eq_any(users.to_vec()));
    let select = match tenants {
        TenantFilter::All => select,
        TenantFilter::Only(customers) => {
            select.filter(membership::is_member_of_any("identities.user_id", customers))
        }
    };
    select.order_by_asc(Column::CreatedAt).order_by_asc(Column::Issuer).order_by_asc(Column::Subject)
}

/// Sets when a token of this identity last updated the profile and the memberships.
pub fn set_synced(issuer: &str, subject: &str, now: Instant) -> sea_orm::UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::SyncedAt, Expr::value(now))
        .filter(Column::Issuer.eq(issuer))
        .filter(Column::Subject.eq(subject))
}
