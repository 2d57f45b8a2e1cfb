//! Follows the log for as long as the service runs: reads new commits on each notification, and polls in between.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::{event_hub::Commit, hub::Hub};
use crate::{
    db::listen::Listener,
    domain::{
        Caller, Error, Registry, Result,
        audit::chain::linked,
        change::{Change, Cursor, LogPosition},
        policy::Action,
    },
};

/// How long to wait for a notification before polling; the greatest delay when a notification is lost.
pub const POLL: Duration = Duration::from_millis(250);
/// How long to wait after a failed read of the log.
const PAUSE: Duration = Duration::from_millis(250);
/// How many entries one query reads.
const PAGE: u64 = 1024;

/// Forwards each database notification to `bell`, for as long as the service runs.
pub async fn forward_notifications(mut listener: Listener, bell: Arc<Notify>) {
    loop {
        listener.next().await;
        bell.notify_one();
    }
}

/// How far the log has been followed.
struct TailPosition {
    place: LogPosition,
    /// The chain hash at `place`; the next entry must chain to it.
    chain_hash: Vec<u8>,
}

/// Follows the log from its head and publishes each commit to the hub, polling at least every `poll`. Never
/// returns: database failures are logged and retried.
pub async fn follow(registry: Registry, hub: Hub, bell: Arc<Notify>, poll: Duration) {
    let mut followed = None;
    loop {
        match catch_up(&registry, &hub, &mut followed).await {
            Ok(()) => drop(timeout(poll, bell.notified()).await),
            // This instance was stopped for longer than the log is kept. Watchers then get this error from their
            // own reads.
            Err(Error::CursorTooOld { floor }) => {
                tracing::warn!(
                    floor = floor.0,
                    "unread entries of the log were pruned; continuing from its head"
                );
                followed = None;
            }
            Err(Error::CursorInvalid) => {
                tracing::error!("the log has diverged (a restored backup?); continuing from its head");
                metrics::counter!("registry_log_diverged_total").increment(1);
                followed = None;
                hub.diverged();
            }
            Err(err) => {
                tracing::warn!(error = %err, "can't read the log; retrying");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Publishes all new commits. On the first call, starts at the log's head.
///
/// # Errors
/// [`Error::CursorInvalid`] when the log has diverged: it ends earlier, or its entries don't chain to the last one
/// followed. [`Error::CursorTooOld`] when unread entries were pruned. [`Error::Unavailable`].
async fn catch_up(registry: &Registry, hub: &Hub, followed: &mut Option<TailPosition>) -> Result<()> {
    let asked = hub.moment();
    let Some(TailPosition { place, chain_hash }) = followed else {
        let head = registry.head().await?;
        let place = LogPosition::end_of(head.revision);
        let end = Cursor::new(head.revision, head.position, &head.chain_hash);
        *followed = Some(TailPosition { place, chain_hash: head.chain_hash });
        hub.reset(end);
        hub.renew_lease(asked);
        return Ok(());
    };
    let (mut from, mut hash) = (*place, chain_hash.clone());
    let mut pending: Vec<Arc<Change>> = Vec::new();
    loop {
        let reading = registry.reading(&Caller::system("tail"));
        let (page, head) = registry.changes_after(&reading, Action::ReadChanges, None, from, PAGE).await?;
        drop(reading);
        let is_set_back = head.revision < from.revision;
        let is_another = page.is_empty() && head.revision == from.revision && head.chain_hash != hash;
        if is_set_back || is_another {
            return Err(Error::CursorInvalid);
        }
        let is_last = u64::try_from(page.len()).unwrap_or(u64::MAX) < PAGE;
        for change in page {
            if linked(&hash, &change.row_hash).as_slice() != change.chain_hash {
                return Err(Error::CursorInvalid);
            }
            hash.clone_from(&change.chain_hash);
            from = LogPosition::of(&change);
            if pending.last().is_some_and(|last| last.revision != change.revision) {
                publish_commit(hub, followed, std::mem::take(&mut pending));
            }
            pending.push(Arc::new(change));
        }
        // A snapshot contains whole commits only, so the last page ends with a commit's last entry.
        if is_last {
            publish_commit(hub, followed, pending);
            hub.chain_holds(from.revision);
            hub.renew_lease(asked);
            return Ok(());
        }
    }
}

fn publish_commit(hub: &Hub, followed: &mut Option<TailPosition>, changes: Vec<Arc<Change>>) {
    if let Some(last) = changes.last() {
        let revision = last.revision;
        *followed =
            Some(TailPosition { place: LogPosition::end_of(revision), chain_hash: last.chain_hash.clone() });
        hub.publish(Commit { revision, changes });
    }
}
