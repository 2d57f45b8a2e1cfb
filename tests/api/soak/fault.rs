//! Faults, injected one after the other at random: in connections, processes and the database.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::Instant;

use super::{environment::SoakEnvironment, random::SeededRandom, record::FaultPeriod};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Ends the connections that listen for notifications.
    EndListeners,
    /// Ends random connections to the database.
    EndBackends,
    /// Kills an instance, and starts it again.
    KillInstance,
    /// Stops an instance, and starts it again.
    StopInstance,
    /// Suspends an instance for a while.
    FreezeInstance,
    /// Stops Postgres immediately, and starts it again.
    RestartPostgres,
    /// Breaks all client connections of an instance.
    CutClients,
    /// Holds back all traffic between an instance and its clients for a while.
    HoldClients,
    /// Breaks an instance's connections to the database.
    CutDatabase,
    /// Holds back all traffic between an instance and the database for a while.
    HoldDatabase,
}

impl Kind {
    pub(super) const ALL: [Self; 10] = [
        Self::EndListeners,
        Self::EndBackends,
        Self::KillInstance,
        Self::StopInstance,
        Self::FreezeInstance,
        Self::RestartPostgres,
        Self::CutClients,
        Self::HoldClients,
        Self::CutDatabase,
        Self::HoldDatabase,
    ];
}

/// How much to break.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// After one fault of each kind, go on for this long.
    pub(super) time: Duration,
    /// The longest suspension or interruption, in milliseconds: usually, and in one of ten cases.
    pub(super) longest: (u64, u64),
    /// The number of faults between two calm periods, and the length of such a period.
    pub(super) calm: (usize, Duration),
}

/// The injected faults.
#[derive(Default)]
pub(super) struct InjectedFaults {
    pub(super) troubles: Vec<FaultPeriod>,
    pub(super) kinds: BTreeMap<Kind, usize>,
}

/// Injects faults according to the plan.
pub(super) async fn inject_faults(
    ground: &SoakEnvironment,
    mut dice: SeededRandom,
    plan: Plan,
) -> InjectedFaults {
    let mut damage = InjectedFaults::default();
    let begun = Instant::now();
    let mut once = Kind::ALL.to_vec();
    dice.shuffle(&mut once);
    let mut count = 0;
    loop {
        let kind = match once.pop() {
            Some(kind) => kind,
            None if begun.elapsed() > plan.time => break,
            None => *dice.pick(&Kind::ALL),
        };
        count += 1;
        tokio::time::sleep(if count % plan.calm.0 == 0 { plan.calm.1 } else { dice.millis(100, 900) }).await;
        let from = SystemTime::now();
        inject_fault(ground, &mut dice, kind, plan.longest).await;
        damage.troubles.push(FaultPeriod { from, until: SystemTime::now() });
        *damage.kinds.entry(kind).or_default() += 1;
    }
    damage
}

async fn inject_fault(
    ground: &SoakEnvironment,
    dice: &mut SeededRandom,
    kind: Kind,
    (usual, rare): (u64, u64),
) {
    let node = &ground.nodes[dice.below(ground.nodes.len())];
    let line = ground.nodes.iter().find_map(|node| node.line.as_ref()).unwrap();
    let pause = dice.millis(200, usual);
    let pause = if dice.percent(10) { Duration::from_millis(rare) } else { pause };
    match kind {
        Kind::EndListeners => end_backends(ground, "query ILIKE 'LISTEN%'").await,
        Kind::EndBackends => end_backends(ground, "random() < 0.5").await,
        Kind::KillInstance => node.replace(Signal::KILL, dice.millis(0, 500)).await,
        Kind::StopInstance => node.replace(Signal::TERM, dice.millis(0, 500)).await,
        Kind::FreezeInstance => {
            node.signal(Signal::STOP).await;
            tokio::time::sleep(pause).await;
            node.signal(Signal::CONT).await;
        }
        Kind::RestartPostgres => ground.postgres.restart(dice.millis(0, 500)).await,
        Kind::CutClients => node.door.cut(dice.percent(50)),
        Kind::HoldClients => {
            node.door.hold(true);
            tokio::time::sleep(pause).await;
            if dice.percent(50) {
                node.door.cut(dice.percent(50));
            }
            node.door.hold(false);
        }
        Kind::CutDatabase => line.cut(dice.percent(50)),
        Kind::HoldDatabase => {
            line.hold(true);
            tokio::time::sleep(pause).await;
            if dice.percent(50) {
                line.cut(dice.percent(50));
            }
            line.hold(false);
        }
    }
}

/// Ends the service's database connections that match this condition.
async fn end_backends(ground: &SoakEnvironment, which: &str) {
    let mut admin = PgConnection::connect(&ground.postgres.admin_url()).await.unwrap();
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'registry' AND {which}"
    );
    sqlx::query(AssertSqlSafe(end)).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
}
