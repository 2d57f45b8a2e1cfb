//! The author of a write: the actor and the request, which the log records with each change.

use std::net::IpAddr;

use ipnet::IpNet;
use uuid::Uuid;

use crate::entity::change::{ActorKind, Channel};

/// The prefix length of logged IPv4 networks. It identifies a site, not a person.
const V4_BITS: u8 = 24;
/// The prefix length of logged IPv6 networks: the usual size of a site.
const V6_BITS: u8 = 48;

/// The actor of a write, as recorded in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The kind of actor.
    pub kind: ActorKind,
    /// The actor's id. `None` for the system.
    pub id: Option<Uuid>,
}

/// The request of a write, as recorded in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOrigin {
    /// The request's id, as in responses, log lines and the change log; at most 64 characters.
    pub request_id: String,
    /// The API or command that received the request.
    pub channel: Channel,
    /// The network of the client. `None` for requests that didn't come over a network.
    pub network: Option<IpNet>,
}

impl CallOrigin {
    /// Makes the origin of a request. Only the network of `address` is kept.
    #[must_use]
    pub fn new(request_id: impl Into<String>, channel: Channel, address: Option<IpAddr>) -> Self {
        let network = address.and_then(|address| {
            let bits = if address.is_ipv4() { V4_BITS } else { V6_BITS };
            IpNet::new(address, bits).ok().map(|network| network.trunc())
        });
        Self { request_id: request_id.into(), channel, network }
    }
}

/// The author of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The actor.
    pub actor: Actor,
    /// The request.
    pub origin: CallOrigin,
}
