//! `memberships`: which user works for which customer, and as what.

use sea_orm::{QueryOrder, entity::prelude::*};

use crate::{
    clock::Instant,
    id::{CustomerId, UserId},
};

/// What a member may do. Each role may do all that the one before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Reads agents and versions.
    Viewer,
    /// Also creates, publishes, activates.
    Editor,
    /// Also sees members, keys and the audit.
    Admin,
}

/// A user's place at a customer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "memberships")]
pub struct Model {
    /// Where.
    #[sea_orm(primary_key, auto_increment = false)]
    pub customer_id: CustomerId,
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// As what.
    pub role: Role,
    /// Since when.
    pub created_at: Instant,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// All places of one user.
pub fn of_user(user: UserId) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(user)).order_by_asc(Column::CustomerId)
}

/// One user's place at one customer.
pub fn of(customer: CustomerId, user: UserId) -> Select<Entity> {
    Entity::find().filter(Column::CustomerId.eq(customer)).filter(Column::UserId.eq(user))
}
