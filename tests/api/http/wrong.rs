//! Wrong input: bodies that aren't requests, documents that would cost too much, and unusual values.

use agent_registry::domain::member::Role;
use reqwest::Method;
use serde_json::json;

use super::{CREATE, GRAPHQL, JSON, assert_refused, customers, get, operator, post};
use crate::support::{Answer, Calls};

/// The largest body; the service has the same limit.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

#[tokio::test]
async fn only_json_of_a_bounded_size_is_read() {
    let (_app, operator) = operator().await;
    let body = json!({ "query": CREATE }).to_string();
    let raw = |kind: Option<&str>, body: String| {
        let request = operator.request(Method::POST, "/graphql").body(body);
        let request = match kind {
            Some(kind) => request.header("content-type", kind),
            None => request,
        };
        Answer::of(request)
    };
    // Types that a page of another origin may send without a preflight request.
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
        Some("application/graphql"),
        Some("text/plain; application/json"),
        Some("application/json; charset=utf-16"),
        Some("application/json; charset=utf-8; charset=utf-16"),
        Some("application/json, text/plain"),
        Some("application/jsonp"),
    ] {
        assert_refused(&raw(kind, body.clone()).await, 415);
    }
    let once = || operator.request(Method::POST, "/graphql").body(body.clone()).header("content-type", JSON);
    assert_refused(&Answer::of(once().header("content-type", "text/plain")).await, 415);
    for coding in ["gzip", "br", "identity, gzip", "Identity;q=1", "GZIP", "\u{fc}"] {
        assert_refused(&Answer::of(once().header("content-encoding", coding)).await, 415);
    }
    for text in [
        "",
        "{",
        "nope",
        "{\"query\":\"\\ud800\"}",
        "{} {}",
        "{\"query\":\"{ __typename }\",\"query\":\"{ __typename }\"}",
    ] {
        assert_refused(&raw(Some(JSON), text.to_owned()).await, 400);
    }
    assert_refused(&raw(Some(JSON), format!("{}[", "{\"a\":".repeat(50_000))).await, 400);
    let huge = json!({ "query": "#".repeat(BODY_BYTES_MAX) }).to_string();
    assert_refused(&raw(Some(JSON), huge).await, 413);
    let many = json!({ "query": "{ __typename }", "variables": { "a": vec![0; 100_001] } }).to_string();
    assert_refused(&raw(Some(JSON), many).await, 413);
    assert_eq!(customers(&operator).await, 0);
    for kind in [
        "application/json; charset=UTF-8",
        "APPLICATION/JSON",
        "application/json;charset=\"utf-8\"",
        "application/json; charset=utf8",
    ] {
        let answer = raw(Some(kind), json!({ "query": "{ __typename }" }).to_string()).await;
        assert_eq!(answer.status, 200, "{kind}");
    }
}

