//! `agents`: what a customer runs, under a name that stays while its versions come and go.

use sea_orm::{
    DbBackend, QueryOrder, QuerySelect, Statement,
    entity::prelude::*,
    sea_query::{ExprTrait, Order},
};

use super::{Reach, Slice, uuids};
use crate::{
    clock::Instant,
    id::{AgentId, CustomerId, UserId, VersionId},
};

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "agents")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AgentId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Its name, unique within the customer; 1 to 200 characters.
    pub name: String,
    /// What it is for; at most 2,000 characters.
    pub description: Option<String>,
    /// Who answers for it: a member of the customer.
    pub owner_id: Option<UserId>,
    /// The number of its newest version; 0 while there is none.
    pub latest_number: i32,
    /// The version that serves.
    pub active_version_id: Option<VersionId>,
    /// Since when that one serves.
    pub activated_at: Option<Instant>,
    /// The revision of the last change to what the runtime gets.
    pub config_revision: i64,
    /// Since when it is put away.
    pub archived_at: Option<Instant>,
    /// When it was created.
    pub created_at: Instant,
    /// When its row last changed by a request.
    pub updated_at: Instant,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which of a list of agents.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only archived ones, or only others.
    pub archived: Option<bool>,
    /// Only the one of exactly this name.
    pub name: Option<String>,
}

/// Agents within reach.
pub fn within(reach: &Reach) -> Select<Entity> {
    reach.narrow(Entity::find(), Column::CustomerId)
}

/// Those of `ids` within reach.
pub fn by_ids(reach: &Reach, ids: &[AgentId]) -> Select<Entity> {
    within(reach).filter(Column::Id.eq_any(ids.to_vec()))
}

/// Agents within reach that pass the filter.
pub fn filtered(reach: &Reach, filter: &Filter) -> Select<Entity> {
    let mut select = within(reach);
    match filter.archived {
        Some(true) => select = select.filter(Column::ArchivedAt.is_not_null()),
        Some(false) => select = select.filter(Column::ArchivedAt.is_null()),
        None => {}
    }
    if let Some(name) = &filter.name {
        select = select.filter(Column::Name.eq(name));
    }
    select
}

/// A page of agents within reach, oldest first.
pub fn page(reach: &Reach, filter: &Filter, slice: &Slice<AgentId>) -> Select<Entity> {
    slice.cut(filtered(reach, filter), Column::Id, Order::Asc)
}

/// Agents within reach in the order of their names' bytes, which no database's locale changes.
pub fn by_name(reach: &Reach, after: Option<&str>, limit: u64) -> Select<Entity> {
    let bytes = || Expr::cust(r#""agents"."name" COLLATE "C""#);
    let mut select = within(reach);
    if let Some(after) = after {
        select = select.filter(ExprTrait::gt(bytes(), after));
    }
    select.order_by(bytes(), Order::Asc).limit(limit)
}

/// The same page under each of these customers.
pub fn page_each(customers: &[CustomerId], filter: &Filter, slice: &Slice<AgentId>) -> SelectRaw {
    let sql = slice.under_each(
        "t.*",
        "agents",
        "customer_id",
        ("id", "uuid"),
        Order::Asc,
        "($5::bool IS NULL OR (t.archived_at IS NOT NULL) = $5) AND ($6::text IS NULL OR t.name = $6)",
    );
    let mut values = slice.values(uuids(customers), Value::Uuid(None));
    values.extend([filter.archived.into(), filter.name.clone().into()]);
    Entity::find().from_raw_sql(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

/// A prepared raw select of agents.
pub type SelectRaw = sea_orm::SelectorRaw<sea_orm::SelectModel<Model>>;

/// How many agents each of these customers has: rows of (customer, count); none for a customer without.
pub fn count_each(customers: &[CustomerId], filter: &Filter) -> Select<Entity> {
    filtered(&Reach::Only(customers.to_vec()), filter)
        .select_only()
        .column(Column::CustomerId)
        .column_as(Column::Id.count(), "count")
        .group_by(Column::CustomerId)
}

/// One agent, locked against other writers of it until the transaction ends.
pub fn locked(reach: &Reach, id: AgentId) -> Select<Entity> {
    by_ids(reach, &[id]).lock(sea_orm::sea_query::LockType::NoKeyUpdate)
}
