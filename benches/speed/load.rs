//! A load generator for plain HTTP/1.1. Requests are prepared beforehand, and only the length of responses is
//! parsed, so that the load takes little of the processors that it shares with the service.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::Failure;

/// The time limit for a response, after which the run fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns the nth request.
pub type Requests = Arc<dyn Fn(u64) -> Arc<[u8]> + Send + Sync>;

/// The result of a measurement.
pub struct Measured {
    /// Responses a second.
    pub rate: f64,
    /// The time from when each request was due to its response, in microseconds.
    pub latency: Histogram<u64>,
}

/// Returns the nth index below `of`, in a pseudo-random order that caches can't exploit.
pub fn scattered(nth: u64, of: usize) -> usize {
    usize::try_from(nth.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33).unwrap_or(0) % of.max(1)
}

/// Repeats these requests in a pseudo-random order that caches can't exploit.
pub fn any_of(requests: Vec<Vec<u8>>) -> Requests {
    let requests: Vec<Arc<[u8]>> = requests.into_iter().map(Into::into).collect();
    Arc::new(move |nth| requests.get(scattered(nth, requests.len())).cloned().unwrap_or_default())
}

/// Sends each of these requests once.
pub fn each_of(requests: Vec<Vec<u8>>) -> Requests {
    let requests: Vec<Arc<[u8]>> = requests.into_iter().map(Into::into).collect();
    Arc::new(move |nth| requests.get(usize::try_from(nth).unwrap_or(usize::MAX)).cloned().unwrap_or_default())
}

/// Makes a GET request.
pub fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

/// Makes a POST request with a JSON body.
pub fn post(path: &str, token: &str, body: &serde_json::Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// One connection, used with blocking calls on a thread of its own, because a thread's clock is finer than a runtime's.
pub struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Line {
    /// Connects to this address.
    pub fn open(to: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(to)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; 64 * 1024], filled: 0 })
    }

    /// Sends a request and returns the body of the response, which must be a 2xx with a length.
    pub fn ask(&mut self, request: &[u8]) -> Result<&[u8], Failure> {
        self.stream.write_all(request)?;
        self.filled = 0;
        loop {
            if let Some((begin, end)) = whole(self.buffer.get(..self.filled).unwrap_or_default())? {
                return Ok(self.buffer.get(begin..end).unwrap_or_default());
            }
            if self.filled == self.buffer.len() {
                self.buffer.resize(2 * self.filled, 0);
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> Result<(), Failure> {
        let read = self.stream.read(self.buffer.get_mut(self.filled..).unwrap_or_default())?;
        if read == 0 {
            return Err("the service closed the connection".into());
        }
        self.filled += read;
        Ok(())
    }
}

/// Returns the begin and end of a response's body, or `None` while the response is incomplete.
fn whole(read: &[u8]) -> Result<Option<(usize, usize)>, Failure> {
    let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let end_of_body = end + 4 + length_of(read.get(..end).unwrap_or_default())?;
    Ok((read.len() >= end_of_body).then_some((end + 4, end_of_body)))
}

fn length_of(head: &[u8]) -> Result<usize, Failure> {
    if !head.starts_with(b"HTTP/1.1 2") {
        return Err(format!("unexpected response: {}", String::from_utf8_lossy(head)).into());
    }
    let lines = head.split(|byte| *byte == b'\n');
    let mut lengths = lines.filter_map(|line| {
        let (name, value) = line.split_at_checked("content-length:".len())?;
        let is_it = name.eq_ignore_ascii_case(b"content-length:");
        is_it.then(|| std::str::from_utf8(value).ok()?.trim().parse().ok())?
    });
    lengths.next().ok_or_else(|| "a response without a length".into())
}

fn empty() -> Result<Histogram<u64>, Failure> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1)
}

/// A closed loop: each connection sends its next request when it has the response. All connections share one
/// runtime, which takes less processor time than a thread for each and so leaves more to the service.
pub async fn closed(
    to: SocketAddr,
    connections: usize,
    most: Duration,
    requests: Requests,
) -> Result<Measured, Failure> {
    let (next, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let one = |_| {
        let (next, requests) = (Arc::clone(&next), Arc::clone(&requests));
        tokio::spawn(async move {
            let mut stream = tokio::net::TcpStream::connect(to).await?;
            stream.set_nodelay(true)?;
            let (mut buffer, mut latency) = (Vec::with_capacity(64 * 1024), empty()?);
            while begun.elapsed() < most {
                let request = requests(next.fetch_add(1, Ordering::Relaxed));
                let asked = Instant::now();
                stream.write_all(&request).await?;
                buffer.clear();
                while whole(&buffer)?.is_none() {
                    if stream.read_buf(&mut buffer).await? == 0 {
                        return Err("the service closed the connection".into());
                    }
                }
                latency.record(microseconds(asked.elapsed()))?;
            }
            Ok::<_, Failure>(latency)
        })
    };
    gather((0..connections).map(one).collect(), begun).await
}

/// An open loop: sends requests at a fixed rate. Latency counts from when a request was due, so a late response
/// delays later ones too (no coordinated omission).
pub async fn open(
    to: SocketAddr,
    connections: usize,
    per_second: u32,
    most: Duration,
    requests: Requests,
) -> Result<Measured, Failure> {
    let next = AtomicU64::new(0);
    let all = u64::from(per_second) * most.as_secs();
    let pace = Duration::from_secs(1) / per_second;
    run(connections, move |begun| {
        let (mut line, mut latency) = (Line::open(to)?, empty()?);
        loop {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            if nth >= all {
                return Ok(latency);
            }
            let due = begun + pace * u32::try_from(nth)?;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            line.ask(&requests(nth))?;
            latency.record(microseconds(due.elapsed()))?;
        }
    })
    .await
}

/// Runs `one` on several threads and merges the results.
async fn run<F>(threads: usize, one: F) -> Result<Measured, Failure>
where
    F: Fn(Instant) -> Result<Histogram<u64>, Failure> + Send + Sync + 'static,
{
    let (one, begun) = (Arc::new(one), Instant::now());
    let start = |_| {
        let one = Arc::clone(&one);
        tokio::task::spawn_blocking(move || one(begun))
    };
    gather((0..threads).map(start).collect(), begun).await
}

async fn gather(
    all: Vec<tokio::task::JoinHandle<Result<Histogram<u64>, Failure>>>,
    begun: Instant,
) -> Result<Measured, Failure> {
    let mut latency = empty()?;
    for one in all {
        latency.add(one.await??)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more precision")]
    let rate = latency.len() as f64 / begun.elapsed().as_secs_f64();
    Ok(Measured { rate, latency })
}
