//! The explorer in a real browser: it loads only the service's own files, shows the schema, runs a query and
//! receives an activation.

use std::process::Stdio;

use agent_registry::domain::member::Role;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::{App, Calls, node::script, wait::within};

/// Runs the browser's script against this service, and activates when it says that it is subscribed. Returns
/// whether it succeeded, and its summary.
async fn explore(app: &App, token: &str, agent: &str, activate: impl AsyncFnOnce()) -> (bool, Value) {
    let mut script = script("browser", "graphiql.mjs");
    script.args(["--url", &app.base, "--token", token, "--agent", agent]).stdout(Stdio::piped());
    let mut script = script.spawn().expect("node");
    let mut lines = BufReader::new(script.stdout.take().unwrap()).lines();
    let (mut activate, mut summary) = (Some(activate), Value::Null);
    while let Some(line) = lines.next_line().await.unwrap() {
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        if line["ready"] == "subscription" {
            activate.take().expect("once")().await;
        } else if line.is_object() {
            summary = line;
        }
    }
    (within("the browser ends", script.wait()).await.unwrap().success(), summary)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_developer_explores_the_schema_in_a_browser() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let agent = editor.agent(&customer, "Helper").await;
    let version = editor.publish(&agent, "You help.").await;
    let token = editor.token.clone().unwrap();
    let activate = async || drop(editor.activate(&agent, &version).await);
    let (is_well, summary) = explore(&app, &token, &agent, activate).await;
    let expected = json!({
        "schema": true, "first_query": true, "query": true, "subscription": true, "history": true, "console_errors": [],
        "foreign_requests": [], "csp_violations": [], "token_in_storage": false, "token_in_url": false,
    });
    let mut seen = summary.clone();
    seen.as_object_mut().map(|seen| seen.remove("failed_at"));
    assert_eq!((is_well, seen), (true, expected), "{summary}");
}
