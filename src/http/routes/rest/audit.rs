//! `GET /v1/customers/{id}/audit`: streams a customer's excerpt of the audit log, for `audit verify --file`.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::{
    sync::{Semaphore, mpsc},
    time::timeout,
};

use super::{CustomerPath, NoParameters, refuse};
use crate::{
    domain::{
        Error,
        audit::Excerpt,
        policy::{self, Action},
    },
    http::{
        AppState,
        caller::{AuthenticatedCaller, RevocationCount, may_have_lost_rights},
        problem::{Problem, ProblemKind},
        routes::openapi::{
            problems::{COMMON_PROBLEMS, refusals},
            schemas,
        },
    },
};

/// The maximum number of concurrent excerpts of an instance. Each one scans the whole log.
const CONCURRENT_MAX: usize = 2;
/// How long a piece waits for the client before the excerpt is cut off.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// Limits the concurrent excerpts of an instance. Clones share the limit.
#[derive(Clone, Debug)]
pub struct Excerpts(Arc<Semaphore>);

impl Default for Excerpts {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(CONCURRENT_MAX)))
    }
}

refusals!(AuditRefusals = COMMON_PROBLEMS, &[ProblemKind::Forbidden, ProblemKind::NotFound]);

/// Get a customer's excerpt of the audit log.
///
/// `agent-registry audit verify --file` verifies the file. An excerpt has the customer's own entries in full, and
/// only the hashes of all others. Each request scans the whole log, so an instance writes at most two excerpts at a
/// time, and returns 503 to further requests. An excerpt that was cut off lacks its last line, `end`.
#[utoipa::path(
    get, path = "/v1/customers/{id}/audit", operation_id = "getAudit", tag = "audit",
    security(("bearer" = [])),
    params(("id" = schemas::Id, Path, description = "The customer's id. A value that isn't a UUID returns 404.")),
    responses(
        (status = 200, description = "One JSON object a line, oldest entry first.", content_type = "application/x-ndjson", body = String,
            headers(("Content-Disposition" = String, description = "Suggests a file name."))),
        AuditRefusals,
    ),
)]
pub async fn excerpt(
    State(state): State<AppState>,
    Extension(since): Extension<RevocationCount>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    CustomerPath(id): CustomerPath,
    _: NoParameters,
) -> Result<Response, Problem> {
    // Runs no statement: a caller without the right gets 403 or 404, busy or not.
    policy::allow_on(&caller, Action::ReadChanges, id, "customer").map_err(refuse(&caller))?;
    let permit = Arc::clone(&state.excerpts.0).try_acquire_owned();
    let permit = permit
        .map_err(|_| Error::Unavailable("this instance is writing two other excerpts"))
        .map_err(refuse(&caller))?;
    let excerpt = state.registry.excerpt(&caller, id).await.map_err(refuse(&caller))?;
    let (pieces, taken) = mpsc::channel(1);
    state.tasks.clone().spawn_background(async move {
        let _permit = permit;
        write(&state, excerpt, since, pieces).await;
    });
    let lines = stream::unfold(taken, |mut taken| async move { Some((taken.recv().await?, taken)) });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    let saved = [(header::CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\"")];
    Ok((kind, saved, Body::from_stream(lines)).into_response())
}

/// Sends the pieces of an excerpt. Stops without the last line when the caller may have lost rights, when reading
/// fails, or when the client doesn't take a piece within [`SEND_TIMEOUT`].
async fn write(
    state: &AppState,
    mut excerpt: Excerpt,
    since: RevocationCount,
    pieces: mpsc::Sender<Result<String, Error>>,
) {
    loop {
        let caller = excerpt.caller();
        let piece = if may_have_lost_rights(state, since, caller) {
            Some(Err(Error::Unauthenticated("the caller may have lost rights since the request began")))
        } else {
            excerpt.next().await.transpose()
        };
        let Some(piece) = piece else { return };
        let is_cut =
            piece.as_ref().inspect_err(|err| tracing::warn!(error = %err, "an excerpt was cut off")).is_err();
        if !matches!(timeout(SEND_TIMEOUT, pieces.send(piece)).await, Ok(Ok(()))) || is_cut {
            return;
        }
    }
}
