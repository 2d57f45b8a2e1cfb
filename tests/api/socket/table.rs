//! The protocol as one table: the client's frames and the server's, in order. Each case has its own socket. A
//! missing or unexpected frame fails the case.

use agent_registry::http::SocketLimits;
use serde_json::{Value, json};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame as Raw, FrameHeader,
        coding::{Control, Data, OpCode},
    },
};

use super::{ACTIVATIONS, NAMES, impatient};
use crate::support::{App, caller::Operator, socket::Socket};

/// The largest message; the service has the same limit.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A client's frame.
enum ClientFrame {
    /// A JSON message.
    Json(Value),
    /// A text message.
    Text(String),
    Binary(&'static [u8]),
    /// A message in several frames.
    Pieces(Vec<String>),
    /// A control frame of the transport.
    Ping(&'static [u8]),
    Pong(&'static [u8]),
    /// Text that isn't UTF-8.
    Garbled,
    /// A frame with a reserved opcode.
    Reserved,
    /// A continuation frame without a message.
    Continued,
    Close(u16),
}

/// A server's frame.
#[derive(Debug, PartialEq)]
enum ServerFrame {
    Json(Value),
    /// `next` with data for this id.
    Next(&'static str),
    Complete(&'static str),
    /// `error` for this id; its first entry has this code.
    Error(&'static str, &'static str),
    /// The transport's pong.
    Pong(&'static [u8]),
    /// The close frame with this code.
    Closed(u16),
    /// No frame, and the socket stays open.
    Quiet,
}

use ClientFrame::{Binary, Continued, Garbled, Json, Pieces, Ping, Reserved, Text};
use ServerFrame::{Closed, Complete, Error, Next, Quiet};

fn raw(opcode: OpCode, is_final: bool, payload: impl Into<Vec<u8>>) -> Message {
    let header = FrameHeader { is_final, opcode, mask: Some(rand::random()), ..FrameHeader::default() };
    Message::Frame(Raw::from_payload(header, payload.into().into()))
}

impl ClientFrame {
    fn frames(self) -> Vec<Message> {
        match self {
            Json(value) => vec![Message::text(value.to_string())],
            Text(text) => vec![Message::text(text)],
            Binary(bytes) => vec![Message::binary(bytes.to_vec())],
            Pieces(pieces) => {
                let last = pieces.len() - 1;
                let piece = |(nth, text): (usize, String)| {
                    let opcode = if nth == 0 { Data::Text } else { Data::Continue };
                    raw(OpCode::Data(opcode), nth == last, text)
                };
                pieces.into_iter().enumerate().map(piece).collect()
            }
            Ping(bytes) => vec![Message::Ping(bytes.into())],
            Self::Pong(bytes) => vec![Message::Pong(bytes.into())],
            Garbled => vec![raw(OpCode::Data(Data::Text), true, b"\xff\xfe".to_vec())],
            Continued => vec![raw(OpCode::Data(Data::Continue), true, b"x".to_vec())],
            Reserved => vec![raw(OpCode::Control(Control::Reserved(11)), true, b"".to_vec())],
            Self::Close(code) => {
                vec![raw(OpCode::Control(Control::Close), true, code.to_be_bytes().to_vec())]
            }
        }
    }
}

/// Reads the next frame as the table's type.
async fn heard(socket: &mut Socket, expected: &ServerFrame) -> ServerFrame {
    if *expected == Quiet {
        return if socket.is_quiet(Duration::from_millis(150)).await { Quiet } else { Closed(0) };
    }
    let message = match socket.any().await {
        Message::Text(text) => serde_json::from_str::<Value>(&text).unwrap(),
        Message::Pong(bytes) => return ServerFrame::Pong(Vec::leak(bytes.to_vec())),
        Message::Close(frame) => return Closed(frame.map_or(1005, |frame| frame.code.into())),
        other => panic!("{other:?}"),
    };
    let text =
        |value: &Value| -> &'static str { String::leak(value.as_str().unwrap_or_default().to_owned()) };
    let id = text(&message["id"]);
    match message["type"].as_str() {
        Some("next") if message["payload"]["data"].is_object() => Next(id),
        Some("complete") if message.as_object().map(serde_json::Map::len) == Some(2) => Complete(id),
        Some("error") => Error(id, text(&message["payload"][0]["extensions"]["code"])),
        _ => ServerFrame::Json(message),
    }
}

fn init(operator: &Operator) -> ClientFrame {
    let token = operator.token.as_deref().unwrap();
    Json(json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } }))
}

fn ask(id: &str, query: &str) -> ClientFrame {
    Json(super::subscribe(id, query))
}

fn complete(id: &str) -> ClientFrame {
    Json(json!({ "id": id, "type": "complete" }))
}

/// Cases of a socket that hasn't authenticated.
fn unauthenticated_cases() -> Vec<(&'static str, Vec<ClientFrame>, Vec<ServerFrame>)> {
    let text = |text: &str| Text(text.to_owned());
    let pong = |more: Value| {
        let mut pong = json!({ "type": "pong" });
        pong.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ServerFrame::Json(pong)
    };
    let mut cases = vec![
        ("no message", vec![], vec![Closed(4408)]),
        (
            "a ping before connection_init",
            vec![Json(json!({ "type": "ping" }))],
            vec![pong(json!({})), Closed(4408)],
        ),
        (
            "a ping with a payload",
            vec![Json(json!({ "type": "ping", "payload": { "a": [1] } }))],
            vec![pong(json!({ "payload": { "a": [1] } })), Closed(4408)],
        ),
        (
            "a ping with a null payload",
            vec![Json(json!({ "type": "ping", "payload": null }))],
            vec![pong(json!({})), Closed(4408)],
        ),
        (
            "an unsolicited pong",
            vec![Json(json!({ "type": "pong", "payload": { "b": 2 } }))],
            vec![Closed(4408)],
        ),
        ("the transport's ping", vec![Ping(b"here")], vec![ServerFrame::Pong(b"here"), Closed(4408)]),
        ("the transport's pong", vec![ClientFrame::Pong(b"here")], vec![Closed(4408)]),
        ("complete before connection_init, for an unknown id", vec![complete("1")], vec![Closed(4408)]),
        ("an operation before connection_init", vec![ask("1", NAMES)], vec![Closed(4401)]),
        ("no credential", vec![text(r#"{"type":"connection_init"}"#)], vec![Closed(4401)]),
        (
            "a null credential",
            vec![text(r#"{"type":"connection_init","payload":{"Authorization":null}}"#)],
            vec![Closed(4401)],
        ),
        (
            "an invalid credential",
            vec![text(r#"{"type":"connection_init","payload":{"Authorization":"Bearer x"}}"#)],
            vec![Closed(4403)],
        ),
        (
            "a credential that is not a string",
            vec![text(r#"{"type":"connection_init","payload":{"Authorization":{}}}"#)],
            vec![Closed(4403)],
        ),
        ("a close frame is answered", vec![ClientFrame::Close(1000)], vec![Closed(1000)]),
        ("binary", vec![Binary(b"{\"type\":\"ping\"}")], vec![Closed(4400)]),
        ("not UTF-8", vec![Garbled], vec![Closed(1007)]),
        ("a reserved opcode", vec![Reserved], vec![Closed(1002)]),
        ("a continuation without a message", vec![Continued], vec![Closed(1002)]),
        (
            "a fragmented message",
            vec![Pieces(
                [r#"{"type":"pi"#, r#"ng","payload":"#, "", r#"{"whole":true}}"#].map(str::to_owned).to_vec(),
            )],
            vec![pong(json!({ "payload": { "whole": true } })), Closed(4408)],
        ),
        ("a message above the size limit", vec![Text("x".repeat(MESSAGE_BYTES_MAX + 1))], vec![Closed(1009)]),
        (
            "a message with too many values",
            vec![Text(json!({ "type": "ping", "payload": { "a": vec![0; 100_001] } }).to_string())],
            vec![Closed(1009)],
        ),
        (
            "a fragmented message above the size limit",
            vec![Pieces(vec!["x".repeat(MESSAGE_BYTES_MAX / 4); 5])],
            vec![Closed(1009)],
        ),
    ];
    let malformed = [
        "",
        " ",
        "no JSON",
        "null",
        "7",
        "\"ping\"",
        "[]",
        "[{\"type\":\"ping\"}]",
        "{",
        "{\"type\":\"ping\"}x",
        "{}",
        r#"{"type":null}"#,
        r#"{"type":7}"#,
        r#"{"type":["ping"]}"#,
        r#"{"type":""}"#,
        r#"{"type":"PING"}"#,
        // Messages of a server, of the older protocol, and unknown ones.
        r#"{"type":"connection_ack"}"#,
        r#"{"type":"next","id":"1","payload":{}}"#,
        r#"{"type":"error","id":"1","payload":[]}"#,
        r#"{"type":"start","id":"1","payload":{"query":"{a}"}}"#,
        r#"{"type":"stop","id":"1"}"#,
        r#"{"type":"connection_terminate"}"#,
        r#"{"type":"ping","payload":1}"#,
        r#"{"type":"ping","payload":[]}"#,
        r#"{"type":"pong","payload":"x"}"#,
        r#"{"type":"connection_init","payload":"x"}"#,
        r#"{"type":"connection_init","payload":[]}"#,
        r#"{"type":"complete"}"#,
        r#"{"type":"complete","id":""}"#,
        r#"{"type":"complete","id":1}"#,
        r#"{"type":"complete","id":null}"#,
        r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
        r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
        r#"{"type":"subscribe","id":7,"payload":{"query":"{a}"}}"#,
        r#"{"type":"subscribe","id":"1"}"#,
        r#"{"type":"subscribe","id":"1","payload":null}"#,
        r#"{"type":"subscribe","id":"1","payload":{}}"#,
        r#"{"type":"subscribe","id":"1","payload":"{a}"}"#,
        r#"{"type":"subscribe","id":"1","payload":[]}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":7}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":null}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[]}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":"x"}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","operationName":1}}"#,
        r#"{"type":"subscribe","id":"1","payload":{"query":"{a}","extensions":[]}}"#,
    ];
    cases.extend(malformed.map(|malformed| (malformed, vec![text(malformed)], vec![Closed(4400)])));
    cases.push(("an id above the length limit", vec![complete(&"x".repeat(1025))], vec![Closed(4400)]));
    cases
}

/// Cases of an authenticated socket.
fn authenticated_cases(operator: &Operator) -> Vec<(&'static str, Vec<ClientFrame>, Vec<ServerFrame>)> {
    const UNKNOWN: &str = "subscription { activations { nothing } }";
    const TWO: &str = "subscription { a: activations { revision } b: activations { revision } }";
    const NONE: &str = "subscription { __typename }";
    let deep = format!("{{ customers(filter: {}1{}) {{ totalCount }} }}", "[".repeat(99), "]".repeat(99));
    let with = |payload: Value| Json(json!({ "id": "1", "type": "subscribe", "payload": payload }));
    vec![
        ("a second init", vec![init(operator)], vec![Closed(4429)]),
        ("a query", vec![ask("1", NAMES)], vec![Next("1"), Complete("1"), Quiet]),
        (
            "null in optional fields",
            vec![with(
                json!({ "query": NAMES, "variables": null, "operationName": null, "extensions": null }),
            )],
            vec![Next("1"), Complete("1"), Quiet],
        ),
        ("an arbitrary id", vec![ask("{\"ä\":1}", NAMES)], vec![Next("{\"ä\":1}"), Complete("{\"ä\":1}")]),
        (
            "a document that does not parse",
            vec![ask("1", "{ customers {")],
            vec![Error("1", "BAD_USER_INPUT"), Quiet],
        ),
        ("an invalid document", vec![ask("1", "{ nothing }")], vec![Error("1", "BAD_USER_INPUT"), Quiet]),
        (
            "a document that is too complex",
            vec![ask("1", &deep)],
            vec![Error("1", "QUERY_TOO_COMPLEX"), Quiet],
        ),
        (
            "a missing variable",
            vec![ask("1", "query ($id: ID!) { customer(id: $id) { name } }")],
            vec![Error("1", "BAD_USER_INPUT"), Quiet],
        ),
        (
            "an unknown operationName",
            vec![with(json!({ "query": NAMES, "operationName": "Other" }))],
            vec![Error("1", "BAD_USER_INPUT"), Quiet],
        ),
        ("an invalid subscription", vec![ask("1", UNKNOWN)], vec![Error("1", "BAD_USER_INPUT"), Quiet]),
        (
            "a subscription with two root fields",
            vec![ask("1", TWO)],
            vec![Error("1", "BAD_USER_INPUT"), Quiet],
        ),
        (
            "a subscription without a root field",
            vec![ask("1", NONE)],
            vec![Error("1", "BAD_USER_INPUT"), Quiet],
        ),
        (
            "complete for an unknown id",
            vec![complete("1"), ask("1", NAMES)],
            vec![Next("1"), Complete("1"), Quiet],
        ),
        ("complete is not echoed", vec![ask("1", ACTIVATIONS), complete("1"), complete("1")], vec![Quiet]),
        (
            "a completed id can be reused",
            vec![ask("1", ACTIVATIONS), complete("1"), ask("1", ACTIVATIONS), complete("1"), ask("1", NAMES)],
            vec![Next("1"), Complete("1"), Quiet],
        ),
        ("an id in use", vec![ask("1", ACTIVATIONS), ask("1", NAMES)], vec![Closed(4409)]),
        (
            "more operations than allowed",
            vec![ask("1", ACTIVATIONS), ask("2", ACTIVATIONS), ask("3", ACTIVATIONS)],
            vec![Error("3", "LIMIT_REACHED"), Quiet],
        ),
        (
            "an operation after another one was completed",
            vec![ask("1", ACTIVATIONS), ask("2", ACTIVATIONS), complete("2"), ask("3", NAMES)],
            vec![Next("3"), Complete("3"), Quiet],
        ),
        (
            "a malformed message closes the socket",
            vec![ask("1", ACTIVATIONS), Text("{}".to_owned())],
            vec![Closed(4400)],
        ),
        (
            "a close frame is answered",
            vec![ask("1", ACTIVATIONS), ClientFrame::Close(1000)],
            vec![Closed(1000)],
        ),
    ]
}

#[tokio::test]
async fn each_case_hears_what_the_table_says() {
    let app = App::with(SocketLimits { operations: 2, ..impatient() }).await;
    let operator = app.operator().await;
    let strangers = unauthenticated_cases().into_iter().map(|case| (false, case));
    let signed_in = authenticated_cases(&operator).into_iter().map(|case| (true, case));
    for (signs_in, (case, say, hear)) in strangers.chain(signed_in) {
        let mut socket = match signs_in {
            true => Socket::open(&app.base, operator.token.as_deref()).await,
            false => Socket::connect(&app.base, "graphql-transport-ws").await,
        };
        for frame in say.into_iter().flat_map(ClientFrame::frames) {
            // The service may have closed its end meanwhile.
            socket.try_raw(frame).await;
        }
        for expected in hear {
            assert_eq!(heard(&mut socket, &expected).await, expected, "{case}");
        }
    }
    super::until("no watcher is left", || app.watchers() == 0).await;
    super::until("no socket is left", || app.door.sockets.open() == 0).await;
}

/// A second `connection_init` arrives while the first one's credential is being checked, or just after.
#[tokio::test]
async fn init_is_said_once_however_soon_the_second_one_comes() {
    let app = App::start().await;
    let operator = app.operator().await;
    for then in [4429, 4401] {
        let mut socket = Socket::connect(&app.base, "graphql-transport-ws").await;
        let second = if then == 4429 { init(&operator) } else { ask("1", NAMES) };
        for frame in init(&operator).frames().into_iter().chain(second.frames()) {
            socket.try_raw(frame).await;
        }
        // The credential may be accepted before the second message is read; then only 4429 is checked.
        let mut heard = socket.any().await;
        if then == 4429 && matches!(&heard, Message::Text(text) if text.contains("connection_ack")) {
            heard = socket.any().await;
        }
        match heard {
            Message::Close(Some(frame)) => assert_eq!(u16::from(frame.code), then),
            Message::Text(text) => assert!(then == 4401 && text.contains("connection_ack"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}
