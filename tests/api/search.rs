//! Searches a customer's agents by name, prefix, substring, model and tool. `growth` tests the cost.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use crate::support::{App, Calls, caller::Client};

const FOUND: &str =
    "query ($id: ID!, $filter: AgentFilter!) { customer(id: $id) { agents(filter: $filter, first: 100) {
    totalCount nodes { name } } } }";

/// The names of the matching agents. The count must agree.
async fn found(caller: &Client, customer: &str, filter: Value) -> Vec<String> {
    let answer = caller.gql(FOUND, json!({ "id": customer, "filter": filter })).await;
    let nodes = answer.at("/customer/agents/nodes").as_array().unwrap();
    let names: Vec<String> = nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(answer.at("/customer/agents/totalCount"), names.len(), "{filter}");
    // The same at the root, and over REST.
    let flat = "query ($id: ID!, $filter: AgentFilter!) { agents(customerId: $id, filter: $filter, first: 100) { nodes { name } } }";
    let flat = caller.gql(flat, json!({ "id": customer, "filter": filter })).await;
    assert_eq!(flat.at("/agents/nodes"), answer.at("/customer/agents/nodes"));
    let wide =
        "query ($filter: AgentFilter!) { agents(filter: $filter, first: 100) { totalCount nodes { name } } }";
    let wide = caller.gql(wide, json!({ "filter": filter })).await;
    assert_eq!(wide.at("/agents/nodes"), answer.at("/customer/agents/nodes"));
    names
}

#[tokio::test]
async fn agents_are_found_by_any_part_of_their_name_and_by_what_they_serve() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (customer, town) = (operator.customer("City").await, operator.customer("Town").await);
    let editor = app.member(&customer, Role::Editor).await;
    let long = format!("{} tail", "very long name ".repeat(10));
    let names = ["Permit helper", "permits of Ärzte", "Parking 100% _ok_", "PARK ranger", long.as_str()];
    let mut agents = Vec::new();
    for name in names {
        agents.push(editor.agent(&customer, name).await);
    }
    operator.agent(&town, "Permit helper").await;
    let found = async |filter: Value| found(&editor, &customer, filter).await;
    assert_eq!(found(json!({ "nameStartsWith": "PERMIT" })).await, [names[0], names[1]]);
    assert_eq!(found(json!({ "nameContains": "erm" })).await, [names[0], names[1]]);
    assert_eq!(found(json!({ "nameContains": "ÄRZ" })).await, [names[1]]);
    assert_eq!(
        found(json!({ "nameContains": "r" })).await,
        [names[0], names[1], names[2], names[3], names[4]]
    );
    // An emptied search field filters nothing.
    let all = found(json!({})).await;
    assert_eq!(all.len(), names.len());
    for field in ["nameContains", "nameStartsWith"] {
        assert_eq!(found(json!({ field: "" })).await, all, "{field}");
    }
    assert_eq!(found(json!({ "nameContains": "", "nameStartsWith": "permit" })).await, [names[0], names[1]]);
    // LIKE's wildcards have no special meaning.
    assert_eq!(found(json!({ "nameContains": "%" })).await, [names[2]]);
    assert_eq!(found(json!({ "nameContains": "_ok_" })).await, [names[2]]);
    // Longer than the suffixes that the index stores.
    let part = "name very long name very long name very long name tai";
    assert_eq!(found(json!({ "nameContains": part })).await, Vec::<String>::new());
    assert_eq!(
        found(json!({ "nameContains": "very long name very long name very long name  tai" })).await,
        [names[4]]
    );
    assert_eq!(found(json!({ "nameStartsWith": "park", "nameContains": "ok" })).await, [names[2]]);
    assert_eq!(found(json!({ "nameContains": "nothing" })).await, Vec::<String>::new());

    let serve = async |agent: &str, model: &str, tools: Value| {
        let input = json!({ "agentId": agent, "systemPrompt": "p", "modelName": model, "tools": tools, "activate": true });
        assert_eq!(editor.publish_input(input).await.at("/publishVersion/userErrors"), &json!([]));
    };
    serve(&agents[0], "gpt-4", json!([{ "name": "find" }, { "name": "pay" }])).await;
    serve(&agents[1], "gpt-4", json!([{ "name": "find" }])).await;
    serve(&agents[2], "claude", json!([])).await;
    assert_eq!(found(json!({ "modelName": "gpt-4" })).await, [names[0], names[1]]);
    assert_eq!(found(json!({ "toolName": "find" })).await, [names[0], names[1]]);
    assert_eq!(found(json!({ "toolName": "pay", "modelName": "gpt-4" })).await, [names[0]]);
    // Only the active version is searched.
    serve(&agents[0], "claude", json!([{ "name": "pay" }])).await;
    assert_eq!(found(json!({ "toolName": "find" })).await, [names[1]]);
    assert_eq!(found(json!({ "modelName": "claude" })).await, [names[0], names[2]]);
    let archive = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { userErrors { code } } }";
    editor.gql(archive, json!({ "id": agents[2] })).await;
    assert_eq!(found(json!({ "modelName": "claude" })).await, [names[0]]);
    let rename = "mutation ($id: ID!) { updateAgent(input: { agentId: $id, name: \"Other\" }) { userErrors { code } } }";
    editor.gql(rename, json!({ "id": agents[3] })).await;
    assert_eq!(found(json!({ "nameContains": "ranger" })).await, Vec::<String>::new());
    assert_eq!(found(json!({ "nameContains": "the" })).await, ["Other"]);
    let rest = editor.get("/v1/agents?name_contains=permit&model_name=gpt-4").await;
    assert_eq!(rest.body["agents"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_bad_filter_is_refused() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let long = "x".repeat(201);
    for (field, value) in [
        ("nameContains", long.as_str()),
        ("nameContains", "a\0"),
        ("nameStartsWith", "\0"),
        ("modelName", "\0"),
        ("toolName", "\0"),
    ] {
        let refused = operator.gql(FOUND, json!({ "id": customer, "filter": { field: value } })).await;
        assert_eq!(refused.code(), Some("BAD_USER_INPUT"), "{field}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["extensions"]["field"], field);
    }
}
