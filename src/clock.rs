//! The only source of time, new ids and randomness. Tests can shift the time.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use chrono::{DateTime, Datelike, SecondsFormat, SubsecRound, TimeDelta, Utc};
use serde::Serializer;
use uuid::Uuid;

use crate::id::Id;

/// A point in time, in UTC. [`Clock::now`] returns whole microseconds, the precision of Postgres.
pub type Instant = DateTime<Utc>;

/// Reads an instant of RFC 3339, whose years have four digits; `None` if it is none.
#[must_use]
pub fn from_text(text: &str) -> Option<Instant> {
    text.parse().ok().filter(|at| is_of_four_digits(*at))
}

/// Whether the year has four digits: what RFC 3339 can write, and every database can hold.
#[must_use]
pub fn is_of_four_digits(at: Instant) -> bool {
    (0..=9999).contains(&at.year())
}

/// Writes an instant with six digits always, so that the strings sort as the instants do.
#[must_use]
pub fn to_text(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Serialises an instant as [`to_text`] writes it.
///
/// # Errors
/// None of its own.
pub fn micros<S: Serializer>(at: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_text(*at))
}

/// Serialises an optional instant like [`micros`].
///
/// # Errors
/// None of its own.
pub fn optional_micros<S: Serializer>(at: &Option<Instant>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => micros(at, serializer),
        None => serializer.serialize_none(),
    }
}

/// The service's clock. Clones share one offset, so that a test shifts or stops the time of a whole service.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<Offsets>);

#[derive(Debug, Default)]
struct Offsets {
    shift_micros: AtomicI64,
    /// The Unix time, in microseconds, at which the clock was stopped. 0 while it runs.
    stopped_micros: AtomicI64,
}

impl Clock {
    /// Returns the current time, truncated to microseconds.
    #[must_use]
    pub fn now(&self) -> Instant {
        let time = match self.0.stopped_micros.load(Ordering::Relaxed) {
            0 => Utc::now(),
            micros => Instant::from_timestamp_micros(micros).unwrap_or_else(Utc::now),
        };
        (time + TimeDelta::microseconds(self.0.shift_micros.load(Ordering::Relaxed))).trunc_subsecs(6)
    }

    /// Returns a new time-ordered id (UUID version 7, RFC 9562 section 5.7).
    #[must_use]
    pub fn id<T: Id>(&self) -> T {
        Uuid::now_v7().into()
    }

    /// Returns 256 random bits for a secret, from a cryptographically secure generator.
    #[must_use]
    pub fn secret(&self) -> [u8; 32] {
        rand::random()
    }

    /// Returns a random delay below `most`, so that clients don't all retry at the same moment.
    #[must_use]
    pub fn jitter(&self, most: std::time::Duration) -> std::time::Duration {
        most.mul_f64(rand::random::<f64>())
    }

    /// Shifts the time of this clock and all its clones. For tests.
    pub fn shift(&self, by: TimeDelta) {
        self.0.shift_micros.fetch_add(by.num_microseconds().unwrap_or(0), Ordering::Relaxed);
    }

    /// Stops the time of this clock and all its clones. From then on, only [`Clock::shift`] moves it. For tests.
    pub fn stop(&self) {
        self.0.stopped_micros.store(Utc::now().timestamp_micros(), Ordering::Relaxed);
    }
}
