//! How many gateways have applied a commit. Pure.

use std::collections::HashSet;

use super::{ConvergenceTarget, Gateway, GatewayState, NamedRejection};
use crate::{clock::Instant, id::GatewayId};

/// The gateways that may serve what a commit changed, by what they have done with it. Their sum is all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct GatewayCounts {
    /// They report at least this commit, and refuse nothing of it.
    pub applied: usize,
    /// They haven't reported it yet, or are LATE.
    pub pending: usize,
    /// Those of the pending ones that are LATE.
    pub late: usize,
    /// They refuse what it activated.
    pub rejected: usize,
    /// They never report.
    pub silent: usize,
}

/// How many gateways have applied a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Convergence {
    /// What is counted.
    pub target: ConvergenceTarget,
    /// The numbers.
    pub counts: GatewayCounts,
    /// The rejections, newest first.
    pub rejections: Vec<NamedRejection>,
    /// The time since which reports are counted, when earlier ones were lost.
    pub recounting_since: Option<Instant>,
}

impl GatewayCounts {
    /// The gateways that there are.
    #[must_use]
    pub fn all(&self) -> usize {
        let Self { applied, pending, late: _, rejected, silent } = self;
        applied + pending + rejected + silent
    }

    /// Whether no gateway is pending or refuses it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.pending == 0 && self.rejected == 0
    }

    /// The share of the gateways that report which have applied it, from 0 to 1; 0 when none reports.
    #[must_use]
    pub fn share(&self) -> f64 {
        let reporting = self.all() - self.silent;
        if reporting == 0 {
            return 0.0;
        }
        let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        number(self.applied) / number(reporting)
    }
}

impl Convergence {
    /// Counts the gateways that may serve the target. A rejection comes before what is applied: a gateway that refuses a
    /// version never counts as having applied it.
    #[must_use]
    pub fn of(
        target: ConvergenceTarget,
        gateways: &[Gateway],
        rejections: &[NamedRejection],
        recounting_since: Option<Instant>,
    ) -> Self {
        let ConvergenceTarget { customer_id, agent_id, environment_key: _, revision } = &target;
        let concerns = |rejection: &&NamedRejection| match agent_id {
            Some(agent) => rejection.agent_id == *agent && rejection.revision >= *revision,
            None => true,
        };
        let rejections: Vec<NamedRejection> = rejections.iter().filter(concerns).cloned().collect();
        let refusing: HashSet<GatewayId> = rejections.iter().map(|rejection| rejection.gateway_id).collect();
        let mut counts = GatewayCounts::default();
        for gateway in gateways.iter().filter(|gateway| gateway.concerns(*customer_id, *agent_id)) {
            match gateway.state {
                GatewayState::Gone => {}
                GatewayState::Silent => counts.silent += 1,
                GatewayState::Late => {
                    counts.pending += 1;
                    counts.late += 1;
                }
                GatewayState::Live if refusing.contains(&gateway.id) => counts.rejected += 1,
                GatewayState::Live if gateway.applied.is_some_and(|applied| applied >= *revision) => {
                    counts.applied += 1;
                }
                GatewayState::Live => counts.pending += 1,
            }
        }
        Self { target, counts, rejections, recounting_since }
    }
}

/// After how many seconds the gateways that had reported before a commit have applied it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ConvergenceTimes {
    /// Half of them.
    pub p50: Option<f64>,
    /// 90 % of them.
    pub p90: Option<f64>,
    /// All of them.
    pub all: Option<f64>,
}

impl ConvergenceTimes {
    /// The times of `expected` gateways, of which some have applied it after `seconds`. `None` when one of these is unknown.
    pub(super) fn of(mut seconds: Vec<f64>, expected: usize) -> Self {
        seconds.sort_by(f64::total_cmp);
        let after = |part: usize| {
            let needed = (expected * part).div_ceil(100);
            needed.checked_sub(1).and_then(|nth| seconds.get(nth)).copied()
        };
        Self { p50: after(50), p90: after(90), all: after(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_are_those_of_the_slowest_within_each_part() {
        let of = |seconds: &[f64], expected| {
            let ConvergenceTimes { p50, p90, all } = ConvergenceTimes::of(seconds.to_vec(), expected);
            [p50, p90, all]
        };
        assert_eq!(of(&[], 0), [None; 3]);
        assert_eq!(of(&[], 1), [None; 3]);
        assert_eq!(of(&[2.0], 1), [Some(2.0); 3]);
        assert_eq!(of(&[3.0, 1.0], 4), [Some(3.0), None, None]);
        let ten: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(of(&ten, 10), [Some(5.0), Some(9.0), Some(10.0)]);
        assert_eq!(of(ten.get(..9).unwrap(), 10), [Some(5.0), Some(9.0), None]);
    }

    #[test]
    fn the_share_is_of_those_that_report() {
        let counts = GatewayCounts { applied: 3, pending: 1, late: 1, rejected: 0, silent: 6 };
        assert_eq!((counts.all(), counts.share(), counts.is_complete()), (10, 0.75, false));
        let silent = GatewayCounts { silent: 6, ..GatewayCounts::default() };
        assert_eq!((silent.share(), silent.is_complete()), (0.0, true));
    }
}
