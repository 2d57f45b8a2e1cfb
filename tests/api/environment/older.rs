//! A binary that knows no environments, on the same database: it sets no reach, leaves the environment out of what it
//! writes, and must see and change `production` alone.

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::Stage;
use crate::support::Calls;

/// A session as an older binary opens it, in the scope of the platform.
async fn older(stage: &Stage) -> PgConnection {
    let mut session = PgConnection::connect(&stage.app.database.url).await.unwrap();
    sqlx::raw_sql("SET registry.scope = 'platform'").execute(&mut session).await.unwrap();
    session
}

async fn count(session: &mut PgConnection, sql: &'static str) -> i64 {
    sqlx::query(sql).fetch_one(session).await.unwrap().get(0)
}

#[tokio::test]
async fn it_sees_production_alone() {
    let stage = Stage::new(2).await;
    stage.activate(1, "production").await;
    stage.activate(2, "staging").await;
    let mut session = older(&stage).await;
    assert_eq!(count(&mut session, "SELECT count(*) FROM registry.activations").await, 1);
    // What an agent serves at a commit, as releases without environments ask for it.
    let newest = "SELECT v.number::bigint FROM registry.activations AS x JOIN registry.agent_versions AS v ON v.id = x.version_id \
        ORDER BY x.revision DESC, x.position DESC LIMIT 1";
    assert_eq!(
        count(&mut session, newest).await,
        1,
        "and not the version of staging, which was activated later"
    );
    let promoted =
        "mutation ($input: PromoteVersionInput!) { promoteVersion(input: $input) { userErrors { code } } }";
    let input = json!({ "agentId": stage.agent, "fromEnvironment": "staging", "toEnvironment": "production",
        "expectedFromVersionId": stage.versions[1], "expectedToVersionId": stage.versions[0] });
    stage.editor.gql(promoted, json!({ "input": input })).await.at("/promoteVersion");
    let known = "SELECT count(*) FROM registry.activations WHERE reason IN ('ACTIVATE', 'PUBLISH', 'ROLLBACK', 'DEACTIVATE', 'ARCHIVE')";
    assert_eq!(count(&mut session, known).await, 2, "it knows each reason that it reads");
}

#[tokio::test]
async fn what_it_writes_is_in_production() {
    let stage = Stage::new(2).await;
    stage.activate(2, "staging").await;
    let mut session = older(&stage).await;
    // A customer, and an activation: the rows and the entry that the first release writes.
    let customer = "INSERT INTO registry.customers (id, name, created_at, updated_at) VALUES (gen_random_uuid(), 'Old', now(), now())";
    sqlx::raw_sql(customer).execute(&mut session).await.unwrap();
    assert_eq!(count(&mut session, "SELECT count(*) FROM registry.environments WHERE is_default").await, 2);
    let activate = format!(
        "BEGIN;
         INSERT INTO registry.activations (id, customer_id, agent_id, version_id, reason, activated_by_kind, activated_at)
         VALUES ('00000000-0000-7000-8000-000000000001', '{customer}', '{agent}', '{version}', 'ACTIVATE', 'SYSTEM', now());
         UPDATE registry.agents SET active_version_id = '{version}', activated_at = now() WHERE id = '{agent}';
         SELECT registry.append_changes(jsonb_build_array(jsonb_build_object('action', 'agent.activated', 'customer_id', '{customer}',
             'agent_id', '{agent}', 'version_id', '{version}', 'subject_id', '00000000-0000-7000-8000-000000000001',
             'actor_kind', 'SYSTEM', 'details', '{{\"after\":{{\"version_id\":\"{version}\"}},\"before\":{{\"version_id\":null}},\"reason\":\"ACTIVATE\"}}')));
         COMMIT",
        customer = stage.customer, agent = stage.agent, version = stage.versions[0],
    );
    sqlx::raw_sql(AssertSqlSafe(activate)).execute(&mut session).await.unwrap();
    stage.app.caught_up().await;
    assert_eq!(stage.serves().await, json!({ "production": 1, "staging": 2, "dev": null }));
    let rest = stage.app.gateway().await;
    for (query, number) in [("", 1), ("?environment=staging", 2)] {
        let answer = rest.get(&format!("/internal/agents/{}/active{query}", stage.agent)).await;
        assert_eq!(answer.body["version_number"], number);
    }
    let system = agent_registry::domain::Caller::system("test");
    let report = stage.app.registry.verify_log(&system, &[], &mut |_| {}).await.unwrap();
    assert_eq!(report.violation, None);
}

#[tokio::test]
async fn it_can_not_archive_an_agent_that_serves_elsewhere() {
    let stage = Stage::new(1).await;
    stage.activate(1, "staging").await;
    let mut session = older(&stage).await;
    let archive = format!("UPDATE registry.agents SET archived_at = now() WHERE id = '{}'", stage.agent);
    let refused =
        sqlx::raw_sql(AssertSqlSafe(archive.clone())).execute(&mut session).await.unwrap_err().to_string();
    assert!(refused.contains("the agent serves in another environment"), "{refused}");
    stage.change("deactivate", "staging").await;
    sqlx::raw_sql(AssertSqlSafe(archive.clone())).execute(&mut session).await.unwrap();
    // And what is archived can't be served there, any program that writes it.
    sqlx::raw_sql("SET registry.environments = '{*}'").execute(&mut session).await.unwrap();
    let serve = format!(
        "UPDATE registry.servings SET active_version_id = '{}', activated_at = now()",
        stage.versions[0]
    );
    let refused = sqlx::raw_sql(AssertSqlSafe(serve)).execute(&mut session).await.unwrap_err().to_string();
    assert!(refused.contains("what is archived serves nothing"), "{refused}");
    assert_eq!(stage.editor.active_number(&stage.agent).await, serde_json::Value::Null);
}
