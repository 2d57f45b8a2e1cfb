//! The server that publishes an issuer's keys. It counts requests and sends a configurable reply.

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
    asked: Arc<AtomicUsize>,
    reply: Arc<Mutex<Reply>>,
    task: JoinHandle<()>,
}

impl Publisher {
    pub(super) async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let url = format!("{issuer}/keys");
        let (asked, reply) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(reply)));
        let (count, now) = (Arc::clone(&asked), Arc::clone(&reply));
        let description = json!({ "issuer": issuer, "jwks_uri": url, "response_types_supported": ["code"] });
        let description = Arc::new(description.to_string());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (count, now) = (Arc::clone(&count), Arc::clone(&now));
                let description = Arc::clone(&description);
                tokio::spawn(async move {
                    // The client may stop reading, which is fine.
                    let _ = answer(stream, &count, &now, &description).await;
                });
            }
        });
        Self { url, issuer, asked, reply, task }
    }

    pub(super) fn source(&self) -> Source {
        Source::parse(&self.url).unwrap()
    }

    /// The number of requests so far.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Sets the reply to later requests.
    pub(super) fn says(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
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

/// Reads one request, counts it and replies. Each request has its own connection.
async fn answer(
    mut stream: TcpStream,
    count: &AtomicUsize,
    reply: &Mutex<Reply>,
    description: &str,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    if request.starts_with(b"GET /.well-known/openid-configuration ") {
        return respond(stream, 200, description, "").await;
    }
    count.fetch_add(1, Ordering::SeqCst);
    let reply = reply.lock().unwrap().clone();
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

/// Sends a response, with these further header lines.
async fn respond(mut stream: TcpStream, status: u16, body: &str, more: &str) -> std::io::Result<()> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{more}\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}
