//! The rights to report and to see names and numbers; and no gateway counts where its token doesn't reach.

use agent_registry::domain::{KeyScope, member::Role};
use serde_json::{Value, json};

use super::{
    CONVERGENCE, Stage, WATCHES, assert_stored, counts, gateway, rejection, report, report_input, rows,
};
use crate::support::Calls;

#[tokio::test]
async fn a_program_reports_and_a_person_does_not() {
    let stage = Stage::open().await;
    let reader = stage.app.program(&stage.customer, [KeyScope::AgentsRead]).await;
    for client in [&*stage.operator, &*stage.viewer, &*reader] {
        assert_eq!(report(client, "gw", stage.revision).await.code(), Some("FORBIDDEN"));
    }
    assert_eq!(rows(&stage.app).await, [0, 0]);
    for scope in WATCHES {
        let program = stage.app.program(&stage.customer, [scope]).await;
        assert_stored(&report(&program, "gw", stage.revision).await, stage.revision);
    }
    // Two tokens, so two gateways of one name.
    assert_eq!(rows(&stage.app).await, [2, 0]);
}

#[tokio::test]
async fn a_token_cant_overwrite_another_tokens_gateway() {
    let mut stage = Stage::open().await;
    let (one, two) = (gateway(&stage.app).await, stage.app.program(&stage.customer, WATCHES).await);
    report(&one, "gw", stage.revision).await;
    stage.activate(1).await;
    report(&two, "gw", stage.revision).await;
    let nodes = stage.gateways(json!({})).await;
    let applied: Vec<_> = nodes.iter().map(|node| node["appliedRevision"].as_str().unwrap()).collect();
    assert_eq!(applied.len(), 2);
    assert!(applied.contains(&stage.revision.to_string().as_str()), "{applied:?}");
    assert_eq!(counts(&stage.convergence(&stage.viewer).await), [1, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_token_counts_at_its_customers_and_environments_alone() {
    let stage = Stage::open().await;
    let other = stage.operator.customer("Other").await;
    let theirs = stage.app.program(&other, WATCHES).await;
    report(&theirs, "theirs", stage.revision).await;
    assert_eq!(counts(&stage.convergence(&stage.viewer).await), [0; 5]);
    let staging = "mutation ($input: CreateEnvironmentInput!) { createEnvironment(input: $input) { userErrors { code } } }";
    let input = json!({ "customerId": stage.customer, "key": "staging", "name": "Staging" });
    stage.operator.gql(staging, json!({ "input": input })).await.at("/createEnvironment/userErrors");
    let limited = stage.app.limited_program(&stage.customer, WATCHES, &["staging"]).await;
    let here = report(&limited, "gw", stage.revision).await;
    assert_eq!(*here.at("/done/userErrors/0/code"), "NOT_FOUND");
    let input =
        json!({ "gatewayName": "gw", "environment": "staging", "revision": stage.revision.to_string() });
    assert_stored(&report_input(&limited, input).await, stage.revision);
    assert_eq!(counts(&stage.convergence(&stage.viewer).await), [0; 5]);
    assert_eq!(stage.gateways(json!({})).await.len(), 1, "theirs alone, in production");
}

#[tokio::test]
async fn a_customer_sees_numbers_and_no_gateway() {
    let stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    let input = json!({ "gatewayName": "gw", "revision": stage.revision.to_string(), "region": "eu-1", "build": "abc" });
    report_input(&service, input).await;
    let list = "{ gateways { nodes { name } } }";
    let admin = stage.app.member(&stage.customer, Role::Admin).await;
    let key = stage.app.program(&stage.customer, [KeyScope::AgentsRead]).await;
    for client in [&*stage.viewer, &*admin, &*key, &*service] {
        assert_eq!(client.gql(list, json!({})).await.code(), Some("FORBIDDEN"));
    }
    for client in [&*stage.viewer, &*key, &*stage.operator] {
        assert_eq!(counts(&stage.convergence(client).await), [1, 0, 0, 0, 0]);
    }
    let refused = service.gql(CONVERGENCE, json!({ "agent": stage.agent })).await;
    assert_eq!(refused.code(), Some("FORBIDDEN"));
    let stranger = stage.app.stranger();
    assert_eq!(
        *stranger.gql(CONVERGENCE, json!({ "agent": stage.agent })).await.at("/convergence"),
        Value::Null
    );
    let nodes = stage.gateways(json!({})).await;
    assert_eq!((&nodes[0]["region"], &nodes[0]["build"]), (&json!("eu-1"), &json!("abc")));
}

#[tokio::test]
async fn a_gateway_refuses_only_what_it_may_see() {
    let stage = Stage::open().await;
    let other = stage.operator.customer("Other").await;
    let theirs = stage.operator.agent(&other, "Theirs").await;
    let version = stage.operator.publish(&theirs, "Theirs.").await;
    let program = stage.app.program(&stage.customer, WATCHES).await;
    let invented = "00000000-0000-7000-8000-000000000000";
    let mut messages = Vec::new();
    for (agent, version) in
        [(theirs.as_str(), version.as_str()), (stage.agent.as_str(), invented), (&theirs, &stage.versions[0])]
    {
        let refused = json!([rejection(agent, version, stage.revision)]);
        let input =
            json!({ "gatewayName": "gw", "revision": stage.revision.to_string(), "rejections": refused });
        let answer = report_input(&program, input).await;
        assert_eq!(*answer.at("/done/userErrors/0/code"), "INVALID");
        assert_eq!(*answer.at("/done/userErrors/0/field"), "rejections.0.versionId");
        assert_eq!(*answer.at("/done/reportedRevision"), Value::Null);
        messages.push(answer.text("/done/userErrors/0/message"));
    }
    messages.dedup();
    assert_eq!(messages.len(), 1, "what exists isn't told: {messages:?}");
    assert_eq!(rows(&stage.app).await, [0, 0]);
}

#[tokio::test]
async fn an_erasure_deletes_what_gateways_said_about_the_customer() {
    let stage = Stage::open().await;
    let (service, program) = (gateway(&stage.app).await, stage.app.program(&stage.customer, WATCHES).await);
    let refused = json!([rejection(&stage.agent, &stage.versions[0], stage.revision)]);
    for (client, name) in [(&*service, "platform"), (&*program, "zebra")] {
        let input =
            json!({ "gatewayName": name, "revision": stage.revision.to_string(), "rejections": refused });
        assert_stored(&report_input(client, input).await, stage.revision);
    }
    assert_eq!(rows(&stage.app).await, [2, 2]);
    stage.app.set_billing_status(&stage.customer, "CANCELED").await;
    let erase = "mutation ($id: ID!) { eraseCustomer(input: { customerId: $id }) { userErrors { code } } }";
    let erased = stage.operator.gql(erase, json!({ "id": stage.customer })).await;
    assert_eq!(*erased.at("/eraseCustomer/userErrors"), json!([]));
    assert_eq!(rows(&stage.app).await, [1, 0], "the platform's gateway, without what it said");
}
