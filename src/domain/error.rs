//! The closed list of what a caller can be told, and whose fault each is.

use crate::{
    db::{ConnectError, Fault},
    id::VersionId,
};

use super::limit::Limited;

/// A verb's answer.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a verb did not do what was asked. Its message is for the caller: nothing internal is in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No credential, or one that is not accepted.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The caller may see it, but may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is none, or the caller may not know.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// A value is not acceptable.
    #[error("{message}")]
    Invalid {
        /// The input field, in the API's own spelling; none when it is no single one.
        field: Option<String>,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// A value is longer or larger than its limit.
    #[error("{field} is too large: {actual} {unit}, at most {limit}")]
    TooLarge {
        /// The input field.
        field: String,
        /// How large it is.
        actual: usize,
        /// How large it may be.
        limit: usize,
        /// In which unit.
        unit: &'static str,
    },
    /// The name is taken.
    #[error("{message}")]
    AlreadyExists {
        /// The input field.
        field: &'static str,
        /// What is there already.
        message: &'static str,
    },
    /// What the caller expected to be active is not.
    #[error("{} is active, not {}", described(*actual), described(*expected))]
    NotActive {
        /// What the caller expected.
        expected: Option<VersionId>,
        /// What is so.
        actual: Option<VersionId>,
    },
    /// What the caller expected to be the newest version is not.
    #[error("the newest version is number {actual}, not {expected}")]
    NotLatest {
        /// What the caller expected.
        expected: i32,
        /// What is so.
        actual: i32,
    },
    /// A customer's last ADMIN stays one: nobody could give the role to another.
    #[error("it is the customer's last ADMIN; make somebody else one first")]
    LastAdmin,
    /// The caller has sent another request with this idempotency key.
    #[error("another request was sent with this idempotency key within 24 hours; give each its own")]
    KeyReused,
    /// The customer has as much as its plan allows.
    #[error("the customer's plan allows {limit} {}", .limited.name())]
    LimitReached {
        /// Of what.
        limited: Limited,
        /// How many.
        limit: i64,
    },
    /// The caller asks more often than it may.
    #[error("too many requests; try again in {retry_after_seconds} s")]
    RateLimited {
        /// After how many seconds it may ask again.
        retry_after_seconds: u64,
    },
    /// The agent is archived: restore it first.
    #[error("the agent is archived; restore it first")]
    Archived,
    /// The customer is suspended: nothing is served, nothing may be written.
    #[error("the customer is suspended")]
    Suspended,
    /// A cursor that this log never gave out, or not for this question.
    #[error("the cursor is not of this log")]
    CursorInvalid,
    /// A cursor from before what is kept of the log.
    #[error("the log is kept from after revision {floor}; begin anew")]
    CursorTooOld {
        /// The last commit that is not kept any more.
        floor: i64,
    },
    /// It can't be answered now; trying again later may do.
    #[error("{0}; try again")]
    Unavailable(&'static str),
    /// Our own fault. The source is for the log.
    #[error("something went wrong on our side")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn described(version: Option<VersionId>) -> String {
    version.map_or_else(|| "no version".to_owned(), |id| format!("version {id}"))
}

/// An error's name on the wire. Clients match on it; names are only ever added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// See [`Error::Unauthenticated`].
    Unauthenticated,
    /// See [`Error::Forbidden`].
    Forbidden,
    /// See [`Error::NotFound`].
    NotFound,
    /// See [`Error::Invalid`].
    Invalid,
    /// See [`Error::TooLarge`].
    TooLarge,
    /// See [`Error::AlreadyExists`].
    AlreadyExists,
    /// See [`Error::NotActive`], [`Error::NotLatest`] and [`Error::LastAdmin`].
    Conflict,
    /// See [`Error::KeyReused`].
    IdempotencyKeyReused,
    /// See [`Error::LimitReached`].
    LimitReached,
    /// See [`Error::RateLimited`].
    RateLimited,
    /// See [`Error::Archived`].
    Archived,
    /// See [`Error::Suspended`].
    Suspended,
    /// See [`Error::CursorInvalid`].
    CursorInvalid,
    /// See [`Error::CursorTooOld`].
    CursorTooOld,
    /// See [`Error::Unavailable`].
    Unavailable,
    /// See [`Error::Internal`].
    Internal,
}

impl ErrorCode {
    /// Its spelling on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Invalid => "INVALID",
            Self::TooLarge => "TOO_LARGE",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::Conflict => "CONFLICT",
            Self::IdempotencyKeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::LimitReached => "LIMIT_REACHED",
            Self::RateLimited => "RATE_LIMITED",
            Self::Archived => "ARCHIVED",
            Self::Suspended => "SUSPENDED",
            Self::CursorInvalid => "CURSOR_INVALID",
            Self::CursorTooOld => "CURSOR_TOO_OLD",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

impl Error {
    /// A value of this input field is not acceptable.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { field: Some(field.into()), message: message.into() }
    }

    /// Its name on the wire.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated(_) => ErrorCode::Unauthenticated,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::Invalid { .. } => ErrorCode::Invalid,
            Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::AlreadyExists { .. } => ErrorCode::AlreadyExists,
            Self::NotActive { .. } | Self::NotLatest { .. } | Self::LastAdmin => ErrorCode::Conflict,
            Self::KeyReused => ErrorCode::IdempotencyKeyReused,
            Self::LimitReached { .. } => ErrorCode::LimitReached,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::Archived => ErrorCode::Archived,
            Self::Suspended => ErrorCode::Suspended,
            Self::CursorInvalid => ErrorCode::CursorInvalid,
            Self::CursorTooOld { .. } => ErrorCode::CursorTooOld,
            Self::Unavailable(_) => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// The input field at fault, in the API's own spelling.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } => field.as_deref(),
            Self::TooLarge { field, .. } => Some(field),
            Self::AlreadyExists { field, .. } => Some(field),
            Self::NotActive { .. } => Some("expectedActiveVersionId"),
            Self::NotLatest { .. } => Some("expectedLatestNumber"),
            Self::KeyReused => Some("idempotencyKey"),
            _ => None,
        }
    }

    /// Whether the caller could have known better: then it is told so in the payload, as data.
    #[must_use]
    pub fn is_callers(&self) -> bool {
        match self.code() {
            ErrorCode::NotFound
            | ErrorCode::Invalid
            | ErrorCode::TooLarge
            | ErrorCode::AlreadyExists
            | ErrorCode::Conflict
            | ErrorCode::IdempotencyKeyReused
            | ErrorCode::LimitReached
            | ErrorCode::Archived
            | ErrorCode::Suspended
            | ErrorCode::CursorInvalid
            | ErrorCode::CursorTooOld => true,
            ErrorCode::Unauthenticated
            | ErrorCode::Forbidden
            | ErrorCode::RateLimited
            | ErrorCode::Unavailable
            | ErrorCode::Internal => false,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Unique(name) if name == "agents_customer_name_key" => Self::AlreadyExists {
                field: "name",
                message: "the customer has an agent of this name already",
            },
            Fault::Constraint(name) if name == "agents_owner_fkey" => {
                Self::invalid("ownerId", "the owner must be a member of the agent's customer")
            }
            // What serves is one of its agent's own versions.
            Fault::Constraint(name)
                if name == "activations_version_fkey" || name == "agents_active_version_fkey" =>
            {
                Self::NotFound("version of this agent")
            }
            Fault::Serialization(_) => Self::Unavailable("two writes met"),
            Fault::Unavailable(source) => {
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
