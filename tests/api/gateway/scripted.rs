//! A scripted registry for rare behaviour: it breaks off snapshots, rejects cursors and goes silent. The gateway
//! runs in this process, so that its timeouts can be short.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use registry_client::gateway::{Credential, Gateway, GatewayError, Notice, Settings};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        http::HeaderValue,
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use uuid::Uuid;

use super::watching::Folder;

/// How long to wait for an event: many times what it takes.
const DEADLINE: Duration = Duration::from_secs(30);
/// How long to wait before trying again.
const A_BIT: Duration = Duration::from_millis(20);

/// One step of a subscription's script.
#[derive(Clone)]
enum Step {
    /// Sends this payload.
    Say(Value),
    /// Rejects the subscription with this error code.
    Fail(&'static str),
    /// Closes the socket with this code.
    Close(u16),
    /// Drops the connection without a close frame.
    Drop,
    /// Waits.
    Wait(Duration),
}

fn agent(nth: u128) -> String {
    Uuid::from_u128(nth).to_string()
}

fn config(nth: u128) -> Value {
    json!({
        "agentId": agent(nth), "customerId": agent(0), "name": "a", "versionId": agent(9), "versionNumber": 1,
        "systemPrompt": "p", "modelName": "m", "modelParameters": {}, "tools": [], "contentHash": "00",
        "activatedAt": "2026-01-01T00:00:00Z", "revision": "1",
    })
}

fn event(kind: &str, revision: i64, fields: Value) -> Step {
    let mut event = json!({ "kind": kind, "revision": revision.to_string(), "reason": null, "cursor": null,
        "agentId": null, "config": null });
    event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    Step::Say(json!({ "data": { "configs": event } }))
}

fn snapshot(nth: u128, revision: i64) -> Step {
    event("SNAPSHOT", revision, json!({ "agentId": agent(nth), "config": config(nth) }))
}

fn bookmark(revision: i64) -> Step {
    event("BOOKMARK", revision, json!({ "cursor": format!("cursor {revision}") }))
}

fn remove(nth: u128, revision: i64) -> Step {
    event("REMOVE", revision, json!({ "agentId": agent(nth), "reason": "SUSPENDED" }))
}

/// A registry that runs one script for each subscription.
struct ScriptedRegistry {
    url: String,
    /// The `after` of each subscription so far.
    asked: Arc<Mutex<Vec<Value>>>,
}

impl ScriptedRegistry {
    async fn start(script: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            let script = Arc::new(Mutex::new(script.into_iter()));
            while let Ok((stream, _)) = listener.accept().await {
                // Each connection has its own task, so a client that reconnects needn't wait for its old connection.
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&kept)));
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap().clone()
    }
}

/// The scripts of the coming subscriptions.
type Script = Arc<Mutex<std::vec::IntoIter<Vec<Step>>>>;

/// Serves one connection to its end.
async fn serve(stream: TcpStream, script: Script, asked: Arc<Mutex<Vec<Value>>>) {
    #[expect(clippy::result_large_err, reason = "the library's own signature")]
    let agree = |_: &Request, mut response: Response| {
        let name = HeaderValue::from_static("graphql-transport-ws");
        response.headers_mut().insert("sec-websocket-protocol", name);
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, agree).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        let message: Value = serde_json::from_str(&text).unwrap();
        match message["type"].as_str().unwrap() {
            "connection_init" => say(&mut socket, json!({ "type": "connection_ack" })).await,
            "ping" => say(&mut socket, json!({ "type": "pong" })).await,
            "subscribe" => {
                asked.lock().unwrap().push(message["payload"]["variables"]["after"].clone());
                // After the last step pings are answered and nothing else is sent.
                let acts = script.lock().unwrap().next().unwrap_or_default();
                for act in acts {
                    match act {
                        Step::Say(payload) => {
                            let next = json!({ "type": "next", "id": message["id"], "payload": payload });
                            say(&mut socket, next).await;
                        }
                        Step::Fail(code) => {
                            let errors = json!([{ "message": "no", "extensions": { "code": code } }]);
                            say(
                                &mut socket,
                                json!({ "type": "error", "id": message["id"], "payload": errors }),
                            )
                            .await;
                        }
                        Step::Close(code) => {
                            let frame = CloseFrame { code: CloseCode::from(code), reason: "bye".into() };
                            let _ = socket.close(Some(frame)).await;
                        }
                        Step::Drop => return,
                        Step::Wait(time) => sleep(time).await,
                    }
                }
            }
            _ => {}
        }
    }
}

