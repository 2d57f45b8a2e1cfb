//! Streams of one environment: `configs` and `activations`, their cursors, and callers that reach only some.

use agent_registry::domain::KeyScope;
use serde_json::{Value, json};

use super::Stage;
use crate::support::{
    caller::Client,
    socket::{Frame, Socket},
};

const CONFIGS: &str = "subscription ($in: String, $customer: ID, $after: Cursor) {
    configs(environment: $in, customerId: $customer, after: $after) {
        kind reason revision cursor config { environmentKey versionNumber name } } }";
const ACTIVATIONS: &str =
    "subscription ($in: [String!], $after: Cursor) { activations(environments: $in, after: $after) {
    cursor reason environment { key } version { number } } }";

async fn subscribe(client: &Client, document: &str, variables: Value) -> Socket {
    let mut socket = client.socket().await;
    socket.subscribe("1", document, variables).await;
    socket
}

/// The next event of `configs` that isn't a bookmark: its kind, environment and number, or reason.
async fn next(socket: &mut Socket) -> String {
    loop {
        let event = socket.event().await["data"]["configs"].take();
        match event["kind"].as_str().unwrap() {
            "BOOKMARK" => {}
            "REMOVE" => return format!("REMOVE {}", event["reason"].as_str().unwrap()),
            kind => {
                let config = &event["config"];
                return format!(
                    "{kind} {} {}",
                    config["environmentKey"].as_str().unwrap(),
                    config["versionNumber"]
                );
            }
        }
    }
}

async fn bookmark(socket: &mut Socket) -> Value {
    loop {
        let event = socket.event().await["data"]["configs"].take();
        if event["kind"] == "BOOKMARK" {
            return event["cursor"].clone();
        }
    }
}

