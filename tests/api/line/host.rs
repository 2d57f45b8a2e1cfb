//! Allowed hosts: a request for another host is rejected, on any path.

use std::net::IpAddr;

use agent_registry::http::{AllowedHost, Hosts, PublicUrl};
use reqwest::Method;
use serde_json::{Value, json};

use super::{line, rest, say};
use crate::support::{Answer, App, Calls, app::Setup, socket::Socket};

/// A page's own host name, which its DNS has rebound to this machine.
const REBOUND: &str = "rebound.example:8080";
const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

/// A service with the hosts of one that listens on this address.
async fn app(listen: &str, public_url: Option<&str>, allowed: &[&str]) -> App {
    let allowed = allowed.iter().map(|host| host.parse::<AllowedHost>().unwrap()).collect();
    let public_url = public_url.map(|url| url.parse::<PublicUrl>().unwrap());
    let hosts = Hosts::new(listen.parse::<IpAddr>().unwrap(), public_url, allowed);
    App::set_up(Setup { hosts, ..Setup::default() }).await
}

/// Sends these lines. Returns the response's status, and its body if that is JSON.
async fn ask(app: &App, head: &str) -> (u16, Value) {
    let mut line = line(app).await;
    say(&mut line, &format!("{head}Connection: close\r\n\r\n")).await;
    let answer = rest(&mut line).await;
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("rebound.example"), "{head}");
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test]
async fn a_request_has_one_host_that_is_one() {
    let app = App::start().await;
    for path in ["/livez", "/metrics", "/graphql?query=%7B__typename%7D", "/v1/agents", "/nowhere"] {
        for hosts in [
            "",
            "Host:\r\n",
            "Host: localhost\r\nHost: localhost\r\n",
            "Host: a b\r\n",
            "Host: localhost:x\r\n",
            "Host: me@localhost\r\n",
            "Host: http://localhost\r\n",
            "Host: [::1\r\n",
        ] {
            let (status, body) = ask(&app, &format!("GET {path} HTTP/1.1\r\n{hosts}")).await;
            assert_eq!((status, &body["type"]), (400, &json!("/problems/bad-host")), "{path} {hosts:?}");
            assert!(body["request_id"].is_string(), "{body}");
        }
    }
    for head in [
        "GET /livez HTTP/1.1\r\nhOST: LOCALHOST.:80\r\n",
        "GET /livez HTTP/1.1\r\nHost: [::1]\r\n",
        // HTTP/1.0 has no Host.
        "GET /livez HTTP/1.0\r\n",
        // The host of an absolute target overrides Host (RFC 9112, section 3.2.2).
        "GET http://localhost/livez HTTP/1.1\r\nHost: rebound.example\r\n",
    ] {
        assert_eq!(ask(&app, head).await.0, 200, "{head}");
    }
    for head in [
        "GET http://rebound.example/livez HTTP/1.1\r\nHost: localhost\r\n",
        "GET /livez HTTP/1.0\r\nHost: rebound.example\r\n",
    ] {
        assert_eq!(ask(&app, head).await.0, 421, "{head}");
    }
}

#[tokio::test]
async fn a_page_whose_name_was_bound_anew_gets_nothing() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    let version = operator.publish(&agent, "You help.").await;
    operator.activate(&agent, &version).await;
    let gateway = app.gateway().await;
    let active = format!("/internal/agents/{agent}/active");
    // Later requests take the fast path.
    assert_eq!(gateway.get(&active).await.status, 200);
    let before = app.registry.head().await.unwrap().revision.0;
    let create =
        json!({ "query": "mutation { createCustomer(input: { name: \"Sneaky\" }) { customer { id } } }" });
    let config = json!({ "query": format!("{{ activeConfig(agentId: \"{agent}\") {{ name }} }}") });
    let get = |path: &str| gateway.request(Method::GET, path);
    let requests = [
        operator.request(Method::POST, "/graphql").json(&create),
        gateway.request(Method::POST, "/graphql").json(&config),
        operator.request(Method::POST, "/v1/agents").json(&json!({ "name": "x", "customer_id": customer })),
        operator.request(Method::OPTIONS, "/graphql"),
        get(&active),
        get("/v1/agents"),
        get("/metrics"),
        get("/readyz"),
        get("/livez"),
        get("/openapi.json"),
        get("/problems/not-found"),
        get("/graphiql"),
        get("/nowhere"),
    ];
    for request in requests {
        let what = format!("{request:?}");
        let answer = Answer::of(request.header("host", REBOUND)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["type"]),
            (421, &json!("/problems/misdirected")),
            "{what}"
        );
        let told = format!("{:?} {}", answer.headers, answer.body);
        assert!(!told.contains("rebound.example"), "{told}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    let origin = format!("http://{REBOUND}");
    for headers in [&[PROTOCOL, ("host", REBOUND)][..], &[PROTOCOL, ("host", REBOUND), ("origin", &origin)]] {
        assert_eq!(Socket::upgrade(&app.base, headers).await.err(), Some(421));
    }
    assert_eq!(app.registry.head().await.unwrap().revision.0, before, "none of the requests had an effect");
    assert_eq!(app.door.sockets.open(), 0);
    // With a host of its own the service answers.
    assert_eq!(Answer::of(get(&active).header("host", "localhost:1")).await.status, 200);
}

