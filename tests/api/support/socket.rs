//! A WebSocket client that reads and writes raw messages of `graphql-transport-ws`, with deadlines.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue},
};

use super::{caller::take_cost, wait::in_time};

/// How long to wait for a message; far more than it takes.
const DEADLINE: Duration = Duration::from_secs(10);

const PROTOCOL: &str = "graphql-transport-ws";

/// The stream below a socket: TCP or TLS.
pub(crate) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// An open socket.
pub(crate) struct Socket(WebSocketStream<Box<dyn Wire>>);

/// A message from the server.
#[derive(Debug, PartialEq)]
pub(crate) enum Frame {
    /// A message of the protocol.
    Message(Value),
    /// The close frame: code and reason.
    Closed(u16, String),
}

impl Socket {
    /// Upgrades with this subprotocol, and sends nothing.
    pub(crate) async fn connect(base: &str, protocol: &str) -> Self {
        Self::upgrade(base, &[("sec-websocket-protocol", protocol)]).await.unwrap()
    }

    /// Upgrades with these headers. Returns the status when the service rejects the upgrade.
    pub(crate) async fn upgrade(base: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let stream = TcpStream::connect(base.trim_start_matches("http://")).await.unwrap();
        Self::over(stream, base, headers).await
    }

    /// Upgrades over this connection.
    async fn over(
        stream: impl Wire + 'static,
        base: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let stream: Box<dyn Wire> = Box::new(stream);
        let url = format!("{}/graphql", base.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
        }
        match in_time("an upgrade", DEADLINE, client_async(request, stream)).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(err) => panic!("no upgrade: {err}"),
        }
    }

    /// Upgrades and authenticates.
    pub(crate) async fn open(base: &str, token: Option<&str>) -> Self {
        Self::connect(base, PROTOCOL).await.signed_in(token).await
    }

    /// Upgrades and authenticates with a small receive buffer, so that the connection soon blocks when the client
    /// doesn't read.
    pub(crate) async fn open_with_small_buffer(base: &str, token: Option<&str>) -> Self {
        let tcp = TcpSocket::new_v4().unwrap();
        tcp.set_recv_buffer_size(8 * 1024).unwrap();
        let stream = tcp.connect(base.trim_start_matches("http://").parse().unwrap()).await.unwrap();
        let socket = Self::over(stream, base, &[("sec-websocket-protocol", PROTOCOL)]).await.unwrap();
        socket.signed_in(token).await
    }

    /// Upgrades over this connection and authenticates.
    pub(crate) async fn open_over(stream: impl Wire + 'static, base: &str, token: &str) -> Self {
        let socket = Self::over(stream, base, &[("sec-websocket-protocol", PROTOCOL)]).await.unwrap();
        socket.signed_in(Some(token)).await
    }

    async fn signed_in(self, token: Option<&str>) -> Self {
        let mut socket = self;
        let payload = token.map(|token| json!({ "Authorization": format!("Bearer {token}") }));
        socket.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.next().await, Frame::Message(json!({ "type": "connection_ack" })));
        socket
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.raw(Message::text(message.to_string())).await;
    }

    pub(crate) async fn raw(&mut self, message: Message) {
        in_time("a message is taken", DEADLINE, self.0.send(message)).await.expect("the socket is open");
    }

    /// Sends a message, and ignores that the service may have closed the socket.
    pub(crate) async fn try_raw(&mut self, message: Message) {
        drop(timeout(DEADLINE, self.0.send(message)).await);
    }

    /// Reads the next message. Returns whether it was a ping of the protocol, and answers it if so.
    pub(crate) async fn ping(&mut self) -> bool {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    let is_ping = message["type"] == "ping";
                    if is_ping {
                        self.try_raw(Message::text("{\"type\":\"pong\"}")).await;
                    }
                    return is_ping;
                }
                Some(Ok(Message::Ping(_))) => {}
                _ => return false,
            }
        }
    }

    /// Starts an operation with this id.
    pub(crate) async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.send(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    /// The next message as the transport has it, without the transport's pings.
    pub(crate) async fn any(&mut self) -> Message {
        loop {
            match in_time("a frame", DEADLINE, self.0.next()).await {
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(message)) => return message,
                Some(Err(_)) | None => return Message::Close(None),
            }
        }
    }

    /// The next message or the end. Pings of the transport and of the protocol are answered, not returned.
    pub(crate) async fn next(&mut self) -> Frame {
        self.next_within(DEADLINE).await
    }

    /// Same as [`Socket::next`], with its own deadline.
    pub(crate) async fn next_within(&mut self, deadline: Duration) -> Frame {
        loop {
            let frame = in_time("a frame", deadline, self.0.next()).await;
            match frame {
                None => return Frame::Closed(1005, String::new()),
                Some(Ok(Message::Text(text))) => {
                    let mut message: Value = serde_json::from_str(&text).unwrap();
                    if let Some(payload) = message.get_mut("payload") {
                        take_cost(payload);
                    }
                    if message["type"] == "ping" {
                        // The service may have closed its end meanwhile.
                        self.try_raw(Message::text("{\"type\":\"pong\"}")).await;
                        continue;
                    }
                    return Frame::Message(message);
                }
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Frame::Closed(frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(Message::Close(None))) => return Frame::Closed(1005, String::new()),
                Some(Ok(_)) => {}
                Some(Err(err)) => return Frame::Closed(1006, err.to_string()),
            }
        }
    }

    /// The payload of the next `next` message; anything else fails the test.
    pub(crate) async fn event(&mut self) -> Value {
        match self.next().await {
            Frame::Message(mut message) if message["type"] == "next" => message["payload"].take(),
            other => panic!("no event: {other:?}"),
        }
    }

    /// Whether nothing but pings arrives within `time`.
    pub(crate) async fn is_quiet(&mut self, time: Duration) -> bool {
        let pings = async { while self.ping().await {} };
        timeout(time, pings).await.is_err()
    }
}
