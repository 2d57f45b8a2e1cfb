//! Accepts connections and serves HTTP/1.1 on each, in a task of its own, with or without TLS.

use std::{convert::Infallible, pin::pin, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::{StatusCode, header},
    response::Response,
    serve::Listener,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower::ServiceExt;

use super::{
    connection::{Line, Peer},
    timeouts::{Answered, LineLimits, Sent},
    tls::Tls,
};
use crate::{
    http::{Door, fast_path},
    task::Tasks,
};

/// The maximum size of a request head, in bytes. Longer GraphQL documents need a body.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The maximum size of a connection's read buffer and of its write buffer, in bytes.
const BUFFER_BYTES_MAX: usize = 2 * HEAD_BYTES_MAX;

/// The state that all connections share.
struct Served {
    door: Door,
    router: Router,
    limits: LineLimits,
    tls: Option<Tls>,
    tasks: Tasks,
}

/// Serves connections until the service stops. Then it accepts no more, and each open connection closes after its
/// current request.
pub async fn serve(mut listener: TcpListener, door: Door, limits: LineLimits, tls: Option<Tls>) {
    let (router, tasks) = (crate::http::router(door.clone()), door.tasks.clone());
    let seats =
        Arc::new(Semaphore::new(usize::try_from(limits.connections).unwrap_or(Semaphore::MAX_PERMITS)));
    let served = Arc::new(Served { door, router, limits, tls, tasks });
    loop {
        let (stream, peer, seat) = tokio::select! {
            () = served.tasks.stopping() => return,
            next = next(&mut listener, &seats) => next,
        };
        let line = Line::new(stream, &peer, &served.limits);
        let (tasks, served) = (served.tasks.clone(), Arc::clone(&served));
        tasks.attended(async move {
            metrics::gauge!("registry_connections").increment(1);
            served.line(line, peer).await;
            metrics::gauge!("registry_connections").decrement(1);
            drop(seat);
        });
    }
}

/// Accepts the next connection once there is a free permit. Until then, new connections wait in the listener's backlog.
async fn next(
    listener: &mut TcpListener,
    seats: &Arc<Semaphore>,
) -> (TcpStream, Peer, Option<OwnedSemaphorePermit>) {
    if seats.available_permits() == 0 {
        metrics::counter!("registry_connections_full_total").increment(1);
        tracing::warn!(
            "the limit of connections is reached: new clients wait until one closes (see CONNECTIONS)"
        );
    }
    // The semaphore is never closed, so `acquire_owned` can't fail.
    let seat = Arc::clone(seats).acquire_owned().await.ok();
    // axum's `accept` skips connections that have closed already. If the process has no file descriptors left, it
    // retries after a second.
    let (stream, address) = Listener::accept(listener).await;
    (stream, Peer::new(address), seat)
}

impl Served {
    async fn line(&self, line: Line, peer: Peer) {
        let Some(tls) = &self.tls else {
            return self.speak(line, peer).await;
        };
        // The connection's timeout for the first head covers the TLS handshake too.
        let greeted = tokio::select! {
            greeted = tls.greet(line) => greeted,
            () = self.tasks.stopping() => return,
        };
        match greeted {
            Ok(line) => self.speak(line, peer).await,
            Err(err) => {
                metrics::counter!("registry_tls_failures_total").increment(1);
                tracing::debug!(error = %err, "a TLS handshake failed");
            }
        }
    }

    async fn speak<L>(&self, line: L, peer: Peer)
    where
        L: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let answer = service_fn(|request| self.answer(request, peer.clone()));
        let spoken = http1::Builder::new()
            // The connection has its own timeout for heads.
            .header_read_timeout(None)
            .max_header_size(HEAD_BYTES_MAX)
            .max_buf_size(BUFFER_BYTES_MAX)
            // Some websocket clients match `Sec-WebSocket-Protocol` case-sensitively: see `socket`.
            .preserve_header_case(true)
            .serve_connection(TokioIo::new(line), answer)
            .with_upgrades();
        let mut spoken = pin!(spoken);
        let ended = match self.tasks.unless_stopping(spoken.as_mut()).await {
            Some(ended) => ended,
            None => {
                spoken.as_mut().graceful_shutdown();
                spoken.await
            }
        };
        if let Err(err) = ended {
            tracing::debug!(error = %err, "a connection failed");
        }
    }

    /// Answers one request: by the fast path if it applies, otherwise by the router. Passes the connection's turn to
    /// us, and the returned body passes it back to the client.
    async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Result<Response<Answered>, Infallible> {
        peer.turn();
        let mut response = match fast_path::answer(&self.door, &request) {
            Some(response) => response,
            None => {
                let limit = self.limits.body;
                let request = request.map(|body| Body::new(Sent::new(body, limit)));
                match fast_path::ask(&self.door, request).await {
                    Ok(response) => response,
                    Err(mut request) => {
                        request.extensions_mut().insert(ConnectInfo(peer.clone()));
                        self.router.clone().oneshot(request).await?
                    }
                }
            }
        };
        if response.status() == StatusCode::NOT_MODIFIED {
            // axum sets the length of the empty body. It would have to be that of the full response (RFC 9110,
            // section 8.6).
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        Ok(response.map(|body| Answered::new(body, peer, upgraded)))
    }
}
