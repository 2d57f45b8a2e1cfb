//! `GET /console/download/customers/{id}/audit.csv`: streams a customer's audit log as a table for spreadsheets.

use std::mem;

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::{Method, header},
    response::{IntoResponse, Response},
};
use chrono::SubsecRound;
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    CustomerPath, Parameters,
    csv::push_row,
    pieces::{PieceSource, body_of, send_pieces},
    refuse,
};
use crate::{
    clock::{self, Instant},
    domain::{
        Caller, Error, Result as DomainResult,
        audit::{ChangeFilter, ChangeRow, ChangeTable},
        change::ChangeAction,
        policy::{self, Action},
    },
    graphql::{action_name, action_named, actor_kind_name, actor_kind_named, channel_name},
    http::{
        AppState,
        caller::{AuthenticatedCaller, RequestCredential, RevocationCount, meter},
        problem::Problem,
    },
};

/// The first row.
const COLUMNS: [&str; 15] = [
    "revision",
    "at",
    "action",
    "actor kind",
    "actor name",
    "actor id",
    "agent",
    "agent id",
    "version",
    "environment",
    "channel",
    "network",
    "request id",
    "before",
    "after",
];

/// The filter: the fields of GraphQL's `ChangeFilter`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvParams {
    /// Kinds of changes, separated by commas.
    actions: Option<String>,
    agent_id: Option<String>,
    actor_id: Option<String>,
    actor_kind: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

/// Answers with a row for each entry that passes the filter, newest first. Counts as an excerpt among
/// [`AppParts::excerpts`](crate::http::AppParts), and each 256 KiB as a request. A table that was cut off ends its
/// connection without the last chunk.
///
/// # Errors
/// 404 and 403 as for an excerpt; 422 for a value of the filter that can't be read; 429 while the caller's excerpt or
/// table is being written.
pub async fn download(
    State(state): State<AppState>,
    Extension(since): Extension<RevocationCount>,
    Extension(credential): Extension<RequestCredential>,
    AuthenticatedCaller(caller): AuthenticatedCaller,
    CustomerPath(id): CustomerPath,
    Parameters(params): Parameters<CsvParams>,
    method: Method,
) -> Result<Response, Problem> {
    // Runs no statement: a caller without the right gets 403 or 404, busy or not.
    policy::allow_on(&caller, Action::ReadChanges, id, "customer").map_err(refuse(&caller))?;
    let filter = read_params(params).map_err(refuse(&caller))?;
    let head = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    if method == Method::HEAD {
        state.registry.change_table(&caller, id, filter).await.map_err(refuse(&caller))?;
        let nothing = stream::empty::<DomainResult<Bytes>>();
        return Ok((head, Body::from_stream(nothing)).into_response());
    }
    let permit = state.excerpts.acquire(caller.share_holder()).await.map_err(refuse(&caller))?;
    let table = state.registry.change_table(&caller, id, filter).await.map_err(refuse(&caller))?;
    let meter = meter(&state, &caller, &credential);
    let (pieces, taken) = mpsc::channel(1);
    state.tasks.clone().spawn_background(async move {
        let _permit = permit;
        let csv = CsvText { table, has_begun: false };
        send_pieces(&state, csv, since, Some(meter), pieces).await;
    });
    Ok((head, body_of(taken)).into_response())
}

/// The text of a table.
struct CsvText {
    table: ChangeTable,
    /// Whether the first row is written.
    has_begun: bool,
}

impl PieceSource for CsvText {
    const NAME: &'static str = "a table of the audit log";

    fn caller(&self) -> &Caller {
        self.table.caller()
    }

    async fn next(&mut self) -> DomainResult<Option<String>> {
        let mut text = String::new();
        if !mem::replace(&mut self.has_begun, true) {
            push_row(&mut text, COLUMNS);
            return Ok(Some(text));
        }
        let Some(rows) = self.table.next().await? else { return Ok(None) };
        for row in rows {
            push_row(&mut text, cells(row));
        }
        Ok(Some(text))
    }
}

/// The cells of an entry, in the order of [`COLUMNS`].
fn cells(row: ChangeRow) -> [String; COLUMNS.len()] {
    let ChangeRow { change, actor_name, agent_name, version, environment, before, after } = row;
    [
        change.revision.to_string(),
        clock::to_text(change.at),
        action_name(change.action).to_owned(),
        actor_kind_name(change.actor_kind).to_owned(),
        actor_name,
        text(change.actor_id),
        agent_name.unwrap_or_default(),
        text(change.agent_id),
        text(version),
        text(environment),
        text(change.channel.map(channel_name)),
        change.network.unwrap_or_default(),
        change.request_id.unwrap_or_default(),
        before.unwrap_or_default(),
        after.unwrap_or_default(),
    ]
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn read_params(params: CsvParams) -> DomainResult<ChangeFilter> {
    let CsvParams { actions, agent_id, actor_id, actor_kind, since, until } = params;
    let not_an_id = |field: &str| Error::invalid(field, format!("{field} must be a UUID"));
    let kind = |name: String| {
        let message = "actorKind must be USER, API_KEY, SERVICE, OPERATOR or SYSTEM";
        actor_kind_named(&name).ok_or_else(|| Error::invalid("actorKind", message))
    };
    Ok(ChangeFilter {
        agent_id: agent_id.map(|id| id.parse().map_err(|_| not_an_id("agentId"))).transpose()?,
        actor_id: actor_id.map(|id| id.parse::<Uuid>().map_err(|_| not_an_id("actorId"))).transpose()?,
        actor_kind: actor_kind.map(kind).transpose()?,
        actions: actions.map(|names| read_actions(&names)).transpose()?,
        since: since.map(|at| read_instant("since", &at)).transpose()?,
        until: until.map(|at| read_instant("until", &at)).transpose()?,
    })
}

/// Reads the names of kinds of changes, separated by commas. Each kind is in the result once.
fn read_actions(names: &str) -> DomainResult<Vec<ChangeAction>> {
    let mut actions = Vec::new();
    for name in names.split(',') {
        let message = || {
            format!("actions must be names such as AGENT_ACTIVATED with commas between them, got {name:?}")
        };
        let action = action_named(name).ok_or_else(|| Error::invalid("actions", message()))?;
        if !actions.contains(&action) {
            actions.push(action);
        }
    }
    Ok(actions)
}

/// Reads an instant, cut to microseconds.
fn read_instant(field: &str, text: &str) -> DomainResult<Instant> {
    let instant = clock::from_text(text);
    let message = || format!("{field} must follow RFC 3339, such as 2026-11-29T00:00:00Z");
    let instant = instant.ok_or_else(|| Error::invalid(field, message()))?;
    Ok(instant.trunc_subsecs(6))
}
