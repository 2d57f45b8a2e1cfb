//! `POST /v1/customers/{id}/import`: imports agents with all their versions, and reports each line as it is imported.

use std::{io, sync::Arc};

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, BufReader},
    sync::mpsc,
};
use tokio_util::io::StreamReader;

use super::{
    CustomerPath, Parameters,
    export::{NDJSON, pace},
    refuse,
};
use crate::{
    domain::{
        Caller, Error,
        environment::key_or_default,
        policy::{self, Action},
        transfer::{Import, ImportAgents, ImportError, ImportOptions, Imported, VERSION_BYTES_MAX},
    },
    http::{
        AppState,
        caller::{AuthenticatedCaller, RequestCredential, meter},
        meter::Meter,
        problem::{Problem, ProblemKind},
        routes::openapi::{
            problems::{COMMON_PROBLEMS, refusals},
            schemas,
        },
        server::body,
    },
    share::{MemoryShare, Reservation},
};

mod report;

use report::{Report, ReportedLine};

/// The model of versions that name none, as on the command line.
const MODEL: &str = "gpt-4-turbo";
/// How many reports may wait for a client that sends its whole file before it reads any. A customer has at most as many
/// agents.
const REPORTS: usize = 20_000;
/// The memory of these reports, in bytes.
const REPORT_BYTES: usize = 2 * 1024 * 1024;
/// The memory of an import, as a multiple of the longest version's text: the text, the values that are parsed from it,
/// and the rows of a statement.
const TEXTS: usize = 3;
/// How much of the rest of a file is read after a line that ends the import, in bytes, so that a client which sends the
/// whole file first gets the report, and not a closed connection.
const REST_BYTES: u64 = 64 * 1024 * 1024;

/// The options of an import.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ImportParams {
    /// The model of versions that name none. The default is `gpt-4-turbo`.
    #[param(value_type = schemas::WholeName, required = false)]
    model: Option<String>,
    /// The key of the environment that a line's `active`, and `activate`, are about. The default is `production`.
    #[param(value_type = schemas::EnvironmentKey, required = false)]
    environment: Option<String>,
    /// `true` activates the last version of each new agent whose line has no `active`. Not with `exact`.
    #[param(value_type = bool, required = false)]
    activate: Option<String>,
    /// `true` makes each agent exactly as its line: what the line leaves out is removed, and a published version that
    /// differs in its message, its time, the order of keys or the form of numbers is an error.
    #[param(value_type = bool, required = false)]
    exact: Option<String>,
    /// `true` skips lines that can't be imported, and reports them. Without it, the first one ends the import.
    #[param(value_type = bool, required = false)]
    skip_bad: Option<String>,
    /// `true` reports what would be imported, and stores nothing.
    #[param(value_type = bool, required = false)]
    dry_run: Option<String>,
}

refusals!(
    ImportRefusals = COMMON_PROBLEMS,
    &[
        ProblemKind::Forbidden,
        ProblemKind::Suspended,
        ProblemKind::Canceled,
        ProblemKind::NotFound,
        ProblemKind::Invalid,
        ProblemKind::TooLarge,
        ProblemKind::UnsupportedMediaType
    ]
);

/// Import agents with all their versions.
///
/// The body has one agent a line, as an export does, and any size. Needs the role ADMIN, or an API key with
/// `agents:write`, `versions:publish` and `versions:activate`. The line of an agent is imported completely or not at
/// all. An agent that exists already, by the line's `id` or else by its name, gets the versions that it lacks, and the
/// state of its line. Importing a file again changes nothing, so this endpoint takes no idempotency key, and a request
/// that broke off is simply repeated. The response reports each line while the next ones are read. Its last line has
/// the counts; without it, the import broke off. An instance reads one import at a time for each customer, operator, or
/// user with several customers, and eight in total. Each 256 KiB counts as a request.
#[utoipa::path(
    post, path = "/v1/customers/{id}/import", operation_id = "importAgents", tag = "agents",
    security(("bearer" = [])),
    params(
        ("id" = schemas::Id, Path, description = "The customer's id. A value that isn't a UUID returns 404."),
        ImportParams,
    ),
    request_body(content = String, content_type = "application/x-ndjson", description = "One agent a line, as JSON."),
    responses(
        (status = 200, description = "A report of each line, and the counts: one JSON object a line.", content_type = "application/x-ndjson", body = Report),
        ImportRefusals,
    ),
)]
pub async fn import(
    State(state): State<AppState>,
    Extension(credential): Extension<RequestCredential>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    CustomerPath(customer_id): CustomerPath,
    Parameters(params): Parameters<ImportParams>,
    request: Request,
) -> Result<Response, Problem> {
    // Runs no statement: a caller without the right gets 403 or 404, busy or not.
    policy::allow_on(&caller, Action::ImportAgents, customer_id, "customer").map_err(refuse(&caller))?;
    let (options, model) = read_params(params).map_err(refuse(&caller))?;
    if !is_json_lines(request.headers()) {
        let detail = "Content-Type must be application/x-ndjson in UTF-8, without Content-Encoding";
        return Err(Problem::request(ProblemKind::UnsupportedMediaType, detail, caller.request_id()));
    }
    let body = request.into_body();
    let permit = state.imports.acquire(caller.share_holder()).await.map_err(refuse(&caller))?;
    let memory = ImportMemory::reserve(&state.budget.share(caller.share_holder())).await;
    let memory = memory.map_err(refuse(&caller))?;
    let input = ImportAgents {
        customer_id,
        model_name: model.unwrap_or_else(|| MODEL.to_owned()),
        options,
        version_bytes: memory.version_bytes,
        disk: Some(state.import_disk.share(caller.share_holder())),
    };
    let meter = meter(&state, &caller, &credential);
    // Refuses what no line can change, with a status of its own.
    let nothing = &mut &b""[..];
    state.registry.import(&caller, input.clone(), nothing).await.map_err(refuse(&caller))?;
    let (reports, taken) = mpsc::channel(REPORTS);
    let work = state.clone();
    state.tasks.clone().spawn_background(async move {
        let _held = (permit, memory);
        let mut from = reader(body);
        run(&work, &caller, input, &mut from, &meter, &reports).await;
        skip_rest(&mut from).await;
    });
    let lines = stream::unfold(taken, |mut taken| async move { Some((taken.recv().await?, taken)) });
    let lines = lines.map(|report| report.to_line());
    Ok(([(header::CONTENT_TYPE, NDJSON)], Body::from_stream(lines)).into_response())
}

