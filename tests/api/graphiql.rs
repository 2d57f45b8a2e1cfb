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
        "schema": true, "first_query": true, "query": true, "subscription": true, "events": true, "history": true,
        "console_errors": [], "foreign_requests": [], "csp_violations": [], "token_in_storage": false, "token_in_url": false,
    });
    let mut seen = summary.clone();
    seen.as_object_mut().map(|seen| seen.remove("failed_at"));
    assert_eq!((is_well, seen), (true, expected), "{summary}");
}

/// The text of a template literal of the page's script.
fn literal<'a>(script: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = script.split_once(&format!("const {name} = `"))?;
    rest.split('`').next()
}

#[tokio::test]
async fn the_tabs_that_it_opens_with_run() {
    let script = include_str!("../../assets/graphiql/boot.js");
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    let version = operator.publish(&agent, "You help.").await;
    let tabs = script.split_once("const TABS = [").unwrap().1.split("];").next().unwrap();
    let mut ran = Vec::new();
    for tab in tabs.split("query: ").skip(1) {
        let name = tab.split(|letter: char| !letter.is_ascii_uppercase()).next().unwrap();
        let document = literal(script, name).unwrap();
        let variables = literal(script, &format!("{name}_VARIABLES")).unwrap_or("null");
        let variables = variables.replace("\"agentId\": \"\"", &format!("\"agentId\": \"{agent}\""));
        let variables = variables.replace("VersionId\": \"\"", &format!("VersionId\": \"{version}\""));
        let variables = variables.replace("\"versionId\": \"\"", &format!("\"versionId\": \"{version}\""));
        let variables: Value = serde_json::from_str(&variables).unwrap();
        let answer = operator.gql(document, variables).await;
        assert_eq!(answer.body.get("errors"), None, "{name}: {}", answer.body);
        ran.push(name);
    }
    assert_eq!(ran, ["QUERY", "ENVIRONMENTS", "PLAN", "PROMOTE"]);
}

#[tokio::test]
async fn it_begins_with_what_the_whole_schema_is() {
    let app = App::start().await;
    let asked = "{ one: __schema { said: description } ...Again } fragment Again on Query { __schema { description } }";
    let answer = app.operator().await.gql(asked, Value::Null).await;
    let said = answer.body["data"]["one"]["said"].as_str().unwrap();
    assert!(said.starts_with("The Agent Registry: "), "{said}");
    assert_eq!(answer.body["data"]["__schema"]["description"], said);
    assert!(include_str!("../../schema.graphql").contains(&format!("\"\"\"\n{said}\n\"\"\"\nschema {{")));
}