#[tokio::test]
async fn what_means_nothing_is_tolerated() {
    let (_app, operator) = operator().await;
    let ask =
        |body: String| operator.request(Method::POST, "/graphql").header("content-type", JSON).body(body);
    let typename = json!({ "query": "{ __typename }" }).to_string();
    // Codings are case-insensitive, and an empty list member counts as none (RFC 9110, sections 8.4.1 and 5.6.1).
    for coding in ["identity", "Identity", "IDENTITY", "", " , ", "identity, , Identity"] {
        let answer = Answer::of(ask(typename.clone()).header("content-encoding", coding)).await;
        assert_eq!(answer.status, 200, "{coding:?}: {}", answer.body);
    }
    // One byte order mark before the text is accepted.
    let marked = Answer::of(ask(format!("\u{feff}{typename}"))).await;
    assert_eq!(marked.at("/__typename"), "Query");
    assert_refused(&Answer::of(ask(format!("\u{feff}\u{feff}{typename}"))).await, 400);
    assert_refused(&Answer::of(ask("\u{feff}".to_owned())).await, 400);
    let created = ask(format!("\u{feff}{}", json!({ "query": CREATE })));
    assert_eq!(Answer::of(created).await.status, 200);
    assert_eq!(customers(&operator).await, 1);
    let rest = operator.request(Method::POST, "/v1/agents").header("content-type", JSON);
    let rest = Answer::of(rest.body(format!("\u{feff}{}", json!({ "name": "" })))).await;
    assert_eq!((rest.status.as_u16(), &rest.body["code"]), (422, &json!("INVALID")), "{}", rest.body);
    // An empty operation name counts as none.
    for name in ["", "A"] {
        let body = json!({ "query": "query A { __typename }", "operationName": name });
        assert_eq!(Answer::of(ask(body.to_string())).await.at("/__typename"), "Query", "{name:?}");
    }
    let two = json!({ "query": "query A { __typename } query B { __typename }", "operationName": "" });
    let two = Answer::of(ask(two.to_string()).header("accept", GRAPHQL)).await;
    assert_refused(&two, 400);
    let mut socket = operator.socket().await;
    let payload = json!({ "query": "{ __typename }", "operationName": "" });
    socket.send(json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
    assert_eq!(socket.event().await, json!({ "data": { "__typename": "Query" } }));
}

#[tokio::test]
async fn what_would_hurt_is_refused_at_once() {
    let (_app, operator) = operator().await;
    let bomb: String =
        (0..30).map(|n| format!("fragment F{n} on Query {{ ...F{} ...F{} }} ", n + 1, n + 1)).collect();
    let brackets = format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(2000), "]".repeat(2000));
    let documents = [
        brackets.clone(),
        brackets.replace('[', "{a:").replace(']', "}"),
        format!("{{ nodes(ids: {}", "[".repeat(100_000)),
        format!("{{ ...F0 }} {bomb} fragment F30 on Query {{ __typename }}"),
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned(),
        "{".repeat(100_000),
        format!("{{ __typename {} }}", "@a ".repeat(5000)),
        format!("{{ {} }}", "viewer { name } ".repeat(10_000)),
        format!("{{ {} }}", "a".repeat(100_000)),
    ];
    for document in documents {
        let started = std::time::Instant::now();
        let answer = Answer::of(post(&operator, Some(GRAPHQL), json!({ "query": document }))).await;
        assert_refused(&answer, 400);
        assert!(answer.body.to_string().len() < 20_000);
        assert!(started.elapsed() < std::time::Duration::from_secs(2));
        if document.len() < 6000 {
            let answer = Answer::of(get(&operator, &[("query", &document)]).header("accept", GRAPHQL)).await;
            assert_refused(&answer, 400);
        }
    }
    assert_eq!(customers(&operator).await, 0);
}

#[tokio::test]
async fn no_value_is_our_fault() {
    let (app, operator) = operator().await;
    let customer = operator.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let agent = editor.agent(&customer, "Helper").await;
    let before = app.registry.head().await.unwrap().revision.0;
    for text in ["\0", "", " ", "\u{202e}", "'; DROP TABLE agents; --", "\u{fffe}", &"x".repeat(300)] {
        let variables = json!({ "t": text, "agent": agent });
        for query in [
            "query ($t: String) { agents(filter: { name: $t }) { totalCount nodes { id } } }",
            "query ($t: String) { customers(filter: { name: $t }) { totalCount nodes { id agents(filter: { name: $t }) { totalCount nodes { id } } } } }",
            "query ($t: String) { agents(after: $t) { nodes { id } } }",
            "query ($t: ID!) { node(id: $t) { id } agent(id: $t) { id } }",
            "query ($t: ID!) { customer(id: $t) { id } }",
            "query ($t: ID!) { activeConfig(agentId: $t) { name } }",
            "query ($t: ID) { agents(customerId: $t) { totalCount nodes { id } } }",
            "mutation ($t: ID!) { archiveAgent(input: { agentId: $t }) { userErrors { code } } }",
            "mutation ($t: String!, $agent: ID!) { publishVersion(input: { agentId: $agent, systemPrompt: $t, modelName: \"\" }) { userErrors { code } } }",
        ] {
            let answer = editor.gql(query, variables.clone()).await;
            assert_eq!(answer.status, 200);
            assert_ne!(answer.code(), Some("INTERNAL"), "{query} {text:?}: {}", answer.body);
        }
    }
    assert_eq!(app.registry.head().await.unwrap().revision.0, before);
}
