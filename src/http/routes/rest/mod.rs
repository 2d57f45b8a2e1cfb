//! REST: the endpoints that the runtime and simple clients need. They call the same operations of the domain as
//! GraphQL.
//!
//! Each path, known or not, first requires a valid credential. Each error is `application/problem+json`.

use std::{
    error::Error as StdError,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{HttpBody, to_bytes},
    extract::{FromRequest, FromRequestParts, Path, Query, Request, State, rejection::QueryRejection},
    http::{Extensions, HeaderName, HeaderValue, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::any,
};
use json_reader::Json;
use serde::{Deserialize, de::DeserializeOwned};

use super::query;
use crate::{
    domain::{
        Caller, Error, IdempotencyKey, Principal,
        change::Channel,
        text::{field, with_snake_case_keys},
    },
    http::{
        AppState,
        caller::{
            self, AuthenticatedCaller, INSUFFICIENT_SCOPE, RequestCredential, RequestId, RevocationCount,
            authenticate_by, meter, recheck_credential,
        },
        fast_path,
        negotiate::compress::Payer,
        problem::{self, Problem, ProblemKind},
        server::{body, reserved::reserved_bytes},
    },
    id::{AgentId, CustomerId},
    share::{BudgetFull, MemoryShare, Reservation},
    task::lock,
};

pub mod agent;
pub mod audit;
pub mod audit_csv;
pub mod config;
mod csv;
pub mod export;
pub mod import;
mod pieces;
pub mod pinned;
pub mod plan;
mod session;
mod stream_permit;
pub mod version;

pub use config::render;
pub use session::with_session;
pub use stream_permit::StreamPermits;

/// The header with which a POST is safe to repeat (draft-ietf-httpapi-idempotency-key-header).
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The endpoints and the fallbacks below `/v1` and `/internal`, all behind `require_auth`.
pub fn with_auth(endpoints: Router<AppState>, state: &AppState) -> Router<AppState> {
    let mut routes = endpoints;
    for folder in ["/v1", "/internal"] {
        for path in [folder.to_owned(), format!("{folder}/"), format!("{folder}/{{*path}}")] {
            routes = routes.route(&path, any(problem::no_path));
        }
    }
    routes
        .method_not_allowed_fallback(problem::other_method)
        .layer(middleware::from_fn_with_state(state.clone(), require_auth))
}

/// Authenticates the caller by its bearer token, or returns the error as a problem.
async fn require_auth(
    State(state): State<AppState>,
    RequestId(id): RequestId,
    request: Request,
    next: Next,
) -> Response {
    let since = RevocationCount(state.hub.revocation_log().count());
    let found = match caller::credential(request.uri(), request.headers()) {
        Ok(credential) => {
            let credential = RequestCredential(credential.into());
            authenticate(&state, credential, request.extensions(), &id).await
        }
        Err(err) => Err(err),
    };
    respond((&state, &id), (found, since), "Authorization", (request, next)).await
}

/// The caller of a request, and the credential that it was authenticated by.
type Authenticated = (Arc<Caller>, RequestCredential);

async fn authenticate(
    state: &AppState,
    credential: RequestCredential,
    extensions: &Extensions,
    request_id: &str,
) -> Result<Authenticated, Error> {
    let channel = (Channel::Rest, request_id);
    let caller = authenticate_by(state, &credential.0, extensions, channel).await?;
    Ok((caller, credential))
}

/// Handles the request of this caller, or returns the error as a problem. Marks each response as private to its caller
/// with `Vary` (the header that has the credential) and `Cache-Control`, and waits until this instance has caught up with
/// the log that it shows.
async fn respond(
    (state, id): (&AppState, &str),
    (found, since): (Result<Authenticated, Error>, RevocationCount),
    vary: &'static str,
    (request, next): (Request, Next),
) -> Response {
    let mut response = match found {
        Ok(authenticated) => handle((state, id), (authenticated, since), request, next).await,
        Err(err) => Problem::new(&err, id).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static(vary));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn handle(
    (state, id): (&AppState, &str),
    ((caller, credential), since): (Authenticated, RevocationCount),
    mut request: Request,
    next: Next,
) -> Response {
    let has_scopes = matches!(caller.principal, Principal::ApiKey(_) | Principal::Service(_));
    let share = state.budget.share(caller.share_holder());
    let meter = meter(state, &caller, &credential);
    let memory = RequestMemory::default();
    let extensions = request.extensions_mut();
    extensions.insert(AuthenticatedCaller(Arc::clone(&caller)));
    extensions.insert(credential);
    extensions.insert(since);
    extensions.insert(memory.clone());
    let work = meter.charge_work();
    let mut response = next.run(request).await;
    let memory = lock(&memory.0).take();
    response = match keep_memory(response, &share, memory).await {
        Ok(response) => response,
        Err(full) => Problem::new(&Error::NoMemory(full), id).into_response(),
    };
    // The rights of a key or a service token are its scopes alone.
    if has_scopes && problem::is_forbidden(&response) {
        let challenge = HeaderValue::from_static(INSUFFICIENT_SCOPE);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    drop(work);
    let bytes = response.body().size_hint().exact();
    response.extensions_mut().insert(Payer::charged(&caller, Some(meter), bytes));
    state.hub.wait_until_caught_up().await;
    response
}

/// The memory of the request's body, an extension of the request. It is kept until the response is made.
#[derive(Clone, Debug, Default)]
pub struct RequestMemory(Arc<Mutex<Option<Reservation>>>);

impl RequestMemory {
    /// Keeps this memory until the response is made, in place of that of the request's body, which has been read.
    fn keep(&self, memory: Reservation) {
        lock(&self.0).replace(memory);
    }
}

/// Keeps the memory of a large response until it is written. Without a body, the request has no memory yet.
///
/// # Errors
/// [`BudgetFull`], only if the request had no body: a write has succeeded by now.
async fn keep_memory(
    response: Response,
    share: &MemoryShare,
    memory: Option<Reservation>,
) -> Result<Response, BudgetFull> {
    let length = response.body().size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    let Some(length) = length.filter(|length| *length > fast_path::BODY_BYTES_MAX) else {
        return Ok(response);
    };
    let memory = match memory {
        Some(mut memory) => {
            memory.shrink_to(length);
            memory
        }
        None => share.reserve(length).await?,
    };
    let (parts, body) = response.into_parts();
    // It is in memory already.
    let text = to_bytes(body, usize::MAX).await.unwrap_or_default();
    Ok(Response::from_parts(parts, reserved_bytes(text, Some(memory)).into()))
}

/// Converts an error to a problem with the request id of this caller.
fn refuse(caller: &Arc<Caller>) -> impl Fn(Error) -> Problem {
    let id = caller.request_id().to_owned();
    move |err| Problem::new(&err, &id)
}

/// The agent's id in the path. A value that isn't an id is rejected with 404.
pub struct AgentPath(AgentId);

/// The customer's id in the path. A value that isn't an id is rejected with 404.
pub struct CustomerPath(CustomerId);

impl FromRequestParts<AppState> for CustomerPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        parse_path_id(parts, state, "customer").await.map(Self)
    }
}

impl FromRequestParts<AppState> for AgentPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        parse_path_id(parts, state, "agent").await.map(Self)
    }
}

