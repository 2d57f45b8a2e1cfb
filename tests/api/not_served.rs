//! `activeConfigResult`: the configuration, or why there is none and since which commit.

use agent_registry::domain::{KeyScope, member::Role};
use serde_json::{Value, json};

use crate::{
    messages::user_errors,
    support::{App, Calls, caller::Client},
};

/// The reason and the revision of an agent that serves nothing; the version's number of one that does.
async fn result(caller: &Client, agent: &str) -> Value {
    let query = "query ($id: ID!) { activeConfigResult(agentId: $id) { __typename
        ... on ActiveConfig { versionNumber } ... on NotServed { agentId reason since: revision } } }";
    let mut answer = caller.gql(query, json!({ "id": agent })).await.at("/activeConfigResult").clone();
    match answer["__typename"].as_str() {
        Some("ActiveConfig") => answer["versionNumber"].clone(),
        _ => {
            assert_eq!(answer["agentId"], json!(agent));
            json!([answer["reason"].take(), answer["since"].take()])
        }
    }
}

#[tokio::test]
async fn what_serves_nothing_says_why_and_since_when() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (customer, town) = (operator.customer("City").await, operator.customer("Town").await);
    let editor = app.member(&customer, Role::Editor).await;
    let outsider = app.member(&town, Role::Admin).await;
    let gateway = app.gateway().await;
    let head = async || json!(app.registry.head().await.unwrap().revision.to_string());
    let agent = editor.agent(&customer, "Helper").await;
    let created = head().await;
    let version = editor.publish(&agent, "Hello").await;
    let callers = [&*editor, &*gateway, &*operator];
    let says = async |expected: Value| {
        for caller in callers {
            assert_eq!(result(caller, &agent).await, expected);
        }
        assert_eq!(result(&outsider, &agent).await, json!(["NOT_FOUND", null]), "another customer's");
    };
    says(json!(["NEVER_ACTIVATED", created])).await;
    editor.activate(&agent, &version).await.text("/activateVersion/revision");
    says(json!(1)).await;
    assert_eq!(user_errors(&editor, "deactivate", json!({ "agentId": agent })).await, json!([]));
    let deactivated = head().await;
    // A later change of something else doesn't move the revision.
    editor.publish(&agent, "Later").await;
    says(json!(["DEACTIVATED", deactivated])).await;
    assert_eq!(user_errors(&editor, "archiveAgent", json!({ "agentId": agent })).await, json!([]));
    says(json!(["ARCHIVED", head().await])).await;
    assert_eq!(user_errors(&editor, "restoreAgent", json!({ "agentId": agent })).await, json!([]));
    says(json!(["DEACTIVATED", deactivated])).await;
    editor.activate(&agent, &version).await.text("/activateVersion/revision");
    for status in ["SUSPENDED", "CANCELED"] {
        let set = json!({ "customerId": customer, "status": status });
        assert_eq!(user_errors(&operator, "setBillingStatus", set).await, json!([]));
        says(json!([status, head().await])).await;
    }
    assert_eq!(user_errors(&operator, "eraseCustomer", json!({ "customerId": customer })).await, json!([]));
    for caller in [&*gateway, &*operator] {
        assert_eq!(result(caller, &agent).await, json!(["ERASED", head().await]));
    }
    let nobody = "00000000-0000-7000-8000-000000000000";
    assert_eq!(result(&gateway, nobody).await, json!(["NOT_FOUND", null]));
    let query = "query ($id: ID!) { activeConfigResult(agentId: $id) { __typename } }";
    assert_eq!(gateway.gql(query, json!({ "id": "x" })).await.code(), Some("BAD_USER_INPUT"));
    let reader = app.program(&town, [KeyScope::AgentsRead]).await;
    assert_eq!(reader.gql(query, json!({ "id": agent })).await.code(), Some("FORBIDDEN"));
}
