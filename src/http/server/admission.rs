//! Admits connections, within three limits: in total, before sign-in from one address, and of one caller. Connections
//! beyond the first two limits wait, unread, in the order of arrival.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::timeouts::ConnectionLimits;
use crate::{
    http::count::{Counted, Counts},
    share::{KeyedPermit, KeyedSemaphore, ShareHolder, network},
    task::lock,
};

/// Admits the connections of an instance. Clones share the counts.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    total: Arc<Semaphore>,
    total_max: usize,
    of_one_caller: usize,
    addresses: KeyedSemaphore<IpAddr>,
    waiting: Counts<IpAddr>,
    /// One permit for each connection that may wait, before the addresses' parts are equal.
    waiting_places: Arc<Semaphore>,
    callers: Counts<ShareHolder>,
}

/// The permit of a connection. Dropping it lets the next one in.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    admission: Admission,
    _total: OwnedSemaphorePermit,
    /// Behind a trusted proxy, connections belong to nobody.
    is_of_proxy: bool,
    holder: Mutex<Holder>,
}

/// The account of a connection.
#[derive(Debug)]
enum Holder {
    /// The address, until a caller signs in.
    Address { _permit: Option<KeyedPermit<IpAddr>> },
    /// The first caller that signed in.
    Caller { _count: Option<Counted<ShareHolder>> },
}

/// The caller has as many connections as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) struct TooManyConnections;

