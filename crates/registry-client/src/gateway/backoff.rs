//! How long to wait before coming back: a random time below a limit that doubles, so that the gateways of a registry
//! that was away don't all come back at once.

use std::time::Duration;

/// Below this the first time.
const FIRST: Duration = Duration::from_millis(100);
/// Below this when the registry has asked for time.
const LATER: Duration = Duration::from_secs(2);
/// Never longer than this.
const MOST: Duration = Duration::from_secs(10);

/// The limits so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Backoff {
    /// How long to wait this time.
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
        // Of two hundred between nothing and two seconds some are long and some are short.
        assert!(waits.iter().any(|wait| *wait > Duration::from_secs(1)));
        assert!(waits.iter().any(|wait| *wait < Duration::from_secs(1)));
        asked.next(true);
        assert_eq!(asked.0, Duration::from_secs(4));
    }
}
