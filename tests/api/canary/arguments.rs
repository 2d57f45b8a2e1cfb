//! The arguments of queries: the values that a caller with knowledge of another customer can give them.

use async_graphql::parser::types::{BaseType, FieldDefinition, Type};
use serde_json::{Value, json};

use super::{
    known_values::{KnownValues, cursor},
    schema::{Schema, base, literal},
};

/// The filters of this input type, one at a time.
pub(super) fn filters(guess: &KnownValues, kind: &str) -> Vec<(&'static str, Value)> {
    let (model, tool) = (format!("{}-model", guess.marker), format!("{}-tool", guess.marker));
    let half = guess.marker.len() / 2;
    if kind == "ChangeFilter" {
        let mut filters: Vec<(&str, Value)> = vec![
            ("actorKind", json!("USER")),
            ("actions", json!(["AGENT_CREATED", "VERSION_PUBLISHED"])),
            ("since", json!(recent())),
            ("until", json!("2100-01-01T00:00:00Z")),
        ];
        filters.extend(guess.agents.iter().map(|agent| ("agentId", json!(agent))));
        filters.extend(guess.users.iter().chain(&guess.keys).map(|actor| ("actorId", json!(actor))));
        return filters;
    }
    if kind == "GatewayFilter" {
        return vec![
            ("isBehind", json!(true)),
            ("states", json!(["LIVE", "SILENT"])),
            ("region", json!(guess.marker)),
        ];
    }
    let mut filters: Vec<(&str, Value)> = guess.names.iter().map(|name| ("name", json!(name))).collect();
    if kind == "UserFilter" {
        let parts = [guess.marker.as_str(), "example", ""].into_iter();
        let parts = parts.flat_map(|part| [("emailContains", json!(part)), ("nameContains", json!(part))]);
        return parts.chain([("isOperator", json!(true)), ("isOperator", json!(false))]).collect();
    }
    if kind == "CustomerFilter" {
        filters
            .extend([("nameContains", json!(guess.marker)), ("nameContains", json!(&guess.marker[..half]))]);
        filters.extend([
            ("billingStatuses", json!(["ACTIVE"])),
            ("plans", json!(["FREE", "PRO", "ENTERPRISE"])),
        ]);
        filters.extend([("createdSince", json!("2020-01-01T00:00:00Z")), ("ids", json!([guess.customer]))]);
        filters.push(("externalId", json!(guess.marker)));
    }
    if kind == "AgentFilter" {
        filters.extend([("modelNames", json!([model])), ("ids", json!(guess.agents))]);
        filters.extend(guess.users.iter().map(|owner| ("ownerId", json!(owner))));
        for field in ["serving", "servesLatest"] {
            filters.extend([(field, json!(true)), (field, json!(false))]);
        }
        for field in ["activatedSince", "updatedSince"] {
            filters.push((field, json!("2020-01-01T00:00:00Z")));
        }
        for text in [guess.names[0].as_str(), &guess.marker[..half], &guess.marker[..1]] {
            filters.push(("nameStartsWith", json!(text)));
        }
        for text in [guess.names[0].as_str(), &guess.marker[half..], &guess.marker[2..3], "agent", "-0"] {
            filters.push(("nameContains", json!(text)));
        }
        filters.extend([("modelName", json!(model)), ("toolName", json!(tool))]);
        filters.extend([("archived", json!(true)), ("archived", json!(false))]);
    }
    filters
}

/// A time from which on charts count everything: they span at most 366 days.
fn recent() -> String {
    let clock = agent_registry::clock::Clock::default();
    agent_registry::clock::to_text(clock.now() - chrono::TimeDelta::days(300))
}

/// Arguments of pages that begin or end at these ids.
pub(super) fn pages(ids: &[String]) -> Vec<String> {
    let (first, last) = (cursor(&ids[0]), cursor(&ids[ids.len() - 1]));
    vec![
        "first: 1".to_owned(),
        "last: 1".to_owned(),
        format!("first: 100, after: {first:?}"),
        format!("last: 100, after: {first:?}"),
        format!("first: 2, before: {last:?}"),
        format!("last: 2, before: {last:?}"),
        format!("after: {first:?}, before: {last:?}"),
        format!("first: 3, after: {last:?}, before: {first:?}"),
    ]
}

/// Arguments of pages that are rejected.
pub(super) fn bad_pages(guess: &KnownValues) -> Vec<String> {
    let (name, place) = (&guess.names[0], &guess.places[0]);
    vec![
        "first: 0".to_owned(),
        "first: 1, last: 1".to_owned(),
        format!("after: {name:?}"),
        format!("after: {place:?}"),
        format!("before: {:?}", cursor(name)),
        format!("before: {:?}", guess.agents[0]),
    ]
}