async fn say(socket: &mut WebSocketStream<TcpStream>, message: Value) {
    let _ = socket.send(Message::text(message.to_string())).await;
}

/// Runs a gateway until it gives a notice that `is_last` accepts. Returns all its notices and its result.
async fn watch(
    fake: &ScriptedRegistry,
    patience: Duration,
    is_last: impl Fn(&Notice) -> bool,
) -> (Vec<Notice>, Result<(), GatewayError>) {
    run(Settings { patience, ..settings(fake) }, is_last).await
}

/// The gateway's settings in most tests.
fn settings(fake: &ScriptedRegistry) -> Settings {
    Settings {
        url: fake.url.clone(),
        credential: Credential::Token("t".to_owned()),
        environment: None,
        customer: None,
        agents: None,
        state: None,
        is_once: false,
        accepts_empty: false,
        patience: DEADLINE,
        cursor_lag: Settings::CURSOR_LAG,
    }
}

/// Opens a gateway. A process that another test starts has this one's locks until it is another program.
async fn open(settings: Settings) -> Gateway {
    loop {
        match Gateway::open(settings.clone()) {
            Err(GatewayError::Setting(why)) if why.contains("another process") => sleep(A_BIT).await,
            opened => return opened.unwrap(),
        }
    }
}

/// Same, with these settings.
async fn run(
    settings: Settings,
    is_last: impl Fn(&Notice) -> bool,
) -> (Vec<Notice>, Result<(), GatewayError>) {
    let done = tokio::sync::Notify::new();
    let gateway = timeout(DEADLINE, open(settings)).await.unwrap();
    let mut told = Vec::new();
    let mut tell = |notice: Notice| {
        if is_last(&notice) {
            done.notify_one();
        }
        told.push(notice);
        Ok(())
    };
    let ended =
        timeout(DEADLINE, gateway.run(done.notified(), &mut tell)).await.expect("the gateway does not end");
    (told, ended)
}

/// The notices about snapshots, removals and connections, in short.
fn changes(told: &[Notice]) -> Vec<String> {
    let changes = told.iter().filter_map(|notice| match notice {
        Notice::Snapshot { revision, agents, gone } => {
            Some(format!("{agents} at {revision}, {} gone", gone.len()))
        }
        Notice::Remove(revision, agent, reason) => Some(format!("{reason} {agent} at {revision}")),
        Notice::StartingOver { .. } => Some("anew".to_owned()),
        Notice::Disconnected { agents, .. } => Some(format!("away with {agents}")),
        _ => None,
    });
    changes.collect()
}

#[tokio::test]
async fn a_snapshot_that_breaks_off_changes_nothing_and_who_is_missing_goes_at_its_end() {
    let fake = ScriptedRegistry::start(vec![
        vec![snapshot(1, 5), snapshot(2, 5), bookmark(5), Step::Close(1012)],
        vec![Step::Fail("CURSOR_TOO_OLD")],
        vec![snapshot(3, 9), Step::Drop],
        vec![snapshot(3, 9), snapshot(2, 9), bookmark(9)],
    ])
    .await;
    let last = |notice: &Notice| matches!(notice, Notice::Bookmark(9));
    let (told, ended) = watch(&fake, DEADLINE, last).await;
    ended.unwrap();
    assert_eq!(changes(&told), ["2 at 5, 0 gone", "away with 2", "anew", "away with 2", "2 at 9, 1 gone"]);
    assert_eq!(fake.asked(), [Value::Null, json!("cursor 5"), Value::Null, Value::Null]);
}

