//! Monitoring: liveness, readiness and metrics.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::schemas;
use crate::{
    feed::{self, Watched},
    http::AppState,
    id::Revision,
};

/// Check liveness.
///
/// Answers as long as the process runs. Doesn't check the database.
#[utoipa::path(
    get, path = "/livez", operation_id = "isLive", tag = "service",
    responses((status = 200, description = "The process is running.", content_type = "text/plain", body = String, example = "ok\n")),
)]
pub async fn live() -> &'static str {
    "ok\n"
}

/// The readiness of an instance, and its lag behind the log.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// Whether the database responds and this instance follows the log.
    ready: bool,
    /// The last commit of the log. Null if the database doesn't respond.
    #[schema(value_type = Option<schemas::Revision>, required)]
    revision: Option<Revision>,
    /// The last commit that this instance has applied.
    #[schema(value_type = schemas::Revision)]
    applied: Revision,
    /// The number of commits that this instance hasn't applied yet. Null if the database doesn't respond.
    #[schema(required, minimum = 0)]
    behind: Option<i64>,
    /// The seconds since this instance last knew the end of the log. Not ready from 10 on.
    seen_seconds_ago: u64,
    /// The reason for not being ready. Null if the instance is ready.
    #[schema(required)]
    reason: Option<String>,
}

/// Check readiness.
///
/// The instance is ready if the database responds and the instance follows the log. Answers within a second; `reason` names
/// the cause, such as a rejected password, and no host, role or database.
#[utoipa::path(
    get, path = "/readyz", operation_id = "isReady", tag = "service",
    responses(
        (status = 200, description = "The instance is ready.", body = Readiness),
        (status = 503, description = "The instance is not ready.", body = Readiness),
    ),
)]
pub async fn ready(State(state): State<AppState>) -> Response {
    let feed::Readiness { revision, applied, age, problems } = state.hub.readiness().await;
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = Readiness {
        ready: problems.is_empty(),
        revision,
        applied,
        behind: revision.map(|revision| applied.behind(revision)),
        seen_seconds_ago: age.as_secs(),
        reason: problems.into_iter().next(),
    };
    (status, Json(body)).into_response()
}

/// Get metrics for Prometheus.
#[utoipa::path(
    get, path = "/metrics", operation_id = "getMetrics", tag = "service",
    responses(
        (status = 200, description = "The metrics, in Prometheus's text format.", content_type = "text/plain", body = String),
        (status = 404, description = "This instance records no metrics.", content_type = "text/plain", body = String),
    ),
)]
pub async fn metrics(State(state): State<AppState>) -> Response {
    let gauge = |count: i64| f64::from(i32::try_from(count).unwrap_or(i32::MAX));
    for watched in Watched::ALL {
        let (count, behind) = state.hub.watcher_stats(watched);
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        metrics::gauge!("registry_watchers", "watched" => watched.as_str()).set(gauge(count));
        metrics::gauge!("registry_watchers_behind_revisions", "watched" => watched.as_str())
            .set(gauge(behind));
    }
    let in_bytes = |bytes: usize| f64::from(u32::try_from(bytes / 1024).unwrap_or(u32::MAX)) * 1024.0;
    metrics::gauge!("registry_memory_budget_bytes").set(in_bytes(state.budget.bytes()));
    for (class, bytes) in state.budget.used_bytes() {
        metrics::gauge!("registry_memory_reserved_bytes", "class" => class).set(in_bytes(bytes));
    }
    metrics::gauge!("registry_applied_revision").set(gauge(state.hub.applied().0));
    metrics::gauge!("registry_log_seen_ago_seconds").set(state.hub.age().as_secs_f64());
    match &state.metrics {
        Some(recorder) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], recorder.render()).into_response()
        }
        None => (StatusCode::NOT_FOUND, "this instance records no metrics\n").into_response(),
    }
}
