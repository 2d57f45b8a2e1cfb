//! Many listeners on websockets or on a NATS server. All are read in the same way, so that the senders are compared
//! and not the readers.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    task::JoinSet,
    time::timeout,
};

use super::Failure;

/// The time limit for the slowest listener.
const PATIENCE: Duration = Duration::from_secs(30);
/// The number of concurrent connection attempts.
const AT_ONCE: usize = 64;

/// The source of messages.
#[derive(Clone)]
pub enum Source {
    /// A subscription of the service, with this token.
    Socket { token: String, query: &'static str },
    /// A subject of a NATS server.
    Nats { subject: &'static str },
}

/// Counts the messages received by all listeners.
#[derive(Default)]
struct Received {
    told: AtomicUsize,
    last: Mutex<Option<Instant>>,
    changed: Notify,
}

/// A group of listeners.
pub struct Listeners {
    received: Arc<Received>,
    tasks: JoinSet<Result<(), Failure>>,
    count: usize,
}

impl Listeners {
    /// Connects `count` listeners.
    pub async fn new(to: SocketAddr, source: Source, count: usize) -> Result<Self, Failure> {
        let (received, mut tasks) = (Arc::new(Received::default()), JoinSet::new());
        let mut left = count;
        while left > 0 {
            let now = left.min(AT_ONCE);
            let streams: Vec<_> = (0..now).map(|_| tokio::spawn(open(to, source.clone()))).collect();
            for stream in streams {
                let (stream, received) = (timeout(PATIENCE, stream).await???, Arc::clone(&received));
                match &source {
                    Source::Socket { .. } => tasks.spawn(hear_frames(stream, received)),
                    Source::Nats { .. } => tasks.spawn(hear_lines(stream, received)),
                };
            }
            left -= now;
        }
        Ok(Self { received, tasks, count })
    }

    /// Waits until all listeners have received `times` messages. Returns the time from `begun` to the last message.
    pub async fn wait_for_all(&mut self, begun: Instant, times: usize) -> Result<Duration, Failure> {
        let all = async {
            loop {
                let changed = self.received.changed.notified();
                if self.received.told.load(Ordering::Acquire) >= self.count * times {
                    return;
                }
                changed.await;
            }
        };
        tokio::select! {
            waited = timeout(PATIENCE, all) => waited.map_err(|_| {
                let told = self.received.told.load(Ordering::Acquire);
                format!("{told} messages received, expected {}", self.count * times)
            })?,
            Some(ended) = self.tasks.join_next() => ended??,
        }
        let last = self
            .received
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .ok_or("no message was received")?;
        Ok(last.duration_since(begun))
    }
}

impl Received {
    fn tell(&self) {
        // Threads may get here out of order; the latest time counts.
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = last.max(Some(now));
        drop(last);
        self.told.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_one();
    }
}

async fn open(to: SocketAddr, source: Source) -> Result<TcpStream, Failure> {
    let mut stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    match source {
        Source::Socket { token, query } => {
            let upgrade = format!(
                "GET /graphql HTTP/1.1\r\nHost: {to}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                 Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
            );
            stream.write_all(upgrade.as_bytes()).await?;
            until(&mut stream, b"\r\n\r\n").await?;
            let init = json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } });
            stream.write_all(&frame(1, init.to_string().as_bytes())).await?;
            until(&mut stream, b"connection_ack\"}").await?;
            let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": query } });
            stream.write_all(&frame(1, subscribe.to_string().as_bytes())).await?;
        }
        Source::Nats { subject } => {
            until(&mut stream, b"\r\n").await?;
            let subscribe = format!("CONNECT {{\"verbose\":false}}\r\nSUB {subject} 1\r\nPING\r\n");
            stream.write_all(subscribe.as_bytes()).await?;
            until(&mut stream, b"PONG\r\n").await?;
        }
    }
    Ok(stream)
}

/// Reads up to and including `end`, byte by byte, so that later bytes stay unread.
async fn until(stream: &mut TcpStream, end: &[u8]) -> Result<(), Failure> {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        read.push(timeout(PATIENCE, stream.read_u8()).await??);
    }
    Ok(())
}

/// Makes a client's frame (RFC 6455, section 5.2), with a mask of zeros.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u8::try_from(payload.len()) {
        Ok(length) if length < 126 => frame.push(0x80 | length),
        _ => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Finds the first complete frame in these bytes: its opcode, and the begin and end of its payload.
fn first_frame(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (opcode, length) = (bytes.first()? & 0x0F, usize::from(bytes.get(1)? & 0x7F));
    let (begin, length) = match length {
        126 => (4, usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]))),
        127 => (10, usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?),
        length => (2, length),
    };
    (bytes.len() >= begin + length).then_some((opcode, begin, begin + length))
}

async fn hear_frames(mut stream: TcpStream, received: Arc<Received>) -> Result<(), Failure> {
    let mut buffer = Vec::new();
    loop {
        while let Some((opcode, begin, end)) = first_frame(&buffer) {
            let payload = buffer.get(begin..end).unwrap_or_default();
            let says = |what: &[u8]| payload.windows(what.len()).any(|window| window == what);
            let answer = match opcode {
                1 if says(b"\"type\":\"next\"") => {
                    received.tell();
                    None
                }
                1 if says(b"\"type\":\"ping\"") => Some(frame(1, b"{\"type\":\"pong\"}")),
                9 => Some(frame(10, payload)),
                _ => return Err(format!("unexpected message {:?}", String::from_utf8_lossy(payload)).into()),
            };
            buffer.drain(..end);
            if let Some(answer) = answer {
                stream.write_all(&answer).await?;
            }
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err("a socket was closed".into());
        }
    }
}

async fn hear_lines(mut stream: TcpStream, received: Arc<Received>) -> Result<(), Failure> {
    let mut buffer: Vec<u8> = Vec::new();
    loop {
        while let Some(end) = buffer.windows(2).position(|window| window == b"\r\n") {
            let line = String::from_utf8_lossy(buffer.get(..end).unwrap_or_default()).into_owned();
            let length = match line.strip_prefix("MSG ") {
                Some(told) => told.rsplit(' ').next().unwrap_or_default().parse::<usize>()? + 2,
                None if line == "PING" => {
                    stream.write_all(b"PONG\r\n").await?;
                    0
                }
                None => return Err(format!("unexpected message {line:?}").into()),
            };
            if buffer.len() < end + 2 + length {
                break;
            }
            buffer.drain(..end + 2 + length);
            if length > 0 {
                received.tell();
            }
        }
        if stream.read_buf(&mut buffer).await? == 0 {
            return Err("NATS closed the connection".into());
        }
    }
}
