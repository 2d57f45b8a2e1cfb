//! CORS: pages of other origins may call the API only if their origin is configured, then on every path.

use agent_registry::http::Origins;
use reqwest::{Method, header::HeaderMap};
use serde_json::json;

use crate::support::{App, app::Setup, socket::Socket};

const OURS: &str = "https://app.example.org";
const OTHERS: [&str; 4] =
    ["https://evil.example", "http://app.example.org", "https://app.example.org:444", "null"];
/// Every path of the API.
const DOORS: [(Method, &str); 5] = [
    (Method::POST, "/graphql"),
    (Method::GET, "/v1/agents"),
    (Method::POST, "/v1/agents"),
    (Method::GET, "/internal/agents/01a20326-e777-71ce-9264-eefdca7dad0e/active"),
    (Method::GET, "/v1/nothing"),
];

async fn app(origins: &[&str]) -> App {
    let origins: Origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    App::set_up(Setup { origins, ..Setup::default() }).await
}

fn told(headers: &HeaderMap) -> Vec<String> {
    let names = headers.keys().map(ToString::to_string);
    names.filter(|name| name.starts_with("access-control-")).collect()
}

async fn preflight(app: &App, (method, path): &(Method, &str), origin: &str) -> (u16, HeaderMap) {
    let request = app.anonymous().request(Method::OPTIONS, path).header("origin", origin);
    let request = request.header("access-control-request-method", method.as_str());
    let request = request.header("access-control-request-headers", "authorization,content-type");
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.headers().clone())
}

#[tokio::test]
async fn without_the_setting_no_page_is_told_anything() {
    let app = app(&[]).await;
    let operator = app.operator().await;
    for door in &DOORS {
        let (status, headers) = preflight(&app, door, OURS).await;
        assert!([401, 405].contains(&status), "{door:?}: {status}");
        assert_eq!(told(&headers), [""; 0], "{door:?}");
        let response = operator.request(door.0.clone(), door.1).header("origin", OURS).send().await.unwrap();
        assert_eq!(told(response.headers()), [""; 0], "{door:?}");
    }
}

#[tokio::test]
async fn pages_that_are_named_may_ask_over_every_door_and_no_others() {
    let app = app(&["https://other.example.org", OURS]).await;
    let operator = app.operator().await;
    for door in &DOORS {
        let (status, headers) = preflight(&app, door, OURS).await;
        let header = |name| headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(status, 200, "{door:?}");
        assert_eq!(header("access-control-allow-origin"), Some(OURS), "{door:?}");
        assert_eq!(header("access-control-allow-methods"), Some("GET,HEAD,POST"));
        let allowed = "authorization,content-type,if-match,if-none-match,idempotency-key,x-request-id";
        assert_eq!(header("access-control-allow-headers"), Some(allowed));
        assert_eq!(header("access-control-max-age"), Some("600"));
        assert_eq!(header("access-control-allow-credentials"), None);

        let ask = |origin| operator.request(door.0.clone(), door.1).header("origin", origin).send();
        let response = ask(OURS).await.unwrap();
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("access-control-allow-origin"), Some(OURS), "{door:?}");
        let read = "etag,x-request-id,retry-after,location,www-authenticate,content-disposition,registry-stale-seconds";
        assert_eq!(header("access-control-expose-headers"), Some(read));
        let vary: Vec<_> =
            response.headers().get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
        assert!(vary.join(", ").contains("origin"), "{door:?}: {vary:?}");
        assert!(vary.join(", ").contains("Authorization"), "{door:?}: {vary:?}");

        for origin in OTHERS {
            let (_, headers) = preflight(&app, door, origin).await;
            assert_eq!(headers.get("access-control-allow-origin"), None, "{door:?} {origin}");
            let response = ask(origin).await.unwrap();
            assert_eq!(response.headers().get("access-control-allow-origin"), None, "{door:?} {origin}");
        }
    }
    for path in ["/openapi.json", "/problems/not-found"] {
        for (origin, allowed) in [(OURS, Some(OURS)), ("https://evil.example", None)] {
            let asked = app.anonymous().request(Method::GET, path).header("origin", origin);
            let response = asked.send().await.unwrap();
            let told = response.headers().get("access-control-allow-origin");
            assert_eq!(
                (response.status().as_u16(), told.map(|origin| origin.to_str().unwrap())),
                (200, allowed),
                "{path}"
            );
        }
    }
    // Paths outside the API are for the service's own pages only.
    for path in ["/metrics", "/readyz", "/graphiql"] {
        let response = operator.request(Method::GET, path).header("origin", OURS).send().await.unwrap();
        assert_eq!(told(response.headers()), [""; 0], "{path}");
    }
}

