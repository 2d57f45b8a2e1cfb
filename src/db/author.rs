//! Who makes a write, and the call that it comes with: what the log says of it besides what happened.

use std::net::IpAddr;

use ipnet::IpNet;
use uuid::Uuid;

use crate::entity::change::{ActorKind, Channel};

/// How much of an IPv4 address the log keeps, in bits: enough to tell one office from another, not one person.
const V4_BITS: u8 = 24;
/// The same of IPv6, where a site has as much.
const V6_BITS: u8 = 48;

/// Who acts, as the log names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What kind of caller.
    pub kind: ActorKind,
    /// Which one; none for the system.
    pub id: Option<Uuid>,
}

/// A call, as the log names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Names the call in answers, logs and the change log; at most 64 characters.
    pub request_id: String,
    /// Where it came in.
    pub channel: Channel,
    /// The network that it came from; none when it came over none.
    pub network: Option<IpNet>,
}

impl Origin {
    /// A call of this name that came in here, from this address. Only its network is kept.
    #[must_use]
    pub fn new(request_id: impl Into<String>, channel: Channel, address: Option<IpAddr>) -> Self {
        let network = address.and_then(|address| {
            let bits = if address.is_ipv4() { V4_BITS } else { V6_BITS };
            IpNet::new(address, bits).ok().map(|network| network.trunc())
        });
        Self { request_id: request_id.into(), channel, network }
    }
}

/// Who makes a write, and with which call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Who acts.
    pub actor: Actor,
    /// With which call.
    pub origin: Origin,
}
