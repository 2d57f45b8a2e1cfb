//! The places of the pool. A lease takes a place in its holder's share, then one of its class, then one of the pool, and
//! keeps them until its connection is returned. So one holder can't lease more than its share, and reads leave places
//! for sign-in and for writes.
//!
//! Leases can't wait for each other in a circle: a snapshot may wait only for a lease of the class
//! [`LeaseClass::Internal`] or [`LeaseClass::Nested`], whose places no snapshot takes, and these wait for no other
//! lease while they have a place.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError},
    time::{Instant, timeout_at},
};

use crate::{
    db::DbError,
    share::{KeySemaphore, KeyedSemaphore, ShareHolder},
};

/// The part of the pool that one holder may lease at once.
const SHARE: usize = 4;
/// The size of the pool from which reads leave a place for writes too.
const LARGE: usize = 8;

/// The class of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaseClass {
    /// A snapshot for a caller.
    Read,
    /// A write.
    Write,
    /// Sign-in, probes, and what the service reads for its own memory. Belongs to no holder.
    Internal,
    /// A short read of a caller whose operation may have an open snapshot already: one at a time for each holder.
    Nested,
}

impl LeaseClass {
    fn label(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Internal => "internal",
            Self::Nested => "nested",
        }
    }
}

/// The holder and the class of a lease.
#[derive(Clone, Debug)]
pub(in crate::db) struct LeaseClaim {
    class: LeaseClass,
    /// `None` for what belongs to no holder.
    holder: Option<ShareHolder>,
}

impl LeaseClaim {
    /// Makes the claim of a holder. The service itself has no share; a service token is one holder at all networks.
    pub(in crate::db) fn new(holder: ShareHolder, class: LeaseClass) -> Self {
        let holder = match holder {
            ShareHolder::System => None,
            ShareHolder::Service(token, _) => Some(ShareHolder::Service(token, None)),
            holder @ (ShareHolder::Address(_) | ShareHolder::Customer(_) | ShareHolder::User(..)) => {
                Some(holder)
            }
        };
        let class = if holder.is_none() && class == LeaseClass::Read { LeaseClass::Internal } else { class };
        Self { class, holder }
    }
}

/// The places of a pool.
#[derive(Debug)]
pub(super) struct PoolPlaces {
    size: usize,
    all: Arc<Semaphore>,
    reads: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    internal: Arc<Semaphore>,
    /// The holders' shares of all classes but [`LeaseClass::Nested`].
    shares: KeyedSemaphore<ShareHolder>,
    /// The holders' shares of [`LeaseClass::Nested`].
    nested: KeyedSemaphore<ShareHolder>,
}

impl PoolPlaces {
    /// Makes the places of a pool of this size.
    pub(super) fn new(size: u32) -> Arc<Self> {
        let size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
        let places = |kept: usize| Arc::new(Semaphore::new(size.saturating_sub(kept).max(1)));
        // A small pool keeps one place, which snapshots may have to wait for.
        let (reads, others) = if size >= LARGE { (2, 1) } else { (1, 0) };
        Arc::new(Self {
            size,
            all: places(0),
            reads: places(reads),
            writes: places(others),
            internal: places(others),
            shares: KeyedSemaphore::new((size / SHARE).max(1)),
            nested: KeyedSemaphore::new(1),
        })
    }

    /// Waits for a place for this claim.
    ///
    /// # Errors
    /// [`DbError`] when there is none before `deadline`, or when the pool is closed.
    pub(super) async fn acquire(&self, claim: &LeaseClaim, deadline: Instant) -> Result<LeasePlace, DbError> {
        let shares = if claim.class == LeaseClass::Nested { &self.nested } else { &self.shares };
        let share = claim.holder.clone().map(|holder| shares.semaphore(holder));
        let in_share = match &share {
            Some(share) => Some(wait(share.as_ref(), Wait::Share, deadline).await?),
            None => None,
        };
        let class = match claim.class {
            LeaseClass::Read => &self.reads,
            LeaseClass::Write => &self.writes,
            LeaseClass::Internal | LeaseClass::Nested => &self.internal,
        };
        let of_class = wait(class, Wait::Pool, deadline).await?;
        let of_all = wait(&self.all, Wait::Pool, deadline).await?;
        let leases = metrics::gauge!("registry_database_leases", "class" => claim.class.label());
        leases.increment(1);
        Ok(LeasePlace { leases, _of_all: of_all, _of_class: of_class, _in_share: in_share, _share: share })
    }

    /// Waits until no place is taken, and then gives out no more.
    pub(super) async fn close(&self) {
        let size = u32::try_from(self.size).unwrap_or(u32::MAX);
        let _all = self.all.acquire_many(size).await;
        self.all.close();
    }
}

/// A lease's place in the pool, until it is dropped. The share is dropped last.
#[derive(Debug)]
pub(super) struct LeasePlace {
    leases: metrics::Gauge,
    _of_all: OwnedSemaphorePermit,
    _of_class: OwnedSemaphorePermit,
    _in_share: Option<OwnedSemaphorePermit>,
    _share: Option<KeySemaphore<ShareHolder>>,
}

