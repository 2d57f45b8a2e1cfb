//! Four gateways: one applies, one refuses, one stops after a report, one never reports.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Running, Stage, gateway, rejection, token, until_states};

#[tokio::test]
async fn one_applies_one_refuses_one_stops_and_one_never_reports() {
    let mut stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    let before = stage.revision;
    let mut good = Running::start(&stage.app.first, token(&service), "good").await;
    let mut refuses = Running::start(&stage.app.first, token(&service), "refuses").await;
    let mut stops = Running::start(&stage.app.first, token(&service), "stops").await;
    let mut silent = Running::start(&stage.app.first, token(&service), "silent").await;
    for running in [&mut good, &mut refuses, &mut stops] {
        let done = running.report(before, json!([])).await;
        assert_eq!(done["userErrors"], json!([]), "{done}");
    }
    stage.until_counts(&stage.viewer, [3, 0, 0, 0, 1]).await;
    // One stops, and another version is activated.
    drop(stops);
    stage.activate(1).await;
    let revision = stage.revision;
    // For half a minute, the subscription that never reports may be the new one of the gateway that has stopped.
    stage.until_counts(&stage.viewer, [0, 3, 0, 0, 0]).await;
    let at = good.until_bookmark(revision).await;
    good.report(at, json!([])).await;
    let at = refuses.until_bookmark(revision).await;
    refuses.report(at, json!([rejection(&stage.agent, &stage.versions[1], revision)])).await;
    silent.until_bookmark(revision).await;
    stage.app.clock.shift(TimeDelta::seconds(35));
    stage.until_counts(&stage.viewer, [1, 1, 0, 1, 1]).await;
    let seen = stage.convergence(&stage.operator).await;
    assert_eq!(seen["isComplete"], false);
    assert_eq!(seen["recountingSince"], Value::Null);
    let refused = json!([{ "code": "UNKNOWN_TOOL", "message": "find_section", "gatewayName": "refuses",
        "agent": { "id": stage.agent }, "version": { "number": 2 } }]);
    assert_eq!(seen["rejections"], refused);
    // The customer sees the refusal of its own agent, and no name.
    assert_eq!(stage.convergence(&stage.viewer).await["rejections"][0]["gatewayName"], Value::Null);
    until_states(&stage, &[("gateway", "SILENT"), ("good", "LIVE"), ("refuses", "LIVE"), ("stops", "LIVE")])
        .await;
    // The others report again; the one that has stopped is LATE after 90 seconds.
    stage.app.clock.shift(TimeDelta::seconds(60));
    good.report(at, json!([])).await;
    refuses.report(at, json!([rejection(&stage.agent, &stage.versions[1], revision)])).await;
    stage.until_counts(&stage.viewer, [1, 1, 1, 1, 1]).await;
    until_states(&stage, &[("gateway", "SILENT"), ("good", "LIVE"), ("refuses", "LIVE"), ("stops", "LATE")])
        .await;
    // A rejection that is taken back, and the one that had stopped comes again.
    refuses.report(at, json!([])).await;
    let mut stops = Running::start(&stage.app.first, token(&service), "stops").await;
    stops.report(at, json!([])).await;
    stage.until_counts(&stage.viewer, [3, 0, 0, 0, 1]).await;
    assert_eq!(stage.convergence(&stage.viewer).await["isComplete"], true);
}

#[tokio::test]
async fn a_gateway_says_what_it_is_and_how_far_it_is_behind() {
    let mut stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    let mut running = Running::start(&stage.app.first, token(&service), "gw-1").await;
    running.report(stage.revision, json!([])).await;
    stage.activate(1).await;
    let nodes = stage.gateways(json!({ "isBehind": true })).await;
    assert_eq!(nodes.len(), 1, "{nodes:?}");
    let node = &nodes[0];
    assert_eq!((&node["name"], &node["behind"]), (&json!("gw-1"), &json!(1)));
    assert_eq!((&node["clientName"], &node["clientVersion"]), (&json!("test-library"), &json!("1.2.3")));
    assert_eq!(node["actor"]["kind"], "SERVICE");
    assert!(node["deliveredRevision"].is_string(), "{node}");
    let watchers = stage.operator.gql("{ watchers { nodes { clientName clientVersion } } }", json!({})).await;
    let named = json!([{ "clientName": "test-library", "clientVersion": "1.2.3" }]);
    assert_eq!(*watchers.at("/watchers/nodes"), named);
    let at = running.until_bookmark(stage.revision).await;
    running.report(at, json!([])).await;
    assert_eq!(stage.gateways(json!({ "isBehind": true })).await, Vec::<Value>::new());
    assert_eq!(stage.gateways(json!({ "isBehind": false })).await.len(), 1);
    assert_eq!(stage.gateways(json!({ "region": "elsewhere" })).await, Vec::<Value>::new());
}
