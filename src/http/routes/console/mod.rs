//! The console: one page for all of its addresses, and the files that the page loads, compiled into the binary. They need
//! no credential: what the page shows, it asks `/graphql` for, as any client.

use std::{collections::HashMap, sync::LazyLock};

use axum::{
    Router,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

use crate::{
    domain::Error,
    http::{
        AppState,
        caller::RequestId,
        negotiate::{header_list::members, static_body::StaticBody},
        problem::{self, Problem},
    },
};

mod files;

use files::{DOCUMENTS, EmbeddedFile, FILES, PAGE};

/// The Content-Security-Policy of all pages but the explorer's. It needs no hash: neither script nor style is inline.
pub(in crate::http) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The addresses of the page, apart from `/`.
const PAGES: [&str; 8] = [
    "/c",
    "/c/{*rest}",
    "/platform",
    "/platform/{*rest}",
    "/settings",
    "/settings/{*rest}",
    "/sign-in",
    "/invitations/{*rest}",
];

/// A file that is served.
struct Asset {
    kind: &'static str,
    is_hashed: bool,
    body: StaticBody,
}

static INDEX: LazyLock<Option<Asset>> = LazyLock::new(|| PAGE.as_ref().map(asset));
static ASSETS: LazyLock<HashMap<&'static str, Asset>> =
    LazyLock::new(|| FILES.iter().map(|file| (file.name, asset(file))).collect());

fn asset(file: &EmbeddedFile) -> Asset {
    let EmbeddedFile { name, plain, brotli, gzip } = file;
    let is_hashed = name.starts_with("assets/");
    Asset { kind: kind(name), is_hashed, body: StaticBody::precompressed(plain, *brotli, *gzip) }
}

/// The media type of a file, by the end of its name.
fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        Some(_) | None => "application/octet-stream",
    }
}

/// The documents that the console sends, as a JSON object of hashes and documents; `None` if they weren't built.
#[must_use]
pub fn documents() -> Option<&'static str> {
    DOCUMENTS
}

/// The routes of the console.
pub(in crate::http) fn routes() -> Router<AppState> {
    let pages = PAGES.iter().fold(Router::new(), |routes, path| routes.route(path, get(page)));
    pages.route("/", get(root)).route("/console/{*name}", get(file))
}

/// `/`: the console for browsers, and the explorer for everything else.
async fn root(state: State<AppState>, id: RequestId, request: HeaderMap) -> Response {
    let mut response = match INDEX.as_ref() {
        Some(index) if is_browser(&request) => send_page(&state.0, index, &id.0, &request).await,
        Some(_) | None => Redirect::temporary("graphiql").into_response(),
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

/// The page. Its own router reads the address.
async fn page(State(state): State<AppState>, RequestId(id): RequestId, request: HeaderMap) -> Response {
    match INDEX.as_ref() {
        Some(index) => send_page(&state, index, &id, &request).await,
        None => Problem::new(&Error::NotFound("console in this build"), &id).into_response(),
    }
}

/// A file of the page. One in the folder `assets` has the hash of its content in its name, so it never changes.
async fn file(
    State(state): State<AppState>,
    name: Result<Path<String>, PathRejection>,
    RequestId(id): RequestId,
    request: HeaderMap,
) -> Response {
    let asked = name.ok().and_then(|Path(name)| ASSETS.get(name.as_str()));
    let Some(asset) = asked else { return Problem::new(&Error::NotFound("file"), &id).into_response() };
    let caching = if asset.is_hashed { "public, max-age=31536000, immutable" } else { "no-cache" };
    send(&state, asset, caching, &id, &request).await
}

/// The fallback for unknown paths: the page for a browser that navigates there, which says that there is nothing, and a
/// problem for everything else. Both are 404.
pub(in crate::http) async fn page_or_problem(
    State(state): State<AppState>,
    method: Method,
    id: RequestId,
    request: HeaderMap,
) -> Response {
    match INDEX.as_ref() {
        Some(index) if method == Method::GET && is_navigation(&request) => {
            // Without the conditions of the request: a 304 would be a success.
            let mut response = send_page(&state, index, &id.0, &HeaderMap::new()).await;
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
        Some(_) | None => problem::no_path(id).await.into_response(),
    }
}

async fn send_page(state: &AppState, index: &Asset, request_id: &str, request: &HeaderMap) -> Response {
    send(state, index, "no-cache", request_id, request).await
}

async fn send(
    state: &AppState,
    asset: &Asset,
    caching: &'static str,
    request_id: &str,
    request: &HeaderMap,
) -> Response {
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, caching),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // An address of the console names customers and agents.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    asset.body.answer(&state.tasks, request, request_id, headers).await
}

/// Whether the client asks for HTML by name, as browsers do. `*/*` is what programs send.
fn is_browser(request: &HeaderMap) -> bool {
    members(request, header::ACCEPT).any(|range| {
        let kind = range.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/html")
    })
}

/// Whether a browser opens this address as a page.
fn is_navigation(request: &HeaderMap) -> bool {
    let mode = HeaderName::from_static("sec-fetch-mode");
    is_browser(request) && request.get(mode) == Some(&HeaderValue::from_static("navigate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_only_for_files_that_are_served() {
        let Some(page) = PAGE else { return };
        let page = str::from_utf8(page.plain).unwrap();
        let asked = ["src=\"", "href=\""].iter().flat_map(|attribute| page.split(attribute).skip(1));
        for address in asked.filter_map(|rest| rest.split('"').next()) {
            let name = address.strip_prefix("/console/").unwrap_or_else(|| panic!("{address}"));
            assert!(ASSETS.contains_key(name), "{address} is not served");
        }
        assert!(!page.contains("<style") && !page.contains("style=") && !page.contains("onload="), "{page}");
    }

    #[test]
    fn a_browser_asks_for_html_by_name() {
        let accept = |text| HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(text))]);
        assert!(is_browser(&accept("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")));
        for other in ["*/*", "application/json", "text/*", "text/htmlx"] {
            assert!(!is_browser(&accept(other)), "{other}");
        }
        assert!(!is_browser(&HeaderMap::new()));
    }
}
