//! The short way to an active configuration, over REST or GraphQL: for a service of the platform that is known, when all
//! is in memory, and the request is as plain as a gateway's. Whatever is not so goes through the router; what both answer
//! is the same.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header,
        request::Parts,
    },
};
use futures_util::stream;
use metrics::Histogram;

use super::{
    Door,
    caller::{self, REQUEST_ID, RequestId},
    negotiate::{
        compress,
        etag::{self, Condition},
    },
    routes::graphql::{self, Media},
    server::body::is_json_in_utf8,
};
use crate::{feed::Hot, graphql::READY_BYTES_MAX, id::AgentId};

/// What comes before the agent's id in a path, and after it.
const PATH: (&str, &str) = ("/internal/agents/", "/active");
/// Where GraphQL is answered.
const GRAPHQL: &str = "/graphql";
/// A request with one of these asks for more than the short way knows.
const UNUSUAL: [HeaderName; 6] = [
    header::ACCEPT_ENCODING,
    header::CONTENT_ENCODING,
    header::IF_MATCH,
    header::ORIGIN,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The answer, when this request may go the short way.
pub(in crate::http) fn answer<B>(door: &Door, request: &Request<B>) -> Option<Response<Body>> {
    let (id, headers) = (agent(request.uri())?, request.headers());
    if request.method() != Method::GET || is_unusual(headers) || has_body(headers) || !is_for(door, request) {
        return None;
    }
    let began = Instant::now();
    let hot = door.hub.at_hand(caller::bearer(headers).ok()??, id)?;
    let is_known = headers.contains_key(header::IF_NONE_MATCH)
        && etag::condition(headers, &hot.etag) == Condition::Known;
    let mut response = if is_known { known() } else { sent(hot.body.clone()) };
    let fields = response.headers_mut();
    if !is_known {
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    fields.insert(header::ETAG, HeaderValue::from_str(&hot.etag).ok()?);
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    fields.append(header::VARY, HeaderValue::from_static("Authorization"));
    if is_known || compress::pays(hot.body.len()) {
        fields.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    finish(door, headers, response, began)
}

/// The answer, when this is a query that may go the short way, and it is ready; else the same request.
///
/// # Errors
/// The request.
pub(in crate::http) async fn ask(
    door: &Door,
    request: Request<Body>,
) -> Result<Response<Body>, Request<Body>> {
    let Some(media) = is_query(door, &request) else { return Err(request) };
    let began = Instant::now();
    let (head, body) = request.into_parts();
    let body = match to_bytes(body, READY_BYTES_MAX).await {
        Ok(body) => match ready(door, &head, &body, media, began) {
            Some(response) => return Ok(response),
            None => body.into(),
        },
        // The ordinary way tells of it.
        Err(err) => Body::from_stream(stream::iter([Err::<Bytes, _>(err)])),
    };
    Err(Request::from_parts(head, body))
}

/// Of which type the answer is to be, if this is a short query of a service that is known. Before its body is read.
fn is_query(door: &Door, request: &Request<Body>) -> Option<Media> {
    let (uri, headers) = (request.uri(), request.headers());
    if request.method() != Method::POST || uri.path() != GRAPHQL || uri.query().is_some() {
        return None;
    }
    let length: usize = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()?;
    if length > READY_BYTES_MAX || is_unusual(headers) || !is_json_in_utf8(headers) || !is_for(door, request)
    {
        return None;
    }
    let media = graphql::media(headers).filter(|media| *media != Media::EventStream)?;
    door.hub.knows_service(caller::bearer(headers).ok()??).then_some(media)
}

fn ready(door: &Door, head: &Parts, asked: &[u8], media: Media, began: Instant) -> Option<Response<Body>> {
    let bearer = caller::bearer(&head.headers).ok()??;
    let at_hand = |id: AgentId| -> Option<Arc<Hot>> { door.hub.at_hand(bearer, id) };
    let body = door.api.ready(asked, at_hand)?;
    let is_worth_compressing = compress::pays(body.len());
    let mut response = sent(body);
    let fields = response.headers_mut();
    graphql::describe(fields, media);
    if is_worth_compressing {
        fields.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    finish(door, &head.headers, response, began)
}

/// The agent that the address names, when it asks for its active configuration and for nothing else.
fn agent(uri: &Uri) -> Option<AgentId> {
    let id = uri.path().strip_prefix(PATH.0)?.strip_suffix(PATH.1)?;
    if uri.query().is_some() { None } else { id.parse().ok() }
}

/// Whether this asks for more than the short way knows. Who wants to read of each request is told by the ordinary one.
fn is_unusual(headers: &HeaderMap) -> bool {
    tracing::enabled!(tracing::Level::DEBUG) || UNUSUAL.iter().any(|name| headers.contains_key(name))
}

/// Whether the request is meant for this service. Otherwise the router refuses it.
fn is_for<B>(door: &Door, request: &Request<B>) -> bool {
    door.hosts.check(request.version(), request.uri(), request.headers()).is_ok()
}

fn has_body(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0")
}

fn sent(body: Bytes) -> Response<Body> {
    let length = body.len();
    let mut response = Response::new(body.into());
    response.headers_mut().reserve(8);
    response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    response
}

fn known() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

/// Names the answer, and counts it.
fn finish(
    door: &Door,
    asked: &HeaderMap,
    mut response: Response<Body>,
    began: Instant,
) -> Option<Response<Body>> {
    let RequestId(name) = RequestId::of(asked, || door.registry.clock().id());
    let fields = response.headers_mut();
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(REQUEST_ID, HeaderValue::from_maybe_shared(Bytes::from(name)).ok()?);
    observe(began.elapsed(), response.status() == StatusCode::NOT_MODIFIED);
    Some(response)
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
