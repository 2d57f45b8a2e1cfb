//! Checks that a document with repeated response keys gets the same response as its merged document.

use std::collections::BTreeSet;

use agent_registry::domain::{KeyScope, member::Role};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::case::{self, Mergeable};
use crate::support::{
    App, Calls,
    caller::{Client, Operator},
    proof::count,
};

/// The ids in generated requests, `THINGS` of tests/conformance/differential/values.mjs, each with the id of a row
/// that exists.
struct SeededIds([(&'static str, String); 4]);

impl SeededIds {
    /// Replaces the ids in the text with ids that exist.
    fn put(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (word, id)| text.replace(word, id))
    }
}

/// Stores rows of every kind that a query can read.
async fn seed_data(app: &App) -> (Operator, SeededIds) {
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    operator.customer("Town").await;
    let admin = app.member(&customer, Role::Admin).await;
    app.member(&customer, Role::Editor).await;
    app.program(&customer, [KeyScope::AgentsRead, KeyScope::ConfigsRead]).await;
    let user = admin.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
    let invite = "mutation ($c: ID!) { inviteMember(input: {customerId: $c, email: \"eve@example.org\", role: VIEWER}) { revision } }";
    admin.gql(invite, json!({ "c": customer })).await.text("/inviteMember/revision");
    let agent = admin.agent(&customer, "Helper").await;
    admin.agent(&customer, "Other").await;
    let mut versions = Vec::new();
    for number in 1..=3 {
        versions.push(admin.publish(&agent, &format!("You help, {number}.")).await);
    }
    for version in &versions {
        admin.activate(&agent, version).await.text("/activateVersion/revision");
    }
    let own = "mutation ($a: ID!, $u: ID!) { updateAgent(input: {agentId: $a, ownerId: $u, description: \"It helps.\"}) { revision } }";
    admin.gql(own, json!({ "a": agent, "u": user })).await.text("/updateAgent/revision");
    let ids = SeededIds([
        ("01990000-0000-7000-8000-0000000000a1", agent),
        ("01990000-0000-7000-8000-0000000000c1", customer),
        ("01990000-0000-7000-8000-0000000000e1", versions.remove(1)),
        ("01990000-0000-7000-8000-0000000000f1", user),
    ]);
    (operator, ids)
}

/// The response to one document.
#[derive(Debug, PartialEq)]
struct ResponseSnapshot {
    status: StatusCode,
    /// `data` as received, so that the order of its keys counts. Empty for a request error.
    data: String,
    /// Message, code and path of each error, sorted. Locations differ between the documents.
    errors: BTreeSet<String>,
}

async fn send_document(
    client: &Client,
    document: &str,
    operation: Option<&str>,
    variables: &Value,
) -> ResponseSnapshot {
    let body = json!({ "query": document, "operationName": operation, "variables": variables });
    let request = client.request(Method::POST, "/graphql").json(&body);
    let response = request.header("accept", "application/graphql-response+json").send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    let mut read: Value = serde_json::from_str(&text).unwrap();
    let errors = read["errors"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let describe =
        |error: &Value| json!([error["message"], error["extensions"]["code"], error["path"]]).to_string();
    let data = if status == StatusCode::OK { text.trim_end_matches('}') } else { "" };
    // Errors come first, and a field that stands twice costs twice.
    let errors_first = data.strip_prefix("{\"errors\":[").and_then(|rest| rest.split_once("],\"data\":"));
    let data = errors_first.map_or(data, |(_, data)| data);
    let data = data.rsplit_once(",\"extensions\":{\"cost\":").map_or(data, |(data, _)| data);
    let data = data.rsplit_once(",\"errors\":[").map_or(data, |(data, _)| data.trim_end_matches('}'));
    let data = if read["data"].is_null() { "null" } else { data };
    ResponseSnapshot { status, data: data.to_owned(), errors: errors.iter().map(describe).collect() }
}

/// Both responses, if they differ.
async fn difference(client: &Client, ids: &SeededIds, case: &Mergeable) -> Option<String> {
    let Mergeable { name, document, operation_name, variables, merged } = case;
    let (document, merged) = (ids.put(document), ids.put(merged));
    let variables: Value = serde_json::from_str(&ids.put(&variables.to_string())).unwrap();
    let scattered = send_document(client, &document, operation_name.as_deref(), &variables).await;
    let whole = send_document(client, &merged, operation_name.as_deref(), &variables).await;
    let is_alike = whole.status == StatusCode::OK && scattered == whole;
    (!is_alike).then(|| format!("{name}\n{document}\n{variables}\n{scattered:?}\n{merged}\n{whole:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stands_twice_is_answered_as_what_stands_once() {
    let app = App::start().await;
    let (operator, ids) = seed_data(&app).await;
    let cases = case::mergeable(&case::seed(), count(150, 3_000)).await;
    let mut found = Vec::new();
    for case in &cases {
        found.extend(difference(&operator, &ids, case).await);
    }
    let shown = found.iter().take(5).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    assert!(found.is_empty(), "{} of {} get different responses\n{shown}", found.len(), cases.len());
    println!("differential: {} merged documents alike", cases.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_order_of_keys_and_another_value_are_found() {
    let app = App::start().await;
    let (operator, ids) = seed_data(&app).await;
    for (document, merged) in [
        ("{ viewer { kind name } }", "{ viewer { name kind } }"),
        (
            "{ viewer { kind } customers { totalCount } }",
            "{ viewer { kind } customers(first: 1) { totalCount nodes { id } } }",
        ),
    ] {
        let [document, merged] = [document, merged].map(str::to_owned);
        let (name, operation_name, variables) = ("planted".to_owned(), None, json!({}));
        let case = Mergeable { name, document, operation_name, variables, merged };
        assert!(difference(&operator, &ids, &case).await.is_some(), "{case:?}");
    }
}
