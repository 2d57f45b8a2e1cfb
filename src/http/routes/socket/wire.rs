//! The wire itself: a short queue and what writes it to a client that may not want to take it, why nothing more can be
//! read, and how to part.

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

use super::{message::Close, woken::Woken};

/// How many messages wait for the client before whoever sends must wait.
pub(super) const WAITING: usize = 16;
/// How long to try to say goodbye.
pub(in crate::http) const GOODBYE: Duration = Duration::from_secs(2);

/// A message on its way to the client.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) message: Message,
    /// Of which operation; once the client has ended that, the letter is not sent any more.
    pub(super) of: Option<AbortHandle>,
}

/// What the client says.
pub(super) type Frames = Woken<SplitStream<WebSocket>>;

/// Where messages are handed in; who does waits while the queue is full.
pub(super) type Outbox = mpsc::Sender<Letter>;

/// How a socket ends.
pub(super) enum End {
    /// We end it, and say why.
    Close(Close),
    /// The client has not taken a message in time.
    Slow,
    /// It is gone already.
    Gone,
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

/// Writes what is queued until it is told to say goodbye, or the client does not take a message within `most`.
pub(super) async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut queue: mpsc::Receiver<Letter>,
    mut goodbye: oneshot::Receiver<CloseFrame>,
    most: Duration,
) -> End {
    loop {
        let letter = tokio::select! {
            biased;
            frame = &mut goodbye => {
                if let Ok(frame) = frame {
                    let _ = sink.send(Message::Close(Some(frame))).await;
                }
                return End::Gone;
            }
            Some(letter) = queue.recv() => letter,
        };
        let Letter { message, of } = letter;
        if of.is_some_and(|operation| operation.is_aborted()) {
            continue;
        }
        match timeout(most, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return End::Gone,
            Err(_) => {
                // Behind the message that it does not take, so it may never arrive; then it sees a cut line, and comes
                // back just so.
                let frame = CloseFrame::from(Close::try_later("Messages were not taken in time"));
                let _ = timeout(GOODBYE, sink.send(Message::Close(Some(frame)))).await;
                return End::Slow;
            }
        }
    }
}

/// Why nothing more can be read.
pub(super) fn unreadable(err: WireError) -> End {
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

/// Reads on, for a moment, without listening: closing with bytes unread resets the connection, and the client may
/// never see why.
pub(super) async fn hear_out(stream: &mut Frames) {
    let rest = async { while stream.next().await.is_some_and(|frame| frame.is_ok()) {} };
    let _ = timeout(GOODBYE, rest).await;
}
