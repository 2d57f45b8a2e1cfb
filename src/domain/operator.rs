//! Operators: people who run the platform, with all rights at all customers.

use super::{
    Caller, Registry, Result,
    change::ChangeAction,
    policy::{self, Action},
    right::GrantedTxn,
};
use crate::{
    db::ChangeRecord,
    entity::{operator, user},
};

pub use operator::Model as Operator;

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

    /// All operators.
    ///
    /// # Errors
    /// [`super::Error::Forbidden`] unless the caller is an operator.
    pub async fn operators(&self, caller: &Caller) -> Result<Vec<Operator>> {
        policy::allow(caller, Action::ManagePlatform)?;
        Ok(self.reading(caller).view.all(operator::all()).await?)
    }
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
