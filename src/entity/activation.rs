//! The table `activations`: one row for each change of an agent's active version.

use sea_orm::{
    QueryOrder, QuerySelect, SelectModel, SelectorRaw, Value,
    entity::prelude::*,
    sea_query::{ArrayType, Order},
};

use super::{
    EnvironmentFilter, KeysetPage, TenantFilter,
    change::ActorKind,
    count::{self, COUNTED_ROWS_MAX, SelectCounts},
    keys,
    sql::{self, Sql},
    uuids,
};
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{ActivationId, AgentId, CustomerId, EnvironmentId, Revision, VersionId},
};

/// Why the active version changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// A version was activated.
    Activate,
    /// A version was published and activated in one call.
    Publish,
    /// The previously active version was activated again.
    Rollback,
    /// The agent was deactivated.
    Deactivate,
    /// The agent was archived, which deactivates it.
    Archive,
}

/// An activation, or a deactivation when it has no version. Immutable, but for the last three columns, which are
/// filled in once.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "activations")]
pub struct Model {
    /// The activation's id; ids sort by time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ActivationId,
    /// The customer that owns the agent.
    pub customer_id: CustomerId,
    /// The agent whose active version changed.
    pub agent_id: AgentId,
    /// The environment in which it changed.
    pub environment_id: EnvironmentId,
    /// That environment's key.
    pub environment_key: EnvironmentKey,
    /// The version that is active from now on; none after a deactivation.
    pub version_id: Option<VersionId>,
    /// The version that was active before; `None` when no version was active.
    pub previous_version_id: Option<VersionId>,
    /// The reason of the change.
    pub reason: Reason,
    /// The environment from which the version was promoted, by its key. The reason is [`Reason::Activate`] then.
    pub promoted_from: Option<EnvironmentKey>,
    /// The kind of caller that made the change.
    pub activated_by_kind: ActorKind,
    /// The caller's id; `None` for the system.
    pub activated_by_id: Option<Uuid>,
    /// The time of the change.
    pub activated_at: Instant,
    /// The commit of the change. `append_changes` fills it in before the transaction commits.
    pub revision: Option<Revision>,
    /// The position of the change's log entry in that commit; filled in as `revision`.
    pub position: Option<i32>,
    /// The first 8 bytes of that entry's chain hash; filled in as `revision`.
    pub cursor_hash: Option<Vec<u8>>,
}

/// What changed the active version: the reason, and whether the version was promoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A version was activated.
    Activate,
    /// A version was published and activated in one call.
    Publish,
    /// A version that was active before was activated again.
    Rollback,
    /// The version that is active in another environment was activated.
    Promote,
    /// The agent was deactivated.
    Deactivate,
    /// The agent was archived, which deactivates it.
    Archive,
}

/// The column of the indexes for lists, written as in migration 0023: the name of the row's [`Kind`].
const KIND: &str = "(CASE WHEN t.promoted_from IS NULL THEN t.reason ELSE 'PROMOTE' END)";

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Activate, Self::Publish, Self::Rollback, Self::Promote, Self::Deactivate, Self::Archive];

    /// The kind of an activation with this reason, whose version was promoted from another environment, or wasn't.
    #[must_use]
    pub fn new(reason: Reason, is_promoted: bool) -> Self {
        match reason {
            Reason::Activate if is_promoted => Self::Promote,
            Reason::Activate => Self::Activate,
            Reason::Publish => Self::Publish,
            Reason::Rollback => Self::Rollback,
            Reason::Deactivate => Self::Deactivate,
            Reason::Archive => Self::Archive,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Activate => "ACTIVATE",
            Self::Publish => "PUBLISH",
            Self::Rollback => "ROLLBACK",
            Self::Promote => "PROMOTE",
            Self::Deactivate => "DEACTIVATE",
            Self::Archive => "ARCHIVE",
        }
    }
}

impl Model {
    /// What changed the active version.
    #[must_use]
    pub fn kind(&self) -> Kind {
        Kind::new(self.reason, self.promoted_from.is_some())
    }
}

/// Which activations a list below a customer, or of all customers, has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    /// The environments.
    pub environments: Vec<EnvironmentKey>,
    /// What changed the active version.
    pub kinds: Vec<Kind>,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The rows with these ids that `tenants` and `reach` admit.
