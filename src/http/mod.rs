//! The door: every route and every layer on one screen.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{Redirect, Response},
    routing::{any, get},
};
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use crate::{domain::Registry, feed::Hub, graphql::Api, task::Tasks};

mod accept;
mod address;
mod body;
mod caller;
mod compress;
mod cors;
mod etag;
mod explain;
mod graphiql;
mod graphql;
mod health;
mod limit;
mod line;
mod list;
mod openapi;
mod pace;
mod problem;
mod rest;
mod serve;
mod socket;
mod sse;
mod tls;

pub use address::TrustedProxies;
pub use cors::{Origin, Origins};
pub use limit::Limiter;
pub use line::Peer;
pub use openapi::text as openapi;
pub use pace::LineLimits;
pub use rest::{Excerpts, render};
pub use serve::serve;
pub use socket::{SocketLimits, Sockets};
pub use tls::{TLS_LOOK, Tls, TlsError};

/// What every handler has at hand. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    /// The schema.
    pub api: Api,
    /// The verbs.
    pub registry: Registry,
    /// The watchers' meeting place.
    pub hub: Hub,
    /// Where sockets and streams run.
    pub tasks: Tasks,
    /// The sockets that are open.
    pub sockets: Sockets,
    /// The excerpts of the log that are being written.
    pub excerpts: Excerpts,
    /// Who asked how often.
    pub limiter: Limiter,
    /// Who is believed when it says whom it asks for.
    pub proxies: TrustedProxies,
    /// Whose pages may ask here, besides its own.
    pub origins: Origins,
    /// What renders the counts; none when something else counts.
    pub metrics: Option<Arc<PrometheusHandle>>,
}

/// All routes.
pub fn router(door: Door) -> Router {
    let api = Router::new().route("/graphql", any(graphql_or_socket)).merge(rest::routes(&door));
    let routes = door
        .origins
        .open(api)
        .merge(graphiql::routes())
        .route("/", get(|| async { Redirect::temporary("graphiql") }))
        .merge(Router::from(openapi::open()))
        .fallback(problem::no_path)
        .method_not_allowed_fallback(problem::other_method);
    compress::answers(routes)
        .layer(middleware::from_fn_with_state(door.clone(), named))
        .layer(CatchPanicLayer::new())
        .with_state(door)
}

/// `/graphql`: a socket when one is asked for, else one request and its answer, or its events.
async fn graphql_or_socket(state: State<Door>, id: caller::RequestId, request: Request) -> Response {
    if socket::is_asked_for(request.headers()) {
        let State(door) = state;
        return socket::upgrade(door, id, request).await;
    }
    graphql::handle(state, id, request).await
}

/// Gives each request its name, its log line and its headers.
async fn named(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let id = caller::RequestId::of(request.headers(), || door.registry.clock().id());
    let client = door.proxies.client(request.extensions(), request.headers());
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(caller::Client(client));
    let span =
        tracing::info_span!("request", id = %id.0, method = %request.method(), path = request.uri().path());
    let started = std::time::Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(
        || tracing::debug!(status = response.status().as_u16(), elapsed = ?started.elapsed(), "answered"),
    );
    observe(started.elapsed(), response.status().as_u16());
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(caller::REQUEST_ID, id);
    }
    response
}

fn observe(elapsed: Duration, status: u16) {
    metrics::histogram!("registry_request_seconds", "status" => status.to_string())
        .record(elapsed.as_secs_f64());
}