#[tokio::test]
async fn an_empty_registry_with_another_log_takes_nobody_away_until_that_is_accepted() {
    let moved = || {
        vec![
            vec![snapshot(1, 5), snapshot(2, 5), bookmark(5), Step::Close(1012)],
            vec![Step::Fail("CURSOR_INVALID")],
            vec![bookmark(0)],
            // The registry of the log is back, and takes the cursor.
            vec![bookmark(6)],
        ]
    };
    let (fake, folder) = (ScriptedRegistry::start(moved()).await, Folder::new());
    let kept = Settings { state: Some(folder.path("state")), ..settings(&fake) };
    let last = |notice: &Notice| matches!(notice, Notice::Bookmark(6));
    let (told, ended) = run(kept, last).await;
    ended.unwrap();
    assert_eq!(changes(&told), ["2 at 5, 0 gone", "away with 2", "anew", "away with 2"]);
    let why = told.iter().rev().find_map(|notice| match notice {
        Notice::Disconnected { why, .. } => Some(why.as_str()),
        _ => None,
    });
    assert!(why.unwrap().contains("its log is another one"), "{why:?}");
    assert_eq!(fake.asked(), [Value::Null, json!("cursor 5"), Value::Null, json!("cursor 5")]);
    assert_eq!(folder.state().unwrap()["configs"].as_object().map(serde_json::Map::len), Some(2));

    let fake = ScriptedRegistry::start(moved()).await;
    let last = |notice: &Notice| matches!(notice, Notice::Bookmark(0));
    let (told, _) = run(Settings { accepts_empty: true, ..settings(&fake) }, last).await;
    assert_eq!(changes(&told), ["2 at 5, 0 gone", "away with 2", "anew", "0 at 0, 2 gone"]);
}

#[tokio::test]
async fn with_once_an_empty_registry_with_another_log_is_an_error() {
    let folder = Folder::new();
    let state = Some(folder.path("state"));
    let fake = ScriptedRegistry::start(vec![
        vec![snapshot(1, 5), bookmark(5)],
        vec![Step::Fail("CURSOR_INVALID")],
        vec![bookmark(0)],
    ])
    .await;
    let once = || Settings { is_once: true, state: state.clone(), ..settings(&fake) };
    run(once(), |_| false).await.1.unwrap();
    let (_, ended) = run(once(), |_| false).await;
    assert!(matches!(ended, Err(GatewayError::Empty(_))), "{ended:?}");
    assert_eq!(folder.state().unwrap()["configs"].as_object().map(serde_json::Map::len), Some(1));
}

#[tokio::test]
async fn what_is_told_again_takes_nobody_back() {
    let upsert = |revision| event("UPSERT", revision, json!({ "agentId": agent(1), "config": config(1) }));
    let fake = ScriptedRegistry::start(vec![
        vec![snapshot(1, 5), bookmark(5), upsert(6), remove(1, 7), Step::Drop],
        vec![upsert(6), remove(1, 7), upsert(8), bookmark(8)],
    ])
    .await;
    let (told, _) = watch(&fake, DEADLINE, |notice| matches!(notice, Notice::Bookmark(8))).await;
    let told: Vec<i64> = told
        .iter()
        .filter_map(|notice| match notice {
            Notice::Upsert(revision, _) | Notice::Remove(revision, ..) => Some(*revision),
            _ => None,
        })
        .collect();
    assert_eq!(told, [6, 7, 8], "each event is applied once");
    assert_eq!(fake.asked(), [Value::Null, json!("cursor 5")]);
}

#[tokio::test]
async fn a_stream_without_bookmarks_is_given_up_though_its_socket_lives() {
    let fake = ScriptedRegistry::start(vec![
        vec![snapshot(1, 5), bookmark(5), remove(1, 6)],
        vec![remove(1, 6), bookmark(6)],
    ])
    .await;
    let last = |notice: &Notice| matches!(notice, Notice::Bookmark(6));
    let (told, _) = watch(&fake, Duration::from_millis(500), last).await;
    let silent =
        |notice: &Notice| matches!(notice, Notice::Disconnected { why, .. } if why.contains("in time"));
    assert!(told.iter().any(silent), "{told:?}");
    assert_eq!(fake.asked(), [Value::Null, json!("cursor 5")]);
}

