//! The audit live: subscriptions to changes, and the list of watchers.

use agent_registry::domain::{KeyScope, member::Role};
use serde_json::{Value, json};

use super::Desk;
use crate::support::{Calls, socket::Frame, wait::until};

#[tokio::test]
async fn who_is_admin_at_one_of_its_customers_reads_of_that_one_only() {
    let desk = Desk::new().await;
    let operator = desk.app.operator().await;
    let town = operator.customer("Town").await;
    let both = desk.app.user("both", None);
    for (customer, role) in [(&desk.customer, Role::Admin), (&town, Role::Editor)] {
        desk.app.set_member(customer, "both", role).await;
    }
    let query = "{ changes(first: 100) { nodes { customerId } } }";
    let answer = both.gql(query, Value::Null).await;
    let nodes = answer.at("/changes/nodes").as_array().unwrap();
    assert!(nodes.iter().all(|node| node["customerId"] == desk.customer.as_str()) && nodes.len() > 5);
    let refused =
        both.gql(&format!("{{ changes(customerId: {town:?}) {{ totalCount }} }}"), Value::Null).await;
    assert_eq!(refused.code(), Some("FORBIDDEN"));
    let below = format!("{{ customer(id: {town:?}) {{ name changes {{ totalCount }} }} }}");
    assert_eq!(both.gql(&below, Value::Null).await.at("/customer/changes"), &Value::Null);

    // The subscription has the same filter: it sends each change of the one customer, none of the other.
    let mut socket = both.socket().await;
    socket
        .subscribe("all", "subscription { changes(after: \"0\") { customerId action } }", Value::Null)
        .await;
    let before = nodes.len();
    let mut seen = Vec::new();
    for _ in 0..before {
        seen.push(socket.event().await["data"]["changes"].clone());
    }
    operator.agent(&town, "Not shown").await;
    operator.agent(&desk.customer, "Shown").await;
    seen.push(socket.event().await["data"]["changes"].clone());
    assert!(seen.iter().all(|change| change["customerId"] == desk.customer.as_str()), "{seen:?}");
    assert_eq!(seen.last().unwrap()["action"], "AGENT_CREATED");
    let query = "subscription ($id: ID!) { changes(customerId: $id) { action } }";
    socket.subscribe("town", query, json!({ "id": town })).await;
    match socket.next().await {
        Frame::Message(message) => {
            assert_eq!(message["payload"][0]["extensions"]["code"], "FORBIDDEN", "{message}");
        }
        closed @ Frame::Closed(..) => panic!("{closed:?}"),
    }
}

/// The log has entries of the platform itself between those of customers.
#[tokio::test]
async fn an_admin_is_sent_none_of_the_platforms_own_entries() {
    let desk = Desk::new().await;
    let operator = desk.app.operator().await;
    let program = desk.app.program(&desk.customer, [KeyScope::ChangesRead]).await;
    let query = "subscription { changes { action customerId } }";
    let mut sockets = [desk.admin.socket().await, program.socket().await, operator.socket().await];
    for socket in &mut sockets {
        socket.subscribe("1", query, Value::Null).await;
    }
    until("all of them watch", || desk.app.watchers() == sockets.len()).await;
    let make = "mutation { createServiceToken(input: { name: \"g\", scopes: [CONFIGS_READ] }) { serviceToken { id } } }";
    let made = operator.gql(make, Value::Null).await.text("/createServiceToken/serviceToken/id");
    let revoke = "mutation ($id: ID!) { revokeServiceToken(input: { serviceTokenId: $id }) { revision } }";
    operator.gql(revoke, json!({ "id": made })).await.text("/revokeServiceToken/revision");
    desk.editor.agent(&desk.customer, "Shown").await;
    let [admin, program, platform] = &mut sockets;
    for socket in [admin, program] {
        let change = socket.event().await["data"]["changes"].clone();
        assert_eq!(change, json!({ "action": "AGENT_CREATED", "customerId": desk.customer }));
    }
    for action in ["SERVICE_TOKEN_CREATED", "SERVICE_TOKEN_REVOKED", "AGENT_CREATED"] {
        assert_eq!(platform.event().await["data"]["changes"]["action"], action);
    }
}

#[tokio::test]
async fn a_dashboard_is_sent_each_change_as_it_is_committed() {
    let desk = Desk::new().await;
    let program = desk.app.program(&desk.customer, [KeyScope::ChangesRead]).await;
    let head = desk.app.registry.head().await.unwrap().revision.0;
    let mut socket = program.socket().await;
    let query = "subscription ($after: Cursor) { changes(after: $after) {
        cursor revision position action actor { kind id } agentId agent { name } } }";
    socket.subscribe("live", query, json!({ "after": head.to_string() })).await;
    let input = json!({ "agentId": desk.agent, "systemPrompt": "two", "modelName": "m", "activate": true });
    desk.editor.publish_input(input).await.text("/publishVersion/revision");
    let first = socket.event().await["data"]["changes"].clone();
    let second = socket.event().await["data"]["changes"].clone();
    assert_eq!((&first["action"], &first["position"]), (&json!("VERSION_PUBLISHED"), &json!(1)));
    assert_eq!((&second["action"], &second["position"]), (&json!("AGENT_ACTIVATED"), &json!(2)));
    assert_eq!(first["revision"], second["revision"]);
    assert_eq!(first["agent"]["name"], "Helper");
    assert_eq!(first["actor"]["kind"], "USER");
    assert!(first["actor"]["id"].is_string(), "an audit says who");
    // After the first event's cursor comes the second event, and nothing else.
    socket.subscribe("again", query, json!({ "after": first["cursor"] })).await;
    assert_eq!(socket.event().await["data"]["changes"], second);
    for cursor in ["999999", "7.1.0000000000000000", "nonsense"] {
        socket.subscribe(cursor, query, json!({ "after": cursor })).await;
        match socket.next().await {
            Frame::Message(message) => {
                assert_eq!(message["payload"][0]["extensions"]["code"], "CURSOR_INVALID", "{message}");
            }
            closed @ Frame::Closed(..) => panic!("{closed:?}"),
        }
    }
}

#[tokio::test]
async fn an_operator_sees_who_watches() {
    let desk = Desk::new().await;
    let (operator, gateway) = (desk.app.operator().await, desk.app.gateway().await);
    let mut socket = gateway.socket().await;
    socket.subscribe("configs", "subscription { configs { kind } }", Value::Null).await;
    assert_eq!(socket.event().await["data"]["configs"]["kind"], "SNAPSHOT");
    assert_eq!(socket.event().await["data"]["configs"]["kind"], "BOOKMARK");
    let query = "{ watchers { totalCount nodes { watched name actor { kind } customerId agents network revision behind } } }";
    let answer = operator.gql(query, Value::Null).await;
    let head = desk.app.registry.head().await.unwrap().revision.to_string();
    let expected = json!({
        "watched": "CONFIGS", "name": "gateway", "actor": { "kind": "SERVICE" }, "customerId": null, "agents": null,
        "network": "127.0.0.0/24", "revision": head, "behind": 0,
    });
    assert_eq!(answer.at("/watchers/nodes/0"), &expected);
    assert_eq!(answer.at("/watchers/totalCount"), 1);
    let refused = desk.admin.gql("{ watchers { totalCount } }", Value::Null).await;
    assert_eq!(refused.code(), Some("FORBIDDEN"));
}
