//! A TCP proxy that can go silent: it still accepts bytes but forwards nothing, and closes nothing. A connection
//! looks like that when its peer's machine is gone, or when a firewall has forgotten it.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinHandle,
};

/// The address that the proxy forwards to.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Tcp(String),
    Unix(PathBuf),
}

/// What happens to the open connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Both ends stay open.
    KeepBothOpen,
    /// The connection to the target is closed; the client's stays open.
    CloseTarget,
}

/// A listening proxy. Dropping it stops the listener; open connections end with the test's runtime.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    silence: watch::Sender<Option<Silence>>,
    counts: Arc<Counts>,
    listening: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Counts {
    swallowed: AtomicUsize,
    open: AtomicUsize,
}

impl Proxy {
    pub(crate) async fn to(target: Target) -> Self {
        Self::at("127.0.0.1:0", target).await
    }

    /// Listens at this address.
    pub(crate) async fn at(address: &str, target: Target) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (silence, counts) = (watch::Sender::new(None), Arc::new(Counts::default()));
        let (silences, counting) = (silence.clone(), Arc::clone(&counts));
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                client.set_nodelay(true).unwrap();
                tokio::spawn(carry(client, target.clone(), silences.subscribe(), Arc::clone(&counting)));
            }
        });
        Self { address, silence, counts, listening }
    }

    /// Stops forwarding on the open connections. New connections work.
    pub(crate) fn silence(&self, silence: Silence) {
        self.silence.send_replace(Some(silence));
    }

    /// The number of bytes read and not forwarded.
    pub(crate) fn swallowed(&self) -> usize {
        self.counts.swallowed.load(Ordering::SeqCst)
    }

    /// The number of open connections from clients, silent ones included.
    pub(crate) fn open(&self) -> usize {
        self.counts.open.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn carry(
    client: TcpStream,
    target: Target,
    silence: watch::Receiver<Option<Silence>>,
    counts: Arc<Counts>,
) {
    counts.open.fetch_add(1, Ordering::SeqCst);
    match target {
        Target::Tcp(address) => {
            let server = TcpStream::connect(address).await.unwrap();
            server.set_nodelay(true).unwrap();
            between(client, server, silence, &counts).await;
        }
        Target::Unix(path) => {
            between(client, UnixStream::connect(path).await.unwrap(), silence, &counts).await;
        }
    }
    counts.open.fetch_sub(1, Ordering::SeqCst);
}

async fn between(
    mut client: TcpStream,
    mut server: impl AsyncRead + AsyncWrite + Unpin,
    mut silence: watch::Receiver<Option<Silence>>,
    counts: &Counts,
) {
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        changed = silence.changed() => if changed.is_err() { return },
    }
    let silence = *silence.borrow();
    match silence {
        Some(Silence::CloseTarget) => {
            drop(server);
            swallow(&mut client, counts).await;
        }
        Some(Silence::KeepBothOpen) | None => {
            tokio::join!(swallow(&mut client, counts), swallow(&mut server, counts));
        }
    }
}

/// Reads and discards bytes until the connection ends.
async fn swallow(from: &mut (impl AsyncRead + Unpin), counts: &Counts) {
    let mut said = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut said).await {
        counts.swallowed.fetch_add(length, Ordering::SeqCst);
    }
}
