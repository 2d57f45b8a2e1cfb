//! A rate of points with a burst.
//!
//! The algorithm is the generic cell rate algorithm (ITU-T I.371). It stores one value per key: its theoretical arrival
//! time (`idle_at`), after which the key has its full burst again.

use chrono::TimeDelta;

use crate::{clock::Instant, domain::limit::POINTS_PER_REQUEST};

/// A rate with a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    /// The average time between two requests at the full rate.
    interval: TimeDelta,
    /// The number of requests that may arrive at once.
    burst: i32,
}

impl Rate {
    pub(super) fn per_second(count: u32) -> Self {
        let count = count.max(1);
        Self {
            interval: TimeDelta::nanoseconds(1_000_000_000 / i64::from(count)),
            burst: i32::try_from(count.saturating_mul(2)).unwrap_or(i32::MAX),
        }
    }

    pub(super) fn per_minute(count: u32) -> Self {
        let count = count.max(1);
        Self {
            interval: TimeDelta::nanoseconds(60_000_000_000 / i64::from(count)),
            burst: i32::try_from(count).unwrap_or(i32::MAX),
        }
    }

    /// Admits this many points at `now`, and returns the new arrival time of their key. If the points exceed the rate,
    /// returns the time to wait instead.
    pub(super) fn admit(
        self,
        idle_at: Option<Instant>,
        now: Instant,
        points: u64,
    ) -> Result<Instant, TimeDelta> {
        let (idle_at, early) = self.add_debt(idle_at, now, points);
        if early > TimeDelta::zero() { Err(early) } else { Ok(idle_at) }
    }

    /// Adds this many points at `now`, whether they exceed the rate or not. Returns the new arrival time of their key,
    /// and the time to wait, which isn't positive within the burst.
    pub(super) fn add_debt(
        self,
        idle_at: Option<Instant>,
        now: Instant,
        points: u64,
    ) -> (Instant, TimeDelta) {
        let idle_at = idle_at.map_or(now, |at| at.max(now)) + self.time(points);
        (idle_at, (idle_at - now) - self.interval * self.burst)
    }

    /// The points that may be spent at `now`.
    pub(super) fn points_left(self, idle_at: Option<Instant>, now: Instant) -> u64 {
        let used = idle_at.map_or(TimeDelta::zero(), |at| at.max(now) - now);
        let left = self.interval * self.burst - used;
        let nanoseconds = |time: TimeDelta| i128::from(time.num_nanoseconds().unwrap_or(i64::MAX));
        let points = nanoseconds(left) * i128::from(POINTS_PER_REQUEST) / nanoseconds(self.interval).max(1);
        u64::try_from(points).unwrap_or(0)
    }

    /// The time in which this many points become free.
    fn time(self, points: u64) -> TimeDelta {
        let interval = i128::from(self.interval.num_nanoseconds().unwrap_or(i64::MAX));
        let time = interval * i128::from(points) / i128::from(POINTS_PER_REQUEST);
        TimeDelta::nanoseconds(i64::try_from(time).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_burst_then_one_an_interval() {
        let rate = Rate { interval: TimeDelta::milliseconds(100), burst: 3 };
        let now = Clock::default().now();
        let mut idle_at = None;
        for _ in 0..3 {
            idle_at = Some(rate.admit(idle_at, now, POINTS_PER_REQUEST).unwrap());
        }
        assert_eq!(rate.admit(idle_at, now, POINTS_PER_REQUEST), Err(TimeDelta::milliseconds(100)));
        let later = now + TimeDelta::milliseconds(100);
        idle_at = Some(rate.admit(idle_at, later, POINTS_PER_REQUEST).unwrap());
        assert!(rate.admit(idle_at, later, POINTS_PER_REQUEST).is_err());
        assert!(rate.admit(idle_at, now + TimeDelta::seconds(60), POINTS_PER_REQUEST).is_ok());
    }

    /// After the burst is used up, each second admits exactly one second's worth of requests.
    #[test]
    fn a_second_after_it_was_exhausted_it_admits_a_seconds_worth() {
        for count in [1, 50, 200, 1_000] {
            let (rate, now) = (Rate::per_second(count), Clock::default().now());
            let admitted = |mut idle_at: Option<Instant>, now: Instant| {
                let mut admitted = 0;
                while let Ok(next) = rate.admit(idle_at, now, POINTS_PER_REQUEST) {
                    (idle_at, admitted) = (Some(next), admitted + 1);
                }
                (idle_at, admitted)
            };
            let (idle_at, burst) = admitted(None, now);
            assert_eq!(burst, 2 * count);
            let (idle_at, refilled) = admitted(idle_at, now + TimeDelta::seconds(1));
            assert_eq!(refilled, count);
            let (_, refilled) = admitted(idle_at, now + TimeDelta::milliseconds(1_500));
            assert_eq!(refilled, count / 2);
        }
        let rate = Rate::per_minute(60);
        assert_eq!((rate.interval, rate.burst), (TimeDelta::seconds(1), 60));
    }

    #[test]
    fn points_are_parts_of_requests_and_a_debt_is_paid_off() {
        for count in [50, 200, 1_000] {
            let (rate, now) = (Rate::per_second(count), Clock::default().now());
            let burst = u64::from(2 * count) * POINTS_PER_REQUEST;
            assert_eq!(rate.points_left(None, now), burst);
            let idle_at = rate.admit(None, now, 3 * POINTS_PER_REQUEST / 2).unwrap();
            assert_eq!(rate.points_left(Some(idle_at), now), burst - 3 * POINTS_PER_REQUEST / 2);
            let left = rate.points_left(Some(idle_at), now);
            assert!(rate.admit(Some(idle_at), now, left + 1).is_err());
            assert!(rate.admit(Some(idle_at), now, left).is_ok());
            let (idle_at, wait) = rate.add_debt(Some(idle_at), now, 2 * burst);
            assert!(wait > TimeDelta::seconds(2), "{wait}");
            assert_eq!(rate.points_left(Some(idle_at), now), 0);
            assert!(rate.admit(Some(idle_at), now + wait, 1).is_err());
            assert!(rate.points_left(Some(idle_at), now + wait + TimeDelta::seconds(1)) >= burst / 2 - 1);
        }
    }
}
