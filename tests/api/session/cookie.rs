//! Where the cookie of a session is honoured, and where it isn't: a refused request changes nothing.

use agent_registry::{domain::member::Role, http::Hosts};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::browser::{Browser, client, new_link};
use crate::{
    socket::NAMES,
    support::{App, app::Setup, caller::Answer, events::EVENTS, socket::Frame},
};

const CREATE: &str = "mutation { createCustomer(input: { name: \"Planted\" }) { customer { id } } }";

fn create(request: RequestBuilder) -> RequestBuilder {
    request.json(&json!({ "query": CREATE }))
}

/// The names of all customers.
async fn customers(browser: &Browser) -> Value {
    browser.gql(NAMES, Value::Null).await.at("/customers/nodes").clone()
}

#[tokio::test]
async fn the_services_own_page_reads_and_writes() {
    let app = App::start().await;
    let browser = Browser::operator(&app, "me").await;
    browser.gql(CREATE, Value::Null).await.text("/createCustomer/customer/id");
    assert_eq!(customers(&browser).await, json!([{ "name": "Planted" }]));
    let events = browser.events(NAMES).await;
    drop(events);
    let mut socket = browser.socket().await;
    socket.subscribe("1", NAMES, Value::Null).await;
    assert_eq!(socket.event().await["data"]["customers"]["nodes"], json!([{ "name": "Planted" }]));
}

#[tokio::test]
async fn no_other_page_uses_the_cookie() {
    let origins = ["https://app.example".parse().unwrap()].into_iter().collect();
    let app = App::set_up(Setup { origins, ..Setup::default() }).await;
    let browser = Browser::operator(&app, "me").await;
    let post = || browser.bare(Method::POST, "/graphql");
    let from = |site: &'static str, origin: &str| {
        post().header("sec-fetch-site", site).header("origin", origin.to_owned())
    };
    let refused = [
        ("a client that says nothing", create(post())),
        ("no Sec-Fetch-Site", create(post().header("origin", &app.base))),
        ("no Origin", create(post().header("sec-fetch-site", "same-origin"))),
        ("another site", create(from("cross-site", "https://evil.example"))),
        ("another port of this host", create(from("same-site", "http://127.0.0.1:1"))),
        ("an address in the address bar", create(post().header("sec-fetch-site", "none"))),
        ("an origin that CORS allows", create(from("cross-site", "https://app.example"))),
        ("an origin that CORS allows, and a lie", create(from("same-origin", "https://app.example"))),
        (
            "a page over TLS of a service without",
            create(from("same-origin", &app.base.replacen("http", "https", 1))),
        ),
        ("a page without an origin", create(from("same-origin", "null"))),
        ("two sites", create(from("same-origin", &app.base).header("sec-fetch-site", "cross-site"))),
        (
            "a form",
            from("same-origin", &app.base)
                .header("content-type", "text/plain")
                .body(json!({ "query": CREATE }).to_string()),
        ),
        (
            "an event stream of another page",
            create(from("cross-site", "https://evil.example").header("accept", EVENTS)),
        ),
    ];
    for (what, request) in refused {
        let answer = Answer::of(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (401, Some("UNAUTHENTICATED")),
            "{what}: {}",
            answer.body
        );
    }
    let query = browser.request(Method::GET, "/graphql?query=%7B__typename%7D");
    assert_eq!(Answer::of(query).await.status, 401, "GET");
    assert_eq!(customers(&browser).await, json!([]), "nothing was written");
}

#[tokio::test]
async fn no_route_of_programs_reads_the_cookie() {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    app.set_member(&customer, "ada", Role::Admin).await;
    let browser = Browser::sign_in(&app, "ada").await;
    let agent = browser.gql(
        "mutation ($id: ID!) { createAgent(input: { customerId: $id, name: \"Helper\" }) { agent { id } } }",
        json!({ "id": customer }),
    );
    let agent = agent.await.text("/createAgent/agent/id");
    for path in [
        "/v1/agents".to_owned(),
        format!("/v1/agents/{agent}"),
        format!("/v1/customers/{customer}/export"),
        format!("/v1/customers/{customer}/audit"),
        format!("/internal/agents/{agent}/active"),
    ] {
        let answer = Answer::of(browser.request(Method::GET, &path)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["code"]),
            (401, &json!("UNAUTHENTICATED")),
            "{path}"
        );
        // Nor is it a bearer token anywhere.
        let secret = browser.cookie.split_once('=').unwrap().1;
        let answer = Answer::of(client().get(format!("{}{path}", app.base)).bearer_auth(secret)).await;
        assert_eq!(answer.status, 401, "{path}");
    }
    let post = browser.request(Method::POST, "/v1/agents");
    let post = post.json(&json!({ "customer_id": customer, "name": "Planted" }));
    assert_eq!(Answer::of(post).await.status, 401);
    let secret = browser.cookie.split_once('=').unwrap().1;
    assert_eq!(app.bearer(secret).gql(NAMES, Value::Null).await.status, 401);
    let agents = browser.gql("{ agents { nodes { name } } }", Value::Null).await;
    assert_eq!(agents.at("/agents/nodes"), &json!([{ "name": "Helper" }]), "nothing was written");
}

