//! The fast path to an active configuration gives the same response as the ordinary one, and to no other callers.

use agent_registry::domain::{CallOrigin, KeyScope, Principal, ServiceScope, change::Channel};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

use crate::{rest::City, support::caller::Client};

/// Headers that differ in every response.
const VARYING_HEADERS: [&str; 2] = ["x-request-id", "date"];

/// The status, headers and body of a response, without the headers in `VARYING_HEADERS`.
async fn answer(mut request: RequestBuilder, headers: &[(&str, &str)]) -> (u16, HeaderMap, Vec<u8>) {
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, mut headers) = (response.status().as_u16(), response.headers().clone());
    assert!(VARYING_HEADERS.iter().all(|name| headers.remove(*name).is_some()));
    (status, headers, response.bytes().await.unwrap().to_vec())
}

/// The responses of the fast path and of the ordinary one: a request with `accept-encoding` takes the ordinary one.
async fn fast_and_ordinary(
    request: impl Fn() -> RequestBuilder,
    headers: &[(&str, &str)],
) -> [(u16, HeaderMap, Vec<u8>); 2] {
    let short = answer(request(), headers).await;
    [short, answer(request(), &[headers, &[("accept-encoding", "identity")]].concat()).await]
}

fn origin() -> CallOrigin {
    CallOrigin::new("test", Channel::Rest, None)
}

fn is_in_memory(city: &City, client: &Client) -> bool {
    let agent = city.agent.parse().unwrap();
    city.app.door.hub.cached_config(client.token.as_deref().unwrap(), agent).is_some()
}

#[tokio::test]
async fn both_ways_answer_the_same() {
    let city = City::new().await;
    let gateway = city.app.gateway().await;
    // A small body is never compressed, and has no `vary` on the coding.
    for prompt in ["Be kind".to_owned(), "Be kind. ".repeat(200)] {
        city.serve(&prompt).await;
        compare(&city, &gateway).await;
    }
}

async fn compare(city: &City, gateway: &Client) {
    let path = city.active();
    let tag = gateway.get(&path).await.header("etag").unwrap().to_owned();
    assert!(is_in_memory(city, gateway));
    for given in [None, Some("*"), Some(tag.as_str()), Some("\"other\""), Some("W/\"other\"")] {
        let headers: Vec<(&str, &str)> = given.map(|tag| ("if-none-match", tag)).into_iter().collect();
        let [short, ordinary] = fast_and_ordinary(|| gateway.request(Method::GET, &path), &headers).await;
        assert_eq!(short, ordinary, "{given:?}");
        let is_known = given == Some("*") || given == Some(tag.as_str());
        assert_eq!(short.0, if is_known { 304 } else { 200 }, "{given:?}");
    }
    let named = gateway.request(Method::GET, &path).header("x-request-id", "mine").send().await.unwrap();
    assert_eq!(named.headers()["x-request-id"], "mine");
}

#[tokio::test]
async fn only_a_service_that_may_is_answered_from_what_is_at_hand() {
    let city = City::new().await;
    city.serve("Be kind").await;
    let (gateway, watcher) =
        (city.app.gateway().await, city.app.service([ServiceScope::ActivationsWatch]).await);
    let program = city.app.program(&city.customer, [KeyScope::ConfigsRead]).await;
    let path = city.active();
    assert!(!is_in_memory(&city, &gateway), "it is not in memory yet");
    for (client, status) in [(&gateway.0, 200), (&watcher.0, 403), (&program.0, 200), (&city.editor.0, 200)] {
        assert_eq!(client.get(&path).await.status, status);
    }
    assert!(is_in_memory(&city, &gateway));
    // Users and keys have a rate limit and may expire. A service token needs the scope.
    for client in [&watcher.0, &program.0, &city.editor.0] {
        assert!(!is_in_memory(&city, client));
    }
    assert!(!is_in_memory(&city, &Client::new(gateway.base.clone(), Some("made up".to_owned()))));
}

#[tokio::test]
async fn what_ends_is_not_at_hand_any_more() {
    let city = City::new().await;
    city.serve("Be kind").await;
    let (gateway, path) = (city.app.gateway().await, city.active());
    let serves = async |is_served: bool| {
        let answer = gateway.get(&path).await;
        assert_eq!(
            (answer.status == 200, is_in_memory(&city, &gateway)),
            (is_served, is_served),
            "{}",
            answer.body
        );
    };
    serves(true).await;
    let run = async |mutation: &str, input: Value| {
        let answer = city.operator.gql(mutation, json!({ "input": input })).await;
        assert_eq!(answer.code(), None, "{}", answer.body);
    };
    let billing = "mutation ($input: SetBillingStatusInput!) { setBillingStatus(input: $input) { userErrors { code } } }";
    run(billing, json!({ "customerId": city.customer, "status": "SUSPENDED" })).await;
    serves(false).await;
    run(billing, json!({ "customerId": city.customer, "status": "ACTIVE" })).await;
    serves(true).await;
    let deactivate =
        "mutation ($input: DeactivateInput!) { deactivate(input: $input) { userErrors { code } } }";
    run(deactivate, json!({ "agentId": city.agent })).await;
    serves(false).await;
    city.serve("Be brief").await;
    serves(true).await;
    let token = gateway.token.as_deref().unwrap();
    let token = city.app.registry.authenticate(token, &origin()).await.unwrap();
    let Principal::Service(token) = token.principal else { panic!("a service") };
    let revoke = "mutation ($input: RevokeServiceTokenInput!) { revokeServiceToken(input: $input) { userErrors { code } } }";
    run(revoke, json!({ "serviceTokenId": token.id.to_string() })).await;
    serves(false).await;
    assert_eq!(gateway.get(&path).await.status, 401);
}
