//! Publishing only what differs, and warnings.

use serde_json::{Value, json};

use super::City;
use crate::support::Answer;

const PUBLISH: &str = "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) {
    version { number isActive } isNew warnings { rule path line } revision userErrors { code field message } } }";

impl City {
    async fn publish_input(&self, change: Value) -> Answer {
        let mut input = json!({ "agentId": self.agent, "systemPrompt": "p", "modelName": "m" });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        self.editor.gql(PUBLISH, json!({ "input": input })).await
    }
}

#[tokio::test]
async fn the_same_bytes_again_make_no_version_if_asked_so() {
    let city = City::new().await;
    let first = city.publish_input(json!({ "ifChanged": true, "modelParameters": { "a": 1 } })).await;
    assert_eq!(first.at("/publishVersion/isNew"), true);
    let revision = city.revision().await;
    let same = city.publish_input(json!({ "ifChanged": true, "modelParameters": { "a": 1 } })).await;
    assert_eq!(same.at("/publishVersion/isNew"), false);
    assert_eq!(same.at("/publishVersion/version"), &json!({ "number": 1, "isActive": false }));
    assert_eq!(same.at("/publishVersion/revision"), first.at("/publishVersion/revision"));
    assert_eq!(city.revision().await, revision, "nothing is stored");

    // With `activate`, the version that is there is activated, once.
    let change = json!({ "ifChanged": true, "activate": true, "modelParameters": { "a": 1 } });
    let active = city.publish_input(change.clone()).await;
    assert_eq!(active.at("/publishVersion/version"), &json!({ "number": 1, "isActive": true }));
    assert_eq!(active.at("/publishVersion/isNew"), false);
    assert_eq!(city.revision().await, revision + 1);
    assert_eq!(city.publish_input(change).await.at("/publishVersion/isNew"), false);
    assert_eq!(city.revision().await, revision + 1);

    // Equal content in other bytes is new, and so is what older versions had.
    let text = r#"{"system_prompt":"p","model_name":"m","model_parameters":{"a":1.0},"if_changed":true}"#;
    let rest = async |text: &str| {
        let request = city.editor.request(reqwest::Method::POST, &city.versions());
        Answer::of(request.header("content-type", "application/json").body(text.to_owned())).await
    };
    let other = rest(text).await;
    assert_eq!(
        (other.status.as_u16(), &other.body["number"], &other.body["is_new"]),
        (201, &json!(2), &json!(true))
    );
    let same = rest(text).await;
    assert_eq!(
        (same.status.as_u16(), &same.body["number"], &same.body["is_new"]),
        (200, &json!(2), &json!(false))
    );
    let back = city.publish_input(json!({ "ifChanged": true, "modelParameters": { "a": 1 } })).await;
    assert_eq!(back.at("/publishVersion/version/number"), 3);

    // A repeated request is answered as the first one was.
    let keyed = json!({ "ifChanged": true, "modelParameters": { "a": 1 }, "idempotencyKey": "k" });
    let once = city.publish_input(keyed.clone()).await;
    assert_eq!(once.at("/publishVersion/isNew"), false);
    assert_eq!(city.publish_input(keyed).await.body, once.body);
}

#[tokio::test]
async fn what_no_provider_takes_is_accepted_with_warnings_and_refused_on_request() {
    let city = City::new().await;
    let tools = json!([
        { "name": "fine", "inputSchema": { "type": "object", "properties": {} } },
        { "name": "a.b", "inputSchema": { "type": "string", "pattern": "([", "not": { "$ref": "#/$defs/no" } } },
    ]);
    let revision = city.revision().await;
    let refused = city.publish_input(json!({ "tools": tools, "refuseWarnings": true })).await;
    let error = refused.at("/publishVersion/userErrors/0");
    assert_eq!((&error["code"], &error["field"]), (&json!("INVALID"), &json!("tools.1.name")));
    assert_eq!(
        (refused.at("/publishVersion/isNew"), refused.at("/publishVersion/warnings")),
        (&json!(false), &json!([]))
    );
    assert_eq!(city.revision().await, revision, "nothing is stored");

    let accepted = city.publish_input(json!({ "tools": tools })).await;
    let warnings = accepted.at("/publishVersion/warnings");
    let expected = json!([
        { "rule": "TOOL_NAME", "path": ["tools", "1", "name"], "line": null },
        { "rule": "SCHEMA_ROOT", "path": ["tools", "1", "inputSchema"], "line": null },
        { "rule": "DANGLING_REF", "path": ["tools", "1", "inputSchema", "not", "$ref"], "line": null },
        { "rule": "PATTERN", "path": ["tools", "1", "inputSchema", "pattern"], "line": null },
    ]);
    assert_eq!(warnings, &expected);
    assert_eq!(accepted.at("/publishVersion/isNew"), true);

    let revision = city.revision().await;
    let check =
        "query ($content: VersionContentInput!) { versionWarnings(content: $content) { rule path line } }";
    let content =
        |tools: Value| json!({ "content": { "modelName": "m", "systemPrompt": "p", "tools": tools } });
    let checked = city.editor.gql(check, content(tools)).await;
    assert_eq!(checked.at("/versionWarnings"), &expected);
    let invalid = city.editor.gql(check, content(json!([{ "name": "" }]))).await;
    assert_eq!(invalid.code(), Some("BAD_USER_INPUT"), "{}", invalid.body);
    let rest = json!({ "system_prompt": "", "model_name": "m", "tools": [{ "name": "a b" }] });
    assert_eq!(city.revision().await, revision);
    let rest = city.editor.post(&city.versions(), rest).await;
    assert_eq!(rest.body["warnings"][0]["rule"], "TOOL_NAME", "{}", rest.body);
}
