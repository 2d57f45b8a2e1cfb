//! The same scenario with Apollo Client, urql and Relay.

use std::process::Stdio;

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use crate::support::{App, Calls, node::script};

/// Runs the scenario of a client, as an editor whose agent has five versions, none of them active. Returns what the
/// client printed.
async fn walk(folder: &str, path: &str) -> Value {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let agent = editor.agent(&customer, "Helper").await;
    for number in 1..=5 {
        editor.publish(&agent, &format!("You help, {number}.")).await;
    }
    let mut client = script(&format!("conformance/{folder}"), path);
    client.args(["--url", &format!("{}/graphql", app.base), "--agent", &agent]);
    client.env("TOKEN", editor.token.as_deref().unwrap());
    let output = client.output().await.unwrap();
    assert!(output.status.success(), "{path}");
    // The last activation that the client reports took effect.
    assert_eq!(editor.active_number(&agent).await, 4);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The output that each client must print.
fn expected() -> Value {
    json!({
        "viewer": "USER",
        "forward": [[5, 4], [5, 4, 3, 2], [5, 4, 3, 2, 1]],
        "backward": [[2, 1], [4, 3, 2, 1], [5, 4, 3, 2, 1]],
        "published": [6, []],
        "conflict": [null, ["CONFLICT expectedActiveVersionId"]],
        "activated": [[1, []], [2, []], [3, []], [4, []]],
        "events": [[1, "ACTIVATE"], [2, "ACTIVATE"], [3, "ACTIVATE"], [4, "ACTIVATE"]],
        "connections": 3,
        "again": ["Agent", "Helper", 4],
        "refused": "FORBIDDEN",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apollo_client_goes_through_the_scenario() {
    let mut seen = walk("clients", "apollo.mjs").await;
    // First by hash; then with the text, because the service didn't know the hash; from then on by hash.
    let sent = seen.as_object_mut().unwrap().remove("persisted").unwrap();
    let (hash, text) = ("ReadVersions by hash", "ReadVersions by text");
    assert_eq!(sent, json!([hash, text, hash, hash, hash, hash, hash]));
    assert_eq!(seen, expected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urql_goes_through_the_scenario() {
    assert_eq!(walk("clients", "urql.mjs").await, expected());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relay_compiles_without_a_warning_and_goes_through_the_scenario() {
    let mut compiler = script("conformance/relay", "../../node_modules/relay-compiler/cli.js");
    let output = compiler.arg("relay.config.json").stderr(Stdio::piped()).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap() + std::str::from_utf8(&output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("compiled documents: 10 reader"), "{said}");
    assert!(!said.contains("WARN") && !said.contains("warning"), "{said}");
    assert_eq!(walk("relay", "relay.mjs").await, expected());
}
