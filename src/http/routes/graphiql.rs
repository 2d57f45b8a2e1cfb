//! `GET /graphiql`: the GraphiQL explorer, from files that are compiled into the binary.
//!
//! The page sends requests to this service only: its Content-Security-Policy allows no other origin, no inline
//! script and no `eval`. The files are in `assets/graphiql`; `scripts/graphiql-assets` rebuilds the third-party
//! ones.

use std::sync::LazyLock;

use axum::extract::{Path, State, rejection::PathRejection};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::{
    domain::Error,
    http::{AppState, caller::RequestId, negotiate::static_body::StaticBody, problem::Problem},
};

/// The page's Content-Security-Policy. `data:` is for the fonts and small images in GraphiQL's style sheet.
///
/// GraphiQL inserts one style element, which keeps the page from scrolling behind a dialog or a menu. The policy
/// allows it by its hash, so `'unsafe-inline'` isn't needed. The browser test opens a dialog and a menu: if a new
/// version changes that text, the test fails, and Chromium's message has the new hash. `'self'` in `connect-src`
/// includes sockets of the same origin.
const POLICY: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'sha256-nzTgYzXYDNe6BAHiiI7NNlfK8n/auuOAhh2t92YvuXo='; \
     font-src data:; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// One file of the explorer.
struct Asset {
    name: &'static str,
    kind: &'static str,
    /// The content, with its entity tag. Browsers revalidate each time, and reload only changed files.
    body: LazyLock<StaticBody>,
}

macro_rules! asset {
    ($name:literal, $kind:expr) => {{
        const BODY: &[u8] = include_bytes!(concat!("../../../assets/graphiql/", $name));
        Asset { name: $name, kind: $kind, body: LazyLock::new(|| StaticBody::new(BODY)) }
    }};
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

static PAGE: Asset = asset!("index.html", HTML);

/// The files that the page loads, and the licences of the third-party ones.
static FILES: [Asset; 10] = [
    asset!("boot.css", CSS),
    asset!("boot.js", SCRIPT),
    asset!("events.js", SCRIPT),
    asset!("graphiql.min.css", CSS),
    asset!("graphiql.min.js", SCRIPT),
    asset!("graphql-ws.min.js", SCRIPT),
    asset!("icon.svg", "image/svg+xml"),
    asset!("LICENSES.txt", "text/plain; charset=utf-8"),
    asset!("react-dom.production.min.js", SCRIPT),
    asset!("react.production.min.js", SCRIPT),
];

/// The page. It needs no credential; the schema needs one.
pub async fn page(State(state): State<AppState>, RequestId(id): RequestId, request: HeaderMap) -> Response {
    send(&state, &PAGE, &id, &request).await
}

/// A file of the page, which needs no credential either.
pub async fn file(
    State(state): State<AppState>,
    name: Result<Path<String>, PathRejection>,
    RequestId(id): RequestId,
    request: HeaderMap,
) -> Response {
    let asked = name.ok().and_then(|Path(name)| FILES.iter().find(|asset| asset.name == name));
    match asked {
        Some(asset) => send(&state, asset, &id, &request).await,
        None => Problem::new(&Error::NotFound("file"), &id).into_response(),
    }
}

async fn send(state: &AppState, asset: &'static Asset, request_id: &str, request: &HeaderMap) -> Response {
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    asset.body.answer(&state.tasks, request, request_id, headers).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_asks_only_for_files_that_are_served() {
        let page = include_str!("../../../assets/graphiql/index.html");
        let asked: Vec<&str> = ["src=\"", "href=\""]
            .iter()
            .flat_map(|attribute| page.split(attribute).skip(1))
            .filter_map(|rest| rest.split('"').next())
            // The console.
            .filter(|address| *address != "./")
            .collect();
        assert_eq!(asked.len(), 9);
        for address in asked {
            let name = address.strip_prefix("graphiql/");
            assert!(FILES.iter().any(|asset| Some(asset.name) == name), "{address} is not served");
        }
    }
}
