//! The session of one socket, in one task: reading, running operations and writing proceed concurrently. When the
//! socket closes, all of them are dropped.

use std::{collections::HashMap, pin::pin, sync::Arc};

use futures_util::{
    FutureExt, StreamExt,
    future::{AbortHandle, BoxFuture},
    stream::{FuturesUnordered, poll_fn},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};

use super::{
    SocketLimits,
    inbox::{Inbox, Received, Reserved},
    message::{Close, Incoming, plain},
    operation::CredentialRejected,
    permit::SocketPermit,
    poll_on_wake::PollOnWake,
    session_rights::SessionRights,
    transport::{
        CLOSE_TIMEOUT, End, Frames, OutboundMessage, Outbox, QUEUE_CAPACITY, Socket, drain,
        end_of_read_error, write,
    },
};
use crate::{
    domain::{Caller, ClientConnection, Error},
    http::{AppState, caller::ClientAddress, server::connection::ConnectionHandle},
    share::Reservation,
};

mod incoming;
mod upkeep;

/// The maximum number of pending futures in addition to operations, such as pongs and errors that the client hasn't
/// taken. Above it, the session stops reading from the client.
const UNOBSERVED_MAX: usize = 64;

/// The result of a future of the session.
enum Completed {
    /// The result of `connection_init`: the credential, the count of rights changes just before its lookup, the caller.
    SignedIn(Arc<str>, u64, Result<Caller, Error>),
    /// The result of a recheck: the count of rights changes just before it, the caller.
    Rechecked(u64, Result<Caller, Error>),
    /// The operation with this id has sent its last message.
    Operation(String, Result<(), CredentialRejected>),
    /// The memory of a large message that is being received.
    LargeMessage(Reserved),
    /// The memory of a message that was received.
    Message(Reserved),
    /// A large message was parsed. Its memory.
    Parsed(Result<Box<Incoming>, Close>, Option<Reservation>),
    /// The pong was written.
    Pong,
    /// A message was sent, or an aborted operation has ended. Needs no handling.
    Unobserved,
}

enum Phase {
    /// No `connection_init` has arrived.
    Fresh,
    /// The credential of `connection_init` is being checked.
    SigningIn,
    /// `connection_ack` was sent: operations may run.
    SignedIn { bearer: Arc<str>, rights: SessionRights },
}

/// The state of one socket.
pub(super) struct Session {
    state: AppState,
    limits: Arc<SocketLimits>,
    /// The credential of the upgrade request: a bearer token, or the cookie of a session.
    header: Result<Option<Arc<str>>, Error>,
    client: ClientAddress,
    /// What the client said about itself in `connection_init`.
    connection: Option<Arc<ClientConnection>>,
    permit: SocketPermit,
    inbox: Inbox,
    phase: Phase,
    work: FuturesUnordered<BoxFuture<'static, Completed>>,
    live: HashMap<String, AbortHandle>,
    /// Whether a recheck of the credential is running.
    is_rechecking: bool,
    opened: Instant,
    heard: Instant,
    pinged: Instant,
}

impl Session {
    /// Boxed, because a future keeps the place of an argument in addition to that of the variable that it is moved to.
    pub(super) fn new(
        state: &AppState,
        header: Result<Option<Arc<str>>, Error>,
        client: ClientAddress,
        permit: SocketPermit,
        peer: ConnectionHandle,
    ) -> Box<Self> {
        let now = Instant::now();
        Box::new(Self {
            state: state.clone(),
            limits: Arc::clone(&state.sockets.limits),
            header,
            client,
            connection: None,
            permit,
            inbox: Inbox::new(peer),
            phase: Phase::Fresh,
            work: FuturesUnordered::new(),
            live: HashMap::new(),
            is_rechecking: false,
            opened: now,
            heard: now,
            pinged: now,
        })
    }