/// Pages of desktop programs and extensions have an opaque origin, or a scheme of their own.
#[tokio::test]
async fn pages_without_a_host_may_ask_when_they_are_named() {
    const NAMED: [&str; 4] =
        ["null", "file://", "chrome-extension://abcdefghijklmnopabcdefghijklmnop", "tauri://localhost"];
    let (named, unnamed) = (app(&NAMED).await, app(&[OURS]).await);
    let operator = named.operator().await;
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    for origin in NAMED {
        let allowed = |headers: &HeaderMap| headers.get("access-control-allow-origin").cloned();
        for door in &DOORS {
            let (status, headers) = preflight(&named, door, origin).await;
            assert_eq!((status, allowed(&headers).unwrap().to_str().unwrap()), (200, origin), "{door:?}");
            assert_eq!(allowed(&preflight(&unnamed, door, origin).await.1), None, "{door:?} {origin}");
        }
        let asked =
            operator.request(Method::GET, "/v1/agents").header("origin", origin).send().await.unwrap();
        assert_eq!(allowed(asked.headers()).unwrap().to_str().unwrap(), origin);
        assert!(Socket::upgrade(&named.base, &[protocol, ("origin", origin)]).await.is_ok(), "{origin}");
        let refused = Socket::upgrade(&unnamed.base, &[protocol, ("origin", origin)]).await;
        assert_eq!(refused.err(), Some(403), "{origin}");
    }
    for origin in
        ["chrome-extension://ponmlkjihgfedcbaponmlkjihgfedcba", "tauri://other", "https://localhost"]
    {
        assert_eq!(preflight(&named, &DOORS[0], origin).await.1.get("access-control-allow-origin"), None);
        assert_eq!(Socket::upgrade(&named.base, &[protocol, ("origin", origin)]).await.err(), Some(403));
    }
}

#[tokio::test]
async fn they_may_open_sockets_and_streams_too() {
    let app = app(&[OURS]).await;
    let operator = app.operator().await;
    let open = async |origin: &str| {
        let headers = [("sec-websocket-protocol", "graphql-transport-ws"), ("origin", origin)];
        Socket::upgrade(&app.base, &headers).await.map(|_| ())
    };
    assert_eq!(open(OURS).await, Ok(()));
    assert_eq!(open(&app.base).await, Ok(()));
    for origin in OTHERS {
        assert_eq!(open(origin).await, Err(403), "{origin}");
    }
    let events = operator
        .request(Method::POST, "/graphql")
        .header("origin", OURS)
        .header("accept", "text/event-stream")
        .json(&json!({ "query": "subscription { activations { revision } }" }))
        .send()
        .await
        .unwrap();
    assert_eq!(events.headers()["access-control-allow-origin"], OURS);
    assert_eq!(events.headers()["content-type"], "text/event-stream; charset=utf-8");
}

/// An OPTIONS request that isn't a preflight gets the same response as without CORS.
#[tokio::test]
async fn other_requests_for_options_are_as_they_were() {
    for origins in [&[][..], &["https://app.example.org"]] {
        let app = app(origins).await;
        let operator = app.operator().await;
        for (path, status) in [("/graphql", 405), ("/v1/agents", 405), ("/v1/nothing", 404)] {
            let asked = operator.request(Method::OPTIONS, path);
            assert_eq!(asked.send().await.unwrap().status(), status, "{path} with {origins:?}");
            let asked = operator.request(Method::OPTIONS, path).header("origin", "https://app.example.org");
            assert_eq!(asked.send().await.unwrap().status(), status, "{path} with {origins:?}");
        }
    }
}
