//! The lines that requests come over: a handler can hear of a line's end, and end one itself. What serves HTTP asks a
//! handler for more only while the client takes what there is, so a client that takes nothing could not be got rid of.

use std::{
    io::{self, IoSlice},
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{extract::ConnectInfo, http::Extensions};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

use super::pace::{Bound, LineLimits, Slack};

/// The other end of a line. Clones are the same.
#[derive(Clone, Debug)]
pub struct Peer {
    address: SocketAddr,
    cut: CancellationToken,
    gone: CancellationToken,
    /// Within how many milliseconds it must acknowledge what it is sent from now on; 0 when nothing has changed.
    patience: Arc<AtomicU32>,
    /// Whose turn it is: the client's to ask when this is even, ours to answer when it is odd.
    turn: Arc<AtomicU32>,
}

impl Peer {
    /// One at this address.
    pub(super) fn new(address: SocketAddr) -> Self {
        let (cut, gone) = (CancellationToken::new(), CancellationToken::new());
        Self { address, cut, gone, patience: Arc::default(), turn: Arc::default() }
    }

    /// Whoever sent the request of these extensions.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        let known = extensions.get::<ConnectInfo<Self>>().map(|ConnectInfo(peer)| peer.clone());
        known.unwrap_or_else(|| Self::new((Ipv4Addr::UNSPECIFIED, 0).into()))
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the line at once, whatever is on its way.
    pub fn cut(&self) {
        self.cut.cancel();
    }

    /// Resolves when the line has ended.
    pub async fn gone(&self) {
        self.gone.cancelled().await;
    }

    /// Now it is the other end's turn. While it is the client's to ask, a head that begins must soon be there.
    pub(super) fn turn(&self) {
        self.turn.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on, the line ends when the other machine has not acknowledged within this time what it was sent, or
    /// has had no room for it. Without it, a machine that is gone is noticed after a quarter of an hour.
    pub fn must_take_within(&self, most: Duration) {
        self.patience.store(u32::try_from(most.as_millis()).unwrap_or(u32::MAX), Ordering::Relaxed);
    }
}

/// One line.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    patience: Arc<AtomicU32>,
    turn: Arc<AtomicU32>,
    /// Within which time a head must be there once it has begun.
    head: Duration,
    /// The head that has begun, and in which turn.
    begun: Option<(u32, Bound)>,
    /// How slowly the client may still take what it is sent.
    taking: Slack,
    _gone: DropGuard,
}

impl Line {
    /// The line to this peer. Its first request is awaited from now on.
    pub(super) fn new(stream: TcpStream, peer: &Peer, limits: &LineLimits) -> Self {
        // An event is small, and must not wait until the one before has been acknowledged. It only fails when the line
        // is dead.
        let _ = stream.set_nodelay(true);
        peer.must_take_within(limits.take);
        Self {
            stream,
            cut: Box::pin(peer.cut.clone().cancelled_owned()),
            patience: Arc::clone(&peer.patience),
            turn: Arc::clone(&peer.turn),
            head: limits.head,
            begun: Some((0, Bound::within(limits.head))),
            taking: Slack::new(limits.take),
            _gone: peer.gone.clone().drop_guard(),
        }
    }

    /// The stream, unless the line was cut. Whoever waits for it is woken when it is.
    fn open(&mut self, cx: &mut Context<'_>) -> io::Result<Pin<&mut TcpStream>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(Pin::new(&mut self.stream))
    }

    /// Fails when a head that has begun is not there in time; it begins with these bytes, if any have come.
    fn hurry(&mut self, cx: &mut Context<'_>, read: &[u8]) -> io::Result<()> {
        let turn = self.turn.load(Ordering::Relaxed);
        // Between two looks a whole request may have passed.
        self.begun.take_if(|(begun, _)| *begun != turn);
        // An empty line before a request is no part of it (RFC 9112, section 2.2).
        let begins = read.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
        if turn.is_multiple_of(2) && begins && self.begun.is_none() {
            self.begun = Some((turn, Bound::within(self.head)));
        }
        let is_late = self.begun.as_mut().is_some_and(|(_, begun)| begun.is_over(cx));
        if is_late { Err(slow("head")) } else { Ok(()) }
    }

    /// Passes on how many bytes were taken, unless the client takes too few.
    fn taken(&mut self, cx: &mut Context<'_>, bytes: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let moved = match &bytes {
            Poll::Ready(Ok(bytes)) => Some(*bytes),
            Poll::Ready(Err(_)) => return bytes,
            Poll::Pending => None,
        };
        if self.taking.is_used_up(cx, moved) { Poll::Ready(Err(slow("answer"))) } else { bytes }
    }

    fn writable(&mut self, cx: &mut Context<'_>) -> io::Result<Pin<&mut TcpStream>> {
        let patience = self.patience.swap(0, Ordering::Relaxed);
        if patience > 0 {
            acknowledge_within(&self.stream, patience);
        }
        self.open(cx)
    }
}

#[cfg(target_os = "linux")]
fn acknowledge_within(stream: &TcpStream, milliseconds: u32) {
    // TCP_USER_TIMEOUT (RFC 5482). It only fails when the line is dead.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds);
}

/// Only Linux can be told.
#[cfg(not(target_os = "linux"))]
fn acknowledge_within(_: &TcpStream, _: u32) {}

/// What ends the line of a client that is too slow.
fn slow(with: &'static str) -> io::Error {
    count_slow(with);
    io::ErrorKind::TimedOut.into()
}

/// Counts a client that was too slow with this.
pub(super) fn count_slow(with: &'static str) {
    tracing::debug!(with, "a client is too slow");
    metrics::counter!("registry_slow_clients_total", "with" => with).increment(1);
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = self.open(cx)?.poll_read(cx, into);
        self.hurry(cx, into.filled().get(before..).unwrap_or_default())?;
        read
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let taken = self.writable(cx)?.poll_write(cx, bytes);
        self.taken(cx, taken)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let taken = self.writable(cx)?.poll_write_vectored(cx, bytes);
        self.taken(cx, taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open(cx)?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open(cx)?.poll_shutdown(cx)
    }
}