/// The query parameters. Unknown, repeated and malformed ones are rejected as `bad-parameters`.
pub struct Parameters<T>(T);

impl<T: DeserializeOwned> FromRequestParts<AppState> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let Ok(RequestId(id)) = RequestId::from_request_parts(parts, state).await;
        if !query::is_text(parts.uri.query().unwrap_or_default()) {
            return Err(Problem::request(ProblemKind::BadParameters, query::NOT_TEXT, &id));
        }
        match Query::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(err) => Err(wrong_parameter(&err, &id)),
        }
    }
}

/// The problem of an unknown or repeated parameter. serde's messages name it: "unknown field `x`, expected …".
fn wrong_parameter(err: &QueryRejection, request_id: &str) -> Problem {
    let cause = err.source().map(ToString::to_string).unwrap_or_default();
    let name = cause.split('`').nth(1).map(str::to_owned);
    let detail = match &name {
        Some(name) if cause.starts_with("duplicate") => format!("the parameter `{name}` may occur once"),
        Some(name) => format!("there is no parameter `{name}`"),
        None => "the parameters can't be read".to_owned(),
    };
    Problem::request_field(ProblemKind::BadParameters, name, detail, request_id)
}

/// For endpoints without query parameters: rejects any.
pub type NoParameters = Parameters<EmptyParams>;

