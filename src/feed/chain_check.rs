//! What this instance's own check of the log's hash chain has found. The tail checks each entry that it follows.

use std::sync::{Arc, Mutex};

use crate::{clock::Instant, id::Revision, task::lock};

/// The result of the check so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainStatus {
    /// The last commit up to which the chain holds, of the entries since this instance started, and when that was checked.
    /// `None` before the first check.
    pub verified: Option<(Revision, Instant)>,
    /// Whether each check found the log that this instance had followed; false from the first one that didn't. `None` before
    /// the first check.
    pub is_intact: Option<bool>,
}

/// The check of one instance. Cheap to clone; clones share state.
#[derive(Clone, Debug, Default)]
pub(super) struct ChainCheck(Arc<Mutex<ChainStatus>>);

impl ChainCheck {
    /// Records that the chain holds up to this commit.
    pub(super) fn passed(&self, revision: Revision, at: Instant) {
        let mut status = lock(&self.0);
        status.verified = Some((revision, at));
        status.is_intact.get_or_insert(true);
    }

    /// Records that the log isn't the one that was followed.
    pub(super) fn failed(&self) {
        lock(&self.0).is_intact = Some(false);
    }

    /// The result so far.
    pub(super) fn status(&self) -> ChainStatus {
        *lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_log_that_was_another_once_is_never_intact_again() {
        let (check, now) = (ChainCheck::default(), Clock::default().now());
        assert_eq!(check.status(), ChainStatus::default());
        check.passed(Revision(7), now);
        assert_eq!(check.status(), ChainStatus { verified: Some((Revision(7), now)), is_intact: Some(true) });
        check.failed();
        check.passed(Revision(8), now);
        assert_eq!(
            check.status(),
            ChainStatus { verified: Some((Revision(8), now)), is_intact: Some(false) }
        );
    }
}
