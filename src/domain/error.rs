//! The errors of the domain: a closed list. Each has a code that clients match on, and a message for the caller. No
//! message may contain anything internal.

use std::fmt;

use crate::{
    db::{ConnectError, DbError},
    id::Revision,
    share::BudgetFull,
};

use super::{
    activation_plan::PlanRefusal, extensions, limit::LimitedResource, plan::PlanObjection, text::snake_case,
};

/// The result of an operation of the domain.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation failed. The message is for the caller and contains nothing internal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no credential, or it isn't accepted.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The caller may see the object, but isn't allowed to do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The object doesn't exist, or the caller may not know that it does.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A value isn't accepted.
    #[error("{message}")]
    Invalid {
        /// The input field, in the API's spelling; `None` when no single field is at fault.
        field: Option<String>,
        /// What is wrong, and what would be accepted.
        message: String,
    },
    /// A value is longer or larger than its limit.
    #[error("{field} is too large: {actual} {unit}, at most {limit}")]
    TooLarge {
        /// The input field.
        field: String,
        /// The actual size.
        actual: usize,
        /// The largest size that is accepted.
        limit: usize,
        /// The unit of both sizes.
        unit: &'static str,
    },
    /// A unique value is already in use.
    #[error("{message}")]
    AlreadyExists {
        /// The input field.
        field: &'static str,
        /// Which value is in use.
        message: &'static str,
    },
    /// The active version isn't the one that the caller expected.
    #[error("{}, {expected}", described(*actual))]
    NotActive {
        /// The input field with the expected version.
        field: &'static str,
        /// The version that the caller expected.
        expected: ExpectedNumber,
        /// The number of the version that is active; `None` when none is.
        actual: Option<i32>,
    },
    /// The newest version isn't the one that the caller expected.
    #[error("the newest version is number {actual}, not {expected}")]
    NotLatest {
        /// The number that the caller expected.
        expected: i32,
        /// The number of the newest version.
        actual: i32,
    },
    /// The plan of an activation stands against it.
    #[error("{}", .0.message)]
    Plan(Box<PlanRefusal>),
    /// A customer's last ADMIN can't lose the role, because no other member could give it to anybody.
    #[error("this member is the customer's last ADMIN; give another member the role ADMIN first")]
    LastAdmin,
    /// The last operator can't be removed, because nobody could add another one.
    #[error("this person is the last operator; add another one first")]
    LastOperator,
    /// The caller has used this idempotency key for a different request.
    #[error("this idempotency key was used for a different request within the last 24 hours; use a new key")]
    KeyReused,
    /// The customer has as many of something as its plan allows.
    #[error("the customer's plan allows {limit} {}", .limited.name())]
    LimitReached {
        /// What is limited.
        limited: LimitedResource,
        /// How many the plan allows.
        limit: i64,
    },
    /// The caller sends more requests than its plan allows.
    #[error("too many requests; try again in {retry_after_seconds} s")]
    RateLimited {
        /// After how many seconds the caller may try again.
        retry_after_seconds: u64,
    },
    /// The agent is archived: it must be restored first.
    #[error("the agent is archived; restore it first")]
    Archived,
    /// The customer is suspended: it serves no configurations, and only rights may be removed there.
    #[error("the customer is suspended")]
    Suspended,
    /// The customer is canceled, and perhaps erased: it serves no configurations, and only rights may be removed there.
    #[error("the customer is canceled")]
    Canceled,
    /// The cursor isn't one of this log.
    #[error("the cursor is not one of this log; begin again without it")]
    CursorInvalid,
    /// The cursor is one of this log, and was returned by a subscription with other arguments or to a caller with
    /// other rights.
    #[error(
        "the cursor is of another subscription: it is valid only for the arguments and rights that it was returned for; begin again without it"
    )]
    CursorOfAnother,
    /// The cursor points to a part of the log that has been pruned.
    #[error(
        "the log has been pruned up to revision {floor}; begin again at a later revision, or without a cursor"
    )]
    CursorTooOld {
        /// The last commit that was pruned.
        floor: Revision,
    },
    /// A value in a part of a file is wrong, such as in a version of a line.
    #[error("{part}: {error}")]
    InPart {
        /// The part, for people.
        part: String,
        /// [`Error::Invalid`] or [`Error::TooLarge`].
        error: Box<Error>,
    },
    /// Several fields of an input are wrong. None of these errors is [`Error::Several`] or [`Error::Internal`].
    #[error("{}", joined(.0))]
    Several(Vec<Error>),
    /// There is no memory for the request or its answer.
    #[error("{0}")]
    NoMemory(#[from] BudgetFull),
    /// The request can't be answered now. Trying again later may succeed.
    #[error("{0}; try again")]
    Unavailable(&'static str),
    /// An error of the service itself. The source goes to the log, not to the caller.
    #[error("something went wrong on our side")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The version that a caller expects to be active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpectedNumber {
    /// No version.
    Nothing,
    /// The version with this number.
    Version(i32),
    /// A version that the agent doesn't have.
    Unknown,
}

impl fmt::Display for ExpectedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("but none was expected"),
            Self::Version(number) => write!(f, "not version {number}"),
            Self::Unknown => f.write_str("and the expected one isn't a version of this agent"),
        }
    }
}

