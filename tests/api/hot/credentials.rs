//! A credential in memory becomes invalid at the time in its row: in real time, and after both clocks have moved.
//!
//! Each test first shows that the credential comes from memory, by counting statements.

use std::time::Duration;

use agent_registry::domain::{KeyScope, member::Role};
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    rest::City,
    support::{
        app::Instance,
        caller::Client,
        wait::{eventually, until},
    },
};

const NAME: &str = "{ viewer { name } }";
const CREATE: &str =
    "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } secret } }";

/// Over REST, because GraphQL checks the credential again after it has read the body.
async fn status(client: &Client) -> u16 {
    client.get("/v1/agents").await.status.as_u16()
}

/// Sends requests until the credential comes from memory, so that a request runs no statement.
async fn warm(app: &Instance, client: &Client) {
    eventually("the credential is served from memory", async || {
        until("the instance holds its lease", || app.door.hub.age() < Duration::from_millis(500)).await;
        // This query reads only the caller itself.
        let before = app.registry.statements();
        assert_eq!(client.gql(NAME, Value::Null).await.status, 200);
        app.registry.statements() == before
    })
    .await;
}

/// An API key of this customer with this lifetime. Returns its id and a client.
async fn key(city: &City, ends_in: Option<Duration>) -> (String, Client) {
    let ends_at = ends_in.map(|time| city.app.clock.now() + TimeDelta::from_std(time).unwrap());
    let input =
        json!({ "customerId": city.customer, "name": "k", "scopes": ["AGENTS_READ"], "expiresAt": ends_at });
    let made = city.operator.gql(CREATE, json!({ "input": input })).await;
    (made.text("/createApiKey/apiKey/id"), city.app.bearer(&made.text("/createApiKey/secret")))
}

#[tokio::test]
async fn a_key_in_memory_is_refused_from_its_end_on() {
    let city = City::new().await;
    let ends = Duration::from_secs(3);
    let end = Instant::now() + ends;
    let (_, ending) = key(&city, Some(ends)).await;
    warm(&city.app, &ending).await;
    sleep_until(end + Duration::from_millis(100)).await;
    assert_eq!(status(&ending).await, 401);

    let (_, ending) = key(&city, Some(Duration::from_secs(600))).await;
    warm(&city.app, &ending).await;
    city.app.let_pass(TimeDelta::seconds(599)).await;
    warm(&city.app, &ending).await;
    city.app.let_pass(TimeDelta::seconds(2)).await;
    assert_eq!(status(&ending).await, 401);
}

#[tokio::test]
async fn a_rotation_reaches_a_key_in_memory() {
    let city = City::new().await;
    let rotate = "mutation ($id: ID!, $overlap: Int) { rotateApiKey(input: { apiKeyId: $id, overlapSeconds: $overlap }) { secret } }";
    let (id, old) = key(&city, None).await;
    warm(&city.app, &old).await;
    let begun = Instant::now();
    city.operator.gql(rotate, json!({ "id": id, "overlap": 2 })).await.text("/rotateApiKey/secret");
    if begun.elapsed() < Duration::from_secs(1) {
        assert_eq!(status(&old).await, 200, "the old key is accepted during the overlap");
    }
    sleep(Duration::from_millis(2100)).await;
    assert_eq!(status(&old).await, 401);

    let (id, old) = key(&city, None).await;
    warm(&city.app, &old).await;
    city.operator.gql(rotate, json!({ "id": id, "overlap": 0 })).await.text("/rotateApiKey/secret");
    assert_eq!(status(&old).await, 401, "without an overlap the old key is rejected at once");
}

/// The larger plan allows bursts of 400 requests, the smaller one of 100.
#[tokio::test]
async fn a_key_in_memory_has_its_customers_plan_of_now() {
    let city = City::new().await;
    let viewer = city.app.member(&city.customer, Role::Viewer).await;
    let (_, program) = key(&city, None).await;
    for client in [&program, &*viewer] {
        warm(&city.app, client).await;
    }
    let set = "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: PRO }) { revision } }";
    city.operator.gql(set, json!({ "id": city.customer })).await.text("/setPlan/revision");
    for client in [&program, &*viewer] {
        let answers = join_all((0..300).map(|_| client.gql(NAME, Value::Null))).await;
        let refused = answers.iter().filter(|answer| answer.status == 429).count();
        assert_eq!(refused, 0, "of 300 requests of a caller on the larger plan");
    }
}

/// A key that is revoked is rejected at once, although it is in memory.
#[tokio::test]
async fn a_revoked_credential_in_memory_is_refused_at_once() {
    let city = City::new().await;
    let (id, program) = key(&city, None).await;
    warm(&city.app, &program).await;
    let revoke = "mutation ($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { revision } }";
    city.operator.gql(revoke, json!({ "id": id })).await.text("/revokeApiKey/revision");
    assert_eq!(status(&program).await, 401);
    let gateway = city.app.program(&city.customer, [KeyScope::AgentsRead]).await;
    warm(&city.app, &gateway).await;
    assert_eq!(status(&gateway).await, 200, "another key is not concerned");
}