impl Drop for LeasePlace {
    fn drop(&mut self) {
        self.leases.decrement(1);
    }
}

/// What a lease waits for.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// For the holder's own other leases.
    Share,
    /// For anybody's.
    Pool,
}

/// Waits for one of these places, first come, first served.
async fn wait(
    places: &Arc<Semaphore>,
    what: Wait,
    deadline: Instant,
) -> Result<OwnedSemaphorePermit, DbError> {
    let label = match what {
        Wait::Share => "share",
        Wait::Pool => "pool",
    };
    match Arc::clone(places).try_acquire_owned() {
        Ok(place) => return Ok(place),
        Err(TryAcquireError::Closed) => return Err(DbError::PoolClosed),
        Err(TryAcquireError::NoPermits) => {}
    }
    metrics::counter!("registry_database_lease_waits_total", "for" => label).increment(1);
    match timeout_at(deadline, Arc::clone(places).acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        Ok(Err(_)) => Err(DbError::PoolClosed),
        Err(_) => {
            metrics::counter!("registry_database_lease_refusals_total", "for" => label).increment(1);
            Err(match what {
                Wait::Share => DbError::ShareUsedUp,
                Wait::Pool => DbError::PoolBusy,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::id::CustomerId;

    fn claim(customer: u128, class: LeaseClass) -> LeaseClaim {
        let customer: CustomerId = uuid::Uuid::from_u128(customer).into();
        LeaseClaim::new(ShareHolder::Customer(customer), class)
    }

    async fn try_acquire(places: &Arc<PoolPlaces>, claim: &LeaseClaim) -> Result<LeasePlace, DbError> {
        places.acquire(claim, Instant::now()).await
    }

    #[tokio::test]
    async fn a_holder_leases_a_quarter_of_the_pool_for_reads_and_writes_together() {
        let places = PoolPlaces::new(20);
        let mut held = Vec::new();
        for class in
            [LeaseClass::Read, LeaseClass::Write, LeaseClass::Read, LeaseClass::Write, LeaseClass::Read]
        {
            held.push(try_acquire(&places, &claim(1, class)).await.unwrap());
        }
        for class in [LeaseClass::Read, LeaseClass::Write] {
            let refused = try_acquire(&places, &claim(1, class)).await;
            assert!(matches!(refused, Err(DbError::ShareUsedUp)), "{refused:?}");
            assert!(try_acquire(&places, &claim(2, class)).await.is_ok());
        }
        held.pop();
        assert!(try_acquire(&places, &claim(1, LeaseClass::Read)).await.is_ok());
        drop(held);
        assert!(places.shares.is_unused(), "unused shares are forgotten");
    }

    #[tokio::test]
    async fn reads_leave_places_for_sign_in_and_for_writes() {
        let internal = LeaseClaim::new(ShareHolder::System, LeaseClass::Internal);
        for (size, reads) in [(20, 18), (8, 6), (7, 6), (2, 1), (1, 1)] {
            let places = PoolPlaces::new(size);
            let mut held = Vec::new();
            for customer in 0.. {
                match try_acquire(&places, &claim(customer, LeaseClass::Read)).await {
                    Ok(place) => held.push(place),
                    Err(err) => {
                        assert!(matches!(err, DbError::PoolBusy), "{err}");
                        break;
                    }
                }
            }
            assert_eq!(held.len(), reads);
            if size >= 8 {
                let write = try_acquire(&places, &claim(1000, LeaseClass::Write)).await.unwrap();
                assert!(try_acquire(&places, &claim(1001, LeaseClass::Write)).await.is_ok());
                assert!(try_acquire(&places, &internal).await.is_ok());
                drop(write);
            } else if size > 1 {
                assert!(try_acquire(&places, &internal).await.is_ok());
            }
        }
    }

    #[tokio::test]
    async fn a_holder_with_its_whole_share_can_still_read_within_a_snapshot() {
        let places = PoolPlaces::new(4);
        let _snapshot = try_acquire(&places, &claim(1, LeaseClass::Read)).await.unwrap();
        let _nested = try_acquire(&places, &claim(1, LeaseClass::Nested)).await.unwrap();
        assert!(try_acquire(&places, &claim(1, LeaseClass::Nested)).await.is_err());
    }

    #[tokio::test]
    async fn a_place_that_is_returned_goes_to_the_one_that_waited_longest() {
        let places = PoolPlaces::new(4);
        let deadline = Instant::now() + Duration::from_secs(30);
        let held = try_acquire(&places, &claim(1, LeaseClass::Read)).await.unwrap();
        let read = claim(1, LeaseClass::Read);
        let (order, taken) = tokio::sync::mpsc::unbounded_channel();
        let wait = |nth: u32| {
            let (order, places, read) = (order.clone(), Arc::clone(&places), &read);
            async move {
                let _place = places.acquire(read, deadline).await.unwrap();
                order.send(nth).unwrap();
            }
        };
        let release = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        tokio::join!(biased; wait(1), wait(2), wait(3), release);
        drop(order);
        let mut taken = taken;
        let mut seen = Vec::new();
        while let Some(nth) = taken.recv().await {
            seen.push(nth);
        }
        assert_eq!(seen, [1, 2, 3]);
    }
}
