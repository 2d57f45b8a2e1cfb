//! Memory when the instance can't continue from its position in the log, because the log was pruned beyond it or
//! replaced. Nothing from before is served then, and all subscriptions end.

use agent_registry::domain::member::Role;
use chrono::Utc;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::prompt;
use crate::{
    rest::{City, assert_problem},
    support::{
        App, Calls,
        caller::Client,
        socket::Frame,
        wait::{eventually, until, within},
    },
};

/// A superuser's session in which no trigger fires.
async fn superuser(app: &App) -> PgConnection {
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    sqlx::raw_sql("SET session_replication_role = replica").execute(&mut session).await.unwrap();
    session
}

async fn run(session: &mut PgConnection, statements: impl Into<String>) {
    sqlx::raw_sql(AssertSqlSafe(statements.into())).execute(session).await.unwrap();
}

/// SQL that truncates the log after this revision.
fn set_back(revision: i64) -> String {
    format!(
        "DELETE FROM registry.changes WHERE revision > {revision};
         UPDATE registry.log_head SET (revision, position, at, chain_hash) = (SELECT revision, position, at, chain_hash
            FROM registry.changes ORDER BY revision DESC, position DESC LIMIT 1);"
    )
}

/// The instance's tail is blocked while changes are committed and pruned. The instance must not serve what these
/// entries would have evicted.
#[tokio::test]
async fn what_was_pruned_before_it_was_followed_is_not_served_from_memory() {
    let city = City::new().await;
    city.serve("old").await;
    let admin = city.app.member(&city.customer, Role::Admin).await;
    let gateway = city.app.gateway().await;
    let make = "mutation ($id: ID!) { createApiKey(input: { customerId: $id, name: \"k\", scopes: [CONFIGS_READ, ACTIVATIONS_WATCH] }) {
        apiKey { id } secret } }";
    let made = admin.gql(make, json!({ "id": city.customer })).await;
    let key = city.app.bearer(&made.text("/createApiKey/secret"));
    for client in [&gateway.0, &key] {
        assert_eq!(prompt(client, &city.active()).await, "old");
    }
    let watch = "subscription { activations { revision } }";
    let mut watching = key.socket().await;
    watching.subscribe("1", watch, Value::Null).await;
    until("the socket watches", || city.app.watchers() == 1).await;
    let other = city.app.another().await;
    city.app.caught_up().await;

    // The tail reads `log_floor`; writes don't.
    let mut holder = superuser(&city.app).await;
    run(&mut holder, "BEGIN; LOCK TABLE registry.log_floor IN ACCESS EXCLUSIVE MODE").await;
    let followed = city.app.door.hub.applied();
    let there = |client: &Client| Client::new(other.base.clone(), client.token.clone());
    let publish = json!({ "agentId": city.agent, "systemPrompt": "new", "modelName": "m", "activate": true });
    let publish = json!({ "input": publish });
    let mutation = "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) { revision } }";
    there(&city.editor).gql(mutation, publish).await.text("/publishVersion/revision");
    let revoke = "mutation ($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { revision } }";
    let id = json!({ "id": made.text("/createApiKey/apiKey/id") });
    there(&admin).gql(revoke, id).await.text("/revokeApiKey/revision");
    let create =
        "mutation ($id: ID!) { createAgent(input: { customerId: $id, name: \"Last\" }) { revision } }";
    let id = json!({ "id": city.customer });
    let last = there(&admin).gql(create, id).await.text("/createAgent/revision");
    assert_eq!(city.app.door.hub.applied(), followed, "the tail is blocked");
    run(&mut holder, "UPDATE registry.log_floor SET keep = '0'; SET LOCAL registry.scope = 'platform'").await;
    let prune = format!("SELECT registry.prune_changes('{}', 1000)", Utc::now().to_rfc3339());
    let floor: Option<i64> = sqlx::query_scalar(AssertSqlSafe(prune)).fetch_one(&mut holder).await.unwrap();
    assert!(floor.is_some_and(|floor| floor > followed.0), "{floor:?} is not beyond {followed}");
    run(&mut holder, "COMMIT").await;

    let last: i64 = last.parse().unwrap();
    until("the instance follows again", || city.app.door.hub.applied().0 > last).await;
    city.app.caught_up().await;
    assert_eq!(prompt(&gateway, &city.active()).await, "new");
    assert_eq!(key.get(&city.active()).await.status, 401);
    // The socket of the revoked key is closed, although no entry about its revocation was read.
    let end = within("the socket of the revoked key is closed", async {
        loop {
            match watching.next().await {
                Frame::Message(_) => {}
                closed @ Frame::Closed(..) => return closed,
            }
        }
    });
    assert!(matches!(end.await, Frame::Closed(4401 | 4403, _)));
    other.stop().await;
}

