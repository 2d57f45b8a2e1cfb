//! Accepts connections and serves HTTP/1.1 on each, in a task of its own, with or without TLS.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{HeaderValue, StatusCode, header},
    response::Response,
    serve::Listener,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket},
};
use tower::ServiceExt;

use super::{
    admission::Admission,
    connection::{Connection, ConnectionHandle},
    timeouts::{ConnectionLimits, ResponseBody, TimedBody},
    tls::Tls,
    unhandled::BoundedStream,
};
use crate::{
    http::{AppState, fast_path},
    share::{ShareHolder, network},
    task::Tasks,
};

/// The maximum size of a request head, in bytes. Longer GraphQL documents need a body.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The maximum size of a connection's read buffer and of its write buffer, in bytes.
const BUFFER_BYTES_MAX: usize = 2 * HEAD_BYTES_MAX;

/// The state that all connections share.
struct ConnectionServer {
    state: AppState,
    router: Router,
    limits: ConnectionLimits,
    tls: Option<Tls>,
    tasks: Tasks,
}

/// The size of the kernel's receive buffer of each connection, in bytes; Linux doubles it. Without a size, the kernel lets
/// it grow to several mebibytes, and hundreds of connections whose bytes nobody reads keep the processors busy.
const RECEIVE_BUFFER: u32 = 128 * 1024;
/// The same of its send buffer. Otherwise a client that reads nothing makes the service write several mebibytes, which no
/// budget counts.
const SEND_BUFFER: u32 = 256 * 1024;
/// The number of connections that the kernel completes before they are accepted.
const BACKLOG: u32 = 4096;

/// An address that is bound. Until [`BoundAddress::listen`], connections to it are refused.
#[derive(Debug)]
pub struct BoundAddress(TcpSocket);

/// Binds this address.
///
/// # Errors
/// An error of the operating system, such as an address that another process listens on.
pub fn bind(address: SocketAddr) -> io::Result<BoundAddress> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    Ok(BoundAddress(socket))
}

impl BoundAddress {
    /// Listens on the address.
    ///
    /// # Errors
    /// An error of the operating system, such as another process that listens on it meanwhile.
    pub fn listen(self) -> io::Result<TcpListener> {
        self.0.listen(BACKLOG)
    }
}

/// Serves connections until the service stops. Then it accepts no more, and each open connection closes after its
/// current request.
pub async fn serve(mut listener: TcpListener, state: AppState, limits: ConnectionLimits, tls: Option<Tls>) {
    let (router, tasks) = (crate::http::router(state.clone()), state.tasks.clone());
    let admission = Admission::new(&limits);
    let served = Arc::new(ConnectionServer { state, router, limits, tls, tasks });
    loop {
        // axum's `accept` skips connections that have closed already. If the process has no file descriptors left, it
        // retries after a second.
        let (stream, address) = tokio::select! {
            () = served.tasks.stopping() => return,
            accepted = Listener::accept(&mut listener) => accepted,
        };
        let Some(arrival) = admission.arrive(address.ip()) else { continue };
        let (tasks, served, admission) = (served.tasks.clone(), Arc::clone(&served), admission.clone());
        tasks.spawn_tracked(async move {
            let is_of_proxy = served.state.proxies.trusts(address.ip());
            let permit = tokio::select! {
                () = served.tasks.stopping() => return,
                permit = admission.admit(arrival, is_of_proxy) => permit,
            };
            let peer = ConnectionHandle::new(address);
            if let Some(permit) = permit {
                peer.admit(permit);
            }
            let connection = Connection::new(stream, &peer, &served.limits);
            metrics::gauge!("registry_connections").increment(1);
            served.serve_connection(connection, peer).await;
            metrics::gauge!("registry_connections").decrement(1);
        });
    }
}

impl ConnectionServer {
    async fn serve_connection(&self, connection: Connection, peer: ConnectionHandle) {
        let Some(tls) = &self.tls else {
            return self.serve_http(connection, peer).await;
        };
        // The connection's timeout for the first head covers the TLS handshake too.
        let greeted = tokio::select! {
            greeted = tls.handshake(connection) => greeted,
            () = self.tasks.stopping() => return,
        };
        match greeted {
            Ok(connection) => self.serve_http(connection, peer).await,
            Err(err) => {
                metrics::counter!("registry_tls_failures_total").increment(1);
                tracing::debug!(error = %err, "a TLS handshake failed");
            }
        }
    }

    async fn serve_http<L>(&self, connection: L, peer: ConnectionHandle)
    where
        L: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let address = peer.address().ip();
        // The connections of a trusted proxy are of many clients.
        let holder = match self.state.proxies.trusts(address) {
            true => ShareHolder::System,
            false => ShareHolder::Address(network(address)),
        };
        let share = self.state.budget.share(holder);
        let connection = BoundedStream::new(connection, peer.clone(), share);
        let answer = service_fn(|request| {
            // Before the future runs: hyper may read the body first, and its bytes aren't the head's.
            peer.begin_answer();
            self.answer(request, peer.clone())
        });
        let serving = http1::Builder::new()
            // hyper's timeout begins when it waits for a head. So it bounds the time between two requests; a head
            // that has begun has a shorter one (`Connection`).
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.idle)
            .max_header_size(HEAD_BYTES_MAX)
            .max_buf_size(BUFFER_BYTES_MAX)
            // Some websocket clients match `Sec-WebSocket-Protocol` case-sensitively: see `socket`.
            .preserve_header_case(true)
            .serve_connection(TokioIo::new(connection), answer)
            .with_upgrades();
        let mut serving = pin!(serving);
        let ended = match self.tasks.unless_stopping(serving.as_mut()).await {
            Some(ended) => ended,
            None => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if let Err(err) = ended {
            tracing::debug!(error = %err, "a connection failed");
        }
    }

    /// Answers one request: by the fast path if it applies, otherwise by the router. The answer has begun, and ends when the returned
    /// body is dropped.
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: ConnectionHandle,
    ) -> Result<Response<ResponseBody>, Infallible> {
        let mut response = match fast_path::answer_config(&self.state, &request) {
            Some(response) => {
                // The fast path answers the platform's services only, whose connections have no limit of their own.
                let _ = peer.sign_in(|| ShareHolder::System);
                response
            }
            None => {
                let limit = self.limits.body;
                let mut request = request.map(|body| Body::new(TimedBody::new(body, limit)));
                request.extensions_mut().insert(ConnectInfo(peer.clone()));
                self.router.clone().oneshot(request).await?
            }
        };
        if response.status() == StatusCode::NOT_MODIFIED {
            // axum sets the length of the empty body. It would have to be that of the full response (RFC 9110,
            // section 8.6).
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        if peer.unhandled().had_large_head() && !upgraded {
            // hyper keeps its buffer as long as the connection.
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(|body| ResponseBody::new(body, peer, upgraded)))
    }
}
