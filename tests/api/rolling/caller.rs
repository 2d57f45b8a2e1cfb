//! An HTTP client that goes to the next instance when one doesn't respond, and counts the failures by kind.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The outcomes of a client's requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// Responses with status 200.
    pub(super) answered: usize,
    /// Retryable errors.
    pub(super) later: usize,
    /// Connections refused.
    pub(super) refused: usize,
    /// Connections that ended before the first byte of a response.
    pub(super) closed: usize,
    /// Connections that ended in the middle of a response, which must not happen.
    pub(super) cut: usize,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        let Self { answered, later, refused, closed, cut } = other;
        self.answered += answered;
        self.later += later;
        self.refused += refused;
        self.closed += closed;
        self.cut += cut;
    }
}

/// A client with one connection, kept open as long as it works.
pub(super) struct Caller {
    instances: Vec<SocketAddr>,
    at: usize,
    token: String,
    stream: Option<TcpStream>,
    pub(super) counts: Counts,
}

impl Caller {
    pub(super) fn new(instances: Vec<SocketAddr>, at: usize, token: String) -> Self {
        let at = at % instances.len();
        Self { instances, at, token, stream: None, counts: Counts::default() }
    }

    /// Sends the request to one instance after the other until it succeeds. A write may so be done twice.
    pub(super) async fn gql(&mut self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables }).to_string();
        loop {
            if let Some((status, body)) = self.once(&body).await {
                let answer: Value = serde_json::from_str(&body).unwrap();
                let code = answer.pointer("/errors/0/extensions/code").and_then(Value::as_str);
                if status == 200 && code.is_none() {
                    self.counts.answered += 1;
                    return answer;
                }
                assert!(status == 503 || code == Some("UNAVAILABLE"), "{status}: {answer}");
                self.counts.later += 1;
            }
            self.stream = None;
            self.at = (self.at + 1) % self.instances.len();
        }
    }

    /// Sends the request once. None without a response.
    async fn once(&mut self, body: &str) -> Option<(u16, String)> {
        let instance = self.instances[self.at];
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => match TcpStream::connect(instance).await {
                Ok(stream) => stream,
                Err(_) => {
                    self.counts.refused += 1;
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                    return None;
                }
            },
        };
        let request = format!(
            "POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        let mut answer = Vec::new();
        if stream.write_all(request.as_bytes()).await.is_ok() {
            let mut piece = [0; 16 * 1024];
            loop {
                if let Some((status, body, goes_on)) = whole(&answer) {
                    self.stream = goes_on.then_some(stream);
                    return Some((status, body));
                }
                match stream.read(&mut piece).await {
                    Ok(length @ 1..) => answer.extend_from_slice(&piece[..length]),
                    Ok(_) | Err(_) => break,
                }
            }
        }
        if answer.is_empty() {
            self.counts.closed += 1;
        } else {
            self.counts.cut += 1;
        }
        None
    }
}

/// Status and body of a complete response, and whether the connection stays open.
fn whole(answer: &[u8]) -> Option<(u16, String, bool)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&answer[..end]).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.expect("an answer with its length").trim().parse().unwrap();
    let body = answer.get(end..end + length)?;
    let status = head[9..12].parse().unwrap();
    Some((status, String::from_utf8(body.to_vec()).unwrap(), !head.contains("connection: close")))
}
