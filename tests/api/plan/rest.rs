//! Plans over REST.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Stage, contents};
use crate::{rest::assert_problem, support::Answer};

impl Stage {
    async fn post_plan(&self, body: Value) -> Answer {
        self.editor.post(&format!("/v1/agents/{}/plan", self.agent), body).await
    }

    async fn post_version(&self, body: Value) -> Answer {
        self.editor.post(&format!("/v1/agents/{}/versions", self.agent), body).await
    }
}

fn rest_content(nth: usize) -> Value {
    let content = &contents()[nth];
    json!({ "system_prompt": content["systemPrompt"], "model_name": content["modelName"], "tools": content["tools"] })
}

#[tokio::test]
async fn rest_plans_as_graphql_does() {
    let stage = Stage::open().await;
    let plan = stage.plan(&stage.editor, 2, &json!({})).await;
    let by_version = stage.post_plan(json!({ "version_id": stage.versions[2] })).await;
    let by_content =
        stage.post_plan(json!({ "content": rest_content(2), "environment": "production" })).await;
    let in_camel_case = stage.post_plan(json!({ "content": contents()[2] })).await;
    for answer in [&by_version, &by_content, &in_camel_case] {
        assert_eq!(answer.status, 200);
        assert_eq!((&answer.body["impact"], &answer.body["decision"]), (&plan["impact"], &plan["decision"]));
        assert_eq!(answer.body["policy"], plan["policy"]);
        assert_eq!(answer.body["findings"][1]["tool_name"], "find");
        assert_eq!(answer.body["findings"][1]["after"], "city");
        assert_eq!(answer.body["previous_version_id"], stage.versions[0]);
    }
    assert_eq!(
        (&by_version.body["version_id"], &by_content.body["version_id"]),
        (&json!(stage.versions[2]), &Value::Null)
    );
    assert_eq!(by_version.body["plan_hash"], plan["planHash"]);
    // REST keeps the order of a tool's keys, so its bytes are others than those that GraphQL published.
    assert_eq!(by_content.body["plan_hash"], in_camel_case.body["plan_hash"]);
    assert_eq!(stage.post_plan(json!({})).await.body["impact"], "REMOVED");
}

#[tokio::test]
async fn a_wrong_plan_is_a_problem() {
    let stage = Stage::open().await;
    for (body, status, code) in [
        (json!({ "version_id": stage.agent }), 404, "NOT_FOUND"),
        (json!({ "environment": "elsewhere" }), 404, "NOT_FOUND"),
        (json!({ "environment": "A B" }), 422, "INVALID"),
        (json!({ "version_id": "1" }), 422, "INVALID"),
        (json!({ "version_id": stage.versions[2], "content": rest_content(1) }), 422, "INVALID"),
        (json!({ "content": { "system_prompt": "x", "model_name": " " } }), 422, "INVALID"),
        (json!({ "content": { "system_prompt": "x" } }), 422, "INVALID"),
        (json!({ "other": 1 }), 422, "INVALID"),
    ] {
        assert_problem(&stage.post_plan(body).await, status, code);
    }
    let unknown = stage.editor.request(Method::POST, "/v1/agents/x/plan").json(&json!({}));
    assert_problem(&Answer::of(unknown).await, 404, "NOT_FOUND");
}

#[tokio::test]
async fn publishing_over_rest_is_held_to_the_plan() {
    let stage = Stage::open().await;
    stage.rules("production", &json!({ "onBreaking": "CONFIRM" })).await;
    let plan = stage.post_plan(json!({ "content": rest_content(2) })).await.body;
    assert_eq!(plan["must_confirm"], json!(["NARROWED"]));
    let publish =
        |more: Value| super::with(super::with(rest_content(2), &json!({ "activate": true })), &more);
    let before = stage.stored().await;
    for (more, status, code) in [
        (json!({}), 409, "CONFIRMATION_REQUIRED"),
        (json!({ "plan_hash": "0".repeat(64) }), 409, "PLAN_CHANGED"),
        (json!({ "confirm": ["NARROWED"] }), 422, "INVALID"),
        (json!({ "plan_hash": plan["plan_hash"], "confirm": ["narrowed"] }), 422, "INVALID"),
    ] {
        assert_problem(&stage.post_version(publish(more)).await, status, code);
    }
    assert_eq!(stage.stored().await, before);
    let more = json!({ "plan_hash": plan["plan_hash"], "confirm": ["NARROWED"] });
    assert_eq!(stage.post_version(publish(more)).await.status, 201);
    assert_eq!(stage.serves("production").await, 4);
}
