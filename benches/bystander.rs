//! Measures how much an attacker slows ordinary requests: their latency with and without eight connections that
//! send rejected documents, alternately in one run. `cargo bench --bench bystander`.
//!
//! The attacker is a separate process at the lowest priority, since a real one has its own machine. To estimate the
//! cost of its load alone, the same load at the same rate goes to a process that reads all of it and returns a
//! constant. That process reads more bytes than the service, which leaves bodies unread where it can.

#![expect(clippy::disallowed_methods, reason = "benchmarks parse only the service's own responses")]

#[allow(dead_code, reason = "each benchmark uses a part of it")]
mod serving;
#[allow(dead_code, reason = "each benchmark uses a part of it")]
#[path = "speed/yardstick.rs"]
mod yardstick;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    process::Stdio,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serving::{Failure, Serving};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};
use yardstick::Yardstick;

/// The number of the attacker's connections.
const ATTACKERS: u32 = 8;
/// The number of connections with ordinary requests.
const BYSTANDERS: u32 = 4;
/// The rate of each ordinary connection, in requests a second.
const PER_SECOND: u32 = 50;
/// The duration of a turn.
const TURN: Duration = Duration::from_secs(5);
/// The number of turns with, and without, the attacker.
const TURNS: u32 = 3;

/// Documents that are rejected, each for another reason.
fn refused() -> Vec<Value> {
    let bomb: String =
        (0..30).map(|n| format!("fragment F{n} on Query {{ ...F{} ...F{} }} ", n + 1, n + 1)).collect();
    let documents = [
        format!("{{ nodes(ids: {}", "[".repeat(2000)),
        format!("{{ ...F0 }} {bomb} fragment F30 on Query {{ __typename }}"),
        format!("{{ {} }}", (0..101).map(|n| format!("a{n}: __typename ")).collect::<String>()),
        format!("{{ {} }}", "a ".repeat(9000)),
        format!("{{ a # {}\n }}", "x".repeat(1024 * 1024)),
        format!("{{ {} ]", "a ".repeat(7900)),
        format!("{{ {} }}", "a ".repeat(7900)),
        format!("{{ customers {{ {} }} }}", (0..4000).map(|n| format!("f{n} ")).collect::<String>()),
    ];
    documents.map(|query| json!({ "query": query })).into()
}