pub fn by_ids(tenants: &TenantFilter, reach: &EnvironmentFilter, ids: &[ActivationId]) -> Select<Entity> {
    let select = tenants.narrow(Entity::find(), Column::CustomerId).filter(Column::Id.eq_any(ids.to_vec()));
    reach.narrow(select, Column::EnvironmentKey)
}

/// The newest activation of one agent in one environment.
pub fn latest(agent: AgentId, environment: &EnvironmentKey) -> Select<Entity> {
    Entity::find()
        .filter(Column::AgentId.eq(agent))
        .filter(Column::EnvironmentKey.eq(environment.as_str()))
        .order_by_desc(Column::Id)
        .limit(1)
}

/// One page of activations for each of these agents, in these environments, newest first. Costs one index descent for
/// each agent and environment.
pub fn page_each(
    agents: &[AgentId],
    environments: &[EnvironmentKey],
    page: &KeysetPage<ActivationId>,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let bounds = sql.bounds(page, &Order::Desc).and("t.id");
    let (agents, environments) = (sql.bind(uuids(agents)), sql.bind(keys(environments)));
    let (limit, direction) = (sql.bind(sql::limit(page.limit)), page.direction(&Order::Desc));
    let order = format!("ORDER BY t.id {direction} LIMIT {limit}");
    Entity::find().from_raw_sql(sql.statement(format!(
        "SELECT p.* FROM unnest({agents}::uuid[]) AS parent (id) CROSS JOIN LATERAL (\
         SELECT t.* FROM unnest({environments}::text[]) AS e (key) CROSS JOIN LATERAL (\
         SELECT t.* FROM registry.activations AS t WHERE t.agent_id = parent.id AND t.environment_key = e.key{bounds} {order}) AS t \
         {order}) AS p"
    )))
}

/// Counts the activations of each of these agents in these environments that `tenants` admits.
pub fn count_each(
    tenants: &TenantFilter,
    agents: &[AgentId],
    environments: &[EnvironmentKey],
) -> SelectCounts {
    let mut sql = Sql::default();
    sql.within("t", tenants);
    let (environments, conditions) = (sql.bind(keys(environments)), sql.where_clause());
    let select = format!(
        "SELECT FROM unnest({environments}::text[]) AS e (key) CROSS JOIN LATERAL (\
         SELECT FROM registry.activations AS t WHERE t.agent_id = parent.id AND t.environment_key = e.key AND {conditions} \
         ORDER BY t.id LIMIT {COUNTED_ROWS_MAX}) AS t"
    );
    count::of_each(sql, uuids(agents), &select)
}

/// The activation of this version by this commit, if `tenants` and `reach` admit it.
pub fn of_commit(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    (agent, version): (AgentId, VersionId),
    revision: Revision,
) -> Select<Entity> {
    let select = tenants
        .narrow(Entity::find(), Column::CustomerId)
        .filter(Column::AgentId.eq(agent))
        .filter(Column::Revision.eq(revision))
        .filter(Column::VersionId.eq(version));
    reach.narrow(select, Column::EnvironmentKey).order_by_asc(Column::Position).limit(1)
}

/// The rows of a list, one descent of an index for each environment and kind: the tables that name these, and the
/// conditions on `t`.
fn listed(sql: &mut Sql, filter: &Filter) -> (String, String) {
    let Filter { environments, kinds } = filter;
    let names = kinds.iter().map(|kind| Value::from(kind.as_str())).collect();
    let (environments, kinds) =
        (sql.bind(keys(environments)), sql.bind(Value::Array(ArrayType::String, Some(Box::new(names)))));
    let tables =
        format!("unnest({environments}::text[]) AS e (key) CROSS JOIN unnest({kinds}::text[]) AS k (kind)");
    (tables, format!("t.environment_key = e.key AND {KIND} = k.kind"))
}

/// The ends of a page of a list in the order of the commits: the tables that have their places, and the conditions that `t`
/// is between them. A page that begins or ends at an activation that `tenants` doesn't admit is empty.
fn bounds(sql: &mut Sql, tenants: &TenantFilter, page: &KeysetPage<ActivationId>) -> (String, String) {
    // The list is newest first, so `after` means older.
    let ends = [("newer", "<", page.after), ("older", ">", page.before)];
    let ends = ends.into_iter().filter_map(|(name, is, id)| Some((name, is, id?)));
    ends.map(|(name, is, id)| {
        let id = sql.bind(id);
        sql.within("c", tenants);
        let within = sql.take_where_clause();
        let place = format!(
            "(SELECT c.revision, c.position FROM registry.activations AS c WHERE c.id = {id} AND {within}) AS {name} CROSS JOIN "
        );
        (place, format!(" AND (t.revision, t.position) {is} ({name}.revision, {name}.position)"))
    })
    .unzip()
}

