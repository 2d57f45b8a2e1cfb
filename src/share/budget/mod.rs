//! The memory budget: how many bytes all requests, messages and answers in flight may take, with a share for each
//! holder. Memory is reserved before it is used: before a body is read, before an operation runs, and before a message
//! is written; and it is returned when the last byte is written.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout_at},
};

use super::ShareHolder;
use crate::task::lock;

mod reservation;

pub use reservation::Reservation;

/// The unit in which memory is counted, in bytes. Smaller reservations are rounded up.
const UNIT: usize = 1024;
/// How long a reservation waits before it is refused.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// The largest reservation that waits in the queue of all holders, in units. A larger one retries at an interval, so
/// that it doesn't hold up the small ones behind it.
const QUEUED_UNITS_MAX: u32 = 1024;
/// The interval of these retries.
const RETRY_INTERVAL: Duration = Duration::from_millis(20);

/// The budget of an instance. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryBudget(Arc<Budget>);

#[derive(Debug)]
struct Budget {
    bytes: usize,
    wait_max: Duration,
    instance: Pool,
    addresses: Pool,
    callers: Pool,
    platform: Pool,
    shares: Mutex<HashMap<ShareHolder, Weak<Share>>>,
}

/// A part of the budget.
#[derive(Debug)]
struct Pool {
    free: Arc<Semaphore>,
    units: u32,
}

/// A holder's share of the budget. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryShare(Arc<Share>);

#[derive(Debug)]
struct Share {
    budget: Arc<Budget>,
    holder: ShareHolder,
    pool: Pool,
}

/// The memory isn't free, and didn't become free in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BudgetFull {
    /// The holder's own requests and answers take up its share.
    #[error(
        "your requests and answers in flight use up your share of the memory; read the answers, then try again"
    )]
    Share,
    /// All holders together take up the budget.
    #[error("this instance's memory for requests in flight is used up")]
    Instance,
}

impl Pool {
    fn new(bytes: usize) -> Self {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).clamp(1, u32::MAX >> 3);
        Self { free: Arc::new(Semaphore::new(usize::try_from(units).unwrap_or(usize::MAX))), units }
    }

    fn used_bytes(&self) -> usize {
        let units = usize::try_from(self.units).unwrap_or(usize::MAX);
        units.saturating_sub(self.free.available_permits()) * UNIT
    }

    fn try_take(&self, units: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_many_owned(units).ok()
    }

    /// Waits in the queue until `due`.
    async fn take(&self, units: u32, due: Instant) -> Option<OwnedSemaphorePermit> {
        let queued = Arc::clone(&self.free).acquire_many_owned(units);
        timeout_at(due, queued).await.ok()?.ok()
    }
}

impl MemoryBudget {
    /// Creates a budget of this many bytes. A customer or a user has a quarter of it, a service token at one network a
    /// quarter, and an address before sign-in a sixteenth. Addresses together have a quarter, customers and users three
    /// quarters, and the platform's services a half.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self::with_wait(bytes, WAIT_MAX)
    }

    fn with_wait(bytes: usize, wait_max: Duration) -> Self {
        Self(Arc::new(Budget {
            bytes,
            wait_max,
            instance: Pool::new(bytes),
            addresses: Pool::new(bytes / 4),
            callers: Pool::new(bytes / 4 * 3),
            platform: Pool::new(bytes / 2),
            shares: Mutex::default(),
        }))
    }

    /// The bytes of the budget.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// The bytes that one customer, user or service token may reserve.
    #[must_use]
    pub fn share_bytes(&self) -> usize {
        self.0.bytes / 4
    }

    /// The reserved bytes of each class of holders, with the class's name.
    #[must_use]
    pub fn used_bytes(&self) -> [(&'static str, usize); 3] {
        let Budget { addresses, callers, platform, .. } = &*self.0;
        [
            ("addresses", addresses.used_bytes()),
            ("callers", callers.used_bytes()),
            ("platform", platform.used_bytes()),
        ]
    }

    /// The share of this holder.
    #[must_use]
    pub fn share(&self, holder: ShareHolder) -> MemoryShare {
        let mut shares = lock(&self.0.shares);
        if let Some(share) = shares.get(&holder).and_then(Weak::upgrade) {
            return MemoryShare(share);
        }
        let bytes = match &holder {
            ShareHolder::Address(_) => self.0.bytes / 16,
            ShareHolder::Customer(_) | ShareHolder::User(..) | ShareHolder::Service(..) => self.share_bytes(),
            ShareHolder::System => self.0.bytes,
        };
        let share =
            Arc::new(Share { budget: Arc::clone(&self.0), holder: holder.clone(), pool: Pool::new(bytes) });
        shares.insert(holder, Arc::downgrade(&share));
        MemoryShare(share)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut shares = lock(&self.budget.shares);
        // A new share of the holder may have replaced this one since its last handle was dropped.
        if shares.get(&self.holder).is_some_and(|share| share.strong_count() == 0) {
            shares.remove(&self.holder);
        }
    }
}

