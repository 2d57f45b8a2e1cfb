//! A flood: many connections that send the same bytes, from a process of its own at the lowest priority, since a real
//! attacker has its own machine.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, sink},
    process::{Child, Command},
    task::JoinSet,
};

use super::{serving::Failure, wire::Wire};

/// The environment variable that makes this program flood. It reads the task from standard input.
const FLOOD: &str = "BYSTANDER_FLOOD";
/// The address that floods come from.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The wait before a closed connection is opened again.
const AGAIN: Duration = Duration::from_millis(20);

/// Bytes to send.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Piece {
    /// Bytes of HTTP.
    Bytes(String),
    /// A text message of a websocket.
    Frame(String),
    /// The same, without its last byte.
    CutFrame(String),
}

impl Piece {
    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Bytes(text) => text.clone().into_bytes(),
            Self::Frame(text) => frame(text),
            Self::CutFrame(text) => {
                let mut bytes = frame(text);
                bytes.pop();
                bytes
            }
        }
    }
}

/// A masked text frame. The mask is zero, so the text stays as it is.
fn frame(text: &str) -> Vec<u8> {
    let mut bytes = vec![0x81];
    match (u8::try_from(text.len()), u16::try_from(text.len())) {
        (Ok(length @ ..126), _) => bytes.push(0x80 | length),
        (_, Ok(length)) => {
            bytes.push(0x80 | 126);
            bytes.extend(length.to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend((text.len() as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes
}

/// What a connection does before it floods.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub enum Opening {
    /// Nothing.
    Http,
    /// Opens a websocket and, with a token, signs in.
    Socket(Option<String>),
}

/// A flood.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Flood {
    /// The server.
    pub to: SocketAddr,
    /// The number of connections. None floods nothing.
    pub connections: usize,
    /// How each connection is opened.
    pub opening: Opening,
    /// Sent in turn by each connection.
    pub pieces: Vec<Piece>,
    /// How often each connection sends all pieces before it only stays open. `None` repeats them until the end.
    pub times: Option<u64>,
    /// Whether a response is read after each piece. Otherwise nothing is read.
    pub is_read: bool,
    /// The number of pieces a second, of all connections together. `None` is as fast as possible.
    pub per_second: Option<f64>,
}

/// What a flood did.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Flooded {
    /// The statuses of the responses, with counts; 0 for a connection that was closed.
    pub statuses: BTreeMap<u16, u64>,
    /// The number of pieces sent.
    pub pieces: u64,
    /// The number of bytes sent.
    pub sent: u64,
    /// The number of bytes read.
    pub received: u64,
}

/// A flood's process.
pub struct Flooding(Child);

impl Flooding {
    /// Starts the process.
    pub async fn start(flood: &Flood) -> Result<Self, Failure> {
        let mut process = Command::new("nice")
            .args(["-n", "19"])
            .arg(std::env::current_exe()?)
            .env(FLOOD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let task = serde_json::to_string(flood)? + "\n";
        process.stdin.as_mut().ok_or("no input")?.write_all(task.as_bytes()).await?;
        Ok(Self(process))
    }

    /// Ends the flood. Closing its input stops it.
    pub async fn end(mut self) -> Result<Flooded, Failure> {
        drop(self.0.stdin.take());
        let out = self.0.wait_with_output().await?;
        Ok(serde_json::from_slice(&out.stdout)?)
    }
}

/// The state that the connections of a flood share.
struct Shared {
    flood: Flood,
    pieces: Vec<Vec<u8>>,
    begun: Instant,
    next: AtomicU64,
    flooded: Mutex<Flooded>,
}

/// Floods until standard input ends, if [`FLOOD`] is set. Otherwise returns `false`.
pub async fn flood_if_asked() -> Result<bool, Failure> {
    if std::env::var_os(FLOOD).is_none() {
        return Ok(false);
    }
    let (mut input, mut task) = (BufReader::new(tokio::io::stdin()), String::new());
    input.read_line(&mut task).await?;
    let flood: Flood = serde_json::from_str(&task)?;
    let shared = Arc::new(Shared {
        pieces: flood.pieces.iter().map(Piece::encode).collect(),
        flood,
        begun: Instant::now(),
        next: AtomicU64::new(0),
        flooded: Mutex::default(),
    });
    let mut connections = JoinSet::new();
    for _ in 0..shared.flood.connections {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            loop {
                if shared.connection().await.is_err() {
                    shared.note(|flooded| *flooded.statuses.entry(0).or_default() += 1);
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
    }
    input.read_to_end(&mut Vec::new()).await?;
    connections.shutdown().await;
    let flooded = shared.flooded.lock().unwrap_or_else(PoisonError::into_inner).clone();
    println!("{}", serde_json::to_string(&flooded)?);
    Ok(true)
}

impl Shared {
    fn note(&self, note: impl FnOnce(&mut Flooded)) {
        note(&mut self.flooded.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn note_status(&self, status: u16, size: u64) {
        self.note(|flooded| {
            *flooded.statuses.entry(status).or_default() += 1;
            flooded.received += size;
        });
    }

    /// Opens a connection and floods, until the server closes it.
    async fn connection(&self) -> Result<(), Failure> {
        let flood = &self.flood;
        let mut wire = Wire::connect(ADDRESS, flood.to).await?;
        if let Opening::Socket(token) = &flood.opening {
            self.open_socket(&mut wire, token.as_deref()).await?;
        }
        let mut times = 0;
        while flood.times.is_none_or(|most| times < most) {
            times += 1;
            for _ in 0..self.pieces.len() {
                let nth = self.next.fetch_add(1, Ordering::Relaxed);
                if let Some(rate) = flood.per_second {
                    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
                    let due = self.begun + Duration::from_secs_f64(nth as f64 / rate.max(0.01));
                    tokio::time::sleep_until(due.into()).await;
                }
                let place = usize::try_from(nth)? % self.pieces.len();
                let piece = self.pieces.get(place).ok_or("no piece")?;
                // A server that rejects a body unread may respond before all of it was sent.
                let sent = wire.write(piece).await;
                self.note(|flooded| {
                    flooded.pieces += 1;
                    flooded.sent += piece.len() as u64;
                });
                if flood.is_read {
                    let response = wire.response(&mut sink()).await?;
                    self.note_status(response.status, response.size);
                    if response.is_last || sent.is_err() {
                        return Ok(());
                    }
                } else {
                    sent?;
                }
            }
        }
        if matches!(flood.opening, Opening::Http) {
            let status = wire.peek_status().await?;
            self.note_status(status, 0);
            if status != 200 {
                return Ok(());
            }
        }
        std::future::pending().await
    }

    async fn open_socket(&self, wire: &mut Wire, token: Option<&str>) -> Result<(), Failure> {
        let upgrade = "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n";
        wire.write(upgrade.as_bytes()).await?;
        let response = wire.response(&mut sink()).await?;
        self.note_status(response.status, response.size);
        if response.status != 101 {
            return Err("the handshake was rejected".into());
        }
        if let Some(token) = token {
            let payload = json!({ "Authorization": format!("Bearer {token}") });
            let init = json!({ "type": "connection_init", "payload": payload });
            wire.write(&frame(&init.to_string())).await?;
            let ack = wire.short_frame().await?;
            if !ack.contains("connection_ack") {
                return Err("the sign-in was rejected".into());
            }
        }
        Ok(())
    }
}
