//! Slow clients, endless requests, and clients that don't read: each connection ends in time, and has no effect.

use std::time::{Duration, Instant};

use agent_registry::http::ConnectionLimits;
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{DEADLINE, head, line, rest, say};
use crate::support::{App, app::Setup, caller::Operator};

/// The timeout in these tests.
const SHORT: Duration = Duration::from_millis(400);
const LIVEZ: &str = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
const CREATE: &str = "mutation { createCustomer(input: { name: \"Made\" }) { revision } }";

async fn app(lines: ConnectionLimits) -> App {
    App::set_up(Setup { lines, ..Setup::default() }).await
}

async fn customers(operator: &Operator) -> usize {
    let answer = operator.gql("{ customers { nodes { id } } }", json!({})).await;
    answer.at("/customers/nodes").as_array().unwrap().len()
}

fn post(path: &str, operator: &Operator, more: &str) -> String {
    let token = operator.token.as_deref().unwrap();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n{more}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_head_that_does_not_come_in_time_ends_the_line() {
    let app = app(ConnectionLimits { head: SHORT, ..ConnectionLimits::default() }).await;
    for begun in ["", "G", "GET /livez HTTP/1.1\r\nhost: localhost\r\nx-", "POST /graphql HTTP/1.1\r\n"] {
        let began = Instant::now();
        let mut line = line(&app).await;
        say(&mut line, begun).await;
        assert_eq!(rest(&mut line).await, "", "{begun:?}");
        assert!(began.elapsed() >= SHORT, "{begun:?} was ended too early");
    }
    // Sending a byte now and then doesn't prolong the timeout, on a reused connection too.
    let mut line = line(&app).await;
    say(&mut line, LIVEZ).await;
    assert!(head(&mut line).await.starts_with("HTTP/1.1 200"));
    let began = Instant::now();
    while line.write_all(b"x").await.is_ok() {
        assert!(began.elapsed() < DEADLINE, "the connection is not ended");
        sleep(SHORT / 10).await;
    }
    assert!(began.elapsed() >= SHORT, "the connection was ended too early");
}

#[tokio::test]
async fn a_line_may_wait_for_its_next_request_but_not_for_ever() {
    let idle = Duration::from_secs(2);
    let app = app(ConnectionLimits { head: SHORT, idle, ..ConnectionLimits::default() }).await;
    let mut line = line(&app).await;
    say(&mut line, LIVEZ).await;
    assert!(head(&mut line).await.starts_with("HTTP/1.1 200"));
    // An empty line, which some clients send after a body, doesn't begin a request.
    say(&mut line, "\r\n").await;
    sleep(SHORT * 2).await;
    say(&mut line, LIVEZ).await;
    let mut body = [0; 3];
    line.read_exact(&mut body).await.unwrap();
    let began = Instant::now();
    assert!(head(&mut line).await.starts_with("HTTP/1.1 200"), "the connection was ended too early");
    assert_eq!(rest(&mut line).await, "ok\n");
    assert!(began.elapsed() >= idle / 2, "the connection was ended too early");
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_answered_408_and_nothing_comes_of_it() {
    let app = app(ConnectionLimits { body: SHORT, ..ConnectionLimits::default() }).await;
    let operator = app.operator().await;
    let body = json!({ "query": CREATE }).to_string();
    for (path, kind) in [("/graphql", "application/json"), ("/v1/agents", "application/problem+json")] {
        for frame in [format!("content-length: {}", body.len() + 1), "transfer-encoding: chunked".to_owned()]
        {
            let mut line = line(&app).await;
            say(&mut line, &post(path, &operator, &frame)).await;
            if frame.starts_with("content-length") {
                say(&mut line, &body).await;
            } else {
                say(&mut line, &format!("{:x}\r\n{body}\r\n", body.len())).await;
            }
            let answer = rest(&mut line).await;
            assert!(answer.starts_with("HTTP/1.1 408"), "{path} {frame}: {answer}");
            assert!(answer.contains(kind), "{path} {frame}: {answer}");
        }
    }
    // Sending a byte now and then doesn't prolong the timeout; a body that arrives fast enough in pieces is read.
    let mut line = line(&app).await;
    say(&mut line, &post("/graphql", &operator, "content-length: 100000")).await;
    let began = Instant::now();
    while line.write_all(b" ").await.is_ok() {
        assert!(began.elapsed() < DEADLINE, "the connection is not ended");
        sleep(SHORT / 10).await;
    }
    assert_eq!(customers(&operator).await, 0);
}

#[tokio::test]
async fn a_body_in_pieces_has_as_long_as_it_is_large() {
    let app = app(ConnectionLimits { body: Duration::from_secs(2), ..ConnectionLimits::default() }).await;
    let operator = app.operator().await;
    // Each piece prolongs the timeout of two seconds by more than the time it takes; all pieces together take
    // longer than two seconds.
    let (pieces, piece) = (6, " ".repeat(32 * 1024));
    let mut line = line(&app).await;
    let body = json!({ "query": CREATE }).to_string();
    let length = pieces * piece.len() + body.len();
    say(&mut line, &post("/graphql", &operator, &format!("content-length: {length}"))).await;
    for _ in 0..pieces {
        sleep(SHORT).await;
        say(&mut line, &piece).await;
    }
    say(&mut line, &body).await;
    assert!(head(&mut line).await.starts_with("HTTP/1.1 200"));
    assert_eq!(customers(&operator).await, 1);
}

/// Sends `piece` again and again until the connection ends, which must be before `most` bytes. Returns the number
/// of bytes sent, and what was received.
async fn flood(line: &mut TcpStream, piece: &str, most: usize) -> (usize, String) {
    let (mut reads, mut writes) = line.split();
    let mut sent = 0;
    let sending = async {
        while writes.write_all(piece.as_bytes()).await.is_ok() {
            sent += piece.len();
            assert!(sent < most, "the service reads everything");
        }
    };
    let mut answer = Vec::new();
    let reading = async {
        let _ = reads.read_to_end(&mut answer).await;
    };
    timeout(DEADLINE, async { tokio::join!(sending, reading) }).await.expect("an end in time");
    (sent, String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test]
async fn a_body_that_never_ends_is_cut_at_the_limit() {
    let app = app(ConnectionLimits::default()).await;
    let operator = app.operator().await;
    for path in ["/graphql", "/v1/agents"] {
        let mut line = line(&app).await;
        say(&mut line, &post(path, &operator, "transfer-encoding: chunked")).await;
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        let (sent, answer) = flood(&mut line, &chunk, 64 * 1024 * 1024).await;
        // The buffers of both operating systems hold some MiB.
        assert!((4 * 1024 * 1024..24 * 1024 * 1024).contains(&sent), "{path} took {sent} bytes");
        // A connection with unread bytes is reset, which may discard the response.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413"), "{path}: {answer}");
    }
    assert_eq!(customers(&operator).await, 0);
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_at_the_limit() {
    let app = app(ConnectionLimits::default()).await;
    let mut line = line(&app).await;
    say(&mut line, "GET /livez HTTP/1.1\r\nhost: localhost\r\n").await;
    let field = format!("x: {}\r\n", "y".repeat(4096));
    let (_, answer) = flood(&mut line, &field, 16 * 1024 * 1024).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    // A long head that ends is read.
    let long = "y".repeat(32 * 1024);
    let request = app.anonymous().request(Method::GET, "/livez").header("x", long);
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn who_does_not_take_its_answers_gives_its_place_to_the_next() {
    // One connection at a time: the second is served after the first has been ended.
    let take = Duration::from_secs(1);
    let lines = ConnectionLimits { connections: 1, take, ..ConnectionLimits::default() };
    let app = app(lines).await;
    for drips in [false, true] {
        let mut stuck = line(&app).await;
        let many = "GET /graphiql/graphiql.min.js HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(40);
        say(&mut stuck, &many).await;
        assert!(head(&mut stuck).await.starts_with("HTTP/1.1 200"));
        let began = Instant::now();
        let mut second = line(&app).await;
        say(&mut second, LIVEZ).await;
        let answered = async {
            head(&mut second).await;
            began.elapsed()
        };
        let dripping = async {
            // Reads enough to keep TCP moving, but half of the required rate.
            let mut bytes = [0; 160];
            while drips && stuck.read(&mut bytes).await.is_ok_and(|read| read > 0) {
                sleep(Duration::from_millis(20)).await;
            }
            std::future::pending::<()>().await;
        };
        let took = tokio::select! {
            took = answered => took,
            () = dripping => unreachable!(),
        };
        assert!(took >= take / 2, "the first was ended too early: {took:?}");
    }
}
