//! The soak test of subscriptions: several instances as processes, writers and subscribers on all of them, and
//! random faults. Afterwards each subscriber's recording is checked against the log by the rules of [`check`], and
//! each acknowledged write must be in the log. `planted` and `seeded` show that each rule finds its violations.

mod check;
mod environment;
mod failover;
mod fault;
mod gateway;
mod long_transaction;
mod planted;
mod play;
mod proxy;
mod random;
mod record;
mod seeded;
mod truth;
mod watcher;
mod world;
mod writer;

use std::{
    fmt::Display,
    str::FromStr,
    time::{Duration, Instant, SystemTime},
};

use self::{
    environment::SoakEnvironment,
    fault::{Kind, Plan, inject_faults},
    play::{Play, PlayConfig},
    random::SeededRandom,
    watcher::SubscriberBehaviour,
    world::World,
};
use crate::support::{
    app::{Instance, Setup},
    proof::count,
};

/// A setting from the environment, or `usual`.
fn setting<T: FromStr<Err: Display>>(name: &str, usual: T) -> T {
    let Ok(text) = std::env::var(name) else { return usual };
    text.parse().unwrap_or_else(|err| panic!("{name}={text}: {err}"))
}

/// Milliseconds in `make test` and in `make proof`.
fn millis(short: usize, long: usize) -> u64 {
    count(short, long).try_into().unwrap()
}

/// A soak with faults. `SOAK_SEED` repeats its random choices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_keeps_its_promises_whatever_fails() {
    let started = Instant::now();
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let seed = setting("SOAK_SEED", u64::try_from(now).unwrap());
    println!("SOAK_SEED={seed}");
    let ground = SoakEnvironment::start(setting("SOAK_INSTANCES", 3)).await;
    let (service_url, admin_url) = (ground.postgres.service_url(), ground.postgres.admin_url());
    // The world is made through an instance that no client uses.
    let maker = Instance::start(&service_url, Setup::default()).await;
    let world = World::make(&maker, ground.bases(), setting("SOAK_AGENTS", count(3, 6))).await;
    maker.stop().await;
    println!("set up in {:?}", started.elapsed());
    let cast = PlayConfig {
        seed,
        writers: setting("SOAK_WRITERS", count(3, 4)),
        holders: setting("SOAK_HOLDERS", count(2, 3)),
        watchers: setting("SOAK_WATCHERS", count(1, 2)),
        pause: (0, setting("SOAK_THINK", 100)),
        habits: SubscriberBehaviour::default(),
    };
    let play = Play::begin(&world, &service_url, cast);
    let plan = Plan {
        time: Duration::from_secs(setting("SOAK_SECONDS", u64::try_from(count(12, 270)).unwrap())),
        longest: (setting("SOAK_PAUSE", millis(900, 4_000)), setting("SOAK_LONGEST", millis(900, 60_000))),
        calm: (setting("SOAK_CALM_EVERY", 25), Duration::from_secs(setting("SOAK_CALM", 30))),
    };
    let damage = inject_faults(&ground, SeededRandom::new(seed, "faults"), plan).await;
    println!("broken by {:?}", started.elapsed());
    let outcome = play.end(&service_url, &admin_url).await;
    println!("ended by {:?}", started.elapsed());

    let faults = outcome.faults(&admin_url, &damage.troubles).await;
    let (acks, others) = (outcome.ledger.acks().len(), outcome.ledger.others());
    let revisions = outcome.truth.rows.keys().next_back().map_or(0, |place| place.0);
    println!(
        "{} changes in {revisions} commits; {acks} writes acknowledged; not: {others:?}",
        outcome.truth.rows.len()
    );
    println!(
        "{} events to {} watchers on {} connections",
        outcome.events(),
        outcome.recordings.len(),
        outcome.sessions()
    );
    println!("connections ended: {:?}", outcome.ends());
    println!("faults injected: {} {:?}", damage.troubles.len(), damage.kinds);
    println!("violations: {} in {:?}", faults.len(), started.elapsed());
    for node in &ground.nodes {
        assert!(!node.log().contains("panicked"), "an instance panicked:\n{}", node.log());
    }
    assert!(faults.is_empty(), "SOAK_SEED={seed}\n{}", faults[..faults.len().min(30)].join("\n"));
    assert!(Kind::ALL.iter().all(|kind| damage.kinds.contains_key(kind)), "a kind of fault was not injected");
    assert!(acks > 20 && outcome.events() > 100 && outcome.sessions() > 2 * outcome.recordings.len());
    ground.end().await;
}
