//! The lease under which an instance answers from memory: how recently it has proven that it follows the log to
//! its head.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use crate::clock::{self, Clock};

/// A moment by the monotonic clock and by the time of day. While a machine is suspended only the latter moves on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    steady: Instant,
    of_day: clock::Instant,
}

impl Moment {
    pub(super) fn now(clock: &Clock) -> Self {
        Self { steady: Instant::now(), of_day: clock.now() }
    }
}

/// When this instance last had proof. Cheap to clone; clones share state.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    made: Moment,
    seen: Arc<LastProof>,
}

/// Times in milliseconds since the lease was created.
#[derive(Debug, Default)]
struct LastProof {
    steady: AtomicU64,
    of_day: AtomicU64,
    /// Proof up to this moment doesn't count.
    void: AtomicU64,
}

impl Lease {
    pub(super) fn new(made: Moment) -> Self {
        Self { made, seen: Arc::default() }
    }

    /// Records that at `at`, this instance had applied all of the log.
    pub(super) fn renew(&self, at: Moment) {
        let (steady, of_day) = self.after(at);
        self.seen.steady.store(steady, Ordering::Release);
        self.seen.of_day.store(of_day, Ordering::Release);
    }

    /// Voids the lease until it is renewed with a moment after `now`: a client may have seen commits that this
    /// instance hasn't applied.
    pub(super) fn void(&self, now: Moment) {
        let (steady, _) = self.after(now);
        self.seen.void.fetch_max(steady, Ordering::AcqRel);
    }

    /// How long ago the last proof was, by whichever clock says longer.
    pub(super) fn age(&self, now: Moment) -> Duration {
        let (steady, of_day) = self.after(now);
        let steady = steady.saturating_sub(self.seen.steady.load(Ordering::Acquire));
        let of_day = of_day.saturating_sub(self.seen.of_day.load(Ordering::Acquire));
        Duration::from_millis(steady.max(of_day))
    }

    /// Whether the last proof is younger than `most`, and not void.
    pub(super) fn holds(&self, now: Moment, most: Duration) -> bool {
        let is_void = self.seen.steady.load(Ordering::Acquire) <= self.seen.void.load(Ordering::Acquire);
        !is_void && self.age(now) < most
    }

    fn after(&self, moment: Moment) -> (u64, u64) {
        let steady = moment.steady.saturating_duration_since(self.made.steady).as_millis();
        let of_day = (moment.of_day - self.made.of_day).num_milliseconds();
        (u64::try_from(steady).unwrap_or(u64::MAX), u64::try_from(of_day).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    const MOST: Duration = Duration::from_secs(1);
    const A_BIT: Duration = Duration::from_millis(10);

    /// A moment later by this much on each clock.
    fn later(moment: Moment, steady: Duration, of_day: TimeDelta) -> Moment {
        Moment { steady: moment.steady + steady, of_day: moment.of_day + of_day }
    }

    fn after(moment: Moment, time: Duration) -> Moment {
        later(moment, time, TimeDelta::from_std(time).unwrap())
    }

    fn held() -> (Lease, Moment) {
        let made = Moment::now(&Clock::default());
        let lease = Lease::new(made);
        let now = after(made, A_BIT);
        assert!(!lease.holds(now, MOST), "no proof yet");
        lease.renew(now);
        assert!(lease.holds(now, MOST));
        (lease, now)
    }

    #[test]
    fn it_ends_by_itself() {
        let (lease, now) = held();
        let now = after(now, MOST);
        assert!(!lease.holds(now, MOST));
        lease.renew(now);
        assert!(lease.holds(now, MOST));
    }

    #[test]
    fn it_does_not_outlast_a_machine_that_sleeps() {
        let (lease, now) = held();
        let now = later(now, Duration::ZERO, TimeDelta::hours(2));
        assert!(!lease.holds(now, MOST), "the monotonic clock stopped");
        assert_eq!(lease.age(now), Duration::from_secs(2 * 60 * 60));
    }

    #[test]
    fn a_clock_that_is_put_back_makes_it_no_longer() {
        let (lease, now) = held();
        let now = later(now, A_BIT, TimeDelta::hours(-1));
        assert!(lease.holds(now, MOST));
        assert!(!lease.holds(later(now, MOST, TimeDelta::zero()), MOST));
    }

    #[test]
    fn what_was_seen_before_it_was_void_proves_nothing() {
        let (lease, now) = held();
        let void = after(now, A_BIT);
        lease.void(void);
        assert!(!lease.holds(void, MOST));
        lease.renew(now);
        assert!(!lease.holds(void, MOST), "the proof is older than the void");
        lease.renew(after(void, A_BIT));
        assert!(lease.holds(after(void, A_BIT), MOST));
    }
}
