//! The event stream of one subscription. `complete` is sent only when the operation itself ends. In all other cases the
//! stream just ends, after a comment with the reason: clients treat that as a lost connection and reconnect, which
//! `complete` would prevent.

use std::{convert::Infallible, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use futures_util::{FutureExt, StreamExt, stream};
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior, interval, sleep, timeout},
};
use tracing::Instrument;

use super::{COMPLETE, next};
use crate::{
    domain::{Caller, Error},
    graphql::{CheckedOperation, GraphQlResponse, SubscriptionMessage},
    http::{
        AppState,
        caller::RevocationCount,
        routes::socket::{CLOSE_TIMEOUT, MESSAGE_BYTES_MAX, SocketPermit},
        server::{connection::ConnectionHandle, reserved::reserved_bytes},
    },
    share::Reservation,
};

/// The capacity of the queue of events, in addition to hyper's buffer (some 128 KiB, and one message more).
const QUEUE_CAPACITY: usize = 1;
/// An empty comment: keeps the connection open, and clients ignore it.
const PING: Bytes = Bytes::from_static(b":\n\n");
/// The time between the last event and the end of an incomplete stream. graphql-sse doesn't notice the end of a
/// stream while it handles an event.
const PAUSE: Duration = Duration::from_millis(100);

/// The reason for which a stream ends.
enum End {
    /// The operation has completed.
    Complete,
    /// The service ends it, with this comment. The client may reconnect.
    Cut(&'static str),
    /// The client didn't take an event in time.
    Slow,
    /// The connection has closed.
    Gone,
}

/// An accepted subscription, and what it needs to run.
pub(super) struct Stream {
    pub(super) state: AppState,
    pub(super) caller: Arc<Caller>,
    /// The credential of the request, for rechecks.
    pub(super) bearer: Arc<str>,
    /// The count of rights changes just before the caller was looked up.
    pub(super) since: RevocationCount,
    pub(super) accepted: CheckedOperation,
    /// The memory of the request, whose variables the subscription keeps.
    pub(super) memory: Option<Reservation>,
    pub(super) permit: SocketPermit,
    pub(super) peer: ConnectionHandle,
}

impl Stream {
    /// Starts the subscription in a task of its own, and returns the response's body.
    pub(super) fn open(self) -> Body {
        let (outbox, mut inbox) = mpsc::channel(QUEUE_CAPACITY);
        let span = tracing::info_span!("stream", id = self.caller.request_id());
        self.peer.set_user_timeout(self.state.sockets.limits.silence);
        let tasks = self.state.tasks.clone();
        tasks.spawn_tracked(self.run(outbox).instrument(span));
        Body::from_stream(stream::poll_fn(move |cx| {
            inbox.poll_recv(cx).map(|message| message.map(Ok::<Bytes, Infallible>))
        }))
    }

