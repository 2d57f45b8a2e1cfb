//! What an erasure does to each column of a customer's data. The erasing statements are built from this list, so
//! they can't differ from it. Each match is total, and a test compares the list with the database's columns.

use sea_orm::{EntityTrait, Iterable, UpdateMany, entity::prelude::*};

use super::{
    activation, agent, agent_version, api_key, change, customer, environment, gateway, gateway_watch,
    idempotency_key, identity, invitation, membership, rollback_target, serving, serving_rejection, session,
    sign_in_link, user,
};

/// The name of an erased customer, and of the models in its versions.
pub const ERASED: &str = "erased";

/// What an erasure does to a column.
#[derive(Clone, Debug, PartialEq)]
pub enum ErasureAction {
    /// Keeps the value: a number, a hash, an id, a time, or an entry of the log.
    Keep,
    /// Overwrites the value with this one.
    Erase(Expr),
    /// Deletes the row.
    Delete,
    /// Nothing: the database derives the value from erased columns.
    Derived,
}

/// A column, and what an erasure does to it.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnErasure {
    /// The table's name.
    pub table: &'static str,
    /// The column's name.
    pub column: String,
    /// What an erasure does to the column.
    pub fate: ErasureAction,
}

/// Columns that no entity has, because triggers and generated columns maintain them.
const DERIVED: [(&str, &str); 37] = [
    ("agent_active_tools", "agent_id"),
    ("agent_active_tools", "customer_id"),
    ("agent_active_tools", "tool_name"),
    ("agent_name_ends", "agent_id"),
    ("agent_name_ends", "customer_id"),
    ("agent_name_ends", "ending"),
    ("agent_name_ends", "position"),
    ("agent_versions", "content_bytes"),
    ("agents", "active_model_name"),
    ("agents", "name_folded"),
    ("agents", "name_lower"),
    ("customer_activity", "customer_id"),
    ("customer_activity", "minute"),
    ("customer_name_ends", "customer_id"),
    ("customer_name_ends", "ending"),
    ("customer_name_ends", "position"),
    ("customers", "name_folded"),
    ("listed_agents", "agent_id"),
    ("listed_agents", "customer_id"),
    ("listed_agents", "updated_at"),
    ("listed_servings", "active_number"),
    ("listed_servings", "active_version_id"),
    ("listed_servings", "agent_id"),
    ("listed_servings", "customer_id"),
    ("listed_servings", "environment_key"),
    ("listed_servings", "last_activated_at"),
    ("listed_servings", "latest_number"),
    ("listed_servings", "model_name"),
    ("listed_servings", "serves_latest"),
    ("user_ends", "ending"),
    ("user_ends", "part"),
    ("user_ends", "position"),
    ("user_ends", "user_id"),
    ("version_tools", "agent_id"),
    ("version_tools", "customer_id"),
    ("version_tools", "tool_name"),
    ("version_tools", "version_id"),
];

/// Returns all columns of the tables that hold customers' data.
#[must_use]
pub fn column_erasures() -> Vec<ColumnErasure> {
    let derived = DERIVED.into_iter().map(|(table, column)| ColumnErasure {
        table,
        column: column.to_owned(),
        fate: ErasureAction::Derived,
    });
    let mut all: Vec<ColumnErasure> = derived.collect();
    all.extend(of::<customer::Entity>("customers", customer::erasure_action));
    all.extend(of::<agent::Entity>("agents", agent::erasure_action));
    all.extend(of::<agent_version::Entity>("agent_versions", agent_version::erasure_action));
    all.extend(of::<activation::Entity>("activations", |_| ErasureAction::Keep));
    all.extend(of::<environment::Entity>("environments", environment::erasure_action));
    all.extend(of::<serving::Entity>("servings", |_| ErasureAction::Keep));
    all.extend(of::<rollback_target::Entity>("rollback_targets", |_| ErasureAction::Keep));
    all.extend(of::<change::Entity>("changes", |_| ErasureAction::Keep));
    all.extend(of::<idempotency_key::Entity>("idempotency_keys", |_| ErasureAction::Keep));
    // Whole rows. Operators, and members of another customer too, keep their profile.
    all.extend(of::<user::Entity>("users", |_| ErasureAction::Delete));
    all.extend(of::<identity::Entity>("identities", |_| ErasureAction::Delete));
    all.extend(of::<session::Entity>("sessions", |_| ErasureAction::Delete));
    all.extend(of::<sign_in_link::Entity>("sign_in_links", |_| ErasureAction::Delete));
    all.extend(of::<membership::Entity>("memberships", |_| ErasureAction::Delete));
    all.extend(of::<invitation::Entity>("invitations", |_| ErasureAction::Delete));
    all.extend(of::<api_key::Entity>("api_keys", |_| ErasureAction::Delete));
    // The gateways of the customer's own keys, and what gateways say about its agents.
    all.extend(of::<gateway::Entity>("gateways", |_| ErasureAction::Delete));
    all.extend(of::<gateway_watch::Entity>("gateway_watches", |_| ErasureAction::Delete));
    all.extend(of::<serving_rejection::Entity>("gateway_rejections", |_| ErasureAction::Delete));
    all
}

fn of<E: EntityTrait>(table: &'static str, fate: fn(E::Column) -> ErasureAction) -> Vec<ColumnErasure> {
    let column = |column: E::Column| ColumnErasure { table, column: column.to_string(), fate: fate(column) };
    E::Column::iter().map(column).collect()
}

/// Builds the update that overwrites all columns to erase.
pub(super) fn erase<E: EntityTrait>(fate: fn(E::Column) -> ErasureAction) -> UpdateMany<E> {
    E::Column::iter().fold(E::update_many(), |rows, column| match fate(column) {
        ErasureAction::Erase(value) => rows.col_expr(column, value),
        ErasureAction::Keep | ErasureAction::Delete | ErasureAction::Derived => rows,
    })
}
