//! A proxy between two parties that can swallow what they say: how it looks when a machine is gone, or a firewall has
//! forgotten a connection. Nobody is told; what is sent is taken, and arrives nowhere.

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

/// Where what is said goes.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Tcp(String),
    Unix(PathBuf),
}

/// What becomes of the connections that are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Neither end hears of it.
    OfBoth,
    /// The target is gone; its clients do not hear of that.
    OfTarget,
}

/// A listening proxy; it stops listening when it is dropped, and what it carries ends with the test.
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
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

    /// From here on, connections that are open carry nothing more. New ones are as they should be.
    pub(crate) fn silence(&self, silence: Silence) {
        self.silence.send_replace(Some(silence));
    }

    /// How many bytes were taken and went nowhere.
    pub(crate) fn swallowed(&self) -> usize {
        self.counts.swallowed.load(Ordering::SeqCst)
    }

    /// How many connections its clients hold, silent ones too.
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
        Some(Silence::OfTarget) => {
            drop(server);
            swallow(&mut client, counts).await;
        }
        Some(Silence::OfBoth) | None => {
            tokio::join!(swallow(&mut client, counts), swallow(&mut server, counts));
        }
    }
}

/// Takes all that is said until nobody is there to say more.
async fn swallow(from: &mut (impl AsyncRead + Unpin), counts: &Counts) {
    let mut said = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut said).await {
        counts.swallowed.fetch_add(length, Ordering::SeqCst);
    }
}
