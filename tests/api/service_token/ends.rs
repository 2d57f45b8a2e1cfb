//! The end of a service token: its expiry, and its rotation.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Served, create, is_accepted, rotate};
use crate::{
    socket::{ACTIVATIONS, Scene, impatient, until},
    support::{App, caller::Client, events::SseMessage, socket::Frame},
};

#[tokio::test]
async fn a_rotated_token_is_accepted_for_a_while_beside_its_successor() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (Served::new(&operator, "City").await, Served::new(&operator, "Town").await);
    let made = create(&operator, json!({ "customerIds": [city.customer] })).await;
    let id = made.at("/createServiceToken/serviceToken/id");
    let old = app.bearer(&made.text("/createServiceToken/secret"));
    let rotated = rotate(&operator, json!({ "serviceTokenId": id, "overlapSeconds": 600 })).await;
    let new = app.bearer(&rotated.text("/rotateServiceToken/secret"));
    for field in ["name", "grantedScopes", "customerIds", "expiresAt"] {
        let (old, new) = (
            made.at(&format!("/createServiceToken/serviceToken/{field}")),
            rotated.at(&format!("/rotateServiceToken/serviceToken/{field}")),
        );
        assert_eq!(old, new, "{field}");
    }
    let successor = rotated.at("/rotateServiceToken/serviceToken/id");
    assert_eq!(rotated.at("/rotateServiceToken/previous/replacedById"), successor);
    for gateway in [&old, &new] {
        assert_eq!(gateway.get(&city.path()).await.status, 200);
        assert_eq!(gateway.get(&town.path()).await.status, 404);
    }
    let head = app.registry.head().await.unwrap();
    let again = rotate(&operator, json!({ "serviceTokenId": id, "overlapSeconds": 600 })).await;
    let error = again.at("/rotateServiceToken/userErrors/0");
    assert_eq!((&error["code"], &error["field"]), (&json!("INVALID"), &json!("serviceTokenId")));
    for overlap in [-1, 604_801] {
        let refused =
            rotate(&operator, json!({ "serviceTokenId": successor, "overlapSeconds": overlap })).await;
        let error = refused.at("/rotateServiceToken/userErrors/0");
        assert_eq!((&error["code"], &error["field"]), (&json!("INVALID"), &json!("overlapSeconds")));
        assert_eq!(refused.at("/rotateServiceToken/secret"), &Value::Null);
    }
    assert_eq!(app.registry.head().await.unwrap(), head);
    app.clock.shift(TimeDelta::seconds(601));
    assert!(!is_accepted(&old).await && is_accepted(&new).await);
}

/// The overlap is an hour if it is left out. An overlap may shorten a token's lifetime and never prolongs it.
#[tokio::test]
async fn a_rotation_prolongs_no_token() {
    let app = App::start().await;
    let operator = app.operator().await;
    let ends = app.clock.now() + TimeDelta::seconds(60);
    let made = create(&operator, json!({ "expiresAt": ends })).await;
    let end = made.at("/createServiceToken/serviceToken/expiresAt").clone();
    let id = made.at("/createServiceToken/serviceToken/id");
    let old = app.bearer(&made.text("/createServiceToken/secret"));
    let rotated = rotate(&operator, json!({ "serviceTokenId": id })).await;
    assert_eq!(rotated.at("/rotateServiceToken/previous/expiresAt"), &end);
    let new = app.bearer(&rotated.text("/rotateServiceToken/secret"));
    for gateway in [&old, &new] {
        assert_eq!(gateway.gql(super::ME, Value::Null).await.at("/viewer/expiresAt"), &end);
    }
    let endless = create(&operator, json!({})).await;
    let id = endless.at("/createServiceToken/serviceToken/id");
    let endless = app.bearer(&endless.text("/createServiceToken/secret"));
    rotate(&operator, json!({ "serviceTokenId": id })).await.text("/rotateServiceToken/secret");
    app.clock.shift(TimeDelta::seconds(61));
    assert!(!is_accepted(&old).await && !is_accepted(&new).await && is_accepted(&endless).await);
    app.clock.shift(TimeDelta::seconds(3540));
    assert!(!is_accepted(&endless).await);
}