    /// Serves the socket until the client, the session or the service ends it. `speaks` is false if the client
    /// offered no supported subprotocol.
    pub(super) async fn serve(self: Box<Self>, socket: Socket, speaks: bool) {
        let (sink, stream) = socket.split();
        let mut stream = PollOnWake::new(stream);
        let (outbox, queue) = mpsc::channel(QUEUE_CAPACITY);
        let (hang_up, goodbye) = oneshot::channel();
        let mut writer = pin!(write(sink, queue, goodbye, self.limits.send));
        let tasks = self.state.tasks.clone();
        // The end of this statement drops the conversation and all its operations.
        let end = {
            let talk = async {
                tokio::select! {
                    // In this order, the writer sends what the conversation has just queued in the same poll.
                    biased;
                    end = self.converse(&mut stream, outbox, speaks) => end,
                    end = &mut writer => end,
                }
            };
            tasks.unless_stopping(pin!(talk)).await.unwrap_or_else(|| Close::restart().into())
        };
        match end {
            End::Close(close) => {
                tracing::debug!(code = close.code(), "closing a socket");
                count_end(&close.code().to_string());
                let cut_short = close == Close::too_big() || close == Close::broken();
                // It only fails if the writer, and with it the socket, has ended.
                let _ = hang_up.send(close.into());
                let _ = timeout(CLOSE_TIMEOUT, writer).await;
                drain(&mut stream).await;
                if cut_short {
                    // The bytes after a broken frame can't be parsed, so give the client time to read the close frame.
                    sleep(CLOSE_TIMEOUT / 4).await;
                }
            }
            End::Slow => {
                tracing::debug!("closing a socket: the client did not take a message in time");
                metrics::counter!("registry_socket_slow_total").increment(1);
                count_end("slow");
            }
            End::Gone => {
                count_end("gone");
                // Reading on makes tungstenite answer the client's close frame.
                drain(&mut stream).await;
            }
        }
    }

