//! Connections: accepting, TLS, timeouts and limits of their bytes, and the host and client address of a request.
//! Knows no route.

pub(in crate::http) mod address;
mod admission;
pub(in crate::http) mod body;
pub(in crate::http) mod connection;
pub(in crate::http) mod host;
pub(in crate::http) mod reserved;
mod serve;
pub(in crate::http) mod timeouts;
mod tls;
mod unhandled;

pub use address::TrustedProxies;
pub use admission::Admission;
pub(in crate::http) use admission::TooManyConnections;
pub use connection::ConnectionHandle;
pub use host::{AllowedHost, Hosts, PublicUrl};
pub use serve::{BoundAddress, bind, serve};
pub use timeouts::ConnectionLimits;
pub use tls::{TLS_RELOAD_INTERVAL, Tls, TlsError};
