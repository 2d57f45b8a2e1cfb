//! The revision of an answer, the check of the hash chain, the instance, and the plans.

use agent_registry::domain::{KeyScope, ServiceScope, customer::Plan};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::{
    environment::Stage,
    support::{App, Calls, wait},
};

#[tokio::test]
async fn the_revision_of_an_answer_is_where_a_subscription_continues() {
    let stage = Stage::new(1).await;
    // Alone, before and after other fields: the commit of the same moment.
    for query in [
        "{ revision }",
        "query ($id: ID!) { revision agent(id: $id) { name } }",
        "query ($id: ID!) { agent(id: $id) { name } revision }",
    ] {
        let answer = stage.editor.gql(query, json!({ "id": stage.agent })).await;
        assert_eq!(answer.text("/revision"), stage.head().await.to_string(), "{query}");
    }
    let gateway = stage.app.service([ServiceScope::ActivationsWatch]).await;
    let revision = gateway.gql("{ revision }", Value::Null).await.text("/revision");
    stage.activate(1, "production").await;
    let mut socket = gateway.socket().await;
    let query = "subscription ($after: Cursor) { activations(after: $after) { revision } }";
    socket.subscribe("1", query, json!({ "after": revision })).await;
    let event = socket.event().await;
    let next = (revision.parse::<i64>().unwrap() + 1).to_string();
    assert_eq!(event["data"]["activations"]["revision"], next, "nothing between the two is missed");
}

const STATUS: &str = "{ auditStatus { revision chainHash verifiedRevision verifiedAt isIntact } }";

#[tokio::test]
async fn the_audit_says_up_to_where_its_chain_holds_and_that_it_was_tampered_with() {
    let stage = Stage::new(0).await;
    let program = stage.app.program(&stage.customer, [KeyScope::ChangesRead]).await;
    let head = stage.app.registry.head().await.unwrap();
    for client in [&*stage.operator, &*stage.admin, &*program] {
        wait::eventually("the chain is verified to its end", async || {
            let answer = client.gql(STATUS, Value::Null).await;
            let status = answer.at("/auditStatus");
            assert_eq!(status["revision"], head.revision.to_string());
            assert_eq!(status["chainHash"], hex::encode(&head.chain_hash));
            status["verifiedRevision"] == head.revision.to_string() && status["isIntact"] == true
        })
        .await;
    }
    let gateway = stage.app.service(ServiceScope::ALL).await;
    let reader = stage.app.program(&stage.customer, [KeyScope::AgentsRead]).await;
    for client in [&*stage.editor, &*gateway, &*reader] {
        assert_eq!(client.gql(STATUS, Value::Null).await.code(), Some("FORBIDDEN"));
    }
    let mut admin = PgConnection::connect(&stage.app.database.admin_url).await.unwrap();
    sqlx::raw_sql("UPDATE registry.log_head SET chain_hash = sha256('forged')")
        .execute(&mut admin)
        .await
        .unwrap();
    wait::eventually("the forged end is noticed", async || {
        let answer = stage.admin.gql(STATUS, Value::Null).await;
        answer.at("/auditStatus/isIntact") == false
    })
    .await;
    // It stays so, although the instance follows the log from its new end.
    stage.editor.agent(&stage.customer, "Later").await;
    let later = stage.head().await.to_string();
    wait::eventually("the new entries are followed", async || {
        let answer = stage.admin.gql(STATUS, Value::Null).await;
        assert_eq!(answer.at("/auditStatus/isIntact"), false);
        answer.at("/auditStatus/verifiedRevision") == later.as_str()
    })
    .await;
}

#[tokio::test]
async fn an_operator_sees_the_instance_that_answers() {
    let stage = Stage::new(0).await;
    let query = "{ instance { version startedAt revision behind watchers problems } revision }";
    let (mut socket, head) = (stage.editor.socket().await, stage.head().await.to_string());
    socket.subscribe("1", "subscription { customerEvents { revision } }", Value::Null).await;
    wait::until("it watches", || stage.app.watchers() == 1).await;
    wait::eventually("the instance has applied the log", async || {
        stage.operator.gql(query, Value::Null).await.at("/instance/revision") == head.as_str()
    })
    .await;
    let answer = stage.operator.gql(query, Value::Null).await;
    let instance = answer.at("/instance");
    assert_eq!(instance["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (&instance["behind"], &instance["watchers"], &instance["problems"]),
        (&json!(0), &json!(1), &json!([]))
    );
    assert!(
        instance["startedAt"].as_str().unwrap()
            < agent_registry::clock::to_text(stage.app.clock.now()).as_str()
    );
    assert_eq!(stage.admin.gql(query, Value::Null).await.code(), Some("FORBIDDEN"));
    stage.app.door.hub.outage().begin("the folder is gone");
    let problems = stage.operator.gql("{ instance { problems } }", Value::Null).await;
    assert_eq!(problems.at("/instance/problems"), &json!(["the folder is gone"]));
    let ready = stage.app.anonymous().get("/readyz").await;
    assert_eq!((ready.status.as_u16(), &ready.body["reason"]), (503, &json!("the folder is gone")));
    stage.app.door.hub.outage().end();
}

#[tokio::test]
async fn the_plans_limits_are_those_that_are_enforced() {
    let app = App::start().await;
    let query = "{ plans { plan agents apiKeys environments members requestsPerSecond versionsPerAgent } }";
    let answer = app.stranger().gql(query, Value::Null).await;
    let limits = |name: &str, plan: Plan| {
        let limits = plan.limits();
        json!({ "plan": name, "agents": limits.agents, "apiKeys": limits.api_keys, "environments": limits.environments,
            "members": limits.members, "requestsPerSecond": limits.requests_per_second, "versionsPerAgent": limits.versions })
    };
    let expected =
        json!([limits("FREE", Plan::Free), limits("PRO", Plan::Pro), limits("ENTERPRISE", Plan::Enterprise)]);
    assert_eq!(answer.at("/plans"), &expected);
}
