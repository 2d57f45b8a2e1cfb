//! Why a request is refused before it runs.

use std::{error::Error as StdError, fmt};

use apollo_compiler::{diagnostic::ToCliReport, parser::SourceSpan, validation::DiagnosticList};
use async_graphql_parser::Pos;

use crate::{document::Source, limits::Figure};

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Which stage found it.
    pub kind: ErrorKind,
    /// What is wrong, where, and what would be accepted.
    pub message: String,
    /// Where in the document. Empty when the fault is in the variables, or in the document as a whole.
    pub locations: Vec<Pos>,
}

/// Which stage found an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is no GraphQL document.
    Syntax,
    /// There is more of something than [`Limits`](crate::Limits) allow.
    TooComplex {
        /// What was counted.
        figure: Figure,
        /// How many there are, at least.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The document breaks a rule of the specification's section 5.
    Validation,
    /// No operation, or more than one, fits `operationName` (section 6.1).
    Operation,
    /// A variable's value doesn't fit its type (section 6.1.2), or what it makes of an argument doesn't.
    Variable,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), locations: Vec::new() }
    }

    pub(crate) fn at(mut self, source: &Source, span: Option<SourceSpan>) -> Self {
        self.locations.extend(span.map(|span| source.pos(span)));
        self
    }
}

/// All that is wrong with a request, as far as it was looked for: at least one error, at most
/// [`Limits::errors`](crate::Limits::errors).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors(Vec<Error>);

impl Errors {
    /// These errors, cut to `limit`. `None` when there are none.
    pub(crate) fn of(mut errors: Vec<Error>, limit: usize) -> Option<Self> {
        errors.truncate(limit.max(1));
        (!errors.is_empty()).then_some(Self(errors))
    }

    /// The errors, in the order of the document.
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

/// A client's word in quotes, cut to what a message may repeat.
pub(crate) fn shortened(word: &str) -> String {
    let mut short: String = word.chars().take(100).collect();
    if short.len() < word.len() {
        short.push('…');
    }
    format!("{short:?}")
}

/// What the library reports, without the diagnostics named in `judged_here`: this crate judges those itself.
pub(crate) fn of_library(
    diagnostics: &DiagnosticList,
    source: &Source,
    judged_here: &[&str],
    limit: usize,
) -> Vec<Error> {
    let reported = diagnostics.iter().filter(|diagnostic| {
        diagnostic.error.unstable_error_name().is_none_or(|name| !judged_here.contains(&name))
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
