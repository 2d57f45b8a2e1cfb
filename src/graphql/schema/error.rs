//! Maps a domain error to what a GraphQL client receives: a `UserError` in a payload, or an entry of `errors`.

use std::error::Error as StdError;

use async_graphql::{Enum, ErrorExtensionValues, ErrorExtensions, SimpleObject};

use super::scalar::Revision;
use crate::domain::{Error, ErrorCode, WriteResult};

/// What went wrong, for programs. New ones may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UserErrorCode {
    /// An object that the input names doesn't exist, or you can't see it.
    NotFound,
    /// The state isn't the one that you expected, such as another active version.
    Conflict,
    /// A value isn't accepted.
    Invalid,
    /// A value is longer or larger than its limit.
    TooLarge,
    /// Another object has this name or address.
    AlreadyExists,
    /// The customer has as many of something as its plan allows.
    LimitReached,
    /// The agent is archived: restore it first.
    Archived,
    /// The plan isn't the one with your `planHash` any more: the payload's `plan` is the new one.
    PlanChanged,
    /// The environment asks you to confirm the impacts in `plan.mustConfirm`.
    ConfirmationRequired,
    /// A rule of the environment refuses the change. The message is the first rule's; `plan.policy` has all.
    PolicyRefused,
    /// The version hasn't been active for long enough in the environment `promoteFrom`.
    NotPromotable,
    /// The customer is SUSPENDED.
    Suspended,
    /// The customer is CANCELED, and perhaps erased.
    Canceled,
    /// You have used this idempotency key for a different input.
    IdempotencyKeyReused,
}

impl UserErrorCode {
    /// The code of an error that the caller of a mutation can correct; `None` for other errors.
    fn of(code: ErrorCode) -> Option<Self> {
        Some(match code {
            ErrorCode::NotFound => Self::NotFound,
            ErrorCode::Invalid => Self::Invalid,
            ErrorCode::TooLarge => Self::TooLarge,
            ErrorCode::AlreadyExists => Self::AlreadyExists,
            ErrorCode::Conflict => Self::Conflict,
            ErrorCode::PlanChanged => Self::PlanChanged,
            ErrorCode::ConfirmationRequired => Self::ConfirmationRequired,
            ErrorCode::PolicyRefused => Self::PolicyRefused,
            ErrorCode::NotPromotable => Self::NotPromotable,
            ErrorCode::IdempotencyKeyReused => Self::IdempotencyKeyReused,
            ErrorCode::LimitReached => Self::LimitReached,
            ErrorCode::Archived => Self::Archived,
            ErrorCode::Suspended => Self::Suspended,
            ErrorCode::Canceled => Self::Canceled,
            ErrorCode::Unauthenticated
            | ErrorCode::Forbidden
            | ErrorCode::RateLimited
            | ErrorCode::CursorInvalid
            | ErrorCode::CursorTooOld
            | ErrorCode::Unavailable
            | ErrorCode::Internal => return None,
        })
    }
}

/// One reason why a mutation didn't change anything, which the caller can correct. A payload has all errors of its
/// input at once, at most 100; or else the first one that depends on stored data.
#[derive(Clone, Debug, SimpleObject)]
pub struct UserError {
    /// What went wrong, for programs.
    code: UserErrorCode,
    /// The explanation for people; its wording may change.
    message: String,
    /// The path of the input field at fault, such as `tools.0.name`; null if it isn't a single field.
    field: Option<String>,
    /// The field at fault as steps from `input`, such as `["tools", "1", "inputSchema"]`; null when it is no single
    /// one.
    path: Option<Vec<String>>,
}

impl UserError {
    /// The payload's entry for this error; `None` when the caller can't correct it.
    fn of(err: &Error) -> Option<Self> {
        Some(Self {
            code: UserErrorCode::of(err.code())?,
            message: err.to_string(),
            field: err.field().map(str::to_owned),
            path: err.path(),
        })
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
        Err(err) => match err.each().iter().map(UserError::of).collect() {
            Some(user_errors) => Ok(MutationResult { value: None, revision: None, user_errors }),
            None => Err(to_graphql_error(&err)),
        },
    }
}
