//! The opening handshake (RFC 6455, section 4.2): axum's checks, those that axum lacks, and the problems of a rejected
//! handshake.

use axum::{
    extract::{
        FromRequestParts,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection as Rejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::PROTOCOL;
use crate::http::{
    negotiate::header_list::members,
    problem::{Problem, ProblemKind},
};

/// The only version of the websocket protocol (RFC 6455, section 4.1).
const VERSION: HeaderValue = HeaderValue::from_static("13");
const NEEDS_HTTP_11: &str = "a websocket handshake needs HTTP/1.1";
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

/// Whether a request is meant as a handshake: it has `Upgrade: websocket`, or a `Sec-WebSocket-…` header, since a proxy
/// without websocket support drops `Upgrade` only. Browsers don't let pages set `Sec-WebSocket-…`.
pub(in crate::http) fn is_handshake(headers: &HeaderMap) -> bool {
    offers_websocket(headers)
        || [header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_VERSION]
            .iter()
            .any(|name| headers.contains_key(name))
}

/// Whether `Upgrade` lists `websocket`.
fn offers_websocket(headers: &HeaderMap) -> bool {
    members(headers, header::UPGRADE).any(|offer| offer.eq_ignore_ascii_case("websocket"))
}

/// An accepted handshake.
pub(super) struct Accepted {
    /// Resolves to the connection once the response is sent.
    pub(super) upgrade: OnUpgrade,
    /// The client's `Sec-WebSocket-Key`.
    pub(super) key: HeaderValue,
    /// Whether the client offers the service's subprotocol. A client that doesn't only gets a close code, because
    /// browsers hide HTTP errors of handshakes.
    pub(super) speaks: bool,
}

/// Checks a handshake.
///
/// # Errors
/// The response that rejects it.
pub(super) async fn accept(parts: &mut Parts, request_id: &str) -> Result<Accepted, Response> {
    let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).cloned();
    // axum takes it out. Its own socket sends each message as one frame, whatever its length.
    let connection = parts.extensions.get::<OnUpgrade>().cloned();
    if offers_websocket(&parts.headers) {
        // axum compares the whole header, which may list other protocols too.
        parts.headers.insert(header::UPGRADE, WEBSOCKET);
    }
    let upgrade = WebSocketUpgrade::from_request_parts(parts, &()).await;
    let upgrade = upgrade.map_err(|rejection| refusal(&rejection, request_id))?;
    let speaks = upgrade.protocols([PROTOCOL]).selected_protocol().is_some();
    match (key.filter(|key| is_key(key.as_bytes())), connection) {
        (Some(key), Some(upgrade)) => Ok(Accepted { upgrade, key, speaks }),
        (Some(_), None) => Err(upgrade_required(NEEDS_HTTP_11, request_id)),
        (None, _) => Err(bad_key(request_id)),
    }
}

/// The response that completes the handshake (RFC 6455, section 4.2.2).
pub(super) fn response(key: &HeaderValue, speaks: bool) -> Response {
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, WEBSOCKET);
    if let Ok(accept) = derive_accept_key(key.as_bytes()).try_into() {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if speaks {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    }
    response
}

/// Whether a key is the base64 of 16 bytes.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    key.strip_suffix(b"==").is_some_and(|digits| digits.len() == 22 && digits.iter().all(is_digit))
}

fn bad_key(request_id: &str) -> Response {
    let detail = "Sec-WebSocket-Key must be the base64 of 16 bytes";
    Problem::request(ProblemKind::BadHandshake, detail, request_id).into_response()
}

/// Converts axum's rejection of a handshake to a problem.
fn refusal(rejection: &Rejection, request_id: &str) -> Response {
    let problem = |kind, detail: &str| Problem::request(kind, detail, request_id).into_response();
    match rejection {
        Rejection::MethodNotGet(_) | Rejection::MethodNotConnect(_) => {
            let detail = "a websocket handshake needs the method GET";
            let mut response = problem(ProblemKind::MethodNotAllowed, detail);
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET"));
            response
        }
        Rejection::InvalidWebSocketVersionHeader(_) => {
            let detail = "Sec-WebSocket-Version must be 13, the only version of the websocket protocol";
            let mut response = upgrade_required(detail, request_id);
            // RFC 6455, sections 4.2.2 and 4.4.
            response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, VERSION);
            response
        }
        Rejection::WebSocketKeyHeaderMissing(_) => bad_key(request_id),
        Rejection::InvalidConnectionHeader(_) | Rejection::InvalidUpgradeHeader(_) => upgrade_required(
            "a websocket handshake needs `Connection: Upgrade` and `Upgrade: websocket`; a proxy on the way may have dropped them",
            request_id,
        ),
        Rejection::ConnectionNotUpgradable(_) => upgrade_required(NEEDS_HTTP_11, request_id),
        _ => problem(ProblemKind::BadHandshake, "the websocket handshake is malformed"),
    }
}

/// A 426 response. Its `Upgrade` names the required protocol (RFC 9110, section 15.5.22).
fn upgrade_required(detail: &str, request_id: &str) -> Response {
    let mut response = Problem::request(ProblemKind::UpgradeRequired, detail, request_id).into_response();
    response.headers_mut().insert(header::UPGRADE, WEBSOCKET);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_base64_of_16_bytes() {
        assert!(is_key(b"dGhlIHNhbXBsZSBub25jZQ=="));
        for key in [
            "",
            "dGhlIHNhbXBsZSBub25jZQ",
            "dGhlIHNhbXBsZSBub25jZQ= =",
            "dGhlIHNhbXBsZSBub25jZSE=",
            "x==",
            "dGhl HNhbXBsZSBub25jZQ==",
        ] {
            assert!(!is_key(key.as_bytes()), "{key}");
        }
    }
}
