//! The table `agents`: an agent keeps its name and id while its versions change.

use sea_orm::{
    Condition, FromQueryResult, QueryOrder, QuerySelect, SelectModel, SelectorRaw,
    entity::prelude::*,
    sea_query::{ExprTrait, LockType, Order},
};

pub use super::agent_order::{AgentOrder, OrderField};
use super::{
    KeysetPage, TenantFilter, agent_filter,
    count::{self, SelectCounts},
    customer::CustomerStatus,
    erasure::{self, ErasureAction},
    list_filter::ListCondition,
    list_position::ListPosition,
    search,
    sql::Sql,
    uuids,
};
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, Revision, UserId, VersionId},
};

/// An agent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "agents")]
pub struct Model {
    /// The agent's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AgentId,
    /// The customer that owns the agent.
    pub customer_id: CustomerId,
    /// The name, unique within the customer; 1 to 200 characters.
    pub name: String,
    /// A description; at most 2,000 characters.
    pub description: Option<String>,
    /// The person responsible for the agent. `None` when that member has left, or the agent never had one.
    pub owner_id: Option<UserId>,
    /// The number of the newest version; 0 while there is none.
    pub latest_number: i32,
    /// The active version; `None` when the agent serves nothing.
    pub active_version_id: Option<VersionId>,
    /// When the active version was activated.
    pub activated_at: Option<Instant>,
    /// The commit that last changed this: an activation, or a change of the agent's name. 0
    /// while there was none.
    pub config_revision: Revision,
    /// The commit that last changed the agent's name, or one that is no earlier; 0 while there was none.
    pub name_revision: Revision,
    /// When the agent was archived; `None` while it isn't.
    pub archived_at: Option<Instant>,
    /// When the agent was created.
    pub created_at: Instant,
    /// When a request last changed the row.
    pub updated_at: Instant,
    /// The id in the file from which an import created the agent: its id where it was first exported.
    pub source_id: Option<AgentId>,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The filter of a list of agents. All conditions must hold. Those on the active version are about the version that is
/// active in the filter's environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only archived agents, or only the others.
    pub archived: Option<bool>,
    /// Only the agent with exactly this name.
    pub name: Option<String>,
    /// Only agents whose name begins with this, ignoring case.
    pub name_starts_with: Option<String>,
    /// Only agents whose name contains this, ignoring case.
    pub name_contains: Option<String>,
    /// Only agents whose active version uses this model.
    pub model_name: Option<String>,
    /// Only agents whose active version has a tool with this name.
    pub tool_name: Option<String>,
    /// The environment that the conditions on what agents serve are about.
    pub environment: EnvironmentKey,
    /// Only the agents with these ids.
    pub ids: Option<Vec<AgentId>>,
    /// Only the agents that this user owns.
    pub owner_id: Option<UserId>,
    /// Only agents whose active version uses one of these models.
    pub model_names: Option<Vec<String>>,
    /// Only agents that have an active version, or only the others.
    pub serving: Option<bool>,
    /// Only agents whose active version is their newest; or only those with versions whose isn't.
    pub serves_latest: Option<bool>,
    /// Only agents with an activation at this time or later.
    pub activated_since: Option<Instant>,
    /// Only agents that changed at this time or later, anywhere.
    pub updated_since: Option<Instant>,
}

impl Filter {
    /// Whether a condition is about what agents serve in the filter's environment.
    #[must_use]
    pub fn is_of_environment(&self) -> bool {
        let Self { model_name, tool_name, model_names, serving, serves_latest, activated_since, .. } = self;
        model_name.is_some()
            || tool_name.is_some()
            || model_names.is_some()
            || serving.is_some()
            || serves_latest.is_some()
            || activated_since.is_some()
    }
}

/// A list of agents: its filter and its order. One that is ordered by what agents serve in an environment has only the
/// agents of customers that have the environment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Listing {
    /// The filter.
    pub filter: Filter,
    /// The order.
    pub order: AgentOrder,
}