fn described(version: Option<i32>) -> String {
    version.map_or_else(|| "no version is active".to_owned(), |number| format!("version {number} is active"))
}

fn joined(errors: &[Error]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Error {
    /// An error about the value of this input field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: Some(field.into()), message: message.into() }
    }

    /// The input field at fault, in the API's spelling: names and indexes, joined with dots. `None` when no single
    /// field is.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => field.as_deref(),
            Self::TooLarge { field, .. } => Some(field),
            Self::AlreadyExists { field, .. } => Some(field),
            Self::NotActive { field, .. } => Some(field),
            Self::NotLatest { .. } => Some("expectedLatestNumber"),
            Self::Plan(refusal) => match refusal.objection {
                PlanObjection::Changed => Some("planHash"),
                PlanObjection::Unconfirmed => Some("confirm"),
                PlanObjection::Refused | PlanObjection::NotPromotable => None,
            },
            Self::KeyReused => Some("idempotencyKey"),
            Self::InPart { error, .. } => error.field(),
            _ => None,
        }
    }

    /// The field at fault as steps: names, and indexes as text. A key of the extensions is one step, with its dots.
    #[must_use]
    pub fn path(&self) -> Option<Vec<String>> {
        let field = self.field()?;
        Some(match extensions::key_in_field(field) {
            Some(key) => vec![extensions::FIELD.to_owned(), key.to_owned()],
            None => field.split('.').map(str::to_owned).collect(),
        })
    }

    /// The error of a value as one of a part. Errors that aren't about a value stay as they are.
    #[must_use]
    pub(super) fn within(self, part: &str) -> Self {
        match self {
            Self::Invalid { .. } | Self::TooLarge { .. } => {
                Self::InPart { part: part.to_owned(), error: Box::new(self) }
            }
            Self::Several(errors) => Self::Several(errors.into_iter().map(|err| err.within(part)).collect()),
            other => other,
        }
    }

    /// The field at fault, if it is one, and the message, spelled as REST and files spell fields: in snake_case. The
    /// domain's messages spell the field as GraphQL does, in camelCase.
    #[must_use]
    pub fn in_snake_case(&self) -> (Option<String>, String) {
        if let Self::Several(errors) = self {
            let messages: Vec<_> = errors.iter().map(|err| err.in_snake_case().1).collect();
            return (None, messages.join("; "));
        }
        let message = self.to_string();
        let Some(field) = self.field() else { return (None, message) };
        if extensions::key_in_field(field).is_some() {
            return (Some(field.to_owned()), message);
        }
        let snake = snake_case(field);
        let message = message.replace(field, &snake);
        (Some(snake), message)
    }

    /// The errors that this one stands for: itself, or each of several.
    #[must_use]
    pub fn each(&self) -> &[Self] {
        match self {
            Self::Several(errors) => errors,
            one => std::slice::from_ref(one),
        }
    }
}

/// The message when Postgres accepts no further connections.
const TOO_MANY_CONNECTIONS: &str = "Postgres accepts no further connections from this instance (SQLSTATE 53300), and none of the open ones is free";

impl From<DbError> for Error {
    fn from(fault: DbError) -> Self {
        match fault {
            DbError::Unique(name) if name == "agents_customer_name_key" => Self::AlreadyExists {
                field: "name",
                message: "the customer already has an agent of this name",
            },
            DbError::Unique(name) if name == "customers_external_id_key" => {
                Self::AlreadyExists { field: "externalId", message: "another customer has this externalId" }
            }
            DbError::Constraint(name) if name == "agents_owner_fkey" => {
                Self::invalid("ownerId", "the owner must be a member of the agent's customer")
            }
            // Foreign keys: the version must be one of the agent's own.
            DbError::Constraint(name)
                if name == "activations_version_fkey"
                    || name == "agents_active_version_fkey"
                    || name == "servings_version_fkey" =>
            {
                Self::NotFound("version of this agent")
            }
            // A version was activated in another environment while the agent was being archived.
            DbError::Constraint(name) if name == "agents_archived_serves_nowhere" => {
                Self::Unavailable("two concurrent writes conflicted")
            }
            DbError::Serialization(_) => Self::Unavailable("two concurrent writes conflicted"),
            DbError::ShareUsedUp => Self::Unavailable(
                "your other requests use your whole share of the database connections; send fewer at a time",
            ),
            DbError::SnapshotMoved => Self::Unavailable("the data changed while the answer was computed"),
            DbError::PoolClosed => Self::Unavailable("this instance is stopping"),
            DbError::PoolBusy => Self::Unavailable("all connections to the database are in use"),
            DbError::TooManyConnections => Self::Unavailable(TOO_MANY_CONNECTIONS),
            DbError::Unavailable(source) => {
                tracing::warn!(error = %source, "the database is unavailable");
                Self::Unavailable("the database can't be reached")
            }
            other => Self::Internal(Box::new(other)),
        }
    }
}

impl From<ConnectError> for Error {
    fn from(err: ConnectError) -> Self {
        Self::Internal(Box::new(err))
    }
}
