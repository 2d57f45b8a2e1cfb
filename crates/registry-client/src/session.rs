//! A signed-in socket, and the operations on it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
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
    message::{Hear, SUBPROTOCOL, Say},
    pump::{Command, Item, Pump, Socket},
};

/// How long connecting, signing in and a query may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many events may wait for a subscriber.
const WAITING: usize = 4096;

/// A signed-in socket. Cheap to clone; it closes when the last clone and the last subscription are dropped.
#[derive(Clone, Debug)]
pub struct Session {
    commands: mpsc::UnboundedSender<Command>,
    next_id: Arc<AtomicU64>,
}

/// What a subscription yielded.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The response's data.
    pub data: Value,
    /// When it arrived.
    pub at: Instant,
}

/// A running subscription. It ends when dropped.
#[derive(Debug)]
pub struct Subscription {
    id: u64,
    events: mpsc::Receiver<Item>,
    commands: mpsc::UnboundedSender<Command>,
    ended: bool,
}

impl Session {
    /// Connects to the service at `base`, such as `http://127.0.0.1:8080`, and signs in with `token`.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`] or [`ClientError::Refused`] when there is no such service,
    /// [`ClientError::Closed`] when it does not accept the token.
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

    /// Runs a query or a mutation; answers its data.
    ///
    /// # Errors
    /// [`ClientError::GraphQl`] when any of it failed, or how the socket ended.
    pub async fn query(&self, document: &str, variables: Value) -> Result<Value, ClientError> {
        let mut answers = self.subscribe(document, variables)?;
        let answer = timeout(PATIENCE, answers.next()).await.map_err(|_| ClientError::Silent)?;
        match answer {
            Some(event) => Ok(event?.data),
            None => Err(ClientError::Protocol("an operation ended without a result".to_owned())),
        }
    }

    /// Starts a subscription. That it has begun is not acknowledged by the protocol.
    ///
    /// # Errors
    /// [`ClientError::Closed`] when the socket has ended.
    pub fn subscribe(&self, document: &str, variables: Value) -> Result<Subscription, ClientError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (events, received) = mpsc::channel(WAITING);
        let payload = json!({ "query": document, "variables": variables });
        self.commands.send(Command::Start { payload, events, id }).map_err(|_| gone())?;
        let (commands, ended) = (self.commands.clone(), false);
        Ok(Subscription { id, events: received, commands, ended })
    }
}

impl Subscription {
    /// The next event; none when the service has completed the subscription. After an error comes nothing more.
    pub async fn next(&mut self) -> Option<Result<Event, ClientError>> {
        if self.ended {
            return None;
        }
        let next = match self.events.recv().await {
            Some(Ok(event)) => event.map(Ok),
            Some(Err(err)) => Some(Err(err)),
            // Let go of without a word: the socket is gone, or this subscription's channel was full.
            None if self.commands.is_closed() => Some(Err(gone())),
            None => Some(Err(ClientError::Lagged)),
        };
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // When the pump has ended there is nobody left to tell.
        let _ = self.commands.send(Command::Stop(self.id));
    }
}

fn gone() -> ClientError {
    ClientError::Closed { code: 1006, reason: "the socket has ended".to_owned() }
}

/// Upgrades and signs in.
async fn open(base: &str, token: &str) -> Result<Socket, ClientError> {
    let base = base.trim_end_matches('/');
    let Some(rest) = base.strip_prefix("http://") else {
        let advice = if base.starts_with("https://") || base.starts_with("wss://") {
            "; TLS is not spoken yet: name a proxy on this machine that speaks it"
        } else {
            ""
        };
        return Err(ClientError::Address(format!(
            "the address must begin with http://, which {base:?} does not{advice}"
        )));
    };
    let mut request = format!("ws://{rest}/graphql").into_client_request()?;
    request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    let (mut socket, _) = connect_async(request).await?;
    let payload = json!({ "Authorization": format!("Bearer {token}") });
    socket.send(Say::ConnectionInit { payload }.frame()?).await?;
    loop {
        let frame = socket.next().await.ok_or_else(gone)??;
        match Hear::read(&frame)? {
            Some(Hear::ConnectionAck {}) => return Ok(socket),
            Some(Hear::Ping {}) => socket.send(Say::Pong.frame()?).await?,
            None | Some(Hear::Pong {}) => {}
            Some(other) => {
                return Err(ClientError::Protocol(format!("{other:?} before the acknowledgement")));
            }
        }
    }
}
