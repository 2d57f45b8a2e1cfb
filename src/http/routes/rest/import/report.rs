//! The report of an import: a JSON object a line.

use axum::body::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        Error,
        transfer::{ImportError, Imported, LineOutcome, LineReport},
    },
    http::routes::openapi::schemas,
    id::AgentId,
};

/// A line of the report: what became of one line of the file, or the counts at the end.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Report {
    /// One line of the file.
    Line(ReportedLine),
    /// The last line of the report.
    Summary(ReportedSummary),
}

/// What became of one line of the file.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportedLine {
    /// The line's number, from 1.
    #[schema(minimum = 1)]
    line: u64,
    /// The name in the line. Null if it can't be read.
    #[schema(value_type = Option<schemas::WholeName>, required)]
    agent: Option<String>,
    /// The agent's id. Null if the line failed. A dry run gives new agents an id that isn't kept.
    #[schema(value_type = Option<schemas::Id>, required)]
    id: Option<AgentId>,
    /// `created`, `updated`, `unchanged` or `failed`.
    result: &'static str,
    /// How many versions were added.
    versions: u64,
    /// What differs from the line and stays, for people.
    notes: Vec<String>,
    /// Why the line failed. Null if it didn't.
    #[schema(required)]
    error: Option<ReportedError>,
}

/// The end of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportedSummary {
    summary: ReportedCounts,
}

/// The counts of an import.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportedCounts {
    /// Whether the whole file was read. Otherwise `error`, or the line before, says why not.
    complete: bool,
    /// Whether nothing was stored, as asked for with `dry_run`.
    dry_run: bool,
    /// Agents that were created.
    created: u64,
    /// Agents that existed and were changed.
    updated: u64,
    /// Agents that were already as their line says.
    unchanged: u64,
    /// Lines that failed.
    failed: u64,
    /// Versions that were added.
    versions: u64,
    /// Why the import ended early, if no line is the reason. Null otherwise.
    #[schema(required)]
    error: Option<ReportedError>,
}

/// An error in a report.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportedError {
    /// The error code: the one that GraphQL uses for the same error.
    code: &'static str,
    /// What is wrong, for people. Its wording may change.
    message: String,
    /// The field at fault. Null unless there is exactly one.
    #[schema(required)]
    field: Option<String>,
}

impl ReportedError {
    fn of(err: &Error) -> Self {
        let (field, message) = err.in_snake_case();
        Self { code: err.code().as_str(), message, field }
    }
}

impl Report {
    /// The report as a line of JSON.
    ///
    /// # Errors
    /// [`Error::Internal`]. All keys are strings, so writing can't fail.
    pub(super) fn to_line(&self) -> Result<Bytes, Error> {
        let mut line = serde_json::to_vec(self).map_err(|err| Error::Internal(Box::new(err)))?;
        line.push(b'\n');
        Ok(line.into())
    }

    /// The last lines of a report: the line that ended the import early, if one did, and the counts.
    pub(super) fn end(done: Imported, dry_run: bool, failure: Option<ImportError>) -> Vec<Self> {
        let (complete, mut error, mut reports) = (failure.is_none(), None, Vec::new());
        match failure {
            Some(ImportError { line: 0, source, .. }) => error = Some(ReportedError::of(&source)),
            Some(ImportError { line, agent, source, done: _ }) => {
                let (outcome, notes) = (LineOutcome::Failed(source), Vec::new());
                let report = LineReport { line, agent, id: None, outcome, versions: 0, notes };
                reports.push(Self::Line(ReportedLine::of(report)));
            }
            None => {}
        }
        let Imported { created, updated, unchanged, failed, versions } = done;
        let failed = failed + u64::try_from(reports.len()).unwrap_or(0);
        let summary =
            ReportedCounts { complete, dry_run, created, updated, unchanged, failed, versions, error };
        reports.push(Self::Summary(ReportedSummary { summary }));
        reports
    }
}

impl ReportedLine {
    pub(super) fn of(report: LineReport) -> Self {
        let LineReport { line, agent, id, outcome, versions, notes } = report;
        let result = outcome.as_str();
        let error = match outcome {
            LineOutcome::Failed(err) => Some(ReportedError::of(&err)),
            LineOutcome::Created | LineOutcome::Updated | LineOutcome::Unchanged => None,
        };
        Self { line, agent, id, result, versions, notes, error }
    }
}
