//! Versions: numbered without gaps, immutable, within limits.

use agent_registry::domain::member::Role;
use futures_util::future::join_all;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::{
    App, Calls,
    caller::Member,
    wait::{waits_for_a_lock, within},
};

/// How many callers publish concurrently.
const PUBLISHERS: usize = 100;

async fn with_agent() -> (App, Member, String) {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let agent = editor.agent(&customer, "Helper").await;
    (app, editor, agent)
}

async fn numbers(caller: &Member, agent: &str) -> Vec<i64> {
    let query = "query ($id: ID!) { agent(id: $id) { versions(last: 100) { totalCount nodes { number } } } }";
    let answer = caller.gql(query, json!({ "id": agent })).await;
    let nodes = answer.at("/agent/versions/nodes").as_array().unwrap().clone();
    assert_eq!(answer.at("/agent/versions/totalCount"), nodes.len());
    nodes.iter().map(|node| node["number"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn what_was_published_is_what_is_read() {
    let (_app, editor, agent) = with_agent().await;
    let input = json!({
        "agentId": agent, "systemPrompt": "You help.\r\n\tGrüße, 你好 \u{1F600}\u{7}", "modelName": "gpt-4-turbo",
        "modelParameters": { "temperature": 0.7, "stop": ["a", null, true], "max_tokens": 4096, "tiny": 5e-324 },
        "tools": [{ "name": "search", "description": "Looks it up", "inputSchema": { "type": "object", "properties": { "q": { "type": "string" } } } }],
        "message": "first",
    });
    let published = editor.publish_input(input.clone()).await;
    assert_eq!(published.at("/publishVersion/userErrors"), &json!([]));
    let query = "query ($id: ID!) { agent(id: $id) { activeVersion { id } version(number: 1) {
        number systemPrompt modelName modelParameters tools { name description inputSchema } contentHash message isActive } } }";
    let answer = editor.gql(query, json!({ "id": agent })).await;
    let version = answer.at("/agent/version");
    for field in ["systemPrompt", "modelName", "modelParameters", "tools", "message"] {
        assert_eq!(version[field], input[field], "{field}");
    }
    // Computed with sha256sum from a handwritten canonical text.
    assert_eq!(version["contentHash"], "1c6f85c10926c9a18607557e8d08f6aa25c48e45520464fbfeb2d5a2426ae608");
    assert_eq!(answer.at("/agent/activeVersion"), &Value::Null, "publishing does not activate");
}

#[tokio::test]
async fn a_hundred_publishers_at_once_leave_no_gap() {
    let (_app, editor, agent) = with_agent().await;
    let answers = join_all((0..PUBLISHERS).map(|nth| {
        let (editor, agent) = (editor.clone(), agent.clone());
        async move { editor.publish(&agent, &format!("prompt {nth}")).await }
    }));
    let mut ids = answers.await;
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), PUBLISHERS);
    let expected: Vec<i64> = (1..=100).rev().collect();
    assert_eq!(numbers(&editor, &agent).await, expected);
}

