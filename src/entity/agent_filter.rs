//! The conditions of a filter of agents as SQL, for pages and counts (`search.rs`). Text is compared in ways for which row-level security permits an index (see `0007_search.up.sql`), and without regard to case by `registry.fold_case`.

use unicode_normalization::UnicodeNormalization;

use super::{agent::Filter, sql::Sql};

/// How many characters of each suffix of a name `agent_name_ends` stores.
const ENDING_CHARS: usize = 40;
/// Ends the range of texts that begin with `from`: `from <= text < from || END`.
const END: &str = "chr(1114111)";

/// A text in the normal form of names.
fn normal(text: &str) -> String {
    text.nfc().collect()
}

/// One condition of a filter: on the agent's own row, and as an index that finds the agents which meet it.
pub(super) struct AgentCondition {
    /// The condition on the agent's row. Prefixes and tools are written so that Postgres uses no index for them: it
    /// might scan that index instead of a list's order.
    row: Comparison,
    index: IndexMatches,
    /// Whether the index has exactly one row for each of these agents, and none for others.
    has_one_row_each: bool,
}

/// The rows of an index that a condition selects.
pub(super) struct IndexMatches {
    /// The column with the agent's id, and the table.
    pub(super) column: &'static str,
    pub(super) table: &'static str,
    comparison: Comparison,
}

/// A comparison of a column with a value, an SQL expression.
enum Comparison {
    /// The column equals the value.
    Equals(&'static str, String),
    /// The column begins with the value, as a range.
    InRange(&'static str, String),
    /// The column begins with the value, without an index.
    Begins(&'static str, String),
    /// The column contains the value.
    Contains(&'static str, String),
    /// The column is null, or isn't.
    IsNull(&'static str, bool),
    /// The agent's active version has the tool with this name.
    HasTool(String),
}

impl Comparison {
    /// The comparison in the row `alias`.
    fn on(&self, alias: &str) -> String {
        match self {
            Self::Equals(column, value) => format!("{alias}.{column} = {value}"),
            Self::InRange(column, from) => {
                format!("{alias}.{column} >= {from} AND {alias}.{column} < {from} || {END}")
            }
            Self::Begins(column, start) => format!("strpos({alias}.{column}, {start}) = 1"),
            Self::Contains(column, part) => format!("strpos({alias}.{column}, {part}) > 0"),
            Self::IsNull(column, true) => format!("{alias}.{column} IS NULL"),
            Self::IsNull(column, false) => format!("{alias}.{column} IS NOT NULL"),
            // A scalar subquery, because Postgres might turn EXISTS into a join that begins with all agents that have
            // the tool.
            Self::HasTool(name) => format!(
                "(SELECT true FROM registry.agent_active_tools AS u WHERE u.agent_id = {alias}.id AND u.tool_name = {name})"
            ),
        }
    }
}

impl IndexMatches {
    /// A condition on columns of `agents` itself.
    fn of_agents(comparison: Comparison) -> Self {
        Self { column: "id", table: "agents", comparison }
    }

    /// A condition on a table with rows of agents.
    fn of(table: &'static str, comparison: Comparison) -> Self {
        Self { column: "agent_id", table, comparison }
    }

    /// The condition on the table's row `alias`, without one on the customer.
    pub(super) fn on(&self, alias: &str) -> String {
        self.comparison.on(alias)
    }
}

impl AgentCondition {
    /// The conditions of this filter. Binds its values.
    pub(super) fn all(filter: &Filter, sql: &mut Sql) -> Vec<Self> {
        use Comparison::{Begins, Contains, Equals, HasTool, InRange, IsNull};
        let Filter { archived, name, name_starts_with, name_contains, model_name, tool_name } = filter;
        let mut conditions = Vec::new();
        let mut add = |row, index, has_one_row_each| conditions.push(Self { row, index, has_one_row_each });
        if let Some(name) = name {
            // An agent from before names had a normal form is found by its name as it is.
            let (given, normal) = (name.clone(), normal(name));
            let is_normal = given == normal;
            let given = sql.bind(given);
            let (name, folded) = match is_normal {
                true => (given.clone(), format!("registry.fold_case({given}::text)")),
                false => {
                    let names = format!("ARRAY[{given}::text, {}::text]", sql.bind(normal));
                    let folded = format!("ANY (SELECT registry.fold_case(n) FROM unnest({names}) AS n)");
                    (format!("ANY ({names})"), folded)
                }
            };
            add(Equals("name", name), IndexMatches::of_agents(Equals("name_folded", folded)), false);
        }
        // An empty part of a name, as an emptied search field sends it, filters nothing.
        if let Some(start) = name_starts_with.as_ref().filter(|start| !start.is_empty()) {
            let start = format!("registry.fold_case({}::text)", sql.bind(normal(start)));
            let range = IndexMatches::of_agents(InRange("name_folded", start.clone()));
            add(Begins("name_folded", start), range, true);
        }
        if let Some(part) = name_contains.as_ref().filter(|part| !part.is_empty()) {
            let part = format!("registry.fold_case({}::text)", sql.bind(normal(part)));
            let ending = InRange("ending", format!("left({part}, {ENDING_CHARS})"));
            add(Contains("name_folded", part), IndexMatches::of("agent_name_ends", ending), false);
        }
        if let Some(tool) = tool_name {
            let tool = sql.bind(tool.clone());
            let named = IndexMatches::of("agent_active_tools", Equals("tool_name", tool.clone()));
            add(HasTool(tool), named, true);
        }
        if let Some(model) = model_name {
            let model = sql.bind(model.clone());
            let same = IndexMatches::of_agents(Equals("active_model_name", model.clone()));
            add(Equals("active_model_name", model), same, true);
        }
        if let Some(archived) = archived {
            let same = IndexMatches::of_agents(IsNull("archived_at", !archived));
            add(IsNull("archived_at", !archived), same, true);
        }
        conditions
    }

    /// The condition on the agent's row `alias` alone.
    pub(super) fn on(&self, alias: &str) -> String {
        self.row.on(alias)
    }

    /// The index.
    pub(super) fn index(&self) -> &IndexMatches {
        &self.index
    }

    /// Whether the index has exactly one row for each agent that meets the condition, and none for others.
    pub(super) fn has_one_row_each(&self) -> bool {
        self.has_one_row_each
    }
}