impl Share {
    fn class(&self) -> &Pool {
        match &self.holder {
            ShareHolder::Address(_) => &self.budget.addresses,
            ShareHolder::Customer(_) | ShareHolder::User(..) => &self.budget.callers,
            ShareHolder::Service(..) | ShareHolder::System => &self.budget.platform,
        }
    }

    /// Takes units without waiting.
    fn try_take(&self, units: u32) -> Result<[OwnedSemaphorePermit; 3], BudgetFull> {
        let own = self.pool.try_take(units).ok_or(BudgetFull::Share)?;
        let class = self.class().try_take(units).ok_or(BudgetFull::Instance)?;
        let instance = self.budget.instance.try_take(units).ok_or(BudgetFull::Instance)?;
        Ok([own, class, instance])
    }

    async fn take(&self, units: u32) -> Result<[OwnedSemaphorePermit; 3], BudgetFull> {
        let due = Instant::now() + self.budget.wait_max;
        let own = self.pool.take(units, due).await.ok_or(BudgetFull::Share)?;
        if units <= QUEUED_UNITS_MAX {
            let class = self.class().take(units, due).await.ok_or(BudgetFull::Instance)?;
            let instance = self.budget.instance.take(units, due).await.ok_or(BudgetFull::Instance)?;
            return Ok([own, class, instance]);
        }
        loop {
            let class = self.class().try_take(units);
            if let Some((class, instance)) = class.zip(self.budget.instance.try_take(units)) {
                return Ok([own, class, instance]);
            }
            if Instant::now() >= due {
                return Err(BudgetFull::Instance);
            }
            sleep(RETRY_INTERVAL).await;
        }
    }
}

impl MemoryShare {
    /// The most that can be reserved at once, in bytes. A little is left for small requests, so that an open
    /// subscription doesn't prevent it.
    #[must_use]
    pub fn largest(&self) -> usize {
        let bytes = usize::try_from(self.0.pool.units).unwrap_or(usize::MAX).saturating_mul(UNIT);
        bytes - bytes / 16
    }

    /// Reserves memory, and waits up to five seconds until it is free.
    ///
    /// # Errors
    /// [`BudgetFull`] if it doesn't become free in time, or exceeds [`MemoryShare::largest`].
    pub async fn reserve(&self, bytes: usize) -> Result<Reservation, BudgetFull> {
        let units = self.units(bytes)?;
        let taken = match self.0.try_take(units) {
            Ok(taken) => Ok(taken),
            Err(_) => {
                metrics::counter!("registry_memory_waits_total").increment(1);
                self.0.take(units).await
            }
        };
        let permits = taken.inspect_err(|full| full.count())?;
        Ok(Reservation::new(&self.0, permits))
    }

    /// Reserves memory if it is free.
    ///
    /// # Errors
    /// [`BudgetFull`].
    pub fn try_reserve(&self, bytes: usize) -> Result<Reservation, BudgetFull> {
        let permits = self.0.try_take(self.units(bytes)?)?;
        Ok(Reservation::new(&self.0, permits))
    }

    fn units(&self, bytes: usize) -> Result<u32, BudgetFull> {
        if bytes > self.largest() {
            BudgetFull::Share.count();
            return Err(BudgetFull::Share);
        }
        Ok(to_units(bytes))
    }
}

fn to_units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).max(1)
}

