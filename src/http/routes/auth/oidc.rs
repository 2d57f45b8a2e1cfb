//! `/auth/sign-in` and `/auth/callback`: signing in at an issuer. The protocol itself is in `domain::auth::oidc`.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{Extensions, HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{COMMAND, Page, Part, failure, needs_tls, place, session_cookie, with_cookies};
use crate::{
    domain::{
        Error,
        auth::oidc::{SIGN_IN_LIFETIME, SignInError, SignInStart},
    },
    http::{
        AppState,
        caller::RequestId,
        cookie::{CookieHost, CookieKind},
        server::host::requested_authority,
    },
};

/// The parameters of a sign-in.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Parameters {
    /// The issuer, where there are several.
    issuer: Option<String>,
    /// The path of the page to show afterwards.
    #[serde(alias = "next")]
    return_to: Option<String>,
    /// Whether this request was redirected to the public URL already.
    #[serde(default)]
    redirected: bool,
}

/// Sends the browser to the issuer.
pub(super) async fn sign_in(
    State(state): State<AppState>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Query(Parameters { issuer, return_to, redirected }) = parameters.unwrap_or_default();
    let Some(public_url) = state.hosts.public_url().filter(|_| !state.registry.sign_in_issuers().is_empty())
    else {
        return by_command();
    };
    let public_url = public_url.as_str();
    // The issuer sends the browser back to the public URL, where it has no cookie of another host.
    let is_there = requested_authority(&uri, &headers).is_some_and(|authority| {
        public_url
            .split_once("://")
            .is_some_and(|(_, public)| public.eq_ignore_ascii_case(authority.as_str()))
    });
    if !is_there && !redirected {
        let query = address("", issuer.as_deref(), return_to.as_deref());
        return Redirect::to(&format!("{public_url}/auth/sign-in{query}&redirected=true")).into_response();
    }
    let Some(host) = CookieHost::of(&state, &uri, &headers) else { return needs_tls() };
    match state.registry.begin_sign_in(issuer.as_deref(), public_url, return_to.as_deref()).await {
        Ok(SignInStart { address, state }) => {
            let cookie = host.set(CookieKind::SignIn, &state.to_cookie(), SIGN_IN_LIFETIME);
            with_cookies(Redirect::to(&address).into_response(), [cookie])
        }
        Err(SignInError::SeveralIssuers) => choose(&state, return_to.as_deref()),
        Err(err) => refused(&err),
    }
}

/// Finishes the sign-in of a browser that comes back from the issuer.
pub(super) async fn callback(
    State(state): State<AppState>,
    RequestId(id): RequestId,
    uri: Uri,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    let Some(public_url) = state.hosts.public_url() else { return by_command() };
    let Some(host) = CookieHost::of(&state, &uri, &headers) else { return needs_tls() };
    // It is good for one sign-in, whatever comes of it.
    let spent = host.remove(CookieKind::SignIn);
    let cookie = host.read(CookieKind::SignIn, &headers).unwrap_or_default();
    let query = uri.query().unwrap_or_default();
    let identity = match state.registry.finish_sign_in(query, cookie, public_url.as_str()).await {
        Ok(identity) => identity,
        Err(err) => return with_cookies(refused(&err), [spent]),
    };
    match state.registry.start_session(identity.claims(), place(&extensions, &headers, &id)).await {
        Ok(session) => {
            state.hub.wait_until_caught_up().await;
            let path = identity.return_path().as_str();
            let parts = [Part::Link("Go on", path)];
            let page = Page::new(StatusCode::OK, "You are signed in", &parts);
            let page = Page { moves_to: Some(path), ..page };
            with_cookies(page.into_response(), [session_cookie(host, &session), spent])
        }
        Err(Error::Forbidden(_)) => with_cookies(no_access(), [spent]),
        Err(err) => with_cookies(failure(&err), [spent]),
    }
}

/// The page for a person whom nobody has given a right.
fn no_access() -> Response {
    let parts = [
        Part::Text("You have signed in, but nobody has given you access to this registry yet."),
        Part::Note(
            "Ask an ADMIN of your organisation for an invitation to the address that your identity provider has verified.",
        ),
        Part::Link("Sign in again", "/auth/sign-in"),
    ];
    Page::new(StatusCode::FORBIDDEN, "No access yet", &parts).into_response()
}

/// The page where no issuer signs browsers in.
fn by_command() -> Response {
    let parts = [
        Part::Text("Print a one-time address on the server, and open it in this browser:"),
        Part::Command(COMMAND),
        Part::Note(
            "An operator can let people sign in at an identity provider: JWT_CLIENT_ID and PUBLIC_URL.",
        ),
    ];
    Page::new(StatusCode::OK, "Sign in", &parts).into_response()
}

/// The page with the issuers to choose from.
fn choose(state: &AppState, return_to: Option<&str>) -> Response {
    let issuers = state.registry.sign_in_issuers();
    let addresses: Vec<(&str, String)> =
        issuers.iter().map(|issuer| (*issuer, address("/auth/sign-in", Some(issuer), return_to))).collect();
    let parts: Vec<Part<'_>> =
        addresses.iter().map(|(issuer, address)| Part::Link(issuer, address)).collect();
    Page::new(StatusCode::OK, "Choose where to sign in", &parts).into_response()
}

/// The page for a sign-in that failed.
fn refused(err: &SignInError) -> Response {
    let status = if err.is_unavailable() { StatusCode::BAD_GATEWAY } else { StatusCode::BAD_REQUEST };
    let mut parts = vec![Part::Text(err.message())];
    if err.may_retry() {
        parts.push(Part::Link("Sign in again", "/auth/sign-in"));
    }
    Page::new(status, "Signing in failed", &parts).into_response()
}

/// A path with the parameters of a sign-in.
fn address(path: &str, issuer: Option<&str>, return_to: Option<&str>) -> String {
    let given = [("issuer", issuer), ("return_to", return_to)];
    let given = given.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", encode(value?))));
    format!("{path}?{}", given.collect::<Vec<_>>().join("&"))
}

/// Percent-encodes a parameter.
fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
        encoded
    })
}
