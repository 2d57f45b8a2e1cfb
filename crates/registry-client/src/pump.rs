//! The task that owns a socket: sends the session's commands, and dispatches incoming messages to their operations.

use std::{collections::HashMap, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, interval, sleep_until, timeout},
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use super::{
    ClientError, Event,
    message::{ClientMessage, ServerMessage},
};

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The interval between pings.
const PING_EVERY: Duration = Duration::from_secs(8);
/// The time without any message after which the connection counts as dead: three pings.
const SILENCE: Duration = Duration::from_secs(25);
/// The time limit for sending one frame.
const SEND: Duration = Duration::from_secs(25);

/// An item of an operation's channel: an event, `None` when the operation completes, or an error.
pub(super) type Item = Result<Option<Event>, ClientError>;
pub(super) type Events = mpsc::Sender<Item>;

/// A command from the session to the pump.
pub(super) enum Command {
    Start { payload: Value, events: Events, id: u64 },
    Stop(u64),
}

pub(super) struct Pump {
    pub(super) socket: Socket,
    pub(super) commands: mpsc::UnboundedReceiver<Command>,
    pub(super) running: HashMap<String, Events>,
}

impl Pump {
    /// Runs until the session is dropped or the socket ends. If the socket ends, each operation gets the error.
    pub(super) async fn run(mut self) {
        let ended = self.run_until_closed().await;
        if let Err(why) = ended {
            for events in self.running.values() {
                // If the channel is full, the subscription sees that its sender is dropped.
                let _ = events.try_send(Err(why.clone()));
            }
        }
        self.commands.close();
        let _ = timeout(SEND, self.socket.close(None)).await;
    }

    async fn run_until_closed(&mut self) -> Result<(), ClientError> {
        let mut pings = interval(PING_EVERY);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                command = self.commands.recv() => match command {
                    None => return Ok(()),
                    Some(command) => self.execute(command).await?,
                },
                frame = self.socket.next() => {
                    heard = Instant::now();
                    let lost = || ClientError::Closed { code: 1006, reason: "the connection was lost".to_owned() };
                    self.dispatch(&frame.ok_or_else(lost)??, heard).await?;
                }
                _ = pings.tick() => self.send(&ClientMessage::Ping).await?,
                () = sleep_until(heard + SILENCE) => return Err(ClientError::Silent),
            }
        }
    }

    async fn execute(&mut self, command: Command) -> Result<(), ClientError> {
        match command {
            Command::Start { payload, events, id } => {
                let id = id.to_string();
                self.running.insert(id.clone(), events);
                self.send(&ClientMessage::Subscribe { id, payload }).await
            }
            Command::Stop(id) => {
                let id = id.to_string();
                match self.running.remove(&id) {
                    Some(_) => self.send(&ClientMessage::Complete { id }).await,
                    None => Ok(()),
                }
            }
        }
    }

    async fn dispatch(&mut self, frame: &Message, at: Instant) -> Result<(), ClientError> {
        let (id, item, last) = match ServerMessage::read(frame)? {
            None | Some(ServerMessage::Pong {}) => return Ok(()),
            Some(ServerMessage::Ping {}) => return self.send(&ClientMessage::Pong).await,
            Some(ServerMessage::ConnectionAck {}) => {
                return Err(ClientError::Protocol("a second acknowledgement".to_owned()));
            }
            Some(ServerMessage::Next { id, payload }) => {
                (id, payload.data().map(|data| Some(Event { data, at })), false)
            }
            Some(ServerMessage::Error { id, payload }) => (id, Err(ClientError::GraphQl(payload)), true),
            Some(ServerMessage::Complete { id }) => (id, Ok(None), true),
        };
        // An unknown id belongs to an operation that was stopped just before.
        let Some(events) = self.running.get(&id) else {
            return Ok(());
        };
        let kept_up = events.try_send(item).is_ok();
        if last || !kept_up {
            self.running.remove(&id);
        }
        if !last && !kept_up {
            self.send(&ClientMessage::Complete { id }).await?;
        }
        Ok(())
    }

    async fn send(&mut self, message: &ClientMessage) -> Result<(), ClientError> {
        match timeout(SEND, self.socket.send(message.frame()?)).await {
            Ok(sent) => Ok(sent?),
            Err(_) => Err(ClientError::Silent),
        }
    }
}
