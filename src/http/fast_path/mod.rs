//! The fast path for active configurations over REST. It applies to service tokens, if the credential and the response
//! are in memory, the response is small, and the request has no unusual headers. All other requests go through the router, which returns the
//! same responses.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header},
};
use metrics::Histogram;

use super::{
    AppState,
    caller::{self, REQUEST_ID, RequestId},
    negotiate::{
        compress,
        etag::{self, Condition},
    },
};
use crate::id::AgentId;

/// The parts of the path before and after the agent's id.
const PATH: (&str, &str) = ("/internal/agents/", "/active");
/// Headers that the fast path doesn't support.
const UNSUPPORTED_HEADERS: [HeaderName; 6] = [
    header::ACCEPT_ENCODING,
    header::CONTENT_ENCODING,
    header::IF_MATCH,
    header::ORIGIN,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The largest configuration that the fast path answers with, in bytes. The router reserves memory for larger ones.
pub(in crate::http) const BODY_BYTES_MAX: usize = 64 * 1024;

/// Answers a REST request for an active configuration. `None` if the fast path doesn't apply.
pub(in crate::http) fn answer_config<B>(state: &AppState, request: &Request<B>) -> Option<Response<Body>> {
    let (id, headers) = (agent(request.uri())?, request.headers());
    if request.method() != Method::GET
        || needs_router(headers)
        || has_body(headers)
        || !is_host_allowed(state, request)
    {
        return None;
    }
    let began = Instant::now();
    let rendered = state.hub.cached_config(caller::bearer(headers).ok()??, id)?;
    if rendered.body.len() > BODY_BYTES_MAX {
        return None;
    }
    let is_known = headers.contains_key(header::IF_NONE_MATCH)
        && etag::condition(headers, &rendered.etag) == Condition::NotModified;
    let mut response = if is_known { not_modified() } else { ok_response(rendered.body.clone()) };
    let fields = response.headers_mut();
    if !is_known {
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    fields.insert(header::ETAG, HeaderValue::from_str(&rendered.etag).ok()?);
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    fields.append(header::VARY, HeaderValue::from_static("Authorization"));
    if is_known || compress::is_large_enough(rendered.body.len()) {
        fields.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    finish(state, headers, response, began)
}

/// Parses the agent's id, if the URL is that of an active configuration, without a query.
fn agent(uri: &Uri) -> Option<AgentId> {
    let id = uri.path().strip_prefix(PATH.0)?.strip_suffix(PATH.1)?;
    if uri.query().is_some() { None } else { id.parse().ok() }
}

/// Whether the request needs the router. At the log level `debug` all requests do, because only the router logs them.
fn needs_router(headers: &HeaderMap) -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
        || UNSUPPORTED_HEADERS.iter().any(|name| headers.contains_key(name))
}

/// Whether the request's host is allowed. Otherwise the router rejects it.
fn is_host_allowed<B>(state: &AppState, request: &Request<B>) -> bool {
    state.hosts.check(request.version(), request.uri(), request.headers()).is_ok()
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}

fn ok_response(body: Bytes) -> Response<Body> {
    let length = body.len();
    let mut response = Response::new(body.into());
    response.headers_mut().reserve(8);
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response
}

fn not_modified() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

/// Adds the headers that all responses have, and records the metric.
fn finish(
    state: &AppState,
    asked: &HeaderMap,
    mut response: Response<Body>,
    began: Instant,
) -> Option<Response<Body>> {
    let RequestId(name) = RequestId::of(asked, || state.registry.clock().id());
    let fields = response.headers_mut();
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(REQUEST_ID, HeaderValue::from_maybe_shared(Bytes::from(name)).ok()?);
    observe(began.elapsed(), response.status() == StatusCode::NOT_MODIFIED);
    Some(response)
}

/// Records the router's metric, with cached handles to its two series.
fn observe(elapsed: Duration, is_known: bool) {
    static SENT: OnceLock<Histogram> = OnceLock::new();
    static KNOWN: OnceLock<Histogram> = OnceLock::new();
    let (place, status) = if is_known { (&KNOWN, "304") } else { (&SENT, "200") };
    place
        .get_or_init(|| metrics::histogram!("registry_request_seconds", "status" => status))
        .record(elapsed.as_secs_f64());
}
