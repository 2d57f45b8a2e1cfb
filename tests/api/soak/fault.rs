//! What is broken on purpose, one thing after the other, by chance: connections, processes, the database.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::time::Instant;

use super::{dice::Dice, ground::Ground, record::Trouble};

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The connections that hear the bell are ended.
    EndListeners,
    /// Any connection to the database is ended.
    EndBackends,
    /// An instance is killed, and started anew.
    KillInstance,
    /// An instance is asked to stop, and started anew.
    StopInstance,
    /// An instance stands still for a while.
    FreezeInstance,
    /// Postgres is stopped at once, and started anew.
    RestartPostgres,
    /// All clients of an instance lose their connections.
    CutClients,
    /// Nothing passes between an instance and its clients for a while.
    HoldClients,
    /// An instance loses its connections to the database.
    CutDatabase,
    /// Nothing passes between an instance and the database for a while.
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

/// How much is broken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// Each kind once, and then on for so long.
    pub(super) time: Duration,
    /// The longest that an instance stands still or is cut off, in milliseconds; and one time in ten.
    pub(super) longest: (u64, u64),
    /// How many faults come between two times of calm, and how long those are.
    pub(super) calm: (usize, Duration),
}

/// All that was broken.
#[derive(Default)]
pub(super) struct Damage {
    pub(super) troubles: Vec<Trouble>,
    pub(super) kinds: BTreeMap<Kind, usize>,
}

/// Breaks things until it is enough.
pub(super) async fn rage(ground: &Ground, mut dice: Dice, plan: Plan) -> Damage {
    let mut damage = Damage::default();
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
        wreck(ground, &mut dice, kind, plan.longest).await;
        damage.troubles.push(Trouble { from, until: SystemTime::now() });
        *damage.kinds.entry(kind).or_default() += 1;
    }
    damage
}

async fn wreck(ground: &Ground, dice: &mut Dice, kind: Kind, (usual, rare): (u64, u64)) {
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

/// Ends the service's connections of which this is true.
async fn end_backends(ground: &Ground, which: &str) {
    let mut admin = PgConnection::connect(&ground.postgres.admin_url()).await.unwrap();
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'registry' AND {which}"
    );
    sqlx::query(AssertSqlSafe(end)).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
}
