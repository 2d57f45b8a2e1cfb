//! `GET /graphql` with an upgrade: the door of `graphql-transport-ws` (enisdenjo/graphql-ws, PROTOCOL.md).
//! Who may open a socket, how many may be open, how patient they are. What is said on one is in `session`.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, ws::WebSocket},
    http::{HeaderMap, Uri, header, uri::Authority},
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use crate::{
    domain::Error,
    http::{
        Door,
        caller::{self, Client, RequestId},
        problem::Problem,
        server::body::BODY_BYTES_MAX,
    },
};

mod handshake;
mod held;
mod message;
mod operation;
mod seat;
mod session;
mod wire;
mod woken;

pub(in crate::http) use handshake::is_begun;
pub(in crate::http) use seat::Seat;
pub use seat::Sockets;
use session::Session;
pub(in crate::http) use wire::GOODBYE;

/// The only subprotocol that is spoken here. The older `graphql-ws` is dead, and has no way to refuse a client.
const PROTOCOL: &str = "graphql-transport-ws";
/// What a socket reads at once, in bytes: tungstenite fills this much with zeroes for each read.
const READ_BUFFER: usize = 4096;
/// What a socket gathers before it writes, in bytes. Each message is flushed, so more would only lie idle.
const WRITE_BUFFER: usize = 16 * 1024;
/// The largest message that is sent, in bytes. Without a bound, one answer is as much memory as the client likes.
pub(in crate::http) const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How many sockets and streams of events, how much on each, and how patient they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketLimits {
    /// The most sockets and streams of one instance.
    pub sockets: usize,
    /// The most from one address (IPv6: /64) that have not signed in yet.
    pub of_one_address: usize,
    /// The most of one user or API key. The platform's own, and its services', are not counted.
    pub of_one_caller: usize,
    /// The most operations that run on one socket.
    pub operations: usize,
    /// Within which time a client must say `connection_init`.
    pub init: Duration,
    /// After which time a client is pinged again; on a stream, one to which nothing else was sent.
    pub ping: Duration,
    /// After which time without a word from the client a socket is given up; more than `ping`.
    pub silence: Duration,
    /// Within which time a client must take a message.
    pub send: Duration,
    /// How often all of these, and the caller's token, are looked at.
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

/// Opens a socket, or says why not.
pub async fn upgrade(door: Door, RequestId(id): RequestId, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = match handshake::accept(&mut parts, &id).await {
        Ok(upgrade) => upgrade,
        Err(refusal) => return refusal,
    };
    if !is_own_page(&parts.uri, &parts.headers) && !is_let_in(&door, &parts.headers) {
        let err = Error::Forbidden("a page of another origin may not open a socket here");
        return Problem::new(&err, &id).into_response();
    }
    let client = Client::of(&parts.extensions);
    let seat = match door.sockets.seat(client) {
        Ok(seat) => seat,
        Err(err) => return Problem::new(&err, &id).into_response(),
    };
    // async-graphql-axum's `GraphQLProtocol` is not used: it takes the older protocol for a match too, whichever
    // the client names first, reads one header line of several, and does not tell which it has found.
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MESSAGE_BYTES_MAX + 2 * WRITE_BUFFER)
        .max_message_size(BODY_BYTES_MAX)
        .max_frame_size(BODY_BYTES_MAX);
    // A client that offered another protocol only is told so on the socket, where it can read why.
    let speaks = upgrade.selected_protocol().is_some();
    if let Err(err) = caller::refuse_token_in(&parts.uri) {
        return Problem::new(&err, &id).into_response();
    }
    let bearer = caller::bearer(&parts.headers).map(|bearer| bearer.map(Arc::from));
    // Not within its request's, which would be kept for as long.
    let span = tracing::info_span!(parent: None, "socket", id = %id);
    // axum spawns the socket's task; shutdown waits for it all the same.
    let held = door.tasks.hold();
    let mut response = upgrade.on_upgrade(move |socket: WebSocket| {
        let work = async move {
            Session::new(&door, bearer, client, seat.clone()).serve(socket, speaks).await;
            drop((seat, held));
        };
        work.instrument(span)
    });
    // hyper keeps there how the client wrote each header's name, and writes those of the answer likewise: Python's `gql` finds
    // `Sec-WebSocket-Protocol` in the usual case only, and without it takes the older protocol to be spoken.
    response.extensions_mut().extend(parts.extensions);
    response
}

/// Whether the page that asks is under the public address, or of an origin that is named.
fn is_let_in(door: &Door, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN);
    origin.is_some_and(|origin| door.hosts.is_public_origin(origin) || door.origins.allow(origin))
}

/// Whether the page that asks, if it is one, was served from here (RFC 6455, section 10.2).
fn is_own_page(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    // The host that was found to be allowed: a target's own counts before the header's.
    let named = || headers.get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok();
    let host = uri.authority().cloned().or_else(named);
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let (Some(host), Some(origin)) = (host, origin) else {
        return false;
    };
    let usual = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return false,
    };
    origin.authority().is_some_and(|page| {
        page.host().eq_ignore_ascii_case(host.host())
            && page.port_u16().unwrap_or(usual) == host.port_u16().unwrap_or(usual)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
