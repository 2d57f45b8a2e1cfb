//! The cookie of a session: how it is named and set, and for which requests it is honoured.
//!
//! A browser adds a cookie to every request to the service, whichever page sends it. So a cookie counts only where the
//! browser itself says that one of the service's own pages has sent the request: never for another origin, not even one
//! that CORS allows, and never on the routes of programs (`/v1`, `/internal`), which don't read it.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header, request::Parts};
use chrono::TimeDelta;

use super::{
    AppParts,
    server::host::{is_same_authority, requested_authority},
};
use crate::domain::{
    Error,
    auth::opaque_token::{OpaqueToken, TokenKind},
};

/// The most bytes of all cookies of a request. Browsers send a few KiB at most.
const COOKIES_BYTES_MAX: usize = 16 * 1024;
/// The header in which a browser says which page has sent a request. Pages can't set it.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The message where a cookie would travel unencrypted.
pub(in crate::http) const NEEDS_TLS: &str = "signing in needs TLS: open the service by https; set TLS_CERT and TLS_KEY, or PUBLIC_URL to the https address of a proxy that passes the Host header on";

/// The content of a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum CookieKind {
    /// A session.
    Session,
    /// The state of a sign-in while the browser is at the issuer. Browsers send it when the issuer sends them back, so it
    /// can't be `Strict`.
    SignIn,
}

impl CookieKind {
    fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::SignIn => "signin",
        }
    }

    fn same_site(self) -> &'static str {
        match self {
            Self::Session => "Strict",
            Self::SignIn => "Lax",
        }
    }

    /// The most bytes of its value. A session's has 108 bytes, and browsers store 4,096.
    fn bytes_max(self) -> usize {
        match self {
            Self::Session => 256,
            Self::SignIn => 4096,
        }
    }
}

/// How a browser reaches the service, which decides the names of the cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) enum CookieHost {
    /// Over TLS. Browsers accept the prefix `__Host-` only with `Secure`, for the whole host and no other.
    Secure,
    /// Over plain HTTP on this machine. Cookies ignore ports, so the name holds it: two services on one machine would
    /// overwrite each other's cookie.
    Loopback(u16),
}

impl CookieHost {
    /// The host of this request. `None` over plain HTTP from another machine, where nobody can be signed in. A proxy that
    /// ends TLS is known by `PUBLIC_URL`.
    pub(in crate::http) fn of(state: &AppParts, uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        if state.is_tls {
            return Some(Self::Secure);
        }
        let authority = requested_authority(uri, headers)?;
        if state.hosts.is_public_by_tls(&authority) {
            return Some(Self::Secure);
        }
        let is_loopback = state.hosts.is_loopback(&authority);
        is_loopback.then(|| Self::Loopback(authority.port_u16().unwrap_or(80)))
    }

    /// The name of a cookie.
    fn name(self, kind: CookieKind) -> String {
        match self {
            Self::Secure => format!("__Host-{}", kind.name()),
            Self::Loopback(port) => format!("{}-{port}", kind.name()),
        }
    }

    /// `Set-Cookie` with this value, for this long.
    pub(in crate::http) fn set(self, kind: CookieKind, value: &str, age: TimeDelta) -> Option<HeaderValue> {
        let secure = match self {
            Self::Secure => "; Secure",
            Self::Loopback(_) => "",
        };
        let (name, same_site, age) = (self.name(kind), kind.same_site(), age.num_seconds().max(0));
        let text = format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite={same_site}{secure}");
        HeaderValue::from_str(&text).ok()
    }

    /// `Set-Cookie` that removes a cookie.
    pub(in crate::http) fn remove(self, kind: CookieKind) -> Option<HeaderValue> {
        self.set(kind, "", TimeDelta::zero())
    }

    /// The value of a cookie, if the request has it.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] if it is there twice or is too long, or if all cookies together are.
    pub(in crate::http) fn read(self, kind: CookieKind, headers: &HeaderMap) -> Result<Option<&str>, Error> {
        let name = self.name(kind);
        let cookies = headers.get_all(header::COOKIE);
        if cookies.iter().map(HeaderValue::len).sum::<usize>() > COOKIES_BYTES_MAX {
            return Err(Error::Unauthenticated("the request has more than 16 KiB of cookies"));
        }
        let pairs = cookies.iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        let mut values = pairs.filter_map(|pair| {
            let (found, value) = pair.trim_ascii().split_at_checked(name.len())?;
            if found == name.as_bytes() { value.strip_prefix(b"=") } else { None }
        });
        let Some(value) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(Error::Unauthenticated(
                "the request has a cookie of this service twice; send it once",
            ));
        }
        if value.len() > kind.bytes_max() {
            return Err(Error::Unauthenticated("a cookie of this service is too long"));
        }
        str::from_utf8(value).map(Some).map_err(|_| MALFORMED)
    }

    /// The value of the session's cookie. No other credential is accepted in a cookie.
    fn read_session(self, headers: &HeaderMap) -> Result<Option<&str>, Error> {
        match self.read(CookieKind::Session, headers)? {
            Some(value) if !OpaqueToken::claims(TokenKind::Session, value) => Err(MALFORMED),
            value => Ok(value),
        }
    }
}

const MALFORMED: Error = Error::Unauthenticated("the session cookie is malformed; sign in again");

/// The value of the session's cookie of a request to `/graphql`: a POST of JSON from one of the service's own pages, which
/// browsers name in `Origin` too. `None` without a cookie.
///
/// # Errors
/// [`Error::Unauthenticated`] if the request has a cookie that isn't honoured.
pub(in crate::http) fn of_graphql(state: &AppParts, parts: &Parts) -> Result<Option<Arc<str>>, Error> {
    let Some(value) = of_request(state, &parts.uri, &parts.headers)? else { return Ok(None) };
    if parts.method != Method::POST || !is_json(&parts.headers) {
        return Err(Error::Unauthenticated("a session is accepted with POST and application/json only"));
    }
    check_page(state, &parts.uri, &parts.headers)?;
    if parts.headers.contains_key(header::ORIGIN) { Ok(Some(value.into())) } else { Err(NOT_FROM_HERE) }
}

