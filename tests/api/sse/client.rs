//! graphql-sse, the protocol's reference client, in the version of tests/package.json: it understands the service,
//! and reconnects when a stream is cut off.

use std::process::Stdio;

use agent_registry::domain::{Caller, ServiceScope, service_token::CreateServiceToken};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::ChildStdout,
    time::timeout,
};

use crate::{
    socket::{Scene, impatient, until},
    support::{App, node::script, wait::within},
};

/// Reads the next line that the script prints.
async fn said(lines: &mut Lines<BufReader<ChildStdout>>) -> Value {
    let line = timeout(std::time::Duration::from_secs(30), lines.next_line()).await.expect("a line in time");
    let line = line.unwrap().expect("run `npm ci` in tests, as `make test` does");
    serde_json::from_str(&line).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_protocols_own_client_comes_back_and_misses_nothing() {
    let app = App::with(impatient()).await;
    let scene = Scene::on(&app).await;
    let mut tokens = Vec::new();
    for name in ["first", "second", "third"] {
        let input = CreateServiceToken::for_all(name, [ServiceScope::ActivationsWatch]);
        let made = app.registry.create_service_token(&Caller::system("test"), input).await.unwrap();
        tokens.push(made.value);
    }
    let mut script = script("conformance", "events.mjs");
    script.args(["--url", &app.base, "--events", "6"]);
    for token in &tokens {
        script.args(["--token", token.secret.as_deref().unwrap()]);
    }
    let mut revisions = scene.activate(2).await;
    let mut script = script.stdout(Stdio::piped()).spawn().expect("node");
    let mut lines = BufReader::new(script.stdout.take().unwrap()).lines();
    assert_eq!(said(&mut lines).await, json!({ "query": [{ "data": { "__typename": "Query" } }] }));
    let refusal = said(&mut lines).await;
    assert_eq!(refusal["refusal"].as_array().map(Vec::len), Some(1), "{refusal}");
    assert_eq!(refusal["refusal"][0]["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");

    let mut events = Vec::new();
    for (nth, token) in tokens.iter().enumerate() {
        assert_eq!(said(&mut lines).await, json!({ "connected": nth + 1 }));
        while events.len() < revisions.len() {
            events.push(said(&mut lines).await["event"].clone());
        }
        if nth < 2 {
            until("the subscription is open", || app.watchers() == 1).await;
            app.registry.revoke_service_token(&Caller::system("test"), token.token.id).await.unwrap();
            until("the stream is closed", || app.watchers() == 0).await;
            revisions.extend(scene.activate(2).await);
        }
    }
    assert_eq!(events, revisions);
    assert_eq!(said(&mut lines).await, json!({ "ended": 3 }));
    assert!(within("the script ends", script.wait()).await.unwrap().success());
    until("no watcher is left", || app.watchers() == 0).await;
}
