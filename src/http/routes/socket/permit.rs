//! Limits the open sockets and event streams: in total, per caller, and unauthenticated sockets per address.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{ClientAddress, SocketLimits};
use crate::{
    domain::{Caller, Error},
    http::{
        count::{Counted, Counts},
        limit::CallerKey,
    },
    share::network,
    task::lock,
};

/// The limits and counts of an instance's sockets and event streams. Clones share them.
#[derive(Clone, Debug)]
pub struct Sockets {
    pub(in crate::http) limits: Arc<SocketLimits>,
    seats: Arc<Semaphore>,
    counts: Counts<CountKey>,
}

/// The key that a socket is counted under: its address until it is authenticated, then its caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum CountKey {
    Address(IpAddr),
    Caller(CallerKey),
}

/// The permit of a socket or event stream. It is released when the last clone is dropped.
#[derive(Clone)]
pub(in crate::http) struct SocketPermit(Arc<Inner>);

struct Inner {
    sockets: Sockets,
    /// `None` for operators and service tokens, which have no limit of their own.
    holder: Mutex<Option<Counted<CountKey>>>,
    _permit: OwnedSemaphorePermit,
}

impl Sockets {
    /// Creates the counts, all zero, with these limits.
    #[must_use]
    pub fn new(limits: SocketLimits) -> Self {
        let seats = Arc::new(Semaphore::new(limits.sockets));
        Self { limits: Arc::new(limits), seats, counts: Counts::default() }
    }

    /// The number of open sockets and event streams.
    #[must_use]
    pub fn open(&self) -> usize {
        self.limits.sockets.saturating_sub(self.seats.available_permits())
    }

    /// Acquires a permit for an unauthenticated socket from this address.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the instance has no free permit. [`Error::RateLimited`] if the address has too many
    /// unauthenticated sockets.
    pub(super) fn acquire_for_address(
        &self,
        ClientAddress(address): ClientAddress,
    ) -> Result<SocketPermit, Error> {
        self.acquire(Some(CountKey::Address(network(address))), self.limits.of_one_address)
    }

    /// Acquires a permit for an event stream of this caller.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the instance has no free permit. [`Error::RateLimited`] if the caller has too many
    /// sockets and streams.
    pub(in crate::http) fn acquire_for_caller(&self, caller: &Caller) -> Result<SocketPermit, Error> {
        let holder = CallerKey::of(caller).map(|(key, _)| CountKey::Caller(key));
        self.acquire(holder, self.limits.of_one_caller)
    }

    fn acquire(&self, holder: Option<CountKey>, most: usize) -> Result<SocketPermit, Error> {
        let permit = Arc::clone(&self.seats).try_acquire_owned();
        let permit = permit.map_err(|_| Error::Unavailable("this instance's sockets are all in use"))?;
        let counted = holder.map(|holder| self.counts.increment(holder, most).ok_or(self.too_many()));
        let holder = Mutex::new(counted.transpose()?);
        metrics::gauge!("registry_sockets").increment(1);
        Ok(SocketPermit(Arc::new(Inner { sockets: self.clone(), holder, _permit: permit })))
    }

    fn too_many(&self) -> Error {
        Error::RateLimited { retry_after_seconds: self.limits.init.as_secs().max(1) }
    }
}

impl SocketPermit {
    /// Moves the permit from the address's count to that of the authenticated caller. Returns false if the caller has
    /// reached its limit.
    pub(super) fn sign_in(&self, caller: &Caller) -> bool {
        let Inner { sockets, holder, _permit: _ } = &*self.0;
        let next = CallerKey::of(caller)
            .map(|(key, _)| sockets.counts.increment(CountKey::Caller(key), sockets.limits.of_one_caller));
        match next {
            Some(None) => false,
            next => {
                *lock(holder) = next.flatten();
                true
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        metrics::gauge!("registry_sockets").decrement(1);
    }
}
