//! Clients that are there and take nothing, and clients that are gone without a word, beside a stream that is busy: they
//! are given up in time, cost little until then, and hold up nobody.

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

/// The prompt of each event that the stuck ones ask for, in bytes.
const PROMPT: usize = 256 * 1024;
/// How many messages an instance keeps for one socket: its queue, the one that is being written, and the next.
const KEPT: usize = 18;
const LONG: &str = "subscription { activations { version { systemPrompt } } }";
const SHORT: &str = "subscription { activations { revision } }";

/// Activates this version; answers how long it took until the watcher was told.
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

/// This process's memory in use, in bytes, where the system tells.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or(0, |line| 1024 * line.trim().trim_end_matches(" kB").parse::<usize>().unwrap())
}

async fn watching(app: &App, operator: &Operator) -> Socket {
    let mut watcher = operator.socket().await;
    watcher.subscribe("1", SHORT, json!({})).await;
    until("it watches", || app.watchers() == 1).await;
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
        let mut socket = Socket::open_narrow(&app.base, scene.operator.token.as_deref()).await;
        socket.subscribe("1", LONG, json!({})).await;
        socket
    }));
    let stuck = stuck.await;
    until("they watch", || app.watchers() == 1 + all).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (before, began) = (resident(), Instant::now());
    let (mut beside, mut most) = (Vec::new(), before);
    while app.door.sockets.open() > 1 {
        assert!(began.elapsed() < send * 5 + Duration::from_secs(30), "they are not cut off");
        beside.push(latency(&scene, &versions[beside.len() % 2], &mut watcher).await);
        most = most.max(resident());
    }
    let (took, events) = (began.elapsed(), beside.len());
    let (grown, asked) = (most.saturating_sub(before) / all, events * PROMPT);
    println!(
        "{all} never read: all cut off after {took:?} (send within {send:?}), {events} events of {PROMPT} bytes; memory grew by {grown} \
         bytes each, of {asked} asked for; a watcher beside was told after {:?}, at most {:?}; alone {:?}, at most {:?}",
        median(&mut beside),
        beside.last().unwrap(),
        median(&mut alone),
        alone.last().unwrap()
    );
    assert!(took >= send, "they were given their time");
    assert!(*beside.last().unwrap() < Duration::from_secs(10), "they held up who reads");
    if std::env::var_os("PROOF").is_some() {
        // Alone in its process, so that all that grows is theirs. Twice: while a message is made there are two of it.
        assert!(asked > 4 * KEPT * PROMPT, "they could have asked for more than is kept");
        assert!(grown < 2 * KEPT * PROMPT, "{grown} bytes for each");
    }
    until("their watches are gone", || app.watchers() == 1).await;
    for mut socket in stuck {
        // What was on its way still arrives; then an end that it may come back from.
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
    until("they watch", || app.watchers() == 1 + all).await;
    // They are well: one event reaches all.
    let told = join_all(sockets.iter_mut().map(Socket::event));
    tokio::join!(latency(&scene, &scene.versions[0], &mut watcher), told);

    proxy.silence(Silence::OfBoth);
    let began = Instant::now();
    let mut beside = Vec::new();
    while app.door.sockets.open() > 1 {
        assert!(began.elapsed() < silence * 5 + Duration::from_secs(20), "they are not noticed");
        beside.push(latency(&scene, &scene.versions[(beside.len() + 1) % 2], &mut watcher).await);
    }
    let took = began.elapsed();
    println!(
        "{all} vanished: all given up after {took:?} (silence {silence:?}), {} bytes went nowhere; \
         a watcher beside was told after {:?}, at most {:?}",
        proxy.swallowed(),
        median(&mut beside),
        beside.last().unwrap()
    );
    assert!(proxy.swallowed() > 0, "nothing was swallowed");
    assert!(*beside.last().unwrap() < Duration::from_secs(10), "they held up who is there");
    until("their watches are gone", || app.watchers() == 1).await;
}
