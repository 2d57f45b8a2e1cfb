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

use axum::{
    extract::{ConnectInfo, connect_info::Connected},
    http::Extensions,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};

/// What accepts lines.
#[derive(Debug)]
pub struct Lines(TcpListener);

impl Lines {
    /// Those that come in here.
    #[must_use]
    pub fn new(listener: TcpListener) -> Self {
        Self(listener)
    }
}

impl Listener for Lines {
    type Io = Line;
    type Addr = Peer;

    async fn accept(&mut self) -> (Line, Peer) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // An event is small, and must not wait until the one before has been acknowledged. It only fails when the line
        // is dead.
        let _ = stream.set_nodelay(true);
        let peer = Peer::new(address);
        (Line::new(stream, &peer), peer)
    }

    fn local_addr(&self) -> io::Result<Peer> {
        self.0.local_addr().map(Peer::new)
    }
}

/// The other end of a line. Clones are the same.
#[derive(Clone, Debug)]
pub struct Peer {
    address: SocketAddr,
    cut: CancellationToken,
    gone: CancellationToken,
    /// Within how many milliseconds it must acknowledge what it is sent from now on; 0 when nothing has changed.
    patience: Arc<AtomicU32>,
}

impl Peer {
    /// One at this address.
    pub(super) fn new(address: SocketAddr) -> Self {
        let (cut, gone) = (CancellationToken::new(), CancellationToken::new());
        Self { address, cut, gone, patience: Arc::default() }
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

    /// From now on, the line ends when the other machine has not acknowledged within this time what it was sent, or
    /// has had no room for it. Without it, a machine that is gone is noticed after a quarter of an hour.
    pub fn must_take_within(&self, most: Duration) {
        self.patience.store(u32::try_from(most.as_millis()).unwrap_or(u32::MAX), Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Lines>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.remote_addr().clone()
    }
}

/// One line.
#[derive(Debug)]
pub struct Line {
    stream: TcpStream,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    patience: Arc<AtomicU32>,
    _gone: DropGuard,
}

impl Line {
    fn new(stream: TcpStream, peer: &Peer) -> Self {
        let cut = Box::pin(peer.cut.clone().cancelled_owned());
        Self { stream, cut, patience: Arc::clone(&peer.patience), _gone: peer.gone.clone().drop_guard() }
    }

    /// The stream, unless the line was cut. Whoever waits for it is woken when it is.
    fn open(&mut self, cx: &mut Context<'_>) -> io::Result<Pin<&mut TcpStream>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(Pin::new(&mut self.stream))
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

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.open(cx)?.poll_read(cx, into)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writable(cx)?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writable(cx)?.poll_write_vectored(cx, bytes)
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
