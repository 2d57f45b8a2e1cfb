//! Persisted queries by hash (Apollo's protocol), over HTTP and WebSocket.

use agent_registry::domain::KeyScope;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{CREATE, GRAPHQL, JSON, assert_refused, customers, get, operator, post};
use crate::support::{
    Answer, App,
    caller::{Operator, Program},
    socket::{Frame, Socket},
};

const COUNT: &str = "query Count { customers { totalCount } }";

pub(super) fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// The extension with a document's hash.
fn named(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

/// Sends the hash, with or without the text.
async fn ask(caller: &Operator, text: Option<&str>, hash: &str) -> Answer {
    let mut body = json!({ "extensions": named(hash) });
    if let Some(text) = text {
        body["query"] = text.into();
    }
    Answer::of(post(caller, Some(GRAPHQL), body)).await
}

fn code(answer: &Answer) -> &str {
    answer.body["errors"][0]["extensions"]["code"].as_str().unwrap()
}

/// Asserts that the service doesn't know this hash.
async fn assert_unknown(caller: &Operator, hash: &str) {
    let answer = ask(caller, None, hash).await;
    assert_refused(&answer, 400);
    assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(answer.body["errors"][0]["message"], "PersistedQueryNotFound");
}

/// The first message of an operation over WebSocket.
pub(super) async fn over_socket(app: &App, caller: &Operator, payload: Value) -> Value {
    let mut socket = Socket::open(&app.base, caller.token.as_deref()).await;
    socket.send(json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
    match socket.next().await {
        Frame::Message(message) => message,
        closed @ Frame::Closed(..) => panic!("{closed:?}"),
    }
}

#[tokio::test]
async fn a_document_that_was_sent_once_is_known_by_its_hash() {
    let (app, operator) = operator().await;
    let hash = sha256(COUNT);
    assert_unknown(&operator, &hash).await;
    let of_old = Answer::of(post(&operator, Some(JSON), json!({ "extensions": named(&hash) }))).await;
    assert_refused(&of_old, 200);
    let refused = over_socket(&app, &operator, json!({ "extensions": named(&hash) })).await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("1")));
    assert_eq!(refused["payload"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");

    let count = json!({ "customers": { "totalCount": 0 } });
    assert_eq!(ask(&operator, Some(COUNT), &hash).await.at(""), &count);
    assert_eq!(ask(&operator, None, &hash).await.at(""), &count);
    let (extensions, id) = (named(&hash).to_string(), format!("sha256:{hash}"));
    for parameters in [
        &[("extensions", extensions.as_str())][..],
        &[("documentId", &id)],
        &[("documentId", &id), ("query", COUNT)],
    ] {
        let answer = Answer::of(get(&operator, parameters)).await;
        assert_eq!((answer.status.as_u16(), answer.at("")), (200, &count), "{parameters:?}");
    }
    let by_id = post(&operator, None, json!({ "documentId": id, "query": null }));
    assert_eq!(Answer::of(by_id).await.at(""), &count);
    let next = over_socket(&app, &operator, json!({ "extensions": named(&hash) })).await;
    assert_eq!((&next["type"], &next["payload"]["data"]), (&json!("next"), &count));

    // The hash is no credential: a caller without one is rejected.
    let anonymous = app.anonymous();
    let request = anonymous.request(Method::POST, "/graphql").json(&json!({ "extensions": named(&hash) }));
    assert_refused(&Answer::of(request).await, 401);
    // The hash reveals nothing about other callers: only the tenant that sent the text finds it.
    let stranger = Operator(app.user("stranger", None));
    assert_unknown(&stranger, &hash).await;
    assert!(ask(&stranger, Some(COUNT), &hash).await.status.is_success());
    assert!(ask(&stranger, None, &hash).await.status.is_success());

    // A document sent over a socket is known on every transport.
    let other = "{ customers(first: 1) { totalCount } }";
    let learnt = json!({ "query": other, "extensions": named(&sha256(other)) });
    assert_eq!(over_socket(&app, &operator, learnt).await["payload"]["data"], count);
    assert_eq!(ask(&operator, None, &sha256(other)).await.at(""), &count);
}

#[tokio::test]
async fn a_document_is_found_by_its_hash_by_its_own_tenant_only() {
    let (app, operator) = operator().await;
    let (one, other) = (operator.customer("One").await, operator.customer("Other").await);
    let program = async |customer: &str| app.program(customer, [KeyScope::AgentsRead]).await;
    let (first, second, stranger) = (program(&one).await, program(&one).await, program(&other).await);
    let send = async |key: &Program, body: Value| {
        Answer::of(key.request(Method::POST, "/graphql").json(&body)).await
    };

    // A literal can be guessed. With the hash alone, the guess can't be confirmed.
    let text = "{ agents(filter: {nameContains: \"Permit\"}) { totalCount } }";
    let by_hash = json!({ "extensions": named(&sha256(text)) });
    let with_text = json!({ "query": text, "extensions": named(&sha256(text)) });
    assert_eq!(code(&send(&first, by_hash.clone()).await), "PERSISTED_QUERY_NOT_FOUND");
    send(&first, with_text).await.at("/agents/totalCount");
    send(&first, by_hash.clone()).await.at("/agents/totalCount");
    send(&second, by_hash.clone()).await.at("/agents/totalCount");
    assert_eq!(code(&send(&stranger, by_hash).await), "PERSISTED_QUERY_NOT_FOUND");

    // A text sent without its hash isn't found by its hash, although the service has validated and cached it.
    let text = "query Count { agents { totalCount } }";
    for key in [&first, &stranger] {
        send(key, json!({ "query": text })).await.at("/agents/totalCount");
        let answer = send(key, json!({ "extensions": named(&sha256(text)) })).await;
        assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_FOUND");
    }
}

#[tokio::test]
async fn a_mutation_by_its_hash_is_no_query() {
    let (_app, operator) = operator().await;
    let hash = sha256(CREATE);
    let extensions = named(&hash).to_string();
    let with_text = [("query", CREATE), ("extensions", extensions.as_str())];
    assert_refused(&Answer::of(get(&operator, &with_text)).await, 405);
    for _ in 0..2 {
        let answer = Answer::of(get(&operator, &with_text[1..])).await;
        assert_refused(&answer, 405);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    assert_eq!(customers(&operator).await, 0);
    assert_eq!(ask(&operator, None, &hash).await.status, 200);
    assert_eq!(customers(&operator).await, 1);
}

#[tokio::test]
async fn a_wrong_hash_runs_nothing_and_teaches_nothing() {
    let (_app, operator) = operator().await;
    for hash in [sha256(COUNT), sha256("x"), String::new(), "x".repeat(64), "ab".repeat(5_000)] {
        let answer = ask(&operator, Some(CREATE), &hash).await;
        assert_refused(&answer, 400);
        assert_eq!(code(&answer), "BAD_USER_INPUT");
        assert_unknown(&operator, &hash).await;
    }
    assert_unknown(&operator, &sha256(CREATE)).await;
    let hash = sha256(CREATE);
    for (extension, expected) in [
        (json!({ "version": 2, "sha256Hash": hash }), "PERSISTED_QUERY_NOT_SUPPORTED"),
        (json!({ "version": "1", "sha256Hash": hash }), "BAD_USER_INPUT"),
        (json!({ "sha256Hash": hash }), "BAD_USER_INPUT"),
        (json!({ "version": 1 }), "BAD_USER_INPUT"),
        (json!({ "version": 1, "sha256Hash": null }), "BAD_USER_INPUT"),
        (json!(hash), "BAD_USER_INPUT"),
        (json!([]), "BAD_USER_INPUT"),
    ] {
        for query in [json!(CREATE), Value::Null] {
            let body = json!({ "query": query, "extensions": { "persistedQuery": extension } });
            let answer = Answer::of(post(&operator, Some(GRAPHQL), body)).await;
            assert_refused(&answer, 400);
            assert_eq!(code(&answer), expected, "{extension}");
        }
    }
    let contradicts = json!({ "documentId": "sha256:00", "query": CREATE, "extensions": named(&hash) });
    assert_refused(&Answer::of(post(&operator, Some(GRAPHQL), contradicts)).await, 400);
    for id in ["", "1", "sha256:", &hash] {
        let answer = Answer::of(post(&operator, Some(GRAPHQL), json!({ "documentId": id }))).await;
        assert_refused(&answer, 400);
        assert_eq!(code(&answer), "PERSISTED_QUERY_NOT_FOUND", "{id}");
    }
    // Without a document the request is malformed, whatever type the response has.
    for extensions in [json!({}), json!({ "persistedQuery": null }), Value::Null] {
        let body = json!({ "documentId": null, "extensions": extensions });
        assert_refused(&Answer::of(post(&operator, Some(JSON), body)).await, 400);
    }
    assert_eq!(customers(&operator).await, 0);
}

#[tokio::test]
async fn what_the_guard_refuses_is_not_remembered() {
    let (_app, operator) = operator().await;
    let deep = format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(2000), "]".repeat(2000));
    let wide = format!("{{ {} }}", "a: __typename ".repeat(200));
    for (document, expected) in
        [(deep.as_str(), "QUERY_TOO_COMPLEX"), (&wide, "QUERY_TOO_COMPLEX"), ("{", "BAD_USER_INPUT")]
    {
        let hash = sha256(document);
        for _ in 0..2 {
            let answer = ask(&operator, Some(document), &hash).await;
            assert_refused(&answer, 400);
            assert_eq!(code(&answer), expected);
            assert_unknown(&operator, &hash).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_is_bounded_and_what_is_used_stays_in_it() {
    let (_app, operator) = operator().await;
    // About 250 of these fill the cache.
    let pad = "#".repeat(60_000);
    let document = |n: usize| format!("query Q{n} {{ __typename }} {pad}");
    let used = document(0);
    ask(&operator, Some(&used), &sha256(&used)).await;
    for n in 1..400 {
        let document = document(n);
        assert_eq!(ask(&operator, Some(&document), &sha256(&document)).await.status, 200);
        if n % 20 == 0 {
            assert_eq!(ask(&operator, None, &sha256(&used)).await.status, 200, "after {n}");
        }
    }
    let mut forgotten = 0;
    for n in 1..400 {
        let answer = ask(&operator, None, &sha256(&document(n))).await;
        forgotten += usize::from(answer.body.get("errors").is_some());
    }
    assert!(forgotten > 100, "{forgotten} of 399 were evicted");
    assert_eq!(ask(&operator, None, &sha256(&used)).await.status, 200);
}
