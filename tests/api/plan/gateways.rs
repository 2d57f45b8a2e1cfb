//! How many gateways a plan affects, as far as the instance that answers knows.

use agent_registry::domain::KeyScope;
use serde_json::{Value, json};

use super::Stage;
use crate::support::{Calls, wait};

const CONFIGS: &str = "subscription ($environment: String, $customer: ID, $agents: [ID!]) {
    configs(environment: $environment, customerId: $customer, agentIds: $agents) { kind } }";

#[tokio::test]
async fn a_plan_counts_the_gateways_that_watch_its_environment() {
    let stage = Stage::open().await;
    stage.environment("staging", &json!({})).await;
    let other = stage.operator.customer("Other").await;
    let gateway = stage.app.gateway().await;
    let program =
        stage.app.program(&stage.customer, [KeyScope::ConfigsRead, KeyScope::ActivationsWatch]).await;
    let another = stage.editor.agent(&stage.customer, "Another").await;
    let mut sockets = Vec::new();
    for (client, variables) in [
        (&*gateway, json!({})),
        (&gateway, json!({ "customer": other })),
        (&gateway, json!({ "environment": "staging" })),
        (&gateway, json!({ "agents": [stage.agent] })),
        (&gateway, json!({ "agents": [another] })),
        (&program, json!({})),
        // A person at a console is no gateway.
        (&stage.editor, json!({})),
    ] {
        let mut socket = client.socket().await;
        socket.subscribe("1", CONFIGS, variables).await;
        socket.event().await;
        sockets.push(socket);
    }
    for (environment, expected) in [("production", 3), ("staging", 1)] {
        let counts = async || {
            let plan = stage.plan(&stage.editor, 2, &json!({ "environment": environment })).await;
            (plan["affectedGateways"].clone(), plan["pendingGateways"].clone())
        };
        let expected: (Value, Value) = (expected.into(), 0.into());
        wait::eventually("the gateways are counted and caught up", async || counts().await == expected).await;
    }
    let watchers = stage.operator.gql("{ watchers { nodes { agents } } }", json!({})).await;
    let nodes = watchers.at("/watchers/nodes").as_array().unwrap();
    let named: Vec<_> = nodes.iter().map(|watcher| watcher["agents"].as_i64()).collect();
    assert_eq!(named, [None, None, None, Some(1), Some(1), None, None], "how many agents each names");
    drop(sockets);
    wait::eventually("no gateway is left", async || {
        stage.plan(&stage.editor, 2, &json!({})).await["affectedGateways"] == 0
    })
    .await;
}
