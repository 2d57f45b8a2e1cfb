//! Shared subscriptions: an event is read and rendered once for many subscribers, and never shared with one of
//! other rights.

mod rights;

use std::time::Duration;

use agent_registry::domain::{KeyScope, member::Role};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{App, Calls, caller::Operator, socket::Socket, wait::until};

const NESTED: &str = "subscription ($after: Cursor) { activations(after: $after) { revision cursor
    agent { name description } version { number systemPrompt message } activatedBy { kind } } }";

struct City {
    app: App,
    operator: Operator,
    customer: String,
    agent: String,
    versions: Vec<String>,
}

impl City {
    async fn new() -> Self {
        let app = App::start().await;
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        let create = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } } }";
        let input = json!({ "customerId": customer, "name": "Helper", "description": "For people only" });
        let agent = operator.gql(create, json!({ "input": input })).await.text("/createAgent/agent/id");
        let mut versions = Vec::new();
        for prompt in ["one", "two"] {
            versions.push(operator.publish(&agent, prompt).await);
        }
        Self { app, operator, customer, agent, versions }
    }

    /// Activates one of the two versions in turn. Returns the revision.
    async fn activate(&self, nth: usize) -> String {
        let version = &self.versions[nth % 2];
        self.operator.activate(&self.agent, version).await.text("/activateVersion/revision")
    }

    /// Starts the subscription `times` times on this socket, and waits until all are open.
    async fn watch(&self, socket: &mut Socket, times: usize, query: &str, variables: &Value) {
        let before = self.app.watchers();
        for nth in 0..times {
            socket.subscribe(&format!("{before}-{nth}"), query, variables.clone()).await;
        }
        until("the subscriptions are open", || self.app.watchers() == before + times).await;
        // A subscription registers first and looks up its position in the log afterwards.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    /// The number of statements for an activation and for its events on these sockets.
    async fn statements(&self, nth: usize, sockets: &mut [(Socket, usize)]) -> u64 {
        let before = self.app.registry.statements();
        let revision = self.activate(nth).await;
        join_all(sockets.iter_mut().map(async |(socket, times)| {
            for _ in 0..*times {
                assert_eq!(socket.event().await["data"]["activations"]["revision"], revision);
            }
        }))
        .await;
        self.app.registry.statements() - before
    }
}

#[tokio::test]
async fn an_event_is_read_once_for_all_who_see_the_same() {
    let city = City::new().await;
    let gateway = city.app.gateway().await;
    let mut sockets = vec![(gateway.socket().await, 1)];
    city.watch(&mut sockets[0].0, 1, NESTED, &json!({})).await;
    city.statements(0, &mut sockets).await;
    let alone = city.statements(1, &mut sockets).await;
    // Another service token with the same scopes, on its own sockets.
    let other = city.app.gateway().await;
    for _ in 0..4 {
        let mut socket = other.socket().await;
        city.watch(&mut socket, 10, NESTED, &json!({})).await;
        sockets.push((socket, 10));
    }
    city.statements(2, &mut sockets).await;
    let together = city.statements(3, &mut sockets).await;
    // A poll of the log, every 250 ms, may fall into either count.
    assert!(together <= alone + 6, "{together} statements for forty-one, {alone} for one");
}

#[tokio::test]
async fn configurations_are_read_once_for_all_gateways() {
    let city = City::new().await;
    city.activate(0).await;
    let query = "subscription { configs { kind revision config { versionNumber systemPrompt } } }";
    let (one, other) = (city.app.gateway().await, city.app.gateway().await);
    let mut sockets = Vec::new();
    for nth in 0..10 {
        let gateway = if nth % 2 == 0 { &one } else { &other };
        let mut socket = gateway.socket().await;
        socket.subscribe("1", query, json!({})).await;
        assert_eq!(socket.event().await["data"]["configs"]["kind"], "SNAPSHOT");
        assert_eq!(socket.event().await["data"]["configs"]["kind"], "BOOKMARK");
        sockets.push(socket);
    }
    let before = city.app.registry.statements();
    let revision = city.activate(1).await;
    let told = join_all(sockets.iter_mut().map(Socket::event)).await;
    let config = json!({ "versionNumber": 2, "systemPrompt": "two" });
    for event in told {
        let expected = json!({ "kind": "UPSERT", "revision": revision, "config": config });
        assert_eq!(event["data"]["configs"], expected);
    }
    let taken = city.app.registry.statements() - before;
    assert!(taken < 30, "{taken} statements for ten gateways");
}

