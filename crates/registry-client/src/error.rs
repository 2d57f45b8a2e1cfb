//! What can go wrong on the caller's side of a socket.

use std::{fmt, sync::Arc};

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio_tungstenite::tungstenite;

/// An entry of a response's `errors` (GraphQL, section 7.1.2).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct GraphQlError {
    /// What is wrong, for people.
    pub message: String,
    /// More of it, for programs.
    #[serde(default)]
    pub extensions: Map<String, Value>,
}

impl GraphQlError {
    /// Its name, when the service gave it one, such as `NOT_FOUND`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.extensions.get("code").and_then(Value::as_str)
    }
}

impl fmt::Display for GraphQlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code() {
            Some(code) => write!(f, "{} ({code})", self.message),
            None => self.message.fmt(f),
        }
    }
}

/// A session could not be opened, or an operation did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is none, or not one that can be spoken to.
    #[error("{0}")]
    Address(String),
    /// Nobody answered there, or the connection broke.
    #[error("can't reach the service: {0}")]
    Unreachable(Arc<tungstenite::Error>),
    /// Somebody answered, but not with a socket.
    #[error("the service refused the socket: HTTP {0}")]
    Refused(u16),
    /// The service closed the socket; its codes are those of `graphql-transport-ws`.
    #[error("the service closed the socket: {code} {reason}")]
    Closed {
        /// Why, for programs; 1006 when it said nothing.
        code: u16,
        /// Why, for people.
        reason: String,
    },
    /// The service did not do what was asked.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    GraphQl(Vec<GraphQlError>),
    /// What came is not of the protocol.
    #[error("the service does not keep to the protocol: {0}")]
    Protocol(String),
    /// Nothing came in time.
    #[error("the service did not answer in time")]
    Silent,
    /// The subscriber did not take its events in time; it should begin again from the last cursor it has.
    #[error("the subscriber did not keep up")]
    Lagged,
}

impl From<tungstenite::Error> for ClientError {
    fn from(err: tungstenite::Error) -> Self {
        match err {
            tungstenite::Error::Http(response) => Self::Refused(response.status().as_u16()),
            tungstenite::Error::Url(err) => Self::Address(err.to_string()),
            other => Self::Unreachable(Arc::new(other)),
        }
    }
}
