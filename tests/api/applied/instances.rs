//! Several instances: they answer alike, also after one of them was killed, and after the reports were lost.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{CONVERGENCE, Running, Stage, counts, gateway, report, token};
use crate::support::{app::Instance, wait};

const PLAN: &str =
    "query ($agent: ID!, $version: ID!) { activationPlan(agentId: $agent, versionId: $version) {
    affectedGateways pendingGateways } }";
const LIST: &str = "{ gateways { nodes { id name state appliedRevision } } }";

/// What an instance answers.
async fn seen(stage: &Stage, instance: &Instance) -> Value {
    let client = instance.bearer(token(&stage.operator));
    let convergence =
        client.gql(CONVERGENCE, json!({ "agent": stage.agent })).await.at("/convergence").clone();
    let list = client.gql(LIST, json!({})).await.at("/gateways/nodes").clone();
    let plan = json!({ "agent": stage.agent, "version": stage.versions[0] });
    let plan = client.gql(PLAN, plan).await.at("/activationPlan").clone();
    json!([convergence, list, plan])
}

#[tokio::test]
async fn two_instances_answer_alike() {
    let mut stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    let second = stage.app.another().await;
    let mut one = Running::start(&stage.app.first, token(&service), "one").await;
    let mut two = Running::start(&second, token(&service), "two").await;
    let _silent = Running::start(&second, token(&service), "silent").await;
    one.report(stage.revision, json!([])).await;
    two.report(stage.revision, json!([])).await;
    stage.activate(1).await;
    let at = two.until_bookmark(stage.revision).await;
    two.report(at, json!([])).await;
    stage.until_counts(&stage.operator, [1, 1, 0, 0, 1]).await;
    let (here, there) = (seen(&stage, &stage.app.first).await, seen(&stage, &second).await);
    assert_eq!(here, there);
    assert_eq!(here[2], json!({ "affectedGateways": 3, "pendingGateways": 1 }));
    // A gateway that reports to another instance is the same gateway.
    report(&second.bearer(token(&service)), "one", at).await;
    stage.until_counts(&stage.operator, [2, 0, 0, 0, 1]).await;
    assert_eq!(seen(&stage, &stage.app.first).await, seen(&stage, &second).await);
    second.stop().await;
}

#[tokio::test]
async fn the_subscriptions_of_a_dead_instance_are_forgotten() {
    let stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    let second = stage.app.another().await;
    let silent = Running::start(&second, token(&service), "silent").await;
    stage.until_counts(&stage.operator, [0, 0, 0, 0, 1]).await;
    // Its rows stay, as if it had been killed.
    let mut admin = PgConnection::connect(&stage.app.database.admin_url).await.unwrap();
    let keep = "CREATE TABLE public.kept AS SELECT * FROM registry.gateway_watches";
    sqlx::query(keep).execute(&mut admin).await.unwrap();
    drop(silent);
    second.stop().await;
    let again = "INSERT INTO registry.gateway_watches SELECT * FROM public.kept ON CONFLICT DO NOTHING";
    sqlx::query(again).execute(&mut admin).await.unwrap();
    assert_eq!(counts(&stage.convergence(&stage.operator).await), [0, 0, 0, 0, 1]);
    stage.app.clock.shift(TimeDelta::seconds(16));
    assert_eq!(counts(&stage.convergence(&stage.operator).await), [0; 5]);
    // Another instance's next report deletes them.
    stage.app.clock.shift(TimeDelta::seconds(60));
    report(&service, "gw", stage.revision).await;
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM registry.gateway_watches")
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert_eq!(left, 0);
    admin.close().await.unwrap();
}

#[tokio::test]
async fn lost_reports_are_counted_anew_and_the_answer_says_so() {
    let stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    let mut running = Running::start(&stage.app.first, token(&service), "gw").await;
    running.report(stage.revision, json!([])).await;
    stage.until_counts(&stage.operator, [1, 0, 0, 0, 0]).await;
    // As after a crash of the database.
    let mut admin = PgConnection::connect(&stage.app.database.admin_url).await.unwrap();
    for table in ["gateway_rejections", "gateways", "gateway_watches", "gateway_instances", "gateway_epochs"]
    {
        let sql = sqlx::AssertSqlSafe(format!("DELETE FROM registry.{table}"));
        sqlx::query(sql).execute(&mut admin).await.unwrap();
    }
    admin.close().await.unwrap();
    running.report(stage.revision, json!([])).await;
    stage.until_counts(&stage.operator, [1, 0, 0, 0, 0]).await;
    assert!(stage.convergence(&stage.viewer).await["recountingSince"].is_string());
    // The subscription is stored again too, so that the gateway is linked to it.
    wait::eventually("the subscription is known again", async || {
        stage.gateways(json!({})).await.first().is_some_and(|node| node["deliveredRevision"].is_string())
    })
    .await;
    stage.app.clock.shift(TimeDelta::seconds(91));
    running.report(stage.revision, json!([])).await;
    assert_eq!(stage.convergence(&stage.viewer).await["recountingSince"], Value::Null);
}
