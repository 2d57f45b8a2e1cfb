//! Exports and imports of agents that serve in several environments.

use serde_json::{Value, json};

use super::{Stage, create};
use crate::support::Answer;

#[tokio::test]
async fn an_export_carries_all_environments_to_another_customer() {
    let stage = Stage::new(3).await;
    stage.activate(1, "production").await;
    stage.activate(3, "staging").await;
    let export = async |customer: &str, query: &str| {
        let answer = stage.operator.get(&format!("/v1/customers/{customer}/export{query}")).await;
        assert_eq!(answer.status, 200);
        answer.body
    };
    let file = export(&stage.customer, "").await;
    assert_eq!((&file["active"], &file["active_in"]), (&json!(1), &json!({ "staging": 3 })));
    let of_staging = export(&stage.customer, "?environment=staging").await;
    assert_eq!((&of_staging["active"], of_staging.get("active_in")), (&json!(3), None));
    let nowhere =
        stage.operator.get(&format!("/v1/customers/{}/export?environment=nowhere", stage.customer)).await;
    assert_eq!(nowhere.status, 404);

    let town = stage.operator.customer("Town").await;
    let import = async |query: &str, line: &Value| {
        let path = format!("/v1/customers/{town}/import{query}");
        let request = stage.operator.request(reqwest::Method::POST, &path);
        let request = request.header("content-type", "application/x-ndjson").body(line.to_string());
        Answer::of(request).await.body.to_string()
    };
    let head = stage.head().await;
    let refused = import("", &file).await;
    assert!(refused.contains("the customer has no environment `staging`"), "{refused}");
    assert_eq!(stage.head().await, head);
    create(&stage.operator, &town, "staging").await;
    import("", &file).await;
    let mut again = export(&town, "").await;
    assert_eq!(again, file, "the same bytes elsewhere");
    let head = stage.head().await;
    import("", &file).await;
    assert_eq!(stage.head().await, head, "importing it again changes nothing");
    // A file of one environment goes into another one.
    import("?environment=staging", &json!({ "agent": "Helper", "active": 2, "versions": file["versions"] }))
        .await;
    again = export(&town, "").await;
    assert_eq!((&again["active"], &again["active_in"]), (&json!(1), &json!({ "staging": 2 })));
    // Exactly as the line, which names one of them.
    import(
        "?exact=true",
        &json!({ "agent": "Helper", "description": null, "active": 3, "versions": file["versions"] }),
    )
    .await;
    again = export(&town, "").await;
    assert_eq!((&again["active"], again.get("active_in")), (&json!(3), None));
}
