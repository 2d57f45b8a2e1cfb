//! The codes of the domain's errors, on which clients match.

use super::{Error, plan::PlanObjection};
use crate::share::BudgetFull;

/// An error's code in the API. Clients match on it; codes are only ever added.
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
    /// See [`Error::NotActive`], [`Error::NotLatest`], [`Error::LastAdmin`] and [`Error::LastOperator`].
    Conflict,
    /// See [`Error::Plan`] and [`PlanObjection::Changed`].
    PlanChanged,
    /// See [`Error::Plan`] and [`PlanObjection::Unconfirmed`].
    ConfirmationRequired,
    /// See [`Error::Plan`] and [`PlanObjection::Refused`].
    PolicyRefused,
    /// See [`Error::Plan`] and [`PlanObjection::NotPromotable`].
    NotPromotable,
    /// See [`Error::KeyReused`].
    IdempotencyKeyReused,
    /// See [`Error::LimitReached`].
    LimitReached,
    /// See [`Error::RateLimited`] and [`Error::NoMemory`].
    RateLimited,
    /// See [`Error::Archived`].
    Archived,
    /// See [`Error::Suspended`].
    Suspended,
    /// See [`Error::Canceled`].
    Canceled,
    /// See [`Error::CursorInvalid`] and [`Error::CursorOfAnother`].
    CursorInvalid,
    /// See [`Error::CursorTooOld`].
    CursorTooOld,
    /// See [`Error::Unavailable`] and [`Error::NoMemory`].
    Unavailable,
    /// See [`Error::Internal`].
    Internal,
}

impl ErrorCode {
    /// The code as it is written in the API.
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
            Self::PlanChanged => "PLAN_CHANGED",
            Self::ConfirmationRequired => "CONFIRMATION_REQUIRED",
            Self::PolicyRefused => "POLICY_REFUSED",
            Self::NotPromotable => "NOT_PROMOTABLE",
            Self::IdempotencyKeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::LimitReached => "LIMIT_REACHED",
            Self::RateLimited => "RATE_LIMITED",
            Self::Archived => "ARCHIVED",
            Self::Suspended => "SUSPENDED",
            Self::Canceled => "CANCELED",
            Self::CursorInvalid => "CURSOR_INVALID",
            Self::CursorTooOld => "CURSOR_TOO_OLD",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

impl Error {
    /// The error's code in the API.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Unauthenticated(_) => ErrorCode::Unauthenticated,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::Invalid { .. } => ErrorCode::Invalid,
            Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::AlreadyExists { .. } => ErrorCode::AlreadyExists,
            Self::NotActive { .. } | Self::NotLatest { .. } | Self::LastAdmin | Self::LastOperator => {
                ErrorCode::Conflict
            }
            Self::Plan(refusal) => match refusal.objection {
                PlanObjection::Changed => ErrorCode::PlanChanged,
                PlanObjection::Unconfirmed => ErrorCode::ConfirmationRequired,
                PlanObjection::Refused => ErrorCode::PolicyRefused,
                PlanObjection::NotPromotable => ErrorCode::NotPromotable,
            },
            Self::KeyReused => ErrorCode::IdempotencyKeyReused,
            Self::LimitReached { .. } => ErrorCode::LimitReached,
            Self::NoMemory(BudgetFull::Share) => ErrorCode::RateLimited,
            Self::NoMemory(BudgetFull::Instance) => ErrorCode::Unavailable,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::Archived => ErrorCode::Archived,
            Self::Suspended => ErrorCode::Suspended,
            Self::Canceled => ErrorCode::Canceled,
            Self::InPart { error, .. } => error.code(),
            Self::Several(errors) => errors.first().map_or(ErrorCode::Invalid, Self::code),
            Self::CursorInvalid | Self::CursorOfAnother => ErrorCode::CursorInvalid,
            Self::CursorTooOld { .. } => ErrorCode::CursorTooOld,
            Self::Unavailable(_) => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }
}
