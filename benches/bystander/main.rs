//! Measures whether one caller can slow others: the latency of another customer's ordinary requests, and the service's
//! memory, during floods. `cargo bench --bench bystander`; names select cases, `--list` lists them.
//!
//! To estimate the cost of a flood's load alone, as many bytes at the same rate go to a process that reads all of them
//! and returns a constant. Exits with 1 when a bound of `report.rs` is broken.

#![expect(clippy::disallowed_methods, reason = "benchmarks parse only the service's own responses")]

mod attack;
mod cases;
mod documents;
mod others;
mod report;
#[allow(dead_code, reason = "each benchmark uses a part of it")]
#[path = "../serving/mod.rs"]
mod serving;
mod wire;
mod world;
#[allow(dead_code, reason = "each benchmark uses a part of it")]
#[path = "../speed/yardstick.rs"]
mod yardstick;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use attack::{Flood, Flooding, Opening, Piece};
use cases::{CASES, Case, Event};
use clap::Parser;
use others::{Latencies, Others, TURN};
use report::{HEAD, MIB, Outcome};
use serving::{Failure, Serving};
use world::World;
use yardstick::Yardstick;

/// The resident memory at which a flood is ended, so that the machine keeps some.
const MEMORY_MAX: u64 = 6 * 1024 * MIB;
/// The interval between looks at the service's memory.
const LOOK: Duration = Duration::from_millis(50);
/// The number of requests at once that make the service open all connections of its pool.
const POOL: u32 = 60;
/// The duration of the requests that warm the service up.
const WARM: Duration = Duration::from_secs(1);
/// The largest response of the constant, in bytes.
const CONSTANT_MAX: u64 = 256 * MIB;
/// The largest request to the constant, in bytes.
const REQUEST_MAX: u64 = 16 * MIB;

/// Measure whether one caller can slow others.
#[derive(Debug, Parser)]
struct Arguments {
    /// List the cases
    #[arg(long)]
    list: bool,
    /// The cases to run [default: all]
    cases: Vec<String>,
    /// Passed by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    if yardstick::serve_if_asked().await? || attack::flood_if_asked().await? {
        return Ok(ExitCode::SUCCESS);
    }
    let Arguments { list, cases, bench: _ } = Arguments::parse();
    if let Some(unknown) = cases.iter().find(|name| CASES.iter().all(|case| case.name != **name)) {
        return Err(format!("no case is named {unknown}; --list lists them").into());
    }
    let wanted = CASES.iter().filter(|case| cases.is_empty() || cases.iter().any(|name| name == case.name));
    if list {
        wanted.for_each(|case| println!("{:<18} {}", case.name, case.about));
        return Ok(ExitCode::SUCCESS);
    }
    let mut world = World::new().await?;
    let (mut rows, mut are_kept) = (Vec::new(), true);
    for case in wanted {
        let began = Instant::now();
        match run(&mut world, case).await {
            Ok(outcome) => {
                are_kept &= outcome.broken().is_empty();
                println!("{}: {}\n", outcome.name, outcome.row());
                rows.push(outcome.row());
            }
            Err(failure) => {
                are_kept = false;
                println!("{}: failed after {:.0?}: {failure}\n", case.name, began.elapsed());
                rows.push(format!("| {} | failed: {failure} | | | | | | ✗ |", case.about));
            }
        }
    }
    println!("{HEAD}\n{}", rows.join("\n"));
    world.end().await;
    Ok(if are_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs a case: the flood against a service that was just started, then the same load against a constant.
async fn run(world: &mut World, case: &Case) -> Result<Outcome, Failure> {
    if case.needs_names {
        world.add_names().await?;
    }
    if case.needs_log {
        world.add_log().await?;
    }
    let others = case.others(world);
    if case.event == Event::FewConnections {
        world.limit_connections(3).await?;
    }
    restart(world, &others, case.event != Event::FewConnections).await?;
    if case.event == Event::RestartPostgres {
        others.burst(world.serving.address()?, POOL).await?;
        world.restart_postgres().await?;
    }
    let flood = case.flood(world)?;
    world.serving.memory_peak()?;
    let (beside, flooded, was_cut) = measure(&world.serving, &others, &flood).await?;
    let peak = world.serving.memory_peak()?;
    if case.event == Event::FewConnections {
        world.limit_connections(-1).await?;
    }

    restart(world, &others, true).await?;
    let pieces = flooded.pieces.max(1);
    let constant = Yardstick::start(usize::try_from((flooded.received / pieces).min(CONSTANT_MAX))?).await?;
    let body = "x".repeat(usize::try_from((flooded.sent / pieces).min(REQUEST_MAX))?);
    let length = body.len();
    let request =
        format!("POST /constant HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}");
    let as_much = Flood {
        to: constant.address,
        opening: Opening::Http,
        connections: if flooded.pieces == 0 { 0 } else { flood.connections },
        pieces: vec![Piece::Bytes(request)],
        times: None,
        is_read: true,
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        per_second: Some(pieces as f64 / TURN.as_secs_f64()),
    };
    let (constant, _, _) = measure(&world.serving, &others, &as_much).await?;
    let Case { about, name, .. } = *case;
    Ok(Outcome { about, name, beside, constant, peak, flooded, was_cut })
}

/// Restarts the service, so that no case inherits another's memory, and warms it up.
async fn restart(world: &mut World, others: &Others, must_answer: bool) -> Result<(), Failure> {
    world.serving.restart().await?;
    let warm = others.measure(world.serving.address()?, WARM).await?;
    if must_answer && warm.failed() > 0 {
        return Err(format!("ordinary requests failed without a flood: {:?}", warm.failures).into());
    }
    Ok(())
}

/// Measures the bystander during a flood of [`TURN`]. Ends the flood early when the service's memory exceeds
/// [`MEMORY_MAX`]. Returns also what the flood did, and whether it was ended early.
async fn measure(
    serving: &Serving,
    others: &Others,
    flood: &Flood,
) -> Result<(Latencies, attack::Flooded, bool), Failure> {
    let flooding = Flooding::start(flood).await?;
    let begun = Instant::now();
    let watched = async {
        while begun.elapsed() < TURN {
            if serving.memory()? > MEMORY_MAX {
                return Ok((flooding.end().await?, true));
            }
            tokio::time::sleep(LOOK).await;
        }
        // Requests that are still due are measured without the flood.
        Ok::<_, Failure>((flooding.end().await?, false))
    };
    let (latencies, (flooded, was_cut)) =
        tokio::try_join!(others.measure(serving.address()?, TURN), watched)?;
    Ok((latencies, flooded, was_cut))
}
