//! Compression with gzip and brotli: where it saves bytes, and where it would leak a secret or delay events.

use std::convert::Infallible;

use agent_registry::domain::member::Role;
use axum::body::{Body, Bytes, to_bytes};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tower::{ServiceExt, service_fn};
use tower_http::decompression::Decompression;

use crate::{rest::City, support::App};

/// A query whose response is long enough to compress.
const LONG: &str = "query { __schema { types { name description fields { name description } } } }";

async fn coded(request: RequestBuilder, coding: &str) -> Response {
    request.header("accept-encoding", coding).send().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

fn vary(response: &Response) -> String {
    let values = response.headers().get_all("vary").iter().map(|value| value.to_str().unwrap());
    values.collect::<Vec<_>>().join(", ").to_lowercase()
}

/// The decompressed bytes, and the compressed length.
async fn unpacked(response: Response) -> (Bytes, usize) {
    let coding = response.headers()["content-encoding"].clone();
    let packed = response.bytes().await.unwrap();
    let length = packed.len();
    let service = service_fn(move |_: axum::http::Request<Body>| {
        let mut response = axum::http::Response::new(Body::from(packed.clone()));
        response.headers_mut().insert("content-encoding", coding.clone());
        async { Ok::<_, Infallible>(response) }
    });
    let response =
        Decompression::new(service).oneshot(axum::http::Request::new(Body::empty())).await.unwrap();
    (to_bytes(Body::new(response.into_body()), usize::MAX).await.unwrap(), length)
}

#[tokio::test]
async fn a_long_answer_is_compressed_for_who_takes_it_and_says_the_same() {
    let app = App::start().await;
    let operator = app.operator().await;
    let ask = || operator.request(Method::POST, "/graphql").json(&json!({ "query": LONG }));
    let plain = ask().send().await.unwrap();
    assert_eq!(header(&plain, "content-encoding"), None);
    assert_eq!(vary(&plain), "accept, authorization, accept-encoding");
    let plain = plain.bytes().await.unwrap();
    for (taken, coding) in [("gzip", "gzip"), ("br", "br"), ("gzip, deflate, br", "br")] {
        let response = coded(ask(), taken).await;
        assert_eq!(header(&response, "content-encoding"), Some(coding));
        assert_eq!(header(&response, "content-length"), None);
        assert_eq!(vary(&response), "accept, authorization, accept-encoding");
        let (bytes, length) = unpacked(response).await;
        assert_eq!(bytes, plain);
        assert!(length < plain.len() / 3, "{taken}: {length} of {} bytes", plain.len());
    }
    // A client that accepts no supported coding gets the response uncompressed: the request may have been a write.
    for taken in ["identity", "zstd", "identity;q=0", "*;q=0", ""] {
        let response = coded(ask(), taken).await;
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-encoding")),
            (200, None),
            "{taken}"
        );
    }
    let short = coded(operator.request(Method::GET, "/livez"), "gzip").await;
    assert_eq!((header(&short, "content-encoding"), header(&short, "vary")), (None, None));
    let metrics = coded(operator.request(Method::GET, "/metrics"), "gzip").await;
    let is_long = header(&metrics, "content-encoding").is_some();
    assert!(is_long || metrics.bytes().await.unwrap().len() < 1024);
}

#[tokio::test]
async fn a_static_file_is_compressed_once_and_its_length_is_known() {
    let app = App::start().await;
    let anyone = app.anonymous();
    for path in [
        "/graphiql",
        "/graphiql/boot.js",
        "/graphiql/graphiql.min.css",
        "/openapi.json",
        "/problems/internal",
    ] {
        let plain = anyone.request(Method::GET, path).send().await.unwrap();
        let tag = header(&plain, "etag").unwrap().to_owned();
        assert!(tag.starts_with('"'), "{path}: {tag} is strong");
        assert_eq!(header(&plain, "content-encoding"), None);
        let (expected, plain) = (vary(&plain), plain.bytes().await.unwrap());
        if plain.len() < 1024 {
            assert_eq!(expected, "", "{path}");
            continue;
        }
        assert!(expected.ends_with("accept-encoding"), "{path}: {expected}");
        for coding in ["br", "gzip"] {
            let response = coded(anyone.request(Method::GET, path), coding).await;
            assert_eq!(header(&response, "content-encoding"), Some(coding), "{path}");
            assert_eq!(header(&response, "etag"), Some(format!("W/{tag}").as_str()), "{path}");
            assert_eq!(vary(&response), expected, "{path}");
            let told: usize = header(&response, "content-length").unwrap().parse().unwrap();
            let head = coded(anyone.request(Method::HEAD, path), coding).await;
            for name in ["etag", "content-encoding", "content-length", "content-type", "vary"] {
                assert_eq!(header(&head, name), header(&response, name), "{path} {name}");
            }
            let (bytes, length) = unpacked(response).await;
            assert_eq!((bytes, length), (plain.clone(), told), "{path}");
        }
        let known = anyone.request(Method::GET, path).header("if-none-match", format!("W/{tag}"));
        assert_eq!(coded(known, "br").await.status(), 304, "{path}");
    }
}

