//! Follows the log, for as long as the service runs: woken by the bell, and looking by itself besides.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use super::hub::{Commit, Hub};
use crate::{
    db::listen::Listener,
    domain::{
        Caller, Error, Registry, Result,
        audit::chain::linked,
        change::{Change, Cursor, Place},
        policy::Action,
    },
};

/// How long to wait for the bell before looking anyway: bounds how late a change is seen when the bell is lost.
pub const POLL: Duration = Duration::from_millis(250);
/// How long to wait after the database could not be read.
const PAUSE: Duration = Duration::from_millis(250);
/// How many entries are read at once.
const PAGE: u64 = 1024;

/// Passes on each sound of the bell, for as long as the service runs.
pub async fn hear(mut listener: Listener, bell: Arc<Notify>) {
    loop {
        listener.next().await;
        bell.notify_one();
    }
}

/// How far the log has been followed.
struct Followed {
    place: Place,
    /// The chain hash there: what comes next must be chained to it.
    chain_hash: Vec<u8>,
}

/// Follows the log from its end and hands each commit to the hub, looking by itself each `poll`. Never returns; outlives
/// any failure of the database.
pub async fn follow(registry: Registry, hub: Hub, bell: Arc<Notify>, poll: Duration) {
    let mut followed = None;
    loop {
        match catch_up(&registry, &hub, &mut followed).await {
            Ok(()) => drop(timeout(poll, bell.notified()).await),
            // It was stopped for longer than the log is kept. Watchers see the gap, and are told.
            Err(Error::CursorTooOld { floor }) => {
                tracing::warn!(
                    floor,
                    "some of the log is gone before it was followed; going on from its end"
                );
                followed = None;
            }
            Err(Error::CursorInvalid) => {
                tracing::error!("the log is not the one that was followed: a backup? going on from its end");
                metrics::counter!("registry_log_diverged_total").increment(1);
                followed = None;
                hub.diverged();
            }
            Err(err) => {
                tracing::warn!(error = %err, "can't read the log; trying again");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Reads all that is new, and hands it on commit by commit. The log is another one when what is new is not chained to
/// what was seen last.
async fn catch_up(registry: &Registry, hub: &Hub, followed: &mut Option<Followed>) -> Result<()> {
    let asked = hub.moment();
    let Some(Followed { place, chain_hash }) = followed else {
        let head = registry.head().await?;
        let place = Place::end_of(head.revision);
        let end = Cursor::new(head.revision, head.position, &head.chain_hash);
        *followed = Some(Followed { place, chain_hash: head.chain_hash });
        hub.begins_at(end);
        hub.saw_all(asked);
        return Ok(());
    };
    let (mut from, mut hash) = (*place, chain_hash.clone());
    let mut held: Vec<Arc<Change>> = Vec::new();
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
            from = Place::of(&change);
            if held.last().is_some_and(|last| last.revision != change.revision) {
                hand_on(hub, followed, std::mem::take(&mut held));
            }
            held.push(Arc::new(change));
        }
        // A snapshot shows whole commits, so the end of the log is the end of one.
        if is_last {
            hand_on(hub, followed, held);
            hub.saw_all(asked);
            return Ok(());
        }
    }
}

fn hand_on(hub: &Hub, followed: &mut Option<Followed>, changes: Vec<Arc<Change>>) {
    if let Some(last) = changes.last() {
        let revision = last.revision;
        *followed = Some(Followed { place: Place::end_of(revision), chain_hash: last.chain_hash.clone() });
        hub.arrive(Commit { revision, changes });
    }
}
