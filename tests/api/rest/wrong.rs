//! Wrong input of every kind gives a problem, and nothing is stored.

use agent_registry::domain::member::Role;
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    strategy::ValueTree,
    test_runner::TestRunner,
};
use reqwest::{Method, RequestBuilder, header};
use serde_json::{Value, json};

use super::{City, assert_problem};
use crate::support::Answer;

/// The largest body; the service has the same limit.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

#[tokio::test]
async fn paths_and_methods() {
    let city = City::new().await;
    let before = city.revision().await;
    for path in
        ["/v1", "/v1/", "/v1/agent", "/v1/agents/", "/v1/agents/x/y/z", "/internal", "/internal/agents"]
    {
        assert_problem(&city.editor.get(path).await, 404, "NOT_FOUND");
    }
    // An id that isn't a UUID is an unknown agent.
    for id in ["1", "%00", "%FF", "..%2F..", "' OR 1=1 --", "%F0%9F%A4%96"] {
        assert_problem(&city.editor.get(&format!("/v1/agents/{id}")).await, 404, "NOT_FOUND");
        assert_problem(&city.editor.get(&format!("/internal/agents/{id}/active")).await, 404, "NOT_FOUND");
        let version = json!({ "system_prompt": "", "model_name": "m" });
        let answer = city.editor.post(&format!("/v1/agents/{id}/versions"), version).await;
        assert_problem(&answer, 404, "NOT_FOUND");
    }
    let agent = format!("/v1/agents/{}", city.agent);
    for (method, path, allow) in [
        (Method::DELETE, "/v1/agents", "GET,HEAD,POST"),
        (Method::PUT, &agent, "GET,HEAD"),
        (Method::DELETE, &agent, "GET,HEAD"),
        (Method::GET, &city.versions(), "POST"),
        (Method::OPTIONS, &city.active(), "GET,HEAD"),
        (Method::POST, &city.active(), "GET,HEAD"),
    ] {
        let answer = Answer::of(city.editor.request(method.clone(), path)).await;
        assert_problem(&answer, 405, "BAD_REQUEST");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
    assert_eq!(city.revision().await, before);
}

#[tokio::test]
async fn credentials() {
    let city = City::new().await;
    let before = city.revision().await;
    let anonymous = city.app.anonymous();
    let token = city.editor.token.clone().unwrap();
    let paths = ["/v1/agents".to_owned(), city.active(), "/v1/nothing".to_owned(), "/v1/agents/x".to_owned()];
    for path in &paths {
        let ask = |method: Method| anonymous.request(method, path);
        let twice = ask(Method::GET).bearer_auth(&token).header("authorization", format!("Bearer {token}"));
        let refused = [
            (ask(Method::GET), ""),
            (ask(Method::DELETE), ""),
            (ask(Method::POST).body("not JSON"), ""),
            (ask(Method::GET).bearer_auth("nonsense"), "invalid_token"),
            (ask(Method::GET).bearer_auth("ars_nonsense"), "invalid_token"),
            (ask(Method::GET).basic_auth("olga", Some(&token)), ""),
            (ask(Method::GET).header("authorization", &token), ""),
            (twice, "invalid_request"),
            (anonymous.request(Method::GET, &format!("{path}?access_token={token}")), "invalid_request"),
        ];
        for (request, error) in refused {
            let answer = Answer::of(request).await;
            assert_problem(&answer, 401, "UNAUTHENTICATED");
            assert_eq!(answer.challenge(), Some(error));
        }
    }
    assert_eq!(city.revision().await, before);
}

#[tokio::test]
async fn parameters() {
    let city = City::new().await;
    city.serve("Hello").await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("limit=", "limit"),
        ("after=nonsense", "after"),
        ("after=bm9uc2Vuc2U", "after"),
        ("after=%00", "after"),
        ("archived=1", "archived"),
        ("archived=", "archived"),
        ("customer_id=1", "customer_id"),
        ("customer_id=", "customer_id"),
        ("name=%00", "name"),
    ] {
        for caller in [&*city.editor, &*city.operator] {
            let answer = caller.get(&format!("/v1/agents?{query}")).await;
            assert_problem(&answer, 422, "INVALID");
            assert_eq!(answer.body["field"], field, "{query}");
        }
    }
    for (query, field, detail) in [
        ("first=1", "first", "there is no parameter `first`"),
        ("limit=1&limit=2", "limit", "the parameter `limit` may occur once"),
        ("Limit=1", "Limit", "there is no parameter `Limit`"),
    ] {
        let answer = city.editor.get(&format!("/v1/agents?{query}")).await;
        assert_problem(&answer, 400, "BAD_REQUEST");
        assert_eq!((&answer.body["field"], &answer.body["detail"]), (&json!(field), &json!(detail)));
    }
    for query in ["&&", "name=&=", "name=%F0%9F%A4%96"] {
        let answer = city.editor.get(&format!("/v1/agents?{query}")).await;
        assert!(answer.status.as_u16() < 500, "{query}: {}", answer.body);
    }
    for value in ["", "x", "-1", "+1", "1.5", "99999999999999999999"] {
        let answer = city.editor.get(&format!("{}?at_least={value}", city.active())).await;
        if value.is_empty() || value != "+1" {
            assert_problem(&answer, 422, "INVALID");
            assert_eq!(answer.body["field"], "at_least");
        }
    }
    assert_problem(&city.editor.get(&format!("{}?x=1", city.active())).await, 400, "BAD_REQUEST");
}