    /// Reads messages and runs operations until there is a reason to close.
    async fn converse(mut self: Box<Self>, stream: &mut Frames, outbox: Outbox, speaks: bool) -> End {
        if !speaks {
            return Close::subprotocol().into();
        }
        let mut beat = interval(self.limits.beat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beat = PollOnWake::new(poll_fn(|cx| beat.poll_tick(cx).map(Some)));
        loop {
            let has_room = self.work.len() < self.limits.operations + UNOBSERVED_MAX;
            let is_open = has_room && self.inbox.is_open();
            // Whether there is a share for a large message is known after that.
            let is_signing_in = matches!(self.phase, Phase::SigningIn);
            let going_on = tokio::select! {
                Some(done) = self.work.next() => self.done(done, &outbox),
                frame = stream.next(), if is_open => self.frame(frame, &outbox),
                () = self.inbox.stalled(), if is_open && !is_signing_in => self.reserve_large(),
                Some(_) = beat.next() => self.check_timeouts(&outbox),
            };
            if let Err(end) = going_on {
                return end;
            }
        }
    }

    fn frame(&mut self, frame: Option<tungstenite::Result<Message>>, outbox: &Outbox) -> Result<(), End> {
        self.heard = Instant::now();
        match frame {
            Some(Ok(Message::Text(text))) => match self.inbox.receive(text) {
                Received::Ready(text, memory) => Ok(self.message(text, memory, outbox)?),
                Received::Waits(reserved) => {
                    self.work.push(reserved.map(Completed::Message).boxed());
                    Ok(())
                }
            },
            Some(Ok(Message::Binary(_))) => Err(End::from(Close::bad_request("Message is not text"))),
            // tungstenite answers pings itself.
            Some(Ok(Message::Ping(payload) | Message::Pong(payload))) => {
                self.inbox.receive_control(&payload);
                Ok(())
            }
            // Frames are sent only.
            Some(Ok(Message::Close(_) | Message::Frame(_))) | None => Err(End::Gone),
            Some(Err(err)) => Err(end_of_read_error(&err)),
        }
    }

    /// Begins to reserve the memory of a message that is too large to be received without.
    fn reserve_large(&mut self) -> Result<(), End> {
        let reserved = self.inbox.reserve_large()?;
        self.work.push(reserved.map(Completed::LargeMessage).boxed());
        Ok(())
    }

    fn done(&mut self, done: Completed, outbox: &Outbox) -> Result<(), End> {
        match done {
            Completed::SignedIn(bearer, since, Ok(caller)) => {
                if !self.permit.sign_in(&caller) {
                    return Err(Close::try_later("Too many sockets").into());
                }
                if self.inbox.sign_in(&self.state.budget, &caller).is_err() {
                    return Err(Close::try_later("Too many connections").into());
                }
                self.phase = Phase::SignedIn { bearer, rights: SessionRights::new(caller, since) };
                self.say(plain("connection_ack"), outbox);
                Ok(())
            }
            Completed::SignedIn(_, _, Err(Error::Unauthenticated(_)))
            | Completed::Rechecked(_, Err(Error::Unauthenticated(_)))
            | Completed::Operation(_, Err(CredentialRejected)) => Err(Close::forbidden("Forbidden").into()),
            Completed::Rechecked(count, Ok(now)) => {
                if let Phase::SignedIn { rights, .. } = &self.phase {
                    let mut rights = rights.lock();
                    // Running operations began with the previous rights. With fewer rights, the socket closes.
                    if !now.covers(&rights.0) {
                        return Err(Close::forbidden("rights were taken away").into());
                    }
                    *rights = (Arc::new(now), count);
                }
                self.is_rechecking = false;
                Ok(())
            }
            // A client could fill the log with these, so they aren't warnings.
            Completed::SignedIn(_, _, Err(err @ Error::RateLimited { .. })) => {
                tracing::debug!(error = %err, "a sign-in is rate-limited");
                Err(Close::try_later("Try again later").into())
            }
            Completed::SignedIn(_, _, Err(err)) | Completed::Rechecked(_, Err(err)) => {
                tracing::warn!(error = %err, "can't check a credential");
                Err(Close::try_later("Try again later").into())
            }
            Completed::Operation(id, Ok(())) => {
                self.live.remove(&id);
                Ok(())
            }
            Completed::LargeMessage(Ok(memory)) => {
                self.inbox.resume(memory);
                Ok(())
            }
            Completed::Message(Ok(memory)) => match self.inbox.take_waiting() {
                Some(text) => Ok(self.message(text, Some(memory), outbox)?),
                None => Ok(()),
            },
            Completed::LargeMessage(Err(_)) | Completed::Message(Err(_)) => {
                Err(Close::try_later("No memory for the message").into())
            }
            Completed::Parsed(message, memory) => {
                self.inbox.set_parsing(false);
                Ok(self.handle(*message?, memory, outbox)?)
            }
            Completed::Pong => {
                self.inbox.set_ponging(false);
                Ok(())
            }
            Completed::Unobserved => Ok(()),
        }
    }

    fn say(&mut self, text: Utf8Bytes, outbox: &Outbox) {
        self.post(Message::Text(text), outbox);
    }

    /// Queues a message, without waiting for room in the queue.
    fn post(&mut self, message: Message, outbox: &Outbox) {
        self.queue(OutboundMessage { message, of: None, memory: None, written: None }, outbox);
    }

    /// Queues a pong. No more is read until it is written.
    fn pong(&mut self, text: Utf8Bytes, memory: Option<Reservation>, outbox: &Outbox) {
        let (written, done) = oneshot::channel();
        let message = Message::Text(text);
        self.queue(OutboundMessage { message, of: None, memory, written: Some(written) }, outbox);
        self.inbox.set_ponging(true);
        self.work.push(done.map(|_| Completed::Pong).boxed());
    }

    fn queue(&mut self, message: OutboundMessage, outbox: &Outbox) {
        let (message, outbox) = (Box::new(message), outbox.clone());
        let sent = async move {
            // It only fails when the socket closes.
            let _ = outbox.send(message).await;
            Completed::Unobserved
        };
        self.work.push(sent.boxed());
    }
}

fn count_end(how: &str) {
    metrics::counter!("registry_socket_ends_total", "how" => how.to_owned()).increment(1);
}
