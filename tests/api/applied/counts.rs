//! How gateways are counted: rejections, older rejections, clocks, and the objects that show the numbers.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    CONVERGENCE, Stage, assert_stored, counts, gateway, rejection, report, report_input, rows, until_states,
};
use crate::support::Calls;

const ALL: &str = "query ($customer: ID!, $agent: ID!) {
    customer(id: $customer) { environments { key convergence { revision applied pending rejected } } }
    agent(id: $agent) { servings { convergence { revision applied pending rejected } }
        activations(first: 3) { nodes { version { number } convergence { revision applied } } } } }";

#[tokio::test]
async fn a_rejection_never_counts_as_applied_until_the_agent_changes() {
    let mut stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    let refused = json!([rejection(&stage.agent, &stage.versions[0], stage.revision)]);
    let input = json!({ "gatewayName": "gw", "revision": stage.revision.to_string(), "rejections": refused });
    assert_stored(&report_input(&service, input).await, stage.revision);
    assert_eq!(counts(&stage.convergence(&stage.viewer).await), [0, 0, 0, 1, 0]);
    assert_eq!(rows(&stage.app).await, [1, 1]);
    // The refusal of what served before says nothing about what serves now.
    stage.activate(1).await;
    let now = stage.convergence(&stage.viewer).await;
    assert_eq!((counts(&now), &now["rejections"]), ([0, 1, 0, 0, 0], &json!([])));
    report(&service, "gw", stage.revision).await;
    let now = stage.convergence(&stage.viewer).await;
    assert_eq!((counts(&now), &now["isComplete"]), ([1, 0, 0, 0, 0], &json!(true)));
    assert_eq!(rows(&stage.app).await, [1, 0]);
    // Nor does the refusal of another version, at the same revision.
    let other = json!([rejection(&stage.agent, &stage.versions[0], stage.revision)]);
    let input = json!({ "gatewayName": "gw", "revision": stage.revision.to_string(), "rejections": other });
    assert_stored(&report_input(&service, input).await, stage.revision);
    let now = stage.convergence(&stage.viewer).await;
    assert_eq!((counts(&now), &now["isComplete"]), ([1, 0, 0, 0, 0], &json!(true)));
}

#[tokio::test]
async fn environments_servings_and_activations_count_alike() {
    let mut stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    report(&service, "a", stage.revision).await;
    stage.activate(1).await;
    report(&service, "b", stage.revision).await;
    let variables = json!({ "customer": stage.customer, "agent": stage.agent });
    let answer = stage.viewer.gql(ALL, variables).await;
    let revision = stage.revision.to_string();
    let expected = json!({ "revision": revision, "applied": 1, "pending": 1, "rejected": 0 });
    assert_eq!(*answer.at("/customer/environments/0/convergence"), expected);
    assert_eq!(*answer.at("/agent/servings/0/convergence"), expected);
    let activations = json!([
        { "version": { "number": 2 }, "convergence": { "revision": revision, "applied": 1 } },
        { "version": { "number": 1 }, "convergence": null },
    ]);
    assert_eq!(*answer.at("/agent/activations/nodes"), activations);
    // An earlier commit, which both have applied.
    let earlier = json!({ "agent": stage.agent, "revision": "1" });
    let answer = stage.viewer.gql(CONVERGENCE, earlier).await;
    assert_eq!(counts(answer.at("/convergence")), [2, 0, 0, 0, 0]);
    // An agent that never served.
    let idle = stage.operator.agent(&stage.customer, "Idle").await;
    let answer = stage.viewer.gql(CONVERGENCE, json!({ "agent": idle })).await;
    assert_eq!(*answer.at("/convergence"), Value::Null);
}

#[tokio::test]
async fn a_gateway_is_late_after_90_seconds_and_gone_after_an_hour() {
    let mut stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    report(&service, "gw", stage.revision).await;
    stage.app.clock.shift(TimeDelta::seconds(85));
    until_states(&stage, &[("gw", "LIVE")]).await;
    assert_eq!(counts(&stage.convergence(&stage.viewer).await), [1, 0, 0, 0, 0]);
    stage.app.clock.shift(TimeDelta::seconds(10));
    until_states(&stage, &[("gw", "LATE")]).await;
    assert_eq!(counts(&stage.convergence(&stage.viewer).await), [0, 1, 1, 0, 0]);
    stage.app.clock.shift(TimeDelta::hours(1));
    // The token has expired too.
    stage.operator = stage.app.operator().await;
    until_states(&stage, &[("gw", "GONE")]).await;
    assert_eq!(counts(&stage.convergence(&stage.operator).await), [0; 5]);
    // Its row is deleted, and nothing of it is left.
    stage.app.registry.forget_gateways().await.unwrap();
    assert_eq!(rows(&stage.app).await, [0, 0]);
}

#[tokio::test]
async fn the_times_are_those_until_half_and_all_have_applied_it() {
    const TIMES: &str =
        "query ($agent: ID!) { convergence(agentId: $agent) { p50Seconds p90Seconds allSeconds } }";
    let mut stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    for name in ["a", "b"] {
        report(&service, name, stage.revision).await;
    }
    stage.activate(1).await;
    stage.app.clock.shift(TimeDelta::seconds(10));
    report(&service, "a", stage.revision).await;
    let answer = stage.viewer.gql(TIMES, json!({ "agent": stage.agent })).await;
    let half = answer.at("/convergence/p50Seconds").as_f64().unwrap();
    assert!((10.0..40.0).contains(&half), "{half}");
    assert_eq!(*answer.at("/convergence/allSeconds"), Value::Null);
    stage.app.clock.shift(TimeDelta::seconds(10));
    report(&service, "b", stage.revision).await;
    // One that begins with the activation changes nothing.
    report(&service, "c", stage.revision).await;
    let answer = stage.viewer.gql(TIMES, json!({ "agent": stage.agent })).await;
    let all = answer.at("/convergence/allSeconds").as_f64().unwrap();
    assert!(all >= half + 10.0 && all < 80.0, "{all}");
    assert_eq!(answer.at("/convergence/p90Seconds").as_f64(), Some(all));
}
