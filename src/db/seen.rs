//! How far into the log the answers of this instance may have shown.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// The last commit that a read or a write has seen. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Arc<AtomicI64>);

impl Seen {
    /// Notes that this commit has been seen.
    pub(super) fn note(&self, revision: i64) {
        self.0.fetch_max(revision, Ordering::AcqRel);
    }

    /// Notes that the log ends here: what was seen beyond is not in it any more.
    pub(super) fn at_most(&self, revision: i64) {
        self.0.fetch_min(revision, Ordering::AcqRel);
    }

    /// The last commit that has been seen; 0 when none has.
    pub(super) fn revision(&self) -> i64 {
        self.0.load(Ordering::Acquire)
    }
}
