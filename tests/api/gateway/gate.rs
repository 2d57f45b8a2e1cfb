//! A TCP proxy before the registry that a test can cut, stall, close and retarget.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    select,
    sync::watch,
    task::JoinHandle,
};

/// The state of the proxy.
#[derive(Clone)]
struct GateState {
    upstream: Arc<str>,
    /// The current generation: connections of an earlier one are cut.
    number: u64,
    /// Whether bytes are held back with connections open.
    is_stalled: bool,
}

/// A proxy on a port of its own.
pub(super) struct Gate {
    pub(super) url: String,
    port: u16,
    way: watch::Sender<GateState>,
    listens: Option<JoinHandle<()>>,
}

impl Gate {
    pub(super) async fn to(base: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let way = watch::Sender::new(GateState { upstream: address(base), number: 0, is_stalled: false });
        let listens = Some(tokio::spawn(listen(listener, way.subscribe())));
        Self { url: format!("http://127.0.0.1:{port}"), port, way, listens }
    }

    /// Drops all connections.
    pub(super) fn cut(&self) {
        self.way.send_modify(|way| way.number += 1);
    }

    /// Starts or ends a stall: nothing is forwarded, and connections stay open.
    pub(super) fn stall(&self, is_stalled: bool) {
        self.way.send_modify(|way| way.is_stalled = is_stalled);
    }

    /// Drops all connections and rejects new ones.
    pub(super) async fn close(&mut self) {
        if let Some(listens) = self.listens.take() {
            listens.abort();
            let _ = listens.await;
        }
        self.cut();
    }

    /// Drops all connections and forwards new ones to this service.
    pub(super) async fn lead_to(&mut self, base: &str) {
        self.way.send_modify(|way| way.upstream = address(base));
        self.close().await;
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.listens = Some(tokio::spawn(listen(listener, self.way.subscribe())));
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.listens.take().inspect(JoinHandle::abort);
        self.cut();
    }
}

fn address(base: &str) -> Arc<str> {
    base.strip_prefix("http://").unwrap().into()
}

async fn listen(listener: TcpListener, way: watch::Receiver<GateState>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(carry(client, way.clone()));
    }
}

async fn carry(mut client: TcpStream, mut way: watch::Receiver<GateState>) {
    let begun = way.borrow_and_update().clone();
    let Ok(mut service) = TcpStream::connect(&*begun.upstream).await else { return };
    let (mut up, mut down) = (vec![0; 65536], vec![0; 65536]);
    loop {
        let now = way.borrow_and_update().clone();
        if now.number != begun.number {
            return;
        }
        let is_open = !now.is_stalled;
        let carried = select! {
            changed = way.changed() => changed.is_ok(),
            read = client.read(&mut up), if is_open => hand_on(read, &up, &mut service).await,
            read = service.read(&mut down), if is_open => hand_on(read, &down, &mut client).await,
        };
        if !carried {
            return;
        }
    }
}

/// Forwards what was read. Returns false at the end of the stream.
async fn hand_on(read: std::io::Result<usize>, bytes: &[u8], to: &mut TcpStream) -> bool {
    match read {
        Ok(0) | Err(_) => false,
        Ok(count) => to.write_all(&bytes[..count]).await.is_ok(),
    }
}
