//! What a connection is: how it is accepted and encrypted, what bounds its time and its bytes, and which host and client a
//! request on it belongs to. It knows no route.

pub(in crate::http) mod address;
pub(in crate::http) mod body;
pub(in crate::http) mod connection;
pub(in crate::http) mod host;
mod serve;
pub(in crate::http) mod timeouts;
mod tls;

pub use address::TrustedProxies;
pub use connection::Peer;
pub use host::{AllowedHost, Hosts, PublicUrl};
pub use serve::serve;
pub use timeouts::LineLimits;
pub use tls::{TLS_LOOK, Tls, TlsError};