impl From<Filter> for Listing {
    fn from(filter: Filter) -> Self {
        Self { filter, order: AgentOrder::OLDEST_FIRST }
    }
}

impl Listing {
    /// Whether the filter or the order is about what agents serve in the filter's environment.
    #[must_use]
    pub fn is_of_environment(&self) -> bool {
        self.order.is_of_environment() || self.filter.is_of_environment()
    }

    /// The conditions on a page's rows; none when the index of the order has just these rows. Binds their values.
    pub(super) fn page_conditions(&self, sql: &mut Sql) -> Vec<ListCondition> {
        let Self { filter, order } = self;
        let others = Filter { serving: None, environment: Filter::default().environment, ..filter.clone() };
        if order.field == OrderField::ModelName && filter.serving.is_some() && others == Filter::default() {
            // The page is read from the part of the index with a model, or from the one without.
            return Vec::new();
        }
        agent_filter::conditions(filter, sql)
    }

    /// The conditions on the list's rows. Binds their values.
    pub(super) fn conditions(&self, sql: &mut Sql) -> Vec<ListCondition> {
        let mut conditions = agent_filter::conditions(&self.filter, sql);
        // Every customer has the default environment.
        if self.order.is_of_environment() && !self.filter.environment.is_default() {
            let environment = sql.bind(self.filter.environment.clone());
            conditions.push(agent_filter::in_environment(&environment));
        }
        conditions
    }
}

/// An agent of a list, and what the list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct ListedRow {
    /// The agent.
    #[sea_orm(nested)]
    pub agent: Model,
    /// The text that the list is ordered by, if it is a text.
    pub sort_text: Option<String>,
    /// The instant that the list is ordered by, if it is one.
    pub sort_time: Option<Instant>,
}

/// A raw select of agents of a list.
pub type SelectListed = SelectorRaw<SelectModel<ListedRow>>;

/// The agents that `tenants` admits.
pub fn within(tenants: &TenantFilter) -> Select<Entity> {
    tenants.narrow(Entity::find(), Column::CustomerId)
}

/// The agents with these ids that `tenants` admits.
pub fn by_ids(tenants: &TenantFilter, ids: &[AgentId]) -> Select<Entity> {
    within(tenants).filter(Column::Id.eq_any(ids.to_vec()))
}

/// A page of the agents that `tenants` admits and that pass the filter.
pub fn page(
    tenants: &TenantFilter,
    listing: &Listing,
    page: &KeysetPage<ListPosition<AgentId>>,
) -> SelectListed {
    ListedRow::find_by_statement(search::page(tenants, listing, page))
}

/// One customer's agents, ordered by the bytes of their names, which doesn't depend on the database's locale.
pub fn by_name(customer: CustomerId, after: Option<&str>, limit: u64) -> Select<Entity> {
    let bytes = || Expr::cust(r#""agents"."name" COLLATE "C""#);
    let mut select = Entity::find().filter(Column::CustomerId.eq(customer));
    if let Some(after) = after {
        select = select.filter(ExprTrait::gt(bytes(), after));
    }
    select.order_by(bytes(), Order::Asc).limit(limit)
}

/// One page of agents for each of these customers.
pub fn page_each(
    customers: &[CustomerId],
    listing: &Listing,
    page: &KeysetPage<ListPosition<AgentId>>,
) -> SelectListed {
    ListedRow::find_by_statement(search::page_each(customers, listing, page))
}

/// One page of agents for each of these owners, oldest first; only agents that `tenants` admits.
pub fn page_each_owner(tenants: &TenantFilter, owners: &[UserId], page: &KeysetPage<AgentId>) -> SelectRaw {
    let mut sql = Sql::default();
    sql.within("t", tenants);
    let (rows, parents) = (("t.*", "agents"), ("owner_id", uuids(owners)));
    Entity::find().from_raw_sql(page.under_each(sql, rows, parents, "id", &Order::Asc))
}

/// Counts the agents that `tenants` admits and that pass the filter.
pub fn count(tenants: &TenantFilter, listing: &Listing) -> SelectCounts {
    search::count(tenants, listing)
}

/// Counts the agents of each of these owners that `tenants` admits.
pub fn count_each_owner(tenants: &TenantFilter, owners: &[UserId]) -> SelectCounts {
    let mut sql = Sql::default();
    sql.within("t", tenants);
    count::of_rows_under_each(sql, "agents", ("owner_id", uuids(owners)), "id")
}

/// A raw select of agents.
pub type SelectRaw = SelectorRaw<SelectModel<Model>>;

/// Counts the agents of each of these customers that pass the filter.
pub fn count_each(customers: &[CustomerId], listing: &Listing) -> SelectCounts {
    search::count_each(customers, listing)
}

/// A locked agent, and the status of its customer that decides whether it may be written.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct LockedAgent {
    /// The agent.
    #[sea_orm(nested)]
    pub agent: Model,
    /// The customer's status.
    #[sea_orm(nested)]
    pub status: CustomerStatus,
}

