//! What API keys and service tokens have in common: an end, and a rotation during which both credentials are accepted.

use std::fmt::Display;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Error, InputErrors, Result};
use crate::clock::{Clock, Instant};

/// The longest time that a rotated credential is still accepted in addition to its successor: a week.
pub const OVERLAP_SECONDS_MAX: i64 = 7 * 24 * 3600;
/// The default of that time.
pub const OVERLAP_SECONDS_DEFAULT: i64 = 3600;

/// The end of a new credential.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expiry {
    at: Option<Instant>,
    now: Instant,
}

impl Expiry {
    /// Takes the expiry of an input. A replayed credential may have expired since, so an expiry in the past is only
    /// noted here if the input has another error, and else by [`Expiry::check`] within the write.
    pub(super) fn new(at: Option<Instant>, clock: &Clock, errors: &mut InputErrors) -> Self {
        let expiry = Self { at, now: clock.now() };
        if !errors.is_empty() {
            errors.note(expiry.check());
        }
        expiry
    }

    /// # Errors
    /// [`Error::Invalid`] for an expiry that isn't in the future.
    pub(super) fn check(self) -> Result<()> {
        match self.at {
            Some(at) if at <= self.now => Err(Error::invalid("expiresAt", "expiresAt must be in the future")),
            _ => Ok(()),
        }
    }
}

/// The time for which a rotated credential is still accepted.
///
/// # Errors
/// [`Error::Invalid`] beyond [`OVERLAP_SECONDS_MAX`].
pub(super) fn checked_overlap(seconds: Option<i64>) -> Result<TimeDelta> {
    let seconds = seconds.unwrap_or(OVERLAP_SECONDS_DEFAULT);
    if (0..=OVERLAP_SECONDS_MAX).contains(&seconds) {
        return Ok(TimeDelta::seconds(seconds));
    }
    let message = format!("overlapSeconds must be 0 to {OVERLAP_SECONDS_MAX}, got {seconds}");
    Err(Error::invalid("overlapSeconds", message))
}

/// The state of a credential that is to be rotated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rotated {
    /// When it expires; `None` when it doesn't.
    pub(super) expires_at: Option<Instant>,
    /// Whether it was revoked.
    pub(super) is_revoked: bool,
    /// Whether it has a successor.
    pub(super) is_replaced: bool,
}

impl Rotated {
    /// When the credential ends: after `overlap`, but not beyond its own expiry. `field` is the input's field that names
    /// the credential, and `noun` what it is.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a credential that has expired, was revoked or has a successor.
    pub(super) fn end(self, field: &str, noun: &str, now: Instant, overlap: TimeDelta) -> Result<Instant> {
        let Self { expires_at, is_revoked, is_replaced } = self;
        if is_revoked || is_replaced || expires_at.is_some_and(|at| at <= now) {
            let message = format!("the {noun} has expired, was revoked, or already has a successor");
            return Err(Error::invalid(field, message));
        }
        Ok(expires_at.map_or(now + overlap, |at| at.min(now + overlap)))
    }

    /// The details of the log entry for the rotation.
    pub(super) fn details(self, successor: impl Display, end: Instant) -> Value {
        let before = json!({ "replaced_by": null, "expires_at": self.expires_at });
        let after = json!({ "replaced_by": successor.to_string(), "expires_at": end });
        json!({ "before": before, "after": after })
    }
}

/// The details of the log entry for a revocation.
pub(super) fn revocation_details(now: Instant) -> Value {
    json!({ "before": { "revoked_at": null }, "after": { "revoked_at": now } })
}
