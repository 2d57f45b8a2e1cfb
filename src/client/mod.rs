//! The other side: what a gateway, a dashboard or the demo does to talk to a registry. It knows the protocol
//! (`graphql-transport-ws`) and nothing of the service: queries, mutations and subscriptions share one socket.

mod error;
pub mod gateway;
mod message;
mod pump;
mod session;

pub use error::{ClientError, GraphQlError};
pub use session::{Event, Session, Subscription};
