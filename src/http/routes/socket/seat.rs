//! How many sockets and streams there are: all in all, of each address that has not signed in yet, and of each caller.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Client, SocketLimits};
use crate::{
    domain::{Caller, Error},
    http::limit::{Key, network},
    task::lock,
};

/// The sockets of an instance. Clones are the same.
#[derive(Clone, Debug)]
pub struct Sockets {
    pub(in crate::http) limits: Arc<SocketLimits>,
    seats: Arc<Semaphore>,
    counts: Arc<Mutex<HashMap<Holder, usize>>>,
}

/// Whose a socket is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Address(IpAddr),
    Caller(Key),
}

/// A socket's or a stream's place among them, until all clones are dropped.
#[derive(Clone)]
pub(in crate::http) struct Seat(Arc<Inner>);

struct Inner {
    sockets: Sockets,
    /// Nobody's when the platform or a service of it has signed in.
    holder: Mutex<Option<Holder>>,
    _permit: OwnedSemaphorePermit,
}

impl Sockets {
    /// None yet, and at most as many as this says.
    #[must_use]
    pub fn new(limits: SocketLimits) -> Self {
        let seats = Arc::new(Semaphore::new(limits.sockets));
        Self { limits: Arc::new(limits), seats, counts: Arc::default() }
    }

    /// How many are open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.limits.sockets.saturating_sub(self.seats.available_permits())
    }

    /// A place for a socket from this address, which has yet to sign in.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when all are taken; [`Error::RateLimited`] when too many from there have not signed in.
    pub(super) fn seat(&self, Client(address): Client) -> Result<Seat, Error> {
        self.sit(Some(Holder::Address(network(address))), self.limits.of_one_address)
    }

    /// A place for a stream of this caller, who has signed in.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when all are taken; [`Error::RateLimited`] when the caller has too many.
    pub(in crate::http) fn seat_of(&self, caller: &Caller) -> Result<Seat, Error> {
        let holder = Key::of(caller).map(|(key, _)| Holder::Caller(key));
        self.sit(holder, self.limits.of_one_caller)
    }

    fn sit(&self, holder: Option<Holder>, most: usize) -> Result<Seat, Error> {
        let permit = Arc::clone(&self.seats).try_acquire_owned();
        let permit =
            permit.map_err(|_| Error::Unavailable("this instance has no room for another socket"))?;
        if holder.as_ref().is_some_and(|holder| !self.take(holder, most)) {
            return Err(Error::RateLimited { retry_after_seconds: self.limits.init.as_secs().max(1) });
        }
        metrics::gauge!("registry_sockets").increment(1);
        Ok(Seat(Arc::new(Inner { sockets: self.clone(), holder: Mutex::new(holder), _permit: permit })))
    }

    /// Counts one more of this holder's, unless it has so many.
    fn take(&self, holder: &Holder, most: usize) -> bool {
        let mut counts = lock(&self.counts);
        let count = counts.get(holder).copied().unwrap_or(0);
        if count >= most {
            return false;
        }
        counts.insert(holder.clone(), count + 1);
        true
    }

    fn give_back(&self, holder: &Holder) {
        let mut counts = lock(&self.counts);
        match counts.get_mut(holder) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(holder)),
        }
    }
}

impl Seat {
    /// Makes it this caller's, who has signed in, unless that has too many.
    pub(super) fn sign_in(&self, caller: &Caller) -> bool {
        let Inner { sockets, holder, _permit: _ } = &*self.0;
        let next = Key::of(caller).map(|(key, _)| Holder::Caller(key));
        if next.as_ref().is_some_and(|next| !sockets.take(next, sockets.limits.of_one_caller)) {
            return false;
        }
        let before = std::mem::replace(&mut *lock(holder), next);
        before.iter().for_each(|before| sockets.give_back(before));
        true
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        lock(&self.holder).iter().for_each(|holder| self.sockets.give_back(holder));
        metrics::gauge!("registry_sockets").decrement(1);
    }
}
