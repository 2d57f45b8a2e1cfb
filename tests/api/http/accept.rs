//! `Accept` is a preference (RFC 9110, section 12.5.1). The service evaluates it when it knows the operation.

use reqwest::Method;
use serde_json::json;

use super::{CREATE, GRAPHQL, JSON, assert_refused, customers, get, operator, post};
use crate::{
    socket::{ACTIVATIONS, Scene, until},
    support::{Answer, App, events::Events},
};

/// Values that old and careless clients send.
const ODD: [(&str, &str); 9] = [
    // Java's HttpURLConnection.
    ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON),
    ("application/json;q=.9", JSON),
    ("application/json;q=.9, application/graphql-response+json;q=1.0", GRAPHQL),
    ("application/json;q=high", JSON),
    ("application/graphql-response+json;q=1.5", GRAPHQL),
    ("application/graphql-response+json;q", GRAPHQL),
    ("*", JSON),
    // Not a media type.
    ("json", JSON),
    (";q=0, /", JSON),
];

#[tokio::test]
async fn a_malformed_weight_takes_nothing_from_what_it_is_given_to() {
    let (_app, operator) = operator().await;
    for (accept, kind) in ODD {
        let answer = Answer::of(post(&operator, Some(accept), json!({ "query": "{ __typename }" }))).await;
        assert_eq!((answer.status.as_u16(), answer.at("/__typename")), (200, &json!("Query")), "{accept}");
        assert_eq!(
            answer.header("content-type"),
            Some(format!("{kind}; charset=utf-8").as_str()),
            "{accept}"
        );
    }
    // The service never sends a type that the client excludes, and runs nothing then.
    for accept in ["text/html", "application/json;q=0, text/html;q=.5", "*;q=.0"] {
        let answer = Answer::of(post(&operator, Some(accept), json!({ "query": CREATE }))).await;
        assert_refused(&answer, 406);
    }
    assert_eq!(customers(&operator).await, 0);
}

#[tokio::test]
async fn a_subscription_comes_as_events_to_who_takes_them_at_all() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let operator = &scene.operator;
    let body = json!({ "query": ACTIVATIONS, "variables": { "after": "0" } });
    let revision = scene.activate(1).await;
    let accepts = [
        None,
        Some(""),
        Some("*/*"),
        Some("text/*"),
        Some("application/json, text/event-stream"),
        Some("application/graphql-response+json, application/json;q=0.9, text/event-stream;q=0.1"),
        Some("text/event-stream"),
        Some("*; q=.2"),
    ];
    for accept in accepts {
        let mut events = Events::of(post(operator, accept, body.clone())).await;
        let headers = events.response.headers().clone();
        assert_eq!(headers["content-type"], "text/event-stream; charset=utf-8", "{accept:?}");
        assert_eq!(headers["vary"], "Accept, Authorization, Cookie");
        let event = events.event().await;
        assert_eq!(event["data"]["activations"]["revision"], revision[0], "{accept:?}");
    }
    let query = "subscription { activations(after: \"0\") { revision } }";
    let mut events = Events::of(get(operator, &[("query", query)]).header("accept", "*/*")).await;
    assert_eq!(events.event().await["data"]["activations"]["revision"], revision[0]);
    drop(events);
    until("no watcher is left", || app.watchers() == 0).await;

    // A client that doesn't accept events gets an error that names the media type.
    for accept in [JSON, GRAPHQL, "application/*", "*/*, text/event-stream;q=0"] {
        let answer = Answer::of(post(operator, Some(accept), body.clone())).await;
        assert_refused(&answer, 400);
        let message = answer.body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("text/event-stream"), "{message}");
    }
    // A document that doesn't parse isn't a subscription.
    let wrong = json!({ "query": "subscription { activations" });
    let answer = Answer::of(post(operator, Some("application/json, text/event-stream"), wrong)).await;
    assert_refused(&answer, 200);
    // An operation with one result gets the preferred type.
    for (accept, kind) in [("*/*", JSON), ("application/json, text/event-stream", JSON)] {
        let answer = Answer::of(post(operator, Some(accept), json!({ "query": "{ __typename }" }))).await;
        assert!(answer.header("content-type").unwrap().starts_with(kind), "{accept}");
    }
    assert_eq!((app.watchers(), app.door.sockets.open()), (0, 0));
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let (app, operator) = operator().await;
    let same = |request: reqwest::RequestBuilder| request.header("x-request-id", "same");
    let ask = |method: Method, query: &str, accept: &str| {
        Answer::of(same(
            operator.request(method, &format!("/graphql?query={query}")).header("accept", accept),
        ))
    };
    for query in ["%7B__typename%7D", "%7Bnothing%7D", "%7B", ""] {
        for accept in [JSON, GRAPHQL, "text/html"] {
            let (get, head) = (ask(Method::GET, query, accept).await, ask(Method::HEAD, query, accept).await);
            assert_eq!(get.status, head.status, "{query} {accept}");
            assert_eq!(head.body, json!(""), "{query} {accept}");
            let mut told = [get.headers, head.headers];
            told.iter_mut().for_each(|headers| drop(headers.remove("date")));
            assert_eq!(told[0], told[1], "{query} {accept}");
            assert!(told[1].contains_key("content-length"), "{query} {accept}");
        }
    }
    let anonymous = app.anonymous().request(Method::HEAD, "/graphql?query=%7B__typename%7D");
    let anonymous = Answer::of(anonymous).await;
    assert_eq!((anonymous.status.as_u16(), anonymous.challenge()), (401, Some("")));
    let stream = "/graphql?query=subscription%7Bactivations%7Brevision%7D%7D";
    let stream = operator.request(Method::HEAD, stream).send().await.unwrap();
    assert_eq!(
        (stream.status().as_u16(), stream.headers()["content-type"].to_str().unwrap()),
        (200, "text/event-stream; charset=utf-8")
    );
    until("no watcher is left", || (app.watchers(), app.door.sockets.open()) == (0, 0)).await;
}
