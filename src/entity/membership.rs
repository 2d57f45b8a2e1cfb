//! The table `memberships`: which user is a member of which customer, and in which role.

use sea_orm::{
    DbBackend, FromQueryResult, QuerySelect, SelectModel, SelectorRaw, Statement,
    entity::prelude::*,
    sea_query::{LockType, Order},
};

use super::{
    KeysetPage,
    count::{self, SelectCounts},
    customer::Plan,
    sql::Sql,
    uuids,
};
use crate::{
    clock::Instant,
    id::{CustomerId, UserId},
};

/// A member's role. Each role includes the rights of those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    /// Reads agents and versions.
    Viewer,
    /// Also writes agents, publishes and activates versions.
    Editor,
    /// Also manages the customer, its members and its API keys, and reads its audit log.
    Admin,
}

/// A user's membership of a customer.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "memberships")]
pub struct Model {
    /// The customer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub customer_id: CustomerId,
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The member's role.
    pub role: Role,
    /// When the user joined.
    pub created_at: Instant,
    /// The issuer whose claims gave the membership, and may change it; `None` for one that a person gave.
    pub claim_issuer: Option<String>,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A user's membership, with the customer's plan.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct MembershipWithPlan {
    /// The customer.
    pub customer_id: CustomerId,
    /// The member's role.
    pub role: Role,
    /// The customer's plan.
    pub plan: Plan,
    /// The issuer whose claims gave the membership.
    pub claim_issuer: Option<String>,
}

/// The memberships of one user.
pub fn of_user(user: UserId) -> SelectorRaw<SelectModel<MembershipWithPlan>> {
    let sql = "SELECT m.customer_id, m.role, c.plan, m.claim_issuer FROM registry.memberships AS m \
               JOIN registry.customers AS c ON c.id = m.customer_id WHERE m.user_id = $1";
    MembershipWithPlan::find_by_statement(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        [user.into()],
    ))
}

/// The membership of one user at one customer.
pub fn of(customer: CustomerId, user: UserId) -> Select<Entity> {
    Entity::find().filter(Column::CustomerId.eq(customer)).filter(Column::UserId.eq(user))
}

/// Locks the membership against other writers until the transaction ends.
pub fn locked(customer: CustomerId, user: UserId) -> Select<Entity> {
    of(customer, user).lock(LockType::NoKeyUpdate)
}

/// The members of one customer whose profile has this address; `email` must be in lower case. Profiles of earlier
/// releases may have capital letters, which the database's locale must not lower-case.
pub fn of_email(customer: CustomerId, email: &str) -> SelectorRaw<SelectModel<Model>> {
    let sql = "SELECT m.* FROM registry.memberships AS m JOIN registry.users AS u ON u.id = m.user_id \
               WHERE m.customer_id = $1 AND lower(u.email COLLATE \"C\") = $2";
    let values = [customer.into(), email.into()];
    Entity::find().from_raw_sql(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// At most one other ADMIN of this customer, to find out whether there is any.
pub fn other_admins(customer: CustomerId, user: UserId) -> Select<Entity> {
    Entity::find()
        .filter(Column::CustomerId.eq(customer))
        .filter(Column::Role.eq(Role::Admin))
        .filter(Column::UserId.ne(user))
        .limit(1)
}

/// The SQL condition that a user is a member of one of these customers. As a scalar subquery, so that Postgres
/// can't turn it into a join that begins with all members.
pub(super) fn is_member_of_any(user: &str, customers: &[CustomerId]) -> Expr {
    let works = format!(
        "(SELECT true FROM registry.memberships AS m WHERE m.user_id = {user} AND m.customer_id = ANY($1::uuid[]) LIMIT 1)"
    );
    Expr::cust_with_values(works, [uuids(customers)])
}

/// One page of members for each of these customers, by user id.
pub fn page_each(customers: &[CustomerId], page: &KeysetPage<UserId>) -> SelectorRaw<SelectModel<Model>> {
    let (rows, parents) = (("t.*", "memberships"), ("customer_id", uuids(customers)));
    Entity::find().from_raw_sql(page.under_each(Sql::default(), rows, parents, "user_id", &Order::Asc))
}

/// Counts the members of each of these customers.
pub fn count_each(customers: &[CustomerId]) -> SelectCounts {
    count::of_rows_under_each(Sql::default(), "memberships", ("customer_id", uuids(customers)), "user_id")
}

/// Deletes all memberships of one customer, or that of one user.
pub fn delete(customer: CustomerId, user: Option<UserId>) -> sea_orm::DeleteMany<Entity> {
    let rows = Entity::delete_many().filter(Column::CustomerId.eq(customer));
    match user {
        Some(user) => rows.filter(Column::UserId.eq(user)),
        None => rows,
    }
}
