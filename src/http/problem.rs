//! Error responses of REST: `application/problem+json` (RFC 9457). The kinds of problems are a closed list.
//!
//! A problem's `type` is a reference to `/problems/…`, where `explain` serves its section of `docs/problems.md`.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::RequestId;
use crate::domain::{Error, ErrorCode};

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";
/// The path under which the explanations of problems are served.
pub const FOLDER: &str = "/problems/";

/// The code of a problem with the request itself.
const BAD_REQUEST: &str = "BAD_REQUEST";

macro_rules! kinds {
    ($($kind:ident = $status:ident $($name:literal)? : $title:literal;)*) => {
        /// The closed list of problems.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemKind {
            $(#[doc = $title] $kind,)*
        }

        impl ProblemKind {
            /// All problems, in the order of the list.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its HTTP status.
            #[must_use]
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$kind => StatusCode::$status,)*
                }
            }

            /// Its `title`: the same for every occurrence.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$kind => $title,)*
                }
            }

            /// Its `type`: a reference to its explanation, or `about:blank` where the status says everything (RFC 9457,
            /// section 4.2.1).
            #[must_use]
            pub fn uri(self) -> &'static str {
                match self {
                    $(Self::$kind => kinds!(@uri $($name)?),)*
                }
            }
        }
    };
    (@uri) => { "about:blank" };
    (@uri $name:literal) => { concat!("/problems/", $name) };
}

kinds! {
    MalformedBody = BAD_REQUEST "malformed-body": "The body is not JSON";
    BadParameters = BAD_REQUEST "bad-parameters": "Unknown, repeated or malformed query parameters";
    BadHost = BAD_REQUEST "bad-host": "The Host header is missing or malformed";
    BadHandshake = BAD_REQUEST "bad-handshake": "The websocket handshake is malformed";
    Unauthenticated = UNAUTHORIZED "unauthenticated": "No valid credential";
    Forbidden = FORBIDDEN "forbidden": "Not allowed";
    Suspended = FORBIDDEN "suspended": "The customer is suspended";
    Canceled = FORBIDDEN "canceled": "The customer is canceled";
    NotFound = NOT_FOUND "not-found": "Not found";
    NotActive = NOT_FOUND "not-active": "No version is active";
    MethodNotAllowed = METHOD_NOT_ALLOWED: "Method Not Allowed";
    AlreadyExists = CONFLICT "already-exists": "The name is taken";
    Conflict = CONFLICT "conflict": "Conflict with the current state";
    PlanChanged = CONFLICT "plan-changed": "The activation's plan has changed";
    ConfirmationRequired = CONFLICT "confirmation-required": "The activation must be confirmed";
    PolicyRefused = CONFLICT "policy-refused": "A rule of the environment refuses the activation";
    NotPromotable = CONFLICT "not-promotable": "The version can't be promoted yet";
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY "idempotency-key-reused": "The idempotency key belongs to another request";
    LimitReached = CONFLICT "limit-reached": "Plan limit reached";
    Archived = CONFLICT "archived": "The agent is archived";
    CursorTooOld = GONE "cursor-too-old": "The cursor is older than the retained log";
    RequestTimeout = REQUEST_TIMEOUT: "Request Timeout";
    PreconditionFailed = PRECONDITION_FAILED: "Precondition Failed";
    ContentTooLarge = PAYLOAD_TOO_LARGE: "Content Too Large";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE: "Unsupported Media Type";
    Misdirected = MISDIRECTED_REQUEST "misdirected": "The service does not answer for this host";
    Invalid = UNPROCESSABLE_ENTITY "invalid": "Invalid value";
    TooLarge = UNPROCESSABLE_ENTITY "too-large": "A value is too large";
    CursorInvalid = UNPROCESSABLE_ENTITY "cursor-invalid": "The cursor belongs to another log or list";
    UpgradeRequired = UPGRADE_REQUIRED: "Upgrade Required";
    RateLimited = TOO_MANY_REQUESTS "rate-limited": "Too many requests";
    Internal = INTERNAL_SERVER_ERROR "internal": "Internal error";
    Unavailable = SERVICE_UNAVAILABLE "unavailable": "Temporarily unavailable";
}

