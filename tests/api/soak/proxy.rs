//! A TCP proxy that can break its connections, hold traffic back, or strand its connections.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};
use tokio_util::sync::CancellationToken;

/// The target of the connections.
#[derive(Clone)]
pub(super) enum Target {
    Port(u16),
    Socket(PathBuf),
}

/// The listening side of the proxy.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    wire: Arc<Wire>,
    stop: CancellationToken,
}

struct Wire {
    target: Mutex<Target>,
    /// Cancelling it ends all open connections. `resets` says how.
    cut: Mutex<CancellationToken>,
    /// Cancelling it stops all traffic on open connections, without closing them.
    strand: Mutex<CancellationToken>,
    resets: watch::Sender<bool>,
    /// Whether traffic is held back.
    held: watch::Sender<bool>,
}

impl Proxy {
    pub(super) async fn start(target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let wire = Arc::new(Wire {
            target: Mutex::new(target),
            cut: Mutex::default(),
            strand: Mutex::default(),
            resets: watch::Sender::new(false),
            held: watch::Sender::new(false),
        });
        let stop = CancellationToken::new();
        tokio::spawn(stop.clone().run_until_cancelled_owned(accept(listener, Arc::clone(&wire))));
        Self { address, wire, stop }
    }

    pub(super) fn lead_to(&self, target: Target) {
        *self.wire.target.lock().unwrap() = target;
    }

    /// Breaks all connections, with a reset or with an orderly close on both sides.
    pub(super) fn cut(&self, with_reset: bool) {
        self.wire.resets.send_replace(with_reset);
        std::mem::take(&mut *self.wire.cut.lock().unwrap()).cancel();
    }

    /// Stops all traffic on the open connections without closing them, as when a host is gone.
    pub(super) fn strand(&self) {
        std::mem::take(&mut *self.wire.strand.lock().unwrap()).cancel();
    }

    /// Holds traffic back, or lets it continue.
    pub(super) fn hold(&self, held: bool) {
        self.wire.held.send_replace(held);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
        self.cut(false);
    }
}

async fn accept(listener: TcpListener, wire: Arc<Wire>) {
    while let Ok((near, _)) = listener.accept().await {
        let wire = Arc::clone(&wire);
        tokio::spawn(async move {
            let (target, cut) = (wire.target.lock().unwrap().clone(), wire.cut.lock().unwrap().clone());
            // When the target isn't reachable, the client's connection is closed.
            match target {
                Target::Port(port) => {
                    if let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await {
                        carry(near, far, &wire, cut).await;
                    }
                }
                Target::Socket(path) => {
                    if let Ok(far) = UnixStream::connect(path).await {
                        carry(near, far, &wire, cut).await;
                    }
                }
            }
        });
    }
}

async fn carry(near: TcpStream, far: impl AsyncRead + AsyncWrite, wire: &Wire, cut: CancellationToken) {
    let mut near = near;
    let strand = wire.strand.lock().unwrap().clone();
    near.set_nodelay(true).unwrap();
    {
        let (near_read, near_write) = near.split();
        let (far_read, far_write) = split(far);
        let there = pipe(near_read, far_write, wire.held.subscribe());
        let back = pipe(far_read, near_write, wire.held.subscribe());
        tokio::select! {
            _ = async { tokio::join!(there, back) } => {}
            () = cut.cancelled() => {}
            () = strand.cancelled() => cut.cancelled().await,
        }
    }
    if cut.is_cancelled() && *wire.resets.borrow() {
        near.set_zero_linger().unwrap();
    }
}

async fn pipe(from: impl AsyncRead, to: impl AsyncWrite, mut held: watch::Receiver<bool>) -> io::Result<()> {
    let (mut from, mut to) = (std::pin::pin!(from), std::pin::pin!(to));
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        if held.wait_for(|held| !held).await.is_err() || count == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..count]).await?;
    }
}
