//! The transport of a socket: the queue of outgoing messages, the writer with its timeout for slow clients, the
//! mapping of read errors to close codes, and the closing handshake.

use std::time::Duration;

use axum::{
    Error as WireError,
    extract::ws::{CloseFrame, Message, WebSocket},
};
use futures_util::{
    SinkExt, StreamExt,
    future::AbortHandle,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_tungstenite::tungstenite;

use super::{message::Close, poll_on_wake::PollOnWake};

/// The capacity of the queue of outgoing messages. Senders wait while it is full.
pub(super) const QUEUE_CAPACITY: usize = 16;
/// The timeout for the last messages of a socket or an event stream.
pub(in crate::http) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A queued message for the client.
#[derive(Debug)]
pub(super) struct OutboundMessage {
    pub(super) message: Message,
    /// The operation that sends it, if any. Once the client has completed that operation, the message is dropped.
    pub(super) of: Option<AbortHandle>,
}

/// The messages from the client.
pub(super) type Frames = PollOnWake<SplitStream<WebSocket>>;

/// The sending side of the queue. Sending waits while the queue is full.
pub(super) type Outbox = mpsc::Sender<OutboundMessage>;

/// The reason for which a socket ends.
pub(super) enum End {
    /// The service closes it with a code.
    Close(Close),
    /// The client didn't take a message in time.
    Slow,
    /// The client has closed the socket, or the connection is lost.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// Writes the queued messages until `goodbye` has a close frame, or the client doesn't take a message within `most`.
pub(super) async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut queue: mpsc::Receiver<OutboundMessage>,
    mut goodbye: oneshot::Receiver<CloseFrame>,
    most: Duration,
) -> End {
    loop {
        let outbound = tokio::select! {
            biased;
            frame = &mut goodbye => {
                if let Ok(frame) = frame {
                    let _ = sink.send(Message::Close(Some(frame))).await;
                }
                return End::Gone;
            }
            Some(outbound) = queue.recv() => outbound,
        };
        let OutboundMessage { message, of } = outbound;
        if of.is_some_and(|operation| operation.is_aborted()) {
            continue;
        }
        match timeout(most, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Gone,
            Err(_) => {
                // The close frame is queued behind the message that the client doesn't take, so it may never arrive.
                // Then the client sees a lost connection, and reconnects all the same.
                let frame = CloseFrame::from(Close::try_later("Messages were not taken in time"));
                let _ = timeout(CLOSE_TIMEOUT, sink.send(Message::Close(Some(frame)))).await;
                return End::Slow;
            }
        }
    }
}

/// Maps a read error to the reason for which the socket ends.
pub(super) fn end_of_read_error(err: WireError) -> End {
    match err.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => Close::too_big().into(),
        Some(tungstenite::Error::Utf8(_)) => Close::not_text().into(),
        Some(tungstenite::Error::Protocol(what))
            if *what != tungstenite::error::ProtocolError::ResetWithoutClosingHandshake =>
        {
            Close::broken().into()
        }
        _ => End::Gone,
    }
}

/// Reads and discards messages until the client closes, at most for [`CLOSE_TIMEOUT`]. Closing a TCP connection with
/// unread bytes resets it, and the client might never receive the close frame.
pub(super) async fn drain(stream: &mut Frames) {
    let rest = async { while stream.next().await.is_some_and(|frame| frame.is_ok()) {} };
    let _ = timeout(CLOSE_TIMEOUT, rest).await;
}
