//! `customers`: the tenants.

use sea_orm::{
    QuerySelect,
    entity::prelude::*,
    sea_query::{LockType, Order},
};

use super::{Reach, Slice};
use crate::{clock::Instant, id::CustomerId};

/// What a customer pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Plan {
    /// To try it.
    Free,
    /// For one team.
    Pro,
    /// For a city.
    Enterprise,
}

/// Where a customer stands with its bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BillingStatus {
    /// Not paying yet.
    Trialing,
    /// In good standing.
    Active,
    /// A payment is late; everything still works.
    PastDue,
    /// Nothing is served and nothing may be written, but its people can look.
    Suspended,
    /// Gone; its data may be erased.
    Canceled,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "customers")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomerId,
    /// What people call it; 1 to 200 characters, not unique.
    pub name: String,
    /// What it pays for.
    pub plan: Plan,
    /// Where it stands with its bills.
    pub billing_status: BillingStatus,
    /// When it was created.
    pub created_at: Instant,
    /// When its row last changed.
    pub updated_at: Instant,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Customers within reach.
pub fn within(reach: &Reach) -> Select<Entity> {
    reach.narrow(Entity::find(), Column::Id)
}

/// Those of `ids` within reach.
pub fn by_ids(reach: &Reach, ids: &[CustomerId]) -> Select<Entity> {
    within(reach).filter(Column::Id.eq_any(ids.to_vec()))
}

/// A page of customers within reach, oldest first.
pub fn page(reach: &Reach, name: Option<&str>, slice: &Slice<CustomerId>) -> Select<Entity> {
    slice.cut(named(reach, name), Column::Id, Order::Asc)
}

/// Customers within reach, only those of that exact name when one is given.
pub fn named(reach: &Reach, name: Option<&str>) -> Select<Entity> {
    let select = within(reach);
    match name {
        Some(name) => select.filter(Column::Name.eq(name)),
        None => select,
    }
}

/// One customer, locked against other writers of its row (a suspension) until the transaction ends.
pub fn shared(reach: &Reach, id: CustomerId) -> Select<Entity> {
    by_ids(reach, &[id]).lock(LockType::Share)
}

/// One customer, locked for a change of its own row until the transaction ends.
pub fn locked(reach: &Reach, id: CustomerId) -> Select<Entity> {
    by_ids(reach, &[id]).lock(LockType::NoKeyUpdate)
}
