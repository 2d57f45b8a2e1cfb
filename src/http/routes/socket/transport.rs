//! The transport of a socket: the queue of outgoing messages, the writer with its timeout for slow clients, the
//! mapping of read errors to close codes, and the closing handshake.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::{
    SinkExt, StreamExt,
    future::AbortHandle,
    stream::{SplitSink, SplitStream},
};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{
                Frame,
                coding::{Data, OpCode},
            },
        },
    },
};

use super::{message::Close, poll_on_wake::PollOnWake};
use crate::{http::server::body::BODY_BYTES_MAX, share::Reservation};

/// A socket, after its handshake.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The size of a socket's read buffer, in bytes. Small, because tungstenite zeroes it for each read.
const READ_BUFFER: usize = 4096;
/// The size of a socket's write buffer, in bytes. Each frame is flushed, so a larger one gains nothing.
const WRITE_BUFFER: usize = 16 * 1024;
/// The size of the largest frame that is sent, in bytes. A longer message has several. tungstenite copies each frame
/// into a buffer, which it keeps as long as the socket, and moves the rest of it after each write.
const FRAME_BYTES_MAX: usize = 16 * 1024;
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
    /// The memory of the message. It is returned once the message is written.
    pub(super) memory: Option<Reservation>,
    /// Dropped once the message is written.
    pub(super) written: Option<oneshot::Sender<()>>,
}

/// The messages from the client.
pub(super) type Frames = PollOnWake<SplitStream<Socket>>;

/// The sending side of the queue. Sending waits while the queue is full. Messages are boxed, because tokio allocates the
/// places of 32 messages for a queue, however few it may hold.
pub(super) type Outbox = mpsc::Sender<Box<OutboundMessage>>;

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
    mut sink: SplitSink<Socket, Message>,
    mut queue: mpsc::Receiver<Box<OutboundMessage>>,
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
        // Memory is returned at the end of the turn.
        let OutboundMessage { message, of, memory: _memory, written: _written } = *outbound;
        if of.is_some_and(|operation| operation.is_aborted()) {
            continue;
        }
        match timeout(most, send(&mut sink, message)).await {
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

/// Serves the server's side of the protocol on an upgraded connection.
pub(super) async fn socket(upgraded: Upgraded) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(2 * (WRITE_BUFFER + FRAME_BYTES_MAX))
        .max_message_size(Some(BODY_BYTES_MAX))
        .max_frame_size(Some(BODY_BYTES_MAX));
    WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await
}

/// Sends a message, a long text in several frames (RFC 6455, section 5.4).
async fn send(sink: &mut SplitSink<Socket, Message>, message: Message) -> tungstenite::Result<()> {
    let text = match message {
        Message::Text(text) if text.len() > FRAME_BYTES_MAX => text,
        message => return sink.send(message).await,
    };
    let (mut rest, mut part) = (Bytes::from(text), Data::Text);
    while !rest.is_empty() {
        let payload = rest.split_to(rest.len().min(FRAME_BYTES_MAX));
        let frame = Frame::message(payload, OpCode::Data(part), rest.is_empty());
        sink.send(Message::Frame(frame)).await?;
        part = Data::Continue;
    }
    Ok(())
}

/// Maps a read error to the reason for which the socket ends.
pub(super) fn end_of_read_error(err: &tungstenite::Error) -> End {
    match err {
        tungstenite::Error::Capacity(_) => Close::too_big().into(),
        tungstenite::Error::Utf8(_) => Close::not_text().into(),
        tungstenite::Error::Protocol(what)
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
