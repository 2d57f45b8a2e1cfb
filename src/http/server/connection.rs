//! The lines that requests come over: a handler can hear of a line's end, and end one itself. What serves HTTP asks a
//! handler for more only while the client takes what there is, so a client that takes nothing could not be got rid of.

use std::{
    io::{self, IoSlice},
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
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

use super::timeouts::{Bound, LineLimits, Slack};

/// The other end of a line. Clones are the same.
#[derive(Clone, Debug)]
pub struct Peer(Arc<End>);

#[derive(Debug)]
struct End {
    address: SocketAddr,
    /// Whether the line is to end, and who is to be woken then.
    is_cut: AtomicBool,
    cut: AtomicWaker,
    gone: CancellationToken,
    /// Within how many milliseconds it must acknowledge what it is sent from now on; 0 when nothing has changed.
    patience: AtomicU32,
    /// Whose turn it is: the client's to ask when this is even, ours to answer when it is odd.
    turn: AtomicU32,
}

impl Peer {
    /// One at this address.
    pub(in crate::http) fn new(address: SocketAddr) -> Self {
        let (is_cut, cut, gone) = (AtomicBool::default(), AtomicWaker::new(), CancellationToken::new());
        let (patience, turn) = (AtomicU32::default(), AtomicU32::default());
        Self(Arc::new(End { address, is_cut, cut, gone, patience, turn }))
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
        self.0.address
    }

    /// Ends the line at once, whatever is on its way.
    pub fn cut(&self) {
        self.0.is_cut.store(true, Ordering::Release);
        self.0.cut.wake();
    }

    /// Resolves when the line has ended.
    pub async fn gone(&self) {
        self.0.gone.cancelled().await;
    }

    /// Now it is the other end's turn. While it is the client's to ask, a head that begins must soon be there.
    pub(in crate::http) fn turn(&self) {
        self.0.turn.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on, the line ends when the other machine has not acknowledged within this time what it was sent, or
    /// has had no room for it. Without it, a machine that is gone is noticed after a quarter of an hour.
    pub fn must_take_within(&self, most: Duration) {
        self.0.patience.store(u32::try_from(most.as_millis()).unwrap_or(u32::MAX), Ordering::Relaxed);
    }
}

/// One line.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    peer: Peer,
    /// Within which time a head must be there once it has begun.
    head: Duration,
    /// The head that has begun.
    begun: Option<Head>,
    idle: Idle,
    /// How slowly the client may still take what it is sent.
    taking: Slack,
    _gone: DropGuard,
}

/// A head that has begun, and is not there yet.
#[derive(Debug)]
struct Head {
    /// In which turn.
    turn: u32,
    since: Instant,
    /// When it must be there: most are there at once, and need no clock.
    bound: Option<Bound>,
}

impl Head {
    fn begun(turn: u32) -> Self {
        Self { turn, since: Instant::now(), bound: None }
    }
}

/// How long a line has been without a request.
#[derive(Debug)]
struct Idle {
    most: Duration,
    /// In which turn, and since when.
    turn: u32,
    since: Instant,
    /// Set once, not for each request: when it is over, it is set anew for what is left.
    bound: Option<Bound>,
}

impl Idle {
    /// Whether that is too long. Whoever asks is woken when it is.
    fn is_over(&mut self, cx: &mut Context<'_>, turn: u32) -> bool {
        if self.turn != turn {
            (self.turn, self.since) = (turn, Instant::now());
        }
        while self.bound.get_or_insert_with(|| Bound::within(self.most)).is_over(cx) {
            let left = self.most.saturating_sub(self.since.elapsed());
            if left.is_zero() {
                return true;
            }
            self.bound = Some(Bound::within(left));
        }
        false
    }
}

impl Line {
    /// The line to this peer. Its first request is awaited from now on.
    pub(in crate::http) fn new(stream: TcpStream, peer: &Peer, limits: &LineLimits) -> Self {
        // An event is small, and must not wait until the one before has been acknowledged. It only fails when the line
        // is dead.
        let _ = stream.set_nodelay(true);
        peer.must_take_within(limits.take);
        Self {
            stream,
            head: limits.head,
            begun: Some(Head::begun(0)),
            idle: Idle { most: limits.idle, turn: 0, since: Instant::now(), bound: None },
            taking: Slack::new(limits.take),
            _gone: peer.0.gone.clone().drop_guard(),
            peer: peer.clone(),
        }
    }

    /// The stream, unless the line was cut.
    fn open(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if self.peer.0.is_cut.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(Pin::new(&mut self.stream))
    }

    /// What has come of it; who must wait is woken, too, when the line is cut.
    fn waited<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_pending() {
            self.peer.0.cut.register(cx.waker());
            // It may have been cut just before.
            self.open()?;
        }
        done
    }

    /// Fails when a head that has begun is not there in time, or none begins; these bytes have just come, or none yet.
    fn hurry(&mut self, cx: &mut Context<'_>, read: Option<&[u8]>) -> io::Result<()> {
        let turn = self.peer.0.turn.load(Ordering::Relaxed);
        // Between two looks a whole request may have passed.
        self.begun.take_if(|begun| begun.turn != turn);
        // An empty line before a request is no part of it (RFC 9112, section 2.2).
        let begins = |read: &[u8]| read.iter().any(|byte| !matches!(byte, b'\r' | b'\n'));
        if turn.is_multiple_of(2) && self.begun.is_none() && read.is_some_and(begins) {
            self.begun = Some(Head::begun(turn));
        }
        let Some(Head { turn: _, since, bound }) = &mut self.begun else {
            let is_over = turn.is_multiple_of(2) && read.is_none() && self.idle.is_over(cx, turn);
            return if is_over { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) };
        };
        let is_late = match read {
            Some(_) => since.elapsed() >= self.head,
            None => {
                let left = self.head.saturating_sub(since.elapsed());
                bound.get_or_insert_with(|| Bound::within(left)).is_over(cx)
            }
        };
        if is_late { Err(slow("head")) } else { Ok(()) }
    }

    /// Passes on how many bytes were taken, unless the client takes too few.
    fn taken(&mut self, cx: &mut Context<'_>, bytes: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let moved = match &bytes {
            Poll::Ready(Ok(bytes)) => Some(*bytes),
            Poll::Ready(Err(_)) => return bytes,
            Poll::Pending => None,
        };
        if self.taking.is_used_up(cx, moved) {
            Poll::Ready(Err(slow("answer")))
        } else {
            self.waited(cx, bytes)
        }
    }

    fn writable(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let patience = &self.peer.0.patience;
        if patience.load(Ordering::Relaxed) > 0 {
            acknowledge_within(&self.stream, patience.swap(0, Ordering::Relaxed));
        }
        self.open()
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
pub(in crate::http) fn count_slow(with: &'static str) {
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
        let read = self.open()?.poll_read(cx, into);
        let bytes = read.is_ready().then(|| into.filled().get(before..).unwrap_or_default());
        self.hurry(cx, bytes)?;
        self.waited(cx, read)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let taken = self.writable()?.poll_write(cx, bytes);
        self.taken(cx, taken)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let taken = self.writable()?.poll_write_vectored(cx, bytes);
        self.taken(cx, taken)
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
