//! The handlers of the routes, one module a route or group of routes. The router is in the parent module.

pub(in crate::http) mod auth;
pub(in crate::http) mod console;
pub(in crate::http) mod explain;
pub(in crate::http) mod graphiql;
pub(in crate::http) mod graphql;
pub(in crate::http) mod health;
pub(in crate::http) mod openapi;
pub(in crate::http) mod query;
pub(in crate::http) mod rest;
pub(in crate::http) mod socket;
pub(in crate::http) mod sse;

pub use console::documents as console_documents;
pub use openapi::{Description, text as openapi_text};
pub use rest::{StreamPermits, render};
pub use socket::{SocketLimits, Sockets};
