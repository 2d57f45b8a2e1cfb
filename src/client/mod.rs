//! A client for the registry: what a gateway, a dashboard or the demo needs to talk to it. Queries, mutations and
//! subscriptions share one socket. It speaks `graphql-transport-ws` and uses nothing of the service's code.

mod error;
pub mod gateway;
mod message;
mod pump;
mod session;

pub use error::{ClientError, GraphQlError};
pub use session::{Event, Session, Subscription};
