//! `GET /v1/customers/{id}/export`: streams a customer's agents with all their versions.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::{Method, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Deserialize;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{
    CustomerPath, Parameters,
    pieces::{Piece, body_of},
    refuse,
    stream_permit::SEND_TIMEOUT,
};
use crate::{
    domain::{
        Error,
        environment::key_or_default,
        policy::{self, Action},
        transfer::{Export, ExportAgents, VERSION_BYTES_MAX},
    },
    http::{
        AppState,
        caller::{AuthenticatedCaller, RequestCredential, RevocationCount, may_have_lost_rights, meter},
        meter::Meter,
        problem::{Problem, ProblemKind},
        routes::openapi::{
            problems::{COMMON_PROBLEMS, refusals},
            schemas,
        },
    },
    share::Reservation,
};

/// The media type of JSON Lines.
pub(super) const NDJSON: &str = "application/x-ndjson";
/// How many pieces are in memory: one is read while one waits and one is written. A piece is hardly longer than the
/// longest version.
const PIECES: usize = 3;
/// The interval in which a stream looks whether its caller has points again.
const PAUSE: Duration = Duration::from_millis(50);

/// The environment of an export.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExportParams {
    /// The key of the environment whose active versions are in the file as `active`. Those of all environments are in the
    /// file if left out: `production`'s as `active`, the others' as `active_in`.
    #[param(value_type = schemas::EnvironmentKey, required = false)]
    environment: Option<String>,
}

refusals!(
    ExportRefusals = COMMON_PROBLEMS,
    &[ProblemKind::Forbidden, ProblemKind::NotFound, ProblemKind::Invalid]
);

/// Export a customer's agents with all their versions.
///
/// Needs the role ADMIN, or an API key with `agents:read`. The file is of one moment, has one agent a line in the byte
/// order of their names, and can be imported again. An instance writes one export at a time for each customer,
/// operator, or user with several customers, and returns 429 to a second request. It writes at most eight in total,
/// and returns 503 to a request that waited five seconds for one of these places. Each 256 KiB counts as a request. An
/// export that was cut off ends its connection without the last chunk.
#[utoipa::path(
    get, path = "/v1/customers/{id}/export", operation_id = "exportAgents", tag = "agents",
    security(("bearer" = [])),
    params(
        ("id" = schemas::Id, Path, description = "The customer's id. A value that isn't a UUID returns 404."),
        ExportParams,
    ),
    responses(
        (status = 200, description = "One agent a line, as JSON.", content_type = "application/x-ndjson", body = String,
            headers(("Content-Disposition" = String, description = "Suggests a file name."))),
        ExportRefusals,
    ),
)]
pub async fn export(
    State(state): State<AppState>,
    Extension(since): Extension<RevocationCount>,
    Extension(credential): Extension<RequestCredential>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    CustomerPath(customer_id): CustomerPath,
    Parameters(ExportParams { environment }): Parameters<ExportParams>,
    method: Method,
) -> Result<Response, Problem> {
    // Runs no statement: a caller without the right gets 403 or 404, busy or not.
    policy::allow_on(&caller, Action::ExportAgents, customer_id, "customer").map_err(refuse(&caller))?;
    let head = [
        (header::CONTENT_TYPE, NDJSON),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"agents.jsonl\""),
    ];
    let share = state.budget.share(caller.share_holder());
    let environment = environment.map(|key| key_or_default("environment", Some(&key))).transpose();
    let environment = environment.map_err(refuse(&caller))?;
    let input = ExportAgents { customer_id, environment, agents: Vec::new(), memory: Some(share.clone()) };
    if method == Method::HEAD {
        state.registry.export(&caller, input).await.map_err(refuse(&caller))?;
        let nothing = stream::empty::<Result<Bytes, Error>>();
        return Ok((head, Body::from_stream(nothing)).into_response());
    }
    let permit = state.exports.acquire(caller.share_holder()).await.map_err(refuse(&caller))?;
    // Reserved at once, before anything else is: a caller that waits for memory holds none.
    let bytes = (PIECES * VERSION_BYTES_MAX).min(share.largest() / 2);
    let memory = share.reserve(bytes).await.map_err(|full| refuse(&caller)(Error::NoMemory(full)))?;
    let export = state.registry.export(&caller, input).await.map_err(refuse(&caller))?;
    let meter = meter(&state, &caller, &credential);
    let (pieces, taken) = mpsc::channel(1);
    state.tasks.clone().spawn_background(async move {
        let _permit = permit;
        write(&state, export, since, (Arc::new(memory), meter), pieces).await;
    });
    Ok((head, body_of(taken)).into_response())
}

/// Sends the pieces of an export. Stops before the end when the caller may have lost rights, when reading fails, or when
/// the client doesn't take a piece within [`SEND_TIMEOUT`]. Reads a piece only when the one before was taken: while the
/// client is slow, the export has one piece in memory and no connection of the database.
async fn write(
    state: &AppState,
    mut export: Export,
    since: RevocationCount,
    (memory, meter): (Arc<Reservation>, Meter),
    pieces: mpsc::Sender<Piece<Bytes>>,
) {
    while let Ok(Ok(place)) = timeout(SEND_TIMEOUT, pieces.reserve()).await {
        let piece = if may_have_lost_rights(state, since, export.caller()) {
            Err(Error::Unauthenticated("the caller may have lost rights since the request began"))
        } else {
            read(&mut export, &memory).await
        };
        let bytes = piece.as_ref().inspect_err(|err| warn_if_failed(err)).ok().and_then(Option::as_ref);
        let bytes = bytes.map(Bytes::len);
        place.send(piece.into());
        let Some(bytes) = bytes else { return };
        charge(&meter, &export, bytes).await;
    }
}

/// A piece, and the memory of the export. It is returned when the last piece is written.
struct PieceText {
    text: Vec<u8>,
    _memory: Arc<Reservation>,
}

impl AsRef<[u8]> for PieceText {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

async fn read(export: &mut Export, memory: &Arc<Reservation>) -> Result<Option<Bytes>, Error> {
    let piece = export.next().await?.map(|text| PieceText { text, _memory: Arc::clone(memory) });
    Ok(piece.map(Bytes::from_owner))
}

/// Charges a piece, and waits until the caller has points again.
async fn charge(meter: &Meter, export: &Export, bytes: usize) {
    meter.charge_bytes(bytes);
    meter.charge_time(export.caller().processor_time.take());
    pace(meter).await;
}

/// Waits while the caller has no points left, so that a stream is as fast as its plan allows, and doesn't run into
/// debt.
pub(super) async fn pace(meter: &Meter) {
    while meter.points_left() == Some(0) {
        sleep(PAUSE).await;
    }
}

fn warn_if_failed(err: &Error) {
    match err {
        Error::Unavailable(_) | Error::Internal(_) => tracing::warn!(error = %err, "an export was cut off"),
        _ => tracing::debug!(error = %err, "an export was cut off"),
    }
}
