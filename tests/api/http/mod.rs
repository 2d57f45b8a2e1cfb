//! GraphQL over HTTP: statuses, media types, and malformed requests.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, App, caller::Operator};

mod accept;
mod audits;
mod conditions;
mod doors;
mod persisted;
mod scopes;
mod trusted;
mod wrong;

const GRAPHQL: &str = "application/graphql-response+json";
const JSON: &str = "application/json";
const CREATE: &str = "mutation { createCustomer(input: { name: \"Sneaky\" }) { customer { id } } }";

async fn operator() -> (App, Operator) {
    let app = App::start().await;
    let operator = app.operator().await;
    (app, operator)
}

fn post(caller: &Operator, accept: Option<&str>, body: Value) -> RequestBuilder {
    let request = caller.request(Method::POST, "/graphql").json(&body);
    match accept {
        Some(accept) => request.header("accept", accept),
        None => request,
    }
}

/// `GET /graphql` with these parameters.
fn get(caller: &Operator, parameters: &[(&str, &str)]) -> RequestBuilder {
    by(Method::GET, caller, parameters)
}

/// `HEAD /graphql` with these parameters.
fn head(caller: &Operator, parameters: &[(&str, &str)]) -> RequestBuilder {
    by(Method::HEAD, caller, parameters)
}

fn by(method: Method, caller: &Operator, parameters: &[(&str, &str)]) -> RequestBuilder {
    let escape = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    caller.request(method, &format!("/graphql?{}", pairs.join("&")))
}

/// Asserts that nothing ran, and that the response reveals no internals.
fn assert_refused(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let body = answer.body.as_object().unwrap_or_else(|| panic!("{}", answer.body));
    assert!(!body.contains_key("data"), "{}", answer.body);
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("vary"), Some("Accept, Authorization"));
    let errors = body["errors"].as_array().unwrap();
    assert!(!errors.is_empty());
    for error in errors {
        let message = error["message"].as_str().unwrap();
        for inside in ["SELECT ", "sqlx", "serde", "Error {", "Some(", "Rule::", "panicked", "src/"] {
            assert!(!message.contains(inside), "{message}");
        }
        assert!(error["extensions"]["code"].is_string(), "{error}");
        assert_eq!(error["extensions"]["requestId"].as_str(), answer.header("x-request-id"));
    }
}

async fn customers(caller: &Operator) -> Value {
    caller.gql("{ customers { totalCount } }", Value::Null).await.at("/customers/totalCount").clone()
}

