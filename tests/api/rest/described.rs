//! The description of REST, and what holds for each endpoint in it.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{City, NOBODY, assert_problem};
use crate::support::{Answer, App};

fn document() -> Value {
    serde_json::from_str(&agent_registry::app::openapi()).unwrap()
}

/// Each path with its described methods.
fn endpoints() -> Vec<(String, Vec<String>)> {
    let document = document();
    let paths = document["paths"].as_object().unwrap().iter();
    paths.map(|(path, item)| (path.clone(), item.as_object().unwrap().keys().cloned().collect())).collect()
}

/// Replaces the path's parameters with values that exist.
fn filled(path: &str, city: &City, version: &str) -> String {
    let id = if path.contains("/customers/") { &city.customer } else { &city.agent };
    path.replace("{id}", id).replace("{version_id}", version).replace("{name}", "not-found")
}

#[tokio::test]
async fn the_description_is_served_to_everyone_and_only_once() {
    let app = App::start().await;
    let anonymous = app.anonymous();
    let answer = anonymous.get("/openapi.json").await;
    assert_eq!((answer.status.as_u16(), &answer.body), (200, &document()));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    let tag = answer.header("etag").unwrap();
    let again = anonymous.request(Method::GET, "/openapi.json").header("if-none-match", tag);
    let again = Answer::of(again).await;
    assert_eq!((again.status.as_u16(), &again.body), (304, &json!("")));
    assert_eq!(again.header("etag"), Some(tag));
    assert_eq!(again.header("content-type"), None);
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let city = City::new().await;
    let served = city.serve("Hello").await;
    let version = served.body["id"].as_str().unwrap();
    for (path, methods) in endpoints().iter().filter(|(_, methods)| methods.contains(&"get".to_owned())) {
        let path = filled(path, &city, version);
        let ask =
            |method: Method| Answer::of(city.operator.request(method, &path).header("x-request-id", "same"));
        let (get, head) = (ask(Method::GET).await, ask(Method::HEAD).await);
        assert_eq!(get.status, head.status, "{path} {methods:?}");
        // `/metrics` is 404 when another service of this process has the recorder.
        assert!(get.status == StatusCode::OK || path == "/metrics", "{path}: {}", get.body);
        assert_eq!(head.body, json!(""), "{path}");
        let mut told = [&get.headers, &head.headers].map(Clone::clone);
        for headers in &mut told {
            headers.remove("date");
            // The framing of a streamed body, which HEAD may omit (RFC 9110, section 9.3.2).
            headers.remove("transfer-encoding");
            if path == "/metrics" || path == "/readyz" {
                headers.remove("content-length");
            }
        }
        assert_eq!(told[0], told[1], "{path}");
        let Some(tag) = get.header("etag") else { continue };
        let known = Answer::of(city.operator.request(Method::HEAD, &path).header("if-none-match", tag)).await;
        assert_eq!((known.status.as_u16(), known.header("etag")), (304, Some(tag)), "{path}");
    }
    let refused = Answer::of(city.operator.request(Method::HEAD, "/v1/agents/nobody")).await;
    assert_eq!((refused.status.as_u16(), refused.body), (404, json!("")));
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let city = City::new().await;
    for (path, methods) in endpoints() {
        let mut there: BTreeSet<_> = methods.iter().map(|method| method.to_uppercase()).collect();
        if there.contains("GET") {
            there.insert("HEAD".to_owned());
        }
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            if there.contains(method) {
                continue;
            }
            let request = city.operator.request(method.parse().unwrap(), &filled(&path, &city, NOBODY));
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{method} {path}");
            assert_eq!(answer.body["type"], "about:blank");
            assert_eq!(answer.body["title"], "Method Not Allowed");
            let allowed = answer.header("allow").unwrap().split(',').map(str::trim);
            assert_eq!(allowed.map(str::to_owned).collect::<BTreeSet<_>>(), there, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_problems_type_leads_to_its_explanation() {
    let city = City::new().await;
    let problem = city.editor.get("/v1/agents/nobody").await;
    assert_eq!(problem.body["type"], "/problems/not-found");
    let page = city.app.anonymous().get("/problems/not-found").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), Some("text/plain; charset=utf-8"));
    assert!(page.body.as_str().unwrap().starts_with("not-found\n\n**Not found**, with status 404."));
    for path in [
        "/problems/nonsense",
        "/problems/%FF",
        "/problems/",
        "/nowhere",
        "/v2/agents",
        "/graphiql/nothing.js",
        "/graphiql/%FF",
    ] {
        let answer = city.app.anonymous().get(path).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (404, &json!("NOT_FOUND")), "{path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
}

#[tokio::test]
async fn what_the_address_cannot_mean_is_a_problem() {
    let city = City::new().await;
    let before = city.revision().await;
    let agent = format!("/v1/agents/{}", city.agent);
    let audit = format!("/v1/customers/{}/audit", city.customer);
    let bad = |answer: &Answer| {
        assert_problem(answer, 400, "BAD_REQUEST");
        assert_eq!(answer.body["type"], "/problems/bad-parameters");
    };
    for query in
        ["name=%FF", "name=%C3%28", "name=%", "name=%4", "name=%zz", "%FF=1", "limit=1&limit=1", "first=1"]
    {
        bad(&city.editor.get(&format!("/v1/agents?{query}")).await);
    }
    for path in [&agent, &audit, &city.active()] {
        for query in ["x=1", "%FF", "=", "at_least=1&at_least=1"] {
            bad(&city.operator.get(&format!("{path}?{query}")).await);
        }
    }
    let version = json!({ "system_prompt": "", "model_name": "m" });
    bad(&city.editor.post(&format!("{}?activate=true", city.versions()), version).await);
    bad(&city.editor.post("/v1/agents?name=x", json!({ "name": "x" })).await);
    // As in forms, + is a space and %2B a plus.
    for (query, name) in [("Two+words", "Two words"), ("a%2Bb", "a+b"), ("%C3%A9t%c3%a9", "\u{e9}t\u{e9}")] {
        assert_eq!(city.editor.post("/v1/agents", json!({ "name": name })).await.status, 201);
        let found = city.editor.get(&format!("/v1/agents?name={query}")).await;
        assert_eq!(found.body["agents"][0]["name"], name, "{query}");
    }
    assert_eq!(city.revision().await, before + 3);
}

#[tokio::test]
async fn an_integer_is_one_however_it_is_written() {
    let city = City::new().await;
    let body = r#"{ "system_prompt": "", "model_name": "m", "expected_latest_number": 0.0 }"#;
    let ask = |body: &str| {
        let request = city.editor.request(Method::POST, &city.versions());
        Answer::of(request.header("content-type", "application/json").body(body.to_owned()))
    };
    assert_eq!(ask(body).await.status, 201);
    assert_problem(&ask(body).await, 409, "CONFLICT");
    assert_problem(&ask(&body.replace("0.0", "0.5")).await, 422, "INVALID");
}
