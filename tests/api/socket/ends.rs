//! Closing of sockets, and that it affects no other client.

use std::time::Duration;

use agent_registry::http::SocketLimits;
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use super::{ACTIVATIONS, NAMES, Scene, impatient, subscribe, until};
use crate::support::{App, Calls, socket::Frame};

#[tokio::test]
async fn a_token_that_expires_ends_an_idle_socket() {
    let app = App::start().await;
    let operator = app.operator().await;
    let mut socket = operator.socket().await;
    socket.send(subscribe("1", ACTIVATIONS)).await;
    until("the subscription is open", || app.watchers() == 1).await;
    app.clock.shift(TimeDelta::seconds(3590));
    assert!(socket.is_quiet(Duration::from_millis(1200)).await);
    // The token is accepted for half a minute longer.
    app.clock.shift(TimeDelta::seconds(50));
    let asked = std::time::Instant::now();
    assert_eq!(socket.next().await, Frame::Closed(4403, "token expired".to_owned()));
    assert!(asked.elapsed() < Duration::from_secs(5));
    until("its operations have ended", || app.watchers() == 0).await;
    // The expired token is rejected at the next connection.
    let mut socket = crate::support::socket::Socket::connect(&app.base, "graphql-transport-ws").await;
    let token = operator.token.as_deref().unwrap();
    socket
        .send(json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } }))
        .await;
    assert_eq!(socket.next().await, Frame::Closed(4403, "Forbidden".to_owned()));
}

#[tokio::test]
async fn a_stopping_service_says_come_back() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (mut idle, mut watching) = (operator.socket().await, operator.socket().await);
    watching.send(subscribe("1", ACTIVATIONS)).await;
    until("the subscription is open", || app.watchers() == 1).await;
    let sockets = app.door.sockets.clone();
    let stopping = async {
        let asked = std::time::Instant::now();
        app.first.stop().await;
        asked.elapsed()
    };
    let (took, idle, watching) = tokio::join!(stopping, idle.next(), watching.next());
    let restart = Frame::Closed(1012, "Service restart".to_owned());
    assert_eq!((&idle, &watching), (&restart, &restart));
    assert_eq!(sockets.open(), 0, "stopping waits for sockets");
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test]
async fn who_hangs_up_in_the_middle_harms_nobody() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    for _ in 0..3 {
        let sockets = join_all((0..50).map(|_| async {
            let mut socket = scene.operator.socket().await;
            socket.subscribe("w", ACTIVATIONS, json!({ "after": "0" })).await;
            for id in 0..5 {
                socket.send(subscribe(&format!("q{id}"), NAMES)).await;
            }
            socket
        }));
        let sockets = sockets.await;
        let activated = scene.activate(4);
        drop(sockets);
        activated.await;
    }
    until("no watcher is left", || app.watchers() == 0).await;
    until("no socket is left", || app.door.sockets.open() == 0).await;
    for _ in 0..30 {
        let answer = scene.operator.gql(NAMES, json!({})).await;
        assert_eq!(answer.at("/customers/nodes/0/name"), "City");
    }
}

#[tokio::test]
async fn the_service_pings_and_gives_up_on_who_is_silent() {
    let limits = SocketLimits {
        ping: Duration::from_millis(200),
        silence: Duration::from_millis(1500),
        ..impatient()
    };
    let app = App::with(limits).await;
    let operator = app.operator().await;
    let (mut alive, mut silent) = (operator.socket().await, operator.socket().await);
    // This client answers pings while it reads, and is otherwise idle.
    let idle = async {
        let mut pings = 0;
        let rest = async {
            while alive.ping().await {
                pings += 1;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(3), rest).await;
        assert!((3..=20).contains(&pings), "{pings} pings");
    };
    tokio::join!(idle, tokio::time::sleep(Duration::from_secs(3)));
    until("the silent socket is closed", || app.door.sockets.open() == 1).await;
    // The silent client may find the connection closed while it answers earlier pings, and miss the close code.
    let end = silent.next().await;
    assert!(matches!(end, Frame::Closed(1013 | 1006, _)), "{end:?}");
    alive.send(subscribe("1", NAMES)).await;
    assert_eq!(alive.event().await["data"]["customers"], json!({ "nodes": [] }));
}

#[tokio::test]
async fn who_does_not_take_messages_is_cut_off_and_slows_nobody() {
    let limits = SocketLimits { send: Duration::from_millis(500), ..impatient() };
    let app = App::with(limits).await;
    let scene = Scene::on(&app).await;
    let long = scene.operator.publish(&scene.agent, &"x".repeat(500 * 1024)).await;
    let versions = "query ($agent: ID!) { agent(id: $agent) { versions { nodes { systemPrompt } } } }";
    let mut greedy = scene.operator.socket().await;
    let mut watching = scene.operator.socket().await;
    watching.send(subscribe("1", ACTIVATIONS)).await;
    for id in 0..80 {
        greedy.subscribe(&id.to_string(), versions, json!({ "agent": scene.agent })).await;
    }
    until("the greedy socket is closed", || app.door.sockets.open() == 1).await;
    scene.operator.activate(&scene.agent, &long).await;
    assert_eq!(watching.event().await["data"]["activations"]["version"]["number"], 3);
    // Results in flight still arrive; then a close code that allows a reconnect.
    loop {
        if let Frame::Closed(code, _) = greedy.next().await {
            assert!([1005, 1006, 1013].contains(&code), "{code}");
            break;
        }
    }
}
