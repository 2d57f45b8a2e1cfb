//! From a domain error to what a GraphQL client is told: data in a payload, or an entry of `errors`.

use std::error::Error as StdError;

use async_graphql::{ErrorExtensionValues, ErrorExtensions, SimpleObject};

use super::scalar::Revision;
use crate::domain::{Changed, Error, ErrorCode};

/// Why a mutation did not do what was asked: something that its caller can mend.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// What went wrong, for programs: `NOT_FOUND`, `CONFLICT`, `INVALID`, `TOO_LARGE`, `ALREADY_EXISTS`, `LIMIT_REACHED`, `ARCHIVED`, `SUSPENDED`. New ones may be added.
    code: String,
    /// What went wrong, for people.
    message: String,
    /// The input field at fault, with dots into lists and objects; null when it is no single one.
    field: Option<String>,
}

impl From<&Error> for UserError {
    fn from(err: &Error) -> Self {
        Self {
            code: err.code().as_str().to_owned(),
            message: err.to_string(),
            field: err.field().map(str::to_owned),
        }
    }
}

/// The entry of `errors` for this error. What is our own fault is logged here, whole, and told nowhere else.
pub(in crate::graphql) fn refuse(err: &Error) -> async_graphql::Error {
    let code = match err.code() {
        ErrorCode::Invalid | ErrorCode::TooLarge => "BAD_USER_INPUT",
        ErrorCode::Internal => {
            tracing::error!(error = %chain(err), "a resolver failed");
            "INTERNAL"
        }
        other => other.as_str(),
    };
    async_graphql::Error::new(err.to_string()).extend_with(|_, extensions| {
        extensions.set("code", code);
        if let Some(field) = err.field() {
            extensions.set("field", field);
        }
    })
}

/// What a nullable field answers: where it can't, it alone is null (GraphQL, section 6.4.4). A `Result` around the option
/// would take its parent with it.
pub(in crate::graphql) type Nullable<T> = Option<async_graphql::Result<T>>;

/// The code of what a reader has no right to.
pub(in crate::graphql) const FORBIDDEN: &str = "FORBIDDEN";

/// What a nullable root field answers: a reader without the right is refused.
pub(in crate::graphql) async fn root<T>(
    work: impl Future<Output = async_graphql::Result<Option<T>>>,
) -> Nullable<T> {
    work.await.transpose()
}

/// What a nullable field below the root answers: what the reader has no right to is null, and no error. A client can't tell
/// beforehand what is hidden from it, and an entry of `errors` is an exception to most.
pub(in crate::graphql) async fn nullable<T>(
    work: impl Future<Output = async_graphql::Result<Option<T>>>,
) -> Nullable<T> {
    match work.await {
        Err(err) if err.extensions.as_ref().is_some_and(is_forbidden) => None,
        answer => answer.transpose(),
    }
}

/// Whether an error says that the reader has no right to something.
pub(in crate::graphql) fn is_forbidden(extensions: &ErrorExtensionValues) -> bool {
    extensions.get("code") == Some(&FORBIDDEN.into())
}

/// The same for a field that leads to another object, where there is one.
pub(in crate::graphql) async fn linked<I, T, F>(id: Option<I>, load: impl FnOnce(I) -> F) -> Nullable<T>
where
    F: Future<Output = async_graphql::Result<Option<T>>>,
{
    match id {
        Some(id) => nullable(load(id)).await,
        None => None,
    }
}

/// The entry of `errors` for an answer that would be too large.
pub(in crate::graphql) fn too_much(limit: usize) -> async_graphql::Error {
    let message =
        format!("the answer would hold more than {limit} bytes of text and JSON; ask for less at once");
    async_graphql::Error::new(message)
        .extend_with(|_, extensions| extensions.set("code", "QUERY_TOO_COMPLEX"))
}

/// An error and all its causes, each once, for the log.
fn chain(err: &dyn StdError) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// What a mutation came to: its value and revision, or what the caller can mend.
pub(in crate::graphql) struct Outcome<T> {
    pub(in crate::graphql) value: Option<T>,
    pub(in crate::graphql) revision: Option<Revision>,
    pub(in crate::graphql) user_errors: Vec<UserError>,
}

/// Sorts a verb's answer into payload and `errors`.
pub(in crate::graphql) fn settle<T>(answer: Result<Changed<T>, Error>) -> async_graphql::Result<Outcome<T>> {
    match answer {
        Ok(Changed { value, revision }) => {
            Ok(Outcome { value: Some(value), revision: Some(Revision(revision)), user_errors: Vec::new() })
        }
        Err(err) if err.is_callers() => {
            Ok(Outcome { value: None, revision: None, user_errors: vec![UserError::from(&err)] })
        }
        Err(err) => Err(refuse(&err)),
    }
}
