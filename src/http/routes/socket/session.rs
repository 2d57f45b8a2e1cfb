//! The session of one socket, in one task: reading, running operations and writing proceed concurrently. When the
//! socket closes, all of them are dropped.

use std::{collections::HashMap, pin::pin, sync::Arc};

use axum::{
    Error as WireError,
    body::Bytes,
    extract::ws::{Message, Utf8Bytes, WebSocket},
};
use futures_util::{
    FutureExt, StreamExt,
    future::{AbortHandle, Abortable, BoxFuture},
    stream::{FuturesUnordered, poll_fn},
};
use json_reader::Object;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use uuid::Uuid;

use super::{
    SocketLimits,
    held::Held,
    message::{Close, Incoming, plain, pong},
    operation::{Refused, Run},
    seat::Seat,
    wire::{End, Frames, GOODBYE, Letter, Outbox, WAITING, hear_out, unreadable, write},
    woken::Woken,
};
use crate::{
    domain::{Caller, Error, change::Channel},
    graphql::Operation,
    http::{
        Door,
        caller::{self, Client},
    },
};

/// The maximum number of pending futures in addition to operations, such as pongs and errors that the client hasn't
/// taken. Above it, the session stops reading from the client.
const BESIDES: usize = 64;

/// The result of a future of the session.
enum Done {
    /// The result of `connection_init`: the credential, the count of rights changes just before its lookup, the caller.
    SignedIn(Arc<str>, u64, Result<Caller, Error>),
    /// The result of a recheck: the count of rights changes just before it, the caller.
    SeenAgain(u64, Result<Caller, Error>),
    /// The operation with this id has sent its last message.
    Operation(String, Result<(), Refused>),
    /// A message was sent, or an aborted operation has ended. Needs no handling.
    Besides,
}

enum State {
    /// No `connection_init` has arrived.
    Fresh,
    /// The credential of `connection_init` is being checked.
    SigningIn,
    /// `connection_ack` was sent: operations may run.
    SignedIn { bearer: Arc<str>, held: Held },
}

/// The state of one socket.
pub(super) struct Session {
    door: Door,
    limits: Arc<SocketLimits>,
    /// The bearer token in the header of the upgrade request.
    header: Result<Option<Arc<str>>, Error>,
    client: Client,
    seat: Seat,
    state: State,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    live: HashMap<String, AbortHandle>,
    /// Whether a recheck of the credential is running.
    looking: bool,
    opened: Instant,
    heard: Instant,
    pinged: Instant,
}

impl Session {
    pub(super) fn new(
        door: &Door,
        header: Result<Option<Arc<str>>, Error>,
        client: Client,
        seat: Seat,
    ) -> Self {
        let now = Instant::now();
        Self {
            door: door.clone(),
            limits: Arc::clone(&door.sockets.limits),
            header,
            client,
            seat,
            state: State::Fresh,
            work: FuturesUnordered::new(),
            live: HashMap::new(),
            looking: false,
            opened: now,
            heard: now,
            pinged: now,
        }
    }

