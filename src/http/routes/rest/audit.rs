//! `GET /v1/customers/{id}/audit`: streams a customer's excerpt of the audit log, for `audit verify --file`.

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{Method, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::sync::mpsc;

use super::{
    CustomerPath, NoParameters,
    pieces::{PieceSource, body_of, send_pieces},
    refuse,
};
use crate::{
    domain::{
        Caller, Error,
        audit::Excerpt,
        policy::{self, Action},
    },
    http::{
        AppState,
        caller::{AuthenticatedCaller, RevocationCount},
        problem::{Problem, ProblemKind},
        routes::openapi::{
            problems::{COMMON_PROBLEMS, refusals},
            schemas,
        },
    },
};

refusals!(AuditRefusals = COMMON_PROBLEMS, &[ProblemKind::Forbidden, ProblemKind::NotFound]);

/// Get a customer's excerpt of the audit log.
///
/// `agent-registry audit verify --file` verifies the file. An excerpt has the customer's own entries in full, and
/// only the hashes of all others. Each request scans the whole log, so an instance writes one excerpt at a time for
/// each customer, operator, or user with several customers, and returns 429 to a second request. It writes at most
/// eight in total, and returns 503 to a request that waited five seconds for one of these places. An excerpt that was
/// cut off lacks its last line, `end`.
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
    method: Method,
) -> Result<Response, Problem> {
    // Runs no statement: a caller without the right gets 403 or 404, busy or not.
    policy::allow_on(&caller, Action::ReadChanges, id, "customer").map_err(refuse(&caller))?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\""),
    ];
    if method == Method::HEAD {
        // The headers alone scan nothing, so they need no permit.
        state.registry.excerpt(&caller, id).await.map_err(refuse(&caller))?;
        let nothing = stream::empty::<Result<String, Error>>();
        return Ok((headers, Body::from_stream(nothing)).into_response());
    }
    let permit = state.excerpts.acquire(caller.share_holder()).await.map_err(refuse(&caller))?;
    let excerpt = state.registry.excerpt(&caller, id).await.map_err(refuse(&caller))?;
    let (pieces, taken) = mpsc::channel(1);
    state.tasks.clone().spawn_background(async move {
        let _permit = permit;
        send_pieces(&state, excerpt, since, None, pieces).await;
    });
    Ok((headers, body_of(taken)).into_response())
}

impl PieceSource for Excerpt {
    const NAME: &'static str = "an excerpt";

    fn caller(&self) -> &Caller {
        Excerpt::caller(self)
    }

    async fn next(&mut self) -> Result<Option<String>, Error> {
        Excerpt::next(self).await
    }
}
