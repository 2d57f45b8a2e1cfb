//! The short way to an active configuration: for a service of the platform that is known, when all is in memory, and the
//! request is as plain as a gateway's. Whatever is not so goes through the router; what both answer is the same.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header},
};
use metrics::Histogram;

use super::{
    Door,
    caller::{self, REQUEST_ID, RequestId},
    compress, etag,
};
use crate::id::AgentId;

/// What comes before the agent's id in a path, and after it.
const PATH: (&str, &str) = ("/internal/agents/", "/active");
/// A request with one of these asks for more than the short way knows.
const UNUSUAL: [HeaderName; 4] =
    [header::ACCEPT_ENCODING, header::ORIGIN, header::TRANSFER_ENCODING, header::UPGRADE];

/// The answer, when this request may go the short way.
pub(super) fn answer<B>(door: &Door, request: &Request<B>) -> Option<Response<Body>> {
    // Who wants to read of each request is told by the ordinary way.
    if request.method() != Method::GET || tracing::enabled!(tracing::Level::DEBUG) {
        return None;
    }
    let (id, headers) = (agent(request.uri())?, request.headers());
    if UNUSUAL.iter().any(|name| headers.contains_key(name)) || has_body(headers) {
        return None;
    }
    let began = Instant::now();
    let hot = door.hub.at_hand(caller::bearer(headers).ok()??, id)?;
    let RequestId(name) = RequestId::of(headers, || door.registry.clock().id());
    let is_known = headers.contains_key(header::IF_NONE_MATCH) && etag::is_known(headers, &hot.etag);
    let body = if is_known { Body::empty() } else { Body::from(hot.body.clone()) };
    let mut response = Response::new(body);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let fields = response.headers_mut();
    fields.reserve(8);
    if !is_known {
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        fields.insert(header::CONTENT_LENGTH, hot.body.len().into());
    }
    fields.insert(header::ETAG, HeaderValue::from_str(&hot.etag).ok()?);
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    fields.append(header::VARY, HeaderValue::from_static("Authorization"));
    if is_known || compress::pays(hot.body.len()) {
        fields.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(REQUEST_ID, HeaderValue::from_str(&name).ok()?);
    observe(began.elapsed(), is_known);
    Some(response)
}

/// The agent that the address names, when it asks for its active configuration and for nothing else.
fn agent(uri: &Uri) -> Option<AgentId> {
    let id = uri.path().strip_prefix(PATH.0)?.strip_suffix(PATH.1)?;
    if uri.query().is_some() { None } else { id.parse().ok() }
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}

/// Counts it as the ordinary way does, without looking up each time where.
fn observe(elapsed: Duration, is_known: bool) {
    static SENT: OnceLock<Histogram> = OnceLock::new();
    static KNOWN: OnceLock<Histogram> = OnceLock::new();
    let (place, status) = if is_known { (&KNOWN, "304") } else { (&SENT, "200") };
    place
        .get_or_init(|| metrics::histogram!("registry_request_seconds", "status" => status))
        .record(elapsed.as_secs_f64());
}
