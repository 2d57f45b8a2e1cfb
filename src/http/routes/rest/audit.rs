//! `GET /v1/customers/{id}/audit`: a customer's excerpt of the log, line by line, for `audit verify --file`.

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
    domain::{Error, audit::Excerpt},
    http::{
        Door,
        caller::{Authenticated, Since, may_have_lost},
        problem::{Kind, Problem},
        routes::openapi::{
            refusal::{ANYWHERE, refusals},
            shape,
        },
    },
};

/// How many excerpts are written at a time: each walks the whole log.
const AT_ONCE: usize = 2;
/// How long a client may leave a piece untaken.
const SEND: Duration = Duration::from_secs(10);

/// The excerpts of an instance that are being written. Clones are the same.
#[derive(Clone, Debug)]
pub struct Excerpts(Arc<Semaphore>);

impl Default for Excerpts {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

refusals!(AuditRefusals = ANYWHERE, &[Kind::Forbidden, Kind::NotFound]);

/// A customer's excerpt of the change log.
///
/// For `agent-registry audit verify --file`. Each excerpt walks the whole log, so that an instance writes two at a time,
/// and answers 503 to whoever asks meanwhile. One that is cut off lacks its last line, which is how the reader knows.
#[utoipa::path(
    get, path = "/v1/customers/{id}/audit", operation_id = "getAudit", tag = "audit",
    security(("bearer" = [])),
    params(("id" = shape::Id, Path, description = "The customer. What is no UUID is no customer's, and not found.")),
    responses(
        (status = 200, description = "Lines of JSON, the oldest first.", content_type = "application/x-ndjson", body = String,
            headers(("Content-Disposition" = String, description = "A name for the file."))),
        AuditRefusals,
    ),
)]
pub(super) async fn excerpt(
    State(door): State<Door>,
    Extension(since): Extension<Since>,
    Authenticated(caller): Authenticated,
    CustomerPath(id): CustomerPath,
    _: NoParameters,
) -> Result<Response, Problem> {
    let excerpt = door.registry.excerpt(&caller, id).await.map_err(refuse(&caller))?;
    let turn = Arc::clone(&door.excerpts.0).try_acquire_owned();
    let turn =
        turn.map_err(|_| Error::Unavailable("other excerpts are being written")).map_err(refuse(&caller))?;
    let (pieces, taken) = mpsc::channel(1);
    door.tasks.clone().beside(async move {
        let _turn = turn;
        write(&door, excerpt, since, pieces).await;
    });
    let lines = stream::unfold(taken, |mut taken| async move { Some((taken.recv().await?, taken)) });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    let saved = [(header::CONTENT_DISPOSITION, "attachment; filename=\"audit.ndjson\"")];
    Ok((kind, saved, Body::from_stream(lines)).into_response())
}

/// Writes it for as long as its reader takes it, and may. One that is cut off lacks the line at its end.
async fn write(door: &Door, mut excerpt: Excerpt, since: Since, pieces: mpsc::Sender<Result<String, Error>>) {
    loop {
        let caller = excerpt.caller();
        let piece = if may_have_lost(door, since, caller) {
            Some(Err(Error::Unauthenticated("rights were taken away meanwhile")))
        } else {
            excerpt.next().await.transpose()
        };
        let Some(piece) = piece else { return };
        let is_cut =
            piece.as_ref().inspect_err(|err| tracing::warn!(error = %err, "an excerpt was cut off")).is_err();
        if !matches!(timeout(SEND, pieces.send(piece)).await, Ok(Ok(()))) || is_cut {
            return;
        }
    }
}
