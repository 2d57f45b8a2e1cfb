//! Bounds the bytes that a connection has received and that nobody has handled yet: of a request's head, and of a
//! websocket's message. hyper and tungstenite buffer both until they are complete.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    task::{Context, Poll, ready},
};

use futures_util::{FutureExt, future::BoxFuture, task::AtomicWaker};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connection::ConnectionHandle;
use crate::share::{BudgetFull, MemoryShare, Reservation};

/// The bytes of a head that need no reservation: the longest token (16 KiB) and other fields.
const HEAD_FREE: usize = 20 * 1024;
/// The memory of a larger head, in bytes: hyper's buffer grows to twice the largest head, and parsing copies it.
const HEAD_MEMORY: usize = 256 * 1024;

/// The bytes that a connection has received and that nobody has handled yet.
#[derive(Debug, Default)]
pub(in crate::http) struct UnhandledBytes {
    received: AtomicUsize,
    /// The most bytes that may be received. `usize::MAX` while a request is being answered.
    allowed: AtomicUsize,
    /// Whether the connection carries websocket frames.
    is_socket: AtomicBool,
    is_stalled: AtomicBool,
    /// Whether a head took a reservation.
    is_large_head: AtomicBool,
    reader: AtomicWaker,
    watcher: AtomicWaker,
}

impl UnhandledBytes {
    /// Begins to count a head.
    pub(super) fn begin_head(&self) {
        self.received.store(0, Ordering::Relaxed);
        self.allowed.store(HEAD_FREE, Ordering::Relaxed);
    }

    /// Stops counting: a handler reads the body, and bounds it.
    pub(super) fn end_head(&self) {
        self.allowed.store(usize::MAX, Ordering::Relaxed);
    }

    /// Whether a head of this connection was so large that its buffer must not be kept for further requests.
    pub(super) fn had_large_head(&self) -> bool {
        self.is_large_head.load(Ordering::Relaxed)
    }

    /// Begins to count websocket frames. Reading stalls after this many bytes of a message.
    pub(in crate::http) fn begin_frames(&self, most: usize) {
        self.is_socket.store(true, Ordering::Release);
        self.end_message(most);
    }

    /// A message was handled. The next one may have this many bytes before reading stalls.
    pub(in crate::http) fn end_message(&self, most: usize) {
        self.received.store(0, Ordering::Relaxed);
        self.allow(most);
    }

    /// A frame of this many bytes was handled, but the message that it interrupts is not complete.
    pub(in crate::http) fn end_control_frame(&self, bytes: usize) {
        // Only the session and the reader change this, and both run in the session's task.
        let received = self.received.load(Ordering::Relaxed);
        self.received.store(received.saturating_sub(bytes), Ordering::Relaxed);
    }

    /// Lets a message have this many bytes.
    pub(in crate::http) fn allow(&self, most: usize) {
        self.allowed.store(most, Ordering::Relaxed);
        self.is_stalled.store(false, Ordering::Release);
        self.reader.wake();
    }

    /// Resolves when reading stalls, because a message is larger than what is allowed.
    pub(in crate::http) async fn stalled(&self) {
        poll_fn(|cx| {
            self.watcher.register(cx.waker());
            if self.is_stalled.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn is_over(&self) -> bool {
        self.received.load(Ordering::Relaxed) >= self.allowed.load(Ordering::Relaxed)
    }
}

/// A stream whose unhandled bytes are bounded, above TLS.
pub(super) struct BoundedStream<L> {
    stream: L,
    peer: ConnectionHandle,
    /// The share of the client's address.
    share: MemoryShare,
    memory: HeadMemory,
}

/// The memory of a connection's large heads.
enum HeadMemory {
    None,
    Waiting(BoxFuture<'static, Result<Reservation, BudgetFull>>),
    Reserved { _memory: Reservation },
}

impl<L> BoundedStream<L> {
    pub(super) fn new(stream: L, peer: ConnectionHandle, share: MemoryShare) -> Self {
        peer.unhandled().begin_head();
        Self { stream, peer, share, memory: HeadMemory::None }
    }

    /// Waits until the connection may receive more.
    fn poll_allowed(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { peer, share, memory, .. } = self;
        let unhandled = peer.unhandled();
        let is_socket = unhandled.is_socket.load(Ordering::Acquire);
        if is_socket {
            // hyper's buffer is gone.
            *memory = HeadMemory::None;
        }
        if !unhandled.is_over() {
            return Poll::Ready(Ok(()));
        }
        if is_socket {
            unhandled.reader.register(cx.waker());
            unhandled.is_stalled.store(true, Ordering::Release);
            // `allow` may have been called just before the registration.
            if !unhandled.is_over() {
                unhandled.is_stalled.store(false, Ordering::Release);
                return Poll::Ready(Ok(()));
            }
            unhandled.watcher.wake();
            return Poll::Pending;
        }
        loop {
            match memory {
                HeadMemory::Reserved { .. } => return Poll::Ready(Ok(())),
                HeadMemory::None => {
                    let share = share.clone();
                    *memory = HeadMemory::Waiting(async move { share.reserve(HEAD_MEMORY).await }.boxed());
                }
                HeadMemory::Waiting(waiting) => {
                    let reserved = ready!(waiting.poll_unpin(cx));
                    *memory = HeadMemory::None;
                    // The client gets no answer, because its request isn't known yet.
                    let reserved =
                        reserved.map_err(|full| io::Error::new(io::ErrorKind::OutOfMemory, full))?;
                    unhandled.is_large_head.store(true, Ordering::Relaxed);
                    *memory = HeadMemory::Reserved { _memory: reserved };
                }
            }
        }
    }
}

impl<L: AsyncRead + Unpin> AsyncRead for BoundedStream<L> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_allowed(cx))?;
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        let bytes = into.filled().len().saturating_sub(before);
        if bytes > 0 {
            self.peer.unhandled().received.fetch_add(bytes, Ordering::Relaxed);
        }
        read
    }
}

impl<L: AsyncWrite + Unpin> AsyncWrite for BoundedStream<L> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
