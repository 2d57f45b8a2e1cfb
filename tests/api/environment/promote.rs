//! Promotion: both ends are compared, in one commit; and two environments don't wait for each other.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::Stage;
use crate::support::Answer;

async fn promote(stage: &Stage, from: (&str, usize), to: (&str, Option<usize>)) -> Answer {
    let id = |number: usize| stage.versions[number - 1].clone();
    let input = json!({ "agentId": stage.agent, "fromEnvironment": from.0, "toEnvironment": to.0,
        "expectedFromVersionId": id(from.1), "expectedToVersionId": to.1.map(id) });
    let mutation = "mutation ($input: PromoteVersionInput!) { promoteVersion(input: $input) {
        serving { environment { key } activeVersion { number } } activation { reason } revision userErrors { code field message } } }";
    stage.editor.gql(mutation, json!({ "input": input })).await
}

#[tokio::test]
async fn a_version_is_promoted_when_both_ends_are_as_expected() {
    let stage = Stage::new(3).await;
    stage.activate(1, "production").await;
    stage.activate(2, "staging").await;
    let promoted = promote(&stage, ("staging", 2), ("production", Some(1))).await;
    assert_eq!(promoted.at("/promoteVersion/userErrors"), &json!([]));
    assert_eq!(
        promoted.at("/promoteVersion/serving"),
        &json!({ "environment": { "key": "production" }, "activeVersion": { "number": 2 } })
    );
    assert_eq!(promoted.at("/promoteVersion/activation/reason"), "PROMOTE");
    assert_eq!(stage.serves().await, json!({ "production": 2, "staging": 2, "dev": null }));
    let query = "query ($id: ID!) { customer(id: $id) { changes(first: 1) { nodes { details } } } }";
    let details = stage.admin.gql(query, json!({ "id": stage.customer })).await;
    let details = details.at("/customer/changes/nodes/0/details").clone();
    assert_eq!(
        (&details["reason"], &details["promoted_from"]),
        (&json!("ACTIVATE"), &json!("staging")),
        "{details}"
    );
    // Again, it changes nothing; and an environment in which nothing serves takes one too.
    let head = stage.head().await;
    let again = promote(&stage, ("staging", 2), ("production", Some(2))).await;
    assert_eq!(again.at("/promoteVersion/revision"), promoted.at("/promoteVersion/revision"));
    assert_eq!(stage.head().await, head);
    promote(&stage, ("production", 2), ("dev", None)).await;
    assert_eq!(stage.serves().await, json!({ "production": 2, "staging": 2, "dev": 2 }));
    // A rollback in production goes to what served there.
    assert_eq!(stage.change("rollback", "production").await["serving"]["activeVersion"]["number"], 1);
}

#[tokio::test]
async fn a_moved_end_is_a_conflict_and_changes_nothing() {
    let stage = Stage::new(3).await;
    stage.activate(1, "production").await;
    stage.activate(2, "staging").await;
    let (head, before) = (stage.head().await, stage.serves().await);
    for (from, to, field, message) in [
        (
            ("staging", 3),
            ("production", Some(1)),
            "expectedFromVersionId",
            "version 2 is active, not version 3",
        ),
        (("dev", 2), ("production", Some(1)), "expectedFromVersionId", "no version is active, not version 2"),
        (
            ("staging", 2),
            ("production", Some(3)),
            "expectedToVersionId",
            "version 1 is active, not version 3",
        ),
        (
            ("staging", 2),
            ("production", None),
            "expectedToVersionId",
            "version 1 is active, but none was expected",
        ),
    ] {
        let answer = promote(&stage, from, to).await;
        let error = answer.at("/promoteVersion/userErrors/0");
        assert_eq!(
            (&error["code"], &error["field"], &error["message"]),
            (&json!("CONFLICT"), &json!(field), &json!(message))
        );
    }
    for (from, to, code) in [
        (("staging", 2), ("staging", Some(2)), "INVALID"),
        (("nowhere", 2), ("production", Some(1)), "NOT_FOUND"),
        (("staging", 2), ("nowhere", Some(1)), "NOT_FOUND"),
        (("No", 2), ("production", Some(1)), "INVALID"),
    ] {
        let answer = promote(&stage, from, to).await;
        assert_eq!(answer.text("/promoteVersion/userErrors/0/code"), code, "{from:?} {to:?}");
    }
    assert_eq!((stage.head().await, stage.serves().await), (head, before));
}

