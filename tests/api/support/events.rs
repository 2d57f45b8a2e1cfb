//! A client of server-sent events, with deadlines: it reads events, comments and the end of the stream.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{
    caller::{Client, take_cost},
    wait::in_time,
};

/// How long to wait for an event; far more than it takes.
const DEADLINE: Duration = Duration::from_secs(10);

/// The media type of server-sent events.
pub(crate) const EVENTS: &str = "text/event-stream";

/// An open stream.
pub(crate) struct Events {
    pub(crate) response: Response,
    bytes: Vec<u8>,
}

/// A block of the stream, or its end.
#[derive(Debug, PartialEq)]
pub(crate) enum SseMessage {
    /// An event `next`.
    Next(Value),
    /// An event `complete`, with an empty `data` line.
    Complete,
    /// A comment. An empty one is a ping.
    Comment(String),
    /// The end of the body.
    End,
    /// The connection broke before the end of the body.
    Broken,
}

impl Client {
    /// Builds a request for the events of this operation.
    pub(crate) fn watch(&self, query: &str, variables: Value) -> RequestBuilder {
        let body = json!({ "query": query, "variables": variables });
        self.request(Method::POST, "/graphql").header("accept", EVENTS).json(&body)
    }

    /// Opens the stream of events of this operation.
    pub(crate) async fn events(&self, query: &str, variables: Value) -> Events {
        Events::of(self.watch(query, variables)).await
    }
}

impl Events {
    /// Sends this request, which must be answered with an event stream.
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = in_time("an answer", DEADLINE, request.send()).await.expect("an answer");
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        assert_eq!((response.status().as_u16(), kind), (200, Some("text/event-stream; charset=utf-8")));
        Self { response, bytes: Vec::new() }
    }

    /// Reads the next block, pings included.
    pub(crate) async fn next_block(&mut self) -> SseMessage {
        loop {
            if let Some(end) = self.bytes.windows(2).position(|two| two == b"\n\n") {
                let word: Vec<u8> = self.bytes.drain(..end + 2).collect();
                return read(std::str::from_utf8(&word[..end]).unwrap());
            }
            match in_time("a block of the stream", DEADLINE, self.response.chunk()).await {
                Ok(Some(bytes)) => self.bytes.extend_from_slice(&bytes),
                Ok(None) => {
                    assert!(self.bytes.is_empty(), "cut off within a block");
                    return SseMessage::End;
                }
                Err(_) => return SseMessage::Broken,
            }
        }
    }

    /// Reads the next block that isn't a ping.
    pub(crate) async fn next(&mut self) -> SseMessage {
        loop {
            let word = self.next_block().await;
            if word != SseMessage::Comment(String::new()) {
                return word;
            }
        }
    }

    /// Reads the next result; anything else fails the test.
    pub(crate) async fn event(&mut self) -> Value {
        match self.next().await {
            SseMessage::Next(result) => result,
            other => panic!("no event: {other:?}"),
        }
    }

    /// Reads up to the end of the stream, without pings.
    pub(crate) async fn rest(mut self) -> Vec<SseMessage> {
        let mut said = Vec::new();
        while !matches!(said.last(), Some(SseMessage::End | SseMessage::Broken)) {
            said.push(self.next().await);
        }
        said
    }

    /// Whether nothing but pings arrives within `time`.
    pub(crate) async fn is_quiet(&mut self, time: Duration) -> bool {
        timeout(time, self.next()).await.is_err()
    }
}

/// Parses the lines of a block.
fn read(word: &str) -> SseMessage {
    let lines: Vec<&str> = word.split('\n').collect();
    match lines[..] {
        [comment] if comment.starts_with(':') => SseMessage::Comment(comment[1..].trim_start().to_owned()),
        ["event: next", data] => {
            let mut result = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            take_cost(&mut result);
            SseMessage::Next(result)
        }
        ["event: complete", "data:"] => SseMessage::Complete,
        _ => panic!("not a block of the protocol: {word}"),
    }
}
