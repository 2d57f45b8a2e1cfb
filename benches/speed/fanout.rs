//! The time from an activation to the last subscriber's event, compared with a message of the same size through a NATS
//! server; and the memory of an idle subscriber.

use std::{
    net::{SocketAddr, TcpListener},
    process::Stdio,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    process::{Child, Command},
};

use super::{
    Failure,
    case::{Case, Report, median},
    listener::{Listeners, Source},
    world::World,
};

/// The numbers of subscribers.
const CROWDS: [(usize, &str); 2] = [
    (5000, "activation to the last of 5,000 subscribers"),
    (1000, "activation to the last of 1,000 subscribers"),
];
/// The number of activations per measurement.
const ROUNDS: usize = 15;
/// The maximum memory of an idle subscriber, in bytes.
const IDLE_BYTES: u64 = 25 * 1024;
/// The size of a NATS message, in bytes.
const MESSAGE: usize = 512;
const SUBJECT: &str = "activations";
const WATCH: &str = "subscription { activations { id cursor revision reason activatedAt agent { id name } \
    version { id number modelName contentHash } previousVersion { id number } } }";

/// Runs all measurements.
pub async fn run(world: &mut World, report: &mut Report) -> Result<(), Failure> {
    allow_files();
    // A fresh process has no freed memory to reuse, which would hide the memory of subscribers.
    world.serving.restart().await?;
    let world = &*world;
    let ours = world.serving.address()?;
    let versions = world.versions(world.agents.first().ok_or("no agents")?).await?;
    let nats = Nats::start().await?;
    let source = Source::Socket { token: world.token.clone(), query: WATCH };
    let mut round = Rounds { world, versions, turn: 0 };
    let mut listeners = Listeners::new(ours, source.clone(), 1).await?;
    watched_by(world, 1).await?;
    let single = round.measure(&mut listeners).await?;
    drop(listeners);
    for (count, what) in CROWDS {
        let before = world.serving.memory()?;
        let mut listeners = Listeners::new(ours, source.clone(), count).await?;
        watched_by(world, count).await?;
        let idle = world.serving.memory()?.saturating_sub(before) / u64::try_from(count)?;
        println!("  {idle} bytes of resident memory for each of {count} idle subscribers");
        let ours = round.measure(&mut listeners).await?;
        drop(listeners);
        match &nats {
            Some(nats) => {
                let theirs = nats.measure(count).await?;
                let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
                report.add(Case {
                    what,
                    ours: format!("{:.1} ms", ours.as_secs_f64() * 1e3),
                    beside: format!(
                        "NATS {:.1} ms; {:.1} ms to a single subscriber",
                        theirs.as_secs_f64() * 1e3,
                        single.as_secs_f64() * 1e3
                    ),
                    ratio: format!("{ratio:.2} ×"),
                    aim: "at most 2 ×",
                    is_reached: Some(ratio <= 2.0),
                });
            }
            None => println!("  nats-server isn't installed"),
        }
        if count == 5000 {
            report.add(Case {
                what: "idle subscriber, resident memory",
                ours: format!("{:.1} KB", kilobytes(idle)),
                beside: "5,000 of them".to_owned(),
                ratio: "–".to_owned(),
                aim: "25 KB",
                is_reached: Some(idle <= IDLE_BYTES),
            });
        }
        // Gives the service time to notice closed sockets before the next ones open.
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    Ok(())
}

/// Waits until `count` subscribers are registered, and two seconds more, until the service is idle.
async fn watched_by(world: &World, count: usize) -> Result<(), Failure> {
    let count = format!("registry_watchers{{watched=\"activations\"}} {count}");
    for _ in 0..300 {
        let metrics = world.serving.metrics().await?;
        if metrics.lines().any(|line| line == count) {
            tokio::time::sleep(Duration::from_secs(2)).await;
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("not all subscriptions were registered in time".into())
}

fn kilobytes(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1024.0
}

/// A sequence of activations.
struct Rounds<'a> {
    world: &'a World,
    versions: Vec<String>,
    turn: usize,
}

impl Rounds<'_> {
    /// Returns the median time until all listeners have received an event, over [`ROUNDS`].
    async fn measure(&mut self, listeners: &mut Listeners) -> Result<Duration, Failure> {
        let mut times = Vec::new();
        for round in 1..=ROUNDS {
            let begun = Instant::now();
            self.activate().await?;
            let answered = begun.elapsed();
            let all = listeners.wait_for_all(begun, round).await?;
            println!("  response after {answered:?}, last event after {all:?}");
            times.push(all);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(median(&mut times))
    }

    /// Activates another version of an agent.
    async fn activate(&mut self) -> Result<(), Failure> {
        self.turn += 1;
        let agent = self.world.agents.first().ok_or("no agents")?;
        let activate = "mutation ($input: ActivateVersionInput!) { activateVersion(input: $input) { userErrors { code message } } }";
        let version = self.versions.get(self.turn % 2).ok_or("no versions")?;
        let input = json!({ "input": { "agentId": agent, "versionId": version } });
        let told = self.world.serving.gql(activate, input).await?;
        match told.pointer("/data/activateVersion/userErrors").and_then(|errors| errors.as_array()) {
            Some(errors) if errors.is_empty() => Ok(()),
            _ => Err(format!("not activated: {told}").into()),
        }
    }
}

/// A NATS server.
struct Nats {
    address: SocketAddr,
    _process: Child,
}

impl Nats {
    /// Starts a server. Returns `None` when the program isn't installed.
    async fn start() -> Result<Option<Self>, Failure> {
        // The port was free a moment ago; nothing else is expected to take it.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new("nats-server");
        command.args(["-a", "127.0.0.1", "-p", &address.port().to_string()]);
        let started = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn();
        let Ok(process) = started else { return Ok(None) };
        for _ in 0..100 {
            if TcpStream::connect(address).await.is_ok() {
                return Ok(Some(Self { address, _process: process }));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the NATS server doesn't listen".into())
    }

    async fn measure(&self, count: usize) -> Result<Duration, Failure> {
        let mut listeners = Listeners::new(self.address, Source::Nats { subject: SUBJECT }, count).await?;
        let mut publisher = TcpStream::connect(self.address).await?;
        publisher.set_nodelay(true)?;
        publisher.write_all(b"CONNECT {\"verbose\":false}\r\n").await?;
        let message = format!("PUB {SUBJECT} {MESSAGE}\r\n{}\r\n", "x".repeat(MESSAGE));
        tokio::time::sleep(Duration::from_secs(1)).await;
        let mut times = Vec::new();
        for round in 1..=ROUNDS {
            let begun = Instant::now();
            publisher.write_all(message.as_bytes()).await?;
            times.push(listeners.wait_for_all(begun, round).await?);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        println!("  NATS, {count}: {times:?}");
        Ok(median(&mut times))
    }
}

/// Raises the limit of open files to the hard limit.
fn allow_files() {
    let limit = getrlimit(Resource::Nofile);
    // If the limit is too low, connecting fails later.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}