/// The code of the error that ends the subscription.
async fn refusal(client: &Client, document: &str, variables: Value) -> String {
    let mut socket = subscribe(client, document, variables).await;
    loop {
        match socket.next().await {
            Frame::Message(message) if message["type"] == "error" => {
                return message["payload"][0]["extensions"]["code"].as_str().unwrap().to_owned();
            }
            Frame::Message(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_stream_shows_its_environment_and_never_another() {
    let stage = Stage::new(3).await;
    stage.activate(1, "production").await;
    stage.activate(2, "staging").await;
    let gateway = stage.app.gateway().await;
    let mut default = subscribe(&gateway, CONFIGS, json!({})).await;
    let mut production = subscribe(&gateway, CONFIGS, json!({ "in": "production" })).await;
    let mut staging = subscribe(&gateway, CONFIGS, json!({ "in": "staging" })).await;
    for (socket, expected) in [
        (&mut default, "SNAPSHOT production 1"),
        (&mut production, "SNAPSHOT production 1"),
        (&mut staging, "SNAPSHOT staging 2"),
    ] {
        assert_eq!(next(socket).await, expected);
    }
    stage.activate(3, "staging").await;
    stage.activate(3, "dev").await;
    stage.activate(2, "production").await;
    assert_eq!(next(&mut staging).await, "UPSERT staging 3");
    for socket in [&mut default, &mut production] {
        assert_eq!(
            next(socket).await,
            "UPSERT production 2",
            "without the argument, a gateway gets production alone"
        );
    }
    // A new name reaches all; a deactivation only its own.
    let rename = "mutation ($id: ID!) { updateAgent(input: { agentId: $id, name: \"New\" }) { revision } }";
    stage.editor.gql(rename, json!({ "id": stage.agent })).await.at("/updateAgent");
    assert_eq!(next(&mut staging).await, "UPSERT staging 3");
    assert_eq!(next(&mut default).await, "UPSERT production 2");
    assert_eq!(next(&mut production).await, "UPSERT production 2");
    stage.change("deactivate", "staging").await;
    assert_eq!(next(&mut staging).await, "REMOVE DEACTIVATED");
    stage.activate(1, "staging").await;
    assert_eq!(next(&mut staging).await, "UPSERT staging 1");
    // Archiving ends all of them, in one commit.
    let archive = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { revision } }";
    stage.editor.gql(archive, json!({ "id": stage.agent })).await.at("/archiveAgent");
    for socket in [&mut default, &mut production, &mut staging] {
        assert_eq!(next(socket).await, "REMOVE ARCHIVED");
    }
    // So does a suspension, wherever something serves.
    let restore = "mutation ($id: ID!) { restoreAgent(input: { agentId: $id }) { revision } }";
    stage.editor.gql(restore, json!({ "id": stage.agent })).await.at("/restoreAgent");
    stage.activate(1, "staging").await;
    assert_eq!(next(&mut staging).await, "UPSERT staging 1");
    let set = "mutation ($id: ID!, $status: BillingStatus!) {
        setBillingStatus(input: { customerId: $id, status: $status }) { revision } }";
    for (status, expected) in [("SUSPENDED", "REMOVE SUSPENDED"), ("ACTIVE", "UPSERT staging 1")] {
        let answer = stage.operator.gql(set, json!({ "id": stage.customer, "status": status })).await;
        answer.text("/setBillingStatus/revision");
        assert_eq!(next(&mut staging).await, expected);
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_environment_alone() {
    let stage = Stage::new(2).await;
    stage.activate(1, "production").await;
    stage.activate(1, "staging").await;
    let gateway = stage.app.gateway().await;
    let mut cursors = Vec::new();
    for environment in [Value::Null, json!("production"), json!("staging")] {
        let mut socket = subscribe(&gateway, CONFIGS, json!({ "in": environment })).await;
        cursors.push(bookmark(&mut socket).await);
    }
    stage.activate(2, "production").await;
    stage.activate(2, "staging").await;
    // Leaving the argument out is production: the cursors of both are the same.
    assert_eq!(cursors[0], cursors[1]);
    for (environment, cursor, expected) in [
        (Value::Null, &cursors[1], "UPSERT production 2"),
        (json!("production"), &cursors[0], "UPSERT production 2"),
        (json!("staging"), &cursors[2], "UPSERT staging 2"),
    ] {
        let mut socket = subscribe(&gateway, CONFIGS, json!({ "in": environment, "after": cursor })).await;
        assert_eq!(next(&mut socket).await, expected);
    }
    for (environment, cursor) in
        [(json!("staging"), &cursors[0]), (Value::Null, &cursors[2]), (json!("dev"), &cursors[2])]
    {
        let refused = refusal(&gateway, CONFIGS, json!({ "in": environment, "after": cursor })).await;
        assert_eq!(refused, "CURSOR_INVALID", "{environment}");
    }
}

#[tokio::test]
async fn activations_are_those_of_the_environments_that_are_named() {
    let stage = Stage::new(2).await;
    let head = stage.head().await.to_string();
    for (number, environment) in
        [(1, "staging"), (1, "production"), (2, "dev"), (2, "staging"), (2, "production")]
    {
        stage.activate(number, environment).await;
    }
    let cases = [
        (Value::Null, vec![(1, "production"), (2, "production")]),
        (json!(["staging"]), vec![(1, "staging"), (2, "staging")]),
        (json!(["dev", "production"]), vec![(1, "production"), (2, "dev"), (2, "production")]),
    ];
    for (environments, expected) in cases {
        let variables = json!({ "in": environments, "after": head });
        let mut socket = subscribe(&stage.editor, ACTIVATIONS, variables).await;
        for (number, environment) in expected {
            let event = socket.event().await["data"]["activations"].take();
            assert_eq!(
                (&event["version"]["number"], &event["environment"]["key"]),
                (&json!(number), &json!(environment))
            );
        }
    }
}

#[tokio::test]
async fn an_environment_that_is_not_there_is_said_so() {
    let stage = Stage::new(1).await;
    let gateway = stage.app.gateway().await;
    let scopes = [KeyScope::ConfigsRead, KeyScope::ActivationsWatch];
    let staging = stage.app.limited_program(&stage.customer, scopes, &["staging"]).await;
    for (client, document, variables) in [
        (&*gateway, CONFIGS, json!({ "in": "nowhere" })),
        (&*gateway, ACTIVATIONS, json!({ "in": ["nowhere"] })),
        (&*staging, CONFIGS, json!({})),
        (&*staging, CONFIGS, json!({ "in": "production" })),
        (&*staging, CONFIGS, json!({ "in": "dev", "customer": stage.customer })),
        (&*staging, CONFIGS, json!({ "in": "nowhere" })),
        (&*staging, ACTIVATIONS, json!({})),
        (&*staging, ACTIVATIONS, json!({ "in": ["staging", "production"] })),
    ] {
        assert_eq!(refusal(client, document, variables.clone()).await, "NOT_FOUND", "{variables}");
    }
    for (document, variables) in [(CONFIGS, json!({ "in": "No" })), (ACTIVATIONS, json!({ "in": [] }))] {
        assert_eq!(refusal(&gateway, document, variables).await, "BAD_USER_INPUT");
    }
    let mut socket = subscribe(&staging, CONFIGS, json!({ "in": "staging" })).await;
    bookmark(&mut socket).await;
    stage.activate(1, "production").await;
    stage.activate(1, "staging").await;
    assert_eq!(next(&mut socket).await, "UPSERT staging 1");
}
