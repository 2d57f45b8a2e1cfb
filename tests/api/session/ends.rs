//! What ends a session: signing out, a revocation, its expiry, a removal, an erasure. Its sockets and streams end too.

use std::time::{Duration, Instant};

use agent_registry::domain::{Caller, auth::jwt::LOCAL_ISSUER, member::Role};
use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::browser::Browser;
use crate::{
    socket::{ACTIVATIONS, NAMES, impatient, until},
    support::{
        App, Calls,
        events::SseMessage,
        socket::Frame,
        wait::{eventually, waits_for_a_lock},
    },
};

const REVOKE: &str = "mutation ($id: ID!) { revokeSession(input: { sessionId: $id }) { sessionId revision userErrors { code } } }";
const REVOKE_OTHERS: &str =
    "mutation { revokeOtherSessions(input: {}) { sessionIds revision userErrors { code } } }";

/// A customer with an agent, and the browser of a member with this role.
async fn member(app: &App, role: Role) -> (String, Browser) {
    let customer = app.operator().await.customer("City").await;
    app.set_member(&customer, "ada", role).await;
    (customer, Browser::sign_in(app, "ada").await)
}

#[tokio::test]
async fn signing_out_ends_the_session_on_every_instance() {
    let app = App::with(impatient()).await;
    let other = app.another().await;
    let (_, browser) = member(&app, Role::Viewer).await;
    // The cookie's name holds the port.
    let port = |address: &str| address.split_once(':').unwrap().1.to_owned();
    let cookie = browser.cookie.replacen(&port(app.address()), &port(other.address()), 1);
    let elsewhere = Browser { base: other.base.clone(), cookie, ..browser.clone() };
    assert_eq!(elsewhere.gql(NAMES, Value::Null).await.status, 200);
    let stays = Browser::sign_in(&app, "ada").await;
    let (mut socket, events) = (elsewhere.socket().await, browser.events(ACTIVATIONS).await);
    socket.subscribe("1", ACTIVATIONS, Value::Null).await;
    until("both subscriptions are open", || app.watchers() == 1 && other.watchers() == 1).await;

    let answer = browser.sign_out().await;
    let removed = answer.header("set-cookie").unwrap();
    assert!(answer.status == 200 && removed.contains("=; ") && removed.contains("Max-Age=0"), "{removed}");
    let began = Instant::now();
    assert_eq!(socket.next().await, Frame::Closed(4403, "Forbidden".to_owned()));
    let cut = SseMessage::Comment("the credential is not accepted any more".to_owned());
    assert_eq!(events.rest().await, [cut, SseMessage::End]);
    // The documented limit is a second; allow five for a busy machine.
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(browser.gql(NAMES, Value::Null).await.status, 401);
    until("the other instance has followed the log", || other.watchers() == 0).await;
    assert_eq!(elsewhere.gql(NAMES, Value::Null).await.status, 401);
    assert_eq!(stays.gql(NAMES, Value::Null).await.status, 200, "another session of the same user");
    assert_eq!(browser.sign_out().await.status, 200, "signing out again is no error");
}

#[tokio::test]
async fn a_user_revokes_its_sessions_and_nobody_elses() {
    let app = App::with(impatient()).await;
    let (customer, one) = member(&app, Role::Admin).await;
    app.set_member(&customer, "bob", Role::Admin).await;
    let (two, three, bob) = (
        Browser::sign_in(&app, "ada").await,
        Browser::sign_in(&app, "ada").await,
        Browser::sign_in(&app, "bob").await,
    );
    let (id, bobs) = (two.session().await, bob.session().await);

    let mut socket = two.socket().await;
    let refused = one.gql(REVOKE, json!({ "id": bobs })).await;
    assert_eq!(refused.at("/revokeSession/userErrors"), &json!([{ "code": "NOT_FOUND" }]));
    assert_eq!(bob.gql(NAMES, Value::Null).await.status, 200);
    let key = app.program(&customer, agent_registry::domain::KeyScope::ALL).await;
    assert_eq!(key.gql(REVOKE, json!({ "id": id })).await.code(), Some("FORBIDDEN"));
    let operator = app.operator().await.gql(REVOKE, json!({ "id": id })).await;
    assert_eq!(operator.at("/revokeSession/userErrors"), &json!([{ "code": "NOT_FOUND" }]));
    assert_eq!(two.gql(NAMES, Value::Null).await.status, 200, "nothing was revoked yet");

    let answer = one.gql(REVOKE, json!({ "id": id })).await;
    assert_eq!(answer.at("/revokeSession/sessionId"), &json!(id));
    assert_eq!(socket.next().await, Frame::Closed(4403, "Forbidden".to_owned()));
    assert_eq!(two.gql(NAMES, Value::Null).await.status, 401);
    let again = one.gql(REVOKE, json!({ "id": id })).await;
    assert_eq!(again.at("/revokeSession/revision"), answer.at("/revokeSession/revision"));

    let answer = one.gql(REVOKE_OTHERS, Value::Null).await;
    assert_eq!(answer.at("/revokeOtherSessions/sessionIds").as_array().map(Vec::len), Some(1));
    assert_eq!(three.gql(NAMES, Value::Null).await.status, 401);
    let sessions = one.gql("{ viewer { sessions { isCurrent } } }", Value::Null).await;
    assert_eq!(sessions.at("/viewer/sessions"), &json!([{ "isCurrent": true }]));
    let none = one.gql(REVOKE_OTHERS, Value::Null).await;
    assert_eq!(none.at("/revokeOtherSessions/sessionIds"), &json!([]));
    assert_eq!(none.at("/revokeOtherSessions/revision"), answer.at("/revokeOtherSessions/revision"));
    // A token of the same user has no session of its own to keep.
    app.user("ada", None).gql(REVOKE_OTHERS, Value::Null).await.at("/revokeOtherSessions/sessionIds");
    assert_eq!(one.gql(NAMES, Value::Null).await.status, 401);
    assert_eq!(bob.gql(NAMES, Value::Null).await.status, 200);
}

