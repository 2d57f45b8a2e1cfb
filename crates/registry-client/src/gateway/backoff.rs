//! Exponential backoff with full jitter: a random delay below a limit that doubles. So gateways don't all reconnect at
//! the same moment after an outage.

use std::time::Duration;

/// The first limit.
const FIRST: Duration = Duration::from_millis(100);
/// The minimum limit when the registry is overloaded or unavailable.
const LATER: Duration = Duration::from_secs(2);
/// The maximum limit.
const MOST: Duration = Duration::from_secs(10);

/// The current limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Backoff {
    /// Returns the next delay and doubles the limit. `is_later` raises the limit to at least [`LATER`].
    pub(super) fn next(&mut self, is_later: bool) -> Duration {
        if is_later {
            self.0 = self.0.max(LATER);
        }
        let wait = self.0.mul_f64(rand::random::<f64>());
        self.0 = (self.0 * 2).min(MOST);
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_each_time_and_never_for_long() {
        let mut backoff = Backoff::default();
        for limit in [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000] {
            assert!(backoff.next(false) <= Duration::from_millis(limit));
        }
        let mut asked = Backoff::default();
        let waits: Vec<Duration> = (0..200).map(|_| Backoff::default().next(true)).collect();
        // Among two hundred delays between 0 and 2 seconds, some are above 1 second and some below.
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(1)));
        assert!(waits.iter().any(|wait| *wait < Duration::from_secs(1)));
        asked.next(true);
        assert_eq!(asked.0, Duration::from_secs(4));
    }
}
