//! Requests and responses of the protocol, by event and by status.

use std::time::Duration;

use agent_registry::{
    domain::{KeyScope, member::Role},
    http::SocketLimits,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    socket::{ACTIVATIONS, NAMES, Scene, impatient, until},
    support::{
        Answer, App,
        caller::Client,
        events::{EVENTS, Events, SseMessage},
        socket::Socket,
    },
};

/// `GET /graphql` for the events of this operation.
fn by_get(caller: &Client, query: &str) -> RequestBuilder {
    let query: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    caller.request(Method::GET, &format!("/graphql?query={query}")).header("accept", EVENTS)
}

#[tokio::test]
async fn what_was_missed_comes_first_then_what_happens() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let mut revisions = scene.activate(3).await;
    let mut events = scene.operator.events(ACTIVATIONS, json!({ "after": "0" })).await;
    let headers = events.response.headers();
    let header = |name| headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("cache-control"), Some("no-store, no-transform"));
    assert_eq!(header("x-accel-buffering"), Some("no"));
    assert_eq!(header("vary"), Some("Accept, Authorization, Cookie"));
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
    assert_eq!(header("connection"), Some("close"));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(events.event().await);
    }
    assert!(events.is_quiet(Duration::from_millis(100)).await);
    revisions.extend(scene.activate(2).await);
    for _ in 0..2 {
        seen.push(events.event().await);
    }
    let of = |event: &Value| event["data"]["activations"]["revision"].as_str().unwrap().to_owned();
    assert_eq!(seen.iter().map(of).collect::<Vec<_>>(), revisions);
    // From the fourth event's cursor, the fifth comes again, over both methods.
    let after = seen[3]["data"]["activations"]["cursor"].as_str().unwrap();
    let query = format!("subscription {{ activations(after: {}) {{ revision }} }}", json!(after));
    let mut again = [
        scene.operator.events(ACTIVATIONS, json!({ "after": after })).await,
        Events::of(by_get(&scene.operator, &query)).await,
    ];
    for events in &mut again {
        assert_eq!(of(&events.event().await), revisions[4]);
        assert!(events.is_quiet(Duration::from_millis(100)).await);
    }
    assert_eq!(app.watchers(), 3);
}

#[tokio::test]
async fn a_query_and_a_mutation_are_one_event() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let names = json!({ "data": { "customers": { "nodes": [{ "name": "City" }] } } });
    for request in [scene.operator.watch(NAMES, json!({})), by_get(&scene.operator, NAMES)] {
        let expected = [SseMessage::Next(names.clone()), SseMessage::Complete, SseMessage::End];
        assert_eq!(Events::of(request).await.rest().await, expected);
    }
    let rename = "mutation ($agent: ID!) { updateAgent(input: { agentId: $agent, name: \"New\" }) { agent { name } } }";
    let said = scene.operator.events(rename, json!({ "agent": scene.agent })).await.rest().await;
    let renamed = json!({ "data": { "updateAgent": { "agent": { "name": "New" } } } });
    assert_eq!(said, [SseMessage::Next(renamed), SseMessage::Complete, SseMessage::End]);
    let channel = "{ changes(first: 1) { nodes { action channel requestId } } }";
    let answer = scene.operator.gql(channel, json!({})).await;
    assert_eq!(answer.at("/changes/nodes/0/channel"), "GRAPHQL");

    let sneaky = "mutation { createCustomer(input: { name: \"Sneaky\" }) { customer { id } } }";
    let answer = Answer::of(by_get(&scene.operator, sneaky)).await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("POST")));
    assert_eq!(answer.body.get("data"), None);
    let said = Events::of(by_get(&scene.operator, NAMES)).await.rest().await;
    assert_eq!(said[0], SseMessage::Next(names));
    // None of these held a permit.
    assert_eq!(app.door.sockets.open(), 0);
}

#[tokio::test]
async fn what_is_wrong_with_an_operation_is_an_event() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let editor = app.member(&scene.customer, Role::Editor).await;
    let program = app.program(&scene.customer, [KeyScope::AgentsRead]).await;
    let town = scene.operator.customer("Town").await;
    let deep = format!("{{ a{} }}", "{ a".repeat(100) + &" }".repeat(100));
    let cases = [
        (&editor.0, "subscription {", json!({}), "BAD_USER_INPUT"),
        (&editor.0, "{ nope }", json!({}), "BAD_USER_INPUT"),
        (&editor.0, deep.as_str(), json!({}), "QUERY_TOO_COMPLEX"),
        (&editor.0, "query ($id: ID!) { agent(id: $id) { id } }", json!({}), "BAD_USER_INPUT"),
        (
            &editor.0,
            "subscription { a: activations { id } b: activations { id } }",
            json!({}),
            "BAD_USER_INPUT",
        ),
        (&editor.0, ACTIVATIONS, json!({ "after": "nonsense" }), "CURSOR_INVALID"),
        (&editor.0, ACTIVATIONS, json!({ "customer": town }), "NOT_FOUND"),
        (&editor.0, "subscription { changes { revision } }", json!({}), "FORBIDDEN"),
        (&program.0, ACTIVATIONS, json!({}), "FORBIDDEN"),
    ];
    for (caller, query, variables, code) in cases {
        let said = caller.events(query, variables.clone()).await.rest().await;
        let [SseMessage::Next(result), SseMessage::Complete, SseMessage::End] = &said[..] else {
            panic!("{query:.100}: {said:?}");
        };
        assert_eq!(result.get("data"), None, "{query:.100}: {result}");
        assert_eq!(result["errors"][0]["extensions"]["code"], code, "{query:.100}: {result}");
        assert!(result["errors"][0]["extensions"]["requestId"].is_string(), "{result}");
        // The WebSocket returns the same code.
        let mut socket = caller.socket().await;
        socket.subscribe("1", query, variables).await;
        assert_eq!(crate::socket::refusal(socket.next().await, "1"), code, "{query:.100}");
    }
    until("no subscription is left", || app.watchers() == 0).await;
}

