//! The rights that the operations of a socket began with. Losing any of them closes the socket.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::{domain::Caller, task};

/// The caller whose rights the socket's operations began with, and the count of rights changes just before its lookup.
/// Clones share both.
#[derive(Clone)]
pub(super) struct SessionRights(Arc<Mutex<(Arc<Caller>, u64)>>);

impl SessionRights {
    /// The rights of a caller that was looked up after `since` changes of rights.
    pub(super) fn new(caller: Caller, since: u64) -> Self {
        Self(Arc::new(Mutex::new((Arc::new(caller), since))))
    }

    /// Records that an operation begins as this caller, looked up after `since` changes of rights. If the caller has
    /// gained rights since the socket was authenticated, the larger set is kept, since losing any of it must close
    /// the socket.
    pub(super) fn adopt(&self, caller: &Arc<Caller>, since: u64) {
        let mut rights = self.lock();
        if caller.covers(&rights.0) {
            rights.0 = Arc::clone(caller);
        }
        rights.1 = rights.1.min(since);
    }

    /// The caller, and the count of rights changes just before its lookup.
    pub(super) fn get(&self) -> (Arc<Caller>, u64) {
        self.lock().clone()
    }

    /// Locks both for an update.
    pub(super) fn lock(&self) -> MutexGuard<'_, (Arc<Caller>, u64)> {
        task::lock(&self.0)
    }
}