#[tokio::test]
async fn who_expects_another_number_is_refused() {
    let (_app, editor, agent) = with_agent().await;
    let input = |expected: i32| json!({ "agentId": agent, "systemPrompt": "x", "modelName": "m", "expectedLatestNumber": expected });
    assert_eq!(editor.publish_input(input(0)).await.at("/publishVersion/version/number"), 1);
    let refused = editor.publish_input(input(0)).await;
    assert_json_snapshot!(refused.at("/publishVersion"), @r#"
    {
      "revision": null,
      "userErrors": [
        {
          "code": "CONFLICT",
          "field": "expectedLatestNumber",
          "message": "the newest version is number 1, not 0"
        }
      ],
      "version": null
    }
    "#);
    assert_eq!(numbers(&editor, &agent).await, [1]);
}

#[tokio::test]
async fn what_passes_a_limit_is_refused_and_not_stored() {
    let (_app, editor, agent) = with_agent().await;
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    let tool = |nth: usize| json!({ "name": format!("tool-{nth}") });
    let cases: Vec<(Value, &str, &str)> = vec![
        (json!({ "systemPrompt": "x".repeat(512 * 1024 + 1) }), "TOO_LARGE", "systemPrompt"),
        (json!({ "systemPrompt": "a\u{0}b" }), "INVALID", "systemPrompt"),
        (json!({ "modelName": "" }), "INVALID", "modelName"),
        (json!({ "modelName": "x".repeat(201) }), "TOO_LARGE", "modelName"),
        (json!({ "modelName": "a\nb" }), "INVALID", "modelName"),
        (json!({ "modelParameters": [1] }), "INVALID", "modelParameters"),
        (json!({ "modelParameters": "text" }), "INVALID", "modelParameters"),
        (json!({ "modelParameters": { "deep": deep } }), "INVALID", "modelParameters"),
        (json!({ "modelParameters": { "big": 9_007_199_254_740_993_i64 } }), "INVALID", "modelParameters"),
        (json!({ "modelParameters": { "a\u{0}": 1 } }), "INVALID", "modelParameters"),
        (json!({ "modelParameters": { "long": "x".repeat(64 * 1024) } }), "TOO_LARGE", "modelParameters"),
        (json!({ "tools": (0..129).map(tool).collect::<Vec<_>>() }), "TOO_LARGE", "tools"),
        (json!({ "tools": [tool(1), tool(2), tool(1)] }), "INVALID", "tools.2.name"),
        (json!({ "tools": [{ "name": " " }] }), "INVALID", "tools.0.name"),
        (
            json!({ "tools": [{ "name": "t", "inputSchema": { "type": "nonsense" } }] }),
            "INVALID",
            "tools.0.inputSchema",
        ),
        (json!({ "tools": [{ "name": "t", "inputSchema": "text" }] }), "INVALID", "tools.0.inputSchema"),
        (
            json!({ "tools": [{ "name": "t", "inputSchema": { "$schema": "http://nowhere.invalid/x" } }] }),
            "INVALID",
            "tools.0.inputSchema",
        ),
        (json!({ "message": "x".repeat(2001) }), "TOO_LARGE", "message"),
        (json!({ "agentId": "not-an-id" }), "INVALID", "agentId"),
        (json!({ "agentId": "01a20326-e777-71ce-9264-eefdca7dad0e" }), "NOT_FOUND", ""),
    ];
    for (change, code, field) in cases {
        let mut input = json!({ "agentId": agent, "systemPrompt": "x", "modelName": "m" });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = editor.publish_input(input).await;
        let error = answer.at("/publishVersion/userErrors/0");
        assert_eq!(
            (error["code"].as_str().unwrap(), error["field"].as_str().unwrap_or("")),
            (code, field),
            "{error}"
        );
        assert_eq!(answer.at("/publishVersion/version"), &Value::Null);
    }
    assert!(numbers(&editor, &agent).await.is_empty());
    let largest = json!({ "agentId": agent, "systemPrompt": "x".repeat(512 * 1024), "modelName": "m" });
    assert_eq!(editor.publish_input(largest).await.at("/publishVersion/version/number"), 1);
}

#[tokio::test]
async fn not_even_the_tables_owner_changes_one() {
    let (app, editor, agent) = with_agent().await;
    editor.publish(&agent, "for ever").await;
    // As the owner, and as superuser, whom no policy restricts.
    for url in [&app.database.owner_url, &app.database.admin_url] {
        let mut session = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql("SET registry.scope = 'platform'").execute(&mut session).await.unwrap();
        for statement in [
            "UPDATE registry.agent_versions SET system_prompt = 'changed'",
            "UPDATE registry.agent_versions SET number = 7",
            "DELETE FROM registry.agent_versions",
            "TRUNCATE registry.agent_versions CASCADE",
            "UPDATE registry.changes SET details = '{}'",
            "DELETE FROM registry.changes",
            "TRUNCATE registry.changes",
            "DELETE FROM registry.agents",
            "INSERT INTO registry.agent_versions (id, customer_id, agent_id, number, system_prompt, model_name, model_parameters,
                tools, message, content_hash, created_by_kind, created_by_id, created_at)
             SELECT gen_random_uuid(), customer_id, agent_id, 3, system_prompt, model_name, model_parameters,
                tools, message, content_hash, created_by_kind, created_by_id, created_at FROM registry.agent_versions",
        ] {
            let refused = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut session).await;
            match refused {
                // No policy gives this role a row, so the trigger has none to reject.
                Ok(done) => assert_eq!((done.rows_affected(), url), (0, &app.database.owner_url), "{statement}"),
                Err(err) => {
                    let code = err.as_database_error().unwrap().code().unwrap().into_owned();
                    assert!(["23001", "23514"].contains(&code.as_str()), "{statement}: {code}");
                }
            }
        }
    }
    assert_eq!(numbers(&editor, &agent).await, [1]);
}