#[tokio::test]
async fn what_is_known_compressed_is_not_sent_again_either() {
    let city = City::new().await;
    city.serve(&"Long. ".repeat(1000)).await;
    let gateway = city.app.gateway().await;
    let ask = |method| gateway.request(method, &city.active());
    let plain = ask(Method::GET).send().await.unwrap();
    let tag = header(&plain, "etag").unwrap().to_owned();
    assert!(tag.starts_with('"'), "{tag} is strong");
    let packed = coded(ask(Method::GET), "br").await;
    let weak = header(&packed, "etag").unwrap().to_owned();
    assert_eq!(weak, format!("W/{tag}"), "other bytes have no strong tag in common");
    assert_eq!(vary(&packed), "authorization, accept-encoding");
    let head = coded(ask(Method::HEAD), "br").await;
    for name in ["etag", "content-encoding", "content-type", "content-length", "cache-control"] {
        assert_eq!(header(&head, name), header(&packed, name), "{name}");
    }
    assert_eq!(vary(&head), vary(&packed));
    assert_eq!(head.bytes().await.unwrap().len(), 0);
    assert_eq!(unpacked(packed).await.0, plain.bytes().await.unwrap());
    for (taken, known, told) in
        [("br", &weak, &weak), ("br", &tag, &tag), ("identity", &weak, &tag), ("identity", &tag, &tag)]
    {
        let response = coded(ask(Method::GET).header("if-none-match", known), taken).await;
        assert_eq!(response.status(), 304, "{taken} {known}");
        assert_eq!(header(&response, "etag"), Some(told.as_str()), "{taken} {known}");
        assert_eq!(vary(&response), "authorization, accept-encoding");
        assert_eq!(header(&response, "content-encoding"), None);
    }
    let head = coded(ask(Method::HEAD).header("if-none-match", &weak), "gzip").await;
    assert_eq!(head.status(), 304);
}

#[tokio::test]
async fn no_secret_is_compressed_beside_what_others_chose() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let admin = app.member(&customer, Role::Admin).await;
    let text = "x".repeat(90);
    let many: String = (0..40).map(|nth| format!("a{nth}: name ")).collect();
    let made = |answer: &Value, path: &str| answer.pointer(path).and_then(Value::as_str).unwrap().to_owned();
    let ask = async |token: &str, query: String, variables: Value| {
        let request = reqwest::Client::new().post(format!("{}/graphql", app.base)).bearer_auth(token);
        let body = json!({ "query": query, "variables": variables });
        let response = coded(request.json(&body), "gzip, br").await;
        assert_eq!(header(&response, "content-encoding"), None, "{query}");
        assert!(!vary(&response).contains("encoding"), "{query}");
        let text = response.text().await.unwrap();
        assert!(text.len() > 2048, "{query}: too short to compress: {text}");
        serde_json::from_str::<Value>(&text).unwrap()
    };
    let key = format!("apiKey {{ id {many} }} secret userErrors {{ message }}");
    let input = json!({ "input": { "customerId": customer, "name": text, "scopes": ["AGENTS_READ"] } });
    let create =
        format!("mutation ($input: CreateApiKeyInput!) {{ createApiKey(input: $input) {{ {key} }} }}");
    let answer = ask(admin.token.as_deref().unwrap(), create, input).await;
    assert!(made(&answer, "/data/createApiKey/secret").starts_with("ark_"));
    let id = made(&answer, "/data/createApiKey/apiKey/id");
    let rotate = format!("mutation ($id: ID!) {{ rotateApiKey(input: {{ apiKeyId: $id }}) {{ {key} }} }}");
    let answer = ask(admin.token.as_deref().unwrap(), rotate, json!({ "id": id })).await;
    assert!(made(&answer, "/data/rotateApiKey/secret").starts_with("ark_"));
    let create = format!(
        "mutation ($input: CreateServiceTokenInput!) {{ createServiceToken(input: $input) {{ serviceToken {{ {many} }} secret }} }}"
    );
    let input = json!({ "input": { "name": text, "scopes": ["CONFIGS_READ"] } });
    let answer = ask(operator.token.as_deref().unwrap(), create, input).await;
    assert!(made(&answer, "/data/createServiceToken/secret").starts_with("ars_"));
}

#[tokio::test]
async fn events_are_sent_as_they_are() {
    let app = App::start().await;
    let operator = app.operator().await;
    for query in ["subscription { activations { revision } }", LONG] {
        let request = operator.request(Method::POST, "/graphql").header("accept", "text/event-stream");
        let response = coded(request.json(&json!({ "query": query })), "gzip, br").await;
        assert_eq!(header(&response, "content-type"), Some("text/event-stream; charset=utf-8"));
        assert_eq!(header(&response, "content-encoding"), None);
    }
}
