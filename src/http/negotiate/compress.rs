//! Compresses responses with gzip or brotli. Excludes small bodies, event streams, which compression would delay, and
//! responses with a secret next to text that someone else chose, since their compressed length leaks the secret
//! (BREACH). Small bodies are compressed at once, large ones by [`super::large_body`].

use axum::{
    Router,
    body::{Body, HttpBody, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
};
use futures_util::stream;

use super::{coding::Coding, etag, large_body};
use crate::{
    domain::Caller,
    http::{AppState, caller::ClientAddress, meter::Meter},
    share::{ShareHolder, network},
};

/// The minimum size of a body for compression, in bytes. A smaller one fits into one packet anyway.
const BYTES_MIN: u64 = 1024;
/// The size of a body from which it is compressed on the threads for computations, in bytes. Compressing a smaller one
/// takes less than two milliseconds.
const LARGE_BYTES: usize = 64 * 1024;

/// Whether a body of this many bytes is large enough to be compressed.
pub(in crate::http) fn is_large_enough(bytes: usize) -> bool {
    u64::try_from(bytes).is_ok_and(|bytes| bytes >= BYTES_MIN)
}

/// A response extension that prevents compression.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Uncompressed;

/// A response extension: the holder on whose account the response is compressed. Without it, the client's address.
#[derive(Clone, Debug)]
pub(in crate::http) struct Payer {
    pub(super) holder: ShareHolder,
    /// Charges the processor time of compression.
    pub(super) meter: Option<Meter>,
}

impl Payer {
    /// The payer of a caller's response. Charges its length, if that is known.
    pub(in crate::http) fn charged(caller: &Caller, meter: Option<Meter>, bytes: Option<u64>) -> Self {
        if let (Some(meter), Some(bytes)) = (&meter, bytes) {
            meter.charge_bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
        Self { holder: caller.share_holder(), meter }
    }
}

/// Whether this response may be compressed, for clients that accept a coding.
fn is_compressible(response: &Response) -> bool {
    let headers = response.headers();
    let said = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let told = said(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    // A body of unknown length is a stream, which isn't compressed. A response to HEAD has no body, but the
    // length of one in its header.
    let bytes = told.or(response.body().size_hint().exact()).unwrap_or(0);
    let is_stream = said(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/event-stream"));
    bytes >= BYTES_MIN
        && !is_stream
        && !headers.contains_key(header::CONTENT_ENCODING)
        && response.extensions().get::<Uncompressed>().is_none()
}

/// Adds compression to these routes, for clients whose `Accept-Encoding` allows it.
pub(in crate::http) fn compress_responses(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    routes.layer(middleware::from_fn_with_state(state.clone(), negotiate))
}

/// Compresses the response if it is compressible, and weakens the entity tag of a compressed response.
async fn negotiate(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let coding = Coding::preferred(request.headers());
    let has_weak = etag::has_weak_tag(request.headers());
    let (is_head, address) = (request.method() == Method::HEAD, ClientAddress::of(request.extensions()));
    let mut response = next.run(request).await;
    if is_compressible(&response) {
        add_vary(response.headers_mut());
        if let Some(coding) = coding {
            let payer = response.extensions().get().cloned().unwrap_or_else(|| {
                let ClientAddress(address) = address;
                Payer { holder: ShareHolder::Address(network(address)), meter: None }
            });
            response = encode(&state, payer, coding, response, is_head).await;
        }
    }
    let is_weak = match response.status() {
        // A weak tag in the request says that the client's copy was compressed. A full response would be again.
        StatusCode::NOT_MODIFIED => coding.is_some() && has_weak,
        _ => response.headers().contains_key(header::CONTENT_ENCODING),
    };
    if is_weak && let Some(tag) = response.headers().get(header::ETAG).and_then(weakened) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    response
}

/// Adds `accept-encoding` to `Vary`.
pub(in crate::http) fn add_vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
}

/// Compresses a response. Its length isn't announced, since a HEAD request can't know it. A response whose payer has
/// too much work waiting stays as it is.
async fn encode(
    state: &AppState,
    payer: Payer,
    coding: Coding,
    response: Response,
    is_head: bool,
) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = if is_head {
        without_length(Vec::new())
    } else {
        // The body is whole and in memory, so this neither waits nor fails.
        let plain = to_bytes(body, usize::MAX).await.unwrap_or_default();
        if plain.len() < LARGE_BYTES {
            without_length(coding.compress(&plain))
        } else {
            match large_body::compress(&state.tasks, payer, coding, plain.clone()).await {
                Ok(body) => body,
                Err(err) => {
                    tracing::debug!(error = %err, "sending a response uncompressed");
                    return Response::from_parts(parts, plain.into());
                }
            }
        }
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    Response::from_parts(parts, body)
}

/// A body whose length hyper doesn't announce.
fn without_length(bytes: Vec<u8>) -> Body {
    Body::from_stream(stream::iter([Ok::<_, std::convert::Infallible>(bytes)]))
}

/// Turns a strong entity tag into a weak one: same content, other bytes (RFC 9110, section 8.8.1).
fn weakened(tag: &HeaderValue) -> Option<HeaderValue> {
    let tag = tag.to_str().ok().filter(|tag| !tag.starts_with("W/"))?;
    HeaderValue::from_str(&format!("W/{tag}")).ok()
}
