//! Users: people, identified by their issuer and their subject there.

use sea_orm::Set;

use super::{
    Caller, Error, Input, Outcome, Reading, Registry, Result, WriteResult,
    change::ChangeAction,
    policy::{self, Action},
    text,
};
use crate::{
    db::{ChangeRecord, Scope},
    entity::user,
    id::UserId,
};

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

impl User {
    /// Whether the reader is the user itself, or acts for the platform.
    #[must_use]
    pub fn is_open_to(&self, reader: &Caller) -> bool {
        reader.profile() == Some(self.id) || policy::is_platform(reader)
    }

    /// The address, if the reader may see it.
    #[must_use]
    pub fn visible_email(&self, reader: &Caller) -> Option<&str> {
        self.email.as_deref().filter(|_| self.is_open_to(reader))
    }

    /// The name for people: the display name, else the address if the reader may see it.
    #[must_use]
    pub fn visible_name(&self, reader: &Caller) -> Option<&str> {
        self.display_name().or_else(|| self.visible_email(reader))
    }
}

impl Registry {
    /// Changes the caller's own display name. `None` takes the name in the caller's tokens again.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a program, [`Error::NotFound`] for a user without a profile, [`Error::Invalid`] for the
    /// name.
    pub async fn update_profile(
        &self,
        caller: &Caller,
        name: impl Into<Input<Option<String>>>,
    ) -> Result<WriteResult<User>> {
        let (name, errors) = name.into().open();
        let name = errors.and(name.map(|name| text::normal_name("name", &name)).transpose())?;
        let actions = [ChangeAction::UserUpdated, ChangeAction::UserCreated];
        let since = self.last_change_of_own(caller, &actions).await?;
        self.write_in(Scope::Auth, caller, move |txn| async move {
            let (txn, before) = txn.own_profile().await?;
            let id = before.id;
            if before.chosen_name == name {
                return Ok(Outcome::Unchanged { value: before, since });
            }
            let after = txn.update(user::ActiveModel { chosen_name: Set(name), ..before.into() }).await?;
            txn.record(ChangeRecord::platform(ChangeAction::UserUpdated).subject(id));
            Ok(Outcome::Changed(after))
        })
        .await
    }

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
