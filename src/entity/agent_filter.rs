//! The conditions of a filter of agents, for pages and counts.

use sea_orm::Value;

use super::{
    agent::Filter,
    array_of_texts,
    list_filter::{
        Comparison::{self, Begins, Contains, Equals, Has, InRange, IsNull, Meets},
        IndexMatches, ListCondition, normal,
    },
    sql::Sql,
    uuids,
};

/// The table with what each agent serves in each environment, and its column with the agent's id.
const SERVINGS: (&str, &str) = ("listed_servings", "agent_id");

/// A condition on columns of `agents` itself.
fn of_agents(comparison: Comparison) -> IndexMatches {
    IndexMatches::of("agents", "id", comparison)
}

/// A condition on what an agent serves in the filter's environment, in which `@` stands for the row.
fn of_serving(environment: &str, condition: &str) -> ListCondition {
    let ((table, column), condition) =
        (SERVINGS, format!("@.environment_key = {environment} AND {condition}"));
    ListCondition::indexed(
        Has(table, column, condition.clone()),
        IndexMatches::of(table, column, Meets(condition)),
    )
}

/// The condition that an agent's customer has this environment.
pub(super) fn in_environment(environment: &str) -> ListCondition {
    of_serving(environment, "true")
}

/// The conditions of this filter. Binds its values.
pub(super) fn conditions(filter: &Filter, sql: &mut Sql) -> Vec<ListCondition> {
    let Filter {
        archived,
        name,
        name_starts_with,
        name_contains,
        model_name,
        tool_name,
        environment: _,
        ids,
        owner_id,
        model_names: _,
        serving: _,
        serves_latest: _,
        activated_since: _,
        updated_since,
    } = filter;
    let mut conditions = Vec::new();
    if let Some(ids) = ids {
        let is_one = format!("@.id = ANY({}::uuid[])", sql.bind(uuids(ids)));
        conditions.push(ListCondition::indexed(Meets(is_one.clone()), of_agents(Meets(is_one))));
    }
    if let Some(name) = name {
        conditions.push(of_name(name, sql));
    }
    // An empty part of a name, as an emptied search field sends it, filters nothing.
    if let Some(start) = name_starts_with.as_ref().filter(|start| !start.is_empty()) {
        let start = format!("registry.fold_case({}::text)", sql.bind(normal(start)));
        let range = of_agents(InRange("name_folded", start.clone()));
        conditions.push(ListCondition::indexed(Begins("name_folded", start), range));
    }
    if let Some(part) = name_contains.as_ref().filter(|part| !part.is_empty()) {
        let part = format!("registry.fold_case({}::text)", sql.bind(normal(part)));
        let endings = IndexMatches::of("agent_name_ends", "agent_id", Comparison::ends_with("ending", &part));
        conditions.push(ListCondition::roughly_indexed(Contains("name_folded", part), endings));
    }
    if let Some(tool) = tool_name {
        conditions.push(of_tool(filter, tool, sql));
    }
    if let Some(model) = model_name {
        let model = sql.bind(model.clone());
        conditions.push(if filter.environment.is_default() {
            let same = of_agents(Equals("active_model_name", model.clone()));
            ListCondition::indexed(Equals("active_model_name", model), same)
        } else {
            let environment = sql.bind(filter.environment.clone());
            of_serving(&environment, &format!("@.model_name = {model}"))
        });
    }
    if let Some(owner) = owner_id {
        let owner = sql.bind(*owner);
        conditions.push(ListCondition::indexed(
            // As an expression, which no index has.
            Meets(format!("(@.owner_id = {owner}) IS TRUE")),
            of_agents(Equals("owner_id", owner)),
        ));
    }
    conditions.extend(of_servings(filter, sql));
    if let Some(since) = updated_since {
        let later = format!("@.updated_at >= {}", sql.bind(*since));
        let index = IndexMatches::of("listed_agents", "agent_id", Meets(later.clone()));
        conditions.push(ListCondition::indexed(Has("listed_agents", "agent_id", later), index));
    }
    if let Some(archived) = archived {
        let same = of_agents(IsNull("archived_at", !archived));
        conditions.push(ListCondition::indexed(IsNull("archived_at", !archived), same));
    }
    conditions
}

fn of_name(name: &str, sql: &mut Sql) -> ListCondition {
    // An agent from before names had a normal form is found by its name as it is.
    let (given, normal) = (name.to_owned(), normal(name));
    let is_normal = given == normal;
    let given = sql.bind(given);
    let (name, folded) = if is_normal {
        (given.clone(), format!("registry.fold_case({given}::text)"))
    } else {
        let names = format!("ARRAY[{given}::text, {}::text]", sql.bind(normal));
        let folded = format!("ANY (SELECT registry.fold_case(n) FROM unnest({names}) AS n)");
        (format!("ANY ({names})"), folded)
    };
    ListCondition::roughly_indexed(Equals("name", name), of_agents(Equals("name_folded", folded)))
}

fn of_tool(filter: &Filter, tool: &str, sql: &mut Sql) -> ListCondition {
    let tool = sql.bind(tool);
    if filter.environment.is_default() {
        let named = Equals("tool_name", tool.clone());
        return ListCondition::indexed(
            Has("agent_active_tools", "agent_id", format!("@.tool_name = {tool}")),
            IndexMatches::of("agent_active_tools", "agent_id", named),
        );
    }
    // The index has the tools of all versions, also of those that serve nowhere.
    let environment = sql.bind(filter.environment.clone());
    let (table, column) = SERVINGS;
    let serves = format!(
        "@.environment_key = {environment} AND (SELECT true FROM registry.version_tools AS v \
         WHERE v.version_id = @.active_version_id AND v.tool_name = {tool})"
    );
    ListCondition::roughly_indexed(
        Has(table, column, serves),
        IndexMatches::of("version_tools", "agent_id", Equals("tool_name", tool)),
    )
}

/// The conditions on what the agents serve in the filter's environment, by the table of servings.
fn of_servings(filter: &Filter, sql: &mut Sql) -> Vec<ListCondition> {
    let Filter { environment, model_names, serving, serves_latest, activated_since, .. } = filter;
    let mut conditions = Vec::new();
    if let Some(models) = model_names {
        let models: Vec<Value> = models.iter().map(|model| model.as_str().into()).collect();
        conditions.push(format!("@.model_name = ANY({}::text[])", sql.bind(array_of_texts(models))));
    }
    if let Some(serving) = serving {
        conditions.push(format!("@.model_name IS {}", if *serving { "NOT NULL" } else { "NULL" }));
    }
    if let Some(latest) = serves_latest {
        conditions.push(format!("@.serves_latest = {latest}"));
    }
    if let Some(since) = activated_since {
        conditions.push(format!("@.last_activated_at >= {}", sql.bind(*since)));
    }
    if conditions.is_empty() {
        return Vec::new();
    }
    let environment = sql.bind(environment.clone());
    conditions.iter().map(|condition| of_serving(&environment, condition)).collect()
}
