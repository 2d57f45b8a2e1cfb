//! A stream of server-sent events as a client sees it: events, comments and the end, with deadlines.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{caller::Client, wait::in_time};

/// How long to wait for what must come: far more than it takes.
const DEADLINE: Duration = Duration::from_secs(10);

/// What a client asks for to get events.
pub(crate) const EVENTS: &str = "text/event-stream";

/// An open stream.
pub(crate) struct Events {
    pub(crate) response: Response,
    bytes: Vec<u8>,
}

/// What a server says.
#[derive(Debug, PartialEq)]
pub(crate) enum Said {
    /// An event `next`.
    Next(Value),
    /// An event `complete`, with a `data` line that is empty.
    Complete,
    /// A comment; one that says nothing is a ping.
    Comment(String),
    /// The end of the body.
    End,
    /// The line broke before that.
    Broken,
}

impl Client {
    /// A request for the events of this operation.
    pub(crate) fn watch(&self, query: &str, variables: Value) -> RequestBuilder {
        let body = json!({ "query": query, "variables": variables });
        self.request(Method::POST, "/graphql").header("accept", EVENTS).json(&body)
    }

    /// The events of this operation.
    pub(crate) async fn events(&self, query: &str, variables: Value) -> Events {
        Events::of(self.watch(query, variables)).await
    }
}

impl Events {
    /// Those that answer this request.
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = in_time("an answer", DEADLINE, request.send()).await.expect("an answer");
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        assert_eq!((response.status().as_u16(), kind), (200, Some("text/event-stream; charset=utf-8")));
        Self { response, bytes: Vec::new() }
    }

    /// What comes next, pings too.
    pub(crate) async fn word(&mut self) -> Said {
        loop {
            if let Some(end) = self.bytes.windows(2).position(|two| two == b"\n\n") {
                let word: Vec<u8> = self.bytes.drain(..end + 2).collect();
                return read(std::str::from_utf8(&word[..end]).unwrap());
            }
            match in_time("a word of the stream", DEADLINE, self.response.chunk()).await {
                Ok(Some(bytes)) => self.bytes.extend_from_slice(&bytes),
                Ok(None) => {
                    assert!(self.bytes.is_empty(), "cut off within a word");
                    return Said::End;
                }
                Err(_) => return Said::Broken,
            }
        }
    }

    /// What comes next but for pings.
    pub(crate) async fn next(&mut self) -> Said {
        loop {
            let word = self.word().await;
            if word != Said::Comment(String::new()) {
                return word;
            }
        }
    }

    /// The next result; anything else fails the test.
    pub(crate) async fn event(&mut self) -> Value {
        match self.next().await {
            Said::Next(result) => result,
            other => panic!("no event: {other:?}"),
        }
    }

    /// All that comes until the end but for pings.
    pub(crate) async fn rest(mut self) -> Vec<Said> {
        let mut said = Vec::new();
        while !matches!(said.last(), Some(Said::End | Said::Broken)) {
            said.push(self.next().await);
        }
        said
    }

    /// Whether nothing comes for a while but pings.
    pub(crate) async fn is_quiet(&mut self, time: Duration) -> bool {
        timeout(time, self.next()).await.is_err()
    }
}

/// One word: all its lines, each with its field.
fn read(word: &str) -> Said {
    let lines: Vec<&str> = word.split('\n').collect();
    match lines[..] {
        [comment] if comment.starts_with(':') => Said::Comment(comment[1..].trim_start().to_owned()),
        ["event: next", data] => {
            Said::Next(serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap())
        }
        ["event: complete", "data:"] => Said::Complete,
        _ => panic!("not of the protocol: {word}"),
    }
}