    async fn run(self, outbox: mpsc::Sender<Bytes>) {
        let Self { state, caller, bearer, since, accepted, memory, permit, peer } = self;
        // The end of this statement drops the subscription.
        let end = tokio::select! {
            end = send_events(&state, Arc::clone(&caller), accepted, &outbox) => end,
            end = wait_for_loss(&state, &caller, &bearer, since) => end,
            () = state.tasks.stopping() => End::Cut("the service stops"),
            () = outbox.closed() => End::Gone,
        };
        match end {
            End::Complete => {
                count_end("complete");
                close_stream(
                    outbox,
                    Bytes::from_static(COMPLETE.as_bytes()),
                    Duration::ZERO,
                    &peer,
                    state.sockets.limits.send,
                )
                .await;
            }
            End::Cut(why) => {
                tracing::debug!(why, "ending a stream");
                count_end("cut");
                close_stream(outbox, format!(": {why}\n\n").into(), PAUSE, &peer, CLOSE_TIMEOUT).await;
            }
            End::Slow => {
                tracing::debug!("ending a stream: the client did not take an event in time");
                count_end("slow");
                peer.cut();
            }
            End::Gone => count_end("gone"),
        }
        drop((permit, memory));
    }
}

/// Sends the last bytes and ends the stream. Cuts the connection if the client hasn't received everything within
/// `most`.
async fn close_stream(
    outbox: mpsc::Sender<Bytes>,
    last: Bytes,
    pause: Duration,
    peer: &ConnectionHandle,
    most: Duration,
) {
    let parting = async {
        // It only fails if the connection has closed.
        let _ = outbox.send(last).await;
        sleep(pause).await;
        drop(outbox);
        peer.closed().await;
    };
    if timeout(most, parting).await.is_err() {
        peer.cut();
    }
}

/// Sends events until the subscription ends. A panic is reported as an error event.
async fn send_events(
    state: &AppState,
    caller: Arc<Caller>,
    accepted: CheckedOperation,
    outbox: &mpsc::Sender<Bytes>,
) -> End {
    let request_id = caller.request_id().to_owned();
    // A panic ends this operation only, as it ends a single request over HTTP.
    let told = AssertUnwindSafe(forward_events(state, caller, accepted, outbox)).catch_unwind().await;
    let told = match told {
        Ok(told) => told,
        Err(_) => {
            tracing::error!(request_id, "an operation panicked");
            let refusal =
                GraphQlResponse::refusal("something went wrong on our side", "INTERNAL", &request_id);
            post(state, outbox, next(&refusal.to_json()).into()).await
        }
    };
    told.err().unwrap_or(End::Complete)
}

async fn forward_events(
    state: &AppState,
    caller: Arc<Caller>,
    accepted: CheckedOperation,
    outbox: &mpsc::Sender<Bytes>,
) -> Result<(), End> {
    let request_id = caller.request_id().to_owned();
    let mut answers = pin!(state.api.subscribe(caller, accepted));
    // Some proxies and clients hold back the headers until the first byte of the body.
    post(state, outbox, PING).await?;
    loop {
        let Ok(answer) = timeout(state.sockets.limits.ping, answers.next()).await else {
            post(state, outbox, PING).await?;
            continue;
        };
        let Some(told) = answer else { return Ok(()) };
        let (written, memory) = match told {
            SubscriptionMessage::Event(written, memory) => (written, memory),
            SubscriptionMessage::Rejected(refusal) => {
                return post(state, outbox, next(&refusal.to_json()).into()).await;
            }
        };
        let event = next(&written);
        if event.len() > MESSAGE_BYTES_MAX {
            let why = format!("the result exceeds {MESSAGE_BYTES_MAX} bytes; select fewer fields or items");
            let refusal = GraphQlResponse::refusal(why, "TOO_LARGE", &request_id);
            return post(state, outbox, next(&refusal.to_json()).into()).await;
        }
        post(state, outbox, reserved_bytes(event.into_bytes(), memory)).await?;
    }
}

async fn post(state: &AppState, outbox: &mpsc::Sender<Bytes>, message: Bytes) -> Result<(), End> {
    match timeout(state.sockets.limits.send, outbox.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Slow),
    }
}

/// Resolves when the caller's token has expired, or the caller has fewer rights than when the stream began.
async fn wait_for_loss(
    state: &AppState,
    caller: &Caller,
    bearer: &str,
    RevocationCount(mut since): RevocationCount,
) -> End {
    let (rights, mut beat) = (state.hub.revocation_log(), beats(state));
    // The caller of the last recheck, because rotating a key gives it an expiry that it didn't have before.
    let mut seen = caller.clone();
    loop {
        beat.tick().await;
        if seen.has_expired(state.registry.clock().now()) {
            return End::Cut("the token has expired");
        }
        if !rights.may_affect_since(since, caller) {
            continue;
        }
        since = rights.count();
        match state.registry.authenticate(bearer, &caller.origin).await {
            Ok(now) if now.covers(caller) => seen = now,
            Ok(_) => return End::Cut("rights were taken away"),
            Err(Error::Unauthenticated(_)) => return End::Cut("the credential is not accepted any more"),
            Err(err) => {
                tracing::warn!(error = %err, "can't check a credential");
                return End::Cut("the credential can't be checked now");
            }
        }
    }
}

fn beats(state: &AppState) -> Interval {
    let mut beat = interval(state.sockets.limits.beat);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}

fn count_end(how: &'static str) {
    metrics::counter!("registry_stream_ends_total", "how" => how).increment(1);
}