/// Without changes only the cursor advances. If it were never saved, the saved one would be too old in the end.
#[tokio::test]
async fn bookmarks_alone_move_the_saved_cursor_once_in_a_while() {
    let quiet = || {
        let marks = (6..=8).flat_map(|revision| [Step::Wait(Duration::from_millis(100)), bookmark(revision)]);
        [snapshot(1, 5), bookmark(5)].into_iter().chain(marks).collect()
    };
    let last = |notice: &Notice| matches!(notice, Notice::Bookmark(8));
    for (cursor_lag, expected) in [(Duration::ZERO, "cursor 8"), (Duration::from_secs(600), "cursor 5")] {
        let (fake, folder) = (ScriptedRegistry::start(vec![quiet()]).await, Folder::new());
        let state = Some(folder.path("state"));
        run(Settings { state, cursor_lag, ..settings(&fake) }, last).await.1.unwrap();
        let saved = folder.state().expect("a state file");
        assert_eq!(saved["cursor"], expected, "with a lag of {cursor_lag:?}");
        assert_eq!(saved["configs"].as_object().map(serde_json::Map::len), Some(1));
    }
}

/// With a fixed timeout the gateway would reconnect again and again to a registry that takes long before its first
/// event.
#[tokio::test]
async fn a_stream_that_begins_late_is_given_more_time_each_time() {
    let late = vec![Step::Wait(Duration::from_secs(1)), bookmark(6)];
    let fake = ScriptedRegistry::start(vec![late; 5]).await;
    let last = |notice: &Notice| matches!(notice, Notice::Bookmark(6));
    let (told, ended) = watch(&fake, Duration::from_millis(400), last).await;
    ended.unwrap();
    // 400 ms, 800 ms, 1.6 s; one more attempt on a busy machine.
    assert!((3..=4).contains(&fake.asked().len()), "{told:?}");
}

#[tokio::test]
async fn what_was_accepted_once_is_asked_for_again_and_what_never_was_is_not() {
    let refusals = [Step::Close(4403), Step::Close(4401), Step::Fail("FORBIDDEN"), Step::Fail("NOT_FOUND")];
    for refusal in refusals.clone() {
        let fake = ScriptedRegistry::start(vec![
            vec![snapshot(1, 5), bookmark(5), refusal.clone()],
            vec![refusal.clone()],
            vec![refusal.clone()],
            vec![bookmark(6)],
        ])
        .await;
        let last = |notice: &Notice| matches!(notice, Notice::Bookmark(6));
        let (told, ended) = watch(&fake, DEADLINE, last).await;
        ended.unwrap();
        let away = told.iter().filter(|notice| matches!(notice, Notice::Disconnected { .. })).count();
        let back = told.iter().filter(|notice| matches!(notice, Notice::Connected { .. })).count();
        assert_eq!((away, back), (2, 3), "repeated rejections give one notice: {told:?}");
    }
    for refusal in ["FORBIDDEN", "NOT_FOUND", "BAD_USER_INPUT"] {
        let fake = ScriptedRegistry::start(vec![vec![Step::Fail(refusal)]]).await;
        let (_, ended) = watch(&fake, DEADLINE, |_| false).await;
        assert!(matches!(ended, Err(GatewayError::Refused(_))), "{ended:?}");
    }
    // Transient failures are retried.
    for passing in [
        Step::Close(1012),
        Step::Close(1013),
        Step::Close(4408),
        Step::Drop,
        Step::Fail("UNAVAILABLE"),
        Step::Fail("INTERNAL"),
        Step::Fail("RATE_LIMITED"),
        Step::Say(json!({ "data": { "configs": { "kind": "OTHER" } } })),
        bookmark(5),
    ] {
        let fake = ScriptedRegistry::start(vec![vec![passing], vec![bookmark(6)]]).await;
        let last = |notice: &Notice| matches!(notice, Notice::Bookmark(5 | 6));
        watch(&fake, DEADLINE, last).await.1.unwrap();
    }
}