fn request(path: &str, credential: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{credential}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// A connection that is reopened when the service has closed it.
struct Line {
    to: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Line {
    fn new(to: SocketAddr) -> Self {
        Self { to, stream: None, buffer: Vec::with_capacity(64 * 1024) }
    }

    /// Sends a request and returns the status, or `None` when the connection was closed first.
    async fn ask(&mut self, request: &[u8]) -> Result<Option<u16>, Failure> {
        if self.stream.is_none() {
            self.buffer.clear();
            let stream = TcpStream::connect(self.to).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        let answered = self.exchange(request).await;
        let ends = !matches!(&answered, Ok((_, false)));
        if ends {
            self.stream = None;
        }
        Ok(answered.ok().map(|(status, _)| status))
    }

    /// Sends a request. Returns the status, and whether the connection ends with the response.
    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, bool), Failure> {
        let Self { stream, buffer, .. } = self;
        let stream = stream.as_mut().ok_or("no connection")?;
        // A service that rejects a body unread may respond before it was sent, and close the connection.
        let sent = stream.write_all(request).await;
        let head = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(buffer).await? == 0 {
                return Err("the connection was closed".into());
            }
        };
        let text = String::from_utf8_lossy(buffer.get(..head).unwrap_or_default()).to_ascii_lowercase();
        let status = text.get(9..12).ok_or("no status")?.parse()?;
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.ok_or("a response without a length")?.parse()?;
        while buffer.len() < head + length {
            if stream.read_buf(buffer).await? == 0 {
                return Err("the connection was closed".into());
            }
        }
        buffer.drain(..head + length);
        Ok((status, sent.is_err() || text.contains("connection: close")))
    }
}

/// Measures ordinary requests for a turn. Latency counts from when a request was due, so a late response delays
/// later ones.
async fn bystanders(to: SocketAddr, request: &[u8]) -> Result<Vec<Duration>, Failure> {
    let one = async |nth: u32| {
        let pace = Duration::from_secs(1) / PER_SECOND;
        let begin = Instant::now() + pace * nth / BYSTANDERS;
        let (mut line, mut times) = (Line::new(to), Vec::new());
        while begin.elapsed() < TURN {
            let due = begin + pace * u32::try_from(times.len())?;
            tokio::time::sleep_until(due.into()).await;
            match line.ask(request).await? {
                Some(200) => times.push(due.elapsed()),
                status => return Err(format!("an ordinary request failed: {status:?}").into()),
            }
        }
        Ok::<_, Failure>(times)
    };
    let all = futures_util::future::try_join_all((0..BYSTANDERS).map(one)).await?;
    Ok(all.into_iter().flatten().collect())
}

/// The statuses of the attacker's responses, with counts; 0 where the connection was closed.
type StatusCounts = BTreeMap<u16, u64>;

/// The task of the attacking process, passed in the variable [`ATTACK`].
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Attack {
    to: SocketAddr,
    path: String,
    credential: String,
    /// The rate, in requests a second. `None` is as fast as possible.
    per_second: Option<f64>,
}

const ATTACK: &str = "BYSTANDER_ATTACK";

impl Attack {
    /// Runs this attack while `watched` runs. Returns the result, and the attacker's responses.
    async fn run_during<T>(
        &self,
        watched: impl Future<Output = Result<T, Failure>>,
    ) -> Result<(T, StatusCounts), Failure> {
        let mut process = Command::new("nice")
            .args(["-n", "19"])
            .arg(std::env::current_exe()?)
            .env(ATTACK, serde_json::to_string(self)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let watched = watched.await?;
        // Closing its input stops the attacker.
        drop(process.stdin.take());
        let told = process.wait_with_output().await?;
        Ok((watched, serde_json::from_slice(&told.stdout)?))
    }

    /// Attacks until standard input ends, if [`ATTACK`] is set. Otherwise returns `false`.
    async fn run_if_asked() -> Result<bool, Failure> {
        let Ok(text) = std::env::var(ATTACK) else { return Ok(false) };
        let attack: Self = serde_json::from_str(&text)?;
        let stop = AtomicBool::new(false);
        let ended = async {
            let mut nothing = Vec::new();
            let read = tokio::io::stdin().read_to_end(&mut nothing).await;
            stop.store(true, Ordering::Relaxed);
            read
        };
        let (told, ended) = tokio::join!(attack.run(&stop), ended);
        ended?;
        println!("{}", serde_json::to_string(&told?)?);
        Ok(true)
    }

    async fn run(&self, stop: &AtomicBool) -> Result<StatusCounts, Failure> {
        let requests: Vec<_> =
            refused().iter().map(|body| request(&self.path, &self.credential, body)).collect();
        let pace = self.per_second.map(|rate| Duration::from_secs_f64(1.0 / rate.max(1.0)));
        let (next, began) = (AtomicU64::new(0), Instant::now());
        let one = async |_| {
            let (mut line, mut told) = (Line::new(self.to), StatusCounts::new());
            while !stop.load(Ordering::Relaxed) {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if let Some(pace) = pace {
                    tokio::time::sleep_until((began + pace * u32::try_from(nth)?).into()).await;
                }
                let place = usize::try_from(nth)? % requests.len().max(1);
                let status = line.ask(requests.get(place).map_or(&[], Vec::as_slice)).await?;
                *told.entry(status.unwrap_or(0)).or_default() += 1;
            }
            Ok::<_, Failure>(told)
        };
        let mut all = StatusCounts::new();
        for told in futures_util::future::try_join_all((0..ATTACKERS).map(one)).await? {
            add(&mut all, told);
        }
        Ok(all)
    }
}

fn add(all: &mut StatusCounts, told: StatusCounts) {
    for (status, times) in told {
        *all.entry(status).or_default() += times;
    }
}

/// Returns the 50th and 99th percentiles.
fn percentiles(times: &mut [Duration]) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |hundredths: usize| (times.len() * hundredths).div_ceil(100).saturating_sub(1);
    let [half, most] = [50, 99].map(|hundredths| times.get(at(hundredths)).copied().unwrap_or_default());
    (half, most)
}

/// Latencies of ordinary requests with and without an attack.
struct Comparison {
    alone: Vec<Duration>,
    attacked: Vec<Duration>,
    told: StatusCounts,
    /// The service's processor time during the attack.
    cpu: Duration,
}

impl Comparison {
    async fn measure(serving: &Serving, ordinary: &[u8], attack: &Attack) -> Result<Self, Failure> {
        let mut all =
            Self { alone: vec![], attacked: vec![], told: StatusCounts::new(), cpu: Duration::ZERO };
        for _ in 0..TURNS {
            all.alone.extend(bystanders(serving.address()?, ordinary).await?);
            let before = serving.cpu()?;
            let (times, told) = attack.run_during(bystanders(serving.address()?, ordinary)).await?;
            all.attacked.extend(times);
            all.cpu += serving.cpu()?.saturating_sub(before);
            add(&mut all.told, told);
        }
        Ok(all)
    }

    /// Returns the rate of the attacker's responses, a second.
    fn rate(&self) -> f64 {
        let all = u32::try_from(self.told.values().sum::<u64>()).unwrap_or(u32::MAX);
        f64::from(all) / (TURN * TURNS).as_secs_f64()
    }

    /// Prints the result and returns the ratio of the 99th percentiles.
    fn say(&mut self, what: &str) -> f64 {
        let ((half, most), (half_beside, most_beside)) =
            (percentiles(&mut self.alone), percentiles(&mut self.attacked));
        let ratio = most_beside.as_secs_f64() / most.as_secs_f64();
        let told: Vec<String> =
            self.told.iter().map(|(status, times)| format!("{status} × {times}")).collect();
        println!(
            "{what}: p50 {half:.2?}, {half_beside:.2?} under attack; p99 {most:.2?}, {most_beside:.2?} under attack: {ratio:.2} \
             times; {:.0} responses a second ({}); the service used {:.2} processors",
            self.rate(),
            told.join(", "),
            self.cpu.as_secs_f64() / (TURN * TURNS).as_secs_f64(),
        );
        ratio
    }
}

/// Creates a customer with agents and returns its id.
async fn customer(serving: &Serving, name: &str) -> Result<String, Failure> {
    let query = "mutation ($name: String!) { createCustomer(input: { name: $name }) { customer { id } } }";
    let made = serving.gql(query, json!({ "name": name })).await?;
    let id = made.pointer("/data/createCustomer/customer/id").and_then(Value::as_str).ok_or("no customer")?;
    for name in 0..20 {
        let query = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } } }";
        let input = json!({ "input": { "customerId": id, "name": format!("Agent {name}") } });
        serving.gql(query, input).await?;
    }
    Ok(id.to_owned())
}

