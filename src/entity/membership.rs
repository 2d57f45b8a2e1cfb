//! `memberships`: which user works for which customer, and as what.

use sea_orm::{
    DbBackend, FromQueryResult, QuerySelect, SelectModel, SelectorRaw, Statement,
    entity::prelude::*,
    sea_query::{LockType, Order},
};

use super::{Slice, customer::Plan, sql::Sql, uuids};
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

/// One of a user's places, with what its customer pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Place {
    /// Where.
    pub customer_id: CustomerId,
    /// As what.
    pub role: Role,
    /// What the customer pays for.
    pub plan: Plan,
}

/// All places of one user.
pub fn places(user: UserId) -> SelectorRaw<SelectModel<Place>> {
    let sql = "SELECT m.customer_id, m.role, c.plan FROM registry.memberships AS m \
               JOIN registry.customers AS c ON c.id = m.customer_id WHERE m.user_id = $1";
    Place::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, [user.into()]))
}

/// One user's place at one customer.
pub fn of(customer: CustomerId, user: UserId) -> Select<Entity> {
    Entity::find().filter(Column::CustomerId.eq(customer)).filter(Column::UserId.eq(user))
}

/// The same, locked against other writers of it until the transaction ends.
pub fn locked(customer: CustomerId, user: UserId) -> Select<Entity> {
    of(customer, user).lock(LockType::NoKeyUpdate)
}

/// The members of one customer whose profile has this address, in lower case.
pub fn of_email(customer: CustomerId, email: &str) -> SelectorRaw<SelectModel<Model>> {
    let sql = "SELECT m.* FROM registry.memberships AS m JOIN registry.users AS u ON u.id = m.user_id \
               WHERE m.customer_id = $1 AND lower(u.email) = $2";
    let values = [customer.into(), email.into()];
    Entity::find().from_raw_sql(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// The ADMINs of one customer but this one: at most one of them, to see whether there is any.
pub fn other_admins(customer: CustomerId, user: UserId) -> Select<Entity> {
    Entity::find()
        .filter(Column::CustomerId.eq(customer))
        .filter(Column::Role.eq(Role::Admin))
        .filter(Column::UserId.ne(user))
        .limit(1)
}

/// Whether a user works for one of these customers. A value, which Postgres can't make a list of all who do.
pub(super) fn works_within(user: &str, customers: &[CustomerId]) -> Expr {
    let works = format!(
        "(SELECT true FROM registry.memberships AS m WHERE m.user_id = {user} AND m.customer_id = ANY($1::uuid[]) LIMIT 1)"
    );
    Expr::cust_with_values(works, [uuids(customers)])
}

/// The same page, in the order of their users' ids, of each of these customers.
pub fn page_each(customers: &[CustomerId], slice: &Slice<UserId>) -> SelectorRaw<SelectModel<Model>> {
    let (rows, parents) = (("t.*", "memberships"), ("customer_id", uuids(customers)));
    Entity::find().from_raw_sql(slice.under_each(Sql::default(), rows, parents, "user_id", &Order::Asc))
}

/// How many members each of these customers has: rows of (customer, count).
pub fn count_each(customers: &[CustomerId]) -> Select<Entity> {
    super::count_by_customer(Entity::find(), customers, Column::CustomerId)
}

/// Takes away all places of one customer, or of one user there.
pub fn delete(customer: CustomerId, user: Option<UserId>) -> sea_orm::DeleteMany<Entity> {
    let rows = Entity::delete_many().filter(Column::CustomerId.eq(customer));
    match user {
        Some(user) => rows.filter(Column::UserId.eq(user)),
        None => rows,
    }
}
