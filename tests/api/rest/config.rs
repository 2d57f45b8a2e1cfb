//! REST endpoint of the active configuration: its content, and conditional requests.

use std::time::{Duration, Instant};

use agent_registry::domain::ServiceScope;
use reqwest::Method;
use serde_json::{Value, json};

use super::{City, assert_problem};
use crate::support::{Answer, Calls};

#[tokio::test]
async fn what_the_runtime_gets_has_the_contracts_fields_in_its_order() {
    let city = City::new().await;
    city.serve("Hello").await;
    let gateway = city.app.service([ServiceScope::ConfigsRead]).await;
    let text = gateway.request(Method::GET, &city.active()).send().await.unwrap().text().await.unwrap();
    let fields = "agent_id environment_key customer_id name version_id version_number system_prompt model_name model_parameters \
                  tools extensions content_hash bytes_hash activated_at revision";
    let places: Vec<_> =
        fields.split(' ').map(|field| text.find(&format!("\"{field}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{text}");
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body.as_object().unwrap().len(), places.len());
}

#[tokio::test]
async fn a_configuration_that_is_known_is_not_sent_again() {
    let city = City::new().await;
    city.serve("One").await;
    let gateway = city.app.gateway().await;
    let first = gateway.get(&city.active()).await;
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.len() == 34, "{tag} is strong");
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    assert_eq!(first.header("vary"), Some("Authorization"));
    assert_eq!(first.header("content-type"), Some("application/json"));

    let ask = |known: String| {
        Answer::of(gateway.request(Method::GET, &city.active()).header("if-none-match", known))
    };
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let answer = ask(known).await;
        assert_eq!((answer.status.as_u16(), &answer.body), (304, &json!("")));
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"));
        assert_eq!(answer.header("vary"), Some("Authorization"));
    }
    assert_eq!(ask("\"other\"".to_owned()).await.status, 200);

    let head = Answer::of(gateway.request(Method::HEAD, &city.active())).await;
    assert_eq!((head.status.as_u16(), &head.body), (200, &json!("")));
    assert_eq!(head.header("etag"), Some(tag.as_str()));
    assert_eq!(head.header("content-length"), first.header("content-length"));

    city.serve("Two").await;
    let second = ask(tag.clone()).await;
    assert_eq!((second.status.as_u16(), &second.body["system_prompt"]), (200, &json!("Two")));
    assert_ne!(second.header("etag"), Some(tag.as_str()));
}

/// The same version activated again gives another response, because the response contains the revision and the time
/// of activation.
#[tokio::test]
async fn what_serves_again_after_a_pause_has_another_tag() {
    let city = City::new().await;
    let made = city.serve("One").await;
    let gateway = city.app.gateway().await;
    let first = gateway.get(&city.active()).await;
    let tag = first.header("etag").unwrap().to_owned();
    let input = json!({ "id": city.agent });
    let deactivate = "mutation ($id: ID!) { deactivate(input: { agentId: $id }) { revision } }";
    city.editor.gql(deactivate, input).await.text("/deactivate/revision");
    city.editor.activate(&city.agent, made.body["id"].as_str().unwrap()).await;
    let request = gateway.request(Method::GET, &city.active()).header("if-none-match", &tag);
    let again = Answer::of(request).await;
    assert_eq!(again.status, 200, "{}", again.body);
    assert_eq!(again.body["version_id"], first.body["version_id"]);
    assert_eq!(again.body["revision"], city.revision().await);
    assert_ne!(again.header("etag"), Some(tag.as_str()));
    // The revision alone changes the tag: the name is changed, and changed back.
    for name in ["Other", "Helper"] {
        let update = "mutation ($id: ID!, $name: String!) { updateAgent(input: { agentId: $id, name: $name }) { revision } }";
        let input = json!({ "id": city.agent, "name": name });
        city.editor.gql(update, input).await.text("/updateAgent/revision");
    }
    let renamed = gateway.get(&city.active()).await;
    let without = |answer: &Answer| {
        let mut body = answer.body.clone();
        body["revision"].take();
        body
    };
    assert_eq!(without(&renamed), without(&again));
    assert_ne!(renamed.header("etag"), again.header("etag"));
}

#[tokio::test]
async fn an_answer_is_never_older_than_asked_for() {
    let city = City::new().await;
    let gateway = city.app.gateway().await;
    let other = city.app.another().await;
    for round in 0..10 {
        let made = city.serve(&format!("Round {round}")).await;
        let path = format!("{}?at_least={}", city.active(), made.body["revision"]);
        let there = other.bearer(gateway.token.as_deref().unwrap());
        let answer = there.get(&path).await;
        assert_eq!(answer.body["version_id"], made.body["id"], "{}", answer.body);
    }
    let started = Instant::now();
    let future = format!("{}?at_least={}", city.active(), city.revision().await + 1);
    let answer = gateway.get(&future).await;
    assert_problem(&answer, 503, "UNAVAILABLE");
    assert_eq!(answer.header("retry-after"), Some("1"));
    let waited = started.elapsed();
    assert!(waited > Duration::from_millis(1900) && waited < Duration::from_secs(10), "{waited:?}");
    other.stop().await;
}

#[tokio::test]
async fn nothing_active_and_suspended_say_so() {
    let city = City::new().await;
    let gateway = city.app.gateway().await;
    let none = gateway.get(&city.active()).await;
    assert_problem(&none, 404, "NOT_ACTIVE");
    assert_eq!(none.body["type"], "/problems/not-active");
    let made = city.serve("Hello").await;
    let stale = json!({ "system_prompt": "", "model_name": "m", "expected_latest_number": 0 });
    let conflict = city.editor.post(&city.versions(), stale).await;
    assert_problem(&conflict, 409, "CONFLICT");
    assert_eq!(conflict.body["field"], "expected_latest_number");

    let suspend = "mutation ($id: ID!) { setBillingStatus(input: { customerId: $id, status: SUSPENDED }) { revision } }";
    city.operator.gql(suspend, json!({ "id": city.customer })).await.text("/setBillingStatus/revision");
    assert_problem(&gateway.get(&city.active()).await, 403, "SUSPENDED");
    let refused = city.editor.post("/v1/agents", json!({ "name": "More" })).await;
    assert_problem(&refused, 403, "SUSPENDED");
    assert_eq!(city.editor.get(&format!("/v1/agents/{}", city.agent)).await.status, 200);
    assert_eq!(city.revision().await, made.body["revision"].as_i64().unwrap() + 1);
}
