//! The bystander: another customer's requests at a fixed rate, from another address than the flood's.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use tokio::time::timeout;

use super::{serving::Failure, wire::Wire};

/// The duration of a measurement.
pub const TURN: Duration = Duration::from_secs(8);
/// The time after which a request counts as failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// The address that the bystander's requests come from.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// A bystander.
#[derive(Clone, Debug)]
pub struct Others {
    /// The request.
    pub request: String,
    /// A text that each response to it contains.
    pub expected: &'static str,
    /// The number of connections.
    pub connections: u32,
    /// The rate of each connection, in requests a second.
    pub per_second: u32,
}

/// How a bystander's requests went.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// How long each response took, from when its request was due.
    pub times: Vec<Duration>,
    /// The requests that failed, by their response or error.
    pub failures: BTreeMap<String, u64>,
}

impl Latencies {
    /// Returns the 95th percentile.
    pub fn p95(&self) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        let place = (times.len() * 95).div_ceil(100).saturating_sub(1);
        times.get(place).copied().unwrap_or(PATIENCE)
    }

    /// Returns the number of failed requests.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

impl Others {
    /// Sends requests for a time. A late response delays later requests of its connection, which counts as their
    /// latency; requests that are due and not sent at the end count with the time that they have waited.
    pub async fn measure(&self, to: SocketAddr, turn: Duration) -> Result<Latencies, Failure> {
        collected((0..self.connections).map(|nth| self.line(to, turn, nth))).await
    }

    /// Sends this number of requests at once, on as many connections.
    pub async fn burst(&self, to: SocketAddr, requests: u32) -> Result<Latencies, Failure> {
        let once = Duration::from_secs(1) / self.per_second;
        collected((0..requests).map(|_| self.line(to, once, 0))).await
    }

    async fn line(&self, to: SocketAddr, turn: Duration, nth: u32) -> Result<Latencies, Failure> {
        let pace = Duration::from_secs(1) / self.per_second;
        let begin = Instant::now() + pace * nth / self.connections;
        let (mut wire, mut all, mut sent) = (None, Latencies::default(), 0);
        while begin.elapsed() < turn {
            let due = begin + pace * sent;
            sent += 1;
            tokio::time::sleep_until(due.into()).await;
            let asked = timeout(PATIENCE, self.ask(to, &mut wire)).await;
            match asked.unwrap_or_else(|_| Err("no response in time".into())) {
                Ok(()) => all.times.push(due.elapsed()),
                Err(failure) => {
                    wire = None;
                    *all.failures.entry(failure.to_string()).or_default() += 1;
                }
            }
        }
        let unsent = (sent..).map(|nth| begin + pace * nth).take_while(|due| *due < begin + turn);
        all.times.extend(unsent.map(|due| due.elapsed()));
        Ok(all)
    }

    /// Sends the request and checks the response. Opens the connection if there is none.
    async fn ask(&self, to: SocketAddr, wire: &mut Option<Wire>) -> Result<(), Failure> {
        let mut open = match wire.take() {
            Some(open) => open,
            None => Wire::connect(ADDRESS, to).await?,
        };
        open.write(self.request.as_bytes()).await?;
        let mut body = Vec::new();
        let response = open.response(&mut body).await?;
        let text = String::from_utf8_lossy(&body);
        if response.status != 200 || !text.contains(self.expected) {
            let code = text.split("\"code\":\"").nth(1).and_then(|rest| rest.split('"').next());
            return Err(format!("{} {}", response.status, code.unwrap_or("")).trim_end().into());
        }
        if !response.is_last {
            *wire = Some(open);
        }
        Ok(())
    }
}

async fn collected(
    lines: impl Iterator<Item = impl Future<Output = Result<Latencies, Failure>>>,
) -> Result<Latencies, Failure> {
    let mut all = Latencies::default();
    for line in futures_util::future::try_join_all(lines).await? {
        all.times.extend(line.times);
        for (failure, times) in line.failures {
            *all.failures.entry(failure).or_default() += times;
        }
    }
    Ok(all)
}
