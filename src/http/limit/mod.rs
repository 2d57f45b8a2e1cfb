//! Rate limits: points per caller, by its plan, and rejected credentials per IP address. The counts are in this
//! instance's memory, so N instances allow up to N times the rate. `rate` is the algorithm.

use std::{
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use quick_cache::unsync::Cache;
use sha2::{Digest, Sha256};

use crate::{
    cache::entry_cache,
    clock::{Clock, Instant},
    domain::{Caller, Error, Principal, Result, customer::Plan, limit::POINTS_PER_REQUEST},
    id::ApiKeyId,
    share::network,
    task::lock,
};

mod rate;

use rate::Rate;

/// The capacity of each cache of counts. A new key's count outlasts half as many newer keys (see
/// [`fair_cache`](crate::cache::fair_cache)); an evicted count would be a burst for free.
const KEPT_MAX: usize = 100_000;
/// The capacity of the cache of accepted credentials.
const KNOWN_MAX: usize = 10_000;
/// The bytes of a rejected document that count as one request more.
const CHARGED_BYTES: usize = 1024;
/// The maximum charge for one rejected document, in requests.
const CHARGED_MAX: u64 = 100;
/// The maximum debt that one charge adds, in requests. Execution stops after 15 seconds.
const DEBT_MAX: u64 = 1_000;

/// The key of a caller's rate limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum CallerKey {
    /// A user, by issuer and subject, because a user may have no profile yet.
    User(String, String),
    /// An API key, by its id.
    Api(ApiKeyId),
}

impl CallerKey {
    /// The key and the plan that limit this caller. `None` for operators, service tokens and the system: they have
    /// no limit.
    pub(super) fn of(caller: &Caller) -> Option<(Self, Plan)> {
        match &caller.principal {
            Principal::User(user) if !user.operator => {
                Some((Self::User(user.issuer.clone(), user.subject.clone()), user.plan))
            }
            Principal::ApiKey(key) => Some((Self::Api(key.id), key.plan)),
            Principal::User(_) | Principal::Service(_) | Principal::System => None,
        }
    }
}

/// The rate limits of this instance. Clones share them.
#[derive(Clone, Debug)]
pub struct Limiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    refusals: Rate,
    callers: Mutex<Cache<CallerKey, Instant>>,
    addresses: Mutex<Cache<IpAddr, Instant>>,
    /// The end of the wait of rate-limited credentials, by hash.
    waiting: Mutex<Cache<[u8; 32], Instant>>,
    /// Hashes of accepted credentials without a signature. Such a credential has a single spelling, so it has one
    /// entry.
    known: Mutex<Cache<[u8; 32], ()>>,
}

impl Limiter {
    /// Creates the limiter. `refusals_per_minute` is the limit of rejected credentials per address.
    #[must_use]
    pub fn new(clock: Clock, refusals_per_minute: u32) -> Self {
        Self(Arc::new(Inner {
            clock,
            refusals: Rate::per_minute(refusals_per_minute),
            callers: Mutex::new(entry_cache(KEPT_MAX)),
            addresses: Mutex::new(entry_cache(KEPT_MAX)),
            waiting: Mutex::new(entry_cache(KEPT_MAX)),
            known: Mutex::new(entry_cache(KNOWN_MAX)),
        }))
    }

    /// Checks that this credential isn't waiting after a rate limit. Needs no lookup of the caller, so it runs first.
    ///
    /// # Errors
    /// [`Error::RateLimited`] with the remaining wait.
    pub fn check_wait(&self, bearer: &str) -> Result<()> {
        let mut waiting = lock(&self.0.waiting);
        if waiting.is_empty() {
            return Ok(());
        }
        let hash = hash(bearer);
        match waiting.peek(&hash).map(|until| *until - self.0.clock.now()) {
            Some(wait) if wait > TimeDelta::zero() => return Err(rate_limited("caller", wait)),
            Some(_) => drop(waiting.remove(&hash)),
            None => {}
        }
        Ok(())
    }

