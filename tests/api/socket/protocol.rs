//! The rules of the protocol, frame by frame.

use agent_registry::http::SocketLimits;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, protocol::Role},
};

use super::{ACTIVATIONS, NAMES, Scene, impatient, message, refusal, subscribe};
use crate::support::{
    App,
    caller::Client,
    socket::{Frame, Socket},
};

const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

fn init(caller: &Client) -> Value {
    json!({ "type": "connection_init", "payload": {
        "Authorization": format!("Bearer {}", caller.token.as_deref().unwrap()) } })
}

/// Messages that the protocol forbids, with the close code and reason.
#[tokio::test]
async fn what_the_protocol_does_not_know_ends_the_socket() {
    let app = App::with(impatient()).await;
    let operator = app.operator().await;
    let (init, text) = (init(&operator), |text: &str| Message::text(text));
    let with = |more: Value| vec![text(&init.to_string()), text(&more.to_string())];
    let live = subscribe("1", ACTIVATIONS);
    let bad = |reason: &str| (4400, reason.to_owned());
    let id = "Message's id is not a text of 1 to 1024 bytes";
    let request = |why: &str| bad(&format!("Message's payload is not a GraphQL request: {why}"));
    let cases = [
        (vec![], (4408, "Connection initialisation timeout".to_owned())),
        (with(init.clone()), (4429, "Too many initialisation requests".to_owned())),
        (vec![text(&live.to_string())], (4401, "Unauthorized".to_owned())),
        (
            vec![text("no JSON")],
            bad("Message is not a JSON object: expected null, found `o`, line 1, column 2"),
        ),
        (vec![text("[\"ping\"]")], bad("Message is not a JSON object, but an array")),
        (
            vec![text(&init.to_string()), text(&format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)))],
            bad(
                "Message is not a JSON object: arrays and objects are nested more than 127 levels deep, at `[0][0][0][0][0][0][0][0][0][0][0",
            ),
        ),
        (vec![text("{}")], bad("Message has no type")),
        (vec![text("{\"type\":7}")], bad("Message has no type")),
        (vec![text("{\"type\":\"start\"}")], bad("Message's type is not one that a client sends")),
        (vec![text("{\"type\":\"next\"}")], bad("Message's type is not one that a client sends")),
        (vec![text("{\"type\":\"ping\",\"payload\":1}")], bad("Message's payload is not an object")),
        (
            vec![text("{\"type\":\"connection_init\",\"payload\":\"x\"}")],
            bad("Message's payload is not an object"),
        ),
        (vec![text("{\"type\":\"complete\"}")], bad(id)),
        (vec![text("{\"type\":\"complete\",\"id\":\"\"}")], bad(id)),
        (vec![text("{\"type\":\"subscribe\",\"id\":7,\"payload\":{\"query\":\"{a}\"}}")], bad(id)),
        (vec![text("{\"type\":\"subscribe\",\"id\":\"1\"}")], request("it must be a JSON object, not null")),
        (
            vec![text("{\"type\":\"subscribe\",\"id\":\"1\",\"payload\":{\"query\":7}}")],
            request("`query` must be a string, not a number"),
        ),
        (vec![Message::binary(b"{\"type\":\"ping\"}".to_vec())], bad("Message is not text")),
        (vec![text("{\"type\":\"connection_init\"}")], (4401, "Unauthorized".to_owned())),
        (
            vec![text("{\"type\":\"connection_init\",\"payload\":{\"Authorization\":7}}")],
            (4403, "Forbidden".to_owned()),
        ),
        (
            vec![text("{\"type\":\"connection_init\",\"payload\":{\"Authorization\":\"Bearer x\"}}")],
            (4403, "Forbidden".to_owned()),
        ),
        (
            vec![text("{\"type\":\"connection_init\",\"payload\":{\"Authorization\":\"Basic eA==\"}}")],
            (4403, "Forbidden".to_owned()),
        ),
    ];
    for (frames, (code, reason)) in cases {
        let mut socket = Socket::connect(&app.base, PROTOCOL.1).await;
        for frame in frames.clone() {
            socket.raw(frame).await;
        }
        let mut end = socket.next().await;
        if end == message(json!({ "type": "connection_ack" })) {
            end = socket.next().await;
        }
        assert_eq!(end, Frame::Closed(code, reason), "{frames:?}");
    }
    super::until("no socket is left", || app.door.sockets.open() == 0).await;
}

