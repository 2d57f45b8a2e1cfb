//! The log of sessions: who signed in and out, and what was done at the console.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::browser::Browser;
use crate::support::{App, Calls};

/// Action, channel, network, kind of actor, and whether actor and subject are this user, of the entries after a revision.
type Entry = (String, String, Option<String>, String, bool, bool);

async fn entries(app: &App, user: &str, after: i64) -> Vec<Entry> {
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let all = "SELECT action, channel, network, actor_kind, coalesce(actor_id = $1::text::uuid, false),
        coalesce(subject_id = $1::text::uuid, false) FROM registry.changes WHERE revision > $2 ORDER BY revision, position";
    sqlx::query_as(all).bind(user).bind(after).fetch_all(&mut admin).await.unwrap()
}

#[tokio::test]
async fn the_log_has_each_sign_in_and_sign_out_and_the_channel_of_each_change() {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    let user = app.set_member(&customer, "ada", Role::Editor).await;
    let before = app.registry.head().await.unwrap().revision.0;
    let browser = Browser::sign_in(&app, "ada").await;
    let create =
        "mutation ($id: ID!) { createAgent(input: { customerId: $id, name: \"Helper\" }) { agent { id } } }";
    browser.gql(create, json!({ "id": customer })).await.text("/createAgent/agent/id");
    let mut socket = browser.socket().await;
    let create =
        "mutation ($id: ID!) { createAgent(input: { customerId: $id, name: \"Clerk\" }) { agent { id } } }";
    socket.subscribe("1", create, json!({ "id": customer })).await;
    socket.event().await;
    app.user("ada", None)
        .gql("mutation { updateProfile(input: { name: \"Ada\" }) { revision } }", Value::Null)
        .await;
    assert_eq!(browser.sign_out().await.status, 200);
    let network = || Some("127.0.0.0/24".to_owned());
    let entry = |action: &str, channel: &str, is_about: bool| {
        (action.to_owned(), channel.to_owned(), network(), "USER".to_owned(), true, is_about)
    };
    let expected = [
        entry("session.started", "CONSOLE", true),
        entry("agent.created", "CONSOLE", false),
        entry("agent.created", "CONSOLE", false),
        entry("user.updated", "GRAPHQL", true),
        entry("session.ended", "CONSOLE", true),
    ];
    assert_eq!(entries(&app, &user, before).await, expected);
    let admin = app.member(&customer, Role::Admin).await;
    let channels = admin.gql(
        "query ($id: ID!) { customer(id: $id) { changes(first: 10) { nodes { channel } } } }",
        json!({ "id": customer }),
    );
    let channels = channels.await;
    assert!(channels.body.to_string().contains("CONSOLE"), "{}", channels.body);
}

#[tokio::test]
async fn a_session_may_do_what_its_user_may_and_no_more() {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    app.set_member(&customer, "ada", Role::Editor).await;
    let browser = Browser::sign_in(&app, "ada").await;
    let mint = "mutation ($id: ID!) { createApiKey(input: { customerId: $id, name: \"mine\", scopes: [AGENTS_READ] }) { secret } }";
    assert_eq!(browser.gql(mint, json!({ "id": customer })).await.code(), Some("FORBIDDEN"));
    let mint =
        "mutation { createServiceToken(input: { name: \"mine\", scopes: [CONFIGS_READ] }) { secret } }";
    assert_eq!(browser.gql(mint, Value::Null).await.code(), Some("FORBIDDEN"));
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let made =
        "SELECT (SELECT count(*) FROM registry.api_keys) + (SELECT count(*) FROM registry.service_tokens)";
    assert_eq!(sqlx::query_scalar::<_, i64>(made).fetch_one(&mut admin).await.unwrap(), 0);
    // It reads what the user's token reads.
    let query = "{ viewer { kind name permissions memberships { role permissions } } }";
    let by_token = app.user("ada", None).gql(query, Value::Null).await;
    assert_eq!(browser.gql(query, Value::Null).await.at("/viewer"), by_token.at("/viewer"));
    let agent = app.operator().await.agent(&customer, "Helper").await;
    let read = browser.gql("query ($id: ID!) { agent(id: $id) { name } }", json!({ "id": agent })).await;
    assert_eq!(read.at("/agent/name"), "Helper");
}
