//! Errors on REST: `application/problem+json` (RFC 9457), and `WWW-Authenticate` (RFC 6750) with each 401.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::domain::{Error, ErrorCode};

/// A problem, as it goes over the wire.
#[derive(Debug, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "code_of")]
    status: StatusCode,
    detail: String,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    request_id: String,
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// After how many seconds to try again, when an error says so.
#[must_use]
pub fn retry_after(err: &Error) -> Option<u64> {
    match err {
        Error::RateLimited { retry_after_seconds } => Some(*retry_after_seconds),
        Error::Unavailable(_) => Some(1),
        _ => None,
    }
}

fn code_of<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

/// The status of an error, its `type` and its title.
fn described(code: ErrorCode) -> (StatusCode, &'static str, &'static str) {
    match code {
        ErrorCode::Unauthenticated => {
            (StatusCode::UNAUTHORIZED, "urn:agent-registry:problem:unauthenticated", "No valid credential")
        }
        ErrorCode::Forbidden => {
            (StatusCode::FORBIDDEN, "urn:agent-registry:problem:forbidden", "Not allowed")
        }
        ErrorCode::Suspended => {
            (StatusCode::FORBIDDEN, "urn:agent-registry:problem:suspended", "The customer is suspended")
        }
        ErrorCode::NotFound => (StatusCode::NOT_FOUND, "urn:agent-registry:problem:not-found", "Not found"),
        ErrorCode::Invalid => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "urn:agent-registry:problem:invalid",
            "A value is not acceptable",
        ),
        ErrorCode::CursorInvalid => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "urn:agent-registry:problem:cursor-invalid",
            "The cursor is not of this list",
        ),
        ErrorCode::CursorTooOld => (
            StatusCode::GONE,
            "urn:agent-registry:problem:cursor-too-old",
            "What the cursor follows on is not kept any more",
        ),
        ErrorCode::TooLarge => {
            (StatusCode::UNPROCESSABLE_ENTITY, "urn:agent-registry:problem:too-large", "A value is too large")
        }
        ErrorCode::AlreadyExists => {
            (StatusCode::CONFLICT, "urn:agent-registry:problem:already-exists", "The name is taken")
        }
        ErrorCode::Conflict => {
            (StatusCode::CONFLICT, "urn:agent-registry:problem:conflict", "Not as expected")
        }
        ErrorCode::IdempotencyKeyReused => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "urn:agent-registry:problem:idempotency-key-reused",
            "The key belongs to another request",
        ),
        ErrorCode::LimitReached => {
            (StatusCode::CONFLICT, "urn:agent-registry:problem:limit-reached", "The plan allows no more")
        }
        ErrorCode::RateLimited => {
            (StatusCode::TOO_MANY_REQUESTS, "urn:agent-registry:problem:rate-limited", "Too many requests")
        }
        ErrorCode::Archived => {
            (StatusCode::CONFLICT, "urn:agent-registry:problem:archived", "The agent is archived")
        }
        ErrorCode::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "urn:agent-registry:problem:unavailable", "Try again later")
        }
        ErrorCode::Internal => {
            (StatusCode::INTERNAL_SERVER_ERROR, "urn:agent-registry:problem:internal", "Our own fault")
        }
    }
}

/// The status that an error has at every door.
#[must_use]
pub fn status(err: &Error) -> StatusCode {
    described(err.code()).0
}

impl Problem {
    /// The problem that tells of this error. What is our own fault is logged here, whole, and told nowhere else.
    #[must_use]
    pub fn new(err: &Error, request_id: &str) -> Self {
        if let Error::Internal(source) = err {
            tracing::error!(error = %source, request_id, "a request failed");
        }
        let (status, kind, title) = described(err.code());
        let field = err.field().map(snake_case);
        // The domain says in its messages what GraphQL calls the field.
        let detail = match (err.field(), &field) {
            (Some(graph), Some(rest)) => err.to_string().replacen(graph, rest, 1),
            _ => err.to_string(),
        };
        Self {
            kind,
            title,
            status,
            detail,
            code: err.code().as_str(),
            field,
            request_id: request_id.to_owned(),
            retry_after: retry_after(err),
        }
    }

    /// An agent that is there, and serves nothing.
    #[must_use]
    pub fn not_active(request_id: &str) -> Self {
        Self {
            kind: "urn:agent-registry:problem:not-active",
            title: "Nothing is active",
            status: StatusCode::NOT_FOUND,
            detail: "the agent has no active version".to_owned(),
            code: "NOT_ACTIVE",
            field: None,
            request_id: request_id.to_owned(),
            retry_after: None,
        }
    }

    /// A problem with the request itself, before it reached any verb.
    #[must_use]
    pub fn request(
        status: StatusCode,
        title: &'static str,
        detail: impl Into<String>,
        request_id: &str,
    ) -> Self {
        let detail = detail.into();
        Self {
            kind: "about:blank",
            title,
            status,
            detail,
            code: "BAD_REQUEST",
            field: None,
            request_id: request_id.to_owned(),
            retry_after: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response =
            (self.status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        challenge(&mut response, self.retry_after);
        response
    }
}

/// What every 401, 429 and 503 says besides.
pub fn challenge(response: &mut Response, retry_after: Option<u64>) {
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
}

/// A field's name as REST spells it.
fn snake_case(field: &str) -> String {
    let mut snake = String::with_capacity(field.len() + 4);
    for character in field.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
