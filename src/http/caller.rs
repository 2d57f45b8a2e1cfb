//! From headers to a caller: one bearer token in one header, and a name for the request.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use axum::{
    extract::{FromRequestParts, Query},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Uri, header, request::Parts},
};
use uuid::Uuid;

use super::{Door, problem::Problem};
use crate::{
    domain::{Caller, Error, Origin, auth::Proven, change::Channel},
    graphql::Answer,
};

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

/// The challenge to a key or a token whose scopes do not allow what was asked (RFC 6750, section 3.1).
pub const INSUFFICIENT_SCOPE: &str = "Bearer error=\"insufficient_scope\", error_description=\"the scopes of this credential do not allow this\"";

/// Which credential a request carries, as far as its challenge depends on that (RFC 6750, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// None, or one of another scheme: the challenge has no error.
    Nothing,
    /// One bearer token.
    Token,
    /// A token in the address, more than one header, or no token after `Bearer`.
    Malformed,
}

impl Presented {
    /// What this request carries.
    #[must_use]
    pub fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        match (given.next(), given.next()) {
            _ if refuse_token_in(uri).is_err() => Self::Malformed,
            (None, _) => Self::Nothing,
            (Some(_), Some(_)) => Self::Malformed,
            (Some(value), None) => {
                let scheme = value.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
                match (scheme.eq_ignore_ascii_case(b"bearer"), bearer(headers)) {
                    (false, _) => Self::Nothing,
                    (true, Ok(_)) => Self::Token,
                    (true, Err(_)) => Self::Malformed,
                }
            }
        }
    }

    /// The `WWW-Authenticate` of a 401.
    #[must_use]
    pub fn challenge(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Nothing => "Bearer",
            Self::Token => {
                "Bearer error=\"invalid_token\", error_description=\"the token is malformed, expired, revoked or not for this service\""
            }
            Self::Malformed => {
                "Bearer error=\"invalid_request\", error_description=\"send one token, in one Authorization header\""
            }
        })
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub struct Client(pub IpAddr);

impl Client {
    /// Where the request of these extensions comes from, as the outermost layer has found.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().copied().unwrap_or(Self(Ipv4Addr::UNSPECIFIED.into()))
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
        let found =
            authenticate(door, &parts.uri, &parts.headers, &parts.extensions, (Channel::Rest, &id)).await;
        found.map(Self).map_err(|err| Problem::new(&err, &id))
    }
}

/// How many changes of rights there had been when the caller of a request was looked up.
#[derive(Clone, Copy, Debug)]
pub struct Since(pub u64);

/// Whether a caller may have less rights than when it was looked up.
#[must_use]
pub fn may_have_lost(door: &Door, Since(since): Since, caller: &Caller) -> bool {
    caller.has_expired(door.registry.clock().now()) || door.hub.rights().touched_since(since, caller)
}

/// Refuses a caller who has lost rights since it was looked up: a body may take hours to come.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::Unavailable`] when the database is.
pub async fn still(door: &Door, since: Since, caller: &Caller, headers: &HeaderMap) -> Result<(), Error> {
    const LOST: Error =
        Error::Unauthenticated("rights were taken away while the request was read; ask again");
    if !may_have_lost(door, since, caller) {
        return Ok(());
    }
    let bearer = bearer(headers)?.ok_or(LOST)?;
    let now = door.registry.authenticate(bearer, &caller.origin).await?;
    if now.may_what(caller) { Ok(()) } else { Err(LOST) }
}

/// Whoever sent this request, which is counted.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::RateLimited`]; [`Error::Unavailable`] when the database is.
pub async fn authenticate(
    door: &Door,
    uri: &Uri,
    headers: &HeaderMap,
    extensions: &Extensions,
    (channel, request_id): (Channel, &str),
) -> Result<Arc<Caller>, Error> {
    refuse_token_in(uri)?;
    let bearer =
        bearer(headers)?.ok_or(Error::Unauthenticated("give a bearer token: Authorization: Bearer …"))?;
    Ok(Arc::new(sign_in(door, bearer, Client::of(extensions), channel, request_id).await?))
}

/// Whoever has this token, counted, unless too many from where it comes were refused.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::RateLimited`]; [`Error::Unavailable`] when the database is.
pub async fn sign_in(
    door: &Door,
    bearer: &str,
    Client(address): Client,
    channel: Channel,
    request_id: &str,
) -> Result<Caller, Error> {
    let origin = Origin::new(request_id, channel, Some(address));
    door.limiter.has_waited(bearer)?;
    let proven = door.registry.prove(bearer).await;
    // What an issuer has signed was not guessed: who shares an address with a guesser can sign in all the same.
    let is_signed = proven.as_ref().is_ok_and(Proven::is_signed);
    if !is_signed {
        door.limiter.may_try(address, bearer)?;
    }
    let found = match proven {
        Ok(proven) => door.hub.look_up(proven, bearer, &origin).await,
        Err(err) => Err(err),
    };
    match &found {
        Ok(_) if is_signed => {}
        Ok(_) => door.limiter.accepted(bearer),
        Err(Error::Unauthenticated(_)) => door.limiter.refused(address, bearer),
        Err(_) => {}
    }
    let caller = found?;
    door.limiter.count(&caller, bearer)?;
    Ok(caller)
}

/// Counts what an answer has cost, if it refuses a document of so many bytes: see [`Limiter::charge`](super::Limiter::charge).
pub fn charge(door: &Door, caller: &Caller, headers: &HeaderMap, (answer, bytes): (&Answer, usize)) {
    if let Ok(Some(bearer)) = bearer(headers)
        && answer.is_refusal()
    {
        door.limiter.charge(caller, bearer, bytes);
    }
}

/// A token in an address is in histories and logs by now: it is refused even beside another in its right place
/// (RFC 6750, section 2.3; RFC 9700, section 4.3.2).
///
/// # Errors
/// [`Error::Unauthenticated`].
pub fn refuse_token_in(uri: &Uri) -> Result<(), Error> {
    // Decoded, as whoever reads the address would: `access%5Ftoken` is the same name.
    let given =
        Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(given)| given).unwrap_or_default();
    if given.iter().any(|(name, _)| name.eq_ignore_ascii_case("access_token")) {
        return Err(Error::Unauthenticated("a token does not belong in an address; send it as a header"));
    }
    Ok(())
}
