//! The snapshot of `configs` of one environment: alone, and beside seven more in which each agent serves too.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{
    Failure,
    case::{Case, Report, median},
    world::World,
};

/// The numbers of agents and customers.
const SIZE: (usize, usize) = (10_000, 50);
/// The number of snapshots per measurement, after one that warms up.
const ROUNDS: usize = 15;
/// How much longer a snapshot may take beside the other environments.
const RATIO_MAX: f64 = 1.1;

const SNAPSHOT: &str = "subscription { configs(environment: \"production\") { kind cursor config { agentId versionNumber systemPrompt modelName modelParameters bytesHash } } }";

/// Measures both.
pub async fn run(report: &mut Report) -> Result<(), Failure> {
    let (agents, customers) = SIZE;
    let mut world = World::grown(agents, customers).await?;
    let alone = snapshot(&world).await?;
    world.add_rows(include_str!("environments.sql").to_owned()).await?;
    let beside = snapshot(&world).await?;
    world.end().await;
    let ratio = beside.as_secs_f64() / alone.as_secs_f64();
    report.add(Case {
        what: "snapshot of one environment, 10,000 agents in 8",
        ours: format!("{:.0} ms", beside.as_secs_f64() * 1e3),
        beside: format!("{:.0} ms with one environment", alone.as_secs_f64() * 1e3),
        ratio: format!("{ratio:.2} ×"),
        aim: "at most 1.1 ×",
        is_reached: Some(ratio <= RATIO_MAX),
    });
    Ok(())
}

/// Returns the median time from the request to the BOOKMARK that ends the snapshot.
async fn snapshot(world: &World) -> Result<Duration, Failure> {
    read_snapshot(world).await?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        times.push(read_snapshot(world).await?);
    }
    Ok(median(&mut times))
}

async fn read_snapshot(world: &World) -> Result<Duration, Failure> {
    let begun = Instant::now();
    let request = world.serving.post(&json!({ "query": SNAPSHOT })).header("Accept", "text/event-stream");
    let mut answer = request.send().await?.error_for_status()?;
    let (mut count, mut text) = (0, String::new());
    while let Some(bytes) = answer.chunk().await? {
        text.push_str(&String::from_utf8_lossy(&bytes));
        let whole = text.rfind("\n\n").map_or(0, |end| end + 2);
        for event in text.drain(..whole).collect::<String>().split("\n\n") {
            if event.contains("\"errors\"") {
                return Err(format!("no snapshot: {event}").into());
            }
            count += usize::from(event.contains("\"SNAPSHOT\""));
            if event.contains("\"BOOKMARK\"") {
                // One agent of a thousand is archived.
                let expected = SIZE.0 - SIZE.0 / 1000;
                let time = begun.elapsed();
                return if count == expected {
                    Ok(time)
                } else {
                    Err(format!("{count} configurations, expected {expected}").into())
                };
            }
        }
    }
    Err("the stream ended before the snapshot's BOOKMARK".into())
}
