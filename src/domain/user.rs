//! Users: people, identified by their issuer and their subject there.

use super::{
    Error, Reading, Registry, Result,
    policy::{self, Action},
};
use crate::{entity::user, id::UserId};

pub use user::Model as User;

/// The longest subject, in characters (OpenID Connect Core 1.0, section 2).
pub const SUBJECT_CHARS_MAX: usize = 255;

/// Whether text can be a subject: 1 to [`SUBJECT_CHARS_MAX`] characters, no control characters.
pub(super) fn is_subject(subject: &str) -> bool {
    let fits = (1..=SUBJECT_CHARS_MAX).contains(&subject.chars().count());
    fits && !subject.chars().any(char::is_control)
}

/// Checks a subject.
///
/// # Errors
/// [`Error::Invalid`] for text that isn't one.
pub(super) fn check_subject(subject: &str) -> Result<()> {
    if !is_subject(subject) {
        let message =
            format!("subject must be 1 to {SUBJECT_CHARS_MAX} characters, none of them control characters");
        return Err(Error::invalid("subject", message));
    }
    Ok(())
}

impl Registry {
    /// The users with these ids that the reader may see: members of its customers, and itself.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `changes:read`.
    pub async fn users_by_ids(&self, reading: &Reading, ids: &[UserId]) -> Result<Vec<User>> {
        policy::allow(&reading.caller, Action::ReadPeople)?;
        Ok(reading
            .view
            .all(user::by_ids(&reading.view.tenant_filter(), ids, reading.caller.profile()))
            .await?)
    }
}
