//! How current this instance's memory is: whether an answer may come from memory, and whether it must wait for a
//! commit that this instance hasn't applied yet.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;

use super::{
    event_hub::EventHub,
    lease::{Lease, Moment},
};
use crate::{
    domain::{Error, Registry, Result, change::Cursor},
    id::Revision,
};

/// How long an instance may answer from memory without proof that it has followed the log to its head. The tail
/// polls four times as often.
pub(super) const CACHE_LEASE: Duration = Duration::from_secs(1);
/// How long a response waits for this instance to apply the commits that its reads and writes have seen.
const CATCH_UP_TIMEOUT: Duration = Duration::from_millis(250);
/// How long a read waits for the revision given as `atLeast`.
const AT_LEAST_WAIT: Duration = Duration::from_secs(2);

/// Compares what this instance has applied with what it has shown, and holds the lease. Cheap to clone; clones share
/// state.
#[derive(Clone, Debug)]
pub(super) struct Freshness {
    registry: Registry,
    events: EventHub,
    lease: Lease,
    /// Wakes the tail, so that it reads the log at once.
    bell: Arc<Notify>,
}

impl Freshness {
    pub(super) fn new(registry: Registry, events: EventHub, bell: Arc<Notify>) -> Self {
        let lease = Lease::new(Moment::now(registry.clock()));
        Self { registry, events, lease, bell }
    }

    /// The current moment, for [`Freshness::renew_lease`].
    pub(super) fn moment(&self) -> Moment {
        Moment::now(self.registry.clock())
    }

    /// Renews the lease: at `at`, this instance had applied all of the log.
    pub(super) fn renew_lease(&self, at: Moment) {
        self.lease.renew(at);
    }

    /// Whether this instance may answer from memory: its caches are at most a second old, and the lease isn't
    /// void.
    pub(super) fn has_lease(&self) -> bool {
        self.lease.holds(self.moment(), CACHE_LEASE) && self.events.end().is_some()
    }

    /// How long ago this instance had provably applied all of the log.
    pub(super) fn age(&self) -> Duration {
        self.lease.age(self.moment())
    }

    /// The last applied entry, if it can serve as the log's end: the lease is valid, and no read or write of this
    /// instance has seen a later commit.
    pub(super) fn end(&self) -> Option<Cursor> {
        let end = self.events.end();
        end.filter(|end| end.revision() >= self.registry.observed_revision() && self.has_lease())
    }

    /// Waits until this instance has applied `revision`.
    ///
    /// # Errors
    /// [`Error::Unavailable`] after two seconds.
    pub(super) async fn wait_for_revision(&self, revision: Revision) -> Result<()> {
        if self.events.wait_for(revision, AT_LEAST_WAIT).await {
            return Ok(());
        }
        Err(Error::Unavailable("this instance has not reached that revision"))
    }

    /// Waits up to 250 ms until this instance has applied every commit that its reads and writes have seen. If it
    /// can't catch up in time, the lease is void until it has.
    pub(super) async fn wait_until_caught_up(&self) {
        let seen = self.registry.observed_revision();
        if self.events.applied() >= seen {
            return;
        }
        if self.has_lease() {
            self.bell.notify_one();
            if self.events.wait_for(seen, CATCH_UP_TIMEOUT).await {
                return;
            }
        }
        self.lease.void(self.moment());
    }
}