/// The empty set of parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmptyParams {}

/// The body, a JSON object, and the idempotency key in the request's header. Reading a body may take long, so the
/// caller's rights are checked again after it.
pub struct Body<T> {
    input: T,
    key: Option<IdempotencyKey>,
}

impl<T> Body<T> {
    /// Splits into the input and the caller. If the request has an idempotency key, the returned caller carries it.
    fn split(self, caller: Arc<Caller>) -> (T, Arc<Caller>) {
        let Self { input, key } = self;
        (input, key.map_or(caller.clone(), |key| Arc::new(caller.once(key))))
    }
}

impl<T: DeserializeOwned> FromRequest<AppState> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Ok(RequestId(id)) = RequestId::from_request_parts(&mut parts, &()).await;
        let AuthenticatedCaller(caller) = AuthenticatedCaller::from_request_parts(&mut parts, state).await?;
        let (json, memory) = body::json(&parts.headers, body, state, &caller).await.map_err(|refused| {
            let kind = match &refused {
                body::BodyRejection::Busy(err) => return Problem::new(err, &id),
                body::BodyRejection::NotJson | body::BodyRejection::Encoded => {
                    ProblemKind::UnsupportedMediaType
                }
                body::BodyRejection::TooLarge | body::BodyRejection::TooMany => ProblemKind::ContentTooLarge,
                body::BodyRejection::TooSlow => ProblemKind::RequestTimeout,
                body::BodyRejection::Malformed(_) | body::BodyRejection::Incomplete => {
                    ProblemKind::MalformedBody
                }
            };
            Problem::request(kind, refused.to_string(), &id)
        })?;
        if let Some(kept) = parts.extensions.get::<RequestMemory>() {
            kept.keep(memory);
        }
        let since = parts.extensions.get::<RevocationCount>().copied();
        let credential = parts.extensions.get::<RequestCredential>().cloned();
        if let (Some(since), Some(RequestCredential(credential))) = (since, credential) {
            let recheck = recheck_credential(state, since, &caller, &credential).await;
            recheck.map_err(|err| Problem::new(&err, &id))?;
        }
        let key = idempotency_key(&parts, &json).map_err(|err| Problem::new(&err, &id))?;
        let json = with_snake_case_keys(json).map_err(|err| Problem::new(&err, &id))?;
        let input = json_reader::from_json(&json).map_err(|err| {
            Problem::request_field(ProblemKind::Invalid, field(err.path()), err.to_string(), &id)
        })?;
        Ok(Self { input, key })
    }
}

/// Reads the header `Idempotency-Key`, bare or quoted, and binds the key to this method, path and body.
fn idempotency_key(parts: &Parts, body: &Json) -> Result<Option<IdempotencyKey>, Error> {
    let mut given = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = given.next() else { return Ok(None) };
    let wrong = |message| Error::invalid("idempotencyKey", message);
    if given.next().is_some() {
        return Err(wrong("send a single Idempotency-Key header"));
    }
    let key = key.to_str().map_err(|_| wrong("Idempotency-Key must be printable ASCII"))?;
    let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
    let request = format!("{} {}", parts.method, parts.uri.path());
    IdempotencyKey::new(key, &request, &body.to_serde()).map(Some)
}

/// Parses the id in the path.
///
/// # Errors
/// [`Error::NotFound`] for `what`, as a problem.
async fn parse_path_id<T: std::str::FromStr>(
    parts: &mut Parts,
    state: &AppState,
    what: &'static str,
) -> Result<T, Problem> {
    let Ok(RequestId(request_id)) = RequestId::from_request_parts(parts, state).await;
    let id = Path::<String>::from_request_parts(parts, state).await.ok();
    let id = id.and_then(|Path(id)| id.parse().ok());
    id.ok_or_else(|| Problem::new(&Error::NotFound(what), &request_id))
}
