//! `invitations`: who was asked to work for a customer and has not come yet.

use sea_orm::{
    DbBackend, QuerySelect, SelectModel, SelectorRaw, Statement,
    entity::prelude::*,
    sea_query::{LockType, Order},
};

use super::{
    Reach, Slice,
    change::ActorKind,
    membership::Role,
    sql::{self, Sql},
    uuids,
};
use crate::{
    clock::Instant,
    id::{CustomerId, InvitationId},
};

/// An open invitation: the row goes when it is accepted or taken back.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "invitations")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InvitationId,
    /// Where to.
    pub customer_id: CustomerId,
    /// Whom: an address in lower case.
    pub email: String,
    /// As what.
    pub role: Role,
    /// What kind of caller invited.
    pub invited_by_kind: ActorKind,
    /// Which one.
    pub invited_by_id: Option<Uuid>,
    /// When it was made.
    pub created_at: Instant,
    /// From when on it is not accepted any more.
    pub expires_at: Instant,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Those of this address that are open at this time and can be accepted: a customer that is not served takes nobody in.
pub fn of_email(email: &str, now: Instant) -> SelectorRaw<SelectModel<Model>> {
    let sql = "SELECT i.* FROM registry.invitations AS i JOIN registry.customers AS c ON c.id = i.customer_id \
               WHERE i.email = $1 AND i.expires_at > $2 AND c.billing_status NOT IN ('SUSPENDED', 'CANCELED') ORDER BY i.id";
    let values = [email.into(), now.into()];
    Entity::find().from_raw_sql(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// The one of this customer and this address, open or not, locked until the transaction ends.
pub fn of_customer(customer: CustomerId, email: &str) -> Select<Entity> {
    let select = Entity::find().filter(Column::CustomerId.eq(customer)).filter(Column::Email.eq(email));
    select.lock(LockType::Update)
}

/// The one within reach of this id.
pub fn by_id(reach: &Reach, id: InvitationId) -> Select<Entity> {
    reach.narrow(Entity::find(), Column::CustomerId).filter(Column::Id.eq(id))
}

/// The same, locked until the transaction ends.
pub fn locked(reach: &Reach, id: InvitationId) -> Select<Entity> {
    by_id(reach, id).lock(LockType::Update)
}

/// The same page, oldest first, of each of these customers: what is open at this time.
pub fn page_each(
    customers: &[CustomerId],
    slice: &Slice<InvitationId>,
    now: Instant,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let (customers, now) = (sql.value(uuids(customers)), sql.value(now));
    let bounds = sql.bounds(slice, &Order::Asc).and("t.id");
    let (direction, limit) = (slice.direction(&Order::Asc), sql.value(sql::limit(slice.limit)));
    // Those that are open are few, as its plan has it; those that are not pile up. OFFSET keeps Postgres from going through
    // all of them in the list's order.
    let text = format!(
        "SELECT p.* FROM unnest({customers}::uuid[]) AS parent (id) CROSS JOIN LATERAL (SELECT t.* FROM (\
         SELECT * FROM registry.invitations AS i WHERE i.customer_id = parent.id AND i.expires_at > {now} OFFSET 0) AS t \
         WHERE true{bounds} ORDER BY t.id {direction} LIMIT {limit}) AS p"
    );
    Entity::find().from_raw_sql(sql.statement(text))
}

/// How many each of these customers has open at this time: rows of (customer, count).
pub fn count_each(customers: &[CustomerId], now: Instant) -> Select<Entity> {
    super::count_by_customer(Entity::find().filter(Column::ExpiresAt.gt(now)), customers, Column::CustomerId)
}

/// Takes this one away.
pub fn delete(id: InvitationId) -> sea_orm::DeleteMany<Entity> {
    Entity::delete_many().filter(Column::Id.eq(id))
}

/// Takes away all of one customer.
pub fn delete_of(customer: CustomerId) -> sea_orm::DeleteMany<Entity> {
    Entity::delete_many().filter(Column::CustomerId.eq(customer))
}
