//! Names, searches for them, what a new name changes and what a description doesn't, and instants.

use agent_registry::domain::ServiceScope;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::City;
use crate::support::{Answer, Calls};

/// Creates an agent. Returns the payload.
async fn create(city: &City, name: &str) -> Value {
    let mutation = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { name } userErrors { code field } } }";
    let input = json!({ "customerId": city.customer, "name": name });
    city.editor.gql(mutation, json!({ "input": input })).await.at("/createAgent").clone()
}

#[tokio::test]
async fn a_name_shows_something_and_has_no_twin_that_looks_the_same() {
    let city = City::new().await;
    let revision = city.revision().await;
    let hidden = [
        "\u{200b}",
        "\u{2060}",
        "\u{ad}",
        "\u{2800}",
        "\u{115f}",
        "Bot ",
        "\tBot",
        "B\u{202e}ot",
        "B\u{200b}ot",
    ];
    for name in hidden {
        let made = create(&city, name).await;
        assert_eq!(made["userErrors"], json!([{ "code": "INVALID", "field": "name" }]), "{name:?}");
        for (mutation, input) in [
            (
                "createApiKey(input: $input) { userErrors { code } }",
                json!({ "customerId": city.customer, "name": name, "scopes": ["AGENTS_READ"] }),
            ),
            (
                "createServiceToken(input: $input) { userErrors { code } }",
                json!({ "name": name, "scopes": ["CONFIGS_READ"] }),
            ),
            ("createCustomer(input: $input) { userErrors { code } }", json!({ "name": name })),
            (
                "updateCustomer(input: $input) { userErrors { code } }",
                json!({ "customerId": city.customer, "name": name }),
            ),
        ] {
            let field = mutation.split('(').next().unwrap();
            let kind = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
            let answer = city
                .operator
                .gql(&format!("mutation ($input: {kind}!) {{ {mutation} }}"), json!({ "input": input }))
                .await;
            assert_eq!(answer.at(&format!("/{field}/userErrors/0/code")), "INVALID", "{mutation} {name:?}");
        }
    }
    assert_eq!(city.revision().await, revision, "nothing is stored");
    assert_eq!(create(&city, "Cafe\u{301}").await["agent"]["name"], "Café");
    assert_eq!(create(&city, "Café").await["userErrors"][0]["code"], "ALREADY_EXISTS");
}

#[tokio::test]
async fn a_search_folds_case_completely() {
    let city = City::new().await;
    for name in ["ΒΟΗΘΟΣ της πόλης", "Straße", "İstanbul DIŞ", "Permit helper"] {
        assert_eq!(create(&city, name).await["userErrors"], json!([]), "{name}");
    }
    let search = "query ($id: ID!, $filter: AgentFilter) { agents(customerId: $id, filter: $filter) { nodes { name } totalCount } }";
    for (filter, name) in [
        (json!({ "nameContains": "βοηθος" }), "ΒΟΗΘΟΣ της πόλης"),
        (json!({ "nameContains": "ΤΗΣ ΠΌ" }), "ΒΟΗΘΟΣ της πόλης"),
        (json!({ "nameStartsWith": "βοηθοσ" }), "ΒΟΗΘΟΣ της πόλης"),
        (json!({ "nameContains": "STRASSE" }), "Straße"),
        (json!({ "nameStartsWith": "strass" }), "Straße"),
        (json!({ "nameContains": "PERMIT" }), "Permit helper"),
        (json!({ "name": "Straße" }), "Straße"),
        (json!({ "name": "I\u{307}stanbul DIS\u{327}" }), "İstanbul DIŞ"),
        (json!({ "nameContains": "dış" }), "İstanbul DIŞ"),
    ] {
        let found = city.editor.gql(search, json!({ "id": city.customer, "filter": filter })).await;
        assert_eq!(found.at("/agents/nodes"), &json!([{ "name": name }]), "{filter}");
        assert_eq!(found.at("/agents/totalCount"), 1, "{filter}");
    }
    let none = json!({ "id": city.customer, "filter": { "name": "STRASSE" } });
    assert_eq!(city.editor.gql(search, none).await.at("/agents/totalCount"), 0, "a whole name is exact");
}

#[tokio::test]
async fn a_description_is_no_change_of_the_configuration() {
    let city = City::new().await;
    city.serve("p").await;
    let gateway = city.app.service([ServiceScope::ConfigsRead, ServiceScope::ActivationsWatch]).await;
    let mut socket = gateway.socket().await;
    let configs = "subscription { configs { kind revision config { name revision } } }";
    socket.subscribe("1", configs, json!({})).await;
    let mut until = async |wanted: &str| loop {
        let event = socket.event().await;
        let event = event.pointer("/data/configs").or_else(|| event.pointer("/configs")).unwrap().clone();
        if event["kind"] == wanted {
            return event;
        }
        assert_ne!(event["kind"], "UPSERT", "{event}");
    };
    until("BOOKMARK").await;
    let before = gateway.get(&city.active()).await;
    let update = async |change: Value| -> Answer {
        let mut input = json!({ "agentId": city.agent });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let mutation = "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { revision userErrors { code } } }";
        let answer = city.editor.gql(mutation, json!({ "input": input })).await;
        assert_eq!(answer.at("/updateAgent/userErrors"), &json!([]));
        answer
    };
    let me = city.editor.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
    update(json!({ "description": "d" })).await;
    let last = update(json!({ "ownerId": me })).await.text("/updateAgent/revision");
    let after = gateway.get(&format!("{}?at_least={last}", city.active())).await;
    assert_eq!((&after.body, after.header("etag")), (&before.body, before.header("etag")));
    // A new name is the next event.
    let renamed = update(json!({ "name": "Other" })).await.text("/updateAgent/revision");
    let event = until("UPSERT").await;
    assert_eq!(event["config"], json!({ "name": "Other", "revision": renamed }));
    let after = gateway.get(&format!("{}?at_least={renamed}", city.active())).await;
    assert_ne!(after.header("etag"), before.header("etag"));
    assert_eq!(after.body["name"], "Other");
}

/// As many digits, so that strings sort as instants.
#[tokio::test]
async fn an_instant_has_six_digits() {
    let city = City::new().await;
    let clock = &city.app.clock;
    clock.stop();
    clock.shift(-TimeDelta::microseconds(clock.now().timestamp_subsec_micros().into()));
    let agent = city.editor.agent(&city.customer, "Whole").await;
    let query = "query ($id: ID!) { agent(id: $id) { createdAt } }";
    let read = city.editor.gql(query, json!({ "id": agent })).await;
    let whole = |text: &str| text.len() == "2026-11-22T12:00:00.000000Z".len() && text.ends_with(".000000Z");
    assert!(whole(&read.text("/agent/createdAt")), "{}", read.body);
    let rest = city.editor.get(&format!("/v1/agents/{agent}")).await;
    assert!(whole(rest.body["created_at"].as_str().unwrap()), "{}", rest.body);
}
