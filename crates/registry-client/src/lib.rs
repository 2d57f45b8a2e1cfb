//! A client of the Agent Registry over one websocket (`graphql-transport-ws`).
//!
//! [`Session`] runs queries, mutations and subscriptions on a signed-in socket. [`gateway::Gateway`] keeps a local
//! map of the active configurations: it follows the subscription `configs`, saves the map, and reconnects. Both spawn
//! their tasks on the runtime that calls them; a task ends when its last handle is dropped.

mod error;
pub mod gateway;
mod id;
mod message;
mod pump;
mod session;

pub use error::{ClientError, GraphQlError};
pub use id::{AgentId, CustomerId, IdError, VersionId};
pub use session::{Event, Session, Subscription};