/// The argument lists of a field: each value of each argument, and pairs of two arguments.
pub(super) fn argument_lists(schema: &Schema, field: &FieldDefinition, guess: &KnownValues) -> Vec<String> {
    let mut must = vec![String::new()];
    let mut may: Vec<Vec<String>> = Vec::new();
    for argument in &field.arguments {
        let (name, ty) = (argument.node.name.node.as_str(), &argument.node.ty.node);
        let is_required = |ty: &Type| !ty.nullable;
        let required = field.arguments.iter().filter(|argument| is_required(&argument.node.ty.node)).count();
        let is_only = is_required(ty) && required == 1;
        let values: Vec<String> = match (name, base(ty)) {
            (_, "ID") if matches!(ty.base, BaseType::List(_)) => vec![json!(guess.ids_for(name)).to_string()],
            // Any id, because an id of another type must look like a missing agent.
            (_, "ID") if is_only => guess.ids().iter().map(|id| json!(id).to_string()).collect(),
            (_, "ID") => guess.ids_for(name).iter().map(|id| json!(id).to_string()).collect(),
            ("atLeast" | "revision", _) => vec![json!(guess.revision).to_string()],
            // Without waiting.
            ("minShare" | "waitSeconds", _) => vec!["0".to_owned()],
            ("environment", _) => {
                vec![
                    "\"production\"".to_owned(),
                    json!(guess.names.last()).to_string(),
                    "\"nowhere\"".to_owned(),
                ]
            }
            ("environments", "String") => {
                let own = json!(guess.names.last());
                vec![json!(["production"]).to_string(), json!([own, "production"]).to_string()]
            }
            ("reasons", "ActivationReason") => {
                vec!["[ACTIVATE]".to_owned(), "[PUBLISH, ROLLBACK, PROMOTE, DEACTIVATE, ARCHIVE]".to_owned()]
            }
            ("since", _) => vec![json!(recent()).to_string()],
            ("until", _) => vec!["\"2100-01-01T00:00:00Z\"".to_owned()],
            ("timeZone", _) => vec!["\"Europe/Berlin\"".to_owned()],
            ("groupBy", _) => vec!["[DAY, ACTION, ACTOR, AGENT, CUSTOMER]".to_owned(), "[AGENT]".to_owned()],
            ("orderBy", "AgentOrder") => {
                ["NAME", "CREATED_AT", "UPDATED_AT", "LAST_ACTIVATED_AT", "MODEL_NAME"]
                    .into_iter()
                    .map(|field| format!("{{ field: {field}, direction: DESC }}"))
                    .collect()
            }
            ("orderBy", "CustomerOrder") => ["NAME", "CREATED_AT", "LAST_ACTIVITY_AT"]
                .into_iter()
                .map(|field| format!("{{ field: {field} }}"))
                .collect(),
            ("first", _) if !field.arguments.iter().any(|argument| argument.node.name.node == "after") => {
                vec!["1".to_owned(), "1000".to_owned()]
            }
            // It is of no customer.
            ("content", "VersionContentInput") => {
                vec![literal(
                    &json!({ "modelName": "m", "systemPrompt": guess.marker, "tools": [{ "name": "a b" }] }),
                )]
            }
            ("first", _) => {
                let lists =
                    [&guess.agents, &vec![guess.customer.clone()], &guess.entries(), &guess.activations];
                may.push(lists.into_iter().flat_map(|ids| pages(ids)).collect());
                continue;
            }
            ("after" | "last" | "before", _) => continue,
            ("filter", kind) => {
                let known = filters(guess, kind);
                for input in schema.inputs(kind) {
                    let name = input.name.node.as_str();
                    assert!(
                        known.iter().any(|(filter, _)| *filter == name),
                        "decide which value {name} gets"
                    );
                }
                known.iter().map(|(name, value)| literal(&json!({ *name: value }))).collect()
            }
            other => panic!("decide which value {other:?} of {} gets", field.name.node),
        };
        let values: Vec<String> = values.into_iter().map(|value| format!("{name}: {value}")).collect();
        if ty.nullable {
            may.push(values);
        } else if must[0].is_empty() {
            must = values;
        } else {
            // Each value of one with each of the other, because a version is asked for with its agent.
            let with =
                |one: &String| values.iter().map(|value| format!("{one}, {value}")).collect::<Vec<_>>();
            must = must.iter().flat_map(with).collect();
        }
    }
    let mut lists = must.clone();
    for (at, values) in may.iter().enumerate() {
        for (number, value) in values.iter().enumerate() {
            lists.push(format!("{}, {value}", must[0]));
            let others = may.iter().skip(at + 1).flat_map(|others| others.iter().enumerate());
            // Each value is paired with some values of every other argument; all pairs would be thousands.
            for (_, other) in others.filter(|(other, _)| (number + other) % 8 == 0) {
                lists.push(format!("{}, {value}, {other}", must[0]));
            }
        }
    }
    lists
}
