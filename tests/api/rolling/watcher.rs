//! Subscribers that reconnect to the next instance and resume at their cursor.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::Duration,
};

use registry_client::{ClientError, Session};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// The subscription.
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

/// The events that a subscriber received, and the ends of its sockets.
#[derive(Debug, Default)]
pub(super) struct SubscriberLog {
    /// The revisions of the events in the order of arrival, without those of snapshots and bookmarks.
    pub(super) revisions: Vec<i64>,
    /// The close codes of the sockets, with their counts.
    pub(super) ends: BTreeMap<u16, usize>,
    /// Failed attempts to connect or to authenticate.
    pub(super) refused: usize,
    /// How often it resumed the stream.
    pub(super) resumed: usize,
}

/// Subscribes to all instances in turn, until it has received the revision `until` and `over` is set.
pub(super) async fn watch(
    stream: Stream,
    instances: &[SocketAddr],
    token: &str,
    from: i64,
    until: &AtomicI64,
    over: &AtomicBool,
) -> SubscriberLog {
    let mut watched = SubscriberLog::default();
    let (mut after, mut last) = (from.to_string(), from);
    for turn in 0.. {
        let base = format!("http://{}", instances[turn % instances.len()]);
        if turn > 0 {
            // A client should pause before it reconnects.
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
                        Stream::Activations => event.data.get("activations").unwrap().to_serde(),
                        Stream::Configs => event.data.get("configs").unwrap().to_serde(),
                    };
                    let revision: i64 = event["revision"].as_str().unwrap().parse().unwrap();
                    if event["kind"] != "BOOKMARK" {
                        assert_ne!(event["kind"], "SNAPSHOT", "it resumes at a cursor");
                        watched.revisions.push(revision);
                    }
                    last = last.max(revision);
                    // Each of these commits has one event, so its revision is a position right after it.
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
                    // Not a close frame: 1006, as browsers report it.
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
