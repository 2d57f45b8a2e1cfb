//! The connections: timeouts, limits on their number, broken bodies, compression, allowed hosts, CORS and TLS.

mod broken;
mod compress;
mod cors;
mod host;
mod slow;
mod tls;

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::support::app::Instance;

/// How long to wait for an event; far more than it takes.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

/// A connection with a small receive buffer.
pub(crate) async fn line(app: &Instance) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    socket.connect(app.address().parse().unwrap()).await.unwrap()
}

/// Sends these bytes.
pub(crate) async fn say(line: &mut TcpStream, text: &str) {
    timeout(DEADLINE, line.write_all(text.as_bytes())).await.unwrap().unwrap();
}

/// Reads the head of the next response. Its body stays unread.
pub(crate) async fn head(line: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(timeout(DEADLINE, line.read_u8()).await.expect("an answer in time").unwrap());
    }
    String::from_utf8(bytes).unwrap()
}

/// Reads until the connection ends, in order or with an error.
async fn rest(line: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = timeout(DEADLINE, line.read_to_end(&mut bytes)).await.expect("an end in time");
    String::from_utf8_lossy(&bytes).into_owned()
}