/// The value of the session's cookie of a handshake that opens a socket. `None` without a cookie. Browsers name the page in
/// `Origin` there.
///
/// # Errors
/// [`Error::Unauthenticated`] if the request has a cookie, and isn't from one of the service's own pages.
pub(in crate::http) fn of_socket(
    state: &AppParts,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Option<Arc<str>>, Error> {
    let Some(value) = of_request(state, uri, headers)? else { return Ok(None) };
    let is_own = names_own_page(state, uri, headers) == Some(true);
    // Not every browser sends it with a handshake.
    let is_same_site = headers.get_all(SEC_FETCH_SITE).iter().all(|site| site == "same-origin");
    if is_own && is_same_site { Ok(Some(value.into())) } else { Err(NOT_FROM_HERE) }
}

/// The value of the session's cookie of a request to one of the console's own routes, from one of its pages. `None` without
/// a cookie.
///
/// # Errors
/// [`Error::Unauthenticated`] if another page has sent the request.
pub(in crate::http) fn of_console(
    state: &AppParts,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Option<Arc<str>>, Error> {
    let Some(value) = of_request(state, uri, headers)? else { return Ok(None) };
    check_page(state, uri, headers)?;
    Ok(Some(value.into()))
}

const NOT_FROM_HERE: Error =
    Error::Unauthenticated("a session is accepted only from this service's own pages");

/// Checks that one of the service's own pages has sent the request, by what the browser says.
///
/// # Errors
/// [`Error::Unauthenticated`].
pub(in crate::http) fn check_page(state: &AppParts, uri: &Uri, headers: &HeaderMap) -> Result<(), Error> {
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    let is_same_site = sites.next().is_some_and(|site| site == "same-origin") && sites.next().is_none();
    let is_own = names_own_page(state, uri, headers) != Some(false);
    if is_same_site && is_own { Ok(()) } else { Err(NOT_FROM_HERE) }
}

fn of_request<'r>(state: &AppParts, uri: &Uri, headers: &'r HeaderMap) -> Result<Option<&'r str>, Error> {
    match CookieHost::of(state, uri, headers) {
        Some(host) => host.read_session(headers),
        // A browser that sends this cookie has got it over TLS.
        None => match CookieHost::Secure.read_session(headers) {
            Ok(None) => Ok(None),
            Ok(Some(_)) | Err(_) => Err(Error::Unauthenticated(NEEDS_TLS)),
        },
    }
}

/// Whether the request's `Origin` is the service's own, and the only one; `None` without one.
fn names_own_page(state: &AppParts, uri: &Uri, headers: &HeaderMap) -> Option<bool> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let is_own = is_own_origin(state, origins.next()?, uri, headers);
    Some(is_own && origins.next().is_none())
}

/// Whether this `Origin` is the service's own. Over TLS, a page of the same host over plain HTTP isn't: somebody on the way
/// may have written it.
fn is_own_origin(state: &AppParts, origin: &HeaderValue, uri: &Uri, headers: &HeaderMap) -> bool {
    let scheme: &[u8] = match CookieHost::of(state, uri, headers) {
        Some(CookieHost::Secure) => b"https://",
        Some(CookieHost::Loopback(_)) => b"http://",
        // Nobody is signed in there, and the answer says so.
        None => b"http",
    };
    let is_of_scheme = origin.as_bytes().starts_with(scheme);
    is_of_scheme && (is_same_authority(origin, uri, headers) || state.hosts.is_public_origin(origin))
}

fn is_json(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = given.and_then(|kind| kind.split(';').next()).map(str::trim);
    essence.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    #[test]
    fn one_cookie_of_the_right_name_is_read() {
        let host = CookieHost::Loopback(8080);
        let value = |lines: &[&str]| {
            host.read_session(&cookies(lines))
                .map(|value| value.map(str::to_owned))
                .map_err(|err| err.to_string())
        };
        assert_eq!(value(&[]), Ok(None));
        assert_eq!(value(&["a=b; session-80=arc_1; xsession-8080=arc_2; session-8080x=arc_3"]), Ok(None));
        assert_eq!(value(&["a=b; session-8080=arc_1;c=d"]), Ok(Some("arc_1".to_owned())));
        assert_eq!(value(&["a=b", "session-8080=arc_1"]), Ok(Some("arc_1".to_owned())));
        for lines in [
            &["session-8080=arc_1; session-8080=arc_1"][..],
            &["session-8080=arc_1", "session-8080=arc_2"],
            &["session-8080="],
            &["session-8080=ark_1"],
            &["session-8080=ey.ey.ey"],
            &[&format!("session-8080=arc_{}", "0".repeat(300))],
            &[&format!("a={}; session-8080=arc_1", "b".repeat(COOKIES_BYTES_MAX))],
        ] {
            assert!(value(lines).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn a_cookie_is_for_this_host_and_no_script() {
        let set =
            |host: CookieHost, value| host.set(CookieKind::Session, value, TimeDelta::hours(1)).unwrap();
        assert_eq!(
            set(CookieHost::Secure, "arc_1"),
            "__Host-session=arc_1; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            set(CookieHost::Loopback(80), "arc_1"),
            "session-80=arc_1; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict"
        );
        let removed = CookieHost::Secure.remove(CookieKind::SignIn).unwrap();
        assert_eq!(removed, "__Host-signin=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure");
    }
}
