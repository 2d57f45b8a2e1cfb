//! The course of a soak: its players, the final write that ends the recordings, and the check against the log.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use sqlx::{Connection, PgConnection};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    check::{lost, violations},
    long_transaction::{self, Step, Waits, hold},
    random::SeededRandom,
    record::{FaultPeriod, Recording},
    truth::Truth,
    watcher::{self, Finish, SubscriberBehaviour},
    world::World,
    writer::{WriteOutcomes, write},
};
use crate::log::first_broken;

/// The players on a world: writers, long transactions, subscribers.
pub(super) struct Play {
    world: Arc<World>,
    pub(super) ledger: Arc<WriteOutcomes>,
    stop: watch::Sender<bool>,
    finish: watch::Sender<Finish>,
    writers: Vec<JoinHandle<()>>,
    watchers: Vec<JoinHandle<Recording>>,
}

/// The number of players, and their settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlayConfig {
    pub(super) seed: u64,
    pub(super) writers: usize,
    pub(super) holders: usize,
    /// The number of subscribers of each kind.
    pub(super) watchers: usize,
    /// The time between two writes of a writer, in milliseconds.
    pub(super) pause: (u64, u64),
    pub(super) habits: SubscriberBehaviour,
}

impl Play {
    pub(super) fn begin(world: &Arc<World>, service_url: &str, cast: PlayConfig) -> Self {
        let PlayConfig { seed, writers, holders, watchers, pause, habits } = cast;
        let (stop, finish) = (watch::Sender::new(false), watch::Sender::new(None));
        let ledger = Arc::new(WriteOutcomes::default());
        let watching = (0..watchers).flat_map(|copy| world.watchers.iter().map(move |who| (copy, who)));
        let watching = watching.enumerate().map(|(number, (copy, who))| {
            let mut who = who.clone();
            who.name = format!("{} {copy}", who.name);
            let dice = SeededRandom::new(seed, &format!("watcher {number}"));
            tokio::spawn(watcher::watch(who, Arc::clone(world), dice, habits, finish.subscribe()))
        });
        let watchers = watching.collect();
        let mut writing = Vec::new();
        for number in 0..writers {
            let dice = SeededRandom::new(seed, &format!("writer {number}"));
            writing.push(tokio::spawn(write(
                Arc::clone(world),
                Arc::clone(&ledger),
                dice,
                stop.subscribe(),
                pause,
            )));
        }
        for number in 0..holders {
            let (dice, url) = (SeededRandom::new(seed, &format!("holder {number}")), service_url.to_owned());
            writing.push(tokio::spawn(hold(
                Arc::clone(world),
                Arc::clone(&ledger),
                url,
                dice,
                stop.subscribe(),
            )));
        }
        Self { world: Arc::clone(world), ledger, stop, finish, writers: writing, watchers }
    }

    /// Stops the writers, makes a final write that every subscriber must receive, and waits until each has.
    pub(super) async fn end(self, service_url: &str, admin_url: &str) -> Outcome {
        let Self { world, ledger, stop, finish, writers, watchers } = self;
        stop.send_replace(true);
        for writer in writers {
            writer.await.unwrap();
        }
        let mut session = PgConnection::connect(service_url).await.unwrap();
        let mut last: Vec<(String, Step)> = Vec::new();
        for (number, agent) in world.agents().enumerate() {
            last.push((agent.id.clone(), Step::Rename(format!("the last word {number}"))));
            last.push((agent.id.clone(), Step::Activate(agent.versions.lock().unwrap()[number % 2].clone())));
        }
        let ack = long_transaction::write(&mut session, &last, &Waits::default()).await.unwrap().unwrap();
        ledger.acknowledged(&world, ack);
        session.close().await.unwrap();
        let truth = Arc::new(Truth::read(admin_url).await);
        let begun = Instant::now();
        finish.send_replace(Some(Arc::clone(&truth)));
        let mut recordings = Vec::new();
        for watcher in watchers {
            recordings.push(watcher.await.unwrap());
        }
        println!("the final write reached all subscribers in {:?}", begun.elapsed());
        Outcome { truth, ledger, recordings }
    }
}

/// The result of a play.
pub(super) struct Outcome {
    pub(super) truth: Arc<Truth>,
    pub(super) ledger: Arc<WriteOutcomes>,
    pub(super) recordings: Vec<Recording>,
}

impl Outcome {
    /// Describes all violations.
    pub(super) async fn faults(&self, admin_url: &str, troubles: &[FaultPeriod]) -> Vec<String> {
        let mut found = lost(&self.truth, &self.ledger.acks());
        for recording in &self.recordings {
            let violations = violations(&self.truth, troubles, recording);
            found.extend(
                violations.into_iter().map(|violation| format!("{:?}: {}", violation.rule, violation.text)),
            );
        }
        let revisions: Vec<i64> = self.truth.rows.keys().map(|place| place.0).collect();
        let gaps = revisions.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
        if gaps > 0 || revisions.first() != Some(&1) {
            found.push(format!("the log has {gaps} gaps"));
        }
        let mut session = PgConnection::connect(admin_url).await.unwrap();
        if let Some(revision) = first_broken(&mut session).await {
            found.push(format!("the log's chain is broken at {revision}"));
        }
        session.close().await.unwrap();
        found
    }

    pub(super) fn events(&self) -> usize {
        self.recordings.iter().map(Recording::events).sum()
    }

    pub(super) fn sessions(&self) -> usize {
        self.recordings.iter().map(|recording| recording.sessions.len()).sum()
    }

    /// The ends of connections, with their counts.
    pub(super) fn ends(&self) -> BTreeMap<String, usize> {
        let mut ends = BTreeMap::new();
        for session in self.recordings.iter().flat_map(|recording| &recording.sessions) {
            *ends.entry(format!("{:?}", session.end)).or_default() += 1;
        }
        ends
    }
}
