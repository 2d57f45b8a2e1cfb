//! What an erasure does to each column of a customer's data. The erasing statements are built from this list, so
//! they can't differ from it. Each match is total, and a test compares the list with the database's columns.

use sea_orm::{EntityTrait, Iterable, UpdateMany, entity::prelude::*};

use super::{
    activation, agent, agent_version, api_key, change, customer, idempotency_key, invitation, membership,
    user,
};

/// The name of an erased customer, and of the models in its versions.
pub const ERASED: &str = "erased";

/// What an erasure does to a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
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
pub struct ColumnFate {
    /// The table's name.
    pub table: &'static str,
    /// The column's name.
    pub column: String,
    /// What an erasure does to the column.
    pub fate: Fate,
}

/// Columns that no entity has, because triggers and generated columns maintain them.
const DERIVED: [(&str, &str); 10] = [
    ("agent_active_tools", "agent_id"),
    ("agent_active_tools", "customer_id"),
    ("agent_active_tools", "tool_name"),
    ("agent_name_ends", "agent_id"),
    ("agent_name_ends", "customer_id"),
    ("agent_name_ends", "ending"),
    ("agent_name_ends", "position"),
    ("agent_versions", "content_bytes"),
    ("agents", "active_model_name"),
    ("agents", "name_lower"),
];

/// Returns all columns of the tables that hold customers' data.
#[must_use]
pub fn column_fates() -> Vec<ColumnFate> {
    let derived = DERIVED.into_iter().map(|(table, column)| ColumnFate {
        table,
        column: column.to_owned(),
        fate: Fate::Derived,
    });
    let mut all: Vec<ColumnFate> = derived.collect();
    all.extend(of::<customer::Entity>("customers", customer::fate));
    all.extend(of::<agent::Entity>("agents", agent::fate));
    all.extend(of::<agent_version::Entity>("agent_versions", agent_version::fate));
    all.extend(of::<activation::Entity>("activations", |_| Fate::Keep));
    all.extend(of::<change::Entity>("changes", |_| Fate::Keep));
    all.extend(of::<idempotency_key::Entity>("idempotency_keys", |_| Fate::Keep));
    // Whole rows. Operators, and members of another customer too, keep their profile.
    all.extend(of::<user::Entity>("users", |_| Fate::Delete));
    all.extend(of::<membership::Entity>("memberships", |_| Fate::Delete));
    all.extend(of::<invitation::Entity>("invitations", |_| Fate::Delete));
    all.extend(of::<api_key::Entity>("api_keys", |_| Fate::Delete));
    all
}

fn of<E: EntityTrait>(table: &'static str, fate: fn(E::Column) -> Fate) -> Vec<ColumnFate> {
    let column = |column: E::Column| ColumnFate { table, column: column.to_string(), fate: fate(column) };
    E::Column::iter().map(column).collect()
}

/// Builds the update that overwrites all columns to erase.
pub(super) fn erase<E: EntityTrait>(fate: fn(E::Column) -> Fate) -> UpdateMany<E> {
    E::Column::iter().fold(E::update_many(), |rows, column| match fate(column) {
        Fate::Erase(value) => rows.col_expr(column, value),
        Fate::Keep | Fate::Delete | Fate::Derived => rows,
    })
}