#[tokio::test]
async fn promotions_in_opposite_directions_end_and_one_order_wins() {
    let stage = Stage::new(2).await;
    for _ in 0..10 {
        stage.activate(1, "staging").await;
        stage.activate(2, "dev").await;
        let both = join_all([
            promote(&stage, ("staging", 1), ("dev", Some(2))),
            promote(&stage, ("dev", 2), ("staging", Some(1))),
        ])
        .await;
        let won: Vec<bool> =
            both.iter().map(|answer| answer.at("/promoteVersion/userErrors") == &json!([])).collect();
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
        let serves = stage.serves().await;
        assert_eq!(serves["staging"], serves["dev"]);
    }
}

/// A writer of one environment, stopped in the middle, keeps nobody waiting in another one.
#[tokio::test]
async fn two_environments_do_not_wait_for_each_other() {
    let stage = Stage::new(2).await;
    for environment in ["production", "staging", "dev"] {
        stage.activate(1, environment).await;
    }
    let mut stuck = PgConnection::connect(&stage.app.database.admin_url).await.unwrap();
    for (held, free) in [("staging", "production"), ("staging", "dev"), ("production", "staging")] {
        sqlx::raw_sql("BEGIN").execute(&mut stuck).await.unwrap();
        let lock = match held {
            "production" => "SELECT FROM registry.agents WHERE id = $1::uuid AND $2 <> '' FOR NO KEY UPDATE",
            _ => {
                "SELECT FROM registry.servings AS s JOIN registry.agents AS a ON a.id = s.agent_id \
                 WHERE a.id = $1::uuid AND s.environment_key = $2 FOR NO KEY UPDATE OF s FOR KEY SHARE OF a"
            }
        };
        let locked = sqlx::query(lock).bind(&stage.agent).bind(held).fetch_all(&mut stuck).await.unwrap();
        assert_eq!(locked.len(), 1);
        let other = tokio::time::timeout(Duration::from_secs(10), stage.activate(2, free)).await;
        assert!(other.is_ok(), "an activation in {free} waits for one in {held}");
        let same = tokio::time::timeout(Duration::from_millis(500), stage.activate(2, held)).await;
        assert!(same.is_err(), "an activation in {held} doesn't wait for another one there");
        sqlx::raw_sql("ROLLBACK").execute(&mut stuck).await.unwrap();
        crate::support::wait::eventually("the waiting activation ends", async || {
            stage.serves().await[held] == 2
        })
        .await;
        for environment in ["production", "staging", "dev"] {
            stage.activate(1, environment).await;
        }
    }
}

/// Activations anywhere, and the agent's archiving: whatever the order, an archived agent serves nowhere.
#[tokio::test]
async fn an_archived_agent_serves_nowhere_whatever_happens_at_once() {
    let stage = Stage::new(2).await;
    for turn in 0..12 {
        let activate = |environment: &'static str| {
            let input = json!({ "agentId": stage.agent, "versionId": stage.versions[turn % 2], "environment": environment });
            crate::support::Calls::activate_input(&stage.editor, input)
        };
        let archive = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { userErrors { code } } }";
        let (_, archived) = tokio::join!(
            join_all(["staging", "production", "dev"].map(activate)),
            stage.editor.gql(archive, json!({ "id": stage.agent })),
        );
        // A conflict with a concurrent activation is said, and is tried again.
        if archived.body.get("errors").is_some() {
            assert_eq!(archived.code(), Some("UNAVAILABLE"), "{}", archived.body);
            stage.editor.gql(archive, json!({ "id": stage.agent })).await.at("/archiveAgent");
        }
        assert_eq!(stage.serves().await, json!({ "production": null, "staging": null, "dev": null }));
        let restore = "mutation ($id: ID!) { restoreAgent(input: { agentId: $id }) { userErrors { code } } }";
        stage.editor.gql(restore, json!({ "id": stage.agent })).await.at("/restoreAgent");
    }
    assert_eq!(Value::Null, stage.serves().await["staging"]);
}
