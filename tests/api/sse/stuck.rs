//! Clients that don't read: they're cut off in time, and delay no other client.

use std::time::{Duration, Instant};

use agent_registry::http::SocketLimits;
use futures_util::future::join_all;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::{
    socket::{Scene, impatient, until},
    support::{App, Calls, app::Instance},
};

/// The size of the prompt in each event for the stuck clients, in bytes.
const PROMPT: usize = 256 * 1024;
pub(super) const LONG: &str = "subscription { activations { version { systemPrompt } } }";
const SHORT: &str = "subscription { activations { revision } }";

/// Opens this stream with a small receive buffer, and reads nothing.
pub(super) async fn open_with_small_buffer(app: &Instance, token: &str, query: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 * 1024).unwrap();
    let address = app.base.trim_start_matches("http://");
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    let body = json!({ "query": query }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\naccept: text/event-stream\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads everything that a client has received from an ended connection.
async fn arrived(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A connection that was cut off may end with an error.
    let _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await.expect("an end in time");
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_a_busy_stream_is_cut_off() {
    let send = Duration::from_millis(1_500);
    let app = App::with(SocketLimits { send, ..impatient() }).await;
    let scene = Scene::on(&app).await;
    let mut versions = Vec::new();
    for letter in ["a", "b"] {
        versions.push(scene.operator.publish(&scene.agent, &letter.repeat(PROMPT)).await);
    }
    let mut watcher = scene.operator.events(SHORT, json!({})).await;
    let token = scene.operator.token.as_deref().unwrap();
    let stuck = join_all((0..8).map(|_| open_with_small_buffer(&app, token, LONG))).await;
    until("the subscriptions are open", || app.watchers() == 9).await;
    let (began, mut slowest, mut events) = (Instant::now(), Duration::ZERO, 0);
    while app.door.sockets.open() > 1 {
        assert!(began.elapsed() < send * 5 + Duration::from_secs(30), "the streams are not cut off");
        let asked = Instant::now();
        let told = async {
            watcher.event().await;
            asked.elapsed()
        };
        let (_, told) = tokio::join!(scene.operator.activate(&scene.agent, &versions[events % 2]), told);
        (slowest, events) = (slowest.max(told), events + 1);
    }
    let took = began.elapsed();
    println!(
        "8 never read: all cut off after {took:?} (send within {send:?}), {events} events of {PROMPT} bytes; \
         a reader got its events after at most {slowest:?}"
    );
    assert!(took >= send, "a stream was cut off too early");
    assert!(slowest < Duration::from_secs(10), "the stuck clients delayed a reader");
    until("their subscriptions have ended", || app.watchers() == 1).await;
    for stream in stuck {
        let bytes = arrived(stream).await;
        let told = |what: &[u8]| bytes.windows(what.len()).any(|part| part == what);
        assert!(bytes.starts_with(b"HTTP/1.1 200"));
        assert!(!told(b"event: complete") && !told(b"\r\n0\r\n"), "the stream is cut off, not completed");
    }
}

/// Pings fill the buffer too. Without other events they're the only sign that the client doesn't read.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_a_quiet_stream_is_given_up() {
    let silence = Duration::from_millis(1_500);
    let limits = SocketLimits { ping: Duration::from_millis(2), silence, ..impatient() };
    let app = App::with(limits).await;
    let scene = Scene::on(&app).await;
    let mut watcher = scene.operator.events(SHORT, json!({})).await;
    let stuck = open_with_small_buffer(&app, scene.operator.token.as_deref().unwrap(), SHORT).await;
    until("both subscriptions are open", || app.watchers() == 2).await;
    let began = Instant::now();
    while app.door.sockets.open() > 1 {
        assert!(began.elapsed() < Duration::from_secs(60), "the stuck client is not noticed");
        // The other client reads its pings meanwhile.
        watcher.next_block().await;
    }
    println!("cut off after {:?} (silence {silence:?})", began.elapsed());
    assert!(began.elapsed() >= silence, "the stream was cut off too early");
    until("its subscription has ended", || app.watchers() == 1).await;
    drop(stuck);
}