    /// Serves the socket until the client, the session or the service ends it. `speaks` is false if the client
    /// offered no supported subprotocol.
    pub(super) async fn serve(self, socket: WebSocket, speaks: bool) {
        let (sink, stream) = socket.split();
        let mut stream = Woken::new(stream);
        let (outbox, queue) = mpsc::channel(WAITING);
        let (hang_up, goodbye) = oneshot::channel();
        let mut writer = pin!(write(sink, queue, goodbye, self.limits.send));
        let tasks = self.door.tasks.clone();
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
                let _ = timeout(GOODBYE, writer).await;
                hear_out(&mut stream).await;
                if cut_short {
                    // The bytes after a broken frame can't be parsed, so give the client time to read the close frame.
                    sleep(GOODBYE / 4).await;
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
                hear_out(&mut stream).await;
            }
        }
    }

    /// Reads messages and runs operations until there is a reason to close.
    async fn converse(mut self, stream: &mut Frames, outbox: Outbox, speaks: bool) -> End {
        if !speaks {
            return Close::subprotocol().into();
        }
        let mut beat = interval(self.limits.beat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beat = Woken::new(poll_fn(|cx| beat.poll_tick(cx).map(Some)));
        loop {
            let has_room = self.work.len() < self.limits.operations + BESIDES;
            let going_on = tokio::select! {
                Some(done) = self.work.next() => self.done(done, &outbox),
                frame = stream.next(), if has_room => self.frame(frame, &outbox),
                Some(_) = beat.next() => self.beat(&outbox),
            };
            if let Err(end) = going_on {
                return end;
            }
        }
    }

    fn frame(&mut self, frame: Option<Result<Message, WireError>>, outbox: &Outbox) -> Result<(), End> {
        self.heard = Instant::now();
        match frame {
            Some(Ok(Message::Text(text))) => Ok(self.message(Incoming::parse(&text)?, outbox)?),
            Some(Ok(Message::Binary(_))) => Err(End::from(Close::bad_request("Message is not text"))),
            // tungstenite answers pings itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Close(_))) | None => Err(End::Gone),
            Some(Err(err)) => Err(unreadable(err)),
        }
    }

    fn message(&mut self, message: Incoming, outbox: &Outbox) -> Result<(), Close> {
        match message {
            Incoming::ConnectionInit(payload) => match self.state {
                State::Fresh => self.sign_in(&payload),
                State::SigningIn | State::SignedIn { .. } => Err(Close::init_twice()),
            },
            Incoming::Subscribe(id, operation) => self.subscribe(id, *operation, outbox),
            Incoming::Complete(id) => {
                // Unknown ids are ignored: the operation may have just completed.
                if let Some(operation) = self.live.remove(&id) {
                    operation.abort();
                }
                Ok(())
            }
            Incoming::Ping(payload) => {
                self.say(pong(payload.as_ref()), outbox);
                Ok(())
            }
            Incoming::Pong => Ok(()),
        }
    }

    /// Starts the check of the credential in the payload's `authorization`, or else in the upgrade's header.
    fn sign_in(&mut self, payload: &Object) -> Result<(), Close> {
        let given = payload
            .iter()
            .find(|(name, value)| name.eq_ignore_ascii_case("authorization") && !value.is_null());
        let bearer = match (given, &self.header) {
            (Some((_, given)), _) => {
                given.as_str().and_then(|given| caller::token(given).ok()).map(Arc::from)
            }
            (None, Ok(Some(bearer))) => Some(Arc::clone(bearer)),
            (None, Ok(None)) => return Err(Close::unauthorized()),
            (None, Err(_)) => None,
        };
        let bearer: Arc<str> = bearer.ok_or_else(|| Close::forbidden("Forbidden"))?;
        let (door, client) = (self.door.clone(), self.client);
        let request_id = door.registry.clock().id::<Uuid>().to_string();
        self.state = State::SigningIn;
        let since = door.hub.rights().count();
        self.work.push(
            async move {
                let caller = caller::sign_in(&door, &bearer, client, Channel::Socket, &request_id).await;
                Done::SignedIn(bearer, since, caller)
            }
            .boxed(),
        );
        Ok(())
    }

    fn subscribe(&mut self, id: String, operation: Operation, outbox: &Outbox) -> Result<(), Close> {
        let State::SignedIn { bearer, held } = &self.state else {
            return Err(Close::unauthorized());
        };
        if self.live.contains_key(&id) {
            return Err(Close::duplicate(&id));
        }
        let (of, ending) = AbortHandle::new_pair();
        let run = Run {
            api: self.door.api.clone(),
            registry: self.door.registry.clone(),
            limiter: self.door.limiter.clone(),
            hub: self.door.hub.clone(),
            bearer: Arc::clone(bearer),
            client: self.client,
            held: held.clone(),
            id: id.clone(),
            outbox: outbox.clone(),
            of: of.clone(),
        };
        let most = self.limits.operations;
        if self.live.len() >= most {
            let message = format!("a socket runs at most {most} operations at a time");
            let refusal = run.refuse(message, "LIMIT_REACHED");
            self.work.push(refusal.map(|()| Done::Besides).boxed());
            return Ok(());
        }
        self.live.insert(id.clone(), of);
        let run = Abortable::new(run.run(operation), ending);
        self.work.push(
            run.map(|ended| match ended {
                Ok(ended) => Done::Operation(id, ended),
                // The client has completed it, and may have reused its id since.
                Err(_) => Done::Besides,
            })
            .boxed(),
        );
        Ok(())
    }

    fn done(&mut self, done: Done, outbox: &Outbox) -> Result<(), End> {
        match done {
            Done::SignedIn(bearer, since, Ok(caller)) => {
                if !self.seat.sign_in(&caller) {
                    return Err(Close::try_later("Too many sockets").into());
                }
                self.state = State::SignedIn { bearer, held: Held::new(caller, since) };
                self.say(plain("connection_ack"), outbox);
                Ok(())
            }
            Done::SignedIn(_, _, Err(Error::Unauthenticated(_)))
            | Done::SeenAgain(_, Err(Error::Unauthenticated(_)))
            | Done::Operation(_, Err(Refused)) => Err(Close::forbidden("Forbidden").into()),
            Done::SeenAgain(count, Ok(now)) => {
                if let State::SignedIn { held, .. } = &self.state {
                    let mut held = held.lock();
                    // Running operations began with the previous rights. With fewer rights, the socket closes.
                    if !now.covers(&held.0) {
                        return Err(Close::forbidden("rights were taken away").into());
                    }
                    *held = (Arc::new(now), count);
                }
                self.looking = false;
                Ok(())
            }
            Done::SignedIn(_, _, Err(err)) | Done::SeenAgain(_, Err(err)) => {
                tracing::warn!(error = %err, "can't check a credential");
                Err(Close::try_later("Try again later").into())
            }
            Done::Operation(id, Ok(())) => {
                self.live.remove(&id);
                Ok(())
            }
            Done::Besides => Ok(()),
        }
    }

    /// Checks the timeouts and the token's expiry, starts a recheck of the caller's rights if they have changed, and
    /// pings.
    fn beat(&mut self, outbox: &Outbox) -> Result<(), End> {
        let limits = Arc::clone(&self.limits);
        match &self.state {
            State::Fresh if self.opened.elapsed() >= limits.init => return Err(Close::init_timeout().into()),
            State::SignedIn { held, .. } if held.get().0.has_expired(self.door.registry.clock().now()) => {
                return Err(Close::forbidden("token expired").into());
            }
            State::SignedIn { bearer, held } => {
                let (bearer, held) = (Arc::clone(bearer), held.get());
                self.look_again(bearer, held);
            }
            State::Fresh | State::SigningIn => {}
        }
        if self.heard.elapsed() >= limits.silence {
            return Err(Close::try_later("Nothing was heard").into());
        }
        if self.pinged.elapsed() >= limits.ping {
            self.pinged = Instant::now();
            // The protocol's ping shows the client that the service is alive. Every websocket library answers the
            // transport's ping, so a client that ignores the protocol's isn't considered dead.
            self.say(plain("ping"), outbox);
            self.post(Message::Ping(Bytes::new()), outbox);
        }
        Ok(())
    }

    /// Starts a recheck of the credential if its rights may have changed since `since`. Running subscriptions keep
    /// the rights that they began with, so a loss must close the socket.
    fn look_again(&mut self, bearer: Arc<str>, (caller, since): (Arc<Caller>, u64)) {
        let rights = self.door.hub.rights();
        if self.looking || !rights.touched_since(since, &caller) {
            return;
        }
        let count = rights.count();
        tracing::debug!(since, count, "rechecking a credential");
        self.looking = true;
        let registry = self.door.registry.clone();
        let seen =
            async move { Done::SeenAgain(count, registry.authenticate(&bearer, &caller.origin).await) };
        self.work.push(seen.boxed());
    }

    fn say(&mut self, text: Utf8Bytes, outbox: &Outbox) {
        self.post(Message::Text(text), outbox);
    }

    /// Queues a message, without waiting for room in the queue.
    fn post(&mut self, message: Message, outbox: &Outbox) {
        let outbox = outbox.clone();
        let sent = async move {
            // It only fails when the socket closes.
            let _ = outbox.send(Letter { message, of: None }).await;
            Done::Besides
        };
        self.work.push(sent.boxed());
    }
}

fn count_end(how: &str) {
    metrics::counter!("registry_socket_ends_total", "how" => how.to_owned()).increment(1);
}