impl BudgetFull {
    fn count(self) {
        let reason = match self {
            Self::Share => "share",
            Self::Instance => "instance",
        };
        metrics::counter!("registry_memory_refusals_total", "reason" => reason).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;
    const WAIT: Duration = Duration::from_millis(100);

    fn customer() -> ShareHolder {
        ShareHolder::Customer(crate::clock::Clock::default().id())
    }

    fn used(budget: &MemoryBudget) -> usize {
        budget.used_bytes().iter().map(|(_, bytes)| bytes).sum()
    }

    #[tokio::test]
    async fn a_holder_uses_up_its_own_share_and_no_more() {
        let budget = MemoryBudget::with_wait(64 * MIB, WAIT);
        let (greedy, other) = (budget.share(customer()), budget.share(customer()));
        let mut held = Vec::new();
        while let Ok(more) = greedy.try_reserve(MIB) {
            held.push(more);
        }
        assert_eq!((held.len(), used(&budget)), (16, 16 * MIB));
        assert_eq!(greedy.reserve(1).await.unwrap_err(), BudgetFull::Share);
        assert_eq!(other.reserve(15 * MIB).await.unwrap().bytes(), 15 * MIB);
        held.pop();
        assert!(greedy.reserve(MIB).await.is_ok(), "what was returned is free again");
        drop((held, greedy, other));
        assert_eq!(used(&budget), 0);
        assert!(lock(&budget.0.shares).is_empty(), "a share without a reservation takes no memory");
    }

    #[tokio::test]
    async fn the_platform_and_addresses_keep_theirs_whatever_customers_take() {
        let budget = MemoryBudget::with_wait(64 * MIB, WAIT);
        let customers: Vec<_> = (0..4).map(|_| budget.share(customer())).collect();
        let mut held = Vec::new();
        for customer in &customers {
            while let Ok(more) = customer.try_reserve(MIB) {
                held.push(more);
            }
        }
        assert_eq!(held.len(), 48, "three quarters");
        let full = customers.last().unwrap().reserve(MIB).await.unwrap_err();
        assert_eq!(full, BudgetFull::Instance);
        let address = ShareHolder::Address("192.0.2.1".parse().unwrap());
        assert!(budget.share(address).try_reserve(MIB).is_ok());
        let service = ShareHolder::Service(crate::clock::Clock::default().id(), None);
        assert!(budget.share(service).try_reserve(10 * MIB).is_ok());
    }

    #[tokio::test]
    async fn a_large_reservation_holds_up_no_small_one_of_another_holder() {
        let budget = MemoryBudget::with_wait(64 * MIB, WAIT);
        let holders: Vec<_> = (0..5).map(|_| budget.share(customer())).collect();
        let [a, b, c, large, small] = &holders[..] else { panic!() };
        let _held = [a, b, c].map(|share| share.try_reserve(15 * MIB).unwrap());
        let ended = Mutex::new(Vec::new());
        let (refused, taken) = tokio::join!(
            async {
                let refused = large.reserve(15 * MIB).await;
                lock(&ended).push("large");
                refused
            },
            async {
                sleep(WAIT / 10).await;
                let taken = small.reserve(MIB).await;
                lock(&ended).push("small");
                taken
            },
        );
        assert_eq!((refused.unwrap_err(), taken.is_ok()), (BudgetFull::Instance, true));
        assert_eq!(*lock(&ended), ["small", "large"]);
    }

    #[tokio::test]
    async fn a_reservation_grows_and_shrinks() {
        let budget = MemoryBudget::with_wait(64 * MIB, WAIT);
        let share = budget.share(customer());
        let mut held = share.reserve(10).await.unwrap();
        assert_eq!(held.bytes(), UNIT);
        held.grow_to(5 * MIB).unwrap();
        assert_eq!((held.bytes(), used(&budget)), (5 * MIB, 5 * MIB));
        assert_eq!(held.grow_to(17 * MIB), Err(BudgetFull::Share));
        assert_eq!(held.bytes(), 5 * MIB);
        held.shrink_to(2 * MIB);
        assert_eq!((held.bytes(), used(&budget)), (2 * MIB, 2 * MIB));
        assert_eq!(share.reserve(16 * MIB).await.unwrap_err(), BudgetFull::Share);
        drop(held);
        assert_eq!(used(&budget), 0);
    }
}
