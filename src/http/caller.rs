//! Request ids, bearer tokens and authentication: from a request's headers to its caller.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use axum::{
    extract::{FromRequestParts, Query},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Uri, header, request::Parts},
};
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    AppState,
    meter::Meter,
    problem::Problem,
    server::{ConnectionHandle, TooManyConnections},
};
use crate::domain::{
    CallOrigin, Caller, Error,
    auth::{
        VerifiedCredential,
        opaque_token::{OpaqueToken, TokenKind},
    },
    change::Channel,
};

/// The header with the request's id, in requests and responses.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How long a rate-limited request waits for its answer, so that a client that doesn't wait by itself can't send
/// thousands a second on a few connections.
const RATE_LIMITED_DELAY: Duration = Duration::from_millis(50);
/// The maximum length of a client's request id, in characters.
const REQUEST_ID_MAX: usize = 64;

/// The request's id: the client's if it is valid, otherwise a generated UUID.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl RequestId {
    /// The id in `X-Request-Id` if it has 1 to 64 letters, digits, `-`, `_` and `.`; otherwise `fresh`.
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
        // The outermost layer sets it. Without that layer, the id is empty.
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self(String::new())))
    }
}

/// The challenge to a key or a service token whose scopes don't allow the operation (RFC 6750, section 3.1).
pub const INSUFFICIENT_SCOPE: &str = "Bearer error=\"insufficient_scope\", error_description=\"the scopes of this credential do not allow this\"";

/// The form of a request's credential, on which the challenge depends (RFC 6750, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialForm {
    /// No credential, or one of another scheme: the challenge has no `error`.
    Nothing,
    /// One bearer token.
    Token,
    /// A token in the URL, more than one header, or no token after `Bearer`.
    Malformed,
}

impl CredentialForm {
    /// Classifies this request's credential.
    #[must_use]
    pub fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(header::AUTHORIZATION).iter();
        match (given.next(), given.next()) {
            _ if reject_token_in_url(uri).is_err() => Self::Malformed,
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

/// The IP address of a request's client, behind trusted proxies.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The address that the outermost layer found. Unspecified (0.0.0.0) without that layer.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().copied().unwrap_or(Self(Ipv4Addr::UNSPECIFIED.into()))
    }
}

/// The bearer token in `Authorization`. `None` without that header.
///
/// # Errors
/// [`Error::Unauthenticated`] if there are several headers, or the value isn't a bearer token.
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Error> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        return match headers.contains_key(header::AUTHORIZATION) {
            true => Err(Error::Unauthenticated("send a single Authorization header")),
            false => Ok(None),
        };
    };
    let value = value
        .to_str()
        .map_err(|_| Error::Unauthenticated("the Authorization header must be printable ASCII"))?;
    token(value).map(Some)
}

/// The token of an `Authorization` value (RFC 6750, section 2.1).
///
/// # Errors
/// [`Error::Unauthenticated`] if the scheme isn't `Bearer`, or no token follows.
pub fn token(value: &str) -> Result<&str, Error> {
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let token = token.trim();
    if is_session(token) {
        return Err(Error::Unauthenticated("a session is accepted as a cookie only, not as a bearer token"));
    }
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        return Ok(token);
    }
    Err(Error::Unauthenticated("send a bearer token: Authorization: Bearer …"))
}

/// Whether a credential is that of a session, which only a cookie may hold.
#[must_use]
pub fn is_session(credential: &str) -> bool {
    OpaqueToken::claims(TokenKind::Session, credential)
}

/// The channel of a call: the console's for a session, else that of its route.
#[must_use]
pub fn channel(credential: &str, of_route: Channel) -> Channel {
    if is_session(credential) { Channel::Console } else { of_route }
}

/// The caller of a REST route. The extractor rejects requests without a valid credential.
#[derive(Clone, Debug)]
pub struct AuthenticatedCaller(pub Arc<Caller>);

impl FromRequestParts<AppState> for AuthenticatedCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        // `rest` has authenticated the caller already.
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let Ok(RequestId(id)) = RequestId::from_request_parts(parts, state).await;
        let found =
            authenticate(state, &parts.uri, &parts.headers, &parts.extensions, (Channel::Rest, &id)).await;
        found.map(Self).map_err(|err| Problem::new(&err, &id))
    }
}

/// The error for a request without a credential.
pub const NO_CREDENTIAL: Error = Error::Unauthenticated("send a bearer token: Authorization: Bearer …");

/// The bearer token or the session that a request was authenticated by, an extension of the request.
#[derive(Clone)]
pub struct RequestCredential(pub Arc<str>);

/// The count of rights changes (`RevocationLog::count`) just before the caller of a request was looked up.
#[derive(Clone, Copy, Debug)]
pub struct RevocationCount(pub u64);

/// Whether a caller may have lost rights since it was looked up: its credential has expired, or the log has a change
/// that concerns it.
#[must_use]
pub fn may_have_lost_rights(
    state: &AppState,
    RevocationCount(since): RevocationCount,
    caller: &Caller,
) -> bool {
    caller.has_expired(state.registry.clock().now())
        || state.hub.revocation_log().may_affect_since(since, caller)
}

