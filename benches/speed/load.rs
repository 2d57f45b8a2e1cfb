//! Load over plain HTTP/1.1: requests that were written beforehand, answers of which only the length is read, so that the
//! load takes little of the processors that it shares with what it measures.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::Failure;

/// Which request comes as the nth.
pub type Requests = Arc<dyn Fn(u64) -> Vec<u8> + Send + Sync>;

/// What came of a case.
pub struct Measured {
    /// Answers a second.
    pub rate: f64,
    /// From when each request was due to its answer, in microseconds.
    pub latency: Histogram<u64>,
}

/// One connection, with what was read beyond an answer's end.
struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    async fn open(to: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(to).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request and takes its answer, which must be a 200 with a length.
    async fn ask(&mut self, request: &[u8]) -> Result<(), Failure> {
        self.stream.write_all(request).await?;
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.read().await?;
        };
        let text = self.buffer.get(..head).unwrap_or_default();
        let text = String::from_utf8_lossy(text).to_ascii_lowercase();
        if !text.starts_with("http/1.1 200") {
            return Err(format!("not answered well: {text}").into());
        }
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.ok_or("an answer without a length")?.parse()?;
        while self.buffer.len() < head + length {
            self.read().await?;
        }
        self.buffer.drain(..head + length);
        Ok(())
    }

    async fn read(&mut self) -> Result<(), Failure> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the service hung up".into());
        }
        Ok(())
    }
}

fn empty() -> Result<Histogram<u64>, Failure> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1)
}

/// As many as can be: each connection asks as soon as it was answered.
pub async fn closed(
    to: SocketAddr,
    connections: u64,
    most: Duration,
    requests: Requests,
) -> Result<Measured, Failure> {
    let next = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let one = |_| {
        let (next, requests) = (Arc::clone(&next), Arc::clone(&requests));
        tokio::spawn(async move {
            let (mut line, mut latency) = (Line::open(to).await?, empty()?);
            while begun.elapsed() < most {
                let request = requests(next.fetch_add(1, Ordering::Relaxed));
                let asked = Instant::now();
                line.ask(&request).await?;
                latency.record(microseconds(asked.elapsed()))?;
            }
            Ok::<_, Failure>(latency)
        })
    };
    gather((0..connections).map(one).collect(), begun).await
}

/// So many a second, whatever the answers take: a request is counted from when it was due, so that one which is late
/// makes those behind it late as well (no coordinated omission).
pub async fn open(
    to: SocketAddr,
    connections: u64,
    per_second: u64,
    most: Duration,
    requests: Requests,
) -> Result<Measured, Failure> {
    let next = Arc::new(AtomicU64::new(0));
    let all = per_second * most.as_secs();
    let pace = Duration::from_secs(1) / u32::try_from(per_second)?;
    let begun = Instant::now();
    let one = |_| {
        let (next, requests) = (Arc::clone(&next), Arc::clone(&requests));
        tokio::spawn(async move {
            let (mut line, mut latency) = (Line::open(to).await?, empty()?);
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth >= all {
                    return Ok::<_, Failure>(latency);
                }
                let due = begun + pace * u32::try_from(nth)?;
                tokio::time::sleep_until(due.into()).await;
                line.ask(&requests(nth)).await?;
                latency.record(microseconds(due.elapsed()))?;
            }
        })
    };
    gather((0..connections).map(one).collect(), begun).await
}

async fn gather(
    tasks: Vec<tokio::task::JoinHandle<Result<Histogram<u64>, Failure>>>,
    begun: Instant,
) -> Result<Measured, Failure> {
    let mut latency = empty()?;
    for task in tasks {
        latency.add(task.await??)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more")]
    let rate = latency.len() as f64 / seconds;
    Ok(Measured { rate, latency })
}
