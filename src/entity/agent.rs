//! `agents`: what a customer runs, under a name that stays while its versions come and go.

use sea_orm::{
    FromQueryResult, QueryOrder, QuerySelect, SelectModel, SelectorRaw,
    entity::prelude::*,
    sea_query::{ExprTrait, LockType, Order},
};

use super::{
    Reach, Slice,
    customer::Standing,
    erasure::{self, Fate},
    search,
    sql::Sql,
    uuids,
};
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
    /// Only those whose name begins so, whatever its case.
    pub name_starts_with: Option<String>,
    /// Only those whose name holds this, whatever its case.
    pub name_contains: Option<String>,
    /// Only those whose active version uses this model.
    pub model_name: Option<String>,
    /// Only those whose active version has a tool of this name.
    pub tool_name: Option<String>,
}

/// How many characters of each end of a name `agent_name_ends` keeps.
pub(super) const ENDING_CHARS: usize = 40;

impl Filter {
    /// What the rows of `table` must satisfy, in SQL whose values are appended to `values`. `whose` says of another table
    /// that its row is of the same customers: without it no index of theirs, which begin with the customer, serves. Each
    /// condition on text is a comparison that row-level security lets an index serve (see `0007_search.up.sql`).
    fn condition(&self, table: &str, values: &mut Vec<Value>, whose: &dyn Fn(&str) -> String) -> String {
        let Self { archived, name, name_starts_with, name_contains, model_name, tool_name } = self;
        let mut parts = vec!["true".to_owned()];
        let mut add = |value: Value, part: &dyn Fn(&str) -> String| {
            values.push(value);
            parts.push(part(&format!("${}", values.len())));
        };
        let range =
            |column: &str, from: &str| format!("{column} >= {from} AND {column} < {from} || chr(1114111)");
        if let Some(archived) = archived {
            add((*archived).into(), &|value| format!("({table}.archived_at IS NOT NULL) = {value}"));
        }
        if let Some(name) = name {
            add(name.clone().into(), &|value| format!("{table}.name = {value}"));
        }
        if let Some(start) = name_starts_with {
            add(start.clone().into(), &|value| {
                range(&format!("{table}.name_lower"), &format!("lower({value}::text)"))
            });
        }
        if let Some(part) = name_contains {
            let is_cut = part.chars().count() > ENDING_CHARS;
            add(part.clone().into(), &|value| {
                let begins = range("e.ending", &format!("left(lower({value}::text), {ENDING_CHARS})"));
                let whole = format!(" AND strpos({table}.name_lower, lower({value}::text)) > 0");
                format!(
                    "EXISTS (SELECT FROM registry.agent_name_ends AS e WHERE {} AND e.agent_id = {table}.id AND {begins}){}",
                    whose("e"),
                    if is_cut { whole.as_str() } else { "" },
                )
            });
        }
        if let Some(model) = model_name {
            add(model.clone().into(), &|value| format!("{table}.active_model_name = {value}"));
        }
        if let Some(tool) = tool_name {
            add(tool.clone().into(), &|value| {
                format!(
                    "EXISTS (SELECT FROM registry.agent_active_tools AS u WHERE {} AND u.agent_id = {table}.id \
                     AND u.tool_name = {value})",
                    whose("u"),
                )
            });
        }
        parts.join(" AND ")
    }
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
    let mut values = Vec::new();
    let condition = match reach {
        Reach::Everyone => filter
            .condition("agents", &mut values, &|alias| format!("{alias}.customer_id = agents.customer_id")),
        Reach::Only(customers) => {
            values.push(uuids(customers));
            filter.condition("agents", &mut values, &|alias| format!("{alias}.customer_id = ANY($1::uuid[])"))
        }
    };
    within(reach).filter(Expr::cust_with_values(condition, values))
}

/// A page of agents within reach, oldest first.
pub fn page(reach: &Reach, filter: &Filter, slice: &Slice<AgentId>) -> SelectRaw {
    Entity::find().from_raw_sql(search::page(reach, filter, slice))
}

