//! Waiting for a share of the gateways, and the two subscriptions.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Stage, counts, gateway, report};

const WAIT: &str = "query ($agent: ID!, $share: Float, $seconds: Int!) {
    convergence(agentId: $agent, minShare: $share, waitSeconds: $seconds) { applied pending late rejected silent } }";

#[tokio::test]
async fn a_query_waits_for_a_share_of_the_gateways() {
    let mut stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    report(&service, "a", stage.revision).await;
    report(&service, "b", stage.revision).await;
    stage.activate(1).await;
    let wait = |share: f64, seconds: i64| {
        stage.viewer.gql(WAIT, json!({ "agent": stage.agent, "share": share, "seconds": seconds }))
    };
    let began = Instant::now();
    let answer = wait(1.0, 2).await;
    assert_eq!(counts(answer.at("/convergence")), [0, 2, 0, 0, 0]);
    assert!(began.elapsed() >= Duration::from_secs(2));
    // It waits for longer than other queries may take.
    let began = Instant::now();
    let (answer, ()) = tokio::join!(wait(0.5, 60), async {
        tokio::time::sleep(Duration::from_secs(16)).await;
        report(&service, "a", stage.revision).await;
    });
    assert_eq!(counts(answer.at("/convergence")), [1, 1, 0, 0, 0]);
    assert!((15..40).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    for (share, seconds, field) in
        [(1.1, 1, "minShare"), (-0.1, 1, "minShare"), (0.5, 61, "waitSeconds"), (0.5, -1, "waitSeconds")]
    {
        let refused = wait(share, seconds).await;
        assert_eq!(refused.body["errors"][0]["extensions"]["field"], field);
    }
}

#[tokio::test]
async fn the_convergence_is_sent_now_and_at_each_change() {
    let mut stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    let mut socket = stage.viewer.socket().await;
    let watch = "subscription ($agent: ID!) { convergence(agentId: $agent) { revision applied pending late rejected silent } }";
    socket.subscribe("1", watch, json!({ "agent": stage.agent })).await;
    assert_eq!(counts(&socket.event().await["data"]["convergence"]), [0; 5]);
    report(&service, "gw", stage.revision).await;
    assert_eq!(counts(&socket.event().await["data"]["convergence"]), [1, 0, 0, 0, 0]);
    stage.activate(1).await;
    let event = socket.event().await["data"]["convergence"].clone();
    assert_eq!((counts(&event), &event["revision"]), ([0, 1, 0, 0, 0], &json!(stage.revision.to_string())));
    report(&service, "gw", stage.revision).await;
    assert_eq!(counts(&socket.event().await["data"]["convergence"]), [1, 0, 0, 0, 0]);
    assert!(socket.is_quiet(Duration::from_secs(3)).await);
}

#[tokio::test]
async fn each_change_of_a_gateway_is_sent_to_operators() {
    let mut stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    report(&service, "before", stage.revision).await;
    let watch = "subscription { gateways { name state appliedRevision } }";
    let mut socket = stage.operator.socket().await;
    socket.subscribe("1", watch, json!({})).await;
    assert!(socket.is_quiet(Duration::from_secs(2)).await, "nothing has changed");
    report(&service, "gw", stage.revision).await;
    let event = |revision: i64, state: &str, name: &str| json!({ "data": { "gateways": { "name": name, "state": state, "appliedRevision": revision.to_string() } } });
    assert_eq!(socket.event().await, event(stage.revision, "LIVE", "gw"));
    stage.activate(1).await;
    report(&service, "gw", stage.revision).await;
    assert_eq!(socket.event().await, event(stage.revision, "LIVE", "gw"));
    let mut refused = stage.viewer.socket().await;
    refused.subscribe("1", watch, json!({})).await;
    let Value::Object(answer) = first_error(&mut refused).await else { panic!("an error") };
    assert_eq!(answer["extensions"]["code"], "FORBIDDEN");
}

async fn first_error(socket: &mut crate::support::socket::Socket) -> Value {
    let crate::support::socket::Frame::Message(message) = socket.next().await else { panic!("closed") };
    assert_eq!(message["type"], "error");
    message["payload"][0].clone()
}
