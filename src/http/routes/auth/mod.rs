//! `/auth`: signing in to the console and out of it. A one-time address or an issuer signs a browser in; both end in a
//! session, whose cookie these routes set.

use std::sync::LazyLock;

use axum::{
    Json, Router,
    extract::State,
    http::{Extensions, HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use crate::{
    domain::{
        CallOrigin, Error, Principal,
        change::Channel,
        session::{LIFETIME, SignInPlace, StartedSession},
    },
    http::{
        AppState,
        caller::{self, ClientAddress, RequestId},
        cookie::{self, CookieHost, CookieKind, NEEDS_TLS},
        negotiate::static_body::StaticBody,
        problem,
    },
};

mod client;
mod link;
mod oidc;
mod page;

use page::{Page, Part};

/// The beginning of one-time addresses.
const LINKS: &str = "/auth/link/";
/// The command that prints a one-time address.
const COMMAND: &str = "agent-registry console";

static STYLE: LazyLock<StaticBody> =
    LazyLock::new(|| StaticBody::new(&include_bytes!("../../../../assets/auth/page.css")[..]));

/// The routes of signing in.
pub(in crate::http) fn routes() -> Router<AppState> {
    Router::new()
        .route("/auth/sign-in", get(oidc::sign_in))
        .route("/auth/callback", get(oidc::callback))
        .route("/auth/link/{secret}", get(link::show).post(link::spend))
        .route("/auth/sign-out", post(sign_out))
        .route("/auth/session", get(session))
        .route("/auth/page.css", get(style))
}

/// The path without the secret of a one-time address, for log lines.
#[must_use]
pub(in crate::http) fn without_secret(path: &str) -> &str {
    if path.starts_with(LINKS) { LINKS } else { path }
}

async fn style(State(state): State<AppState>, RequestId(id): RequestId, request: HeaderMap) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    STYLE.answer(&state.tasks, &request, &id, headers).await
}

/// Names the user of this browser's session, as an object with the member `name`, which is null without a session. For pages that
/// need to know it before they ask `/graphql`, which would answer with an error.
async fn session(
    State(state): State<AppState>,
    RequestId(id): RequestId,
    uri: Uri,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    let name = match cookie::of_console(&state, &uri, &headers) {
        Ok(Some(credential)) => {
            let found =
                caller::authenticate_by(&state, &credential, &extensions, (Channel::Console, &id)).await;
            match found.as_ref().map(|caller| &caller.principal) {
                Ok(Principal::User(user)) => user.name.clone().or_else(|| Some(user.subject.clone())),
                Ok(Principal::ApiKey(_) | Principal::Service(_) | Principal::System) | Err(_) => None,
            }
        }
        Ok(None) | Err(_) => None,
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(serde_json::json!({ "name": name }))).into_response()
}

/// Ends the browser's session. The answer removes the cookie, also of a session that has ended already.
async fn sign_out(
    State(state): State<AppState>,
    RequestId(id): RequestId,
    uri: Uri,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    let Some(host) = CookieHost::of(&state, &uri, &headers) else { return needs_tls() };
    if cookie::check_page(&state, &uri, &headers).is_err() {
        return not_from_here();
    }
    let elsewhere = match cookie::of_console(&state, &uri, &headers) {
        Ok(Some(credential)) => match end(&state, &credential, &extensions, &id).await {
            Ok(elsewhere) => elsewhere,
            Err(Error::Unauthenticated(_)) => None,
            Err(err) => return failure(&err),
        },
        // A cookie that can't be read is removed all the same.
        Ok(None) | Err(_) => None,
    };
    let note = Part::Note("Your identity provider may still have you signed in.");
    let parts = match &elsewhere {
        Some(address) => {
            vec![note, Part::Link("Sign out there too", address), Part::Link("Sign in again", "/")]
        }
        None => vec![Part::Link("Sign in again", "/")],
    };
    let page = Page::new(StatusCode::OK, "You are signed out", &parts);
    with_cookies(page.into_response(), [host.remove(CookieKind::Session)])
}

/// Ends the session with this credential. Returns the address that ends the session at its user's issuer.
async fn end(
    state: &AppState,
    credential: &str,
    extensions: &Extensions,
    id: &str,
) -> Result<Option<String>, Error> {
    let caller = caller::authenticate_by(state, credential, extensions, (Channel::Console, id)).await?;
    if let Some(session) = caller.session() {
        state.registry.revoke_session(&caller, session).await?;
        state.hub.wait_until_caught_up().await;
    }
    let (Principal::User(user), Some(public)) = (&caller.principal, state.hosts.public_url()) else {
        return Ok(None);
    };
    Ok(state.registry.sign_out_address(&user.issuer, public.as_str()))
}

/// The request and the browser of a sign-in.
fn place(extensions: &Extensions, headers: &HeaderMap, id: &str) -> SignInPlace {
    let ClientAddress(address) = ClientAddress::of(extensions);
    SignInPlace {
        origin: CallOrigin::new(id, Channel::Console, Some(address)),
        client: client::describe(headers),
    }
}

/// `Set-Cookie` of a new session.
fn session_cookie(host: CookieHost, session: &StartedSession) -> Option<HeaderValue> {
    host.set(CookieKind::Session, &session.secret, LIFETIME)
}

fn with_cookies<const N: usize>(mut response: Response, cookies: [Option<HeaderValue>; N]) -> Response {
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The page where a cookie would travel unencrypted.
fn needs_tls() -> Response {
    Page::new(StatusCode::FORBIDDEN, "Signing in needs TLS", &[Part::Text(NEEDS_TLS)]).into_response()
}

/// The page for a form that another page has sent.
fn not_from_here() -> Response {
    let parts =
        [Part::Text("Another page has sent this request, or a browser that doesn't say which page did.")];
    Page::new(StatusCode::FORBIDDEN, "Not accepted", &parts).into_response()
}

/// The page for an error of the domain.
fn failure(err: &Error) -> Response {
    let text = err.to_string();
    let parts = [Part::Text(&text), Part::Link("Try again", "/")];
    Page::new(problem::status(err), "Signing in failed", &parts).into_response()
}
