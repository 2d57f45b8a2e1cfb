//! The rights that a socket's streams were begun with: what of them is lost ends the socket.

use std::sync::{Arc, Mutex, MutexGuard};

use crate::{domain::Caller, task};

/// The rights that what runs on a socket was begun with. Clones are the same.
#[derive(Clone)]
pub(super) struct Held(Arc<Mutex<(Arc<Caller>, u64)>>);

impl Held {
    /// Those of a caller who was looked up after so many changes of rights.
    pub(super) fn new(caller: Caller, since: u64) -> Self {
        Self(Arc::new(Mutex::new((Arc::new(caller), since))))
    }

    /// Notes that an operation is begun by this caller, who was looked up after so many changes of rights. It may be more
    /// by now than it was when it signed in, and all of that may be taken away again.
    pub(super) fn adopt(&self, caller: &Arc<Caller>, since: u64) {
        let mut held = self.lock();
        if caller.may_what(&held.0) {
            held.0 = Arc::clone(caller);
        }
        held.1 = held.1.min(since);
    }

    /// Whose they are, and how many changes of rights had been seen then.
    pub(super) fn get(&self) -> (Arc<Caller>, u64) {
        self.lock().clone()
    }

    /// The same, to be changed.
    pub(super) fn lock(&self) -> MutexGuard<'_, (Arc<Caller>, u64)> {
        task::lock(&self.0)
    }
}
