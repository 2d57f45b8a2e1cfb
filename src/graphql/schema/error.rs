//! Maps a domain error to what a GraphQL client receives: a `UserError` in a payload, or an entry of `errors`.

use std::error::Error as StdError;

use async_graphql::{ErrorExtensionValues, ErrorExtensions, SimpleObject};

use super::scalar::Revision;
use crate::domain::{Error, ErrorCode, WriteResult};

/// Why a mutation didn't change anything, when the caller can correct it.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// The code for programs: `NOT_FOUND`, `CONFLICT`, `INVALID`, `TOO_LARGE`, `ALREADY_EXISTS`, `LIMIT_REACHED`,
    /// `ARCHIVED`, `SUSPENDED` or `IDEMPOTENCY_KEY_REUSED`. New codes may be added.
    code: String,
    /// The explanation for people; its wording may change.
    message: String,
    /// The path of the input field at fault, such as `tools.0.name`; null if it isn't a single field.
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

/// Makes the entry of `errors` for this error. An internal error is logged here with its causes, and the client
/// gets none of them.
pub(in crate::graphql) fn to_graphql_error(err: &Error) -> async_graphql::Error {
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

/// The result of a nullable field: an error makes only this field null (GraphQL, section 6.4.4). A `Result` around
/// the option would make its parent null too.
pub(in crate::graphql) type Nullable<T> = Option<async_graphql::Result<T>>;

/// The code of a missing right.
pub(in crate::graphql) const FORBIDDEN: &str = "FORBIDDEN";

/// Resolves a nullable root field: a missing right is an error.
pub(in crate::graphql) async fn nullable_root<T>(
    work: impl Future<Output = async_graphql::Result<Option<T>>>,
) -> Nullable<T> {
    work.await.transpose()
}

/// Resolves a nullable field below the root: a missing right gives null, not an error. A client can't know
/// beforehand what is hidden from it, and most clients throw on any entry of `errors`.
pub(in crate::graphql) async fn nullable<T>(
    work: impl Future<Output = async_graphql::Result<Option<T>>>,
) -> Nullable<T> {
    match work.await {
        Err(err) if err.extensions.as_ref().is_some_and(is_forbidden) => None,
        answer => answer.transpose(),
    }
}

/// Returns whether an error stands for a missing right.
pub(in crate::graphql) fn is_forbidden(extensions: &ErrorExtensionValues) -> bool {
    extensions.get("code") == Some(&FORBIDDEN.into())
}

/// Resolves a nullable field that leads to another object: null without an id, else as [`nullable`].
pub(in crate::graphql) async fn linked<I, T, F>(id: Option<I>, load: impl FnOnce(I) -> F) -> Nullable<T>
where
    F: Future<Output = async_graphql::Result<Option<T>>>,
{
    match id {
        Some(id) => nullable(load(id)).await,
        None => None,
    }
}

/// Makes the entry of `errors` for a response that would be too large.
pub(in crate::graphql) fn response_too_large(limit: usize) -> async_graphql::Error {
    let message = format!(
        "the response would hold more than {limit} bytes of text and JSON; select fewer objects or fields"
    );
    async_graphql::Error::new(message)
        .extend_with(|_, extensions| extensions.set("code", "QUERY_TOO_COMPLEX"))
}

/// Joins an error and its causes into one line for the log.
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

/// The parts of a mutation's payload: value and revision on success, or the errors that the caller can correct.
pub(in crate::graphql) struct MutationResult<T> {
    pub(in crate::graphql) value: Option<T>,
    pub(in crate::graphql) revision: Option<Revision>,
    pub(in crate::graphql) user_errors: Vec<UserError>,
}

/// Sorts a verb's result: success and the caller's errors go into the payload, all others into `errors`.
pub(in crate::graphql) fn into_mutation_result<T>(
    answer: Result<WriteResult<T>, Error>,
) -> async_graphql::Result<MutationResult<T>> {
    match answer {
        Ok(WriteResult { value, revision }) => {
            Ok(MutationResult { value: Some(value), revision: Some(revision), user_errors: Vec::new() })
        }
        Err(err) if err.is_user_error() => {
            Ok(MutationResult { value: None, revision: None, user_errors: vec![UserError::from(&err)] })
        }
        Err(err) => Err(to_graphql_error(&err)),
    }
}
