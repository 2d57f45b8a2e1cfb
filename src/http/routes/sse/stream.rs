//! One subscription's events, from the first to the last, and the reasons to end before that. What the protocol calls
//! complete is what the operation itself has ended. Everything else just ends the stream, after a comment that says why:
//! clients take that for a line that broke, and come back, where `complete` would make them stay away.

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
    graphql::{Accepted, Answer, Told},
    http::{
        Door,
        caller::Since,
        routes::socket::{GOODBYE, MESSAGE_BYTES_MAX, Seat},
        server::connection::Peer,
    },
};

/// How many messages wait for the client besides those that HTTP has taken (some 128 KiB, and one more).
const WAITING: usize = 1;
/// What keeps a line open, and clients do not hear of.
const PING: Bytes = Bytes::from_static(b":\n\n");
/// The time between the last event and the end of a stream that is not complete. graphql-sse does not notice that a
/// stream has ended while it looks at an event.
const PAUSE: Duration = Duration::from_millis(100);

/// How a stream ends.
enum End {
    /// By itself.
    Complete,
    /// Because we say so; the client may come back.
    Cut(&'static str),
    /// The client has not taken a message in time.
    Slow,
    /// It is gone already.
    Gone,
}

/// A subscription that was accepted.
pub(super) struct Stream {
    pub(super) door: Door,
    pub(super) caller: Arc<Caller>,
    /// The credential that it was begun with.
    pub(super) bearer: Arc<str>,
    /// How many changes of rights there had been when the caller was looked up.
    pub(super) since: Since,
    pub(super) accepted: Accepted,
    pub(super) seat: Seat,
    pub(super) peer: Peer,
}

impl Stream {
    /// Begins it. What it answers is what its client is sent.
    pub(super) fn open(self) -> Body {
        let (outbox, mut inbox) = mpsc::channel(WAITING);
        let span = tracing::info_span!("stream", id = self.caller.request_id());
        self.peer.must_take_within(self.door.sockets.limits.silence);
        let tasks = self.door.tasks.clone();
        tasks.attended(self.run(outbox).instrument(span));
        Body::from_stream(stream::poll_fn(move |cx| {
            inbox.poll_recv(cx).map(|message| message.map(Ok::<Bytes, Infallible>))
        }))
    }

    async fn run(self, outbox: mpsc::Sender<Bytes>) {
        let Self { door, caller, bearer, since, accepted, seat, peer } = self;
        // The subscription is dropped at the end of this statement.
        let end = tokio::select! {
            end = tell(&door, Arc::clone(&caller), accepted, &outbox) => end,
            end = loss(&door, &caller, &bearer, since) => end,
            () = door.tasks.stopping() => End::Cut("the service stops"),
            () = outbox.closed() => End::Gone,
        };
        match end {
            End::Complete => {
                count_end("complete");
                part(
                    outbox,
                    Bytes::from_static(COMPLETE.as_bytes()),
                    Duration::ZERO,
                    &peer,
                    door.sockets.limits.send,
                )
                .await;
            }
            End::Cut(why) => {
                tracing::debug!(why, "ending a stream");
                count_end("cut");
                part(outbox, format!(": {why}\n\n").into(), PAUSE, &peer, GOODBYE).await;
            }
            End::Slow => {
                tracing::debug!("a client did not take a message in time");
                count_end("slow");
                peer.cut();
            }
            End::Gone => count_end("gone"),
        }
        drop(seat);
    }
}

/// Says the last word and ends the stream; the line too, if the client has not taken all of it within `most`.
async fn part(outbox: mpsc::Sender<Bytes>, last: Bytes, pause: Duration, peer: &Peer, most: Duration) {
    let parting = async {
        // It only fails when the client is gone.
        let _ = outbox.send(last).await;
        sleep(pause).await;
        drop(outbox);
        peer.gone().await;
    };
    if timeout(most, parting).await.is_err() {
        peer.cut();
    }
}

/// Sends the events until there are no more.
async fn tell(door: &Door, caller: Arc<Caller>, accepted: Accepted, outbox: &mpsc::Sender<Bytes>) -> End {
    let request_id = caller.request_id().to_owned();
    // A panic is this operation's alone, as it is a request's alone over HTTP.
    let told = AssertUnwindSafe(relay(door, caller, accepted, outbox)).catch_unwind().await;
    let told = match told {
        Ok(told) => told,
        Err(_) => {
            tracing::error!(request_id, "an operation panicked");
            let refusal = Answer::refusal("something went wrong on our side", "INTERNAL", &request_id);
            post(door, outbox, next(&refusal.written()).into()).await
        }
    };
    told.err().unwrap_or(End::Complete)
}

async fn relay(
    door: &Door,
    caller: Arc<Caller>,
    accepted: Accepted,
    outbox: &mpsc::Sender<Bytes>,
) -> Result<(), End> {
    let request_id = caller.request_id().to_owned();
    let mut answers = pin!(door.api.subscribe(caller, accepted));
    // Some proxies and clients hold the headers back until something follows them.
    post(door, outbox, PING).await?;
    loop {
        let Ok(answer) = timeout(door.sockets.limits.ping, answers.next()).await else {
            post(door, outbox, PING).await?;
            continue;
        };
        let Some(told) = answer else { return Ok(()) };
        let written = match told {
            Told::Event(written) => written,
            Told::Refused(refusal) => return post(door, outbox, next(&refusal.written()).into()).await,
        };
        let event = next(&written);
        if event.len() > MESSAGE_BYTES_MAX {
            let why = format!("the answer is larger than {MESSAGE_BYTES_MAX} bytes; ask for less at once");
            let refusal = Answer::refusal(why, "TOO_LARGE", &request_id);
            return post(door, outbox, next(&refusal.written()).into()).await;
        }
        post(door, outbox, event.into()).await?;
    }
}

async fn post(door: &Door, outbox: &mpsc::Sender<Bytes>, message: Bytes) -> Result<(), End> {
    match timeout(door.sockets.limits.send, outbox.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Slow),
    }
}

/// Resolves when the caller's token has expired, or it may no longer do what it might when it began.
async fn loss(door: &Door, caller: &Caller, bearer: &str, Since(mut since): Since) -> End {
    let (rights, mut beat) = (door.hub.rights(), beats(door));
    // A key that was rotated has an end that it had not when it was looked up first.
    let mut seen = caller.clone();
    loop {
        beat.tick().await;
        if seen.has_expired(door.registry.clock().now()) {
            return End::Cut("the token has expired");
        }
        if !rights.touched_since(since, caller) {
            continue;
        }
        since = rights.count();
        match door.registry.authenticate(bearer, &caller.origin).await {
            Ok(now) if now.may_what(caller) => seen = now,
            Ok(_) => return End::Cut("rights were taken away"),
            Err(Error::Unauthenticated(_)) => return End::Cut("the credential is not accepted any more"),
            Err(err) => {
                tracing::warn!(error = %err, "can't look at a credential");
                return End::Cut("the credential can't be looked at now");
            }
        }
    }
}

fn beats(door: &Door) -> Interval {
    let mut beat = interval(door.sockets.limits.beat);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beat
}

fn count_end(how: &'static str) {
    metrics::counter!("registry_stream_ends_total", "how" => how).increment(1);
}
