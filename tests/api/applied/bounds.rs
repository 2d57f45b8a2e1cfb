//! What a report may hold, and that one which is refused leaves nothing.

use serde_json::{Value, json};

use super::{Stage, assert_stored, gateway, rejection, report, report_input, rows};

#[tokio::test]
async fn a_report_that_is_refused_leaves_nothing() {
    let stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    let plain = json!({ "gatewayName": "gw", "revision": stage.revision.to_string() });
    let with = |field: &str, value: Value| {
        let mut input = plain.clone();
        input[field] = value;
        input
    };
    let one = rejection(&stage.agent, &stage.versions[0], stage.revision);
    let long = |chars: usize| json!("x".repeat(chars));
    let mut wordy = one.clone();
    wordy["message"] = long(501);
    let mut early = one.clone();
    early["revision"] = json!("999999999");
    for (input, code, field) in [
        (with("gatewayName", json!("")), "INVALID", "gatewayName"),
        (with("gatewayName", json!("a\u{202e}b")), "INVALID", "gatewayName"),
        (with("gatewayName", long(101)), "TOO_LARGE", "gatewayName"),
        (with("region", long(101)), "TOO_LARGE", "region"),
        (with("build", json!("a\u{0}b")), "INVALID", "build"),
        (with("revision", json!("999999999")), "INVALID", "revision"),
        (with("environment", json!("No Key")), "INVALID", "environment"),
        (with("rejections", json!(vec![one.clone(); 101])), "TOO_LARGE", "rejections"),
        (with("rejections", json!([one, one])), "INVALID", "rejections.1.agentId"),
        (with("rejections", json!([wordy])), "TOO_LARGE", "rejections.0.message"),
        (with("rejections", json!([early])), "INVALID", "rejections.0.revision"),
    ] {
        let answer = report_input(&service, input.clone()).await;
        let errors = answer.at("/done/userErrors");
        assert_eq!((&errors[0]["code"], &errors[0]["field"]), (&json!(code), &json!(field)), "{input}");
        assert_eq!(*answer.at("/done/nextReportSeconds"), Value::Null);
    }
    let unknown = report_input(&service, with("environment", json!("nowhere"))).await;
    assert_eq!(*unknown.at("/done/userErrors/0/code"), "NOT_FOUND");
    assert_eq!(rows(&stage.app).await, [0, 0]);
    let longest = json!({ "gatewayName": long(100), "region": long(100), "build": long(100),
        "revision": stage.revision.to_string() });
    assert_stored(&report_input(&service, longest).await, stage.revision);
    assert_eq!(rows(&stage.app).await, [1, 0]);
}

#[tokio::test]
async fn reports_of_many_gateways_are_stored_together() {
    let stage = Stage::open().await;
    let service = gateway(&stage.app).await;
    report(&service, "warm", stage.revision).await;
    let before = stage.app.registry.observed_revision();
    let began = std::time::Instant::now();
    let names: Vec<String> = (0..200).map(|nth| format!("gw-{nth}")).collect();
    let reports = names.iter().map(|name| report(&service, name, stage.revision));
    for answer in futures_util::future::join_all(reports).await {
        assert_stored(&answer, stage.revision);
    }
    assert!(began.elapsed() < std::time::Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(rows(&stage.app).await, [201, 0]);
    // None of it is in the log.
    assert_eq!(stage.app.registry.head().await.unwrap().revision, before);
    // Of several reports of one gateway at a time, one is stored.
    let again = (0..20).map(|_| report(&service, "gw-0", stage.revision));
    for answer in futures_util::future::join_all(again).await {
        assert_stored(&answer, stage.revision);
    }
    assert_eq!(rows(&stage.app).await, [201, 0]);
    let answer = stage
        .operator
        .gql(
            "{ gateways(first: 100) { totalCount pageInfo { endCursor hasNextPage } nodes { name } } }",
            json!({}),
        )
        .await;
    assert_eq!(
        (answer.at("/gateways/totalCount"), answer.at("/gateways/pageInfo/hasNextPage")),
        (&json!(201), &json!(true))
    );
    let after = answer.text("/gateways/pageInfo/endCursor");
    let next = "query ($after: String) { gateways(first: 100, after: $after) { nodes { name } } }";
    let second = stage.operator.gql(next, json!({ "after": after })).await;
    let last = answer.at("/gateways/nodes/99/name").as_str().unwrap();
    assert!(second.at("/gateways/nodes/0/name").as_str().unwrap() > last);
}
