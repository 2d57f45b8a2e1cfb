//! What becomes of each column when its customer is erased. The statements that erase are made of this, so that no column can be
//! in one and not in the other; each match is total, and a test compares the list with the database's own.

use sea_orm::{EntityTrait, Iterable, UpdateMany, entity::prelude::*};

use super::{
    activation, agent, agent_version, api_key, change, customer, idempotency_key, invitation, membership,
    user,
};

/// What an erased customer is called, and the models of its versions.
pub const ERASED: &str = "erased";

/// What becomes of a column when its customer is erased.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It stays: a number, a hash, an id, a time, or an entry of the log.
    Keep,
    /// This is put in its place.
    Erase(Expr),
    /// Its row goes.
    Delete,
    /// The database derives it from columns that are erased.
    Derived,
}

/// One column, and what becomes of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnFate {
    /// Its table.
    pub table: &'static str,
    /// Its name.
    pub column: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// Columns of which no entity knows: the database keeps them, from others of their row or of another.
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

/// All columns of tables that hold what is a customer's.
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
    // Whole rows: those of users who work for another customer stay.
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

/// Puts what is to be there in the place of all that is erased.
pub(super) fn erase<E: EntityTrait>(fate: fn(E::Column) -> Fate) -> UpdateMany<E> {
    E::Column::iter().fold(E::update_many(), |rows, column| match fate(column) {
        Fate::Erase(value) => rows.col_expr(column, value),
        Fate::Keep | Fate::Delete | Fate::Derived => rows,
    })
}