#[tokio::test]
async fn bodies_that_are_no_json() {
    let city = City::new().await;
    let before = city.revision().await;
    let raw = |kind: &str, body: Vec<u8>| {
        let requests = ["/v1/agents".to_owned(), city.versions()].map(|path| {
            city.editor.request(Method::POST, &path).header(header::CONTENT_TYPE, kind).body(body.clone())
        });
        async move {
            let mut answers = Vec::new();
            for request in requests {
                answers.push(Answer::of(request).await);
            }
            answers
        }
    };
    let deep = [b"{\"name\":".to_vec(), vec![b'['; 50_000]].concat();
    for body in [
        &b""[..],
        b"{",
        b"nope",
        b"{\"name\":\"\xFF\"}",
        b"{\"name\":\"\\ud800\"}",
        b"{\"name\":1e999}",
        b"{} {}",
        &deep,
    ] {
        for answer in raw("application/json", body.to_vec()).await {
            let is_data = answer.status == 422 && body.len() > 2;
            assert!(is_data || answer.status == 400, "{}", answer.body);
            assert_problem(&answer, answer.status.as_u16(), if is_data { "INVALID" } else { "BAD_REQUEST" });
        }
    }
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin1",
        "",
    ] {
        for answer in raw(kind, b"{\"name\":\"Spy\"}".to_vec()).await {
            assert_problem(&answer, 415, "BAD_REQUEST");
        }
    }
    let bare = city.editor.request(Method::POST, "/v1/agents").body("{\"name\":\"Spy\"}");
    assert_problem(&Answer::of(bare).await, 415, "BAD_REQUEST");
    let huge = format!("{{\"name\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
    let many = json!({ "name": "Spy", "a": vec![0; 100_001] }).to_string();
    for body in [huge, many] {
        for answer in raw("application/json", body.into_bytes()).await {
            assert_problem(&answer, 413, "BAD_REQUEST");
        }
    }
    assert_eq!(city.revision().await, before);
}

