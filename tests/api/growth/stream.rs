//! Streams that start far back in the log: replays, and a gateway's initial snapshot.

use agent_registry::{domain::change::Cursor, id::Revision};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    ObservedService,
    ask::QueryCaller,
    fill::{Kind, Size, id},
    plan::ExecutedStatement,
};
use crate::support::caller::Client;

/// How many events of a stream to wait for: several pages.
const EVENTS: usize = 60;

/// Opens these streams. Returns their statements, with the rows that each needs.
pub(super) async fn followed(
    seen: &ObservedService,
    size: Size,
) -> Vec<(String, u64, Vec<ExecutedStatement>)> {
    let mut all = Vec::new();
    let cursor = Cursor::new(Revision(i64::try_from(size.head() / 2).unwrap()), 1, &Sha256::digest("x"));
    let after = json!({ "after": cursor.to_string() });
    let changes = "subscription ($after: Cursor) { changes(after: $after) { revision } }";
    let activations = "subscription ($after: Cursor) { activations(after: $after) { revision } }";
    for (who, events) in [
        (QueryCaller::Operator, EVENTS),
        (QueryCaller::User(1), EVENTS),
        (QueryCaller::User(size.busy()), EVENTS),
        (QueryCaller::User(3), EVENTS),
        (QueryCaller::User(2), 0),
    ] {
        for query in [changes, activations] {
            // Pages of 256 entries, for each customer.
            let rows = 256 * if who == QueryCaller::User(size.busy()) { 21 } else { 1 };
            follow(seen, seen.client(who), (query, &after, events), rows, &mut all).await;
        }
    }
    let configs = "subscription ($customer: ID, $agents: [ID!]) { configs(customerId: $customer, agentIds: $agents) { kind } }";
    let agents: Vec<String> = (1..=1000).map(|nth| id(Kind::Agent, nth * (size.agents / 1000))).collect();
    let gateway = seen.app.gateway().await.0;
    for which in [json!({}), json!({ "customer": id(Kind::Customer, 1) }), json!({ "agents": agents })] {
        // Pages of sixteen agents, each with its entries in the log. Agents that are named are looked up, too: three
        // blocks each, a quarter of what a row may take.
        let rows = which["agents"].as_array().map_or(16 * 4, |named| named.len() as u64 / 4);
        follow(seen, gateway.clone(), (configs, &which, EVENTS), rows, &mut all).await;
    }
    all
}

async fn follow(
    seen: &ObservedService,
    client: Client,
    (query, variables, events): (&str, &Value, usize),
    rows: u64,
    all: &mut Vec<(String, u64, Vec<ExecutedStatement>)>,
) {
    seen.eye.ran().await;
    let mut socket = client.socket().await;
    socket.subscribe("1", query, variables.clone()).await;
    for _ in 0..events {
        let event = socket.event().await;
        assert_eq!(event.get("errors"), None, "{query}: {event}");
    }
    if events == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    drop(socket);
    all.push((format!("{query} {variables:.200}"), rows, seen.eye.ran().await));
}