impl ProblemKind {
    /// The last segment of its `type`. `None` for `about:blank`.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.uri().strip_prefix(FOLDER)
    }
}

/// The last segment of each `type` that has an explanation.
pub fn names() -> impl Iterator<Item = &'static str> {
    ProblemKind::ALL.iter().filter_map(|kind| kind.name())
}

impl From<ErrorCode> for ProblemKind {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::Unauthenticated => Self::Unauthenticated,
            ErrorCode::Forbidden => Self::Forbidden,
            ErrorCode::Suspended => Self::Suspended,
            ErrorCode::Canceled => Self::Canceled,
            ErrorCode::NotFound => Self::NotFound,
            ErrorCode::Invalid => Self::Invalid,
            ErrorCode::CursorInvalid => Self::CursorInvalid,
            ErrorCode::CursorTooOld => Self::CursorTooOld,
            ErrorCode::TooLarge => Self::TooLarge,
            ErrorCode::AlreadyExists => Self::AlreadyExists,
            ErrorCode::Conflict => Self::Conflict,
            ErrorCode::PlanChanged => Self::PlanChanged,
            ErrorCode::ConfirmationRequired => Self::ConfirmationRequired,
            ErrorCode::PolicyRefused => Self::PolicyRefused,
            ErrorCode::NotPromotable => Self::NotPromotable,
            ErrorCode::IdempotencyKeyReused => Self::IdempotencyKeyReused,
            ErrorCode::LimitReached => Self::LimitReached,
            ErrorCode::RateLimited => Self::RateLimited,
            ErrorCode::Archived => Self::Archived,
            ErrorCode::Unavailable => Self::Unavailable,
            ErrorCode::Internal => Self::Internal,
        }
    }
}

/// A problem (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({
    "type": "/problems/not-found", "title": "Not found", "status": 404, "detail": "there is no such agent",
    "code": "NOT_FOUND", "request_id": "01a20326-e777-71ce-9264-eefdca7dad0e",
})))]
pub struct Problem {
    /// Identifies the problem: a reference to its explanation, relative to this service, or `about:blank` where the
    /// status says everything. Compare it as a string. New types may be added; existing ones never change their
    /// meaning.
    #[serde(rename = "type")]
    #[schema(format = "uri-reference")]
    kind: &'static str,
    /// A summary of the problem type: the same for every occurrence.
    title: &'static str,
    /// The HTTP status.
    #[serde(serialize_with = "code_of")]
    #[schema(value_type = i32, minimum = 400, maximum = 599)]
    status: StatusCode,
    /// What is wrong with this request, for people. Its wording may change.
    detail: String,
    /// The error code: the one that GraphQL uses for the same error.
    code: &'static str,
    /// The field or parameter at fault. Absent unless there is exactly one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    field: Option<String>,
    /// Each error of the request with its field. Absent when no field is at fault.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<FieldProblem>, required = false)]
    errors: Vec<FieldProblem>,
    /// The request's id: the value of `X-Request-Id`, and the one in the service's log.
    request_id: String,
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// One error of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field or parameter at fault, such as `tools.1.input_schema`. Absent if it isn't a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    field: Option<String>,
    /// The error code: the one that GraphQL uses for the same error.
    code: &'static str,
    /// What is wrong, for people. Its wording may change.
    detail: String,
}

impl FieldProblem {
    fn of(err: &Error) -> Self {
        let (field, detail) = err.in_snake_case();
        Self { field, code: err.code().as_str(), detail }
    }
}

/// The value of `Retry-After` for this error, in seconds: the wait of a rate limit, and 1 when unavailable or out of
/// memory.
#[must_use]
pub fn retry_after(err: &Error) -> Option<u64> {
    match err {
        Error::RateLimited { retry_after_seconds } => Some(*retry_after_seconds),
        Error::Unavailable(_) | Error::NoMemory(_) => Some(1),
        _ => None,
    }
}