#[tokio::test]
async fn values_that_are_not_acceptable() {
    let city = City::new().await;
    let before = city.revision().await;
    for (change, code, field) in [
        (json!({ "system_prompt": "x".repeat(512 * 1024 + 1) }), "TOO_LARGE", "system_prompt"),
        (json!({ "system_prompt": "\0" }), "INVALID", "system_prompt"),
        (json!({ "model_name": " " }), "INVALID", "model_name"),
        (json!({ "model_parameters": [] }), "INVALID", "model_parameters"),
        (json!({ "model_parameters": { "seed": 9_007_199_254_740_993_i64 } }), "INVALID", "model_parameters"),
        (json!({ "tools": [{ "name": "a" }, { "name": "a" }] }), "INVALID", "tools.1.name"),
        (
            json!({ "tools": [{ "name": "a", "input_schema": { "type": 1 } }] }),
            "INVALID",
            "tools.0.input_schema",
        ),
        (json!({ "message": "x".repeat(2001) }), "TOO_LARGE", "message"),
        (json!({ "tools": [["a"]] }), "INVALID", "tools.0"),
        (json!({ "tools": [{ "name": "a", "strict": 1 }] }), "INVALID", "tools.0.strict"),
        (json!({ "tools": [{ "description": "a" }] }), "INVALID", "tools.0.name"),
        (json!({ "activate": "yes" }), "INVALID", "activate"),
        (json!({ "expected_latest_number": 1.5 }), "INVALID", "expected_latest_number"),
        (json!({ "unknown": 1 }), "INVALID", "unknown"),
        (json!({ "un.known": 1 }), "INVALID", ""),
        (json!({ "systemPrompt": "" }), "INVALID", "system_prompt"),
    ] {
        let mut body = json!({ "system_prompt": "", "model_name": "m" });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = city.editor.post(&city.versions(), body).await;
        assert_problem(&answer, 422, code);
        assert_eq!(answer.body["field"].as_str().unwrap_or_default(), field, "{}", answer.body);
        assert!(!answer.body["detail"].as_str().unwrap().contains("systemPrompt"), "{}", answer.body);
    }
    for (body, code, field) in [
        (json!({}), "INVALID", "name"),
        (json!([null, "List"]), "INVALID", ""),
        (json!({ "name": null }), "INVALID", "name"),
        (json!({ "name": "x", "agent": 1 }), "INVALID", "agent"),
        (json!({ "name": "" }), "INVALID", "name"),
        (json!({ "name": "x".repeat(201) }), "TOO_LARGE", "name"),
        (json!({ "name": "x", "customer_id": "1" }), "INVALID", "customer_id"),
        (json!({ "name": "x", "owner_id": "1" }), "INVALID", "owner_id"),
        (json!({ "name": "x", "owner_id": city.agent }), "INVALID", "owner_id"),
    ] {
        let answer = city.editor.post("/v1/agents", body).await;
        assert_problem(&answer, 422, code);
        assert_eq!(answer.body["field"].as_str().unwrap_or_default(), field, "{}", answer.body);
    }
    assert_eq!(city.revision().await, before);
}

/// Any JSON, often with names of known fields.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        Just("name"),
        Just("system_prompt"),
        Just("model_name"),
        Just("model_parameters"),
        Just("tools"),
        Just("message"),
        Just("activate"),
        Just("expected_latest_number"),
        Just("customer_id"),
        Just("owner_id"),
        Just("description"),
        Just("input_schema"),
        Just("$ref"),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        names.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, move |inner| {
        let names = names.clone().prop_map(str::to_owned);
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            btree_map(names, inner, 0..8).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[tokio::test]
async fn no_json_is_our_fault() {
    let city = City::new().await;
    let viewer = city.app.member(&city.customer, Role::Viewer).await;
    let mut runner = TestRunner::default();
    for _ in 0..200 {
        let body = any_json().new_tree(&mut runner).unwrap().current();
        for path in ["/v1/agents", &city.versions(), "/graphql"] {
            let before = city.revision().await;
            let send = |request: RequestBuilder| Answer::of(request.json(&body));
            let answer = send(city.editor.request(Method::POST, path)).await;
            assert!(answer.status.as_u16() < 500, "{path} {body}: {}", answer.body);
            let stored = city.revision().await - before;
            assert_eq!(stored, i64::from(answer.status == 201), "{path} {body}: {}", answer.body);
            assert_ne!(send(viewer.request(Method::POST, path)).await.status, 201);
        }
    }
}
