//! Client connections below TLS and HTTP: a TCP stream with timeouts, which a handler can close, and whose end it can
//! await. hyper polls a response's body only while the client reads, so without this a handler couldn't get rid of a
//! client that reads nothing.

use std::{
    io::{self, IoSlice},
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{extract::ConnectInfo, http::Extensions};
use futures_util::task::AtomicWaker;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    admission::{ConnectionPermit, TooManyConnections},
    timeouts::{ConnectionLimits, Deadline, TimeBudget},
    unhandled::UnhandledBytes,
};
use crate::share::ShareHolder;

/// A handle to a connection, for handlers. Clones refer to the same connection.
#[derive(Clone, Debug)]
pub struct ConnectionHandle(Arc<HandleInner>);

#[derive(Debug)]
struct HandleInner {
    address: SocketAddr,
    /// Whether the connection must be closed. `cut` wakes the task that waits for the stream.
    is_cut: AtomicBool,
    cut: AtomicWaker,
    gone: CancellationToken,
    /// A new TCP user timeout, in milliseconds, to be set at the next write. 0 if there is none.
    user_timeout_ms: AtomicU32,
    /// The number of requests whose head has arrived.
    requests: AtomicU32,
    /// Whether a request is being answered. The timeout for heads applies only while none is.
    is_answering: AtomicBool,
    unhandled: UnhandledBytes,
    /// Set once the connection is admitted. Tests have connections without one.
    permit: OnceLock<ConnectionPermit>,
    has_signed_in: AtomicBool,
}

impl ConnectionHandle {
    /// Creates the handle of a connection from this address.
    pub(in crate::http) fn new(address: SocketAddr) -> Self {
        let (is_cut, cut, gone) = (AtomicBool::default(), AtomicWaker::new(), CancellationToken::new());
        let (user_timeout_ms, requests) = (AtomicU32::default(), AtomicU32::default());
        let (is_answering, unhandled) = (AtomicBool::default(), UnhandledBytes::default());
        Self(Arc::new(HandleInner {
            address,
            is_cut,
            cut,
            gone,
            user_timeout_ms,
            requests,
            is_answering,
            unhandled,
            permit: OnceLock::new(),
            has_signed_in: AtomicBool::default(),
        }))
    }

    /// The connection that the request with these extensions arrived on. Without one, as in tests, a handle to
    /// nothing at 0.0.0.0.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        let known = extensions.get::<ConnectInfo<Self>>().map(|ConnectInfo(peer)| peer.clone());
        known.unwrap_or_else(|| Self::new((Ipv4Addr::UNSPECIFIED, 0).into()))
    }

    /// The client's address, or that of the last proxy.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// The connection is admitted. The permit is released with the last handle.
    pub(super) fn admit(&self, permit: ConnectionPermit) {
        // A connection is admitted once.
        let _ = self.0.permit.set(permit);
    }

    /// A caller signed in on this connection, which is counted on its account from now on.
    ///
    /// # Errors
    /// [`TooManyConnections`] if the caller has as many connections as it may.
    pub(in crate::http) fn sign_in(
        &self,
        caller: impl FnOnce() -> ShareHolder,
    ) -> Result<(), TooManyConnections> {
        if self.0.has_signed_in.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.0.permit.get().map_or(Ok(()), |permit| permit.sign_in(caller))?;
        self.0.has_signed_in.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Closes the connection at once, and discards unsent data.
    pub fn cut(&self) {
        self.0.is_cut.store(true, Ordering::Release);
        self.0.cut.wake();
    }

    /// Resolves when the connection has closed.
    pub async fn closed(&self) {
        self.0.gone.cancelled().await;
    }

    /// Records that the head of a request has arrived, and that its answer begins.
    pub(in crate::http) fn begin_answer(&self) {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        self.0.is_answering.store(true, Ordering::Relaxed);
        self.0.unhandled.end_head();
    }

    /// Records that the answer has ended, and that the client may send the next request.
    pub(in crate::http) fn end_answer(&self) {
        self.0.is_answering.store(false, Ordering::Relaxed);
        self.0.unhandled.begin_head();
    }

    /// The count of bytes that were received and not handled yet.
    pub(in crate::http) fn unhandled(&self) -> &UnhandledBytes {
        &self.0.unhandled
    }

    /// Sets the TCP user timeout: the connection closes when sent data stays unacknowledged, or the client's receive
    /// window stays full, for this long. Without it, Linux notices a dead client after about 15 minutes. Takes
    /// effect at the next write, on Linux only.
    pub fn set_user_timeout(&self, most: Duration) {
        self.0.user_timeout_ms.store(u32::try_from(most.as_millis()).unwrap_or(u32::MAX), Ordering::Relaxed);
    }
}

/// A client connection: a TCP stream that can be closed from a handler, with timeouts for heads and writes.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    peer: ConnectionHandle,
    /// The time within which a request head must be complete once it has begun.
    head: Duration,
    /// The head that is being received.
    begun: Option<PendingHead>,
    /// The remaining time budget for writes.
    taking: TimeBudget,
    _gone: DropGuard,
}

