//! Entries of the audit as a dashboard shows them: the object, and the fields that changed.

use agent_registry::domain::KeyScope;
use serde_json::{Value, json};

use super::column;
use crate::environment::Stage;

const CHANGES: &str = "query ($id: ID!, $actions: [ChangeAction!]) { changes(customerId: $id, first: 100, filter: { actions: $actions }) {
    nodes { id revision position subjectId subject { __typename ... on Activation { id } ... on ApiKey { id }
        ... on Environment { id } ... on Invitation { id } ... on User { id } ... on ServiceToken { id } }
        fieldChanges { path kind before after } } } }";

async fn changes(stage: &Stage, action: &str) -> Vec<Value> {
    let variables = json!({ "id": stage.customer, "actions": [action] });
    let answer = stage.admin.gql(CHANGES, variables).await;
    answer.at("/changes/nodes").as_array().unwrap().clone()
}

fn field(path: &[&str], kind: &str, before: Value, after: Value) -> Value {
    json!({ "path": path, "kind": kind, "before": before, "after": after })
}

#[tokio::test]
async fn an_entry_names_its_fields_as_the_schema_does() {
    let stage = Stage::new(1).await;
    let plan = "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: PRO }) { revision } }";
    stage.operator.gql(plan, json!({ "id": stage.customer })).await.text("/setPlan/revision");
    let bill =
        "mutation ($id: ID!) { setBillingStatus(input: { customerId: $id, status: PAST_DUE }) { revision } }";
    stage.operator.gql(bill, json!({ "id": stage.customer })).await.text("/setBillingStatus/revision");
    let update = "mutation ($id: ID!) { updateAgent(input: { agentId: $id, name: \"Clerk\", description: \"Answers\" }) { revision } }";
    stage.editor.gql(update, json!({ "id": stage.agent })).await.text("/updateAgent/revision");
    stage.activate(1, "staging").await;
    let null = Value::Null;
    for (action, expected) in [
        ("CUSTOMER_PLAN_SET", vec![field(&["plan"], "CHANGED", json!("FREE"), json!("PRO"))]),
        (
            "CUSTOMER_BILLING_SET",
            vec![field(&["billing", "status"], "CHANGED", json!("ACTIVE"), json!("PAST_DUE"))],
        ),
        (
            "AGENT_UPDATED",
            vec![
                field(&["description"], "ADDED", null.clone(), json!("Answers")),
                field(&["name"], "CHANGED", json!("Helper"), json!("Clerk")),
            ],
        ),
        (
            "AGENT_ACTIVATED",
            vec![
                field(&["activeVersion", "id"], "ADDED", null.clone(), json!(stage.versions[0])),
                field(&["environment", "key"], "ADDED", null.clone(), json!("staging")),
                field(&["reason"], "ADDED", null, json!("ACTIVATE")),
            ],
        ),
    ] {
        let entry = changes(&stage, action).await.remove(0);
        assert_eq!(entry["fieldChanges"], json!(expected), "{action}");
        let id = format!("{}.{}", entry["revision"].as_str().unwrap(), entry["position"]);
        assert_eq!(entry["id"], id);
    }
    let created = changes(&stage, "ENVIRONMENT_CREATED").await.remove(0);
    let paths: Vec<Value> =
        created["fieldChanges"].as_array().unwrap().iter().map(|change| change["path"].clone()).collect();
    assert!(paths.contains(&json!(["key"])) && paths.contains(&json!(["activateRole"])), "{paths:?}");
}

#[tokio::test]
async fn an_entry_leads_to_its_object_as_far_as_the_reader_may_see_it() {
    let stage = Stage::new(1).await;
    stage.activate(1, "production").await;
    stage.app.program(&stage.customer, [KeyScope::AgentsRead]).await;
    let invite = "mutation ($id: ID!, $email: String!) { inviteMember(input: { customerId: $id, email: $email, role: VIEWER }) { invitation { id } } }";
    let open = stage.admin.gql(invite, json!({ "id": stage.customer, "email": "a@example.org" })).await;
    let revoked = stage.admin.gql(invite, json!({ "id": stage.customer, "email": "b@example.org" })).await;
    let revoke = "mutation ($id: ID!) { revokeInvitation(input: { invitationId: $id }) { revision } }";
    let revoked = revoked.text("/inviteMember/invitation/id");
    stage.admin.gql(revoke, json!({ "id": revoked })).await.text("/revokeInvitation/revision");
    for (action, kind) in [
        ("AGENT_ACTIVATED", "Activation"),
        ("API_KEY_CREATED", "ApiKey"),
        ("ENVIRONMENT_CREATED", "Environment"),
        ("MEMBER_SET", "User"),
    ] {
        let entry = changes(&stage, action).await.remove(0);
        assert_eq!(entry["subject"], json!({ "__typename": kind, "id": entry["subjectId"] }), "{action}");
    }
    let invitations = changes(&stage, "INVITATION_CREATED").await;
    let subjects = invitations.iter().map(|entry| entry["subject"].clone()).collect::<Vec<_>>();
    let open = open.text("/inviteMember/invitation/id");
    assert_eq!(
        subjects,
        [Value::Null, json!({ "__typename": "Invitation", "id": open })],
        "a revoked one is gone"
    );
    assert_eq!(changes(&stage, "AGENT_CREATED").await[0]["subject"], Value::Null);
    // A key that reads the audit reads no keys and no invitations.
    let program = stage.app.program(&stage.customer, [KeyScope::ChangesRead]).await;
    let variables = json!({ "id": stage.customer, "actions": ["API_KEY_CREATED", "INVITATION_CREATED"] });
    let answer = program.gql(CHANGES, variables).await;
    let nodes = answer.at("/changes/nodes");
    assert_eq!(column(nodes, "id").len(), 4);
    assert!(nodes.as_array().unwrap().iter().all(|node| node["subject"].is_null()), "{nodes}");
}
