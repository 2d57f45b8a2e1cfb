//! Inputs, and all that is wrong with one. Every field is checked before a write begins, so that a form can show each
//! error at its field. The first error that needs the database ends a write.

use std::str::FromStr;

use uuid::Uuid;

use super::{
    Caller, Error, Result,
    policy::{self, Action},
};
use crate::id::{CustomerId, Id};

/// The most errors that are kept of one input. Further ones are left out.
const ERRORS_MAX: usize = 100;

/// The errors of an input's fields, at most a hundred. [`InputErrors::into_result`] must be asked before the input
/// is used.
#[derive(Debug, Default)]
#[must_use]
pub struct InputErrors(Vec<Error>);

impl InputErrors {
    /// Keeps the error of a failed check.
    pub fn note(&mut self, checked: Result<()>) {
        self.take(checked);
    }

    /// Returns the value that was read; keeps the error, and returns `None`, when it couldn't be.
    pub fn take<T>(&mut self, read: Result<T>) -> Option<T> {
        match read {
            Ok(value) => return Some(value),
            Err(Error::Several(errors)) => self.0.extend(errors),
            Err(err) => self.0.push(err),
        }
        self.0.truncate(ERRORS_MAX);
        None
    }

    /// Parses the id in this field. Keeps the error of a malformed one and returns the nil UUID, which no row has.
    pub fn id<T: Id + FromStr>(&mut self, field: &str, text: &str) -> T {
        let parsed = text.parse().map_err(|_| Error::invalid(field, format!("{field} must be a UUID")));
        self.take(parsed).unwrap_or_else(|| Uuid::nil().into())
    }

    /// Whether no error was kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks the policy whether the caller may do this to a customer. When the input has errors, so that the
    /// customer's id may not be known, asks only whether the caller may ever do it.
    ///
    /// # Errors
    /// As [`policy::allow_on`].
    pub(super) fn allow_on(
        &self,
        caller: &Caller,
        action: Action,
        customer: CustomerId,
        what: &'static str,
    ) -> Result<()> {
        if self.0.is_empty() {
            policy::allow_on(caller, action, customer, what)
        } else {
            policy::allow(caller, action)
        }
    }

    /// Returns the value that was read, if no error was kept.
    ///
    /// # Errors
    /// As [`InputErrors::into_result`], with the error of `read` as the last one.
    pub fn and<T>(mut self, read: Result<T>) -> Result<T> {
        match self.take(read) {
            Some(value) if self.is_empty() => Ok(value),
            _ => Err(self.into_error()),
        }
    }

    /// Succeeds if no error was kept.
    ///
    /// # Errors
    /// The error, or [`Error::Several`]; an error of the service itself alone.
    pub fn into_result(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(self.into_error()) }
    }

    fn into_error(self) -> Error {
        let Self(mut errors) = self;
        let internal = errors.iter().position(|err| matches!(err, Error::Internal(_)));
        match (internal, errors.len()) {
            (Some(at), _) => errors.swap_remove(at),
            (None, 1) => errors.swap_remove(0),
            (None, _) => Error::Several(errors),
        }
    }
}

/// An input, with the errors that were found when it was read. The operation that takes it checks its fields, and
/// fails with all errors together.
#[derive(Debug)]
pub struct Input<T> {
    value: T,
    errors: InputErrors,
}

impl<T> Input<T> {
    /// An input whose fields were read with these errors.
    pub fn new(value: T, errors: InputErrors) -> Self {
        Self { value, errors }
    }

    /// The input, which may have errors.
    #[must_use]
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The input, and the errors so far, to which the operation adds its own.
    pub(super) fn open(self) -> (T, InputErrors) {
        (self.value, self.errors)
    }
}

impl<T> From<T> for Input<T> {
    fn from(value: T) -> Self {
        Self::new(value, InputErrors::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::AgentId;

    #[test]
    fn all_errors_are_kept_in_the_order_of_the_fields() {
        let mut errors = InputErrors::default();
        let agent: AgentId = errors.id("agentId", "x");
        assert_eq!(Uuid::from(agent), Uuid::nil());
        assert_eq!(errors.take(Ok(7)), Some(7));
        errors.note(Err(Error::invalid("name", "name must not be blank")));
        errors.note(Ok(()));
        let failed = errors.into_result().unwrap_err();
        let fields: Vec<_> = failed.each().iter().map(Error::field).collect();
        assert_eq!(fields, [Some("agentId"), Some("name")]);
        assert_eq!(failed.to_string(), "agentId must be a UUID; name must not be blank");
    }

    #[test]
    fn errors_of_a_part_join_the_others_up_to_a_limit() {
        let mut part = InputErrors::default();
        for nth in 0..ERRORS_MAX {
            part.note(Err(Error::invalid(format!("tools.{nth}"), "no")));
        }
        let mut errors = InputErrors::default();
        errors.note(Err(Error::invalid("name", "no")));
        let failed = errors.and(part.into_result()).unwrap_err();
        assert_eq!(failed.each().len(), ERRORS_MAX);
        assert_eq!(failed.each().first().and_then(Error::field), Some("name"));
        assert_eq!(failed.each().last().and_then(Error::field), Some("tools.98"));
    }

    #[test]
    fn one_error_is_itself_and_an_internal_one_hides_the_others() {
        assert!(InputErrors::default().into_result().is_ok());
        let mut errors = InputErrors::default();
        errors.note(Err(Error::invalid("name", "no")));
        assert!(matches!(errors.into_result(), Err(Error::Invalid { .. })));
        let mut errors = InputErrors::default();
        errors.note(Err(Error::invalid("name", "no")));
        errors.note(Err(Error::Internal("broken".into())));
        errors.note(Err(Error::invalid("name", "no")));
        assert!(matches!(errors.into_result(), Err(Error::Internal(_))));
    }
}