#[tokio::test]
async fn each_is_sent_what_it_may_see() {
    let city = City::new().await;
    let gateway = city.app.gateway().await;
    let viewer = city.app.member(&city.customer, Role::Viewer).await;
    let watches = [KeyScope::ActivationsWatch];
    let program = city.app.program(&city.customer, watches).await;
    let elsewhere = city.operator.customer("Elsewhere").await;
    let stranger = city.app.program(&elsewhere, watches).await;
    let mut sockets = [gateway.socket().await, viewer.socket().await, program.socket().await];
    for socket in &mut sockets {
        city.watch(socket, 1, NESTED, &json!({})).await;
    }
    let mut outside = stranger.socket().await;
    city.watch(&mut outside, 1, NESTED, &json!({})).await;
    city.activate(0).await;
    let mut seen = Vec::new();
    for socket in &mut sockets {
        seen.push(socket.event().await);
    }
    let [service, person, key] = seen.as_slice() else { panic!("three events") };
    assert_eq!(service["data"]["activations"]["agent"], json!({ "name": "Helper", "description": null }));
    assert_eq!(service.get("errors"), None, "a hidden field is no error");
    let described = json!({ "name": "Helper", "description": "For people only" });
    assert_eq!(person["data"]["activations"]["agent"], described);
    assert_eq!(person["data"]["activations"]["activatedBy"], json!({ "kind": "OPERATOR" }));
    assert_eq!(key["data"]["activations"]["agent"], described);
    assert!(outside.is_quiet(Duration::from_millis(300)).await);
}

#[tokio::test]
async fn an_error_names_each_subscribers_own_request() {
    let city = City::new().await;
    let gateway = city.app.gateway().await;
    let mut socket = gateway.socket().await;
    // A service token can't read customers, and a version's agent is non-null.
    let refused = "subscription { activations { version { systemPrompt } hidden: version { agent { customer { name } } } } }";
    city.watch(&mut socket, 3, refused, &json!({})).await;
    city.activate(0).await;
    let mut requests = Vec::new();
    for _ in 0..3 {
        let event = socket.event().await;
        assert_eq!(event["data"]["activations"]["version"]["systemPrompt"], "one");
        let request = event["errors"][0]["extensions"]["requestId"].as_str().unwrap().to_owned();
        assert!(!requests.contains(&request), "{request} twice");
        requests.push(request);
    }
}

#[tokio::test]
async fn who_comes_later_is_shown_what_is_so_by_then() {
    let city = City::new().await;
    let mut socket = city.operator.socket().await;
    let from_the_beginning = json!({ "after": "0" });
    city.watch(&mut socket, 1, NESTED, &from_the_beginning).await;
    city.activate(0).await;
    assert_eq!(socket.event().await["data"]["activations"]["agent"]["name"], "Helper");
    let rename = "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { agent { name } } }";
    let input = json!({ "input": { "agentId": city.agent, "name": "Renamed" } });
    city.operator.gql(rename, input).await.text("/updateAgent/agent/name");
    let mut later = city.operator.socket().await;
    city.watch(&mut later, 1, NESTED, &from_the_beginning).await;
    let event = later.event().await;
    assert_eq!(event["data"]["activations"]["agent"]["name"], "Renamed");
    assert_eq!(event["data"]["activations"]["version"]["systemPrompt"], "one");
}
