//! The client of graphql-ws.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::ChildStdout,
    time::timeout,
};

use crate::{
    socket::{Scene, until},
    support::{App, node::script, wait::within},
};

/// Reads the next line that the script prints.
async fn said(lines: &mut Lines<BufReader<ChildStdout>>) -> Value {
    let line = timeout(Duration::from_secs(60), lines.next_line()).await.expect("a line in time").unwrap();
    serde_json::from_str(&line.expect("a line")).unwrap()
}

/// Reads the next `count` events, as their revisions.
async fn events(lines: &mut Lines<BufReader<ChildStdout>>, count: usize) -> Vec<Value> {
    let mut events = Vec::new();
    for _ in 0..count {
        events.push(said(lines).await["event"].clone());
    }
    events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_protocols_own_client_is_understood_and_goes_on_where_it_was() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let other = app.another().await;
    let mut client = script("conformance", "socket.mjs");
    client.args(["--url", &other.base, "--url", &app.base, "--agent", &scene.agent, "--events", "6"]);
    client.env("TOKEN", scene.operator.token.as_deref().unwrap());
    let first = scene.activate(2).await;
    let mut client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("node");
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();

    let cost = json!({ "requested": 10_000, "limit": 100_000, "remaining": null });
    assert_eq!(
        said(&mut lines).await,
        json!({ "query": { "data": { "viewer": { "kind": "OPERATOR" } } }, "cost": cost })
    );
    let updated = json!({ "agent": { "description": "by socket" }, "userErrors": [] });
    assert_eq!(said(&mut lines).await, json!({ "mutation": { "data": { "updateAgent": updated } } }));
    assert_eq!(said(&mut lines).await, json!({ "refused": ["BAD_USER_INPUT"] }));
    // The close code and the number of attempts: three as configured; one where 4403 is configured as fatal; one
    // for 4401, which is always fatal in the protocol.
    assert_eq!(said(&mut lines).await, json!({ "bad": [4403, 3] }));
    assert_eq!(said(&mut lines).await, json!({ "final": [4403, 1] }));
    assert_eq!(said(&mut lines).await, json!({ "nobody": [4401, 1] }));
    assert_eq!(said(&mut lines).await, json!({ "at_once": 20, "sockets": 1 }));

    assert_eq!(said(&mut lines).await, json!({ "connected": true }));
    assert_eq!(events(&mut lines, 2).await, first);

    // The instance stops with a retryable close code. The client's next URL is another instance.
    until("both watch", || other.watchers() == 2).await;
    other.stop().await;
    let second = scene.activate(2).await;
    assert_eq!(said(&mut lines).await, json!({ "closed": 1012 }));
    assert_eq!(said(&mut lines).await, json!({ "connected": true }));
    assert_eq!(events(&mut lines, 2).await, second);

    // The connection breaks. The client's next address doesn't respond; the one after that does.
    assert_eq!(said(&mut lines).await, json!({ "closed": 1006 }));
    let third = scene.activate(2).await;
    assert_eq!(said(&mut lines).await, json!({ "closed": 1006 }));
    assert_eq!(said(&mut lines).await, json!({ "connected": true }));
    assert_eq!(events(&mut lines, 2).await, third);

    // One of the two operations is completed. The other one goes on.
    assert_eq!(said(&mut lines).await, json!({ "completed": true }));
    until("the other watches alone", || app.watchers() == 1).await;
    client.stdin.take().unwrap().write_all(b"end\n").await.unwrap();
    assert_eq!(said(&mut lines).await, json!({ "closed": 1000 }));
    assert!(within("the client ends", client.wait()).await.unwrap().success());
    until("no watcher is left", || app.watchers() == 0).await;
}