#[tokio::test]
async fn who_is_reached_from_outside_answers_for_what_is_named() {
    let status = async |app: &App, host: &str| {
        let request = app.anonymous().request(Method::GET, "/livez").header("host", host);
        request.send().await.unwrap().status().as_u16()
    };
    let open = app("0.0.0.0", None, &[]).await;
    assert_eq!(status(&open, "anything.example").await, 200);
    let url = "https://registry.example.org";
    let named = app("0.0.0.0", Some(url), &["*.internal.example"]).await;
    for host in ["registry.example.org", "a.internal.example:8080", "10.1.2.3:8080", "localhost"] {
        assert_eq!(status(&named, host).await, 200, "{host}");
    }
    for host in ["rebound.example", "internal.example", "registry.example.org.rebound.example"] {
        assert_eq!(status(&named, host).await, 421, "{host}");
    }
    let proxied = app("127.0.0.1", None, &["registry.example.org"]).await;
    assert_eq!(status(&proxied, "registry.example.org").await, 200);
    for host in ["10.1.2.3", "rebound.example"] {
        assert_eq!(status(&proxied, host).await, 421, "{host}");
    }
}

/// No URL in a response is built from a client's Host header.
#[tokio::test]
async fn addresses_are_of_the_public_url_or_relative() {
    let url = "https://registry.example.org";
    let servers = async |app: &App, host: &str| {
        let answer =
            Answer::of(app.anonymous().request(Method::GET, "/openapi.json").header("host", host)).await;
        answer.body["servers"].clone()
    };
    let open = app("0.0.0.0", None, &[]).await;
    assert_eq!(servers(&open, "rebound.example").await, json!([{ "url": "/" }]));
    let named = app("0.0.0.0", Some(&format!("{url}/")), &["*"]).await;
    assert_eq!(servers(&named, "rebound.example").await, json!([{ "url": url }]));
    for app in [&open, &named] {
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        let create = json!({ "name": "Helper", "customer_id": customer });
        let requests = [
            operator.request(Method::POST, "/v1/agents").json(&create),
            operator.request(Method::GET, "/v1/agents/nobody"),
            app.anonymous().request(Method::GET, "/v1/agents"),
            app.anonymous().request(Method::GET, "/graphiql"),
            app.anonymous().request(Method::GET, "/graphiql/boot.js"),
            app.anonymous().request(Method::GET, "/openapi.json"),
            operator.request(Method::POST, "/graphql").json(&json!({ "query": "{ nothing }" })),
        ];
        for request in requests {
            let answer =
                Answer::of(request.header("host", REBOUND).header("x-forwarded-host", REBOUND)).await;
            let told = format!("{:?} {}", answer.headers, answer.body);
            assert!(answer.status != 421 && !told.contains("rebound.example"), "{told}");
            if let Some(location) = answer.header("location") {
                assert!(location.starts_with("/v1/agents/"), "{location}");
            }
        }
    }
    // Pages of the public URL are the service's own, whatever Host a proxy sends.
    let origin = |origin: &'static str| [PROTOCOL, ("host", "10.1.2.3"), ("origin", origin)];
    assert!(Socket::upgrade(&named.base, &origin("https://registry.example.org")).await.is_ok());
    assert_eq!(Socket::upgrade(&named.base, &origin("https://evil.example")).await.err(), Some(403));
    assert_eq!(Socket::upgrade(&open.base, &origin("https://registry.example.org")).await.err(), Some(403));
}
