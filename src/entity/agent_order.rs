//! The orders of lists of agents, and the indexes that have them (`0025_lists.up.sql`).

use super::{
    agent::{Filter, Listing},
    list_position::SortKind,
    ordered_list::{ListOrder, Parts},
    sql::Sql,
};

/// What agents can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderField {
    /// The name, ignoring case.
    Name,
    /// When the agent was created: the order of ids.
    CreatedAt,
    /// The latest change of the agent's own fields, its versions, or what it serves anywhere.
    UpdatedAt,
    /// The latest activation in the list's environment.
    LastActivatedAt,
    /// The model of the active version in the list's environment.
    ModelName,
}

/// An order of a list of agents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AgentOrder {
    /// What the agents are ordered by.
    pub field: OrderField,
    /// Descending instead of ascending. Agents without a value come last in both.
    pub is_descending: bool,
}

impl AgentOrder {
    /// Oldest first.
    pub const OLDEST_FIRST: Self = Self { field: OrderField::CreatedAt, is_descending: false };

    /// What the values of the order are.
    #[must_use]
    pub fn kind(self) -> SortKind {
        match self.field {
            OrderField::CreatedAt => SortKind::Id,
            OrderField::Name | OrderField::ModelName => SortKind::Text,
            OrderField::UpdatedAt | OrderField::LastActivatedAt => SortKind::Time,
        }
    }

    /// Whether the order depends on the list's environment.
    #[must_use]
    pub fn is_of_environment(self) -> bool {
        matches!(self.field, OrderField::LastActivatedAt | OrderField::ModelName)
    }
}

/// Returns the index of a list's order. Binds its environment.
pub(super) fn list_order(listing: &Listing, sql: &mut Sql) -> ListOrder {
    let (order, filter) = (listing.order, &listing.filter);
    let (table, id, key) = match order.field {
        OrderField::Name => ("agents", "id", Some("name_folded")),
        OrderField::CreatedAt => ("agents", "id", None),
        OrderField::UpdatedAt => ("listed_agents", "agent_id", Some("updated_at")),
        OrderField::LastActivatedAt => ("listed_servings", "agent_id", Some("last_activated_at")),
        OrderField::ModelName => ("listed_servings", "agent_id", Some("model_name")),
    };
    let within = order
        .is_of_environment()
        .then(|| format!("@.environment_key = {}", sql.bind(filter.environment.clone())));
    let (kind, is_descending) = (order.kind(), order.is_descending);
    ListOrder { table, id, key, kind, within, parts: parts(order.field, filter), is_descending }
}

/// The agents that a filter can pass, so that the others aren't read one by one.
fn parts(field: OrderField, filter: &Filter) -> Parts {
    let Filter { model_name, tool_name, model_names, serving, serves_latest, activated_since, .. } = filter;
    let serves = model_name.is_some()
        || tool_name.is_some()
        || model_names.is_some()
        || *serving == Some(true)
        || *serves_latest == Some(true);
    match field {
        OrderField::Name | OrderField::CreatedAt | OrderField::UpdatedAt => Parts::Values,
        OrderField::LastActivatedAt if serves || activated_since.is_some() => Parts::Values,
        OrderField::ModelName if serves => Parts::Values,
        OrderField::ModelName if *serving == Some(false) => Parts::Nothing,
        OrderField::LastActivatedAt | OrderField::ModelName => Parts::Both,
    }
}