#[tokio::test]
async fn the_accepted_type_decides_what_a_status_says() {
    let (_app, operator) = operator().await;
    let fields: String = (0..200).map(|n| format!("a{n}: __typename ")).collect();
    // Requests, each with its status for clients that accept `application/graphql-response+json`, and for others.
    let asked = [
        (json!({ "query": "{ __typename }" }), 200, 200),
        (json!({ "query": "{" }), 400, 200),
        (json!({ "query": "{ nothing }" }), 400, 200),
        (json!({ "query": "" }), 400, 200),
        (json!({ "query": "{ a: __typename } { b: __typename }" }), 400, 200),
        (json!({ "query": "query A { __typename }", "operationName": "B" }), 400, 200),
        (json!({ "query": "query ($id: ID!) { node(id: $id) { id } }" }), 400, 200),
        (
            json!({ "query": "query ($id: ID!) { node(id: $id) { id } }", "variables": { "id": null } }),
            400,
            200,
        ),
        (
            json!({ "query": "query ($n: Int!) { customers(first: 1) { totalCount } a: customers(first: $n) { totalCount } }" }),
            400,
            200,
        ),
        (
            json!({ "query": "query ($n: Int) { customers(first: $n) { totalCount } }", "variables": { "n": "x" } }),
            400,
            200,
        ),
        (json!({ "query": format!("{{ {fields} }}") }), 400, 200),
        (json!({ "query": "{ customers(first: 101) { totalCount } }" }), 200, 200),
        (json!({ "query": "{ customers(first: 1, after: \"x\") { totalCount } }" }), 200, 200),
        (json!({}), 400, 400),
        (json!({ "query": 1 }), 400, 400),
        (json!({ "query": null }), 400, 400),
        (json!({ "query": "{ __typename }", "variables": [] }), 400, 400),
        (json!({ "query": "{ __typename }", "variables": "{}" }), 400, 400),
        (json!({ "query": "{ __typename }", "operationName": 1 }), 400, 400),
        (json!({ "query": "{ __typename }", "extensions": "x" }), 400, 400),
        (json!([{ "query": "{ __typename }" }]), 400, 400),
        (json!(["{ __typename }"]), 400, 400),
        (json!("{ __typename }"), 400, 400),
        (Value::Null, 400, 400),
    ];
    let accepts = [
        (Some(GRAPHQL), true),
        (Some("text/html, application/graphql-response+json;q=0.9, application/json;q=0.8"), true),
        (Some("application/graphql-response+json; charset=utf-8, */*;q=0.1"), true),
        (Some(JSON), false),
        (Some("application/json, application/graphql-response+json;q=0.5"), false),
        (Some("application/json;q=0, */*;q=0.1"), true),
        (Some("*/*, application/graphql-response+json"), true),
        (Some("*/*"), false),
        (Some("application/*"), false),
        (Some(""), false),
        (None, false),
    ];
    for (accept, understands) in accepts {
        for (body, graphql, json) in &asked {
            let answer = Answer::of(post(&operator, accept, body.clone())).await;
            let status = if understands { *graphql } else { *json };
            assert_eq!(answer.status, status, "{accept:?} {body}: {}", answer.body);
            let kind = if understands { GRAPHQL } else { JSON };
            let kind = format!("{kind}; charset=utf-8");
            assert_eq!(answer.header("content-type"), Some(kind.as_str()), "{accept:?} {body}");
            if *graphql != 200 {
                assert_refused(&answer, status);
            } else {
                assert!(answer.body.get("data").is_some(), "{}", answer.body);
            }
        }
    }
    for accept in
        ["text/html", "text/event-stream;q=0", "application/json;q=0", "*/*;q=0", "application/xml, image/*"]
    {
        let answer = Answer::of(post(&operator, Some(accept), json!({ "query": CREATE }))).await;
        assert_refused(&answer, 406);
    }
    assert_eq!(customers(&operator).await, 0);
}

#[tokio::test]
async fn get_is_for_queries() {
    let (_app, operator) = operator().await;
    let two = "query A { a: __typename } query B($n: Int) { customers(first: $n) { nodes { id } } }";
    let answer = Answer::of(get(&operator, &[("query", two), ("operationName", "A")])).await;
    assert_eq!((answer.status.as_u16(), answer.at("/a")), (200, &json!("Query")));
    let with = [("query", two), ("operationName", "B"), ("variables", "{\"n\":5}"), ("extensions", "{}")];
    assert_eq!(Answer::of(get(&operator, &with)).await.at("/customers/nodes"), &json!([]));
    let empty = [
        ("query", "{ __typename }"),
        ("documentId", ""),
        ("operationName", ""),
        ("variables", ""),
        ("extensions", ""),
    ];
    assert_eq!(Answer::of(get(&operator, &empty)).await.at("/__typename"), "Query");

    for parameters in [
        &[("variables", "{}")][..],
        &[("query", "{ __typename }"), ("variables", "[]")],
        &[("query", "{ __typename }"), ("variables", "{")],
        &[("query", "{ __typename }"), ("extensions", "1")],
        &[("query", "{ __typename }"), ("query", "{ __typename }")],
        // A form sends empty fields, which count as absent.
        &[("query", "")],
        &[("query", ""), ("documentId", ""), ("variables", ""), ("extensions", "")],
    ] {
        assert_refused(&Answer::of(get(&operator, parameters)).await, 400);
    }
    let bare = Answer::of(operator.request(Method::GET, "/graphql")).await;
    assert_refused(&bare, 400);
    // Percent-encoded bytes that aren't UTF-8 must not be read as U+FFFD.
    for query in [
        "query={__typename}%ff",
        "query={__typename}&operationName=%C3%28",
        "query=%7B__typename%7D&%FF=",
        "query=%zz",
        "x=%",
    ] {
        let answer = Answer::of(operator.request(Method::GET, &format!("/graphql?{query}"))).await;
        assert_refused(&answer, 400);
        assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains("UTF-8"), "{}", answer.body);
    }

    let mixed = format!("query Q {{ __typename }} {}", CREATE.replacen("mutation", "mutation M", 1));
    for (query, name) in [(CREATE, ""), (&mixed, "M")] {
        for accept in [GRAPHQL, JSON] {
            let parameters = [("query", query), ("operationName", name)];
            let answer = Answer::of(get(&operator, &parameters).header("accept", accept)).await;
            assert_refused(&answer, 405);
            assert_eq!(answer.header("allow"), Some("POST"));
        }
        let head = head(&operator, &[("query", query), ("operationName", name)]).send().await.unwrap();
        assert_eq!((head.status().as_u16(), head.headers()["allow"].to_str().unwrap()), (405, "POST"));
    }
    assert_eq!(Answer::of(get(&operator, &[("query", &mixed), ("operationName", "Q")])).await.status, 200);
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS] {
        let request = operator.request(method, "/graphql").json(&json!({ "query": CREATE }));
        let answer = Answer::of(request).await;
        assert_refused(&answer, 405);
        assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"));
    }
    let subscription = json!({ "query": "subscription { activations { id } }" });
    assert_refused(&Answer::of(post(&operator, Some(GRAPHQL), subscription)).await, 400);
    assert_eq!(customers(&operator).await, 0);
}