#[tokio::test]
async fn a_viewer_reads_but_does_not_publish() {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    let (editor, viewer) =
        (app.member(&customer, Role::Editor).await, app.member(&customer, Role::Viewer).await);
    let agent = editor.agent(&customer, "Helper").await;
    let refused =
        viewer.publish_input(json!({ "agentId": agent, "systemPrompt": "x", "modelName": "m" })).await;
    assert_eq!(refused.code(), Some("FORBIDDEN"));
    assert!(numbers(&viewer, &agent).await.is_empty());
}

const INSERT: &str = "INSERT INTO registry.agent_versions (id, customer_id, agent_id, number, system_prompt, model_name,
    model_parameters, tools, content_hash, created_by_kind, created_at)
    SELECT gen_random_uuid(), customer_id, id, n, '', 'm', '{}', '[]', sha256(''), 'SYSTEM', now() FROM registry.agents, ";

/// Any write to the tables, of one version or many: no number is above the agent's, and each follows the one before.
#[tokio::test]
async fn no_statement_leaves_a_gap_between_numbers() {
    let (app, editor, agent) = with_agent().await;
    editor.publish(&agent, "one").await;
    let mut owner = PgConnection::connect(&app.database.admin_url).await.unwrap();
    sqlx::raw_sql("UPDATE registry.agents SET latest_number = 5").execute(&mut owner).await.unwrap();
    for numbers in
        ["(VALUES (3))", "(VALUES (2), (4))", "(VALUES (0))", "generate_series(2, 6)", "(VALUES (1))"]
    {
        let insert = format!("{INSERT} {numbers} AS n (n)");
        let err = sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut owner).await.expect_err(numbers);
        let constraint = err.as_database_error().and_then(|err| err.constraint()).unwrap_or_default();
        assert!(constraint.starts_with("agent_versions_"), "{numbers}: {err}");
    }
    let insert = format!("{INSERT} (VALUES (5), (3), (2), (4)) AS n (n)");
    sqlx::raw_sql(AssertSqlSafe(insert)).execute(&mut owner).await.unwrap();
    assert_eq!(numbers(&editor, &agent).await, [5, 4, 3, 2, 1]);
}

/// One statement locks both, always in this order. Otherwise a suspension or an erasure could deadlock with a
/// writer.
#[tokio::test]
async fn its_customer_is_locked_before_its_agent() {
    let (app, editor, agent) = with_agent().await;
    let mut holder = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let mut other = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let lock = |table: &str| format!("SELECT FROM registry.{table} FOR NO KEY UPDATE");
    for (held, other_is_free) in [("customers", true), ("agents", false)] {
        sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {}", lock(held)))).execute(&mut holder).await.unwrap();
        let publishing = tokio::spawn({
            let (editor, agent) = (editor.clone(), agent.clone());
            async move { editor.publish(&agent, "waits").await }
        });
        waits_for_a_lock(&mut other, "%OF c%").await;
        let not_held = if held == "customers" { "agents" } else { "customers" };
        let free =
            sqlx::raw_sql(AssertSqlSafe(format!("{} NOWAIT", lock(not_held)))).execute(&mut other).await;
        assert_eq!(free.is_ok(), other_is_free, "{not_held} while {held} are held");
        sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();
        within("the version is published", publishing).await.unwrap();
    }
    assert_eq!(numbers(&editor, &agent).await, [2, 1]);
}
