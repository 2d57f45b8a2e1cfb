//! Measures the service's speed as ratios to yardsticks in the same run: `cargo bench --bench speed`. `--write`
//! writes the table to `docs/performance.md`; names of cases select cases; `--customers N` sets the size of the
//! database.
//!
//! The service, each yardstick and the load generator are separate processes on one machine.

#![expect(clippy::disallowed_methods, reason = "benchmarks parse only the service's own responses")]

mod case;
mod configs;
mod dashboard;
mod environments;
mod fanout;
mod growth;
mod listener;
mod load;
mod nested;
mod pgbench;
mod plans;
mod postgraphile;
#[allow(dead_code, reason = "each benchmark uses a part of it")]
#[path = "../serving/mod.rs"]
mod serving;
mod world;
mod writes;
mod yardstick;

use std::time::Duration;

use case::{Case, Report, median};
use clap::Parser;
use serving::Failure;
use world::World;

/// The duration of a measurement.
const TIME: Duration = Duration::from_secs(5);
/// The number of concurrent connections.
const CONNECTIONS: usize = 32;

/// Measure the speed of the service.
#[derive(Debug, Parser)]
struct Arguments {
    /// The number of customers, each with 10 agents of 10 versions
    #[arg(long, default_value = "1000")]
    customers: usize,
    /// Write the table into docs/performance.md
    #[arg(long)]
    write: bool,
    /// Also measure growth up to a million versions, which takes some minutes more
    #[arg(long)]
    big: bool,
    /// The cases to run [default: all]: growth, environments, dashboard, start, cold, configs, nested, plans, writes, fanout
    cases: Vec<String>,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if yardstick::serve_if_asked().await? {
        return Ok(());
    }
    let Arguments { customers, write, big, cases, bench: _ } = Arguments::parse();
    let is_wanted = |case: &str| cases.is_empty() || cases.iter().any(|wanted| wanted == case);
    let mut report = Report::default();
    let began = std::time::Instant::now();
    if big || cases.iter().any(|case| case == "growth") {
        growth::run(&mut report).await?;
    }
    if is_wanted("environments") {
        environments::run(&mut report).await?;
    }
    if is_wanted("dashboard") {
        dashboard::run(&mut report).await?;
    }
    let own_worlds = ["growth", "environments", "dashboard"];
    if !cases.is_empty() && cases.iter().all(|case| own_worlds.contains(&case.as_str())) {
        return Ok(());
    }
    let mut world = World::new(customers).await?;
    let (agents, first) = (world.agents.len(), world.serving.ready_after);
    println!("{agents} agents of {} versions each, filled after {:?}\n", world::VERSIONS, began.elapsed());
    world.serving.restart().await?;
    if is_wanted("start") {
        starts(&mut world, first, &mut report).await?;
    }
    if is_wanted("cold") {
        configs::cold(&world, &mut report).await?;
    }
    if is_wanted("configs") {
        configs::warm(&world, &mut report).await?;
    }
    if is_wanted("nested") {
        nested::run(&world, &mut report).await?;
    }
    if is_wanted("plans") {
        plans::run(&world, &mut report).await?;
    }
    if is_wanted("writes") {
        writes::run(&world, &mut report).await?;
    }
    if is_wanted("fanout") {
        fanout::run(&mut world, &mut report).await?;
    }
    world.end().await;
    if write {
        report.write()?;
    }
    Ok(())
}

/// Measures the time from start to readiness, with a new and with an existing database.
async fn starts(world: &mut World, first: Duration, report: &mut Report) -> Result<(), Failure> {
    let mut times = Vec::new();
    for _ in 0..5 {
        world.serving.restart().await?;
        times.push(world.serving.ready_after);
    }
    println!("  ready after {times:?}");
    let again = median(&mut times);
    for (what, time, aim, most) in [
        ("start to ready, its database there", again, "300 ms", Duration::from_millis(300)),
        ("start to ready, with a first private Postgres", first, "4 s", Duration::from_secs(4)),
    ] {
        report.add(Case {
            what,
            ours: format!("{} ms", time.as_millis()),
            beside: "–".to_owned(),
            ratio: "–".to_owned(),
            aim,
            is_reached: Some(time <= most),
        });
    }
    Ok(())
}
