//! A connection as raw bytes: requests and frames are written as they are, and responses may stay unread.

use std::net::{IpAddr, SocketAddr};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, copy},
    net::{TcpSocket, TcpStream},
};

use super::serving::Failure;

/// The size of one write, and of what the kernel keeps unsent. A flood shares its kernel with the service here: one
/// system call that copies megabytes can't be interrupted, whatever its process' priority, and a sender that is not read
/// would fill megabytes of buffer. An attacker's own machine would pay for both.
const WRITE: usize = 16 * 1024;
const SEND_BUFFER: u32 = 64 * 1024;

/// An open connection.
pub struct Wire(BufReader<TcpStream>);

/// A response, without its body.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The size of the response, in bytes.
    pub size: u64,
    /// Whether the server closes the connection after it.
    pub is_last: bool,
}

impl Wire {
    /// Connects from an address of this machine.
    pub async fn connect(from: IpAddr, to: SocketAddr) -> Result<Self, Failure> {
        let socket = TcpSocket::new_v4()?;
        socket.set_send_buffer_size(SEND_BUFFER)?;
        socket.bind((from, 0).into())?;
        let stream = socket.connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::with_capacity(64 * 1024, stream)))
    }

    /// Writes bytes.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        for piece in bytes.chunks(WRITE) {
            self.0.write_all(piece).await?;
        }
        Ok(())
    }

    /// Reads a response, and copies its body to `body`.
    pub async fn response(&mut self, body: &mut (impl AsyncWrite + Unpin)) -> Result<Response, Failure> {
        let (mut status, mut size, mut length) = (0, 0, Some(0));
        let mut is_last = false;
        loop {
            let line = self.line().await?;
            size += line.len() as u64;
            let line = line.trim_end().to_ascii_lowercase();
            if line.starts_with("http/1.1 ") {
                status = line.get(9..12).ok_or("no status")?.parse()?;
            } else if let Some(bytes) = line.strip_prefix("content-length: ") {
                length = Some(bytes.parse()?);
            } else if line == "transfer-encoding: chunked" {
                length = None;
            } else if line == "connection: close" {
                is_last = true;
            } else if line.is_empty() {
                break;
            }
        }
        if let Some(length) = length {
            size += self.body(length, body).await?;
            return Ok(Response { status, size, is_last });
        }
        loop {
            let chunk = u64::from_str_radix(self.line().await?.trim_end(), 16)?;
            size += self.body(chunk, body).await?;
            self.line().await?;
            if chunk == 0 {
                return Ok(Response { status, size, is_last });
            }
        }
    }

    async fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        match self.0.read_line(&mut line).await? {
            0 => Err("the connection was closed".into()),
            _ => Ok(line),
        }
    }

    async fn body(&mut self, length: u64, body: &mut (impl AsyncWrite + Unpin)) -> Result<u64, Failure> {
        match copy(&mut (&mut self.0).take(length), body).await? {
            copied if copied == length => Ok(copied),
            _ => Err("the connection was closed".into()),
        }
    }

    /// Reads a websocket frame of at most 125 bytes and returns its text.
    pub async fn short_frame(&mut self) -> Result<String, Failure> {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).await?;
        let mut text = vec![0; usize::from(head[1] & 0x7f)];
        self.0.read_exact(&mut text).await?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Waits for a response and returns its status. Leaves the response unread.
    pub async fn peek_status(&self) -> Result<u16, Failure> {
        let mut head = [0; 12];
        loop {
            match self.0.get_ref().peek(&mut head).await? {
                0 => return Err("the connection was closed".into()),
                12 => return Ok(std::str::from_utf8(&head[9..])?.parse().unwrap_or_default()),
                _ => tokio::task::yield_now().await,
            }
        }
    }
}
