//! The opening handshake (RFC 6455, section 4.2; RFC 9110, sections 7.8 and 15.5.22): accepted forms, and the
//! rejection of others.

use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{Answer, App, app::Instance, caller::Status};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const RIGHT: [(&str, &str); 4] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
    ("sec-websocket-key", KEY),
];

/// Headers that differ from a valid handshake's. None leaves a header out.
type Differing = [(&'static str, Option<&'static str>)];

/// Sends a valid handshake with these changes.
async fn shake(app: &Instance, method: Method, path: &str, other: &Differing) -> Answer {
    let other_than = |name: &str| other.iter().find(|(other, _)| *other == name);
    let mut request = app.anonymous().request(method, path);
    for (name, value) in RIGHT {
        if let Some(value) = other_than(name).map_or(Some(value), |(_, value)| *value) {
            request = request.header(name, value);
        }
    }
    let response = request.header("sec-websocket-protocol", "graphql-transport-ws").send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    // The body of a 101 never ends.
    let text = if status == 101 { String::new() } else { response.text().await.unwrap() };
    Answer {
        status: Status::new(status, &text),
        headers,
        body: serde_json::from_str(&text).unwrap_or(json!(text)),
        cost: serde_json::Value::Null,
    }
}

#[tokio::test]
async fn a_handshake_that_is_right_is_taken_however_it_is_written() {
    let app = App::start().await;
    let right: [&Differing; 7] = [
        &[],
        &[("upgrade", Some("h2c, websocket"))],
        &[("upgrade", Some("WebSocket"))],
        &[("upgrade", Some("websocket, foo/2"))],
        &[("connection", Some("keep-alive, Upgrade"))],
        &[("connection", Some("upgrade")), ("upgrade", Some("h2c,WEBSOCKET"))],
        &[("sec-websocket-version", Some(" 13 "))],
    ];
    for other in right {
        let answer = shake(&app, Method::GET, "/graphql", other).await;
        assert_eq!(answer.status, 101, "{other:?}: {}", answer.body);
        assert_eq!(answer.header("upgrade"), Some("websocket"), "{other:?}");
        assert_eq!(answer.header("sec-websocket-protocol"), Some("graphql-transport-ws"), "{other:?}");
    }
    // An upgrade to `h2c` alone is ignored.
    let plain = app.operator().await.request(Method::GET, "/graphql?query=%7B__typename%7D");
    let plain = plain.header("connection", "Upgrade, HTTP2-Settings").header("upgrade", "h2c");
    assert_eq!(Answer::of(plain).await.at("/__typename"), "Query");
}

#[tokio::test]
async fn a_handshake_that_is_wrong_is_a_problem() {
    let app = App::start().await;
    let wrong: [(&Differing, u16, &str); 16] = [
        (&[("sec-websocket-version", Some("8"))], 426, "about:blank"),
        (&[("sec-websocket-version", Some("14"))], 426, "about:blank"),
        (&[("sec-websocket-version", Some("13, 8"))], 426, "about:blank"),
        (&[("sec-websocket-version", Some(""))], 426, "about:blank"),
        (&[("sec-websocket-version", None)], 426, "about:blank"),
        (&[("upgrade", None)], 426, "about:blank"),
        (&[("upgrade", Some("h2c"))], 426, "about:blank"),
        (&[("upgrade", None), ("connection", None)], 426, "about:blank"),
        (&[("upgrade", None), ("connection", None), ("sec-websocket-key", None)], 426, "about:blank"),
        (&[("connection", Some("keep-alive"))], 426, "about:blank"),
        (&[("connection", None)], 426, "about:blank"),
        (&[("sec-websocket-key", None)], 400, "/problems/bad-handshake"),
        (&[("sec-websocket-key", Some(""))], 400, "/problems/bad-handshake"),
        (&[("sec-websocket-key", Some("x"))], 400, "/problems/bad-handshake"),
        (&[("sec-websocket-key", Some("dGhlIHNhbXBsZSBub25jZSE="))], 400, "/problems/bad-handshake"),
        (&[("sec-websocket-key", Some("dGhlIHNhbXBsZSBub25jZQ=!"))], 400, "/problems/bad-handshake"),
    ];
    for (other, status, kind) in wrong {
        let answer = shake(&app, Method::GET, "/graphql", other).await;
        assert_eq!((answer.status.as_u16(), &answer.body["type"]), (status, &json!(kind)), "{other:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{other:?}");
        assert_eq!(answer.body["request_id"].as_str(), answer.header("x-request-id"), "{other:?}");
        if status == 426 {
            // RFC 9110, section 15.5.22.
            assert_eq!(answer.header("upgrade"), Some("websocket"), "{other:?}");
            assert!(answer.header("connection").unwrap().eq_ignore_ascii_case("upgrade"), "{other:?}");
        }
        let version_is_wrong = other[0].0 == "sec-websocket-version";
        assert_eq!(answer.header("sec-websocket-version"), version_is_wrong.then_some("13"), "{other:?}");
    }
    let post = shake(&app, Method::POST, "/graphql", &[]).await;
    assert_eq!((post.status.as_u16(), post.header("allow")), (405, Some("GET")));
    assert_eq!(post.body["title"], "Method Not Allowed");
    let in_address = shake(&app, Method::GET, "/graphql?access_token=x", &[]).await;
    assert_eq!((in_address.status.as_u16(), in_address.challenge()), (401, Some("invalid_request")));
    assert_eq!(app.door.sockets.open(), 0, "no rejected handshake holds a permit");
}

/// Header names are case-insensitive, but Python's `gql` compares them exactly.
#[tokio::test]
async fn the_protocol_is_named_as_the_client_writes_it() {
    let app = App::start().await;
    for name in ["Sec-WebSocket-Protocol", "sec-websocket-protocol", "SEC-WEBSOCKET-PROTOCOL"] {
        let mut line = TcpStream::connect(app.address()).await.unwrap();
        let request = format!(
            "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{name}: graphql-ws, graphql-transport-ws\r\n\r\n"
        );
        line.write_all(request.as_bytes()).await.unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            head.push(char::from(line.read_u8().await.unwrap()));
        }
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains(&format!("\r\n{name}: graphql-transport-ws\r\n")), "{head}");
    }
}
