//! Errors of the client.

use std::{fmt, sync::Arc};

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio_tungstenite::tungstenite;

/// An entry of a response's `errors` (GraphQL, section 7.1.2).
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct GraphQlError {
    /// A description of the error, for people.
    pub message: String,
    /// Details for programs, such as `code`.
    #[serde(default)]
    pub extensions: Map<String, Value>,
}

impl GraphQlError {
    /// Returns `extensions.code`, such as `NOT_FOUND`.
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

/// Why a session couldn't be opened, or an operation failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL is invalid, or its scheme isn't supported.
    #[error("{0}")]
    Address(String),
    /// The connection couldn't be opened, or it broke.
    #[error("can't reach the service: {0}")]
    Unreachable(Arc<tungstenite::Error>),
    /// The server refused the websocket upgrade, with this HTTP status.
    #[error("the service refused the socket: HTTP {0}")]
    Refused(u16),
    /// The service closed the socket. The close codes are those of `graphql-transport-ws`.
    #[error("the service closed the socket: {code} {reason}")]
    Closed {
        /// The close code; 1005 when the close frame had none, 1006 when there was no close frame.
        code: u16,
        /// The close reason, for people.
        reason: String,
    },
    /// The operation's response has errors.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    GraphQl(Vec<GraphQlError>),
    /// The service violated the protocol.
    #[error("the service violated the protocol: {0}")]
    Protocol(String),
    /// The service didn't respond before the deadline.
    #[error("the service didn't respond in time")]
    Silent,
    /// The subscriber's buffer overflowed. It should subscribe again after its last cursor.
    #[error("the subscriber was too slow and its buffer overflowed")]
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