#[tokio::test]
async fn what_is_no_operation_has_a_status() {
    let app = App::start().await;
    let operator = app.operator().await;
    let body = json!({ "query": ACTIVATIONS }).to_string();
    let post = || operator.request(Method::POST, "/graphql").header("accept", EVENTS);
    let json_body = |text: &str| post().header("content-type", "application/json").body(text.to_owned());
    let token = operator.token.clone().unwrap();
    let cases = [
        (app.anonymous().watch(ACTIVATIONS, json!({})), 401),
        (app.bearer("nonsense").watch(ACTIVATIONS, json!({})), 401),
        (app.bearer("ars_nonsense").watch("{", json!({})), 401),
        (app.anonymous().request(Method::GET, &format!("/graphql?access_token={token}")), 401),
        (json_body("not JSON"), 400),
        (json_body("[]"), 400),
        (json_body("{}"), 400),
        (operator.request(Method::GET, "/graphql").header("accept", EVENTS), 400),
        (post().header("content-type", "text/plain").body(body.clone()), 415),
        (json_body(&format!("{{\"query\":\"{}\"}}", "x".repeat(4 * 1024 * 1024))), 413),
        (operator.request(Method::PUT, "/graphql").header("accept", EVENTS), 405),
    ];
    for (number, (request, status)) in cases.into_iter().enumerate() {
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, status, "case {number}: {}", answer.body);
        assert_eq!(answer.body.get("data"), None);
        assert!(answer.code().is_some(), "case {number}: {}", answer.body);
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        if status == 401 {
            let error = ["", "invalid_token", "invalid_token", "invalid_request"][number];
            assert_eq!(answer.challenge(), Some(error), "case {number}");
        }
    }
    assert_eq!((app.watchers(), app.door.sockets.open()), (0, 0));
}

#[tokio::test]
async fn events_come_to_who_likes_them_best() {
    let app = App::start().await;
    let operator = app.operator().await;
    let cases = [
        (EVENTS, EVENTS),
        ("Text/Event-Stream", EVENTS),
        ("text/event-stream, application/json", EVENTS),
        ("application/json;q=0.9, text/event-stream", EVENTS),
        ("text/event-stream, multipart/mixed", EVENTS),
        ("application/graphql-response+json, application/json, text/event-stream", "application/graphql"),
        ("text/event-stream;q=0.9, application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/json, text/html;q=0", "application/json"),
    ];
    for (accept, kind) in cases {
        let request = operator.request(Method::POST, "/graphql").header("accept", accept);
        let answer = Answer::of(request.json(&json!({ "query": NAMES }))).await;
        assert_eq!(answer.status, 200, "{accept}");
        assert!(answer.header("content-type").unwrap().starts_with(kind), "{accept}: {:?}", answer.headers);
    }
}

#[tokio::test]
async fn streams_have_their_places_among_the_sockets() {
    let app = App::with(SocketLimits { sockets: 3, of_one_caller: 2, ..impatient() }).await;
    let scene = Scene::on(&app).await;
    let editor = app.member(&scene.customer, Role::Editor).await;
    // Members have a limit of their own; operators only the instance's.
    let first = editor.events(ACTIVATIONS, json!({})).await;
    let _socket = editor.socket().await;
    let refused = Answer::of(editor.watch(ACTIVATIONS, json!({}))).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, Some("RATE_LIMITED")));
    assert!(refused.header("retry-after").is_some());
    // A query needs no permit.
    assert_eq!(editor.events(NAMES, json!({})).await.rest().await[1], SseMessage::Complete);
    let _other = scene.operator.events(ACTIVATIONS, json!({})).await;
    let refused = Answer::of(scene.operator.watch(ACTIVATIONS, json!({}))).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (503, Some("UNAVAILABLE")));
    let protocol = ("sec-websocket-protocol", "graphql-transport-ws");
    assert_eq!(Socket::upgrade(&app.base, &[protocol]).await.err(), Some(503));
    drop(first);
    until("a permit is free again", || app.door.sockets.open() == 2).await;
    let mut again = editor.events(ACTIVATIONS, json!({})).await;
    until("the subscriptions are open", || app.watchers() == 2).await;
    scene.activate(1).await;
    again.event().await;
}

#[tokio::test]
async fn who_is_sent_nothing_else_is_pinged() {
    let app = App::with(SocketLimits { ping: Duration::from_millis(100), ..impatient() }).await;
    let scene = Scene::on(&app).await;
    let mut events = scene.operator.events(ACTIVATIONS, json!({})).await;
    let began = std::time::Instant::now();
    for _ in 0..5 {
        assert_eq!(events.next_block().await, SseMessage::Comment(String::new()));
    }
    // The first ping comes at once.
    assert!(began.elapsed() >= Duration::from_millis(400), "{:?}", began.elapsed());
    scene.activate(1).await;
    assert_eq!(events.event().await["data"]["activations"]["version"]["number"], 1);
    assert_eq!(events.next_block().await, SseMessage::Comment(String::new()));
}