/// Rejects a caller that has lost rights since it was looked up by this credential, because a body may take hours to
/// arrive.
///
/// # Errors
/// [`Error::Unauthenticated`] if the caller has lost rights. [`Error::Unavailable`] if the database must be asked and
/// doesn't respond.
pub async fn recheck_credential(
    state: &AppState,
    since: RevocationCount,
    caller: &Caller,
    credential: &str,
) -> Result<(), Error> {
    const LOST: Error =
        Error::Unauthenticated("your rights changed while the request was being read; send it again");
    if !may_have_lost_rights(state, since, caller) {
        return Ok(());
    }
    let now = state.registry.authenticate(credential, &caller.origin).await?;
    if now.covers(caller) { Ok(()) } else { Err(LOST) }
}

/// Authenticates the caller of a request, and counts the request against its rate limit.
///
/// # Errors
/// [`Error::Unauthenticated`], [`Error::RateLimited`], or [`Error::Unavailable`] if the database doesn't respond.
pub async fn authenticate(
    state: &AppState,
    uri: &Uri,
    headers: &HeaderMap,
    extensions: &Extensions,
    (channel, request_id): (Channel, &str),
) -> Result<Arc<Caller>, Error> {
    authenticate_by(state, credential(uri, headers)?, extensions, (channel, request_id)).await
}

/// The bearer token of a request.
///
/// # Errors
/// [`Error::Unauthenticated`] if there is none, or one in the URL.
pub fn credential<'r>(uri: &Uri, headers: &'r HeaderMap) -> Result<&'r str, Error> {
    reject_token_in_url(uri)?;
    bearer(headers)?.ok_or(NO_CREDENTIAL)
}

/// As [`authenticate`], with this credential of the request.
///
/// # Errors
/// As [`authenticate`].
pub async fn authenticate_by(
    state: &AppState,
    credential: &str,
    extensions: &Extensions,
    (channel, request_id): (Channel, &str),
) -> Result<Arc<Caller>, Error> {
    let found = sign_in(state, credential, ClientAddress::of(extensions), channel, request_id).await;
    if let Err(Error::RateLimited { .. }) = found {
        sleep(RATE_LIMITED_DELAY).await;
    }
    let caller = found?;
    count_connection(&ConnectionHandle::of(extensions), &caller)?;
    Ok(Arc::new(caller))
}

/// Counts a connection on the account of the first caller that signs in on it.
///
/// # Errors
/// [`Error::RateLimited`] if the caller has as many connections as it may.
pub fn count_connection(peer: &ConnectionHandle, caller: &Caller) -> Result<(), Error> {
    peer.sign_in(|| caller.share_holder())
        .map_err(|TooManyConnections| Error::RateLimited { retry_after_seconds: 1 })
}

/// Authenticates this token or session, and counts a request against its caller's rate limit. A token without a signature is
/// not looked up if too many credentials from its address were rejected.
///
/// # Errors
/// [`Error::Unauthenticated`], [`Error::RateLimited`], or [`Error::Unavailable`] if the database doesn't respond.
pub async fn sign_in(
    state: &AppState,
    bearer: &str,
    ClientAddress(address): ClientAddress,
    channel: Channel,
    request_id: &str,
) -> Result<Caller, Error> {
    let origin = CallOrigin::new(request_id, self::channel(bearer, channel), Some(address));
    state.limiter.check_wait(bearer)?;
    let proven = state.registry.verify_credential(bearer).await;
    // A signed token can't be guessed. So callers that share an address with a guesser can still sign in with one.
    let is_signed = proven.as_ref().is_ok_and(VerifiedCredential::is_signed);
    if !is_signed {
        state.limiter.check_address(address, bearer)?;
    }
    let found = match proven {
        Ok(proven) => state.hub.look_up(proven, bearer, &origin).await,
        Err(err) => Err(err),
    };
    match &found {
        Ok(_) if is_signed => {}
        Ok(_) => state.limiter.record_accepted(bearer),
        Err(Error::Unauthenticated(_)) => state.limiter.record_rejected(address, bearer),
        Err(_) => {}
    }
    let caller = found?;
    state.limiter.count_request(&caller, bearer)?;
    Ok(caller)
}

/// Charges what the caller with this credential uses beyond its request.
#[must_use]
pub(in crate::http) fn meter(
    state: &AppState,
    caller: &Arc<Caller>,
    RequestCredential(credential): &RequestCredential,
) -> Meter {
    Meter::new(state.limiter.clone(), Arc::clone(caller), Arc::clone(credential))
}

/// Rejects a request with a token in its URL, even if `Authorization` has another one: URLs end up in histories and
/// logs (RFC 6750, section 2.3; RFC 9700, section 4.3.2).
///
/// # Errors
/// [`Error::Unauthenticated`] if the query has a parameter `access_token`.
pub fn reject_token_in_url(uri: &Uri) -> Result<(), Error> {
    // Percent-decoded: `access%5Ftoken` is the same name.
    let given =
        Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(given)| given).unwrap_or_default();
    if given.iter().any(|(name, _)| name.eq_ignore_ascii_case("access_token")) {
        return Err(Error::Unauthenticated(
            "don't send a token in the URL; send it in the Authorization header",
        ));
    }
    Ok(())
}
