//! Endpoints for the pages of the console. They require the session of the browser, whose cookie counts only in requests
//! that one of the service's own pages sends. A bearer token is no credential here.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Uri},
    middleware::{self, Next},
    response::Response,
};

use super::{authenticate, respond};
use crate::{
    domain::Error,
    http::{
        AppState,
        caller::{RequestCredential, RequestId, RevocationCount, reject_token_in_url},
        cookie, problem,
    },
};

/// The error for a request without a session.
const NO_SESSION: Error = Error::Unauthenticated(
    "sign in to the console first: this address needs the session of a browser, and accepts no bearer token; programs use /v1",
);

/// These endpoints, behind `require_session`.
pub fn with_session(endpoints: Router<AppState>, state: &AppState) -> Router<AppState> {
    endpoints
        .method_not_allowed_fallback(problem::other_method)
        .layer(middleware::from_fn_with_state(state.clone(), require_session))
}

/// Authenticates the caller by the session's cookie, or returns the error as a problem.
async fn require_session(
    State(state): State<AppState>,
    RequestId(id): RequestId,
    request: Request,
    next: Next,
) -> Response {
    let since = RevocationCount(state.hub.revocation_log().count());
    let found = match session(&state, request.uri(), request.headers()) {
        Ok(session) => authenticate(&state, RequestCredential(session), request.extensions(), &id).await,
        Err(err) => Err(err),
    };
    respond((&state, &id), (found, since), "Cookie", (request, next)).await
}

/// The value of the session's cookie.
///
/// # Errors
/// [`Error::Unauthenticated`] if there is none, or another page has sent the request.
fn session(state: &AppState, uri: &Uri, headers: &HeaderMap) -> Result<Arc<str>, Error> {
    reject_token_in_url(uri)?;
    cookie::of_console(state, uri, headers)?.ok_or(NO_SESSION)
}
