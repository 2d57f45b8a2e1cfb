//! How long a version has been active in the environment that versions are promoted from.

use chrono::TimeDelta;

use crate::clock::Instant;

/// What the records of activations say about a version in the environment `promote_from`.
///
/// Each period counts, from an activation of the version there until the next activation or deactivation of its agent
/// there, and all periods add up: a version that was replaced for an hour hasn't lost the day before it. The version
/// needn't be active there now, and it makes no difference how it came there or why it was replaced. Periods in other
/// environments don't count, so no environment can be skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceService {
    /// The length of all periods that have ended, together.
    pub ended: TimeDelta,
    /// When the period that hasn't ended began; `None` while another version, or none, is active there.
    pub active_since: Option<Instant>,
}

impl SourceService {
    /// For how long the version has been active there until `now`, in whole seconds.
    #[must_use]
    pub fn seconds(self, now: Instant) -> i64 {
        let Self { ended, active_since } = self;
        // An instance's clock may be behind that of the instance that activated the version.
        let current = active_since.map_or(TimeDelta::zero(), |since| (now - since).max(TimeDelta::zero()));
        (ended + current).num_seconds()
    }
}
