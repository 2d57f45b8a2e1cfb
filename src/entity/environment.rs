//! The table `environments`: the places where a customer's agents serve. A trigger creates each customer's default one.

use sea_orm::{
    FromQueryResult, Iterable, QueryOrder, QuerySelect, SelectModel, SelectorRaw, Set, Unchanged,
    entity::prelude::*,
    sea_query::{ExprTrait, LockType},
};

use super::{
    EnvironmentFilter, TenantFilter,
    erasure::{self, ERASED, ErasureAction},
    membership::Role,
    sql::Sql,
};
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{CustomerId, EnvironmentId},
};

/// What an environment does with a plan that may break running conversations or deployed executors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BreakingPolicy {
    /// Activates it.
    Allow,
    /// Activates it when the caller confirms the impact.
    Confirm,
    /// Refuses it.
    Refuse,
}

/// An environment.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "environments")]
pub struct Model {
    /// The environment's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EnvironmentId,
    /// The customer that owns the environment.
    pub customer_id: CustomerId,
    /// The key, unique within the customer. It never changes.
    pub key: EnvironmentKey,
    /// The name; 1 to 200 characters.
    pub name: String,
    /// The place in lists, ascending.
    pub rank: i32,
    /// Whether this is the customer's default environment, `production`.
    pub is_default: bool,
    /// The environment in which a version must have been active before it may serve here; `None` for any version.
    pub promote_from: Option<EnvironmentId>,
    /// For how long it must have been active there, in seconds.
    pub min_soak_seconds: i32,
    /// What happens to a plan that may break something.
    pub on_breaking: BreakingPolicy,
    /// The models that versions may use here; `None` for all.
    pub allowed_models: Option<Vec<String>>,
    /// The lowest role that may change what serves here: EDITOR or ADMIN.
    pub activate_role: Role,
    /// When the environment was created.
    pub created_at: Instant,
    /// When the row last changed.
    pub updated_at: Instant,
    /// When the environment was archived; `None` while it isn't.
    pub archived_at: Option<Instant>,
}

/// None are declared: loaders join by id.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The environments that `tenants` and `reach` admit.
fn within(tenants: &TenantFilter, reach: &EnvironmentFilter) -> Select<Entity> {
    reach.narrow(tenants.narrow(Entity::find(), Column::CustomerId), Column::Key)
}

/// The environments with these ids.
pub fn by_ids(tenants: &TenantFilter, reach: &EnvironmentFilter, ids: &[EnvironmentId]) -> Select<Entity> {
    within(tenants, reach).filter(Column::Id.eq_any(ids.to_vec()))
}

/// The environment with this key at one customer.
pub fn by_key(customer: CustomerId, reach: &EnvironmentFilter, key: &EnvironmentKey) -> Select<Entity> {
    within(&TenantFilter::Only(vec![customer]), reach).filter(Column::Key.eq(key.as_str()))
}

/// All environments of these customers, archived ones too, by rank and then by key.
pub fn of_customers(customers: &[CustomerId], reach: &EnvironmentFilter) -> Select<Entity> {
    within(&TenantFilter::Only(customers.to_vec()), reach)
        .order_by_asc(Column::Rank)
        .order_by_asc(Column::Key)
}

/// Locks the environment with this id, if `tenants` admits it, against other writers.
pub fn locked(tenants: &TenantFilter, id: EnvironmentId) -> Select<Entity> {
    tenants.narrow(Entity::find_by_id(id), Column::CustomerId).lock(LockType::NoKeyUpdate)
}

/// The update of an environment's name, rank and rules.
pub fn rules(after: Model) -> ActiveModel {
    let Model {
        id,
        name,
        rank,
        promote_from,
        min_soak_seconds,
        on_breaking,
        allowed_models,
        activate_role,
        ..
    } = after;
    ActiveModel {
        id: Unchanged(id),
        name: Set(name),
        rank: Set(rank),
        promote_from: Set(promote_from),
        min_soak_seconds: Set(min_soak_seconds),
        on_breaking: Set(on_breaking),
        allowed_models: Set(allowed_models),
        activate_role: Set(activate_role),
        ..Default::default()
    }
}

/// The columns of the environment `e` for a statement that also returns another row, each with [`PREFIX`].
pub(super) fn prefixed_columns() -> String {
    let column = |column: Column| format!("e.{0} AS {PREFIX}{0}", column.to_string());
    Column::iter().map(column).collect::<Vec<_>>().join(", ")
}

/// The prefix of [`prefixed_columns`].
pub(super) const PREFIX: &str = "environment_of_";

/// Whether something exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Existence {
    /// Whether it does.
    pub exists: bool,
}

/// Whether a customer that `tenants` admits has an environment with this key, within `reach`.
pub fn exists(
    tenants: &TenantFilter,
    reach: &EnvironmentFilter,
    key: &EnvironmentKey,
) -> SelectorRaw<SelectModel<Existence>> {
    let mut sql = Sql::default();
    sql.and_compare("e.key", "=", Some(key.clone()));
    sql.within("e", tenants);
    sql.reaching("e.key", reach);
    let conditions = sql.where_clause();
    Existence::find_by_statement(sql.statement(format!(
        "SELECT EXISTS (SELECT FROM registry.environments AS e WHERE {conditions}) AS exists"
    )))
}

/// Whether an agent serves in this environment.
pub fn is_serving(customer: CustomerId, key: &EnvironmentKey) -> SelectorRaw<SelectModel<Existence>> {
    let mut sql = Sql::default();
    sql.and_compare("s.customer_id", "=", Some(customer));
    sql.and_compare("s.environment_key", "=", Some(key.clone()));
    let conditions = sql.where_clause();
    Existence::find_by_statement(sql.statement(format!(
        "SELECT EXISTS (SELECT FROM registry.servings AS s WHERE {conditions} AND s.active_version_id IS NOT NULL) AS exists"
    )))
}

/// What an erasure does to each column.
pub(super) fn erasure_action(column: Column) -> ErasureAction {
    match column {
        Column::Name => ErasureAction::Erase(Expr::value(ERASED)),
        Column::AllowedModels => ErasureAction::Erase(Expr::cust("NULL")),
        Column::Id
        | Column::CustomerId
        | Column::Key
        | Column::Rank
        | Column::IsDefault
        | Column::PromoteFrom
        | Column::MinSoakSeconds
        | Column::OnBreaking
        | Column::ActivateRole
        | Column::CreatedAt
        | Column::UpdatedAt
        | Column::ArchivedAt => ErasureAction::Keep,
    }
}

/// Overwrites the names of one customer's environments.
pub fn erase(customer: CustomerId) -> sea_orm::UpdateMany<Entity> {
    erasure::erase::<Entity>(erasure_action).filter(ExprTrait::eq(Expr::col(Column::CustomerId), customer))
}
