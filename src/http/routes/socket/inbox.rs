//! The memory of the messages that a socket receives. A message of up to 20 KiB is received without a reservation;
//! reading stalls before a larger one, until its memory is reserved from the caller's share. Before sign-in, a socket
//! has no share, so it can't receive a larger one.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::message::Close;
use crate::{
    domain::Caller,
    http::server::{
        TooManyConnections,
        body::{BODY_BYTES_MAX, BODY_MEMORY},
        connection::ConnectionHandle,
    },
    share::{BudgetFull, MemoryBudget, MemoryShare, Reservation},
};

/// The size up to which a message needs no reservation while it is received, in bytes: `connection_init` with the
/// longest token (16 KiB).
const FREE: usize = 20 * 1024;
/// The bytes that may be received beyond the largest message: its frames' headers, and one read more.
const SLACK: usize = 64 * 1024;
/// How long a large message may take to arrive once its memory is reserved: 70 KiB a second for the largest.
const LARGE_TIMEOUT: Duration = Duration::from_secs(60);
/// The size of a masked control frame in addition to its payload, in bytes (RFC 6455, section 5.2).
const CONTROL_FRAME: usize = 6;

/// A reservation, or the reason for which there is none.
pub(super) type Reserved = Result<Reservation, BudgetFull>;

/// The memory of a socket's received messages.
pub(super) struct Inbox {
    peer: ConnectionHandle,
    /// The caller's share, after sign-in.
    share: Option<MemoryShare>,
    next: NextMessage,
    /// A received message that waits for its memory. Nothing more is read meanwhile.
    waiting: Option<Utf8Bytes>,
    /// Whether a pong waits to be written. Nothing more is read meanwhile, so there is never a second one.
    is_ponging: bool,
    /// Whether a large message is being parsed. Nothing more is read meanwhile, so that messages keep their order.
    is_parsing: bool,
}

/// The memory of the message that is being received.
enum NextMessage {
    /// It has needed none so far.
    Small,
    /// Reading has stalled until there is memory for it.
    Stalled,
    /// It may have any size. The time at which its memory was reserved.
    Large(Reservation, Instant),
}

/// A received message: with its memory, or with the wait for it.
pub(super) enum Received {
    Ready(Utf8Bytes, Option<Reservation>),
    Waits(BoxFuture<'static, Reserved>),
}

impl Inbox {
    pub(super) fn new(peer: ConnectionHandle) -> Self {
        peer.unhandled().begin_frames(FREE);
        Self {
            peer,
            share: None,
            next: NextMessage::Small,
            waiting: None,
            is_ponging: false,
            is_parsing: false,
        }
    }

    /// A caller signed in: the connection is counted on its account, and messages take their memory from its share.
    ///
    /// # Errors
    /// [`TooManyConnections`] if the caller has as many connections as it may.
    pub(super) fn sign_in(
        &mut self,
        budget: &MemoryBudget,
        caller: &Caller,
    ) -> Result<(), TooManyConnections> {
        self.peer.sign_in(|| caller.share_holder())?;
        self.share = Some(budget.share(caller.share_holder()));
        Ok(())
    }

    /// Whether the next message may be read.
    pub(super) fn is_open(&self) -> bool {
        self.waiting.is_none() && !self.is_ponging && !self.is_parsing
    }

    /// Resolves when a message needs memory that isn't being reserved yet.
    pub(super) async fn stalled(&self) {
        match self.next {
            NextMessage::Small => self.peer.unhandled().stalled().await,
            NextMessage::Stalled | NextMessage::Large(..) => std::future::pending().await,
        }
    }

    /// Begins to reserve the memory of a large message.
    ///
    /// # Errors
    /// The close code before sign-in.
    pub(super) fn reserve_large(&mut self) -> Result<BoxFuture<'static, Reserved>, Close> {
        let share = self.share.clone().ok_or_else(Close::too_big)?;
        self.next = NextMessage::Stalled;
        Ok(async move { share.reserve(BODY_MEMORY * BODY_BYTES_MAX).await }.boxed())
    }

    /// Continues to read, with the memory of a large message.
    pub(super) fn resume(&mut self, memory: Reservation) {
        self.next = NextMessage::Large(memory, Instant::now());
        self.peer.unhandled().allow(BODY_BYTES_MAX + SLACK);
    }

    /// A message was received.
    pub(super) fn receive(&mut self, text: Utf8Bytes) -> Received {
        let next = std::mem::replace(&mut self.next, NextMessage::Small);
        self.peer.unhandled().end_message(FREE);
        let bytes = BODY_MEMORY * text.len();
        if let NextMessage::Large(mut memory, _) = next {
            memory.shrink_to(bytes);
            return Received::Ready(text, Some(memory));
        }
        if let NextMessage::Stalled = next {
            // It was buffered already. The reservation that is under way serves the next message.
            self.next = NextMessage::Stalled;
        }
        let Some(share) = &self.share else { return Received::Ready(text, None) };
        match share.try_reserve(bytes) {
            Ok(memory) => Received::Ready(text, Some(memory)),
            Err(_) => {
                self.waiting = Some(text);
                let share = share.clone();
                Received::Waits(async move { share.reserve(bytes).await }.boxed())
            }
        }
    }

    /// Whether a large message has held its memory for too long. Control frames may come in between, and don't count.
    pub(super) fn is_overdue(&self) -> bool {
        matches!(&self.next, NextMessage::Large(_, since) if since.elapsed() >= LARGE_TIMEOUT)
    }

    /// A control frame with this payload was received.
    pub(super) fn receive_control(&self, payload: &Bytes) {
        self.peer.unhandled().end_control_frame(CONTROL_FRAME + payload.len());
    }

    /// Takes out the message that waited for memory.
    pub(super) fn take_waiting(&mut self) -> Option<Utf8Bytes> {
        self.waiting.take()
    }

    /// Records that a large message is being parsed, or that it was.
    pub(super) fn set_parsing(&mut self, is_parsing: bool) {
        self.is_parsing = is_parsing;
    }

    /// Records that a pong waits to be written, or that it was.
    pub(super) fn set_ponging(&mut self, is_ponging: bool) {
        self.is_ponging = is_ponging;
    }
}