/// A request head that is being received.
#[derive(Debug)]
struct PendingHead {
    /// The number of requests whose head had arrived when it began.
    requests: u32,
    since: Instant,
    /// Its deadline. Created lazily, because most heads arrive with the first read.
    bound: Option<Deadline>,
}

impl PendingHead {
    fn begun(requests: u32) -> Self {
        Self { requests, since: Instant::now(), bound: None }
    }
}

impl Connection {
    /// Wraps the stream of an accepted connection. The timeout for its first request head begins now.
    pub(in crate::http) fn new(
        stream: TcpStream,
        peer: &ConnectionHandle,
        limits: &ConnectionLimits,
    ) -> Self {
        // TCP_NODELAY: a small event must not wait until the previous one is acknowledged. It only fails on a dead
        // connection.
        let _ = stream.set_nodelay(true);
        peer.set_user_timeout(limits.take);
        Self {
            stream,
            head: limits.head,
            begun: Some(PendingHead::begun(0)),
            taking: TimeBudget::new(limits.take),
            _gone: peer.0.gone.clone().drop_guard(),
            peer: peer.clone(),
        }
    }

    /// The stream. Fails with `ConnectionAborted` after [`ConnectionHandle::cut`].
    fn open(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if self.peer.0.is_cut.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(Pin::new(&mut self.stream))
    }

    /// Passes on the result. If it is pending, also registers the task to be woken by [`ConnectionHandle::cut`].
    fn or_until_cut<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_pending() {
            self.peer.0.cut.register(cx.waker());
            // `cut` may have been called just before the registration.
            self.open()?;
        }
        done
    }

    /// Checks the timeout for request heads. `read` has the bytes that were just received, or `None` if the read is
    /// pending. Fails with `TimedOut`.
    ///
    /// hyper's own timeout for heads also runs between two requests, so it bounds that time (`serve`), and this one
    /// runs from a head's first byte.
    fn check_head_timeout(&mut self, cx: &mut Context<'_>, read: Option<&[u8]>) -> io::Result<()> {
        let requests = self.peer.0.requests.load(Ordering::Relaxed);
        let is_answering = self.peer.0.is_answering.load(Ordering::Relaxed);
        // A complete request may have been answered since the last call.
        self.begun.take_if(|begun| begun.requests != requests);
        // An empty line before a request isn't a part of it (RFC 9112, section 2.2).
        let begins = |read: &[u8]| read.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
        if !is_answering && self.begun.is_none() && read.is_some_and(begins) {
            self.begun = Some(PendingHead::begun(requests));
        }
        let Some(PendingHead { requests: _, since, bound }) = &mut self.begun else { return Ok(()) };
        let is_late = match read {
            Some(_) => since.elapsed() >= self.head,
            None => {
                let left = self.head.saturating_sub(since.elapsed());
                bound.get_or_insert_with(|| Deadline::within(left)).is_over(cx)
            }
        };
        if is_late { Err(slow("head")) } else { Ok(()) }
    }

    /// Passes on the result of a write. Fails with `TimedOut` if the client has read too slowly for too long.
    fn check_write_rate(
        &mut self,
        cx: &mut Context<'_>,
        bytes: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let moved = match &bytes {
            Poll::Ready(Ok(bytes)) => Some(*bytes),
            Poll::Ready(Err(_)) => return bytes,
            Poll::Pending => None,
        };
        if self.taking.is_exhausted(cx, moved) {
            Poll::Ready(Err(slow("answer")))
        } else {
            self.or_until_cut(cx, bytes)
        }
    }

    fn writable(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let user_timeout_ms = &self.peer.0.user_timeout_ms;
        if user_timeout_ms.load(Ordering::Relaxed) > 0 {
            acknowledge_within(&self.stream, user_timeout_ms.swap(0, Ordering::Relaxed));
        }
        self.open()
    }
}

#[cfg(target_os = "linux")]
fn acknowledge_within(stream: &TcpStream, milliseconds: u32) {
    // TCP_USER_TIMEOUT (RFC 5482). It only fails on a dead connection.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds);
}

/// Only Linux supports TCP_USER_TIMEOUT.
#[cfg(not(target_os = "linux"))]
fn acknowledge_within(_: &TcpStream, _: u32) {}

/// Counts a client that is too slow, and returns the error that closes its connection.
fn slow(with: &'static str) -> io::Error {
    count_slow(with);
    io::ErrorKind::TimedOut.into()
}

/// Counts a client that was too slow with this part of the exchange: `head`, `body` or `answer`.
pub(in crate::http) fn count_slow(with: &'static str) {
    tracing::debug!(with, "a client is too slow");
    metrics::counter!("registry_slow_clients_total", "with" => with).increment(1);
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = self.open()?.poll_read(cx, into);
        let bytes = read.is_ready().then(|| into.filled().get(before..).unwrap_or_default());
        self.check_head_timeout(cx, bytes)?;
        self.or_until_cut(cx, read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let taken = self.writable()?.poll_write(cx, bytes);
        self.check_write_rate(cx, taken)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let taken = self.writable()?.poll_write_vectored(cx, bytes);
        self.check_write_rate(cx, taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open()?.poll_shutdown(cx)
    }
}
