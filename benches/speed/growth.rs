//! Whether what is asked costs more when there is more besides: a thousand agents with ten thousand versions, and a hundred
//! thousand with a million.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    CONNECTIONS, Failure, TIME,
    case::{Case, Report, say},
    load::{self, any_of, get, post},
    nested,
    world::World,
};

/// How many agents and customers there are, before and after.
const SIZES: [(usize, usize); 2] = [(1_000, 50), (100_000, 5_000)];
/// How many a second ask: few, so that what is measured is how long an answer takes.
const PER_SECOND: u32 = 100;
/// How much longer it may take.
const MOST: f64 = 1.2;

/// What is asked: its name, and its requests.
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

/// What is measured.
pub async fn run(report: &mut Report) -> Result<(), Failure> {
    let mut times: Vec<Vec<(&'static str, Duration)>> = Vec::new();
    for (agents, customers) in SIZES {
        let began = std::time::Instant::now();
        let world = World::grown(agents, customers).await?;
        println!("  {agents} agents of 10 versions each, filled after {:?}", began.elapsed());
        let mut all = Vec::new();
        for (what, requests) in questions(&world) {
            let (asked, to) = (any_of(requests), world.serving.address()?);
            // Plans are made, and pages of the tables come into memory.
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
            came_to: format!("{ratio:.2} ×"),
            aim: "at most 1.2 ×",
            is_reached: Some(ratio <= MOST),
        });
    }
    Ok(())
}
