//! Monitoring: liveness, readiness and metrics.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use tokio::time::{sleep, timeout};
use utoipa::ToSchema;

use super::openapi::schemas;
use crate::{domain::Error, feed::Watched, http::AppState, id::Revision};

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

/// The maximum age of an instance's view of the log while it is ready. It polls the log four times a second.
const VIEW_AGE_MAX: Duration = Duration::from_secs(10);

/// The timeout of a probe's query.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The time that a probe allows the instance to read the log's end again.
const FOLLOW_TIMEOUT: Duration = Duration::from_millis(1_500);
/// The interval between the checks whether it has.
const FOLLOW_CHECK: Duration = Duration::from_millis(20);

/// The readiness of an instance, and its lag behind the log.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// Whether the database responds and this instance follows the log.
    ready: bool,
    /// The last commit of the log. Absent if the database doesn't respond.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = schemas::Revision, required = false)]
    revision: Option<Revision>,
    /// The last commit that this instance has applied.
    #[schema(value_type = schemas::Revision)]
    applied: Revision,
    /// The number of commits that this instance hasn't applied yet. Absent if the database doesn't respond.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = i64, required = false, minimum = 0)]
    behind: Option<i64>,
    /// The seconds since this instance last knew the end of the log. Not ready from 10 on.
    seen_seconds_ago: u64,
    /// The reason for not being ready. Null if the instance is ready.
    #[schema(required)]
    reason: Option<String>,
}

/// Check readiness.
///
/// The instance is ready if the database responds within two seconds and the instance follows the log.
#[utoipa::path(
    get, path = "/readyz", operation_id = "isReady", tag = "service",
    responses(
        (status = 200, description = "The instance is ready.", body = Readiness),
        (status = 503, description = "The instance is not ready.", body = Readiness),
    ),
)]
pub async fn ready(State(state): State<AppState>) -> Response {
    if let Some(reason) = state.outage.reason() {
        return unready(&state, reason);
    }
    let head = match timeout(PROBE_TIMEOUT, state.registry.head()).await {
        Ok(head) => head,
        Err(_) => {
            let full = state.registry.check_connection_limit();
            Err(full.err().unwrap_or(Error::Unavailable("the database does not respond")))
        }
    };
    // After an outage of the database, this request may arrive before the next poll of the log.
    let follows = match &head {
        Ok(_) => timeout(FOLLOW_TIMEOUT, until_followed(&state)).await.is_ok(),
        Err(_) => false,
    };
    let (applied, seen_seconds_ago) = (state.hub.applied(), state.hub.age().as_secs());
    let (status, body) = match head {
        Ok(head) => {
            let body = Readiness {
                ready: follows,
                revision: Some(head.revision),
                applied,
                behind: Some(applied.behind(head.revision)),
                seen_seconds_ago,
                reason: (!follows).then(|| "this instance does not follow the log".to_owned()),
            };
            (if follows { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, body)
        }
        Err(err) => return unready(&state, err.to_string()),
    };
    (status, Json(body)).into_response()
}

/// The answer without a response of the database.
fn unready(state: &AppState, reason: String) -> Response {
    let body = Readiness {
        ready: false,
        revision: None,
        applied: state.hub.applied(),
        behind: None,
        seen_seconds_ago: state.hub.age().as_secs(),
        reason: Some(reason),
    };
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

/// Waits until this instance has recently known the end of the log.
async fn until_followed(state: &AppState) {
    while state.hub.age() >= VIEW_AGE_MAX {
        sleep(FOLLOW_CHECK).await;
    }
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
