//! A nested query (a customer's agents with their active and newest versions), compared with pgbench running the same
//! statements, and with PostGraphile on the same tables.

use std::sync::Arc;

use serde_json::json;

use super::{
    Failure, TIME,
    case::Report,
    load::{self, any_of, post},
    pgbench, postgraphile,
    world::World,
};

/// The number of customers queried.
const CUSTOMERS: usize = 64;
/// The number of concurrent clients: as many as the service has database connections.
const CLIENTS: usize = 20;
/// A dashboard's query.
pub const QUERY: &str = "query ($id: ID!) { customer(id: $id) { id name agents(first: 10) { nodes { id name \
    activeVersion { id number modelName } versions(first: 10) { nodes { id number modelName contentHash createdAt } } } } } }";

/// Runs all measurements.
pub async fn run(world: &World, report: &mut Report) -> Result<(), Failure> {
    let ours = world.serving.address()?;
    let customers = world.customers.get(..CUSTOMERS.min(world.customers.len())).unwrap_or_default();
    let token = world.serving.token();
    let body = |id: &String| json!({ "query": QUERY, "variables": { "id": id } });
    let asked = any_of(customers.iter().map(|id| post("/graphql", token, &body(id))).collect());
    load::closed(ours, CLIENTS, TIME, Arc::clone(&asked)).await?;

    let mut scripts = Vec::new();
    for (nth, customer) in customers.iter().enumerate() {
        let sent = pgbench::record_statements(world, "agent_versions", async || {
            let answer =
                world.serving.post(&body(customer)).send().await?.json::<serde_json::Value>().await?;
            let nodes = answer.pointer("/data/customer/agents/nodes/9/versions/nodes/9");
            nodes.map(drop).ok_or_else(|| format!("an incomplete response: {answer}").into())
        });
        let mut sent = sent.await?;
        if !sent.last().is_some_and(|sent| sent.sql.starts_with("ROLLBACK")) {
            sent.push(pgbench::RecordedStatement { sql: "ROLLBACK".to_owned(), values: Vec::new() });
        }
        if nth == 0 {
            println!("  {} statements", sent.len());
            for pgbench::RecordedStatement { sql, values: _ } in &sent {
                println!("    {sql}");
            }
        }
        scripts.push(pgbench::script(&sent, &format!("c{nth}"), &|_| None));
    }

    let (best, least) = pgbench::beside(world, "nested graph", &scripts, CLIENTS, asked).await?;
    if let Some(least) = least {
        let beside = ("pgbench, the same statements", least);
        report.rate("nested graph: 10 agents × 10 versions + the active one", (best, beside), ("0.8 ×", 0.8));
    }
    if let Some(theirs) = postgraphile::run(world, customers, CLIENTS).await? {
        report.rate("the same", (best, ("PostGraphile 4", theirs)), ("3 ×", 3.0));
    }
    Ok(())
}
