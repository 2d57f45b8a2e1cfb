//! How fast the service is, as ratios to a yardstick in the same run: `cargo bench --bench speed`.
//!
//! The service and the yardstick are processes of their own, and so is the load, all on one machine.

mod load;
#[allow(dead_code, reason = "each benchmark needs a part of it")]
#[path = "../serving/mod.rs"]
mod serving;
mod yardstick;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use load::{Measured, Requests};
use serde_json::{Value, json};
use serving::{Failure, Serving};
use yardstick::Yardstick;

/// How many customers there are, and how many agents each has.
const CUSTOMERS: usize = 100;
const AGENTS: usize = 10;
/// How long a prompt is, in bytes.
const PROMPT: usize = 2048;
/// How long a case is measured.
const TIME: Duration = Duration::from_secs(5);
/// How many connections ask at once.
const CONNECTIONS: u64 = 32;
/// How many a second ask where latencies are measured.
const PER_SECOND: u64 = 5000;

fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
}

fn post(body: &Value, token: &str) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!("POST /graphql HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

/// Whichever of these comes next, without an order that a cache could follow.
fn any_of(requests: Vec<Vec<u8>>) -> Requests {
    let count = requests.len().max(1);
    Arc::new(move |nth| {
        let place = nth.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33;
        requests.get(usize::try_from(place).unwrap_or(0) % count).cloned().unwrap_or_default()
    })
}

fn say(what: &str, measured: &Measured) {
    let [half, most, worst] = [0.5, 0.99, 1.0].map(|at| measured.latency.value_at_quantile(at));
    println!("{what:<58} {:>8.0}/s  p50 {half:>6} µs  p99 {most:>6} µs  max {worst:>7} µs", measured.rate);
}

/// Fills the registry; answers the agents' ids.
async fn fill(serving: &Serving) -> Result<Vec<String>, Failure> {
    let tools: Vec<Value> = (0..5)
        .map(|nth| json!({ "name": format!("tool_{nth}"), "description": "Looks something up", "inputSchema": { "type": "object", "properties": { "query": { "type": "string" } } } }))
        .collect();
    let mut agents = Vec::new();
    for nth in 0..CUSTOMERS {
        let make = "mutation ($name: String!) { createCustomer(input: { name: $name }) { customer { id } } }";
        let made = serving.gql(make, json!({ "name": format!("Customer {nth}") })).await?;
        let customer = made.pointer("/data/createCustomer/customer/id").ok_or("no customer")?.clone();
        let plan =
            "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: ENTERPRISE }) { revision } }";
        serving.gql(plan, json!({ "id": customer })).await?;
        for nth in 0..AGENTS {
            let make = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } } }";
            let input = json!({ "input": { "customerId": customer, "name": format!("Agent {nth}") } });
            let made = serving.gql(make, input).await?;
            let agent =
                made.pointer("/data/createAgent/agent/id").and_then(Value::as_str).ok_or("no agent")?;
            let publish = "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) { userErrors { code } } }";
            let prompt =
                format!("You are agent {nth}. {}", "Answer briefly and kindly. ".repeat(PROMPT / 27));
            let input = json!({ "agentId": agent, "systemPrompt": prompt, "modelName": "gpt-4-turbo",
                "modelParameters": { "temperature": 0.2 }, "tools": tools, "activate": true });
            serving.gql(publish, json!({ "input": input })).await?;
            agents.push(agent.to_owned());
        }
    }
    Ok(agents)
}

/// Both in turn, twice: the better of each counts, since what disturbs them is not ours.
async fn ratio(
    what: &str,
    (ours, asked): (SocketAddr, Requests),
    (theirs, beside): (SocketAddr, Requests),
) -> Result<(), Failure> {
    let (mut best, mut least) = (0.0_f64, 0.0_f64);
    for _ in 0..2 {
        let constant = load::closed(theirs, CONNECTIONS, TIME, Arc::clone(&beside)).await?;
        let measured = load::closed(ours, CONNECTIONS, TIME, Arc::clone(&asked)).await?;
        say(&format!("{what}: the constant"), &constant);
        say(what, &measured);
        (best, least) = (best.max(measured.rate), least.max(constant.rate));
    }
    println!("{what}: {:.2} × the constant\n", best / least);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if yardstick::serve_if_asked().await? {
        return Ok(());
    }
    let serving = Serving::start("speed").await?;
    println!("ready after {:?}", serving.ready_after);
    let agents = fill(&serving).await?;
    let token = serving.service_token()?;
    let ours = serving.address()?;
    let configs =
        any_of(agents.iter().map(|id| get(&format!("/internal/agents/{id}/active"), &token)).collect());
    let size = serving.body_size(agents.first().ok_or("no agents")?, &token).await?;
    println!(
        "{} agents, a configuration has {size} bytes, {CONNECTIONS} connections, {TIME:?} each\n",
        agents.len()
    );
    let yardstick = Yardstick::start(size).await?;
    let theirs = yardstick.address;

    ratio(
        "active config, REST",
        (ours, Arc::clone(&configs)),
        (theirs, any_of(vec![get("/constant", "none")])),
    )
    .await?;
    let measured = load::open(ours, CONNECTIONS, PER_SECOND, TIME, configs).await?;
    say(&format!("active config, REST, {PER_SECOND} a second"), &measured);
    println!();

    let query = "query ($id: ID!) { activeConfig(agentId: $id) { agentId customerId name versionId versionNumber systemPrompt modelName modelParameters tools { name description inputSchema } contentHash activatedAt revision } }";
    let graph = any_of(
        agents.iter().map(|id| post(&json!({ "query": query, "variables": { "id": id } }), &token)).collect(),
    );
    let constant = any_of(vec![post(&json!({ "query": "{ constant }" }), "none")]);
    ratio("active config, GraphQL", (ours, graph), (theirs, constant)).await?;
    Ok(())
}
