//! GraphQL over HTTP (the GraphQL over HTTP specification, stage 2): reads requests, chooses the media type and the
//! status of responses. Checking and running documents is `graphql`'s.

use std::sync::Arc;

use async_graphql_axum::GraphQLResponse;
use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{query, sse};
use crate::{
    domain::{Caller, Error, change::Channel},
    graphql::{Answer, GraphQlResponse, Operation, OperationCost},
    http::{
        AppState,
        caller::{self, NO_CREDENTIAL, RequestId, RevocationCount, authenticate_by, recheck_credential},
        cookie,
        meter::Meter,
        negotiate::{
            compress::{Payer, Uncompressed},
            content_type,
        },
        problem::{retry_after, set_retry_after, status},
        server::{body, reserved::reserved_bytes},
    },
    share::Reservation,
};

/// The media type of the response, which also decides the statuses that errors have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Media {
    /// `application/graphql-response+json`: a request error has the status 400.
    GraphqlResponse,
    /// `application/json`: every well-formed request has the status 200, as clients older than the specification
    /// expect.
    Json,
    /// `text/event-stream`: see [`sse`].
    EventStream,
}

impl Media {
    fn name(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            // An error from before the event stream began is JSON.
            Self::Json | Self::EventStream => "application/json; charset=utf-8",
        }
    }
}

const EVENT_STREAM: &str = "text/event-stream";

/// The media types that `Accept` may choose from, in our order of preference: the first is the default.
const OFFERS: &[(&str, Media)] = &[
    ("application/json", Media::Json),
    ("application/graphql-response+json", Media::GraphqlResponse),
    (EVENT_STREAM, Media::EventStream),
];

/// Handles `/graphql` for any method. Websocket handshakes are routed before this.
pub async fn handle(State(state): State<AppState>, RequestId(id): RequestId, request: Request) -> Response {
    let Some(media) = content_type::best(request.headers(), OFFERS) else {
        let answer = GraphQlResponse::refusal(
            "Accept must allow application/graphql-response+json, application/json or text/event-stream",
            "BAD_USER_INPUT",
            &id,
        );
        return respond(StatusCode::NOT_ACCEPTABLE, Media::Json, &answer, None);
    };
    let answered = run(&state, &id, request, media).await;
    answered.unwrap_or_else(|refused| refused.respond(media))
}

/// An error response: its status, body and headers.
struct ErrorResponse {
    status: StatusCode,
    answer: GraphQlResponse,
    allow: Option<&'static str>,
    retry_after: Option<u64>,
}

impl ErrorResponse {
    fn new(status: StatusCode, message: &str, id: &str) -> Box<Self> {
        let answer = GraphQlResponse::refusal(message, "BAD_USER_INPUT", id);
        Box::new(Self { status, answer, allow: None, retry_after: None })
    }

    /// An operation that was not executed, or whose execution was abandoned.
    fn request_error(answer: GraphQlResponse, media: Media) -> Self {
        let (status, retry_after) = match media {
            _ if answer.is_aborted() => (StatusCode::SERVICE_UNAVAILABLE, Some(1)),
            _ if answer.is_rate_limited() => (StatusCode::TOO_MANY_REQUESTS, Some(1)),
            Media::Json => (StatusCode::OK, None),
            Media::GraphqlResponse | Media::EventStream => (StatusCode::BAD_REQUEST, None),
        };
        Self { status, answer, allow: None, retry_after }
    }

    /// A domain error.
    fn error(err: &Error, id: &str) -> Box<Self> {
        let answer = GraphQlResponse::of_error(err, id);
        Box::new(Self { status: status(err), answer, allow: None, retry_after: retry_after(err) })
    }

    /// A domain error before an operation runs. With the operation's cost and the caller's points left, if the caller
    /// has too few.
    fn rate_limited(err: &Error, (cost, left): (OperationCost, Option<u64>), id: &str) -> Box<Self> {
        let mut refused = Self::error(err, id);
        if matches!(err, Error::RateLimited { .. }) {
            refused.answer = refused.answer.with_cost(cost, left);
        }
        refused
    }

    /// A mutation sent with GET: 405.
    fn write_by_get(id: &str) -> Box<Self> {
        let refused =
            Self::new(StatusCode::METHOD_NOT_ALLOWED, "GET runs queries only; use POST for mutations", id);
        Box::new(Self { allow: Some("POST"), ..*refused })
    }

