//! Follows the log, for as long as the service runs: woken by the bell, and looking by itself besides.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};

use super::hub::{Commit, Hub};
use crate::{
    db::listen::Listener,
    domain::{
        Caller, Error, Registry, Result,
        change::{Change, Place},
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

/// Follows the log from its end and hands each commit to the hub, looking by itself each `poll`. Never returns; outlives
/// any failure of the database.
pub async fn follow(registry: Registry, hub: Hub, bell: Arc<Notify>, poll: Duration) {
    let mut place = None;
    loop {
        match catch_up(&registry, &hub, &mut place).await {
            Ok(()) => drop(timeout(poll, bell.notified()).await),
            // It was stopped for longer than the log is kept. Watchers see the gap, and are told.
            Err(Error::CursorTooOld { floor }) => {
                tracing::warn!(
                    floor,
                    "some of the log is gone before it was followed; going on from its end"
                );
                place = None;
                hub.missed();
            }
            Err(err) => {
                tracing::warn!(error = %err, "can't read the log; trying again");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Reads all that is new, and hands it on commit by commit.
async fn catch_up(registry: &Registry, hub: &Hub, place: &mut Option<Place>) -> Result<()> {
    let asked = Instant::now();
    let Some(mut from) = *place else {
        let head = registry.head().await?.revision;
        *place = Some(Place::end_of(head));
        hub.arrived(head);
        hub.saw_all(asked);
        return Ok(());
    };
    let mut held: Vec<Arc<Change>> = Vec::new();
    loop {
        let reading = registry.reading(&Caller::system("tail"));
        let (page, _) = registry.changes_after(&reading, Action::ReadChanges, None, from, PAGE).await?;
        let is_last = u64::try_from(page.len()).unwrap_or(u64::MAX) < PAGE;
        for change in page {
            from = Place::of(&change);
            if held.last().is_some_and(|last| last.revision != change.revision) {
                hand_on(hub, place, std::mem::take(&mut held));
            }
            held.push(Arc::new(change));
        }
        // A snapshot shows whole commits, so the end of the log is the end of one.
        if is_last {
            hand_on(hub, place, held);
            hub.saw_all(asked);
            return Ok(());
        }
    }
}

fn hand_on(hub: &Hub, place: &mut Option<Place>, changes: Vec<Arc<Change>>) {
    if let Some(last) = changes.last() {
        let revision = last.revision;
        *place = Some(Place::end_of(revision));
        hub.arrive(Commit { revision, changes });
    }
}
