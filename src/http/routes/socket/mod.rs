//! `GET /graphql` with an upgrade: opens sockets for `graphql-transport-ws` (enisdenjo/graphql-ws, PROTOCOL.md).
//! Checks the origin and the limits of new sockets. The protocol itself is in `session`.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::Request,
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use tracing::Instrument;

use crate::{
    domain::Error,
    http::{
        AppState,
        caller::{self, ClientAddress, RequestId},
        cookie,
        problem::Problem,
        server::{connection::ConnectionHandle, host::is_same_authority},
    },
};

mod handshake;
mod inbox;
mod message;
mod operation;
mod permit;
mod poll_on_wake;
mod session;
mod session_rights;
mod transport;

use handshake::Accepted;
pub(in crate::http) use handshake::is_handshake;
pub(in crate::http) use permit::SocketPermit;
pub use permit::Sockets;
use session::Session;
pub(in crate::http) use transport::CLOSE_TIMEOUT;

/// The only supported subprotocol. The older `graphql-ws` is unmaintained, and can't reject a client.
const PROTOCOL: &str = "graphql-transport-ws";
/// The maximum size of an outgoing message, in bytes. It bounds the memory of a single response.
pub(in crate::http) const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Limits and timeouts of sockets and event streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketLimits {
    /// The maximum number of sockets and event streams of the instance.
    pub sockets: usize,
    /// The maximum number of unauthenticated sockets from one address (IPv6: /64).
    pub of_one_address: usize,
    /// The maximum number of sockets and event streams of one user or API key. Operators and service tokens have no
    /// limit.
    pub of_one_caller: usize,
    /// The maximum number of concurrent operations on one socket.
    pub operations: usize,
    /// The timeout for `connection_init`.
    pub init: Duration,
    /// The interval of pings. On an event stream, a ping is sent only after this time without another event.
    pub ping: Duration,
    /// A socket closes after this time without a message from the client. Must be more than `ping`.
    pub silence: Duration,
    /// The timeout for a client to take a message.
    pub send: Duration,
    /// The interval at which these timeouts and the caller's token are checked.
    pub beat: Duration,
}

impl Default for SocketLimits {
    fn default() -> Self {
        Self {
            sockets: 10_000,
            of_one_address: 1_000,
            of_one_caller: 100,
            operations: 100,
            init: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            silence: Duration::from_secs(45),
            send: Duration::from_secs(10),
            beat: Duration::from_millis(500),
        }
    }
}

/// Opens a socket, or returns the problem that prevents it.
pub async fn upgrade(state: AppState, RequestId(id): RequestId, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let accepted = match handshake::accept(&mut parts, &id).await {
        Ok(accepted) => accepted,
        Err(refusal) => return refusal,
    };
    if !is_own_page(&parts.uri, &parts.headers) && !is_let_in(&state, &parts.headers) {
        let err = Error::Forbidden("pages of this origin may not open a socket");
        return Problem::new(&err, &id).into_response();
    }
    let client = ClientAddress::of(&parts.extensions);
    let permit = match state.sockets.acquire_for_address(client) {
        Ok(permit) => permit,
        Err(err) => return Problem::new(&err, &id).into_response(),
    };
    if let Err(err) = caller::reject_token_in_url(&parts.uri) {
        return Problem::new(&err, &id).into_response();
    }
    let Accepted { upgrade, key, speaks } = accepted;
    let session = Session::new(
        &state,
        credential(&state, &parts.uri, &parts.headers),
        client,
        permit.clone(),
        ConnectionHandle::of(&parts.extensions),
    );
    // Not a child of the request's span, which would stay open as long as the socket.
    let span = tracing::info_span!(parent: None, "socket", id = %id);
    state.tasks.spawn_tracked(serve(upgrade, session, speaks, permit).instrument(span));
    let mut response = handshake::response(&key, speaks);
    // hyper keeps the case of the request's header names in these extensions, and uses it for the response. Python's
    // `gql` matches `Sec-WebSocket-Protocol` case-sensitively, and falls back to the older protocol without it.
    response.extensions_mut().extend(parts.extensions);
    response
}

/// The bearer token of the handshake, or else the cookie of the console's session.
fn credential(state: &AppState, uri: &Uri, headers: &HeaderMap) -> Result<Option<Arc<str>>, Error> {
    match caller::bearer(headers)? {
        Some(bearer) => Ok(Some(bearer.into())),
        None => cookie::of_socket(state, uri, headers),
    }
}

/// Serves a socket once hyper has handed over its connection. The permit is released when the socket has ended.
async fn serve(upgrade: OnUpgrade, session: Box<Session>, speaks: bool, permit: SocketPermit) {
    match upgrade.await {
        Ok(upgraded) => session.serve(transport::socket(upgraded).await, speaks).await,
        Err(err) => tracing::debug!(error = %err, "a connection ended during its handshake"),
    }
    drop(permit);
}

/// Whether the request's `Origin` is the public URL or one of the allowed origins.
fn is_let_in(state: &AppState, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN);
    origin.is_some_and(|origin| state.hosts.is_public_origin(origin) || state.origins.allow(origin))
}

/// Whether the request is same-origin: `Origin` has the request's host and port. Requests without `Origin` come from no
/// browser, and pass.
fn is_own_page(uri: &Uri, headers: &HeaderMap) -> bool {
    headers.get(header::ORIGIN).is_none_or(|origin| is_same_authority(origin, uri, headers))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An idle subscriber keeps both as long as its socket is open.
    #[test]
    fn the_futures_of_an_idle_subscriber_are_small() {
        fn of_socket<A, B, C, D, F: Future>(_: impl Fn(A, B, C, D) -> F) -> usize {
            size_of::<F>()
        }
        fn of_operation<A, B, F: Future>(_: impl Fn(A, B) -> F) -> usize {
            size_of::<F>()
        }
        let (socket, operation) = (of_socket(serve), of_operation(operation::Run::run));
        assert!(socket <= 2048 && operation <= 2048, "{socket} and {operation} bytes");
    }

    #[test]
    fn a_page_is_its_own_by_host_and_port() {
        let cases = [
            (None, "registry.example", true),
            (Some("https://registry.example"), "registry.example", true),
            (Some("https://Registry.Example:443"), "registry.example", true),
            (Some("http://localhost:8080"), "localhost:8080", true),
            (Some("http://[::1]:8080"), "[::1]:8080", true),
            (Some("http://localhost:8081"), "localhost:8080", false),
            (Some("http://localhost"), "localhost:8080", false),
            (Some("https://registry.example.evil.example"), "registry.example", false),
            (Some("https://evil.example"), "registry.example", false),
            (Some("null"), "registry.example", false),
            (Some("file://"), "registry.example", false),
        ];
        for (origin, host, own) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(is_own_page(&Uri::from_static("/graphql"), &headers), own, "{origin:?} at {host}");
            let target = Uri::from_static("http://target.example/graphql");
            let is_none = origin.is_none();
            assert_eq!(is_own_page(&target, &headers), is_none, "{origin:?} at {target}");
        }
    }
}