/// The order of a page of a list, and its limit.
fn newest_first(sql: &mut Sql, page: &KeysetPage<ActivationId>) -> String {
    let (direction, limit) = (page.direction(&Order::Desc), sql.bind(sql::limit(page.limit)));
    format!("ORDER BY t.revision {direction}, t.position {direction} LIMIT {limit}")
}

/// The order in which a list is counted, so that the plan uses its index.
const COUNTED: &str = "ORDER BY t.revision, t.position LIMIT";

/// The table of the customers that `tenants` names, and the condition that `t` is below one of them. Both are empty
/// without names: another index has the rows of all customers in the list's order.
fn parents(sql: &mut Sql, tenants: &TenantFilter) -> (String, &'static str) {
    match tenants {
        TenantFilter::All => (String::new(), ""),
        TenantFilter::Only(customers) => {
            let customers = sql.bind(uuids(customers));
            (
                format!("unnest({customers}::uuid[]) AS parent (id) CROSS JOIN "),
                "t.customer_id = parent.id AND ",
            )
        }
    }
}

/// One page of the activations that `tenants` admits and that pass the filter, newest first.
pub fn page(
    tenants: &TenantFilter,
    filter: &Filter,
    page: &KeysetPage<ActivationId>,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let (ends, between) = bounds(&mut sql, tenants, page);
    let (parents, below) = parents(&mut sql, tenants);
    let (tables, conditions) = listed(&mut sql, filter);
    let order = newest_first(&mut sql, page);
    Entity::find().from_raw_sql(sql.statement(format!(
        "SELECT t.* FROM {ends}{parents}{tables} CROSS JOIN LATERAL (\
         SELECT t.* FROM registry.activations AS t WHERE {below}{conditions}{between} {order}) AS t {order}"
    )))
}

/// Counts the activations that `tenants` admits and that pass the filter.
pub fn count(tenants: &TenantFilter, filter: &Filter) -> SelectCounts {
    let mut sql = Sql::default();
    let (parents, below) = parents(&mut sql, tenants);
    let (tables, conditions) = listed(&mut sql, filter);
    let select = format!(
        "SELECT FROM {parents}{tables} CROSS JOIN LATERAL (\
         SELECT FROM registry.activations AS t WHERE {below}{conditions} {COUNTED} {COUNTED_ROWS_MAX}) AS t"
    );
    count::of_select(sql, &select)
}

/// One page of the activations of each of these customers that pass the filter, newest first.
pub fn page_each_customer(
    customers: &[CustomerId],
    filter: &Filter,
    page: &KeysetPage<ActivationId>,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let (ends, between) = bounds(&mut sql, &TenantFilter::Only(customers.to_vec()), page);
    let (tables, conditions) = listed(&mut sql, filter);
    let customers = sql.bind(uuids(customers));
    let order = newest_first(&mut sql, page);
    Entity::find().from_raw_sql(sql.statement(format!(
        "SELECT p.* FROM {ends}unnest({customers}::uuid[]) AS parent (id) CROSS JOIN LATERAL (\
         SELECT t.* FROM {tables} CROSS JOIN LATERAL (\
         SELECT t.* FROM registry.activations AS t WHERE t.customer_id = parent.id AND {conditions}{between} {order}) AS t \
         {order}) AS p"
    )))
}

/// Counts the activations of each of these customers that pass the filter.
pub fn count_each_customer(customers: &[CustomerId], filter: &Filter) -> SelectCounts {
    let mut sql = Sql::default();
    let (tables, conditions) = listed(&mut sql, filter);
    let select = format!(
        "SELECT FROM {tables} CROSS JOIN LATERAL (\
         SELECT FROM registry.activations AS t WHERE t.customer_id = parent.id AND {conditions} \
         {COUNTED} {COUNTED_ROWS_MAX}) AS t"
    );
    count::of_each(sql, uuids(customers), &select)
}
