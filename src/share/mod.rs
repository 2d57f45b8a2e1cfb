//! The holder of a share: the caller, or the address, on whose account memory, processors and database connections
//! are counted. Each limit of these resources has a share for each holder, so that a holder can slow only itself.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::id::{CustomerId, ServiceTokenId};

mod budget;
mod keyed;

pub use budget::{BudgetFull, MemoryBudget, MemoryShare, Reservation};
pub use keyed::{KeySemaphore, KeyedPermit, KeyedSemaphore};

/// The holder of a share of the instance's resources.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ShareHolder {
    /// A client before sign-in, by its [`network`].
    Address(IpAddr),
    /// A customer: all its API keys, and the users that are members of it alone.
    Customer(CustomerId),
    /// A user with several customers or none, or an operator: by issuer and subject, because a user may have no
    /// profile yet.
    User(Arc<str>, Arc<str>),
    /// A service token at one network (see `CallOrigin::network`). Many gateways may share a token, so each of their
    /// sites has a share.
    Service(ServiceTokenId, Option<IpAddr>),
    /// The service itself.
    System,
}

impl ShareHolder {
    /// Whether the holder belongs to the platform: a service token, or the service itself.
    #[must_use]
    pub fn is_platform(&self) -> bool {
        match self {
            Self::Service(..) | Self::System => true,
            Self::Address(_) | Self::Customer(_) | Self::User(..) => false,
        }
    }
}

/// The processor time that one request's work has used on the threads for computations. Clones share one count.
#[derive(Clone, Debug, Default)]
pub struct ProcessorTime(Arc<AtomicU64>);

impl ProcessorTime {
    /// Adds the time of one piece of work.
    pub fn add(&self, time: Duration) {
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.0.fetch_add(microseconds, Ordering::Relaxed);
    }

    /// Returns the time so far, and begins again at zero.
    #[must_use]
    pub fn take(&self) -> Duration {
        Duration::from_micros(self.0.swap(0, Ordering::Relaxed))
    }
}

/// The network that an address is counted as: the /64 of an IPv6 address, since a household has a whole one, and an
/// IPv4 address itself.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1".parse::<IpAddr>().unwrap());
    }
}
