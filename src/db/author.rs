//! The author of a write: the actor and the request, which the log records with each change.

use std::{net::IpAddr, sync::Arc};

use ipnet::IpNet;
use uuid::Uuid;

use crate::{
    entity::change::{ActorKind, Channel},
    id::ConnectionId,
};

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

/// A client's connection by websocket, and what the client said about itself when it opened it. The log doesn't record it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConnection {
    /// Its id.
    pub id: ConnectionId,
    /// The client library's name; 1 to 100 characters.
    pub client_name: Option<String>,
    /// The client library's version; 1 to 100 characters.
    pub client_version: Option<String>,
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
    /// The websocket that it came over; `None` for other requests.
    pub connection: Option<Arc<ClientConnection>>,
}

impl CallOrigin {
    /// Makes the origin of a request. Only the network of `address` is kept.
    #[must_use]
    pub fn new(request_id: impl Into<String>, channel: Channel, address: Option<IpAddr>) -> Self {
        let network = address.and_then(|address| {
            let bits = if address.is_ipv4() { V4_BITS } else { V6_BITS };
            IpNet::new(address, bits).ok().map(|network| network.trunc())
        });
        Self { request_id: request_id.into(), channel, network, connection: None }
    }

    /// The origin of a request that came over this websocket.
    #[must_use]
    pub fn over(self, connection: Arc<ClientConnection>) -> Self {
        Self { connection: Some(connection), ..self }
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
