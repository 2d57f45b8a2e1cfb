//! Processors: which work a caller can make the service do, and on whose account.

use agent_registry::domain::member::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, App, Calls, caller::Client};

/// An agent that doesn't exist.
const NOWHERE: &str = "01a20326-e777-71ce-9264-eefdca7dad0e";

/// Publishes a large content whose schema isn't valid, over GraphQL and REST. Returns both answers.
async fn publish_large(client: &Client, agent: &str) -> [(u16, Value); 2] {
    let schema = json!({ "type": "nothing", "description": "x".repeat(100 * 1024) });
    let input = json!({ "agentId": agent, "systemPrompt": "", "modelName": "m",
        "tools": [{ "name": "a", "inputSchema": schema }] });
    let mutation = "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) {
        version { number } userErrors { code message field } } }";
    let answer = client.gql(mutation, json!({ "input": input })).await;
    let body =
        json!({ "system_prompt": "", "model_name": "m", "tools": [{ "name": "a", "input_schema": schema }] });
    let rest = client.request(Method::POST, &format!("/v1/agents/{agent}/versions"));
    let rest = Answer::of(rest.header("x-request-id", "same").json(&body)).await;
    [(answer.status.as_u16(), answer.body), (rest.status.as_u16(), rest.body)]
}

#[tokio::test]
async fn a_large_content_is_checked_only_for_who_may_publish_it() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    let agent = operator.agent(&city, "Helper").await;
    let (stranger, neighbour) = (app.stranger(), app.member(&town, Role::Admin).await);
    let (viewer, editor) = (app.member(&city, Role::Viewer).await, app.member(&city, Role::Editor).await);
    for client in [&*stranger, &*neighbour] {
        let hidden = publish_large(client, &agent).await;
        assert_eq!(hidden, publish_large(client, NOWHERE).await, "not theirs, or not there");
        let [graphql, rest] = hidden;
        assert_eq!(
            graphql.1["data"]["publishVersion"]["userErrors"][0]["code"], "NOT_FOUND",
            "{}",
            graphql.1
        );
        assert_eq!((rest.0, &rest.1["code"]), (404, &json!("NOT_FOUND")));
    }
    let [graphql, rest] = publish_large(&viewer, &agent).await;
    assert_eq!(graphql.1["errors"][0]["extensions"]["code"], "FORBIDDEN", "{}", graphql.1);
    assert_eq!(rest.0, 403);
    assert_eq!(app.registry.content_checks(), 0);
    let [graphql, rest] = publish_large(&editor, &agent).await;
    assert_eq!(graphql.1["data"]["publishVersion"]["userErrors"][0]["code"], "INVALID", "{}", graphql.1);
    assert_eq!(rest.0, 422);
    assert_eq!(app.registry.content_checks(), 2);
}
