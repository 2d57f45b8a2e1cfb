//! The fast path over GraphQL: a cached response stays valid while its configuration is active.

use agent_registry::domain::{KeyScope, ServiceScope};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{City, fast_and_ordinary};
use crate::support::{Calls, caller::Client};

const QUERY: &str =
    "query ($id: ID!) { activeConfig(agentId: $id) { agentId name systemPrompt tools { name } revision } }";

fn asked(query: &str, agent: &str) -> String {
    json!({ "query": query, "variables": { "id": agent } }).to_string()
}

fn post(client: &Client, body: &str) -> RequestBuilder {
    client.request(Method::POST, "/graphql").header("content-type", "application/json").body(body.to_owned())
}

async fn ask(client: &Client, body: &str) -> Value {
    let response = post(client, body).send().await.unwrap();
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// Whether the response cache has a response for this client's request.
fn is_ready(city: &City, client: &Client, body: &str) -> bool {
    let bearer = client.token.as_deref().unwrap();
    let door = &city.app.door;
    door.hub.is_cached_service(bearer)
        && door.api.cached_response(body.as_bytes(), |id| door.hub.cached_config(bearer, id)).is_some()
}

#[tokio::test]
async fn both_ways_answer_the_same() {
    let city = City::new().await;
    let gateway = city.app.gateway().await;
    for prompt in ["Be kind".to_owned(), "Be kind. ".repeat(200)] {
        city.serve(&prompt).await;
        let body = asked(QUERY, &city.agent);
        assert!(!is_ready(&city, &gateway, &body));
        ask(&gateway, &body).await;
        for media in ["*/*", "application/json", "application/graphql-response+json"] {
            assert!(is_ready(&city, &gateway, &body));
            let [short, ordinary] = fast_and_ordinary(|| post(&gateway, &body), &[("accept", media)]).await;
            assert_eq!(short, ordinary, "{media}");
            let shown: Value = serde_json::from_slice(&short.2).unwrap();
            assert_eq!(shown["data"]["activeConfig"]["systemPrompt"], prompt);
        }
    }
    let named =
        post(&gateway, &asked(QUERY, &city.agent)).header("x-request-id", "mine").send().await.unwrap();
    assert_eq!(named.headers()["x-request-id"], "mine");
}

#[tokio::test]
async fn what_shows_more_than_one_configuration_is_not_ready() {
    let city = City::new().await;
    city.serve("Be kind").await;
    let gateway = city.app.gateway().await;
    ask(&gateway, &asked(QUERY, &city.agent)).await;
    let head = city.revision().await;
    let others = [
        "query ($id: ID!) { activeConfig(agentId: $id) { name } agents { nodes { id } } }".to_owned(),
        "query ($id: ID!) { a: activeConfig(agentId: $id) { name } b: activeConfig(agentId: $id) { name } }"
            .to_owned(),
        format!("query ($id: ID!) {{ activeConfig(agentId: $id, atLeast: \"{head}\") {{ name }} }}"),
    ];
    for query in &others {
        let body = asked(query, &city.agent);
        assert!(ask(&gateway, &body).await.get("data").is_some(), "{query}");
        assert!(!is_ready(&city, &gateway, &body), "{query}");
    }
    // Nor is a response without an active configuration, or with an error.
    let nobody = city.editor.agent(&city.customer, "Nobody").await;
    for agent in [nobody.as_str(), "no id"] {
        let body = asked(QUERY, agent);
        ask(&gateway, &body).await;
        assert!(!is_ready(&city, &gateway, &body), "{agent}");
    }
}

#[tokio::test]
async fn only_a_service_that_may_is_answered_by_what_is_ready() {
    let city = City::new().await;
    city.serve("Be kind").await;
    let (gateway, watcher) =
        (city.app.gateway().await, city.app.service([ServiceScope::ActivationsWatch]).await);
    let program = city.app.program(&city.customer, [KeyScope::ConfigsRead]).await;
    let body = asked(QUERY, &city.agent);
    ask(&gateway, &body).await;
    assert!(is_ready(&city, &gateway, &body));
    // Another caller with the same request doesn't get the gateway's cached response.
    let refused = ask(&watcher, &body).await;
    assert_eq!(refused.pointer("/errors/0/extensions/code"), Some(&json!("FORBIDDEN")), "{refused}");
    let mallory = city.operator.customer("Elsewhere").await;
    let mallory = city.app.program(&mallory, [KeyScope::ConfigsRead]).await;
    assert_eq!(ask(&mallory, &body).await, json!({ "data": { "activeConfig": null } }));
    assert_eq!(ask(&program, &body).await, ask(&gateway, &body).await);
    for client in [&watcher.0, &program.0, &mallory.0, &city.editor.0] {
        ask(client, &body).await;
        assert!(!is_ready(&city, client, &body));
    }
}

#[tokio::test]
async fn what_is_ready_is_what_serves() {
    let city = City::new().await;
    let gateway = city.app.gateway().await;
    let body = asked(QUERY, &city.agent);
    let shown = async || ask(&gateway, &body).await["data"]["activeConfig"]["systemPrompt"].clone();
    for nth in 0..5 {
        let prompt = format!("Version {nth}");
        city.serve(&prompt).await;
        assert!(!is_ready(&city, &gateway, &body), "a superseded response is cached");
        // The first response fills the cache, the second comes from it.
        for _ in 0..2 {
            assert_eq!(shown().await, prompt);
        }
        assert!(is_ready(&city, &gateway, &body));
    }
    // A rename is a new configuration, although the version stays.
    let rename =
        "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { userErrors { code } } }";
    city.editor.gql(rename, json!({ "input": { "agentId": city.agent, "name": "Clerk" } })).await;
    assert_eq!(ask(&gateway, &body).await["data"]["activeConfig"]["name"], "Clerk");
    let deactivate =
        "mutation ($input: DeactivateInput!) { deactivate(input: $input) { userErrors { code } } }";
    city.operator.gql(deactivate, json!({ "input": { "agentId": city.agent } })).await;
    assert_eq!(shown().await, Value::Null);
}

#[tokio::test]
async fn a_body_that_is_no_such_query_goes_the_ordinary_way_whole() {
    let city = City::new().await;
    city.serve("Be kind").await;
    let gateway = city.app.gateway().await;
    ask(&gateway, &asked(QUERY, &city.agent)).await;
    for (body, status) in [("{", 400), ("", 400), ("{\"query\":\"{ nothing }\"}", 200)] {
        let [short, ordinary] = fast_and_ordinary(|| post(&gateway, body), &[]).await;
        assert_eq!(short.0, status, "{body}");
        assert_eq!((short.0, &short.1), (ordinary.0, &ordinary.1), "{body}");
    }
    // At the maximum length and one byte above: neither body is cut.
    for length in [
        agent_registry::graphql::CACHED_REQUEST_BYTES_MAX,
        agent_registry::graphql::CACHED_REQUEST_BYTES_MAX + 1,
    ] {
        let mut body = asked("query ($id: ID!) { activeConfig(agentId: $id) { name } }", &city.agent);
        body.push_str(&" ".repeat(length - body.len()));
        for _ in 0..2 {
            assert_eq!(ask(&gateway, &body).await["data"]["activeConfig"]["name"], "Helper");
        }
        assert_eq!(
            is_ready(&city, &gateway, &body),
            length == agent_registry::graphql::CACHED_REQUEST_BYTES_MAX
        );
    }
}
