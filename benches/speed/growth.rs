//! Tests whether queries become slower as the database grows: from a thousand agents with ten thousand versions to
//! a hundred thousand agents with a million versions.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    CONNECTIONS, Failure, TIME,
    case::{Case, Report, say},
    load::{self, any_of, get, post},
    nested,
    world::World,
};

/// The numbers of agents and customers, before and after.
const SIZES: [(usize, usize); 2] = [(1_000, 50), (100_000, 5_000)];
/// Requests a second: few, so that latency is measured and not throughput.
const PER_SECOND: u32 = 100;
/// The maximum ratio of both latencies.
const MOST: f64 = 1.2;

/// A query's name, and its requests.
type Question = (&'static str, Vec<Vec<u8>>);

fn questions(world: &World) -> Vec<Question> {
    let operator = world.serving.token();
    let graph = |query: &str, variables: Value| {
        post("/graphql", operator, &json!({ "query": query, "variables": variables }))
    };
    let customers = || world.customers.iter().skip(3);
    let each = |query: &'static str| customers().map(|id| graph(query, json!({ "id": id }))).collect();
    let page = "query ($id: ID!) { customer(id: $id) { agents(first: 20) { nodes { id name } pageInfo { hasNextPage } } } }";
    let audit = "query ($id: ID!) { changes(customerId: $id, first: 20) { nodes { revision action } } }";
    let search = "{ agents(filter: { nameContains: \"zebra\" }, first: 20) { nodes { id name } } }";
    let configs = world.agents.iter().map(|id| get(&format!("/v1/agents/{id}"), operator));
    vec![
        ("a nested graph", each(nested::QUERY)),
        ("a page of agents", each(page)),
        ("a page of the audit", each(audit)),
        ("a search of all agents by a part of their names", vec![graph(search, json!({}))]),
        ("an agent", configs.collect()),
    ]
}

/// Runs all measurements.
pub async fn run(report: &mut Report) -> Result<(), Failure> {
    let mut times: Vec<Vec<(&'static str, Duration)>> = Vec::new();
    for (agents, customers) in SIZES {
        let began = std::time::Instant::now();
        let world = World::grown(agents, customers).await?;
        println!("  {agents} agents of 10 versions each, filled after {:?}", began.elapsed());
        let mut all = Vec::new();
        for (what, requests) in questions(&world) {
            let (asked, to) = (any_of(requests), world.serving.address()?);
            // Warms up: plans are made and table pages are cached.
            load::open(to, CONNECTIONS, PER_SECOND, TIME, asked.clone()).await?;
            let measured = load::open(to, CONNECTIONS, PER_SECOND, TIME, asked).await?;
            say(&format!("{agents} agents: {what}"), &measured);
            all.push((what, Duration::from_micros(measured.latency.value_at_quantile(0.5))));
        }
        times.push(all);
        world.end().await;
    }
    let (Some(before), Some(after)) = (times.first(), times.last()) else { return Ok(()) };
    for ((what, before), (_, after)) in before.iter().zip(after) {
        let ratio = after.as_secs_f64() / before.as_secs_f64();
        report.add(Case {
            what,
            ours: format!("{:.2} ms with 1,000,000 versions", after.as_secs_f64() * 1e3),
            beside: format!("{:.2} ms with 10,000", before.as_secs_f64() * 1e3),
            ratio: format!("{ratio:.2} ×"),
            aim: "at most 1.2 ×",
            is_reached: Some(ratio <= MOST),
        });
    }
    Ok(())
}
