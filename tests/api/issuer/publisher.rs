//! The server of an issuer: it publishes the description and the keys, and exchanges codes. It counts requests for keys,
//! and its replies are configurable.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use agent_registry::domain::auth::jwks::Source;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

/// The reply to a request.
#[derive(Clone)]
pub(super) enum Reply {
    /// This key set.
    Set(Value),
    /// This text in place of a key set.
    Text(String),
    /// This key set with a status that isn't 200.
    Status(u16, Value),
    /// A redirect to this URL.
    Redirect(String),
    /// An endless body.
    Endless,
    /// No response: the connection is closed.
    HangUp,
    /// No response yet: notifies `asked`, waits for `go_on`, and closes the connection.
    Wait { asked: Arc<Notify>, go_on: Arc<Notify> },
}

/// The server; stops when it is dropped.
pub(super) struct Publisher {
    pub(super) url: String,
    /// The issuer whose description the server returns; its name is the server's own address.
    pub(super) issuer: String,
    state: Arc<State>,
    task: JoinHandle<()>,
}

/// The server's replies.
struct State {
    description: String,
    asked: AtomicUsize,
    keys: Mutex<Reply>,
    tokens: Mutex<Reply>,
    /// The bodies of requests to the token endpoint.
    exchanges: Mutex<Vec<String>>,
}

impl Publisher {
    pub(super) async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let url = format!("{issuer}/keys");
        let description = json!({
            "issuer": issuer,
            "jwks_uri": url,
            "authorization_endpoint": format!("{issuer}/auth?tenant=1"),
            "token_endpoint": format!("{issuer}/token"),
            "response_types_supported": ["code"],
        });
        let state = Arc::new(State {
            description: description.to_string(),
            asked: AtomicUsize::new(0),
            keys: Mutex::new(reply),
            tokens: Mutex::new(Reply::HangUp),
            exchanges: Mutex::default(),
        });
        let served = Arc::clone(&state);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&served);
                tokio::spawn(async move {
                    // The client may stop reading, which is fine.
                    let _ = answer(stream, &state).await;
                });
            }
        });
        Self { url, issuer, state, task }
    }

    pub(super) fn source(&self) -> Source {
        Source::parse(&self.url).unwrap()
    }

    /// The number of requests for keys so far.
    pub(super) fn asked(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }

    /// Sets the reply to later requests for keys.
    pub(super) fn says(&self, reply: Reply) {
        *self.state.keys.lock().unwrap() = reply;
    }

    /// Sets the reply to later exchanges of codes.
    pub(super) fn exchanges(&self, reply: Reply) {
        *self.state.tokens.lock().unwrap() = reply;
    }

    /// The bodies of the requests to the token endpoint so far.
    pub(super) fn exchanged(&self) -> Vec<String> {
        self.state.exchanges.lock().unwrap().clone()
    }

    /// Stops listening.
    pub(super) async fn ends(&mut self) {
        self.task.abort();
        assert!((&mut self.task).await.unwrap_err().is_cancelled());
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads one request and replies. Each request has its own connection.
async fn answer(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    if request.starts_with(b"GET /.well-known/openid-configuration ") {
        return respond(stream, 200, &state.description, "").await;
    }
    let reply = if request.starts_with(b"POST /token ") {
        let body = read_body(&mut stream, request).await?;
        state.exchanges.lock().unwrap().push(body);
        state.tokens.lock().unwrap().clone()
    } else {
        state.asked.fetch_add(1, Ordering::SeqCst);
        state.keys.lock().unwrap().clone()
    };
    let (status, body, more) = match reply {
        Reply::Set(set) => (200, set.to_string(), String::new()),
        Reply::Text(text) => (200, text, String::new()),
        Reply::Status(status, set) => (status, set.to_string(), String::new()),
        Reply::Redirect(to) => (302, String::new(), format!("location: {to}\r\n")),
        Reply::HangUp => return Ok(()),
        Reply::Wait { asked, go_on } => {
            asked.notify_one();
            go_on.notified().await;
            return Ok(());
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await?;
            loop {
                stream.write_all(&[b' '; 64 * 1024]).await?;
            }
        }
    };
    respond(stream, status, &body, &more).await
}

/// Reads the rest of a request with a `Content-Length`, and returns its body.
async fn read_body(stream: &mut TcpStream, mut request: Vec<u8>) -> std::io::Result<String> {
    let text = String::from_utf8_lossy(&request).into_owned();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
    });
    let end = head.len() + 4 + length.unwrap();
    while request.len() < end {
        if stream.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    Ok(String::from_utf8(request.split_off(head.len() + 4)).unwrap())
}

/// Sends a response, with these further header lines.
async fn respond(mut stream: TcpStream, status: u16, body: &str, more: &str) -> std::io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}