#[tokio::test]
async fn a_socket_needs_the_services_own_origin() {
    let origins = ["https://app.example".parse().unwrap()].into_iter().collect();
    let app = App::set_up(Setup { origins, ..Setup::default() }).await;
    let browser = Browser::operator(&app, "me").await;
    assert_eq!(browser.upgrade(Some("https://evil.example")).await.err(), Some(403));
    // CORS lets it open a socket with a token of its own, and not with the cookie. Programs send no `Origin`.
    let by_tls = app.base.replacen("http", "https", 1);
    for origin in [Some("https://app.example"), Some(&*by_tls), None] {
        let mut socket = browser.upgrade(origin).await.unwrap();
        assert_eq!(socket.next().await, Frame::Closed(4403, "Forbidden".to_owned()), "{origin:?}");
    }
    browser.socket().await;
}

#[tokio::test]
async fn a_cookie_that_is_there_twice_or_too_long_or_no_session_is_refused() {
    let app = App::start().await;
    let browser = Browser::operator(&app, "me").await;
    let (name, secret) = browser.cookie.split_once('=').unwrap();
    let token = app.user("me", None).token.unwrap();
    let typo = secret.strip_suffix(&secret[secret.len() - 1..]).unwrap();
    for cookie in [
        format!("{name}={secret}; {name}={secret}"),
        format!("{name}={secret}{}", "0".repeat(300)),
        format!("{name}={secret}; other={}", "0".repeat(20_000)),
        format!("{name}={token}"),
        format!("{name}={typo}"),
        format!("{name}={}", secret.to_uppercase()),
        format!("__Host-session={secret}"),
        format!("session-1={secret}"),
    ] {
        let browser = Browser { cookie, ..browser.clone() };
        let answer = browser.gql(CREATE, Value::Null).await;
        assert_eq!(answer.status, 401, "{:.200}", browser.cookie);
    }
    // A token in the header counts, whatever the cookie is.
    let request = browser.bare(Method::POST, "/graphql").bearer_auth(&token).json(&json!({ "query": NAMES }));
    assert_eq!(Answer::of(request).await.at("/customers/nodes"), &json!([]), "nothing was written");
}

#[tokio::test]
async fn plain_http_from_elsewhere_signs_nobody_in() {
    let hosts = Hosts::new([0, 0, 0, 0].into(), None, Vec::new());
    let app = App::set_up(Setup { hosts, ..Setup::default() }).await;
    let path = new_link(&app, "me", true).await;
    let ask = |method: Method, path: &str| {
        let request =
            client().request(method, format!("{}{path}", app.base)).header("host", "registry.example");
        request.header("sec-fetch-site", "same-origin").header("origin", "http://registry.example")
    };
    for request in [ask(Method::GET, &path), ask(Method::POST, &path), ask(Method::POST, "/auth/sign-out")] {
        let answer = Answer::of(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("set-cookie")), (403, None));
        assert!(answer.body.as_str().unwrap().contains("needs TLS"), "{}", answer.body);
    }
    let browser = Browser::operator(&app, "me").await;
    let secret = browser.cookie.split_once('=').unwrap().1;
    let request = ask(Method::POST, "/graphql").header("cookie", format!("__Host-session={secret}"));
    let answer = Answer::of(create(request)).await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.to_string().contains("needs TLS"), "{}", answer.body);
    assert_eq!(customers(&browser).await, json!([]), "nothing was written");
}

#[tokio::test]
async fn behind_a_proxy_that_ends_tls_the_cookie_is_secure() {
    let public = "https://registry.example".parse().unwrap();
    let hosts = Hosts::new([127, 0, 0, 1].into(), Some(public), Vec::new());
    let app = App::set_up(Setup { hosts, ..Setup::default() }).await;
    let path = new_link(&app, "me", true).await;
    let ask = |path: &str| {
        let request = client().post(format!("{}{path}", app.base)).header("host", "registry.example");
        request.header("sec-fetch-site", "same-origin").header("origin", "https://registry.example")
    };
    let answer = Answer::of(ask(&path)).await;
    let set = answer.header("set-cookie").unwrap().to_owned();
    assert!(set.starts_with("__Host-session=arc_") && set.ends_with("; SameSite=Strict; Secure"), "{set}");
    let cookie = set.split(';').next().unwrap();
    let viewer = ask("/graphql").header("cookie", cookie).json(&json!({ "query": "{ viewer { name } }" }));
    assert_eq!(Answer::of(viewer).await.at("/viewer/name"), "me");
    // Somebody on the way can write a page of the same host over plain HTTP.
    let by_http = client().post(format!("{}/graphql", app.base)).header("host", "registry.example");
    let by_http = by_http.header("sec-fetch-site", "same-origin").header("origin", "http://registry.example");
    let answer = Answer::of(create(by_http.header("cookie", cookie))).await;
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert_eq!(customers(&Browser::operator(&app, "me").await).await, json!([]), "nothing was written");
    // Over loopback, another name counts.
    let local = Browser { cookie: cookie.to_owned(), ..Browser::operator(&app, "me").await };
    assert_eq!(local.gql(NAMES, Value::Null).await.status, 401);
}
