//! Time, new ids and randomness come from here only, so that a test can hold them and a reader can find them.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use uuid::Uuid;

use crate::id::Id;

/// An instant, in UTC and whole microseconds: what Postgres keeps.
pub type Instant = DateTime<Utc>;

/// The service's clock. Clones share one shift, so that a test moves time for the whole service at once.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    shift_micros: Arc<AtomicI64>,
}

impl Clock {
    /// Now, cut to microseconds.
    #[must_use]
    pub fn now(&self) -> Instant {
        (Utc::now() + TimeDelta::microseconds(self.shift_micros.load(Ordering::Relaxed))).trunc_subsecs(6)
    }

    /// A new time-ordered id (UUID version 7, RFC 9562 section 5.7).
    #[must_use]
    pub fn id<T: Id>(&self) -> T {
        Uuid::now_v7().into()
    }

    /// 256 bits from the operating system's generator, for secrets.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        rand::random()
    }

    /// A random delay between nothing and `most`, so that many clients don't come back at once.
    #[must_use]
    pub fn jitter(&self, most: std::time::Duration) -> std::time::Duration {
        most.mul_f64(rand::random::<f64>())
    }

    /// Moves this clock and all its clones.
    pub fn shift(&self, by: TimeDelta) {
        self.shift_micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
    }
}
