//! Which pages of other origins may ask here, and read the answers: none, unless they are named.
//!
//! Credentials are bearer tokens that a page gives itself. No cookie is known here, so none may be sent.

use std::{
    fmt,
    str::FromStr,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, Uri, header},
    response::Response,
};
use futures_util::{FutureExt, future::BoxFuture};
use tower::{Layer, Service};
use tower_http::cors::{AllowOrigin, Cors, CorsLayer};

use crate::http::{caller::REQUEST_ID, routes::rest::IDEMPOTENCY_KEY};

/// How long a browser may keep what it was told about a door.
const KEPT: Duration = Duration::from_secs(600);
/// What a page may send of its own.
const SENT: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    IDEMPOTENCY_KEY,
    REQUEST_ID,
];
/// What it may read of an answer, besides what any page may.
const READ: [HeaderName; 7] = [
    header::ETAG,
    REQUEST_ID,
    header::RETRY_AFTER,
    header::LOCATION,
    header::WWW_AUTHENTICATE,
    header::CONTENT_DISPOSITION,
    HeaderName::from_static("registry-stale-seconds"),
];

/// The origin of a page, as its browser writes it in `Origin`: scheme, host and port (RFC 6454), or a word for pages that
/// have none of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// What pages from files, and pages without an origin of their own, are said to be of.
const WITHOUT_HOST: [&str; 2] = ["null", "file://"];

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write it as https://app.example.org, http://localhost:3000, chrome-extension://… or tauri://localhost, \
                            without a path, or as null or file://";
        let text = text.trim();
        if text == "*" {
            return Err(
                "name each origin: with `*`, any page that is open somewhere could ask here, also from \
                        within a network that only its user can reach",
            );
        }
        let text = text.to_ascii_lowercase();
        if WITHOUT_HOST.contains(&text.as_str()) {
            return Ok(Self(text));
        }
        let uri: Uri = text.parse().map_err(|_| FORM)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(FORM);
        };
        let usual = match scheme {
            "http" => Some(80),
            "https" => Some(443),
            // A page is never of these: its origin is that of http or https.
            "ws" | "wss" => return Err(FORM),
            _ => None,
        };
        let host = authority.host();
        let port = authority.as_str().strip_prefix(host).ok_or(FORM)?;
        let is_bare = text.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
        if is_bare != Some(authority.as_str()) || host.is_empty() || host.contains('*') {
            return Err(FORM);
        }
        // A browser leaves out the port that is usual.
        Ok(match (port, authority.port_u16()) {
            ("", None) => Self(format!("{scheme}://{host}")),
            (_, port @ Some(_)) if port == usual => Self(format!("{scheme}://{host}")),
            (_, Some(port)) => Self(format!("{scheme}://{host}:{port}")),
            (_, None) => return Err(FORM),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The origins whose pages may ask here, besides the service's own.
#[derive(Clone, Debug, Default)]
pub struct Origins(Arc<[Origin]>);

impl FromIterator<Origin> for Origins {
    fn from_iter<I: IntoIterator<Item = Origin>>(origins: I) -> Self {
        Self(origins.into_iter().collect())
    }
}

impl Origins {
    /// Whether pages of the origin that this header names may ask.
    #[must_use]
    pub fn allow(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|allowed| allowed.0.as_bytes() == origin.as_bytes())
    }

    /// These routes, for those pages too. Without any origin they stay as they are.
    pub(in crate::http) fn open<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        if self.0.is_empty() {
            return routes;
        }
        let origins = self.clone();
        let layer = CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(move |origin, _| origins.allow(origin)))
            .allow_methods([Method::GET, Method::HEAD, Method::POST])
            .allow_headers(SENT)
            .expose_headers(READ)
            .max_age(KEPT);
        routes.layer(Questions(layer))
    }
}

/// Leaves a browser's questions beforehand to the rules above, and no other request of that method.
#[derive(Clone)]
struct Questions(CorsLayer);

/// The same over a service.
#[derive(Clone)]
struct Asked<S> {
    service: S,
    ruled: Cors<S>,
}

impl<S: Clone> Layer<S> for Questions {
    type Service = Asked<S>;

    fn layer(&self, service: S) -> Asked<S> {
        Asked { ruled: self.0.layer(service.clone()), service }
    }
}

impl<S> Service<Request> for Asked<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        ready!(self.service.poll_ready(cx))?;
        self.ruled.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let headers = request.headers();
        let is_asked = headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if request.method() == Method::OPTIONS && !is_asked {
            self.service.call(request).boxed()
        } else {
            self.ruled.call(request).boxed()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_host_and_port_and_nothing_else() {
        for (text, origin) in [
            ("https://app.example.org", "https://app.example.org"),
            (" HTTPS://App.Example.org:443", "https://app.example.org"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://localhost:443", "http://localhost:443"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("null", "null"),
            ("file://", "file://"),
            ("chrome-extension://ABCDEFGHIJKLMNOP", "chrome-extension://abcdefghijklmnop"),
            (
                "moz-extension://01a20326-e777-71ce-9264-eefdca7dad0e",
                "moz-extension://01a20326-e777-71ce-9264-eefdca7dad0e",
            ),
            ("tauri://localhost", "tauri://localhost"),
            ("app://obsidian.md", "app://obsidian.md"),
            ("capacitor://localhost:8443", "capacitor://localhost:8443"),
        ] {
            assert_eq!(text.parse().map(|Origin(origin)| origin), Ok(origin.to_owned()), "{text}");
        }
        for text in [
            "*",
            "",
            "app.example.org",
            "https://",
            "https://*.example.org",
            "https://app.example.org/",
            "https://app.example.org/path",
            "https://app.example.org?q",
            "https://app.example.org#f",
            "https://me@app.example.org",
            "https://app.example.org:",
            "https://app.example.org:x",
            "https://app.example.org:99999",
            "ws://app.example.org",
            "file:///etc",
            "file:",
            "chrome-extension://",
            "chrome-extension://*",
            "chrome-extension://id/page.html",
            "data:text/html,x",
        ] {
            assert!(text.parse::<Origin>().is_err(), "{text}");
        }
    }
}
