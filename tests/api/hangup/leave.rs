//! Ways to disconnect during a mutation.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::support::{
    caller::Operator,
    socket::{Frame, Socket},
};

/// How long to wait for a complete response; far more than it takes.
const DEADLINE: Duration = Duration::from_secs(20);
const CREATE: &str =
    "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } } }";

/// How a client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeaveMode {
    /// HTTP: the connection is reset.
    Reset,
    /// HTTP: the connection is closed in an orderly way.
    Close,
    /// The WebSocket's connection is dropped.
    Socket,
    /// The WebSocket stays open: the client completes the operation and starts another.
    Complete,
}

impl LeaveMode {
    pub(super) const ALL: [Self; 4] = [Self::Reset, Self::Close, Self::Socket, Self::Complete];
}

/// What the client knows when it has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A response arrived, after this long.
    Acknowledged(Duration),
    /// No response had arrived.
    Unknown,
}

/// Starts to create a customer, and leaves after this time, or at the response.
pub(super) async fn leave(
    operator: &Operator,
    way: LeaveMode,
    name: &str,
    after: Option<Duration>,
) -> Outcome {
    match way {
        LeaveMode::Reset | LeaveMode::Close => over_http(operator, way, name, after).await,
        LeaveMode::Socket | LeaveMode::Complete => over_socket(operator, way, name, after).await,
    }
}

async fn over_http(operator: &Operator, way: LeaveMode, name: &str, after: Option<Duration>) -> Outcome {
    let body = json!({ "query": CREATE, "variables": { "input": { "name": name } } }).to_string();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        operator.token.as_deref().unwrap(),
        body.len()
    );
    let mut stream = TcpStream::connect(operator.base.trim_start_matches("http://")).await.unwrap();
    stream.set_nodelay(true).unwrap();
    if way == LeaveMode::Reset {
        // The service notices a reset at once, and an orderly close at its next read.
        stream.set_zero_linger().unwrap();
    }
    stream.write_all(head.as_bytes()).await.unwrap();
    let sent = Instant::now();
    let mut answer = vec![0; 4096];
    let read = match after {
        Some(after) => {
            sleep(after).await;
            stream.try_read(&mut answer).unwrap_or(0)
        }
        None => timeout(DEADLINE, stream.read(&mut answer)).await.unwrap().unwrap(),
    };
    let took = sent.elapsed();
    if way == LeaveMode::Close {
        let _ = stream.shutdown().await;
    }
    let answer = String::from_utf8_lossy(&answer[..read]);
    if answer.starts_with("HTTP/1.1 200") && answer.contains("\"createCustomer\":{\"customer\":{\"id\"") {
        return Outcome::Acknowledged(took);
    }
    // Any response must be the success.
    assert!(read == 0, "{answer}");
    Outcome::Unknown
}

async fn over_socket(operator: &Operator, way: LeaveMode, name: &str, after: Option<Duration>) -> Outcome {
    let mut socket = operator.socket().await;
    socket.subscribe("1", CREATE, json!({ "input": { "name": name } })).await;
    let sent = Instant::now();
    let answer = match after {
        Some(after) => {
            sleep(after).await;
            timeout(Duration::ZERO, socket.next()).await.ok()
        }
        None => Some(socket.next().await),
    };
    let took = sent.elapsed();
    if way == LeaveMode::Complete {
        stay(&mut socket).await;
    }
    match answer {
        Some(Frame::Message(message)) => {
            assert!(message["payload"]["data"]["createCustomer"]["customer"]["id"].is_string(), "{message}");
            Outcome::Acknowledged(took)
        }
        Some(closed @ Frame::Closed(..)) => panic!("{closed:?}"),
        None => Outcome::Unknown,
    }
}

/// Completes the operation, and starts another with the same id on the same socket, as the protocol allows.
async fn stay(socket: &mut Socket) {
    socket.send(json!({ "id": "1", "type": "complete" })).await;
    socket.subscribe("1", "{ viewer { name } }", Value::Null).await;
    loop {
        let Frame::Message(message) = socket.next().await else { panic!("the socket is closed") };
        // A result sent before the service has read `complete` may still arrive.
        if message["type"] == "next" && message["payload"]["data"]["viewer"].is_object() {
            return;
        }
        let late = &message["payload"]["data"]["createCustomer"];
        assert!(message["type"] == "complete" || late.is_object(), "{message}");
    }
}