#[tokio::test]
async fn a_live_id_is_not_given_twice_and_free_again_when_it_has_ended() {
    let app = App::start().await;
    let operator = app.operator().await;
    let mut socket = operator.socket().await;
    for _ in 0..2 {
        socket.send(subscribe("1", NAMES)).await;
        assert_eq!(socket.event().await, json!({ "data": { "customers": { "nodes": [] } } }));
        assert_eq!(socket.next().await, message(json!({ "id": "1", "type": "complete" })));
    }
    for _ in 0..3 {
        socket.send(subscribe("2", ACTIVATIONS)).await;
        socket.send(json!({ "id": "2", "type": "complete" })).await;
        socket.send(json!({ "id": "2", "type": "complete" })).await;
    }
    socket.send(json!({ "id": "unheard of", "type": "complete" })).await;
    socket.send(subscribe("2", ACTIVATIONS)).await;
    socket.send(subscribe("2", ACTIVATIONS)).await;
    let reason = "Subscriber for 2 already exists".to_owned();
    assert_eq!(socket.next().await, Frame::Closed(4409, reason));
    super::until("no watcher is left", || app.watchers() == 0).await;
}

#[tokio::test]
async fn a_credential_comes_in_the_payload_or_the_upgrade_and_the_payloads_counts() {
    let app = App::start().await;
    let (good, bad) = (app.operator().await, app.bearer("x"));
    let header = |caller: &Client| format!("Bearer {}", caller.token.as_deref().unwrap());
    let cases = [
        (&*good, json!({ "type": "connection_init" }), None),
        (&*good, json!({ "type": "connection_init", "payload": null }), None),
        (&bad, json!({ "type": "connection_init" }), Some(4403)),
        (&bad, init(&good), None),
        (&*good, init(&bad), Some(4403)),
    ];
    for (upgrade, init, code) in cases {
        let headers = [PROTOCOL, ("authorization", &header(upgrade))];
        let mut socket = Socket::upgrade(&app.base, &headers).await.unwrap();
        socket.send(init.clone()).await;
        let expected = match code {
            None => message(json!({ "type": "connection_ack" })),
            Some(code) => Frame::Closed(code, "Forbidden".to_owned()),
        };
        assert_eq!(socket.next().await, expected, "{init}");
    }
}

#[tokio::test]
async fn only_our_protocol_is_spoken() {
    let app = App::start().await;
    let mut none = Socket::upgrade(&app.base, &[]).await.unwrap();
    let refused = || Frame::Closed(4406, "Subprotocol not acceptable".to_owned());
    assert_eq!(none.next().await, refused());
    let mut several = Socket::connect(&app.base, "graphql-ws, graphql-transport-ws").await;
    several.send(json!({ "type": "ping" })).await;
    assert_eq!(several.next().await, message(json!({ "type": "pong" })));
    // Clients reject a response without the subprotocol they asked for, so the test does the handshake itself.
    let mut line = TcpStream::connect(app.base.trim_start_matches("http://")).await.unwrap();
    let request = "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-ws\r\n\r\n";
    line.write_all(request.as_bytes()).await.unwrap();
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        head.push(char::from(line.read_u8().await.unwrap()));
    }
    assert!(head.starts_with("HTTP/1.1 101 ") && !head.to_lowercase().contains("graphql"), "{head}");
    let mut socket = WebSocketStream::from_raw_socket(line, Role::Client, None).await;
    match socket.next().await {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 4406),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let app = App::start().await;
    let own = Socket::upgrade(&app.base, &[PROTOCOL, ("origin", &app.base)]).await;
    assert!(own.is_ok());
    for origin in ["https://evil.example", "http://127.0.0.1:1", "null"] {
        let other = Socket::upgrade(&app.base, &[PROTOCOL, ("origin", origin)]).await;
        assert_eq!(other.err(), Some(403), "{origin}");
    }
}

#[tokio::test]
async fn a_ping_is_answered_with_its_payload_at_any_time() {
    let app = App::start().await;
    let mut socket = Socket::connect(&app.base, PROTOCOL.1).await;
    socket.send(json!({ "type": "ping", "payload": { "a": [1] } })).await;
    assert_eq!(socket.next().await, message(json!({ "type": "pong", "payload": { "a": [1] } })));
    socket.send(json!({ "type": "pong", "payload": null })).await;
    assert!(socket.is_quiet(Duration::from_millis(50)).await);
}

