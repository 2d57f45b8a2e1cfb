//! The messages of `graphql-transport-ws` in both directions, and its close codes.

use json_reader::{Json, Object, ReadErrorKind, read};
use serde::Serialize;
use tokio_tungstenite::tungstenite::{Utf8Bytes, protocol::CloseFrame};

use crate::{graphql::Operation, http::server::body::LIMITS};

/// The maximum length of a close frame's reason, in bytes (RFC 6455, section 5.5: 125 with the code).
const REASON_BYTES_MAX: usize = 123;
/// The maximum length of an operation's id, in bytes. The socket stores it while the operation runs, and repeats it
/// in each result.
const ID_BYTES_MAX: usize = 1024;

/// A close code with its reason, as the client receives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Close {
    code: u16,
    reason: String,
}

impl Close {
    fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        Self { code, reason }
    }

    /// The client sent a message that the protocol doesn't allow.
    pub(super) fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(4400, reason)
    }

    /// There is no credential, or the client subscribed before `connection_ack`.
    pub(super) fn unauthorized() -> Self {
        Self::new(4401, "Unauthorized")
    }

    /// The credential isn't accepted, or not any more. Clients reconnect, with a new credential if they have one.
    pub(super) fn forbidden(reason: &'static str) -> Self {
        Self::new(4403, reason)
    }

    /// The client supports no subprotocol of this service.
    pub(super) fn subprotocol() -> Self {
        Self::new(4406, "Subprotocol not acceptable")
    }

    /// `connection_init` didn't arrive in time.
    pub(super) fn init_timeout() -> Self {
        Self::new(4408, "Connection initialisation timeout")
    }

    /// An operation with this id is running already.
    pub(super) fn duplicate(id: &str) -> Self {
        Self::new(4409, format!("Subscriber for {id} already exists"))
    }

    /// The client sent `connection_init` twice.
    pub(super) fn init_twice() -> Self {
        Self::new(4429, "Too many initialisation requests")
    }

    /// The service is stopping. Clients reconnect, perhaps to another instance (the IANA registry of close codes).
    pub(super) fn restart() -> Self {
        Self::new(1012, "Service restart")
    }

    /// Temporarily unavailable. Clients reconnect after a while, and resume after their last cursor.
    pub(super) fn try_later(reason: &'static str) -> Self {
        Self::new(1013, reason)
    }

    /// A frame or a message exceeds the limit.
    pub(super) fn too_big() -> Self {
        Self::new(1009, "Message too big")
    }

    /// A text message isn't UTF-8.
    pub(super) fn not_text() -> Self {
        Self::new(1007, "Message is not UTF-8")
    }

    /// The received bytes aren't websocket frames (RFC 6455, section 7.4.1).
    pub(super) fn broken() -> Self {
        Self::new(1002, "Protocol error")
    }

    /// The close code, for metrics.
    pub(super) fn code(&self) -> u16 {
        self.code
    }
}

impl From<Close> for CloseFrame {
    fn from(Close { code, reason }: Close) -> Self {
        Self { code: code.into(), reason: reason.into() }
    }
}

/// A message from the client.
#[derive(Debug)]
pub(super) enum Incoming {
    ConnectionInit(Object),
    Subscribe(String, Box<Operation>),
    Complete(String),
    Ping(Option<Object>),
    Pong,
}

impl Incoming {
    /// Parses a message. The error is the close code for a malformed one.
    pub(super) fn parse(text: &str) -> Result<Self, Close> {
        let message = read(text.as_bytes(), &LIMITS).map_err(|err| match err.kind() {
            ReadErrorKind::TooManyValues { .. } | ReadErrorKind::TooLong { .. } => Close::too_big(),
            _ => Close::bad_request(format!("Message is not a JSON object: {err}")),
        })?;
        let mut message = match message {
            Json::Object(message) => message,
            other => {
                let reason = format!("Message is not a JSON object, but {}", other.kind());
                return Err(Close::bad_request(reason));
            }
        };
        let payload = match message.remove("payload") {
            None | Some(Json::Null) => None,
            Some(Json::Object(payload)) => Some(payload),
            Some(_) => return Err(Close::bad_request("Message's payload is not an object")),
        };
        let id = message.remove("id");
        let id = || match id {
            Some(Json::String(id)) if (1..=ID_BYTES_MAX).contains(&id.len()) => Ok(id),
            _ => Err(Close::bad_request(format!("Message's id is not a text of 1 to {ID_BYTES_MAX} bytes"))),
        };
        match message.get("type").and_then(Json::as_str) {
            Some("connection_init") => Ok(Self::ConnectionInit(payload.unwrap_or_default())),
            Some("subscribe") => {
                let operation = Operation::try_from(payload.map_or(Json::Null, Json::Object));
                let operation = operation.map_err(|why| {
                    Close::bad_request(format!("Message's payload is not a GraphQL request: {why}"))
                })?;
                Ok(Self::Subscribe(id()?, Box::new(operation)))
            }
            Some("complete") => Ok(Self::Complete(id()?)),
            Some("ping") => Ok(Self::Ping(payload)),
            Some("pong") => Ok(Self::Pong),
            Some(_) => Err(Close::bad_request("Message's type is not one that a client sends")),
            None => Err(Close::bad_request("Message has no type")),
        }
    }
}

/// A message to the client.
#[derive(Debug, Serialize)]
struct Outgoing<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<T>,
}

/// Serialises a message.
pub(super) fn text<T: Serialize>(kind: &'static str, id: Option<&str>, payload: Option<T>) -> Utf8Bytes {
    // All keys are strings, so serialising can't fail.
    serde_json::to_string(&Outgoing { id, kind, payload }).unwrap_or_default().into()
}

/// The parts of a `next` message before and after its result.
pub(super) fn around_result(id: &str) -> (String, &'static str) {
    let id = serde_json::to_string(id).unwrap_or_default();
    (["{\"id\":", &id, ",\"type\":\"next\",\"payload\":"].concat(), "}")
}

/// A `pong` with the payload of its `ping`.
pub(super) fn pong(payload: Option<&Object>) -> Utf8Bytes {
    match payload {
        None => plain("pong"),
        Some(payload) => format!("{{\"type\":\"pong\",\"payload\":{payload}}}").into(),
    }
}

/// A message that has only a type.
pub(super) fn plain(kind: &'static str) -> Utf8Bytes {
    text(kind, None, None::<()>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_its_frame() {
        let Close { reason, .. } = Close::duplicate(&"ö".repeat(300));
        assert!(reason.len() <= REASON_BYTES_MAX && reason.starts_with("Subscriber for öö"));
    }
}
