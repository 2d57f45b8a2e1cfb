//! A proxy between two parties that can swallow what they say: how it looks when a machine is gone, or a firewall has
//! forgotten a connection. Nobody is told; what is sent is taken, and arrives nowhere.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpStream, UnixStream},
    task::JoinHandle,
};

/// Where what is said goes.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Tcp(String),
    Unix(PathBuf),
}

/// A listening proxy; it stops listening when it is dropped, and what it carries ends with the test.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    line: Arc<Line>,
    listening: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Line {
    /// Connections from before this generation carry nothing.
    generation: AtomicU64,
    swallowed: AtomicUsize,
    open: AtomicUsize,
}

impl Proxy {
    pub(crate) async fn to(target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let line = Arc::new(Line::default());
        let lines = Arc::clone(&line);
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                client.set_nodelay(true).unwrap();
                tokio::spawn(carry(client, target.clone(), Arc::clone(&lines)));
            }
        });
        Self { address, line, listening }
    }

    /// From here on, connections that are open carry nothing more. New ones are as they should be.
    pub(crate) fn silence(&self) {
        self.line.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// How many bytes were taken and went nowhere.
    pub(crate) fn swallowed(&self) -> usize {
        self.line.swallowed.load(Ordering::SeqCst)
    }

    /// How many connections its clients hold, silent ones too.
    pub(crate) fn open(&self) -> usize {
        self.line.open.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn carry(client: TcpStream, target: Target, line: Arc<Line>) {
    let generation = line.generation.load(Ordering::SeqCst);
    line.open.fetch_add(1, Ordering::SeqCst);
    match target {
        Target::Tcp(address) => {
            let server = TcpStream::connect(address).await.unwrap();
            server.set_nodelay(true).unwrap();
            both_ways(client, server, generation, &line).await;
        }
        Target::Unix(path) => {
            both_ways(client, UnixStream::connect(path).await.unwrap(), generation, &line).await;
        }
    }
    line.open.fetch_sub(1, Ordering::SeqCst);
}

async fn both_ways(client: TcpStream, server: impl AsyncRead + AsyncWrite, generation: u64, line: &Line) {
    let (client, server) = (split(client), split(server));
    let up = one_way(client.0, server.1, generation, line);
    let down = async {
        one_way(server.0, client.1, generation, line).await;
        // A server that is gone can't say so.
        if line.generation.load(Ordering::SeqCst) != generation {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}

async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    generation: u64,
    line: &Line,
) {
    let mut said = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut said).await {
        if line.generation.load(Ordering::SeqCst) != generation {
            line.swallowed.fetch_add(length, Ordering::SeqCst);
        } else if to.write_all(&said[..length]).await.is_err() {
            return;
        }
    }
}