fn code_of<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

/// The HTTP status of an error, the same for REST, GraphQL over HTTP and event streams.
#[must_use]
pub fn status(err: &Error) -> StatusCode {
    ProblemKind::from(err.code()).status()
}

impl Problem {
    /// The problem that reports this error. Logs the source of an [`Error::Internal`], which no response contains.
    #[must_use]
    pub fn new(err: &Error, request_id: &str) -> Self {
        if let Error::Internal(source) = err {
            tracing::error!(error = %source, request_id, "a request failed");
        }
        let errors: Vec<_> = err.each().iter().map(FieldProblem::of).collect();
        let details: Vec<_> = errors.iter().map(|err| err.detail.as_str()).collect();
        let problem = Self::of(err.code().into(), err.code().as_str(), details.join("; "), request_id);
        let field = match errors.as_slice() {
            [only] => only.field.clone(),
            _ => None,
        };
        let errors = if errors.iter().any(|err| err.field.is_some()) { errors } else { Vec::new() };
        Self { field, errors, retry_after: retry_after(err), ..problem }
    }

    /// The problem of an agent that exists and has no active version.
    #[must_use]
    pub fn not_active(request_id: &str) -> Self {
        Self::of(ProblemKind::NotActive, "NOT_ACTIVE", "the agent has no active version", request_id)
    }

    /// A problem with the request itself, found before any verb ran. Its code is `BAD_REQUEST`.
    #[must_use]
    pub fn request(kind: ProblemKind, detail: impl Into<String>, request_id: &str) -> Self {
        Self::of(kind, BAD_REQUEST, detail, request_id)
    }

    /// A problem with one field or parameter, spelled as the request spells it, found when the request was read.
    #[must_use]
    pub fn request_field(
        kind: ProblemKind,
        field: Option<String>,
        detail: impl Into<String>,
        request_id: &str,
    ) -> Self {
        let code = if kind == ProblemKind::Invalid { ErrorCode::Invalid.as_str() } else { BAD_REQUEST };
        let problem = Self::of(kind, code, detail, request_id);
        let only = FieldProblem { field: field.clone(), code, detail: problem.detail.clone() };
        Self { errors: field.is_some().then_some(only).into_iter().collect(), field, ..problem }
    }

    fn of(kind: ProblemKind, code: &'static str, detail: impl Into<String>, request_id: &str) -> Self {
        Self {
            kind: kind.uri(),
            title: kind.title(),
            status: kind.status(),
            detail: detail.into(),
            code,
            field: None,
            errors: Vec::new(),
            request_id: request_id.to_owned(),
            retry_after: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        response.extensions_mut().insert(ProblemCode(self.code));
        set_retry_after(&mut response, self.retry_after);
        response
    }
}

/// The code of the problem in a response, as an extension of that response.
#[derive(Clone, Copy)]
struct ProblemCode(&'static str);

/// Whether the response is a problem with the code `FORBIDDEN`.
#[must_use]
pub fn is_forbidden(response: &Response) -> bool {
    let code = response.extensions().get::<ProblemCode>();
    code.is_some_and(|ProblemCode(code)| *code == ErrorCode::Forbidden.as_str())
}

/// Sets `Retry-After`, in seconds, if there is a value.
pub fn set_retry_after(response: &mut Response, retry_after: Option<u64>) {
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
}

/// The fallback for unknown paths: 404.
pub async fn no_path(RequestId(id): RequestId) -> Problem {
    Problem::new(&Error::NotFound("path"), &id)
}

/// The fallback for a known path with an unsupported method: 405. axum adds `Allow`.
pub async fn other_method(RequestId(id): RequestId) -> Problem {
    Problem::request(
        ProblemKind::MethodNotAllowed,
        "this path doesn't support that method; `Allow` lists those it supports",
        &id,
    )
}