/// One customer's agents in the order of their names' bytes, which no database's locale changes.
pub fn by_name(customer: CustomerId, after: Option<&str>, limit: u64) -> Select<Entity> {
    let bytes = || Expr::cust(r#""agents"."name" COLLATE "C""#);
    let mut select = Entity::find().filter(Column::CustomerId.eq(customer));
    if let Some(after) = after {
        select = select.filter(ExprTrait::gt(bytes(), after));
    }
    select.order_by(bytes(), Order::Asc).limit(limit)
}

/// The same page under each of these customers.
pub fn page_each(customers: &[CustomerId], filter: &Filter, slice: &Slice<AgentId>) -> SelectRaw {
    Entity::find().from_raw_sql(search::page_each(customers, filter, slice))
}

/// The same page of the agents within reach that each of these users owns.
pub fn page_each_owner(reach: &Reach, owners: &[UserId], slice: &Slice<AgentId>) -> SelectRaw {
    let mut sql = Sql::default();
    sql.within("t", reach);
    let (rows, parents) = (("t.*", "agents"), ("owner_id", uuids(owners)));
    Entity::find().from_raw_sql(slice.under_each(sql, rows, parents, "id", &Order::Asc))
}

/// How many agents within reach each of these users owns: rows of (user, count).
pub fn count_each_owner(reach: &Reach, owners: &[UserId]) -> Select<Entity> {
    within(reach)
        .filter(Column::OwnerId.eq_any(owners.to_vec()))
        .select_only()
        .column(Column::OwnerId)
        .column_as(Column::Id.count(), "count")
        .group_by(Column::OwnerId)
}

/// A prepared raw select of agents.
pub type SelectRaw = SelectorRaw<SelectModel<Model>>;

/// How many agents each of these customers has: rows of (customer, count); none for a customer without.
pub fn count_each(customers: &[CustomerId], filter: &Filter) -> Select<Entity> {
    let passing = filtered(&Reach::Only(customers.to_vec()), filter);
    super::count_by_customer(passing, customers, Column::CustomerId)
}

/// An agent that is locked, and what of its customer decides whether it may be written.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Locked {
    /// The agent.
    #[sea_orm(nested)]
    pub agent: Model,
    /// How its customer stands.
    #[sea_orm(nested)]
    pub standing: Standing,
}

/// One agent within reach, and its customer: first that is locked against other writers of its row (a suspension), then the
/// agent against other writers of it, until the transaction ends.
pub fn locked(reach: &Reach, id: AgentId) -> SelectorRaw<SelectModel<Locked>> {
    let mut sql = Sql::default();
    sql.only("a.id", "=", Some(id));
    sql.within("a", reach);
    let conditions = sql.so_far();
    Locked::find_by_statement(sql.statement(format!(
        "SELECT a.*, c.plan, c.billing_status, c.erased_at FROM registry.agents AS a \
         JOIN registry.customers AS c ON c.id = a.customer_id WHERE {conditions} \
         FOR SHARE OF c FOR NO KEY UPDATE OF a"
    )))
}

/// One customer's agents of these names, locked as [`locked`] does; their customer must be already.
pub fn locked_by_name(customer: CustomerId, names: &[String]) -> Select<Entity> {
    Entity::find()
        .filter(Column::CustomerId.eq(customer))
        .filter(Column::Name.eq_any(names.to_vec()))
        .lock(LockType::NoKeyUpdate)
}

/// What becomes of each column when the customer is erased. The new names can't be foreseen: whoever could give one of them to
/// another agent beforehand could not be erased. Owners go with their memberships.
pub(super) fn fate(column: Column) -> Fate {
    match column {
        Column::Name => Fate::Erase(Expr::cust("'erased ' || gen_random_uuid()")),
        Column::Description => Fate::Erase(Expr::value(Option::<String>::None)),
        Column::OwnerId => Fate::Derived,
        Column::Id
        | Column::CustomerId
        | Column::LatestNumber
        | Column::ActiveVersionId
        | Column::ActivatedAt
        | Column::ConfigRevision
        | Column::ArchivedAt
        | Column::CreatedAt
        | Column::UpdatedAt => Fate::Keep,
    }
}

/// Takes away what one customer's agents are called and described as.
pub fn erase(customer: CustomerId) -> sea_orm::UpdateMany<Entity> {
    erasure::erase::<Entity>(fate).filter(Column::CustomerId.eq(customer))
}