    /// Counts a request of this caller, of [`POINTS_PER_REQUEST`] points. Operators and service tokens aren't counted.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if the caller exceeds the rate of its plan. Its credential then waits: see
    /// [`Limiter::check_wait`].
    pub fn count_request(&self, caller: &Caller, bearer: &str) -> Result<()> {
        let Some((key, plan)) = CallerKey::of(caller) else { return Ok(()) };
        let rate = Rate::per_second(plan.limits().requests_per_second);
        self.take(&self.0.callers, key, rate, POINTS_PER_REQUEST).map_err(|wait| {
            lock(&self.0.waiting).insert(hash(bearer), self.0.clock.now() + wait);
            rate_limited("caller", wait)
        })
    }

    /// Charges an operation's cost before it runs, except for the request that [`Limiter::count_request`] has counted.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if the caller hasn't as many points left. Then it keeps those that it has.
    pub fn charge_cost(&self, caller: &Caller, points: u64) -> Result<()> {
        let more = points.saturating_sub(POINTS_PER_REQUEST);
        let Some((key, plan)) = CallerKey::of(caller).filter(|_| more > 0) else { return Ok(()) };
        let rate = Rate::per_second(plan.limits().requests_per_second);
        self.take(&self.0.callers, key, rate, more).map_err(|wait| rate_limited("cost", wait))
    }

    /// The points that the caller can spend now. `None` for a caller without a limit.
    #[must_use]
    pub fn points_left(&self, caller: &Caller) -> Option<u64> {
        let (key, plan) = CallerKey::of(caller)?;
        let rate = Rate::per_second(plan.limits().requests_per_second);
        let idle_at = lock(&self.0.callers).peek(&key).copied();
        Some(rate.points_left(idle_at, self.0.clock.now()))
    }

    /// Charges a caller for a rejected document of this many bytes: one request per full KiB, at most 100, in
    /// addition to the request itself. Without it, a caller with a high rate could occupy the CPUs with invalid
    /// documents.
    pub fn charge_refusal(&self, caller: &Caller, bearer: &str, bytes: usize) {
        let requests = u64::try_from(bytes / CHARGED_BYTES).unwrap_or(CHARGED_MAX).min(CHARGED_MAX);
        self.charge_debt(caller, bearer, requests * POINTS_PER_REQUEST);
    }

    /// Charges a caller for what it has already used. Beyond its burst it is in debt, and its credential waits: see
    /// [`Limiter::check_wait`].
    pub fn charge_debt(&self, caller: &Caller, bearer: &str, points: u64) {
        let Some((key, plan)) = CallerKey::of(caller).filter(|_| points > 0) else { return };
        let rate = Rate::per_second(plan.limits().requests_per_second);
        let now = self.0.clock.now();
        let wait = {
            let mut callers = lock(&self.0.callers);
            let points = points.min(DEBT_MAX * POINTS_PER_REQUEST);
            let (idle_at, wait) = rate.add_debt(callers.get(&key).copied(), now, points);
            callers.insert(key, idle_at);
            wait
        };
        if wait > TimeDelta::zero() {
            lock(&self.0.waiting).insert(hash(bearer), now + wait);
        }
    }