#[tokio::test]
async fn a_repeated_revocation_has_the_same_answer() {
    let app = App::start().await;
    let (_, one) = member(&app, Role::Viewer).await;
    let two = Browser::sign_in(&app, "ada").await.session().await;
    let revoke =
        "mutation { revokeOtherSessions(input: { idempotencyKey: \"once\" }) { sessionIds revision } }";
    let first = one.gql(revoke, Value::Null).await;
    assert_eq!(first.at("/revokeOtherSessions/sessionIds"), &json!([two]));
    let head = app.registry.head().await.unwrap().revision;
    let again = one.gql(revoke, Value::Null).await;
    assert_eq!(again.at("/revokeOtherSessions"), first.at("/revokeOtherSessions"));
    assert_eq!(app.registry.head().await.unwrap().revision, head);
}

#[tokio::test]
async fn a_session_that_is_not_used_expires_after_eight_hours() {
    let app = App::with(impatient()).await;
    let (_, browser) = member(&app, Role::Viewer).await;
    let mut socket = browser.socket().await;
    app.clock.shift(TimeDelta::hours(8) - TimeDelta::seconds(5));
    assert_eq!(browser.gql(NAMES, Value::Null).await.status, 200);
    // The use is stored beside the request.
    let last_seen = async || {
        let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
        let stored = "SELECT last_seen_at > created_at FROM registry.sessions";
        sqlx::query_scalar::<_, bool>(stored).fetch_one(&mut admin).await.unwrap()
    };
    eventually("the use is stored", last_seen).await;
    app.clock.shift(TimeDelta::seconds(10));
    assert_eq!(socket.next().await, Frame::Closed(4403, "token expired".to_owned()), "unused all the time");
    assert_eq!(browser.gql(NAMES, Value::Null).await.status, 200, "used ten seconds ago");
    app.clock.shift(TimeDelta::hours(8) + TimeDelta::seconds(1));
    assert_eq!(browser.gql(NAMES, Value::Null).await.status, 401);
    let again = Browser::sign_in(&app, "ada").await;
    let sessions = again.gql("{ viewer { sessions { isCurrent } } }", Value::Null).await;
    assert_eq!(
        sessions.at("/viewer/sessions"),
        &json!([{ "isCurrent": true }]),
        "an expired one isn't listed"
    );
}

#[tokio::test]
async fn a_session_expires_after_a_day_however_much_it_is_used() {
    let app = App::with(impatient()).await;
    let (_, browser) = member(&app, Role::Viewer).await;
    for hour in 0..4 {
        app.let_pass(TimeDelta::minutes(359)).await;
        let answer = browser.gql("{ viewer { expiresAt } }", Value::Null).await;
        assert_eq!(answer.status, 200, "{hour}");
        // Its use is stored by another task.
        let is_stored = async || {
            let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
            let stored =
                "SELECT last_seen_at - created_at > make_interval(mins => $1) FROM registry.sessions";
            let minutes = 359 * (hour + 1) - 1;
            sqlx::query_scalar::<_, bool>(stored).bind(minutes).fetch_one(&mut admin).await.unwrap()
        };
        eventually("the use is stored", is_stored).await;
    }
    let mut socket = browser.socket().await;
    app.clock.shift(TimeDelta::minutes(5));
    assert_eq!(socket.next().await, Frame::Closed(4403, "token expired".to_owned()));
    assert_eq!(browser.gql(NAMES, Value::Null).await.status, 401);
}