/// The log is replaced in one transaction, so that no read finds it shorter.
#[tokio::test]
async fn another_log_that_ends_at_the_same_revision_is_noticed() {
    let city = City::new().await;
    let first = city.serve("one").await;
    let gateway = city.app.gateway().await;
    let before = city.revision().await;
    let second = city.serve("two").await;
    assert_eq!(city.revision().await, before + 1);
    assert_eq!(prompt(&gateway, &city.active()).await, "two");
    let mut socket = city.operator.socket().await;
    socket.subscribe("1", "subscription { changes { revision } }", Value::Null).await;
    until("the socket watches", || city.app.watchers() == 1).await;
    city.app.caught_up().await;

    let mut holder = superuser(&city.app).await;
    let entry = json!([{ "action": "operator.added", "actor_kind": "SYSTEM", "details": "{}" }]);
    let another = format!(
        "BEGIN; {} UPDATE registry.agents SET (active_version_id, latest_number) = ({version}, 1);
         UPDATE registry.servings SET active_version_id = {version};
         DELETE FROM registry.activations WHERE version_id = {};
         DELETE FROM registry.agent_versions WHERE id = {};
         SELECT registry.append_changes('{entry}'); COMMIT",
        set_back(before),
        quoted(&second.body["id"]),
        quoted(&second.body["id"]),
        version = quoted(&first.body["id"]),
    );
    run(&mut holder, another).await;
    assert_eq!(city.revision().await, before + 1, "the other log ends at the same revision");

    // No later write reveals the replacement.
    let Frame::Message(ended) = socket.next().await else { panic!("closed") };
    assert_eq!(ended["payload"]["errors"][0]["extensions"]["code"], "CURSOR_INVALID", "{ended}");
    eventually("the configuration of the other log is served", async || {
        prompt(&gateway, &city.active()).await == "one"
    })
    .await;
}

/// Reads for subscribers are cached by revision and agent, which mean something else in another log.
#[tokio::test]
async fn a_reading_of_the_log_that_was_is_told_to_nobody() {
    let city = City::new().await;
    let first = city.serve("one").await;
    let before = city.revision().await;
    let (second, third) =
        (city.editor.publish(&city.agent, "two").await, city.editor.publish(&city.agent, "three").await);
    let gateway = city.app.gateway().await;
    let configs =
        "subscription ($after: Cursor) { configs(after: $after) { kind revision config { systemPrompt } } }";
    let mut socket = gateway.socket().await;
    socket.subscribe("1", configs, Value::Null).await;
    for kind in ["SNAPSHOT", "BOOKMARK"] {
        assert_eq!(socket.event().await["data"]["configs"]["kind"], kind);
    }
    let published = city.revision().await;
    city.editor.activate(&city.agent, &second).await.text("/activateVersion/revision");
    let told = socket.event().await["data"]["configs"].clone();
    assert_eq!(
        (&told["revision"], &told["config"]["systemPrompt"]),
        (&json!((published + 1).to_string()), &json!("two"))
    );

    let mut holder = superuser(&city.app).await;
    let another = format!(
        "BEGIN; {} UPDATE registry.agents SET active_version_id = {};
         DELETE FROM registry.activations WHERE version_id = {}; COMMIT",
        set_back(published),
        quoted(&first.body["id"]),
        quoted(&json!(second)),
    );
    run(&mut holder, another).await;
    let Frame::Message(ended) = socket.next().await else { panic!("closed") };
    assert_eq!(ended["payload"]["errors"][0]["extensions"]["code"], "CURSOR_INVALID", "{ended}");
    let done = city.editor.activate(&city.agent, &third).await.text("/activateVersion/revision");
    assert_eq!(done, (published + 1).to_string(), "the same revision as in the former log");

    let mut later = gateway.socket().await;
    later.subscribe("1", configs, json!({ "after": before.to_string() })).await;
    let told = within("the change is sent", async {
        loop {
            let event = later.event().await["data"]["configs"].clone();
            if event["revision"] == done.as_str() && event["kind"] == "UPSERT" {
                return event;
            }
        }
    });
    assert_eq!(told.await["config"]["systemPrompt"], "three");
    assert_eq!(prompt(&gateway, &city.active()).await, "three");
    assert_problem(
        &gateway.get("/internal/agents/01a20326-e777-71ce-9264-eefdca7dad0e/active").await,
        404,
        "NOT_FOUND",
    );
}

fn quoted(id: &Value) -> String {
    format!("'{}'", id.as_str().unwrap())
}
