//! Charges one operation against its caller's rate limit: its cost before it runs, and what it used afterwards.

use std::{sync::Arc, time::Duration};

use super::Limiter;
use crate::{
    domain::{Caller, Error, limit::POINTS_PER_REQUEST},
    graphql::{GraphQlResponse, OperationCost},
};

/// The bytes of an answer that count as one request more.
const ANSWER_BYTES: usize = 256 * 1024;
/// The processor time that counts as one request more.
const PROCESSOR_TIME: Duration = Duration::from_millis(20);

/// Charges operations of one caller, whose request [`Limiter::count_request`] has counted. Clones charge the same
/// caller.
#[derive(Clone, Debug)]
pub(in crate::http) struct Meter {
    limiter: Limiter,
    caller: Arc<Caller>,
    bearer: Arc<str>,
}

impl Meter {
    pub(in crate::http) fn new(limiter: Limiter, caller: Arc<Caller>, bearer: impl Into<Arc<str>>) -> Self {
        Self { limiter, caller, bearer: bearer.into() }
    }

    /// Charges an operation's cost before it runs.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if the caller hasn't as many points left.
    pub(in crate::http) fn charge_cost(&self, cost: OperationCost) -> Result<(), Error> {
        self.limiter.charge_cost(&self.caller, cost.requested)
    }

    /// The points that the caller has left. `None` for a caller without a limit.
    pub(in crate::http) fn points_left(&self) -> Option<u64> {
        self.limiter.points_left(&self.caller)
    }

    /// Charges an answer that rejects a document of this many bytes: see [`Limiter::charge_refusal`].
    pub(in crate::http) fn charge_refusal(&self, answer: &GraphQlResponse, bytes: usize) {
        if answer.is_refusal() {
            self.limiter.charge_refusal(&self.caller, &self.bearer, bytes);
        }
    }

    /// Charges an answer of this many bytes: a request for each full 256 KiB.
    pub(in crate::http) fn charge_bytes(&self, bytes: usize) {
        let requests = u64::try_from(bytes / ANSWER_BYTES).unwrap_or(u64::MAX);
        self.charge_points(requests.saturating_mul(POINTS_PER_REQUEST));
    }

    /// Charges the part of a stream of bytes from `begin` to `end`: a request for each full 256 KiB of the stream.
    pub(in crate::http) fn charge_part(&self, begin: u64, end: u64) {
        let requests = |bytes: u64| bytes / u64::try_from(ANSWER_BYTES).unwrap_or(u64::MAX);
        let more = requests(end).saturating_sub(requests(begin));
        self.charge_points(more.saturating_mul(POINTS_PER_REQUEST));
    }

    /// Charges the processor time that the caller's work has used, when the returned value is dropped: also when the
    /// client hangs up before the answer.
    #[must_use]
    pub(in crate::http) fn charge_work(&self) -> WorkCharge<'_> {
        WorkCharge(self)
    }

    /// Charges processor time: a request for each 20 ms.
    pub(in crate::http) fn charge_time(&self, time: Duration) {
        let points = time.as_micros() * u128::from(POINTS_PER_REQUEST) / PROCESSOR_TIME.as_micros();
        self.charge_points(u64::try_from(points).unwrap_or(u64::MAX));
    }

    fn charge_points(&self, points: u64) {
        self.limiter.charge_debt(&self.caller, &self.bearer, points);
    }
}

/// Charges the processor time of an operation when it is dropped.
pub(in crate::http) struct WorkCharge<'a>(&'a Meter);

impl Drop for WorkCharge<'_> {
    fn drop(&mut self) {
        self.0.charge_time(self.0.caller.processor_time.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        domain::{EnvironmentFilter, KeyPrincipal, Principal, customer::Plan},
    };

    #[test]
    fn an_operation_that_is_dropped_is_charged_what_its_work_took() {
        let clock = Clock::default();
        clock.stop();
        let key = KeyPrincipal {
            id: clock.id(),
            customer_id: clock.id(),
            name: String::new(),
            scopes: [].into(),
            plan: Plan::Free,
            expires_at: None,
            environments: EnvironmentFilter::All,
        };
        let caller = Arc::new(Caller { principal: Principal::ApiKey(key), ..Caller::system("test") });
        let meter = Meter::new(Limiter::new(clock, 1), Arc::clone(&caller), "bearer");
        let before = meter.points_left().unwrap();
        let work = meter.charge_work();
        caller.processor_time.add(Duration::from_millis(30));
        drop(work);
        assert_eq!(meter.points_left(), Some(before - 15_000));
        meter.charge_bytes(600_000);
        assert_eq!(meter.points_left(), Some(before - 35_000), "each full 256 KiB");
        meter.charge_bytes(ANSWER_BYTES - 1);
        assert_eq!(meter.points_left(), Some(before - 35_000));
        for end in (1..=10).map(|nth| nth * 100_000) {
            meter.charge_part(end - 100_000, end);
        }
        assert_eq!(meter.points_left(), Some(before - 65_000), "however small the parts of a stream are");
    }
}
