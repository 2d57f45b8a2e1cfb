//! Is it alive, can it serve, what has it counted.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::Door;

/// `/livez`: the process answers.
pub async fn live() -> &'static str {
    "ok\n"
}

/// `/readyz`: the database answers, and how far this instance has followed its log.
pub async fn ready(State(door): State<Door>) -> Response {
    let applied = door.hub.applied();
    match door.registry.head().await {
        Ok(head) => {
            let body = json!({ "ready": true, "revision": head.revision, "applied": applied, "behind": (head.revision - applied).max(0) });
            Json(body).into_response()
        }
        Err(err) => {
            let body = json!({ "ready": false, "applied": applied, "reason": err.to_string() });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

/// `/metrics`, for Prometheus.
pub async fn metrics(State(door): State<Door>) -> Response {
    let gauge = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    metrics::gauge!("registry_watchers").set(gauge(door.hub.watchers()));
    metrics::gauge!("registry_applied_revision").set(gauge(usize::try_from(door.hub.applied()).unwrap_or(0)));
    match &door.metrics {
        Some(recorder) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], recorder.render()).into_response()
        }
        None => (StatusCode::NOT_FOUND, "nothing is counted here\n").into_response(),
    }
}
