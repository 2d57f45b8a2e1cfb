//! Loss of rights ends a stream, and the client may reconnect.

use std::time::{Duration, Instant};

use agent_registry::domain::{
    Caller, KeyScope, ServiceScope,
    api_key::{CreateApiKey, RotateApiKey},
    auth::jwt::LOCAL_ISSUER,
    member::Role,
    service_token::CreateServiceToken,
};
use chrono::TimeDelta;
use serde_json::json;

use crate::{
    socket::{ACTIVATIONS, Scene, impatient, until},
    support::{
        Answer, App,
        events::{Events, SseMessage},
    },
};

/// Asserts that the stream ends with this comment and without `complete`. Returns how long that took.
async fn ends(events: Events, why: &str) -> Duration {
    let began = Instant::now();
    assert_eq!(events.rest().await, [SseMessage::Comment(why.to_owned()), SseMessage::End]);
    began.elapsed()
}

#[tokio::test]
async fn a_token_that_is_revoked_ends_its_streams_and_no_others() {
    let app = App::with(impatient()).await;
    let scene = Scene::on(&app).await;
    let input = CreateServiceToken::for_all("gateway", [ServiceScope::ActivationsWatch]);
    let made = app.registry.create_service_token(&Caller::system("test"), input).await.unwrap().value;
    let gateway = app.bearer(&made.secret.unwrap());
    let revoked = gateway.events(ACTIVATIONS, json!({})).await;
    let mut stays = app.gateway().await.events(ACTIVATIONS, json!({})).await;
    until("both subscriptions are open", || app.watchers() == 2).await;
    app.registry.revoke_service_token(&Caller::system("test"), made.token.id).await.unwrap();
    ends(revoked, "the credential is not accepted any more").await;
    until("its subscription and its permit are gone", || app.watchers() == 1 && app.door.sockets.open() == 1)
        .await;
    scene.activate(1).await;
    assert_eq!(stays.event().await["data"]["activations"]["version"]["number"], 1);
    // The reconnect gets 401.
    let answer = Answer::of(gateway.watch(ACTIVATIONS, json!({}))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (401, Some("UNAUTHENTICATED")));
}

#[tokio::test]
async fn a_lower_role_ends_a_stream_within_a_second_and_a_higher_one_does_not() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let viewer = app.member(&scene.customer, Role::Viewer).await;
    let editor = app.member(&scene.customer, Role::Editor).await;
    let mut rises = viewer.events(ACTIVATIONS, json!({})).await;
    let falls = editor.events(ACTIVATIONS, json!({})).await;
    until("both subscriptions are open", || app.watchers() == 2).await;
    app.set_role(&scene.customer, Role::Viewer, Role::Editor).await;
    app.set_role(&scene.customer, Role::Editor, Role::Viewer).await;
    // The documented limit is a second; allow five for a busy machine.
    assert!(ends(falls, "rights were taken away").await < Duration::from_secs(5));
    until("its subscription has ended", || app.watchers() == 1).await;
    scene.activate(1).await;
    rises.event().await;
    // The user reconnects with the new role.
    let mut again = editor.events(ACTIVATIONS, json!({ "after": "0" })).await;
    again.event().await;
}

#[tokio::test]
async fn an_operator_no_longer_is_no_longer_sent_all() {
    let app = App::with(impatient()).await;
    let events = app.operator().await.events(ACTIVATIONS, json!({})).await;
    until("the subscription is open", || app.watchers() == 1).await;
    app.registry.remove_operator(&Caller::system("test"), LOCAL_ISSUER, "olga").await.unwrap();
    ends(events, "rights were taken away").await;
    until("its subscription has ended", || app.watchers() == 0).await;
}

#[tokio::test]
async fn a_token_that_expires_ends_its_stream() {
    let app = App::start().await;
    let operator = app.operator().await;
    let mut events = operator.events(ACTIVATIONS, json!({})).await;
    until("the subscription is open", || app.watchers() == 1).await;
    app.clock.shift(TimeDelta::seconds(3590));
    assert!(events.is_quiet(Duration::from_millis(1200)).await);
    // The token is accepted for half a minute longer.
    app.clock.shift(TimeDelta::seconds(50));
    assert!(ends(events, "the token has expired").await < Duration::from_secs(5));
    until("its subscription has ended", || app.watchers() == 0).await;
    let answer = Answer::of(operator.watch(ACTIVATIONS, json!({}))).await;
    assert_eq!(answer.status, 401);
}

/// A rotated key stays valid during its overlap, and so do its streams; not longer.
#[tokio::test]
async fn a_stream_does_not_outlive_a_key_that_was_rotated() {
    let app = App::with(impatient()).await;
    let scene = Scene::on(&app).await;
    let input = CreateApiKey {
        customer_id: scene.customer.parse().unwrap(),
        name: "watcher".to_owned(),
        scopes: [KeyScope::ActivationsWatch].into(),
        expires_at: None,
        environments: None,
    };
    let system = Caller::system("test");
    let made = app.registry.create_api_key(&system, input).await.unwrap().value;
    let program = app.bearer(&made.secret.unwrap());
    let mut stream = program.events(ACTIVATIONS, json!({})).await;
    until("the subscription is open", || app.watchers() == 1).await;
    let input = RotateApiKey { id: made.api_key.id, overlap_seconds: Some(60) };
    app.registry.rotate_api_key(&system, input).await.unwrap();
    // Long enough for many checks of the credential.
    tokio::time::sleep(impatient().beat * 20).await;
    scene.activate(1).await;
    stream.event().await;
    app.clock.shift(TimeDelta::seconds(61));
    ends(stream, "the token has expired").await;
    until("its subscription has ended", || app.watchers() == 0).await;
}