#[tokio::test]
async fn who_it_is_is_said_in_one_header() {
    let (app, operator) = operator().await;
    let anonymous = app.anonymous();
    let token = operator.token.clone().unwrap();
    let body = json!({ "query": "{ __schema { queryType { name } } }", "access_token": token });
    let ask = |path: &str| anonymous.request(Method::POST, path).json(&body);
    let in_address = format!("/graphql?query=%7B__typename%7D&access_token={token}");
    let refused = [
        (ask("/graphql"), ""),
        (ask(&format!("/graphql?access_token={token}&token={token}")), "invalid_request"),
        (ask("/graphql").header("cookie", format!("access_token={token}; token={token}")), ""),
        (ask("/graphql").bearer_auth(""), "invalid_request"),
        (ask("/graphql").bearer_auth("nonsense"), "invalid_token"),
        (ask("/graphql").bearer_auth("ars_nonsense"), "invalid_token"),
        (ask("/graphql").bearer_auth(format!("{token}x")), "invalid_token"),
        (ask("/graphql").bearer_auth(format!("{token} {token}")), "invalid_token"),
        (ask("/graphql").basic_auth("olga", Some(&token)), ""),
        (ask("/graphql").header("authorization", &token), ""),
        (ask("/graphql").bearer_auth(&token).bearer_auth(&token), "invalid_request"),
        (anonymous.request(Method::GET, &in_address), "invalid_request"),
        (anonymous.request(Method::GET, &in_address).bearer_auth(&token), "invalid_request"),
    ];
    for (request, error) in refused {
        for accept in [GRAPHQL, JSON] {
            let answer = Answer::of(request.try_clone().unwrap().header("accept", accept)).await;
            assert_refused(&answer, 401);
            // Without a credential the challenge has no error (RFC 6750, section 3.1).
            assert_eq!(answer.challenge(), Some(error));
            assert_eq!(answer.body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
            assert!(!answer.body.to_string().contains(&token));
        }
    }
    let lower = ask("/graphql").header("authorization", format!("bearer {token}"));
    assert_eq!(Answer::of(lower).await.status, 200);
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_another_replaced() {
    let (_app, operator) = operator().await;
    let ask = async |id: &[u8]| {
        let value = reqwest::header::HeaderValue::from_bytes(id).unwrap();
        let request = post(&operator, None, json!({ "query": "{ nothing }" })).header("x-request-id", value);
        let answer = Answer::of(request).await;
        assert_refused(&answer, 200);
        answer.header("x-request-id").unwrap().to_owned()
    };
    for sane in ["a", "trace-1.2_3", &"x".repeat(64)] {
        assert_eq!(ask(sane.as_bytes()).await, sane);
    }
    let wrong =
        [b"".to_vec(), b"a b".to_vec(), b"<script>".to_vec(), vec![b'x'; 65], "é".as_bytes().to_vec()];
    for wrong in wrong {
        let given = ask(&wrong).await;
        assert_eq!(given.len(), 36, "{given} is a UUID");
    }
}
