//! The messages of `graphql-transport-ws` (graphql-ws, PROTOCOL.md), and the frames that carry them.

use json_reader::Json;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::{ClientError, GraphQlError};

/// The websocket subprotocol.
pub(super) const SUBPROTOCOL: &str = "graphql-transport-ws";

/// A message to the server.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientMessage {
    ConnectionInit { payload: Value },
    Subscribe { id: String, payload: Value },
    Complete { id: String },
    Ping,
    Pong,
}

/// A message from the server.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage {
    ConnectionAck {},
    Next { id: String, payload: Response },
    Error { id: String, payload: Vec<GraphQlError> },
    Complete { id: String },
    Ping {},
    Pong {},
}

/// The result of executing an operation.
#[derive(Debug, Deserialize)]
pub(super) struct Response {
    #[serde(default)]
    data: Json,
    #[serde(default)]
    errors: Vec<GraphQlError>,
}

impl Response {
    /// Returns the data, or the errors if there are any.
    pub(super) fn data(self) -> Result<Json, ClientError> {
        let Self { data, errors } = self;
        if errors.is_empty() { Ok(data) } else { Err(ClientError::GraphQl(errors)) }
    }
}

impl ClientMessage {
    pub(super) fn frame(&self) -> Result<Message, ClientError> {
        let text = serde_json::to_string(self).map_err(|err| ClientError::Protocol(err.to_string()))?;
        Ok(Message::text(text))
    }
}

impl ServerMessage {
    /// Parses the message in a frame. Returns `None` for websocket pings and pongs.
    pub(super) fn read(frame: &Message) -> Result<Option<Self>, ClientError> {
        match frame {
            Message::Text(text) => {
                // The websocket library limits a message's length.
                let message = json_reader::read_as(text.as_bytes(), &json_reader::Limits::DEPTH_ONLY);
                message.map(Some).map_err(|err| ClientError::Protocol(err.to_string()))
            }
            Message::Close(Some(close)) => {
                Err(ClientError::Closed { code: close.code.into(), reason: close.reason.to_string() })
            }
            Message::Close(None) => Err(ClientError::Closed { code: 1005, reason: String::new() }),
            Message::Binary(_) => Err(ClientError::Protocol("a binary frame".to_owned())),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_of_a_message_is_an_instruction() {
        for key in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
            let text = format!(r#"{{"type":"next","id":"1","payload":{{"data":{{"{key}":"1"}}}}}}"#);
            let Err(ClientError::Protocol(why)) = ServerMessage::read(&Message::text(text)) else {
                panic!("it is read")
            };
            assert!(why.contains("reserved") && why.contains("`payload.data`"), "{why}");
        }
    }
}
