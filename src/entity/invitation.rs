//! The table `invitations`: people who were invited to a customer and have not joined yet.

use sea_orm::{
    DbBackend, FromQueryResult, QuerySelect, SelectModel, SelectorRaw, Statement,
    entity::prelude::*,
    sea_query::{LockType, Order},
};

use super::{
    KeysetPage, TenantFilter,
    change::ActorKind,
    count::{self, SelectCounts},
    customer::{BillingStatus, Plan},
    membership::Role,
    sql::{self, Sql},
    uuids,
};
use crate::{
    clock::Instant,
    id::{CustomerId, InvitationId},
};

/// An invitation. The row is deleted when the invitation is accepted or withdrawn; an expired one remains until
/// the next one to the same address.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "invitations")]
pub struct Model {
    /// The invitation's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    /// The customer that the person is invited to.
    pub customer_id: CustomerId,
    /// The invited address, in lower case.
    pub email: String,
    /// The role that the member will get.
    pub role: Role,
    /// The kind of caller that invited.
    pub invited_by_kind: ActorKind,
    /// The caller's id; `None` for the system.
    pub invited_by_id: Option<Uuid>,
    /// When the invitation was created.
    pub created_at: Instant,
    /// When the invitation expires.
    pub expires_at: Instant,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The invitations to this address that can be accepted: not expired at `now`, of customers that are neither
/// suspended nor canceled.
pub fn of_email(email: &str, now: Instant) -> SelectorRaw<SelectModel<Model>> {
    let sql = "SELECT i.* FROM registry.invitations AS i JOIN registry.customers AS c ON c.id = i.customer_id \
               WHERE i.email = $1 AND i.expires_at > $2 AND c.billing_status NOT IN ('SUSPENDED', 'CANCELED') ORDER BY i.id";
    let values = [email.into(), now.into()];
    Entity::find().from_raw_sql(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// An open invitation as the invited person sees it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct PendingRow {
    /// The customer's name.
    pub customer_name: String,
    /// The customer's plan.
    pub plan: Plan,
    /// The customer's billing status.
    pub billing_status: BillingStatus,
    /// How many members the customer has.
    pub members: i64,
    /// The role that the member will get.
    pub role: Role,
    /// When the invitation expires.
    pub expires_at: Instant,
}

/// The invitations to this address that have not expired at `now`, whether or not they can be accepted; at most 100.
pub fn pending(email: &str, now: Instant) -> SelectorRaw<SelectModel<PendingRow>> {
    let sql = "SELECT c.name AS customer_name, c.plan, c.billing_status, i.role, i.expires_at, \
               (SELECT count(*) FROM registry.memberships AS m WHERE m.customer_id = c.id) AS members \
               FROM registry.invitations AS i JOIN registry.customers AS c ON c.id = i.customer_id \
               WHERE i.email = $1 AND i.expires_at > $2 AND c.erased_at IS NULL ORDER BY i.id LIMIT 100";
    let values = [email.into(), now.into()];
    PendingRow::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// Locks the invitation of this address to this customer, expired or not, until the transaction ends.
pub fn of_customer(customer: CustomerId, email: &str) -> Select<Entity> {
    let select = Entity::find().filter(Column::CustomerId.eq(customer)).filter(Column::Email.eq(email));
    select.lock(LockType::Update)
}

/// The invitation with this id, if `tenants` admits it.
pub fn by_id(tenants: &TenantFilter, id: InvitationId) -> Select<Entity> {
    tenants.narrow(Entity::find(), Column::CustomerId).filter(Column::Id.eq(id))
}

/// The invitations with these ids that `tenants` admits and that haven't expired at `now`.
pub fn open_by_ids(tenants: &TenantFilter, ids: &[InvitationId], now: Instant) -> Select<Entity> {
    let select = tenants.narrow(Entity::find(), Column::CustomerId).filter(Column::Id.eq_any(ids.to_vec()));
    select.filter(Column::ExpiresAt.gt(now))
}

/// Locks the invitation with this id, if `tenants` admits it, until the transaction ends.
pub fn locked(tenants: &TenantFilter, id: InvitationId) -> Select<Entity> {
    by_id(tenants, id).lock(LockType::Update)
}

/// One page of invitations for each of these customers, oldest first; only those that haven't expired at `now`.
pub fn page_each(
    customers: &[CustomerId],
    page: &KeysetPage<InvitationId>,
    now: Instant,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let (customers, now) = (sql.bind(uuids(customers)), sql.bind(now));
    let bounds = sql.bounds(page, &Order::Asc).and("t.id");
    let (direction, limit) = (page.direction(&Order::Asc), sql.bind(sql::limit(page.limit)));
    // The plan limits the number of open invitations, but expired ones accumulate. OFFSET 0 keeps Postgres from
    // scanning all of them in the list's order.
    let text = format!(
        "SELECT p.* FROM unnest({customers}::uuid[]) AS parent (id) CROSS JOIN LATERAL (SELECT t.* FROM (\
         SELECT * FROM registry.invitations AS i WHERE i.customer_id = parent.id AND i.expires_at > {now} OFFSET 0) AS t \
         WHERE true{bounds} ORDER BY t.id {direction} LIMIT {limit}) AS p"
    );
    Entity::find().from_raw_sql(sql.statement(text))
}

/// Counts the invitations of each of these customers that haven't expired at `now`.
pub fn count_each(customers: &[CustomerId], now: Instant) -> SelectCounts {
    let mut sql = Sql::default();
    sql.and_compare("t.expires_at", ">", Some(now));
    count::of_rows_under_each(sql, "invitations", ("customer_id", uuids(customers)), "expires_at")
}

/// Deletes this invitation.
pub fn delete(id: InvitationId) -> sea_orm::DeleteMany<Entity> {
    Entity::delete_many().filter(Column::Id.eq(id))
}

/// Deletes all invitations of one customer.
pub fn delete_of(customer: CustomerId) -> sea_orm::DeleteMany<Entity> {
    Entity::delete_many().filter(Column::CustomerId.eq(customer))
}