#[tokio::test]
async fn queries_and_mutations_run_too_and_refusals_are_errors() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let mut socket = scene.operator.socket().await;
    let activate = "mutation ($input: ActivateVersionInput!) { activateVersion(input: $input) {
        agent { activeVersion { number } } userErrors { code } } }";
    let input = json!({ "input": { "agentId": scene.agent, "versionId": scene.versions[1] } });
    socket.subscribe("m", activate, input).await;
    let expected = json!({ "data": { "activateVersion": {
        "agent": { "activeVersion": { "number": 2 } }, "userErrors": [] } } });
    assert_eq!(socket.event().await, expected);
    assert_eq!(socket.next().await, message(json!({ "id": "m", "type": "complete" })));
    let deep = format!("{{ customers(filter: {}1{}) {{ totalCount }} }}", "[".repeat(5000), "]".repeat(5000));
    let customer = "subscription { activations(customerId: \"no id\") { revision } }";
    let cases = [
        ("{ nothing }", "BAD_USER_INPUT"),
        ("{ customers {", "BAD_USER_INPUT"),
        (&deep, "QUERY_TOO_COMPLEX"),
        ("subscription { activations { nothing } }", "BAD_USER_INPUT"),
        ("subscription { a: activations { revision } b: activations { revision } }", "BAD_USER_INPUT"),
        ("subscription { activations(after: \"x\") { revision } }", "CURSOR_INVALID"),
        ("subscription { activations(after: \"999999\") { revision } }", "CURSOR_INVALID"),
        ("subscription { activations(after: \"1.0.0000000000000000\") { revision } }", "CURSOR_INVALID"),
        (customer, "BAD_USER_INPUT"),
    ];
    for (query, code) in cases {
        socket.send(subscribe("e", query)).await;
        assert_eq!(refusal(socket.next().await, "e"), code, "{query:.100}");
    }
    // Nothing follows the error, and the id can be used again.
    assert!(socket.is_quiet(Duration::from_millis(100)).await);
    assert_eq!(app.watchers(), 0);
}

#[tokio::test]
async fn operations_sockets_and_messages_have_bounds() {
    let app = App::with(SocketLimits { sockets: 2, operations: 3, ..impatient() }).await;
    let operator = app.operator().await;
    let mut socket = operator.socket().await;
    for id in ["1", "2", "3"] {
        socket.send(subscribe(id, ACTIVATIONS)).await;
    }
    socket.send(subscribe("4", ACTIVATIONS)).await;
    assert_eq!(refusal(socket.next().await, "4"), "LIMIT_REACHED");
    socket.send(json!({ "id": "3", "type": "complete" })).await;
    socket.send(subscribe("5", NAMES)).await;
    assert_eq!(socket.event().await["data"]["customers"], json!({ "nodes": [] }));
    assert_eq!(socket.next().await, message(json!({ "id": "5", "type": "complete" })));

    let _second = operator.socket().await;
    assert_eq!(Socket::upgrade(&app.base, &[PROTOCOL]).await.err(), Some(503));

    let large = json!({ "type": "ping", "payload": { "a": "x".repeat(4 * 1024 * 1024) } }).to_string();
    socket.try_raw(Message::text(large)).await;
    assert_eq!(socket.next().await, Frame::Closed(1009, "Message too big".to_owned()));
    super::until("a permit is free again", || app.door.sockets.open() < 2).await;
    assert!(Socket::upgrade(&app.base, &[PROTOCOL]).await.is_ok());
}

#[tokio::test]
async fn nobody_takes_the_sockets_of_all() {
    let patient = SocketLimits::default();
    let app = App::with(SocketLimits { of_one_address: 2, of_one_caller: 2, ..patient }).await;
    let stranger = app.stranger();
    let mine = [stranger.socket().await, stranger.socket().await];
    let mut third = Socket::upgrade(&app.base, &[PROTOCOL]).await.unwrap();
    third.send(init(&stranger)).await;
    assert_eq!(third.next().await, Frame::Closed(1013, "Too many sockets".to_owned()));
    // Other callers can still connect. Service tokens have no limit of their own.
    let _other = app.operator().await.socket().await;
    let gateway = app.gateway().await;
    let _theirs = [gateway.socket().await, gateway.socket().await, gateway.socket().await];
    drop(mine);
    super::until("the sockets are closed", || app.door.sockets.open() == 4).await;
    let _again = stranger.socket().await;
    let silent =
        [Socket::upgrade(&app.base, &[PROTOCOL]).await, Socket::upgrade(&app.base, &[PROTOCOL]).await];
    assert_eq!(Socket::upgrade(&app.base, &[PROTOCOL]).await.err(), Some(429));
    drop(silent);
    super::until("the sockets are closed", || app.door.sockets.open() == 5).await;
    assert!(Socket::upgrade(&app.base, &[PROTOCOL]).await.is_ok());
}