/// The memory of an import.
struct ImportMemory {
    _reservation: Reservation,
    version_bytes: usize,
}

impl ImportMemory {
    /// Reserves the memory of an import, at most half of the share.
    async fn reserve(share: &MemoryShare) -> Result<Self, Error> {
        let bytes = (TEXTS * VERSION_BYTES_MAX + REPORT_BYTES).min(share.largest() / 2);
        let reservation = share.reserve(bytes).await.map_err(Error::NoMemory)?;
        Ok(Self { _reservation: reservation, version_bytes: bytes.saturating_sub(REPORT_BYTES) / TEXTS })
    }
}

fn read_params(params: ImportParams) -> Result<(ImportOptions, Option<String>), Error> {
    let ImportParams { model, environment, activate, exact, skip_bad, dry_run } = params;
    let flag = |name: &str, text: Option<String>| match text.as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Error::invalid(name, format!("{name} must be true or false"))),
    };
    let options = ImportOptions {
        environment: key_or_default("environment", environment.as_deref())?,
        activate: flag("activate", activate)?,
        exact: flag("exact", exact)?,
        skip_bad: flag("skip_bad", skip_bad)?,
        dry_run: flag("dry_run", dry_run)?,
    };
    Ok((options, model))
}

/// Whether the headers declare JSON Lines, by one of their common names. One line is JSON.
fn is_json_lines(headers: &HeaderMap) -> bool {
    const NAMES: [&str; 5] =
        [NDJSON, "application/ndjson", "application/jsonl", "application/x-jsonlines", "application/json"];
    NAMES.iter().any(|name| body::is_in_utf8(headers, name)) && body::is_uncompressed(headers)
}

/// Reads a body as a file.
fn reader(body: Body) -> impl AsyncBufRead + Send + Unpin {
    let pieces = body.into_data_stream().map_err(io::Error::other);
    BufReader::new(StreamReader::new(pieces))
}

/// Imports the file, and sends the reports. Stops at the next transaction when the client doesn't take them.
async fn run(
    state: &AppState,
    caller: &Arc<Caller>,
    input: ImportAgents,
    from: &mut (dyn AsyncBufRead + Send + Unpin),
    meter: &Meter,
    reports: &mpsc::Sender<Report>,
) {
    let dry_run = input.options.dry_run;
    let (done, failure) = match state.registry.import(caller, input, from).await {
        Ok(mut import) => {
            let Some(failure) = import_all(&mut import, meter, reports).await else { return };
            (import.done(), failure)
        }
        Err(err) => (Imported::default(), Some(ImportError::before_lines(err))),
    };
    if let Some(ImportError { source: Error::Internal(source), .. }) = &failure {
        tracing::error!(error = %source, request_id = caller.request_id(), "an import failed");
    }
    for report in Report::end(done, dry_run, failure) {
        // Nobody reads it if this fails.
        let _ = reports.send(report).await;
    }
}

/// Imports all lines. Returns why the import ended early, if it did; `None` when nobody takes the reports.
async fn import_all(
    import: &mut Import<'_>,
    meter: &Meter,
    reports: &mpsc::Sender<Report>,
) -> Option<Option<ImportError>> {
    let mut charged = 0;
    loop {
        let lines = match import.next().await {
            Ok(Some(lines)) => lines,
            Ok(None) => return Some(None),
            Err(failure) => return Some(Some(failure)),
        };
        for line in lines {
            reports.send(Report::Line(ReportedLine::of(line))).await.ok()?;
        }
        if reports.is_closed() {
            return None;
        }
        let read = import.bytes();
        meter.charge_part(charged, read);
        charged = read;
        meter.charge_time(import.caller().processor_time.take());
        pace(meter).await;
    }
}

/// Reads the rest of a file, up to a limit.
async fn skip_rest(from: &mut (dyn AsyncBufRead + Send + Unpin)) {
    let mut skipped = 0;
    while skipped < REST_BYTES {
        let Ok(chunk) = from.fill_buf().await else { return };
        let bytes = chunk.len();
        if bytes == 0 {
            return;
        }
        from.consume(bytes);
        skipped += u64::try_from(bytes).unwrap_or(u64::MAX);
    }
}
