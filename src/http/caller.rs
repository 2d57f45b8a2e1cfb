//! From headers to a caller: one bearer token in one header, and a name for the request.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use uuid::Uuid;

use super::{Door, problem::Problem};
use crate::domain::{Caller, Error};

/// Names a request, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken over from a client.
const REQUEST_ID_MAX: usize = 64;

/// The name of this request: the client's own if it is a sane one, else a new one.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl RequestId {
    /// The name in these headers, or a new one.
    #[must_use]
    pub fn of(headers: &HeaderMap, fresh: impl FnOnce() -> Uuid) -> Self {
        let sane = |id: &&str| {
            (1..=REQUEST_ID_MAX).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(sane);
        Self(given.map_or_else(|| fresh().to_string(), str::to_owned))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // The outermost layer has put it there; a request that came another way is nameless.
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self(String::new())))
    }
}

/// The bearer token of these headers, if there is one.
///
/// # Errors
/// [`Error::Unauthenticated`] when there are several, or what there is is no bearer token.
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return match headers.contains_key(header::AUTHORIZATION) {
            true => Err(Error::Unauthenticated("give one Authorization header")),
            false => Ok(None),
        };
    };
    let value = value.to_str().map_err(|_| Error::Unauthenticated("the Authorization header is not text"))?;
    token(value).map(Some)
}

/// The token of an `Authorization` value (RFC 6750, section 2.1).
///
/// # Errors
/// [`Error::Unauthenticated`] when it is no bearer token.
pub fn token(value: &str) -> Result<&str, Error> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        return Ok(token);
    }
    Err(Error::Unauthenticated("give a bearer token: Authorization: Bearer …"))
}

/// Whoever calls a REST route; without a valid credential it is not reached.
#[derive(Clone, Debug)]
pub struct Authenticated(pub Arc<Caller>);

impl FromRequestParts<Door> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        // Whoever guards the route may have asked already.
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let Ok(RequestId(id)) = RequestId::from_request_parts(parts, door).await;
        authenticate(door, &parts.headers, &id).await.map(Self).map_err(|err| Problem::new(&err, &id))
    }
}

/// Whoever sent these headers.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::Unavailable`] when the database is.
pub async fn authenticate(door: &Door, headers: &HeaderMap, request_id: &str) -> Result<Arc<Caller>, Error> {
    let bearer =
        bearer(headers)?.ok_or(Error::Unauthenticated("give a bearer token: Authorization: Bearer …"))?;
    door.registry.authenticate(bearer, request_id).await.map(Arc::new)
}