/// A connection that was accepted, and may wait to be admitted.
pub(super) struct Arrival {
    address: IpAddr,
    _counted: Counted<IpAddr>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Admission {
    /// Creates the counts, all zero, with these limits.
    #[must_use]
    pub fn new(limits: &ConnectionLimits) -> Self {
        let total_max = usize::try_from(limits.connections).unwrap_or(Semaphore::MAX_PERMITS);
        Self(Arc::new(Inner {
            total: Arc::new(Semaphore::new(total_max)),
            total_max,
            of_one_caller: limits.of_one_caller,
            addresses: KeyedSemaphore::new(limits.of_one_address),
            waiting: Counts::default(),
            waiting_places: Arc::new(Semaphore::new(total_max)),
            callers: Counts::default(),
        }))
    }

    /// Registers a connection that was accepted. `None` if it must be closed, because too many of its address wait:
    /// more than half of all places, or, once all are taken, more than an equal part of them.
    pub(super) fn arrive(&self, address: IpAddr) -> Option<Arrival> {
        let address = network(address);
        let Inner { waiting, waiting_places, total_max, .. } = &*self.0;
        let place = Arc::clone(waiting_places).try_acquire_owned().ok();
        let most = match place {
            Some(_) => total_max / 2,
            None => total_max / 2 / (waiting.keys() + 1),
        };
        let counted = waiting.increment(address, most.max(1));
        let Some(counted) = counted else {
            metrics::counter!("registry_connections_refused_total").increment(1);
            return None;
        };
        Some(Arrival { address, _counted: counted, _place: place })
    }

    /// Waits until the connection may be served.
    pub(super) async fn admit(&self, arrival: Arrival, is_of_proxy: bool) -> Option<ConnectionPermit> {
        let own = match is_of_proxy {
            true => None,
            false => Some(self.0.addresses.acquire(arrival.address).await?),
        };
        if self.0.total.available_permits() == 0 {
            metrics::counter!("registry_connections_full_total").increment(1);
            tracing::warn!(
                "the limit of connections is reached: new clients wait until one closes (see CONNECTIONS)"
            );
        }
        // The semaphore is never closed, so acquiring can't fail.
        let total = Arc::clone(&self.0.total).acquire_owned().await.ok()?;
        let holder = Mutex::new(Holder::Address { _permit: own });
        Some(ConnectionPermit { admission: self.clone(), _total: total, is_of_proxy, holder })
    }

    /// The number of connections of this caller.
    #[cfg(test)]
    fn of_caller(&self, holder: &ShareHolder) -> usize {
        self.0.callers.count(holder)
    }
}

impl ConnectionPermit {
    /// A caller signed in on this connection: from now on, it is counted on the account of the first one. The
    /// platform's services, and connections of a trusted proxy, have no limit but the total.
    ///
    /// # Errors
    /// [`TooManyConnections`] if the caller has as many connections as it may.
    pub(super) fn sign_in(&self, caller: impl FnOnce() -> ShareHolder) -> Result<(), TooManyConnections> {
        let mut holder = lock(&self.holder);
        if let Holder::Caller { .. } = *holder {
            return Ok(());
        }
        let caller = caller();
        let count = match self.is_of_proxy || caller.is_platform() {
            true => None,
            false => {
                let Inner { callers, of_one_caller, .. } = &*self.admission.0;
                Some(callers.increment(caller, *of_one_caller).ok_or(TooManyConnections)?)
            }
        };
        *holder = Holder::Caller { _count: count };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    fn admission(connections: u32, of_one_address: usize, of_one_caller: usize) -> Admission {
        let limits = ConnectionLimits::default();
        Admission::new(&ConnectionLimits { connections, of_one_address, of_one_caller, ..limits })
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn customer() -> ShareHolder {
        ShareHolder::Customer(crate::clock::Clock::default().id())
    }

    #[tokio::test]
    async fn an_address_waits_for_its_own_and_others_do_not() {
        let admission = admission(100, 2, 100);
        let admit =
            async |last| admission.admit(admission.arrive(address(last)).unwrap(), false).await.unwrap();
        let (first, _second) = (admit(1).await, admit(1).await);
        assert!(timeout(SOON, admit(1)).await.is_err(), "two of one address wait for a sign-in");
        let _other = timeout(SOON, admit(2)).await.unwrap();
        first.sign_in(customer).unwrap();
        let _third = timeout(SOON, admit(1)).await.unwrap();
        assert!(timeout(SOON, admit(1)).await.is_err());
        let proxied = admission.admit(admission.arrive(address(1)).unwrap(), true);
        assert!(timeout(SOON, proxied).await.is_ok(), "a proxy's connections are of many clients");
    }

    #[tokio::test]
    async fn no_address_takes_all_places_to_wait() {
        let admission = admission(10, 1, 100);
        let mut held: Vec<_> = (0..5).map(|_| admission.arrive(address(1)).unwrap()).collect();
        assert!(admission.arrive(address(1)).is_none(), "half of the places");
        held.extend((0..5).map(|_| admission.arrive(address(2)).unwrap()));
        let other = admission.arrive(address(3));
        assert!(
            other.is_some()
                && admission.arrive(address(1)).is_none()
                && admission.arrive(address(3)).is_none()
        );
        drop((held, other));
        assert!((0..5).all(|_| admission.arrive(address(1)).is_some()));
    }

    #[tokio::test]
    async fn a_caller_has_so_many_connections_and_a_service_any() {
        let admission = admission(100, 100, 2);
        let mut held = Vec::new();
        for _ in 0..6 {
            held.push(admission.admit(admission.arrive(address(1)).unwrap(), false).await.unwrap());
        }
        let holder = customer();
        let mine = || holder.clone();
        assert!(held[0].sign_in(mine).is_ok() && held[1].sign_in(mine).is_ok());
        assert!(held[0].sign_in(mine).is_ok(), "the second request of a connection");
        assert_eq!(held[2].sign_in(mine), Err(TooManyConnections));
        assert!(held[2].sign_in(customer).is_ok());
        let service = ShareHolder::Service(crate::clock::Clock::default().id(), None);
        assert!(held[3..].iter().all(|permit| permit.sign_in(|| service.clone()).is_ok()));
        assert_eq!(admission.of_caller(&holder), 2);
        held.remove(0);
        assert_eq!(admission.of_caller(&holder), 1);
    }
}
