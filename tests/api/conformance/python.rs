//! Python's `gql`, over each of its transports.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use crate::support::{App, Calls, python::program};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gql_is_understood_over_each_of_its_transports() {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let agent = editor.agent(&customer, "Helper").await;
    let versions = [editor.publish(&agent, "one").await, editor.publish(&agent, "two").await];
    let mut python = program("python");
    python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/clients/gql_transports.py"));
    python.args(["--url", &format!("{}/graphql", app.base), "--agent", &agent]);
    python.args(["--version", &versions[0], "--version", &versions[1]]);
    python.env("TOKEN", editor.token.as_deref().unwrap());
    let output = python.output().await.unwrap();
    assert!(output.status.success());
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let plain =
        |name: &str| json!({ "viewer": "USER", "description": format!("by {name}"), "refused": "FORBIDDEN" });
    let socket = |name: &str, number: u8| {
        let mut seen = plain(name);
        seen["activated"] = json!([number, []]);
        seen["event"] = json!([number, "ACTIVATE"]);
        // It offers `graphql-ws`, the older protocol, first.
        seen["protocol"] = json!("graphql-transport-ws");
        seen
    };
    let expected = json!({
        "requests": plain("requests"),
        "httpx": plain("httpx"),
        "aiohttp": plain("aiohttp"),
        "websockets": socket("websockets", 1),
        "aiohttp websockets": socket("aiohttp websockets", 2),
    });
    assert_eq!(seen, expected);
    // The last activation that the client reports took effect.
    assert_eq!(editor.active_number(&agent).await, 2);
}
