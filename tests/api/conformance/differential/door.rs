//! The two ways to get the service's verdict: in process and over HTTP.

use std::time::Duration;

use agent_registry::{domain::Caller, graphql::Operation};
use json_reader::Object;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::case::{Case, Kind, Verdict};
use crate::support::{
    Answer, App,
    caller::Client,
    events::{EVENTS, Events, SseMessage},
};

/// How long to watch for an error on a stream that should start. The service sends such an error at once or never.
const QUIET: Duration = Duration::from_millis(300);
/// How long a stream may take to report its rejection.
const DEADLINE: Duration = Duration::from_secs(5);

/// Checks whether the engine accepts a request, without running it.
///
/// No other function of these tests calls the engine.
pub(super) fn in_process(app: &App, case: &Case) -> Result<(), String> {
    let operation = Operation {
        query: Some(case.document.clone()),
        document_id: None,
        operation_name: case.operation_name.clone(),
        variables: case.variables.as_ref().and_then(Value::as_object).cloned().map(Object::from),
        extensions: None,
    };
    match app.door.api.accept(operation, &Caller::system("differential")) {
        Ok(_) => Ok(()),
        Err(refused) => Err(refused.to_json().to_string()),
    }
}

/// Sends a request over HTTP. `Err` is a request error.
pub(super) async fn over_http(client: &Client, case: &Case) -> Result<(), String> {
    if case.kind == Some(Kind::Subscription) {
        watched(client, case).await
    } else {
        posted(client, case).await
    }
}

async fn posted(client: &Client, case: &Case) -> Result<(), String> {
    let request = client.request(Method::POST, "/graphql").json(&body(case));
    let answer = Answer::of(request.header("accept", "application/graphql-response+json")).await;
    match (answer.status.as_u16(), answer.body.get("data")) {
        (200, Some(_)) => Ok(()),
        (400, None) => Err(refusal(&answer.body)),
        _ => {
            panic!("{}: neither a response nor a request error: {} {}", case.name, answer.status, answer.body)
        }
    }
}

async fn watched(client: &Client, case: &Case) -> Result<(), String> {
    let request = client.request(Method::POST, "/graphql").header("accept", EVENTS).json(&body(case));
    let mut events = Events::of(request).await;
    let time = if case.verdict == Verdict::Ok { QUIET } else { DEADLINE };
    match timeout(time, events.next()).await {
        Ok(SseMessage::Next(said)) if is_of_the_run(&said["errors"][0]["extensions"]) => Ok(()),
        Ok(SseMessage::Next(said)) if said.get("data").is_none() => Err(refusal(&said)),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Whether a subscription ended when it ran, after its document was judged: its customer isn't there, or its list of
/// agents is empty.
fn is_of_the_run(error: &Value) -> bool {
    error["code"] == "NOT_FOUND" || error["field"] == "agentIds"
}

fn body(case: &Case) -> Value {
    json!({ "query": case.document, "operationName": case.operation_name, "variables": case.variables })
}

/// The errors of a rejected request.
fn refusal(body: &Value) -> String {
    body["errors"].to_string()
}