/// Locks one agent that `tenants` admits, and its customer, until the transaction ends: the customer's row first, in
/// share mode, so that it can't be suspended meanwhile; then the agent against other writers.
pub fn locked(tenants: &TenantFilter, id: AgentId) -> SelectorRaw<SelectModel<LockedAgent>> {
    locked_for(tenants, id, "NO KEY UPDATE")
}

fn locked_for(tenants: &TenantFilter, id: AgentId, lock: &str) -> SelectorRaw<SelectModel<LockedAgent>> {
    let mut sql = Sql::default();
    sql.and_compare("a.id", "=", Some(id));
    sql.within("a", tenants);
    let conditions = sql.where_clause();
    LockedAgent::find_by_statement(sql.statement(format!(
        "SELECT a.*, c.plan, c.billing_status, c.erased_at FROM registry.agents AS a \
         JOIN registry.customers AS c ON c.id = a.customer_id WHERE {conditions} \
         FOR SHARE OF c FOR {lock} OF a"
    )))
}

/// Locks one agent that `tenants` admits for its archiving, and its customer as [`locked`] does: against all other
/// writers, also those that activate its versions in any environment.
pub fn locked_whole(tenants: &TenantFilter, id: AgentId) -> SelectorRaw<SelectModel<LockedAgent>> {
    locked_for(tenants, id, "UPDATE")
}

/// Locks one customer's agents with these names, or with these ids as their own or their source's, against other
/// writers. The customer must be locked already.
pub fn locked_by_name_or_id(customer: CustomerId, names: &[String], ids: &[AgentId]) -> Select<Entity> {
    let is_one = Condition::any()
        .add(Column::Name.eq_any(names.to_vec()))
        .add(Column::Id.eq_any(ids.to_vec()))
        .add(Column::SourceId.eq_any(ids.to_vec()));
    Entity::find().filter(Column::CustomerId.eq(customer)).filter(is_one).lock(LockType::NoKeyUpdate)
}

/// What an erasure does to each column. The new names are random: if they could be foreseen, somebody could give
/// one to another agent and so prevent the erasure. Deleting the memberships clears the owners.
pub(super) fn erasure_action(column: Column) -> ErasureAction {
    match column {
        Column::Name => ErasureAction::Erase(Expr::cust("'erased ' || gen_random_uuid()")),
        Column::Description => ErasureAction::Erase(Expr::value(Option::<String>::None)),
        Column::OwnerId => ErasureAction::Derived,
        Column::Id
        | Column::CustomerId
        | Column::LatestNumber
        | Column::ActiveVersionId
        | Column::ActivatedAt
        | Column::ConfigRevision
        | Column::NameRevision
        | Column::ArchivedAt
        | Column::CreatedAt
        | Column::UpdatedAt
        | Column::SourceId => ErasureAction::Keep,
    }
}

/// Overwrites the names and descriptions of one customer's agents.
pub fn erase(customer: CustomerId) -> sea_orm::UpdateMany<Entity> {
    erasure::erase::<Entity>(erasure_action).filter(Column::CustomerId.eq(customer))
}
