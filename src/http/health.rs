//! Is it alive, can it serve, what has it counted.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use tokio::time::timeout;

use super::Door;
use crate::{domain::Error, feed::Watched};

/// `/livez`: the process answers.
pub async fn live() -> &'static str {
    "ok\n"
}

/// How old what an instance has seen of the log may be before it is not ready: it polls four times a second.
const STALE: Duration = Duration::from_secs(10);

/// How long a probe waits for the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// `/readyz`: the database answers, and how far this instance has followed its log.
pub async fn ready(State(door): State<Door>) -> Response {
    let (applied, age) = (door.hub.applied(), door.hub.age());
    let seen = age.as_secs();
    let head = match timeout(PATIENCE, door.registry.head()).await {
        Ok(head) => head,
        Err(_) => Err(Error::Unavailable("the database does not answer")),
    };
    let (status, body) = match head {
        Ok(head) => {
            let behind = (head.revision - applied).max(0);
            let follows = age < STALE;
            let reason = (!follows).then_some("this instance does not follow the log");
            let body = json!({ "ready": follows, "revision": head.revision, "applied": applied, "behind": behind, "seenSecondsAgo": seen, "reason": reason });
            (if follows { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, body)
        }
        Err(err) => {
            let body = json!({ "ready": false, "applied": applied, "seenSecondsAgo": seen, "reason": err.to_string() });
            (StatusCode::SERVICE_UNAVAILABLE, body)
        }
    };
    (status, Json(body)).into_response()
}

/// `/metrics`, for Prometheus.
pub async fn metrics(State(door): State<Door>) -> Response {
    let gauge = |count: i64| f64::from(i32::try_from(count).unwrap_or(i32::MAX));
    for watched in Watched::ALL {
        let (count, behind) = door.hub.watching(watched);
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        metrics::gauge!("registry_watchers", "watched" => watched.as_str()).set(gauge(count));
        metrics::gauge!("registry_watchers_behind_revisions", "watched" => watched.as_str())
            .set(gauge(behind));
    }
    metrics::gauge!("registry_applied_revision").set(gauge(door.hub.applied()));
    metrics::gauge!("registry_log_seen_ago_seconds").set(door.hub.age().as_secs_f64());
    match &door.metrics {
        Some(recorder) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], recorder.render()).into_response()
        }
        None => (StatusCode::NOT_FOUND, "nothing is counted here\n").into_response(),
    }
}
