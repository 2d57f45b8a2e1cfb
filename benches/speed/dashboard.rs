//! A dashboard's page of 100 agents in every order: of a customer with 20,000 agents, and of one with 100.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Failure, TIME,
    case::{Case, Report},
    load::{self, any_of, post},
    world::World,
};

/// The numbers of agents of the two customers.
const SIZES: [usize; 2] = [100, 20_000];
/// How much longer the page of the large customer may take.
const RATIO_MAX: f64 = 1.5;
/// The orders of the page; each is measured in both directions.
const FIELDS: [&str; 5] = ["NAME", "CREATED_AT", "UPDATED_AT", "LAST_ACTIVATED_AT", "MODEL_NAME"];

const PAGE: &str = "query ($customer: ID!, $order: AgentOrder) { agents(customerId: $customer, orderBy: $order, first: 100) { nodes { id name owner { name } servings { environment { key } activeVersion { number modelName } activatedAt } } pageInfo { hasNextPage endCursor } } }";

/// Measures all orders and reports the worst ratio.
pub async fn run(report: &mut Report) -> Result<(), Failure> {
    let mut pages: Vec<Vec<(String, Duration)>> = Vec::new();
    for agents in SIZES {
        let world = World::grown_at_one(agents).await?;
        pages.push(measure(&world, agents).await?);
        world.end().await;
    }
    let [small, large] = pages.as_slice() else { return Err("two sizes are measured".into()) };
    let mut worst: Option<(&str, Duration, Duration, f64)> = None;
    for ((order, small), (_, large)) in small.iter().zip(large) {
        let ratio = large.as_secs_f64() / small.as_secs_f64().max(f64::MIN_POSITIVE);
        println!("  {order:<24} 100 agents {small:?}, 20,000 agents {large:?}: {ratio:.2} ×");
        if worst.is_none_or(|(.., most)| ratio > most) {
            worst = Some((order, *small, *large, ratio));
        }
    }
    let (order, small, large, ratio) = worst.ok_or("nothing was measured")?;
    report.add(Case {
        what: "a page of 100 agents of 20,000, its slowest order",
        ours: format!("{:.1} ms by {order}", large.as_secs_f64() * 1e3),
        beside: format!("{:.1} ms with 100 agents", small.as_secs_f64() * 1e3),
        ratio: format!("{ratio:.2} ×"),
        aim: "at most 1.5 ×",
        is_reached: Some(ratio <= RATIO_MAX),
    });
    Ok(())
}

/// Returns the median latency of the page in each order, for one client.
async fn measure(world: &World, agents: usize) -> Result<Vec<(String, Duration)>, Failure> {
    let customer = world.customers.first().ok_or("no customer")?;
    let mut times = Vec::new();
    for field in FIELDS {
        for direction in ["ASC", "DESC"] {
            let variables =
                json!({ "customer": customer, "order": { "field": field, "direction": direction } });
            let body = json!({ "query": PAGE, "variables": variables });
            let answer = world.serving.post(&body).send().await?.json::<Value>().await?;
            let count = answer.pointer("/data/agents/nodes").and_then(Value::as_array).map_or(0, Vec::len);
            if count < agents.min(90) {
                return Err(format!("{count} agents on the page: {answer}").into());
            }
            let requests = any_of(vec![post("/graphql", world.serving.token(), &body)]);
            load::closed(world.serving.address()?, 1, TIME / 5, requests.clone()).await?;
            let measured = load::closed(world.serving.address()?, 1, TIME / 2, requests).await?;
            let half = Duration::from_micros(measured.latency.value_at_quantile(0.5));
            times.push((format!("{field} {direction}"), half));
        }
    }
    Ok(times)
}
