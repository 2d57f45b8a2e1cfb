//! Identities: the names by which a person signs in, each an issuer and a subject there. Two identities of one user are
//! the same person, with the same profile and rights.

use std::collections::HashMap;

use sea_orm::Set;

use super::{
    Caller, Error, Input, Outcome, Reading, Registry, Result, WriteResult,
    change::ChangeAction,
    idempotency::{ReplayIds, Replayable},
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
    user::{User, check_subject},
};
use crate::{
    clock::Instant,
    db::ChangeRecord,
    entity::{change::last_of_platform, identity, user},
    id::UserId,
};

pub use identity::Model as Identity;

/// The longest name of an issuer, in characters.
const ISSUER_CHARS_MAX: usize = 2_000;

/// An identity to link to a user.
#[derive(Clone, Debug)]
pub struct LinkIdentity {
    /// The user.
    pub user_id: UserId,
    /// The issuer of the identity's tokens.
    pub issuer: String,
    /// The name at the issuer; 1 to 255 characters.
    pub subject: String,
}

impl Replayable for User {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let id = UserId::from(subject.id);
        if !txn.is_own_profile(id).await? {
            txn.allow(Action::ManagePlatform).await?;
        }
        txn.one(user::by_id(id)).await?.ok_or(Error::NotFound("user"))
    }
}

impl Registry {
    /// Links a further identity to a user, so that both sign in as the same person.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::NotFound`] for the user; [`Error::Invalid`] for
    /// the issuer or the subject; [`Error::AlreadyExists`] when the identity is another user's.
    pub async fn link_identity(
        &self,
        caller: &Caller,
        input: impl Into<Input<LinkIdentity>>,
    ) -> Result<WriteResult<User>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let (LinkIdentity { user_id, issuer, subject }, mut errors) = input.into().open();
        errors.note(check_issuer(&issuer));
        errors.and(check_subject(&subject))?;
        let now = self.clock().now();
        self.write(caller, move |txn| async move {
            let txn = txn.platform(Action::ManagePlatform).await?;
            let value = txn.one(user::locked(user_id)).await?.ok_or(Error::NotFound("user"))?;
            if link(&txn, user_id, &issuer, &subject, now).await? {
                return Ok(Outcome::Changed(value));
            }
            let last = last_of_platform(user_id.into(), ChangeAction::IdentityLinked);
            Ok(Outcome::Unchanged { value, since: super::write::since(&txn, last).await? })
        })
        .await
    }

    /// The users who have this address, in lower case.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator.
    pub async fn users_by_email(&self, caller: &Caller, email: &str) -> Result<Vec<User>> {
        policy::allow(caller, Action::ManagePlatform)?;
        Ok(self.reading(caller).view.all(user::by_email(email)).await?)
    }

    /// The identities of each of these users, oldest first: for operators, of anybody; for a user, its own.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn identities_of_each(
        &self,
        reading: &Reading,
        users: &[UserId],
    ) -> Result<HashMap<UserId, Vec<Identity>>> {
        let is_platform = policy::is_platform(&reading.caller);
        let visible = users.iter().copied();
        let visible = visible.filter(|user| is_platform || reading.caller.profile() == Some(*user));
        let visible: Vec<UserId> = visible.collect();
        let rows = reading.view.all(identity::of_users(&reading.view.tenant_filter(), &visible)).await?;
        Ok(super::grouped(rows, |row| row.user_id))
    }
}

/// Links an identity to a locked user. Returns false when it was linked already.
pub(super) async fn link(
    txn: &GrantedTxn,
    user: UserId,
    issuer: &str,
    subject: &str,
    now: Instant,
) -> Result<bool> {
    let row = identity::ActiveModel {
        issuer: Set(issuer.to_owned()),
        subject: Set(subject.to_owned()),
        user_id: Set(user),
        created_at: Set(now),
        synced_at: Set(None),
    };
    if txn.insert_new(row).await? {
        // Without the names: the log must not contain personal data.
        txn.record(ChangeRecord::platform(ChangeAction::IdentityLinked).subject(user));
        return Ok(true);
    }
    match txn.one(identity::by_name(issuer, subject)).await? {
        Some(known) if known.user_id == user => Ok(false),
        _ => Err(Error::AlreadyExists {
            field: "subject",
            message: "this identity is another user's, who has signed in or was added as a member",
        }),
    }
}

/// Checks the name of an issuer.
///
/// # Errors
/// [`Error::Invalid`] for text that isn't one.
pub(super) fn check_issuer(issuer: &str) -> Result<()> {
    let fits = (1..=ISSUER_CHARS_MAX).contains(&issuer.chars().count());
    if fits && !issuer.chars().any(char::is_control) {
        return Ok(());
    }
    let message =
        format!("issuer must be 1 to {ISSUER_CHARS_MAX} characters, none of them control characters");
    Err(Error::invalid("issuer", message))
}
