//! The high-water mark of this instance: the highest revision that its responses may depend on.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use crate::id::Revision;

/// The highest revision that a read or write has observed. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct HighWaterMark(Arc<AtomicI64>);

impl HighWaterMark {
    /// Raises the mark to this revision.
    pub(super) fn raise(&self, revision: Revision) {
        self.0.fetch_max(revision.0, Ordering::AcqRel);
    }

    /// Lowers the mark to this revision, because the log ends there and no longer contains later commits.
    pub(super) fn lower(&self, revision: Revision) {
        self.0.fetch_min(revision.0, Ordering::AcqRel);
    }

    /// Returns the highest revision observed, or 0.
    pub(super) fn revision(&self) -> Revision {
        Revision(self.0.load(Ordering::Acquire))
    }
}