#[tokio::test]
async fn a_member_who_is_removed_sees_nothing_more() {
    let app = App::with(impatient()).await;
    let (customer, browser) = member(&app, Role::Editor).await;
    let admin = app.member(&customer, Role::Admin).await;
    let agent = admin.agent(&customer, "Helper").await;
    let mut socket = browser.socket().await;
    let user = browser.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
    let remove = "mutation ($c: ID!, $u: ID!) { removeMember(input: { customerId: $c, userId: $u }) { userErrors { code } } }";
    let removed = admin.gql(remove, json!({ "c": customer, "u": user })).await;
    assert_eq!(removed.at("/removeMember/userErrors"), &json!([]));
    assert_eq!(socket.next().await, Frame::Closed(4403, "rights were taken away".to_owned()));
    let agents = browser.gql("{ agents { nodes { id } } }", Value::Null).await;
    assert_eq!(agents.at("/agents/nodes"), &json!([]), "signed in still, without a right");
    let archive = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { userErrors { code } } }";
    let refused = browser.gql(archive, json!({ "id": agent })).await;
    assert_eq!(refused.at("/archiveAgent/userErrors"), &json!([{ "code": "NOT_FOUND" }]));
    let archived =
        admin.gql("query ($id: ID!) { agent(id: $id) { archivedAt } }", json!({ "id": agent })).await;
    assert_eq!(archived.at("/agent/archivedAt"), &Value::Null);
}

#[tokio::test]
async fn an_operator_no_longer_is_none_in_its_session_either() {
    let app = App::with(impatient()).await;
    let browser = Browser::operator(&app, "me").await;
    let mut socket = browser.socket().await;
    app.registry.remove_operator(&Caller::system("test"), LOCAL_ISSUER, "me").await.unwrap();
    assert_eq!(socket.next().await, Frame::Closed(4403, "rights were taken away".to_owned()));
    let create = "mutation { createCustomer(input: { name: \"Planted\" }) { customer { id } } }";
    assert_eq!(browser.gql(create, Value::Null).await.code(), Some("FORBIDDEN"));
}

#[tokio::test]
async fn an_erased_users_session_is_gone() {
    let app = App::with(impatient()).await;
    let (customer, browser) = member(&app, Role::Viewer).await;
    let mut socket = browser.socket().await;
    let link = super::browser::new_link(&app, "ada", false).await;
    app.set_billing_status(&customer, "CANCELED").await;
    let erase = "mutation ($id: ID!) { eraseCustomer(input: { customerId: $id }) { userErrors { code } } }";
    let erased = app.operator().await.gql(erase, json!({ "id": customer })).await;
    assert_eq!(erased.at("/eraseCustomer/userErrors"), &json!([]));
    assert_eq!(socket.next().await, Frame::Closed(4403, "Forbidden".to_owned()));
    assert_eq!(browser.gql(NAMES, Value::Null).await.status, 401);
    assert_eq!(app.anonymous().get(&link).await.status, 404);
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let left =
        "SELECT (SELECT count(*) FROM registry.sessions) + (SELECT count(*) FROM registry.sign_in_links)";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut admin).await.unwrap(), 0);
}

#[tokio::test]
async fn a_write_that_waits_while_its_session_ends_is_refused() {
    let app = App::start().await;
    let (customer, browser) = member(&app, Role::Admin).await;
    let other = Browser::sign_in(&app, "ada").await;
    let id = browser.session().await;
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    sqlx::raw_sql("BEGIN").execute(&mut admin).await.unwrap();
    sqlx::query("SELECT FROM registry.customers WHERE id = $1::text::uuid FOR UPDATE")
        .bind(&customer)
        .execute(&mut admin)
        .await
        .unwrap();
    let write = {
        let (browser, customer) = (browser.clone(), customer.clone());
        tokio::spawn(async move {
            let update = "mutation ($id: ID!) { inviteMember(input: { customerId: $id, email: \"a@example.org\", role: VIEWER }) { userErrors { code } } }";
            browser.gql(update, json!({ "id": customer })).await
        })
    };
    waits_for_a_lock(&mut admin, "%customers%").await;
    other.gql(REVOKE, json!({ "id": id })).await.at("/revokeSession/revision");
    sqlx::raw_sql("COMMIT").execute(&mut admin).await.unwrap();
    assert_eq!(write.await.unwrap().code(), Some("UNAUTHENTICATED"));
    let invited = "SELECT count(*) FROM registry.invitations";
    assert_eq!(sqlx::query_scalar::<_, i64>(invited).fetch_one(&mut admin).await.unwrap(), 0);
}
