//! Clients that don't read a busy stream, and clients that disappear: they're closed in time, cost little until
//! then, and delay no other client.

use std::time::{Duration, Instant};

use agent_registry::http::SocketLimits;
use futures_util::future::join_all;
use serde_json::json;

use super::{Scene, impatient, until};
use crate::support::{
    App, Calls,
    caller::Operator,
    proof::count,
    proxy::{Proxy, Silence, Target},
    socket::{Frame, Socket},
};

/// The size of the prompt in each event for the stuck clients, in bytes.
const PROMPT: usize = 256 * 1024;
/// The most messages that an instance holds for one socket: its queue, the one being written, and the next.
const KEPT: usize = 18;
const LONG: &str = "subscription { activations { version { systemPrompt } } }";
const SHORT: &str = "subscription { activations { revision } }";

/// Activates this version. Returns the time until the watcher's event.
async fn latency(scene: &Scene, version: &str, watcher: &mut Socket) -> Duration {
    let began = Instant::now();
    let told = async {
        watcher.event().await;
        began.elapsed()
    };
    tokio::join!(scene.operator.activate(&scene.agent, version), told).1
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// This process's resident memory in bytes; 0 where the system doesn't report it.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or(0, |line| 1024 * line.trim().trim_end_matches(" kB").parse::<usize>().unwrap())
}

async fn watching(app: &App, operator: &Operator) -> Socket {
    let mut watcher = operator.socket().await;
    watcher.subscribe("1", SHORT, json!({})).await;
    until("the subscription is open", || app.watchers() == 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    watcher
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_a_busy_stream_is_cut_off_and_bounded() {
    let send = Duration::from_millis(u64::try_from(count(1_500, 10_000)).unwrap());
    let app = App::with(SocketLimits { send, ..impatient() }).await;
    let scene = Scene::on(&app).await;
    let mut versions = Vec::new();
    for letter in ["a", "b"] {
        versions.push(scene.operator.publish(&scene.agent, &letter.repeat(PROMPT)).await);
    }
    let mut watcher = watching(&app, &scene.operator).await;
    let mut alone = Vec::new();
    for nth in 0..20 {
        alone.push(latency(&scene, &versions[nth % 2], &mut watcher).await);
    }

    let all = count(8, 24);
    let stuck = join_all((0..all).map(|_| async {
        let mut socket = Socket::open_with_small_buffer(&app.base, scene.operator.token.as_deref()).await;
        socket.subscribe("1", LONG, json!({})).await;
        socket
    }));
    let stuck = stuck.await;
    until("the subscriptions are open", || app.watchers() == 1 + all).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (before, began) = (resident(), Instant::now());
    let (mut beside, mut most) = (Vec::new(), before);
    while app.door.sockets.open() > 1 {
        assert!(began.elapsed() < send * 5 + Duration::from_secs(30), "the sockets are not closed");
        beside.push(latency(&scene, &versions[beside.len() % 2], &mut watcher).await);
        most = most.max(resident());
    }
    let (took, events) = (began.elapsed(), beside.len());
    let (grown, asked) = (most.saturating_sub(before) / all, events * PROMPT);
    println!(
        "{all} never read: all closed after {took:?} (send within {send:?}), {events} events of {PROMPT} bytes; memory grew by {grown} \
         bytes each, of {asked} asked for; another client got its events after {:?}, at most {:?}; alone {:?}, at most {:?}",
        median(&mut beside),
        beside.last().unwrap(),
        median(&mut alone),
        alone.last().unwrap()
    );
    assert!(took >= send, "a socket was closed too early");
    assert!(*beside.last().unwrap() < Duration::from_secs(10), "the stuck clients delayed a reader");
    if std::env::var_os("PROOF").is_some() {
        // Run alone, this process grows only by these messages. Twice, because a message exists twice while it is
        // built.
        assert!(asked > 4 * KEPT * PROMPT, "the events must exceed what is held");
        assert!(grown < 2 * KEPT * PROMPT, "{grown} bytes for each");
    }
    until("their subscriptions have ended", || app.watchers() == 1).await;
    for mut socket in stuck {
        // Results in flight still arrive; then a close code that allows a reconnect.
        let code = loop {
            if let Frame::Closed(code, _) = socket.next().await {
                break code;
            }
        };
        assert!([1005, 1006, 1013].contains(&code), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_vanishes_without_a_word_is_given_up() {
    let silence = Duration::from_millis(1_500);
    let app = App::with(SocketLimits { ping: Duration::from_millis(200), silence, ..impatient() }).await;
    let scene = Scene::on(&app).await;
    let mut watcher = watching(&app, &scene.operator).await;
    let proxy = Proxy::to(Target::Tcp(app.base.trim_start_matches("http://").to_owned())).await;
    let all = count(8, 100);
    let through = format!("http://{}", proxy.address);
    let sockets = join_all((0..all).map(|_| async {
        let mut socket = Socket::open(&through, scene.operator.token.as_deref()).await;
        socket.subscribe("1", SHORT, json!({})).await;
        socket
    }));
    let mut sockets = sockets.await;
    until("the subscriptions are open", || app.watchers() == 1 + all).await;
    // All clients are connected: one event reaches each.
    let told = join_all(sockets.iter_mut().map(Socket::event));
    tokio::join!(latency(&scene, &scene.versions[0], &mut watcher), told);

    proxy.silence(Silence::KeepBothOpen);
    let began = Instant::now();
    let mut beside = Vec::new();
    while app.door.sockets.open() > 1 {
        assert!(began.elapsed() < silence * 5 + Duration::from_secs(20), "the lost clients are not noticed");
        beside.push(latency(&scene, &scene.versions[(beside.len() + 1) % 2], &mut watcher).await);
    }
    let took = began.elapsed();
    println!(
        "{all} vanished: all closed after {took:?} (silence {silence:?}), {} bytes lost; \
         another client got its events after {:?}, at most {:?}",
        proxy.swallowed(),
        median(&mut beside),
        beside.last().unwrap()
    );
    assert!(proxy.swallowed() > 0, "no bytes were lost");
    assert!(*beside.last().unwrap() < Duration::from_secs(10), "the lost clients delayed another");
    until("their subscriptions have ended", || app.watchers() == 1).await;
}
