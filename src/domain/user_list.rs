//! The list of people with a profile, for operators.

use std::collections::{HashMap, HashSet};

use super::{
    BoundedCount, InputErrors, Page, PageArgs, Reading, Registry, Result,
    policy::{self, Action},
    text,
    user::User,
};
#[cfg(doc)]
use crate::domain::Error;
use crate::{
    entity::{count::Counted, user_list},
    id::UserId,
};

pub use user_list::Filter as UserFilter;

impl Registry {
    /// A page of the people with a profile, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the reader is an operator; [`Error::Invalid`] and [`Error::TooLarge`] for the filter.
    pub async fn users(
        &self,
        reading: &Reading,
        filter: &UserFilter,
        page: &PageArgs<UserId>,
    ) -> Result<Page<User>> {
        check(reading, filter)?;
        Ok(page.page(reading.view.all(user_list::page(filter, &page.keyset_page())).await?))
    }

    /// How many people match the filter.
    ///
    /// # Errors
    /// As [`Registry::users`].
    pub async fn count_users(&self, reading: &Reading, filter: &UserFilter) -> Result<BoundedCount> {
        check(reading, filter)?;
        let row = reading.view.one(user_list::count(filter)).await?;
        Ok(row.map(Counted::bounded).unwrap_or_default())
    }

    /// Whether each of these users is an operator, for operators. Other readers get nothing.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn are_operators(&self, reading: &Reading, users: &[UserId]) -> Result<HashMap<UserId, bool>> {
        if policy::allow(&reading.caller, Action::ManagePlatform).is_err() {
            return Ok(HashMap::new());
        }
        let rows = reading.view.all(user_list::operators_among(users)).await?;
        let operators: HashSet<UserId> = rows.into_iter().map(|row| row.id).collect();
        Ok(users.iter().map(|id| (*id, operators.contains(id))).collect())
    }
}

fn check(reading: &Reading, filter: &UserFilter) -> Result<()> {
    policy::allow(&reading.caller, Action::ManagePlatform)?;
    let UserFilter { email_contains, name_contains, is_operator: _ } = filter;
    let mut errors = InputErrors::default();
    for (field, part) in [("emailContains", email_contains), ("nameContains", name_contains)] {
        errors.note(part.as_deref().map_or(Ok(()), |part| text::check_part(field, part)));
    }
    errors.into_result()
}
