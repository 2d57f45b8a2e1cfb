//! The HTTP server's routes and layers, and the state that its handlers share.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use futures_util::FutureExt;
use metrics_exporter_prometheus::PrometheusHandle;
use tracing::Instrument;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    domain::{Error, Registry},
    feed::Hub,
    graphql::Api,
    share::MemoryBudget,
    task::Tasks,
};

mod caller;
mod cookie;
mod count;
mod fast_path;
mod limit;
mod meter;
mod negotiate;
mod problem;
mod routes;
mod server;

use negotiate::compress;
use routes::{auth, console, explain, graphiql, graphql, health, openapi, rest, socket};

pub use limit::Limiter;
pub use negotiate::{Origin, Origins};
pub use routes::{
    Description, SocketLimits, Sockets, StreamPermits, console_documents, openapi_text, render,
};
pub use server::{
    Admission, AllowedHost, BoundAddress, ConnectionHandle, ConnectionLimits, Hosts, PublicUrl,
    TLS_RELOAD_INTERVAL, Tls, TlsError, TrustedProxies, bind, serve,
};

/// The state that all handlers share.
pub type AppState = Arc<AppParts>;

/// The parts of the shared state.
pub struct AppParts {
    /// The GraphQL schema and its execution.
    pub api: Api,
    /// The domain's operations.
    pub registry: Registry,
    /// The feed's handle: streams commits, and answers from the caches of credentials and configurations.
    pub hub: Hub,
    /// Spawns the tasks of sockets and event streams.
    pub tasks: Tasks,
    /// Limits and counts the open sockets and event streams.
    pub sockets: Sockets,
    /// Limits the audit excerpts that are being written.
    pub excerpts: StreamPermits,
    /// Limits the exports that are being written.
    pub exports: StreamPermits,
    /// Limits the imports that are being read.
    pub imports: StreamPermits,
    /// The disk space of the imports' temporary files, with a share for each holder.
    pub import_disk: MemoryBudget,
    /// The memory of requests and answers in flight.
    pub budget: MemoryBudget,
    /// Rate limits of callers and addresses.
    pub limiter: Limiter,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub proxies: TrustedProxies,
    /// The other origins whose pages may use the API (CORS).
    pub origins: Origins,
    /// The hosts that requests may be meant for.
    pub hosts: Hosts,
    /// Whether connections are encrypted by this service itself.
    pub is_tls: bool,
    /// The OpenAPI document.
    pub description: Description,
    /// Renders the metrics. `None` if another recorder is installed in the process.
    pub metrics: Option<Arc<PrometheusHandle>>,
}

/// The REST endpoints. They require a credential.
fn rest_endpoints() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(rest::agent::list, rest::agent::create)) // GET, POST /v1/agents
        .routes(routes!(rest::agent::get)) // GET /v1/agents/{id}
        .routes(routes!(rest::version::publish)) // POST /v1/agents/{id}/versions
        .routes(routes!(rest::plan::plan)) // POST /v1/agents/{id}/plan
        .routes(routes!(rest::audit::excerpt)) // GET /v1/customers/{id}/audit
        .routes(routes!(rest::export::export)) // GET /v1/customers/{id}/export
        .routes(routes!(rest::import::import)) // POST /v1/customers/{id}/import
        .routes(routes!(rest::config::active)) // GET /internal/agents/{id}/active
        .routes(routes!(rest::pinned::pinned)) // GET /internal/agents/{id}/versions/{version_id}
}

/// The downloads and the upload of the console's pages: REST endpoints that require a browser's session.
fn console_files() -> Router<AppState> {
    Router::new()
        .route("/console/download/customers/{id}/audit", get(rest::audit::excerpt))
        .route("/console/download/customers/{id}/audit.csv", get(rest::audit_csv::download))
        .route("/console/download/customers/{id}/export", get(rest::export::export))
        .route("/console/upload/customers/{id}", post(rest::import::import))
}

/// The endpoints that document the API. They need no credential.
fn documentation_endpoints() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(openapi::serve)) // GET /openapi.json
        .routes(routes!(explain::problem)) // GET /problems/{name}
}

/// The endpoints for monitoring. They need no credential.
fn monitoring_endpoints() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(health::live)) // GET /livez
        .routes(routes!(health::ready)) // GET /readyz
        .routes(routes!(health::metrics)) // GET /metrics
}

/// Builds the router: all routes with their layers.
pub fn router(state: AppState) -> Router {
    let api = Router::new()
        .route("/graphql", any(graphql_or_socket))
        .merge(rest::with_auth(rest_endpoints().into(), &state))
        .merge(Router::from(documentation_endpoints()));
    let routes = state
        .origins
        .add_cors(api)
        .merge(console::routes())
        .merge(rest::with_session(console_files(), &state))
        .merge(auth::routes())
        .route("/graphiql", get(graphiql::page))
        .route("/graphiql/{file}", get(graphiql::file))
        .merge(Router::from(monitoring_endpoints()))
        .fallback(console::page_or_problem)
        .method_not_allowed_fallback(problem::other_method);
    compress::compress_responses(routes, &state)
        .layer(middleware::from_fn_with_state(state.clone(), request_context))
        .with_state(state)
}

/// `/graphql`: opens a socket if the request is a websocket handshake. Otherwise answers one GraphQL request, with a
/// response or an event stream.
async fn graphql_or_socket(state: State<AppState>, id: caller::RequestId, request: Request) -> Response {
    if socket::is_handshake(request.headers()) {
        let State(state) = state;
        return socket::upgrade(state, id, request).await;
    }
    graphql::handle(state, id, request).await
}

/// The outermost layer. Sets the request's id, its client address and its tracing span, rejects requests for hosts that
/// aren't allowed, and adds the headers that all responses have.
async fn request_context(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = caller::RequestId::of(request.headers(), || state.registry.clock().id());
    let client = state.proxies.client(request.extensions(), request.headers());
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(caller::ClientAddress(client));
    let path = auth::without_secret(request.uri().path());
    let span = tracing::info_span!("request", id = %id.0, method = %request.method(), path);
    let started = std::time::Instant::now();
    let credential = caller::CredentialForm::of(request.uri(), request.headers());
    let mut response = match state.hosts.check(request.version(), request.uri(), request.headers()) {
        Ok(()) => catch_panic(next.run(request), &id.0).instrument(span.clone()).await,
        Err(refusal) => refusal.problem(&id.0).into_response(),
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, credential.challenge());
    }
    span.in_scope(
        || tracing::debug!(status = response.status().as_u16(), elapsed = ?started.elapsed(), "answered"),
    );
    record_duration(started.elapsed(), response.status().as_u16());
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        headers.insert(caller::REQUEST_ID, id);
    }
    response
}

/// Turns a panic of the handler into a 500 problem, so that it ends this request only.
async fn catch_panic(answer: impl Future<Output = Response>, id: &str) -> Response {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        problem::Problem::new(&Error::Internal("the request panicked".into()), id).into_response()
    })
}

fn record_duration(elapsed: Duration, status: u16) {
    metrics::histogram!("registry_request_seconds", "status" => status.to_string())
        .record(elapsed.as_secs_f64());
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_as_a_problem_without_its_words() {
        let response = catch_panic(async { panic!("secret") }, "its-name").await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[header::CONTENT_TYPE], problem::MEDIA_TYPE);
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: serde_json::Value = json_reader::read_as(&body, &server::body::LIMITS).unwrap();
        assert_eq!((&body["code"], &body["request_id"]), (&"INTERNAL".into(), &"its-name".into()));
        assert!(!body.to_string().contains("secret"), "{body}");
    }
}
