//! `/auth/link/{secret}`: a one-time address. GET shows a button and changes nothing, because programs that preview
//! addresses open them too; the button's POST spends it.

use axum::{
    extract::{Path, State},
    http::{Extensions, HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};

use super::{COMMAND, Page, Part, failure, needs_tls, not_from_here, place, session_cookie, with_cookies};
use crate::http::{
    AppState,
    caller::RequestId,
    cookie::{self, CookieHost},
};

/// Shows the button, or that there is nothing to spend.
pub(super) async fn show(
    State(state): State<AppState>,
    Path(secret): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if CookieHost::of(&state, &uri, &headers).is_none() {
        return needs_tls();
    }
    match state.registry.is_open_sign_in_link(&secret).await {
        Ok(true) => {
            let parts = [
                Part::Text("This address signs one browser in, once."),
                Part::Button("Open the console"),
                Part::Note("Not asked for it? Close this page: without a click, nothing happens."),
            ];
            Page::new(StatusCode::OK, "Sign in", &parts).into_response()
        }
        Ok(false) => gone(),
        Err(err) => failure(&err),
    }
}

/// Spends the address.
pub(super) async fn spend(
    State(state): State<AppState>,
    Path(secret): Path<String>,
    RequestId(id): RequestId,
    uri: Uri,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    let Some(host) = CookieHost::of(&state, &uri, &headers) else { return needs_tls() };
    if cookie::check_page(&state, &uri, &headers).is_err() {
        return not_from_here();
    }
    match state.registry.spend_sign_in_link(&secret, place(&extensions, &headers, &id)).await {
        Ok(Some(session)) => {
            // Caches must know an operator that the address has made before the console asks.
            state.hub.wait_until_caught_up().await;
            with_cookies(Redirect::to("/").into_response(), [session_cookie(host, &session)])
        }
        Ok(None) => gone(),
        Err(err) => failure(&err),
    }
}

/// The page for an address that is unknown, spent or expired. It doesn't say which.
fn gone() -> Response {
    let parts = [
        Part::Text("It was used already, or is older than 15 minutes. Print another one on the server:"),
        Part::Command(COMMAND),
    ];
    Page::new(StatusCode::NOT_FOUND, "This address has expired", &parts).into_response()
}
