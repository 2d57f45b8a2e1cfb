//! An authenticated socket, and the operations on it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use json_reader::Json;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{client::IntoClientRequest, http::HeaderValue, http::header::SEC_WEBSOCKET_PROTOCOL},
};

use super::{
    ClientError,
    message::{ClientMessage, SUBPROTOCOL, ServerMessage},
    pump::{Command, Item, Pump, Socket},
};

/// The time limit for connecting with authentication, and for a query.
const PATIENCE: Duration = Duration::from_secs(30);
/// The size of a subscription's buffer, in events.
const WAITING: usize = 4096;

/// An authenticated socket. Clones share it; it closes when the last clone and the last subscription are dropped.
#[derive(Clone, Debug)]
pub struct Session {
    commands: mpsc::UnboundedSender<Command>,
    next_id: Arc<AtomicU64>,
}

/// An event of a subscription, or the result of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The response's data, with the order of keys and the numbers of its text.
    pub data: Json,
    /// The time of arrival.
    pub at: Instant,
}

/// A running subscription. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Subscription {
    id: u64,
    events: mpsc::Receiver<Item>,
    commands: mpsc::UnboundedSender<Command>,
    ended: bool,
}

impl Session {
    /// Connects to the service at `base`, such as `http://127.0.0.1:8080`, and authenticates with `token`.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] or [`ClientError::Refused`] when no registry answers, [`ClientError::Closed`] when
    /// the registry rejects the token, [`ClientError::Silent`] after 30 seconds.
    pub async fn connect(base: &str, token: &str) -> Result<Self, ClientError> {
        let socket = match timeout(PATIENCE, open(base, token)).await {
            Ok(opened) => opened?,
            Err(_) => return Err(ClientError::Silent),
        };
        let (commands, received) = mpsc::unbounded_channel();
        let pump = Pump { socket, commands: received, running: HashMap::new() };
        tokio::spawn(pump.run());
        Ok(Self { commands, next_id: Arc::default() })
    }

    /// Runs a query or a mutation and returns its data.
    ///
    /// # Errors
    /// [`ClientError::GraphQl`] when the response has any error; otherwise the reason why the socket ended.
    pub async fn query(&self, document: &str, variables: Value) -> Result<Value, ClientError> {
        let mut answers = self.subscribe(document, variables)?;
        let answer = timeout(PATIENCE, answers.next()).await.map_err(|_| ClientError::Silent)?;
        match answer {
            Some(event) => Ok(event?.data.into()),
            None => Err(ClientError::Protocol("an operation completed without a result".to_owned())),
        }
    }

    /// Starts a subscription. The protocol has no acknowledgement for its start.
    ///
    /// # Errors
    /// [`ClientError::Closed`] when the socket has ended.
    pub fn subscribe(&self, document: &str, variables: Value) -> Result<Subscription, ClientError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (events, received) = mpsc::channel(WAITING);
        let payload = json!({ "query": document, "variables": variables });
        self.commands.send(Command::Start { payload, events, id }).map_err(|_| closed_error())?;
        let (commands, ended) = (self.commands.clone(), false);
        Ok(Subscription { id, events: received, commands, ended })
    }
}

impl Subscription {
    /// Returns the next event, or `None` when the service has completed the subscription. After an error, it returns
    /// `None`.
    pub async fn next(&mut self) -> Option<Result<Event, ClientError>> {
        if self.ended {
            return None;
        }
        let next = match self.events.recv().await {
            Some(Ok(event)) => event.map(Ok),
            Some(Err(err)) => Some(Err(err)),
            // The pump dropped the sender: either the socket is gone, or this subscription's buffer was full.
            None if self.commands.is_closed() => Some(Err(closed_error())),
            None => Some(Err(ClientError::Lagged)),
        };
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // Sending fails if the pump has ended; the subscription is over then.
        let _ = self.commands.send(Command::Stop(self.id));
    }
}

fn closed_error() -> ClientError {
    ClientError::Closed { code: 1006, reason: "the socket is closed".to_owned() }
}

/// Opens the websocket and authenticates.
async fn open(base: &str, token: &str) -> Result<Socket, ClientError> {
    let base = base.trim_end_matches('/');
    let Some(rest) = base.strip_prefix("http://") else {
        let advice = if base.starts_with("https://") || base.starts_with("wss://") {
            "; TLS isn't supported yet: use a proxy on this machine that adds it"
        } else {
            ""
        };
        return Err(ClientError::Address(format!("the URL must begin with http://, got {base:?}{advice}")));
    };
    let mut request = format!("ws://{rest}/graphql").into_client_request()?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    let (mut socket, _) = connect_async(request).await?;
    let payload = json!({ "Authorization": format!("Bearer {token}") });
    socket.send(ClientMessage::ConnectionInit { payload }.frame()?).await?;
    loop {
        let frame = socket.next().await.ok_or_else(closed_error)??;
        match ServerMessage::read(&frame)? {
            Some(ServerMessage::ConnectionAck {}) => return Ok(socket),
            Some(ServerMessage::Ping {}) => socket.send(ClientMessage::Pong.frame()?).await?,
            None | Some(ServerMessage::Pong {}) => {}
            Some(other) => {
                return Err(ClientError::Protocol(format!("{other:?} before the acknowledgement")));
            }
        }
    }
}
