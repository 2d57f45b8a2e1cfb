//! CORS: the other origins whose pages may send requests and read responses. By default, none.
//!
//! Pages send bearer tokens themselves. The console's cookie doesn't count for other origins, so credentials mode isn't
//! allowed.

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

/// The time for which a browser may cache a preflight response.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_secs(600);
/// The request headers that a page may set.
const REQUEST_HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    IDEMPOTENCY_KEY,
    REQUEST_ID,
];
/// The response headers that a page may read, in addition to the safelisted ones.
const RESPONSE_HEADERS: [HeaderName; 7] = [
    header::ETAG,
    REQUEST_ID,
    header::RETRY_AFTER,
    header::LOCATION,
    header::WWW_AUTHENTICATE,
    header::CONTENT_DISPOSITION,
    HeaderName::from_static("registry-stale-seconds"),
];

/// An origin as browsers send it in `Origin`: scheme, host and port (RFC 6454), or `null` or `file://`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// The origins of pages without a host: sandboxed pages and local files.
const WITHOUT_HOST: [&str; 2] = ["null", "file://"];

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "write it as https://app.example.org, http://localhost:3000, chrome-extension://… or tauri://localhost, \
                            without a path, or as null or file://";
        let text = text.trim();
        if text == "*" {
            return Err(
                "list each origin: with `*`, any web page could send requests, even from within a network that only \
                        its user can reach",
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
            // No page has such an origin: websocket requests carry the http or https origin of their page.
            "ws" | "wss" => return Err(FORM),
            _ => None,
        };
        let host = authority.host();
        let port = authority.as_str().strip_prefix(host).ok_or(FORM)?;
        let is_bare = text.strip_prefix(scheme).and_then(|rest| rest.strip_prefix("://"));
        if is_bare != Some(authority.as_str()) || host.is_empty() || host.contains('*') {
            return Err(FORM);
        }
        // Browsers omit the scheme's default port.
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

/// The allowed origins, in addition to the service's own.
#[derive(Clone, Debug, Default)]
pub struct Origins(Arc<[Origin]>);

impl FromIterator<Origin> for Origins {
    fn from_iter<I: IntoIterator<Item = Origin>>(origins: I) -> Self {
        Self(origins.into_iter().collect())
    }
}

impl Origins {
    /// Whether this `Origin` is allowed.
    #[must_use]
    pub fn allow(&self, origin: &HeaderValue) -> bool {
        self.0.iter().any(|allowed| allowed.0.as_bytes() == origin.as_bytes())
    }

    /// Adds CORS to these routes. Returns them unchanged if no origin is allowed.
    pub(in crate::http) fn add_cors<S: Clone + Send + Sync + 'static>(&self, routes: Router<S>) -> Router<S> {
        if self.0.is_empty() {
            return routes;
        }
        let origins = self.clone();
        let layer = CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(move |origin, _| origins.allow(origin)))
            .allow_methods([Method::GET, Method::HEAD, Method::POST])
            .allow_headers(REQUEST_HEADERS)
            .expose_headers(RESPONSE_HEADERS)
            .max_age(PREFLIGHT_MAX_AGE);
        routes.layer(PreflightLayer(layer))
    }
}

/// A layer that applies [`CorsLayer`], except to `OPTIONS` requests that aren't preflights: those reach the routes.
#[derive(Clone)]
struct PreflightLayer(CorsLayer);

/// The service of [`PreflightLayer`].
#[derive(Clone)]
struct PreflightService<S> {
    service: S,
    ruled: Cors<S>,
}

impl<S: Clone> Layer<S> for PreflightLayer {
    type Service = PreflightService<S>;

    fn layer(&self, service: S) -> PreflightService<S> {
        PreflightService { ruled: self.0.layer(service.clone()), service }
    }
}

impl<S> Service<Request> for PreflightService<S>
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