/// Creates an API key of this customer, which its plan rate-limits.
async fn key(serving: &Serving, customer: &str) -> Result<String, Failure> {
    let query = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }";
    let input = json!({ "input": { "customerId": customer, "name": "bench", "scopes": ["AGENTS_READ"] } });
    let made = serving.gql(query, input).await?;
    Ok(made.pointer("/data/createApiKey/secret").and_then(Value::as_str).ok_or("no key")?.to_owned())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if yardstick::serve_if_asked().await? || Attack::run_if_asked().await? {
        return Ok(());
    }
    let serving = Serving::start("bystander").await?;
    let (mine, other) = (customer(&serving, "City").await?, customer(&serving, "Village").await?);
    let operator = serving.token().to_owned();
    // As long as a real token, with an invalid signature.
    let forged: String = operator.chars().rev().take(20).chain(operator.chars().skip(20)).collect();
    let query = "query ($id: ID!) { customer(id: $id) { name agents(first: 10) { nodes { name activeVersion { number } } } } }";
    let asked = json!({ "query": query, "variables": { "id": mine } });
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let ordinary = request("/graphql", &bearer(&operator), &asked);
    bystanders(serving.address()?, &ordinary).await?;
    println!(
        "{BYSTANDERS} connections send {PER_SECOND} requests a second each; {ATTACKERS} attack; {TURNS} turns of {TURN:?} each\n"
    );
    let constant = Yardstick::start(100).await?;
    let mut worst: f64 = 0.0;
    for (kind, credential) in [
        ("without a credential", String::new()),
        ("with a wrong token", bearer(&forged)),
        ("with a key of another customer", bearer(&key(&serving, &other).await?)),
        ("with a token that is not limited", bearer(&operator)),
    ] {
        let attack =
            Attack { to: serving.address()?, path: "/graphql".to_owned(), credential, per_second: None };
        let mut found = Comparison::measure(&serving, &ordinary, &attack).await?;
        let ratio = found.say(kind);
        let as_much = Attack {
            to: constant.address,
            path: "/constant".to_owned(),
            per_second: Some(found.rate()),
            ..attack
        };
        let mut load = Comparison::measure(&serving, &ordinary, &as_much).await?;
        let by_load = load.say("  the same load to a constant");
        println!("  {:.2} times as much as with the load to the constant\n", ratio / by_load);
        worst = worst.max(ratio);
    }
    println!("worst: {worst:.2} times");
    Ok(())
}
