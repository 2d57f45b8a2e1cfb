//! What lists refuse: filters and pages that are too large or malformed.

use serde_json::{Value, json};

use super::page;
use crate::support::App;

#[tokio::test]
async fn filters_have_limits_and_each_refusal_names_its_field() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let many: Vec<&str> = std::iter::repeat_n(customer.as_str(), 101).collect();
    let models: Vec<String> = (0..21).map(|nth| format!("m{nth}")).collect();
    let cases: [(&str, Value, &str); 9] = [
        ("agents", json!({ "ids": many }), "ids"),
        ("agents", json!({ "ids": ["x"] }), "filter.ids"),
        ("agents", json!({ "ownerId": "x" }), "filter.ownerId"),
        ("agents", json!({ "modelNames": models }), "modelNames"),
        ("agents", json!({ "modelNames": ["a\0"] }), "modelNames"),
        ("customers", json!({ "ids": many }), "ids"),
        ("customers", json!({ "nameContains": "x".repeat(201) }), "nameContains"),
        ("customers", json!({ "externalId": "a\0" }), "externalId"),
        ("users", json!({ "emailContains": "x".repeat(201) }), "emailContains"),
    ];
    for (list, filter, field) in cases {
        let answer = page(&operator, list, &json!({ "filter": filter })).await;
        assert_eq!(answer.code(), Some("BAD_USER_INPUT"), "{list} {filter}");
        assert_eq!(answer.body["errors"][0]["extensions"]["field"], json!(field), "{list} {filter}");
    }
    // RFC 3339 has years of four digits; Postgres can't hold all that a parser reads.
    for year in ["-10000", "-4713", "+10000"] {
        let filter = json!({ "filter": { "updatedSince": format!("{year}-01-01T00:00:00Z") } });
        let answer = page(&operator, "agents", &filter).await;
        assert_eq!(answer.code(), Some("BAD_USER_INPUT"), "{year}: {}", answer.body);
    }
    let wrong = json!({ "environment": "No Key", "orderBy": { "field": "NAME" } });
    assert_eq!(page(&operator, "agents", &wrong).await.code(), Some("BAD_USER_INPUT"));
}
