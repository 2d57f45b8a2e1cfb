//! Active configurations over REST: from memory, compared with a constant served by the bare framework; and when they
//! aren't in memory.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use super::{
    CONNECTIONS, Failure, TIME,
    case::{Report, say},
    load::{self, Requests, any_of, each_of, get},
    world::World,
    yardstick::Yardstick,
};

/// The rate at which latencies are measured, in requests a second.
const PER_SECOND: u32 = 5000;
/// The rate of requests for configurations that aren't in memory, a second.
const COLD_PER_SECOND: u32 = 1000;

fn configs(world: &World) -> Vec<Vec<u8>> {
    world.agents.iter().map(|id| get(&format!("/internal/agents/{id}/active"), &world.token)).collect()
}

/// Measures the service and the constant alternately, three times each, and returns the best of each, since
/// disturbances come from outside.
async fn beside(
    what: &str,
    (ours, asked): (SocketAddr, Requests),
    (theirs, constant): (SocketAddr, Requests),
) -> Result<(f64, f64), Failure> {
    let (mut best, mut least) = (0.0_f64, 0.0_f64);
    for _ in 0..3 {
        let measured = load::closed(theirs, CONNECTIONS, TIME, Arc::clone(&constant)).await?;
        say(&format!("{what}: the constant"), &measured);
        least = least.max(measured.rate);
        let measured = load::closed(ours, CONNECTIONS, TIME, Arc::clone(&asked)).await?;
        say(what, &measured);
        best = best.max(measured.rate);
    }
    Ok((best, least))
}

/// Measures configurations that are in memory.
pub async fn warm(world: &World, report: &mut Report) -> Result<(), Failure> {
    let ours = world.serving.address()?;
    let configs = configs(world);
    let first = world.agents.first().ok_or("no agents")?;
    let size = world.serving.body_size(first, &world.token).await?;
    let yardstick = Yardstick::start(size).await?;
    let theirs = yardstick.address;
    // Warms the cache: requests all configurations, as a gateway does.
    load::closed(ours, 4, Duration::from_secs(5), any_of(configs.clone())).await?;

    let constant = any_of(vec![get("/constant", "none")]);
    let asked = any_of(configs);
    let (rate, least) = beside("active config, REST", (ours, Arc::clone(&asked)), (theirs, constant)).await?;
    report.rate("active config, REST", (rate, ("an axum constant", least)), ("0.8 ×", 0.8));

    let measured = load::open(ours, CONNECTIONS, PER_SECOND, TIME, asked).await?;
    say("active config, REST, 5,000 a second", &measured);
    report.latency(
        "active config, REST, p99 at 5,000 a second",
        &measured,
        ("2 ms", Duration::from_millis(2)),
    );
    Ok(())
}

/// Measures configurations that aren't in memory: requests each once after a restart.
pub async fn cold(world: &World, report: &mut Report) -> Result<(), Failure> {
    let configs = configs(world);
    if configs.len() < usize::try_from(COLD_PER_SECOND)? {
        println!("  too few agents to ask for each once");
        return Ok(());
    }
    let seconds = u64::try_from(configs.len())? / u64::from(COLD_PER_SECOND);
    let time = Duration::from_secs(seconds.clamp(1, 8));
    let measured =
        load::open(world.serving.address()?, CONNECTIONS, COLD_PER_SECOND, time, each_of(configs)).await?;
    say("active config, cold, 1,000 a second", &measured);
    report.latency(
        "active config not in memory, p99 at 1,000 a second",
        &measured,
        ("10 ms", Duration::from_millis(10)),
    );
    Ok(())
}
