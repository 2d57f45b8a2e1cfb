//! Serves HTTP/1.1 on the lines that come in, each in a task of its own, over TLS or plain.

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

/// The largest head of a request, in bytes; longer documents come in a body.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// The most that is read ahead of a line, or gathered before it is written, in bytes.
const BUFFER_BYTES_MAX: usize = 2 * HEAD_BYTES_MAX;

/// What each line is served with.
struct Served {
    door: Door,
    router: Router,
    limits: LineLimits,
    tls: Option<Tls>,
    tasks: Tasks,
}

/// Serves until the service stops: then no line is taken any more, and those that there are end with the request that they
/// are at.
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

/// The next line, when there is room for it. Until then, it waits where the system keeps it.
async fn next(
    listener: &mut TcpListener,
    seats: &Arc<Semaphore>,
) -> (TcpStream, Peer, Option<OwnedSemaphorePermit>) {
    if seats.available_permits() == 0 {
        metrics::counter!("registry_connections_full_total").increment(1);
        tracing::warn!("all connections are taken: the next one waits until another ends (see CONNECTIONS)");
    }
    // It is never closed, so there is always a seat some time.
    let seat = Arc::clone(seats).acquire_owned().await.ok();
    // axum's own way to accept: a line that is gone already is passed over, and when the process may open no more
    // files, it tries again a second later.
    let (stream, address) = Listener::accept(listener).await;
    (stream, Peer::new(address), seat)
}

impl Served {
    async fn line(&self, line: Line, peer: Peer) {
        let Some(tls) = &self.tls else {
            return self.speak(line, peer).await;
        };
        // It takes no longer than a first head may: the line sees to that.
        let greeted = tokio::select! {
            greeted = tls.greet(line) => greeted,
            () = self.tasks.stopping() => return,
        };
        match greeted {
            Ok(line) => self.speak(line, peer).await,
            Err(err) => {
                metrics::counter!("registry_tls_failures_total").increment(1);
                tracing::debug!(error = %err, "no TLS with a client");
            }
        }
    }

    async fn speak<L>(&self, line: L, peer: Peer)
    where
        L: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let answer = service_fn(|request| self.answer(request, peer.clone()));
        let spoken = http1::Builder::new()
            // The line itself sees to it that heads come, and in time.
            .header_read_timeout(None)
            .max_header_size(HEAD_BYTES_MAX)
            .max_buf_size(BUFFER_BYTES_MAX)
            // Some clients of websockets look for `Sec-WebSocket-Protocol` as they wrote it: see `socket`.
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
            tracing::debug!(error = %err, "a line has ended");
        }
    }

    /// Answers one request, and knows from when to when it is the client's turn.
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
            // axum gives it the length of its own empty body, and not that of the answer (RFC 9110, section 8.6).
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        let upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        Ok(response.map(|body| Answered::new(body, peer, upgraded)))
    }
}
