//! Watchers that come back to the next instance, to where they were.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::Duration,
};

use registry_client::{ClientError, Session};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Activations,
    Configs,
}

impl Stream {
    fn document(self) -> &'static str {
        match self {
            Self::Activations => {
                "subscription ($after: Cursor) { activations(after: $after) { revision cursor agent { id } } }"
            }
            Self::Configs => {
                "subscription ($after: Cursor) { configs(after: $after) { kind revision cursor agentId } }"
            }
        }
    }
}

/// What a watcher was told, and how its sockets ended.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// The revisions of the events, in the order in which they came; not those of a snapshot or a bookmark.
    pub(super) revisions: Vec<i64>,
    /// How often sockets ended with which code.
    pub(super) ends: BTreeMap<u16, usize>,
    /// How often there was nobody to connect to, or the connection ended before it was a signed-in socket.
    pub(super) refused: usize,
    /// How often it took a stream up again.
    pub(super) resumed: usize,
}

/// Watches through all instances by turns, until it has been told of `until`, once that is set.
pub(super) async fn watch(
    stream: Stream,
    instances: &[SocketAddr],
    token: &str,
    from: i64,
    until: &AtomicI64,
    over: &AtomicBool,
) -> Watched {
    let mut watched = Watched::default();
    let (mut after, mut last) = (from.to_string(), from);
    for turn in 0.. {
        let base = format!("http://{}", instances[turn % instances.len()]);
        if turn > 0 {
            // As clients should: a little later than at once.
            sleep(Duration::from_millis(5)).await;
        }
        let Ok(session) = Session::connect(&base, token).await else {
            watched.refused += 1;
            continue;
        };
        let Ok(mut events) = session.subscribe(stream.document(), json!({ "after": after })) else {
            watched.refused += 1;
            continue;
        };
        watched.resumed += 1;
        loop {
            let told = timeout(Duration::from_millis(200), events.next()).await;
            let until = until.load(Ordering::SeqCst);
            match told {
                Ok(Some(Ok(event))) => {
                    let event = match stream {
                        Stream::Activations => &event.data["activations"],
                        Stream::Configs => &event.data["configs"],
                    };
                    let revision: i64 = event["revision"].as_str().unwrap().parse().unwrap();
                    if event["kind"] != "BOOKMARK" {
                        assert_ne!(event["kind"], "SNAPSHOT", "it has a place to come back to");
                        watched.revisions.push(revision);
                    }
                    last = last.max(revision);
                    // Each of these commits is one event, so its revision is the place after it.
                    after = event["cursor"].as_str().map_or_else(|| revision.to_string(), str::to_owned);
                }
                Ok(Some(Err(ClientError::Closed { code, .. }))) => {
                    *watched.ends.entry(code).or_default() += 1;
                    break;
                }
                Ok(Some(Err(ClientError::GraphQl(errors)))) => {
                    let codes: Vec<Value> = errors.iter().map(|error| json!(error.code())).collect();
                    assert!(codes.iter().all(|code| code == "UNAVAILABLE"), "{errors:?}");
                    break;
                }
                Ok(other) => {
                    // Something else than a close frame: 1006, as browsers call it.
                    tracing::debug!(?other, "a stream ended");
                    *watched.ends.entry(1006).or_default() += 1;
                    break;
                }
                Err(_) => {}
            }
            if over.load(Ordering::SeqCst) && last >= until {
                return watched;
            }
        }
    }
    watched
}