    /// Checks that this address may try an unsigned credential. A credential that this instance has accepted before
    /// always passes, so that callers behind the same address as a guesser aren't locked out.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if too many credentials from the address were rejected.
    pub fn check_address(&self, address: IpAddr, bearer: &str) -> Result<()> {
        let idle_at = lock(&self.0.addresses).peek(&network(address)).copied();
        match self.0.refusals.admit(idle_at, self.0.clock.now(), POINTS_PER_REQUEST) {
            Err(wait) if lock(&self.0.known).get(&hash(bearer)).is_none() => {
                Err(rate_limited("address", wait))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Remembers an accepted credential for [`Limiter::check_address`].
    pub fn record_accepted(&self, bearer: &str) {
        lock(&self.0.known).insert(hash(bearer), ());
    }

    /// Counts a rejected credential against its address, and forgets that it was accepted before.
    pub fn record_rejected(&self, address: IpAddr, bearer: &str) {
        lock(&self.0.known).remove(&hash(bearer));
        // `check_address` reports the exceeded limit at the next attempt.
        let _ = self.take(&self.0.addresses, network(address), self.0.refusals, POINTS_PER_REQUEST);
    }

    fn take<K: Eq + Hash>(
        &self,
        counted: &Mutex<Cache<K, Instant>>,
        key: K,
        rate: Rate,
        points: u64,
    ) -> std::result::Result<(), TimeDelta> {
        let now = self.0.clock.now();
        let mut counted = lock(counted);
        let idle_at = rate.admit(counted.get(&key).copied(), now, points)?;
        counted.insert(key, idle_at);
        Ok(())
    }
}

fn rate_limited(what: &'static str, wait: TimeDelta) -> Error {
    metrics::counter!("registry_rate_limited_total", "what" => what).increment(1);
    let seconds = u64::try_from(wait.num_seconds()).unwrap_or(0) + 1;
    Error::RateLimited { retry_after_seconds: seconds }
}

fn hash(bearer: &str) -> [u8; 32] {
    Sha256::digest(bearer).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_guesses_is_stopped_and_its_neighbours_are_not() {
        let limiter = Limiter::new(Clock::default(), 5);
        let (guesser, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        limiter.record_accepted("good");
        for _ in 0..5 {
            assert!(limiter.check_address(guesser, "bad").is_ok());
            limiter.record_rejected(guesser, "bad");
        }
        assert!(limiter.check_address(guesser, "bad").is_err());
        assert!(limiter.check_address(other, "bad").is_ok());
        assert!(limiter.check_address(guesser, "good").is_ok(), "what was accepted before still is");
        limiter.record_rejected(guesser, "good");
        assert!(limiter.check_address(guesser, "good").is_err(), "what was revoked is as good as made up");
        limiter.0.clock.shift(TimeDelta::minutes(1));
        assert!(limiter.check_address(guesser, "bad").is_ok());
    }

    #[test]
    fn memory_is_entry_cache() {
        let limiter = Limiter::new(Clock::default(), 1);
        for nth in 0..u32::try_from(KEPT_MAX).unwrap() + 10 {
            limiter.record_rejected(IpAddr::V4(nth.into()), "bad");
        }
        assert_eq!(lock(&limiter.0.addresses).len(), KEPT_MAX, "one at a time goes, and never all");
    }

    /// The cache is full of keys that were used again when the flood begins, and so is each key of the flood.
    #[test]
    fn a_count_stays_whatever_others_send() {
        const MOST: u32 = 1_000;
        let mut counts = entry_cache(usize::try_from(MOST).unwrap());
        let mut nth = 10;
        let mut flood = |counts: &mut Cache<u32, ()>, count: u32| {
            for _ in 0..count {
                nth += 1;
                counts.insert(nth, ());
                assert!(counts.get(&nth).is_some(), "a new key is never refused");
            }
        };
        flood(&mut counts, 3 * MOST);
        counts.insert(0, ());
        flood(&mut counts, MOST / 2 - 1);
        assert!(counts.peek(&0).is_some(), "it was used once, before half of the others");
        counts.insert(1, ());
        for _ in 0..100 {
            flood(&mut counts, MOST / 4);
            assert!(counts.get(&1).is_some(), "it is used again and again");
        }
        assert_eq!(counts.len(), usize::try_from(MOST).unwrap());
    }

    #[test]
    fn who_asks_stays_known_whatever_others_send() {
        let limiter = Limiter::new(Clock::default(), 1);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        limiter.record_accepted("gateway");
        limiter.record_rejected(address, "guess");
        for nth in 0..2 * KNOWN_MAX {
            limiter.record_accepted(&format!("other {nth}"));
            if nth % 1000 == 0 {
                assert!(limiter.check_address(address, "gateway").is_ok(), "after {nth} others");
            }
        }
        let forgotten = format!("other {KNOWN_MAX}");
        assert!(limiter.check_address(address, &forgotten).is_err(), "used once, before half of the others");
        assert_eq!(lock(&limiter.0.known).len(), KNOWN_MAX);
    }
}