/// At most two tokens of a line are accepted: rotating the successor revokes the oldest.
#[tokio::test]
async fn a_line_has_two_tokens_at_most() {
    let app = App::start().await;
    let operator = app.operator().await;
    let made = create(&operator, json!({})).await;
    let mut id = made.text("/createServiceToken/serviceToken/id");
    let mut gateways = vec![app.bearer(&made.text("/createServiceToken/secret"))];
    for _ in 0..3 {
        let rotated = rotate(&operator, json!({ "serviceTokenId": id, "overlapSeconds": 604_800 })).await;
        id = rotated.text("/rotateServiceToken/serviceToken/id");
        gateways.push(app.bearer(&rotated.text("/rotateServiceToken/secret")));
    }
    let mut accepted = Vec::new();
    for gateway in &gateways {
        accepted.push(is_accepted(gateway).await);
    }
    assert_eq!(accepted, [false, false, true, true]);
}

#[tokio::test]
async fn a_token_past_its_end_is_not_answered_from_memory() {
    let app = App::start().await;
    let operator = app.operator().await;
    let city = Served::new(&operator, "City").await;
    let ends = app.clock.now() + TimeDelta::seconds(60);
    let made = create(&operator, json!({ "expiresAt": ends })).await;
    let gateway = app.bearer(&made.text("/createServiceToken/secret"));
    assert_eq!(gateway.get(&city.path()).await.status, 200);
    let is_at_hand = || {
        let agent = city.agent.parse().unwrap();
        app.door.hub.cached_config(gateway.token.as_deref().unwrap(), agent).is_some()
    };
    assert!(is_at_hand());
    app.let_pass(TimeDelta::seconds(61)).await;
    assert!(!is_at_hand());
    assert_eq!(gateway.get(&city.path()).await.status, 401);
    // The same instant later, memory still answers a token without an end.
    let endless = app.gateway().await;
    assert_eq!(endless.get(&city.path()).await.status, 200);
}

/// A gateway whose token has an hour, with a socket and a stream open.
async fn watching(
    app: &App,
    scene: &Scene,
    gateway: &Client,
) -> (crate::support::socket::Socket, crate::support::events::Events) {
    let mut socket = gateway.socket().await;
    socket.subscribe("1", ACTIVATIONS, json!({})).await;
    let mut events = gateway.events(ACTIVATIONS, json!({})).await;
    until("both subscriptions are open", || app.watchers() == 2).await;
    scene.activate(1).await;
    socket.event().await;
    events.event().await;
    (socket, events)
}

#[tokio::test]
async fn a_token_that_expires_ends_its_sockets_and_streams() {
    let app = App::with(impatient()).await;
    let scene = Scene::on(&app).await;
    let ends = app.clock.now() + TimeDelta::hours(1);
    let made = create(&scene.operator, json!({ "expiresAt": ends })).await;
    let gateway = app.bearer(&made.text("/createServiceToken/secret"));
    let (mut socket, events) = watching(&app, &scene, &gateway).await;
    app.clock.shift(TimeDelta::seconds(3601));
    assert_eq!(socket.next().await, Frame::Closed(4403, "token expired".to_owned()));
    let end = SseMessage::Comment("the token has expired".to_owned());
    assert_eq!(events.rest().await, [end, SseMessage::End]);
    until("its subscriptions have ended", || app.watchers() == 0).await;
    assert!(!is_accepted(&gateway).await);
}

/// A rotated token stays valid during its overlap, and so do its subscriptions; not longer.
#[tokio::test]
async fn subscriptions_do_not_outlive_a_token_that_was_rotated() {
    let app = App::with(impatient()).await;
    let scene = Scene::on(&app).await;
    let made = create(&scene.operator, json!({ "customerIds": [scene.customer] })).await;
    let id = made.at("/createServiceToken/serviceToken/id");
    let gateway = app.bearer(&made.text("/createServiceToken/secret"));
    let (mut socket, mut events) = watching(&app, &scene, &gateway).await;
    rotate(&scene.operator, json!({ "serviceTokenId": id, "overlapSeconds": 60 })).await;
    // Long enough for many checks of the credential.
    tokio::time::sleep(impatient().beat * 20).await;
    scene.activate(1).await;
    socket.event().await;
    events.event().await;
    app.clock.shift(TimeDelta::seconds(61));
    assert_eq!(socket.next().await, Frame::Closed(4403, "token expired".to_owned()));
    let end = SseMessage::Comment("the token has expired".to_owned());
    assert_eq!(events.rest().await, [end, SseMessage::End]);
}
