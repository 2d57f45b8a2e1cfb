//! Operators: people who run the platform, with all rights at all customers.

use std::collections::HashSet;

use uuid::Uuid;

use super::{
    Caller, Error, Input, Outcome, Registry, Result, WriteResult,
    change::ChangeAction,
    idempotency::{ReplayIds, Replayable},
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
    user::User,
};
use crate::{
    db::ChangeRecord,
    entity::{change::last_of_platform, identity, operator, user},
    id::UserId,
};

pub use operator::Model as Operator;

/// The person to make an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorToAdd {
    /// A user with a profile.
    User(UserId),
    /// A name at an issuer, which may have no profile yet.
    Name {
        /// The `iss` of the person's tokens.
        issuer: String,
        /// The `sub` of the person's tokens.
        subject: String,
    },
}

/// The person who became an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddedOperator {
    /// The profile; `None` for a person who has none yet.
    pub user: Option<User>,
}

/// The user who is no operator any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemovedOperator {
    /// The user's id.
    pub user: UserId,
}

impl Replayable for AddedOperator {
    fn replay_ids(&self) -> ReplayIds {
        // The nil UUID, which no profile has, stands for a person without one.
        ReplayIds::row(self.user.as_ref().map_or(Uuid::nil(), |user| user.id.into()))
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        txn.allow(Action::ManagePlatform).await?;
        Ok(Self { user: txn.one(user::by_id(subject.id.into())).await? })
    }
}

impl Replayable for RemovedOperator {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.user)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        txn.allow(Action::ManagePlatform).await?;
        Ok(Self { user: subject.id.into() })
    }
}

impl Registry {
    /// Makes this user an operator. Returns whether it was none before.
    ///
    /// # Errors
    /// [`super::Error::Forbidden`] unless the caller is an operator; [`super::Error::Invalid`] for the subject.
    pub async fn add_operator(&self, caller: &Caller, issuer: &str, subject: &str) -> Result<bool> {
        policy::allow(caller, Action::ManagePlatform)?;
        super::user::check_subject(subject)?;
        let operator = Operator {
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            created_at: self.clock().now(),
        };
        let name = (issuer.to_owned(), subject.to_owned());
        let made = self
            .run(caller, move |txn| async move {
                let txn = txn.platform(Action::ManagePlatform).await?;
                let is_new = txn.insert_new(operator::ActiveModel::from(operator)).await?;
                if is_new {
                    txn.record(about(&txn, ChangeAction::OperatorAdded, &name).await?);
                }
                Ok(is_new)
            })
            .await?;
        Ok(made.value)
    }

    /// Removes this user from the operators. Returns whether it was one.
    ///
    /// # Errors
    /// [`super::Error::Forbidden`] unless the caller is an operator.
    pub async fn remove_operator(&self, caller: &Caller, issuer: &str, subject: &str) -> Result<bool> {
        policy::allow(caller, Action::ManagePlatform)?;
        let name = (issuer.to_owned(), subject.to_owned());
        let made = self
            .run(caller, move |txn| async move {
                let (issuer, subject) = (&name.0, &name.1);
                let (txn, was) = txn.operator(Action::ManagePlatform, issuer, subject).await?;
                if was {
                    txn.delete(operator::delete(issuer, subject)).await?;
                    txn.record(about(&txn, ChangeAction::OperatorRemoved, &name).await?);
                }
                Ok(was)
            })
            .await?;
        Ok(made.value)
    }

