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
    message::{Close, Incoming, plain, pong},
    operation::{CredentialRejected, Run},
    permit::SocketPermit,
    poll_on_wake::PollOnWake,
    session_rights::SessionRights,
    transport::{
        CLOSE_TIMEOUT, End, Frames, OutboundMessage, Outbox, QUEUE_CAPACITY, drain, end_of_read_error, write,
    },
};
use crate::{
    domain::{Caller, Error, change::Channel},
    graphql::Operation,
    http::{
        AppState,
        caller::{self, ClientAddress},
    },
};

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
    /// The bearer token in the header of the upgrade request.
    header: Result<Option<Arc<str>>, Error>,
    client: ClientAddress,
    permit: SocketPermit,
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
    pub(super) fn new(
        state: &AppState,
        header: Result<Option<Arc<str>>, Error>,
        client: ClientAddress,
        permit: SocketPermit,
    ) -> Self {
        let now = Instant::now();
        Self {
            state: state.clone(),
            limits: Arc::clone(&state.sockets.limits),
            header,
            client,
            permit,
            phase: Phase::Fresh,
            work: FuturesUnordered::new(),
            live: HashMap::new(),
            is_rechecking: false,
            opened: now,
            heard: now,
            pinged: now,
        }
    }

    /// Serves the socket until the client, the session or the service ends it. `speaks` is false if the client
    /// offered no supported subprotocol.
    pub(super) async fn serve(self, socket: WebSocket, speaks: bool) {
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
    async fn converse(mut self, stream: &mut Frames, outbox: Outbox, speaks: bool) -> End {
        if !speaks {
            return Close::subprotocol().into();
        }
        let mut beat = interval(self.limits.beat);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beat = PollOnWake::new(poll_fn(|cx| beat.poll_tick(cx).map(Some)));
        loop {
            let has_room = self.work.len() < self.limits.operations + UNOBSERVED_MAX;
            let going_on = tokio::select! {
                Some(done) = self.work.next() => self.done(done, &outbox),
                frame = stream.next(), if has_room => self.frame(frame, &outbox),
                Some(_) = beat.next() => self.check_timeouts(&outbox),
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
            Some(Err(err)) => Err(end_of_read_error(err)),
        }
    }

    fn message(&mut self, message: Incoming, outbox: &Outbox) -> Result<(), Close> {
        match message {
            Incoming::ConnectionInit(payload) => match self.phase {
                Phase::Fresh => self.sign_in(&payload),
                Phase::SigningIn | Phase::SignedIn { .. } => Err(Close::init_twice()),
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
        let (state, client) = (self.state.clone(), self.client);
        let request_id = state.registry.clock().id::<Uuid>().to_string();
        self.phase = Phase::SigningIn;
        let since = state.hub.revocation_log().count();
        self.work.push(
            async move {
                let caller = caller::sign_in(&state, &bearer, client, Channel::Socket, &request_id).await;
                Completed::SignedIn(bearer, since, caller)
            }
            .boxed(),
        );
        Ok(())
    }

    fn subscribe(&mut self, id: String, operation: Operation, outbox: &Outbox) -> Result<(), Close> {
        let Phase::SignedIn { bearer, rights } = &self.phase else {
            return Err(Close::unauthorized());
        };
        if self.live.contains_key(&id) {
            return Err(Close::duplicate(&id));
        }
        let (of, ending) = AbortHandle::new_pair();
        let run = Run {
            api: self.state.api.clone(),
            registry: self.state.registry.clone(),
            limiter: self.state.limiter.clone(),
            hub: self.state.hub.clone(),
            bearer: Arc::clone(bearer),
            client: self.client,
            rights: rights.clone(),
            id: id.clone(),
            outbox: outbox.clone(),
            of: of.clone(),
        };
        let most = self.limits.operations;
        if self.live.len() >= most {
            let message = format!("a socket runs at most {most} operations at a time");
            let refusal = run.refuse(message, "LIMIT_REACHED");
            self.work.push(refusal.map(|()| Completed::Unobserved).boxed());
            return Ok(());
        }
        self.live.insert(id.clone(), of);
        let run = Abortable::new(run.run(operation), ending);
        self.work.push(
            run.map(|ended| match ended {
                Ok(ended) => Completed::Operation(id, ended),
                // The client has completed it, and may have reused its id since.
                Err(_) => Completed::Unobserved,
            })
            .boxed(),
        );
        Ok(())
    }

    fn done(&mut self, done: Completed, outbox: &Outbox) -> Result<(), End> {
        match done {
            Completed::SignedIn(bearer, since, Ok(caller)) => {
                if !self.permit.sign_in(&caller) {
                    return Err(Close::try_later("Too many sockets").into());
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
            Completed::Unobserved => Ok(()),
        }
    }

    /// Checks the timeouts and the token's expiry, starts a recheck of the caller's rights if they have changed, and
    /// pings.
    fn check_timeouts(&mut self, outbox: &Outbox) -> Result<(), End> {
        let limits = Arc::clone(&self.limits);
        match &self.phase {
            Phase::Fresh if self.opened.elapsed() >= limits.init => return Err(Close::init_timeout().into()),
            Phase::SignedIn { rights, .. }
                if rights.get().0.has_expired(self.state.registry.clock().now()) =>
            {
                return Err(Close::forbidden("token expired").into());
            }
            Phase::SignedIn { bearer, rights } => {
                let (bearer, rights) = (Arc::clone(bearer), rights.get());
                self.recheck_rights(bearer, rights);
            }
            Phase::Fresh | Phase::SigningIn => {}
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
    fn recheck_rights(&mut self, bearer: Arc<str>, (caller, since): (Arc<Caller>, u64)) {
        let rights = self.state.hub.revocation_log();
        if self.is_rechecking || !rights.may_affect_since(since, &caller) {
            return;
        }
        let count = rights.count();
        tracing::debug!(since, count, "rechecking a credential");
        self.is_rechecking = true;
        let registry = self.state.registry.clone();
        let seen =
            async move { Completed::Rechecked(count, registry.authenticate(&bearer, &caller.origin).await) };
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
            let _ = outbox.send(OutboundMessage { message, of: None }).await;
            Completed::Unobserved
        };
        self.work.push(sent.boxed());
    }
}

fn count_end(how: &str) {
    metrics::counter!("registry_socket_ends_total", "how" => how.to_owned()).increment(1);
}