    fn respond(self, media: Media) -> Response {
        let Self { status, answer, allow, retry_after } = self;
        let mut response = respond(status, media, &answer, retry_after);
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}

/// A request whose caller is authenticated and whose body is read.
struct ParsedRequest {
    caller: Arc<Caller>,
    /// The bearer token or the session that the caller was authenticated by.
    credential: Arc<str>,
    /// The count of rights changes just before the caller was looked up.
    since: RevocationCount,
    operation: Operation,
    /// Whether the method allows mutations.
    may_write: bool,
    /// The request without its body.
    head: Parts,
    /// The memory of the body.
    memory: Option<Reservation>,
}

/// Authenticates the caller and reads the operation. The caller's rights are checked again after the body has arrived.
async fn read(state: &AppState, id: &str, request: Request) -> Result<ParsedRequest, Box<ErrorResponse>> {
    let (parts, body) = request.into_parts();
    let may_write = match parts.method {
        Method::POST => true,
        // HEAD is handled as GET, and hyper leaves out the body (RFC 9110, section 9.3.2).
        Method::GET | Method::HEAD => false,
        _ => {
            let refused =
                ErrorResponse::new(StatusCode::METHOD_NOT_ALLOWED, "use POST, or GET for queries", id);
            return Err(Box::new(ErrorResponse { allow: Some("GET, HEAD, POST"), ..*refused }));
        }
    };
    let since = RevocationCount(state.hub.revocation_log().count());
    let credential = credential(state, &parts).map_err(|err| ErrorResponse::error(&err, id))?;
    let caller = authenticate_by(state, &credential, &parts.extensions, (Channel::Graphql, id)).await;
    let caller =
        caller.map_err(|err| ErrorResponse::rate_limited(&err, (OperationCost::REQUEST, Some(0)), id))?;
    let (operation, memory) = match may_write {
        true => {
            let (operation, memory) = from_body(&parts.headers, body, state, &caller, id).await?;
            (operation, Some(memory))
        }
        false => (from_query(parts.uri.query().unwrap_or_default(), id)?, None),
    };
    let rechecked = recheck_credential(state, since, &caller, &credential).await;
    rechecked.map_err(|err| ErrorResponse::error(&err, id))?;
    Ok(ParsedRequest { caller, credential, since, operation, may_write, head: parts, memory })
}

/// The bearer token of a request, or else the cookie of the console's session.
fn credential(state: &AppState, parts: &Parts) -> Result<Arc<str>, Error> {
    caller::reject_token_in_url(&parts.uri)?;
    match caller::bearer(&parts.headers)? {
        Some(bearer) => Ok(bearer.into()),
        None => cookie::of_graphql(state, parts)?.ok_or(NO_CREDENTIAL),
    }
}

/// Runs the operation. The representation of the result depends on its kind: a subscription needs an event stream.
async fn run(
    state: &AppState,
    id: &str,
    request: Request,
    media: Media,
) -> Result<Response, Box<ErrorResponse>> {
    let ParsedRequest { caller, credential, since, operation, may_write, head, memory } =
        read(state, id, request).await?;
    let bytes = operation.document_bytes();
    let meter = Some(Meter::new(state.limiter.clone(), Arc::clone(&caller), Arc::clone(&credential)));
    let points_left = || meter.as_ref().and_then(Meter::points_left);
    let refuse = |answer: GraphQlResponse| {
        if let Some(meter) = &meter {
            meter.charge_refusal(&answer, bytes);
        }
        let answer = answer.with_points_left(points_left());
        match media {
            // Once the operation is known, an event stream reports errors as events (graphql-sse, PROTOCOL.md).
            Media::EventStream => Ok(sse::single_rejection(&answer)),
            Media::GraphqlResponse | Media::Json => {
                Err(Box::new(ErrorResponse::request_error(answer, media)))
            }
        }
    };
    let large = memory.as_ref().map_or(0, Reservation::bytes) > body::BODY_MEMORY * body::LARGE_BYTES;
    let accepted = match state.api.accept_in_turn(operation, &caller, large).await {
        Ok(accepted) => accepted,
        Err(refusal) => return refuse(refusal),
    };
    if accepted.is_subscription() {
        if !content_type::accepts(&head.headers, EVENT_STREAM) {
            return Err(ErrorResponse::new(
                StatusCode::BAD_REQUEST,
                "subscriptions need a websocket (graphql-transport-ws) on this URL, or Accept: text/event-stream",
                id,
            ));
        }
        return sse::subscribe(state, &head, (caller, credential), since, (accepted, memory))
            .map_err(|err| ErrorResponse::error(&err, id));
    }
    if !may_write && !accepted.is_query() {
        return Err(ErrorResponse::write_by_get(id));
    }
    let is_mutation = !accepted.is_query();
    let cost = accepted.cost();
    if let Some(meter) = &meter {
        let charged = meter.charge_cost(cost);
        charged.map_err(|err| ErrorResponse::rate_limited(&err, (cost, points_left()), id))?;
    }
    let work = meter.as_ref().map(Meter::charge_work);
    // A query that runs short waits for most of its caller's share, so it must hold nothing of it.
    let memory = if is_mutation { memory } else { None };
    let answer = state.api.execute(Arc::clone(&caller), accepted).await;
    drop(memory);
    if answer.response.is_request_error() {
        return refuse(answer.response);
    }
    let answer = answer.with_cost(cost, points_left());
    let response = match media {
        Media::EventStream => sse::single_answer(state, &caller, answer).await,
        Media::GraphqlResponse | Media::Json => respond_executed(state, &caller, media, answer).await,
    };
    let mut response = response.map_err(|err| ErrorResponse::error(&err, id))?;
    drop(work);
    let bytes = response.body().size_hint().exact();
    response.extensions_mut().insert(Payer::charged(&caller, meter, bytes));
    // Only the mutation that creates a secret returns it.
    if is_mutation {
        response.extensions_mut().insert(Uncompressed);
    }
    Ok(response)
}

async fn from_body(
    headers: &HeaderMap,
    body: Body,
    state: &AppState,
    caller: &Caller,
    id: &str,
) -> Result<(Operation, Reservation), Box<ErrorResponse>> {
    let (json, memory) = body::json(headers, body, state, caller).await.map_err(|refused| match refused {
        body::BodyRejection::Busy(err) => ErrorResponse::error(&err, id),
        refused => ErrorResponse::new(refused.status(), &refused.to_string(), id),
    })?;
    let operation = Operation::try_from(json).map_err(|why| {
        let message = format!(
            "the body is not a GraphQL request: {why}; send the string `query`, or `documentId` or a persisted query instead, \
             and objects for `variables` and `extensions`"
        );
        ErrorResponse::new(StatusCode::BAD_REQUEST, &message, id)
    })?;
    Ok((operation, memory))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

fn from_query(text: &str, id: &str) -> Result<Operation, Box<ErrorResponse>> {
    let bad = |message: &str| ErrorResponse::new(StatusCode::BAD_REQUEST, message, id);
    if !query::is_text(text) {
        return Err(bad(query::NOT_TEXT));
    }
    let uri: axum::http::Uri = format!("/?{text}").parse().map_err(|_| bad("the URL is malformed"))?;
    let axum::extract::Query(parameters) = axum::extract::Query::<Parameters>::try_from_uri(&uri)
        .map_err(|_| bad("give each parameter at most once"))?;
    let Parameters { query, document_id, operation_name, variables, extensions } = parameters;
    let object = |text: Option<String>, name: &str| match text.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => json_reader::read_as(text.as_bytes(), &body::LIMITS)
            .map(Some)
            .map_err(|err| bad(&format!("the parameter `{name}` is not a JSON object: {err}"))),
    };
    let (variables, extensions) = (object(variables, "variables")?, object(extensions, "extensions")?);
    // HTML forms send empty fields too.
    let given = |text: &String| !text.is_empty();
    let (query, document_id) = (query.filter(given), document_id.filter(given));
    let operation = Operation { query, document_id, operation_name, variables, extensions };
    operation.checked().map_err(|err| bad(&format!("the parameters are not a GraphQL request: {err}")))
}

/// The response to an operation that was executed. Its bytes keep their memory until they are written.
async fn respond_executed(
    state: &AppState,
    caller: &Caller,
    media: Media,
    answer: Answer,
) -> Result<Response, Error> {
    if answer.is_large() {
        let (text, memory) = state.api.write_answer(caller, answer, String::new(), "").await?;
        return Ok(with_headers(reserved_bytes(text, memory).into_response(), media));
    }
    let (response, mut memory) = answer.into_parts();
    // async-graphql-axum serialises small results. Its type always has `data`, which a refusal must not have.
    let body = match response.into_executed() {
        Ok(executed) => GraphQLResponse::from(executed).into_response().into_body(),
        Err(refusal) => serde_json::to_vec(&refusal).unwrap_or_default().into(),
    };
    // It is in memory already.
    let text = to_bytes(body, usize::MAX).await.unwrap_or_default();
    if let Some(memory) = &mut memory {
        memory.shrink_to(text.len());
    }
    Ok(with_headers(reserved_bytes(text, memory).into_response(), media))
}

/// The response to an operation that was rejected.
fn respond(
    status: StatusCode,
    media: Media,
    refusal: &GraphQlResponse,
    retry_after: Option<u64>,
) -> Response {
    let text = serde_json::to_vec(refusal).unwrap_or_default();
    let mut response = with_headers(text.into_response(), media);
    *response.status_mut() = status;
    set_retry_after(&mut response, retry_after);
    response
}

fn with_headers(mut response: Response, media: Media) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.name()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("Accept, Authorization"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_error_has_the_status_of_its_type_and_what_was_given_up_is_worth_another_try() {
        for (code, media, status, retry_after) in [
            ("BAD_USER_INPUT", Media::Json, 200, None),
            ("BAD_USER_INPUT", Media::GraphqlResponse, 400, None),
            ("UNAVAILABLE", Media::Json, 503, Some("1")),
            ("UNAVAILABLE", Media::GraphqlResponse, 503, Some("1")),
        ] {
            let refused = ErrorResponse::request_error(GraphQlResponse::refusal("no", code, "id"), media);
            let response = respond(refused.status, media, &refused.answer, refused.retry_after);
            let told = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
            assert_eq!((response.status().as_u16(), told), (status, retry_after), "{code} {media:?}");
        }
    }
}