    /// Makes a person an operator: by the profile, or by a name, with or without a profile.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::NotFound`] for the user; [`Error::Invalid`] for the
    /// name.
    pub async fn make_operator(
        &self,
        caller: &Caller,
        input: impl Into<Input<OperatorToAdd>>,
    ) -> Result<WriteResult<AddedOperator>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let (person, mut errors) = input.into().open();
        if let OperatorToAdd::Name { issuer, subject } = &person {
            errors.note(super::identity::check_issuer(issuer));
            errors.note(super::user::check_subject(subject));
        }
        errors.into_result()?;
        let now = self.clock().now();
        self.write(caller, move |txn| async move {
            let txn = txn.platform(Action::ManagePlatform).await?;
            let (profile, names) = match person {
                OperatorToAdd::User(id) => {
                    let profile = txn.one(user::by_id(id)).await?.ok_or(Error::NotFound("user"))?;
                    (Some(profile), names_of(&txn, id).await?)
                }
                OperatorToAdd::Name { issuer, subject } => {
                    let profile = txn.one(user::by_subject(&issuer, &subject)).await?;
                    let mut names = HashSet::from([(issuer, subject)]);
                    if let Some(profile) = &profile {
                        names.extend(names_of(&txn, profile.id).await?);
                    }
                    (profile, names)
                }
            };
            let subject = profile.as_ref().map(|profile| profile.id);
            let value = AddedOperator { user: profile };
            let operators = txn.all(operator::all()).await?;
            let mut is_new =
                !operators.iter().any(|row| names.contains(&(row.issuer.clone(), row.subject.clone())));
            if is_new {
                // Any name makes its user an operator. The first in their order, so that it is always the same one.
                let (issuer, name) = names.into_iter().min().ok_or(Error::NotFound("user"))?;
                let row = Operator { issuer, subject: name, created_at: now };
                is_new = txn.insert_new(operator::ActiveModel::from(row)).await?;
            }
            if !is_new {
                let last =
                    last_of_platform(subject.map_or(Uuid::nil(), Into::into), ChangeAction::OperatorAdded);
                return Ok(Outcome::Unchanged { value, since: super::write::since(&txn, last).await? });
            }
            let entry = ChangeRecord::platform(ChangeAction::OperatorAdded);
            txn.record(match subject {
                Some(id) => entry.subject(id),
                None => entry,
            });
            Ok(Outcome::Changed(value))
        })
        .await
    }

    /// Removes a user from the operators, by all of its names.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator; [`Error::NotFound`] for the user; [`Error::LastOperator`].
    pub async fn unmake_operator(
        &self,
        caller: &Caller,
        input: impl Into<Input<UserId>>,
    ) -> Result<WriteResult<RemovedOperator>> {
        policy::allow(caller, Action::ManagePlatform)?;
        let (id, errors) = input.into().open();
        errors.into_result()?;
        self.write(caller, move |txn| async move {
            let (txn, operators) = txn.operators(Action::ManagePlatform).await?;
            let profile = txn.one(user::by_id(id)).await?.ok_or(Error::NotFound("user"))?;
            let (names, value) = (names_of(&txn, id).await?, RemovedOperator { user: profile.id });
            let is_of_user = |row: &&Operator| names.contains(&(row.issuer.clone(), row.subject.clone()));
            let removed = operators.iter().filter(is_of_user).count();
            if removed == 0 {
                let last = last_of_platform(id.into(), ChangeAction::OperatorRemoved);
                return Ok(Outcome::Unchanged { value, since: super::write::since(&txn, last).await? });
            }
            if removed == operators.len() {
                return Err(Error::LastOperator);
            }
            txn.delete(operator::delete_of(id)).await?;
            txn.record(ChangeRecord::platform(ChangeAction::OperatorRemoved).subject(id));
            Ok(Outcome::Changed(value))
        })
        .await
    }

    /// All operators.
    ///
    /// # Errors
    /// [`super::Error::Forbidden`] unless the caller is an operator.
    pub async fn operators(&self, caller: &Caller) -> Result<Vec<Operator>> {
        policy::allow(caller, Action::ManagePlatform)?;
        Ok(self.reading(caller).view.all(operator::all()).await?)
    }
}

/// The names by which this user signs in.
async fn names_of(txn: &GrantedTxn, user: UserId) -> Result<HashSet<(String, String)>> {
    let rows = txn.all(identity::of_users(&crate::entity::TenantFilter::All, &[user])).await?;
    Ok(rows.into_iter().map(|row| (row.issuer, row.subject)).collect())
}

/// The log entry about an operator. It refers to the user's profile, if there is one: names are personal, and the log
/// must not contain personal data.
async fn about(
    txn: &GrantedTxn,
    action: ChangeAction,
    (issuer, subject): &(String, String),
) -> Result<ChangeRecord> {
    let entry = ChangeRecord::platform(action);
    Ok(match txn.one(user::by_subject(issuer, subject)).await? {
        Some(profile) => entry.subject(profile.id),
        None => entry,
    })
}
