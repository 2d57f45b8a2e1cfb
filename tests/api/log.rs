//! The change log: each write is recorded in its own commit, and anyone can verify the chain.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection, Row};

use crate::support::{App, Calls};

/// Makes writes of several kinds. Returns the customer's id.
async fn busy(app: &App) -> String {
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let agent = editor.agent(&customer, "Helper").await;
    let version = editor.publish(&agent, "Grüße").await;
    editor.activate(&agent, &version).await;
    let input = json!({ "agentId": agent, "systemPrompt": "more", "modelName": "m", "activate": true });
    editor.publish_input(input).await;
    let update =
        "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { userErrors { code } } }";
    editor.gql(update, json!({ "input": { "agentId": agent, "description": "d" } })).await;
    let archive =
        "mutation ($input: ArchiveAgentInput!) { archiveAgent(input: $input) { userErrors { code } } }";
    editor.gql(archive, json!({ "input": { "agentId": agent } })).await;
    customer
}

#[tokio::test]
async fn all_that_was_done_is_in_it_commit_by_commit() {
    let app = App::start().await;
    busy(&app).await;
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let rows =
        sqlx::query("SELECT revision, position, action, actor_kind FROM registry.changes ORDER BY 1, 2");
    let rows = rows.fetch_all(&mut session).await.unwrap();
    let rows: Vec<(i64, i32, String, String)> =
        rows.iter().map(|r| (r.get(0), r.get(1), r.get(2), r.get(3))).collect();
    let rows: Vec<_> = rows
        .iter()
        .map(|(revision, position, action, actor)| format!("{revision}.{position} {action} {actor}"))
        .collect();
    assert_eq!(
        rows,
        [
            "1.1 operator.added SYSTEM",
            "2.1 user.created OPERATOR",
            "2.2 customer.created OPERATOR",
            "3.1 user.created SYSTEM",
            "3.2 member.set SYSTEM",
            "4.1 agent.created USER",
            "5.1 version.published USER",
            "6.1 agent.activated USER",
            "7.1 version.published USER",
            "7.2 agent.activated USER",
            "8.1 agent.updated USER",
            "9.1 agent.deactivated USER",
            "9.2 agent.archived USER",
        ]
    );
}

/// Feeds one field to the row's hash.
fn field(hash: &mut Sha256, value: Option<&str>) {
    match value {
        None => hash.update([0xff; 4]),
        Some(text) => {
            hash.update(u32::try_from(text.len()).unwrap().to_be_bytes());
            hash.update(text);
        }
    }
}

/// The number of the first row with a wrong hash, computed by this test itself.
pub(crate) async fn first_broken(session: &mut PgConnection) -> Option<i64> {
    let head = sqlx::query("SELECT log_id::text, chain_hash FROM registry.log_head")
        .fetch_one(&mut *session)
        .await
        .unwrap();
    let mut chain: Vec<u8> =
        Sha256::digest(format!("agent-registry change log {}", head.get::<String, _>(0))).to_vec();
    let columns = "revision::text, position::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), customer_id::text,
        agent_id::text, version_id::text, subject_id::text, action, actor_kind, actor_id::text, request_id, details, channel, network, salt::text, chain_hash, revision";
    let query = format!("SELECT {columns} FROM registry.changes ORDER BY changes.revision, changes.position");
    for row in sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(session).await.unwrap() {
        let mut hash = Sha256::new();
        for column in 0..15 {
            field(&mut hash, row.get::<Option<String>, _>(column).as_deref());
        }
        chain = Sha256::new().chain_update(&chain).chain_update(hash.finalize()).finalize().to_vec();
        if chain != row.get::<Vec<u8>, _>(15) {
            return Some(row.get(16));
        }
    }
    (chain != head.get::<Vec<u8>, _>(1)).then_some(i64::MAX)
}

#[tokio::test]
async fn its_chain_holds_and_shows_what_was_tampered_with() {
    let app = App::start().await;
    busy(&app).await;
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    assert_eq!(first_broken(&mut session).await, None);
    for (tampering, broken) in [
        ("UPDATE registry.changes SET actor_kind = 'SYSTEM' WHERE revision = 5", 5),
        ("DELETE FROM registry.changes WHERE revision = 4", 5),
        ("DELETE FROM registry.changes WHERE revision = 9", i64::MAX),
    ] {
        // A superuser can turn the triggers off, but the chain shows the change.
        sqlx::raw_sql("BEGIN; ALTER TABLE registry.changes DISABLE TRIGGER ALL")
            .execute(&mut session)
            .await
            .unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(tampering)).execute(&mut session).await.unwrap();
        assert_eq!(first_broken(&mut session).await, Some(broken), "{tampering}");
        sqlx::raw_sql("ROLLBACK").execute(&mut session).await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_write_leaves_nothing_and_no_number() {
    let app = App::start().await;
    let customer = busy(&app).await;
    let before = app.registry.head().await.unwrap();
    let editor = app.member(&customer, Role::Editor).await;
    let create =
        "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { userErrors { code } } }";
    let too_long = "x".repeat(201);
    for name in ["Helper", "", " ", "a\u{0}", "line\nbreak", &too_long] {
        let refused = editor.gql(create, json!({ "input": { "customerId": customer, "name": name } })).await;
        assert!(refused.at("/createAgent/userErrors/0/code").is_string(), "{name:?}");
    }
    let owner =
        json!({ "customerId": customer, "name": "New", "ownerId": "01a20326-e777-71ce-9264-eefdca7dad0e" });
    let refused = editor.gql(create, json!({ "input": owner })).await;
    assert_eq!(refused.text("/createAgent/userErrors/0/code"), "INVALID");
    assert_eq!(app.registry.head().await.unwrap(), before);
    let count = editor.gql("{ agents { totalCount } }", Value::Null).await;
    assert_eq!(count.at("/agents/totalCount"), 1);
}

#[tokio::test]
async fn many_writers_at_once_leave_no_gap_in_its_numbers() {
    let app = App::start().await;
    let operator = app.operator().await;
    let names: Vec<String> = (0..60).map(|nth| format!("Customer {nth}")).collect();
    futures_util::future::join_all(names.iter().map(|name| operator.customer(name))).await;
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let gaps = sqlx::query("SELECT count(DISTINCT revision), max(revision) FROM registry.changes")
        .fetch_one(&mut session)
        .await
        .unwrap();
    assert_eq!(gaps.get::<i64, _>(0), gaps.get::<i64, _>(1));
    assert_eq!(app.registry.head().await.unwrap().revision.0, gaps.get::<i64, _>(1));
    assert_eq!(first_broken(&mut session).await, None);
}
