//! Errors of a request, found before it runs.

use std::{error::Error as StdError, fmt};

use apollo_compiler::{diagnostic::ToCliReport, parser::SourceSpan, validation::DiagnosticList};
use async_graphql_parser::Pos;

use crate::{document::Source, limits::Figure};

/// One error of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The kind of error.
    pub kind: ErrorKind,
    /// A description: what is wrong, where, and what would be accepted.
    pub message: String,
    /// The positions in the document. Empty when the error is in the variables, or concerns the document as a whole.
    pub locations: Vec<Pos>,
    /// For an operation that costs too much: the response path of the field that makes it dear, such as
    /// `customers.agents.versions`. Leaves out the objects of a page: `nodes`, `edges` and `node`.
    pub costliest_path: Option<String>,
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text isn't a GraphQL document.
    Syntax,
    /// The request exceeds one of its [`Limits`](crate::Limits).
    TooComplex {
        /// The limit exceeded.
        figure: Figure,
        /// The number found, at least.
        found: usize,
        /// The maximum.
        limit: usize,
    },
    /// The document violates a rule of the specification's section 5.
    Validation,
    /// `operationName` is missing and ambiguous, or names no operation (section 6.1).
    Operation,
    /// A variable's value has the wrong type (section 6.1.2), or gives an argument the wrong type.
    Variable,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), locations: Vec::new(), costliest_path: None }
    }

    pub(crate) fn at(mut self, source: &Source, span: Option<SourceSpan>) -> Self {
        self.locations.extend(span.map(|span| source.pos(span)));
        self
    }
}

/// The errors of a request: at least one, at most [`Limits::errors`](crate::Limits::errors). Checking stops at the
/// first stage that finds errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors(Vec<Error>);

impl Errors {
    /// Collects errors, truncated to `limit`. Returns `None` when there are none.
    pub(crate) fn of(mut errors: Vec<Error>, limit: usize) -> Option<Self> {
        errors.truncate(limit.max(1));
        (!errors.is_empty()).then_some(Self(errors))
    }

    /// Returns the errors, in the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = &Error> {
        self.0.iter()
    }
}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self(vec![error])
    }
}

impl IntoIterator for Errors {
    type Item = Error;
    type IntoIter = std::vec::IntoIter<Error>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.0.iter().enumerate() {
            let separator = if place == 0 { "" } else { "; " };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl StdError for Errors {}

/// Quotes a client's word, truncated to 100 characters.
pub(crate) fn shortened(word: &str) -> String {
    let mut short: String = word.chars().take(100).collect();
    if short.len() < word.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// Converts the library's diagnostics, without those named in `checked_here`, which this crate checks itself.
pub(crate) fn from_library(
    diagnostics: &DiagnosticList,
    source: &Source,
    checked_here: &[&str],
    limit: usize,
) -> Vec<Error> {
    let reported = diagnostics.iter().filter(|diagnostic| {
        diagnostic.error.unstable_error_name().is_none_or(|name| !checked_here.contains(&name))
    });
    reported
        .take(limit)
        .map(|diagnostic| {
            let message = diagnostic.error.to_string();
            let error = match message.strip_prefix("syntax error: ") {
                Some(what) => Error::new(ErrorKind::Syntax, format!("the document does not parse: {what}")),
                None => Error::new(ErrorKind::Validation, message),
            };
            error.at(source, diagnostic.error.location())
        })
        .collect()
}
