//! A request with an error anywhere runs nothing, and a repeated selection runs once: over POST, server-sent events
//! and WebSocket.

use serde_json::{Value, json};

use super::{CREATE, GRAPHQL, assert_refused, customers, get, operator, persisted::over_socket, post};
use crate::support::{
    Answer, App,
    caller::Operator,
    events::{Events, SseMessage},
};

/// The second field has an input of another type; a variable of another type; a string that isn't a time; a number
/// that is too large.
const WRONG: [&str; 4] = [
    "mutation { a: createCustomer(input: {name: \"A\"}) { revision } b: createAgent(input: \"x\") { revision } }",
    "mutation ($n: String) { a: createCustomer(input: {name: \"A\"}) { revision } b: createCustomer(input: {name: $n}) { revision } }",
    "mutation { a: createCustomer(input: {name: \"A\"}) { revision } b: createApiKey(input: {customerId: \"1\", name: \"k\", scopes: [AGENTS_READ], expiresAt: \"tomorrow\"}) { revision } }",
    "mutation { a: createCustomer(input: {name: \"A\"}) { customer { agents(first: 3000000000) { totalCount } } } }",
];

const TWICE: &str = "mutation { a: createCustomer(input: {name: \"Once\"}) { customer { id } } ...F } \
    fragment F on Mutation { a: createCustomer(input: {name: \"Once\"}) { customer { name } ...{ revision } } }";

/// The transports of a mutation.
#[derive(Clone, Copy, Debug)]
enum Transport {
    Body,
    Events,
    Socket,
}

/// The `data` of the response; none when the operation didn't run.
async fn ask(app: &App, caller: &Operator, door: Transport, query: &str) -> Option<Value> {
    match door {
        Transport::Body => {
            let answer = Answer::of(post(caller, Some(GRAPHQL), json!({ "query": query }))).await;
            answer.body.get("data").cloned()
        }
        Transport::Events => match Events::of(caller.watch(query, Value::Null)).await.next().await {
            SseMessage::Next(said) => said.get("data").cloned(),
            other => panic!("{other:?}"),
        },
        Transport::Socket => {
            let message = over_socket(app, caller, json!({ "query": query })).await;
            message["payload"].get("data").cloned()
        }
    }
}

#[tokio::test]
async fn what_is_wrong_runs_nothing_and_what_stands_twice_runs_once_at_every_door() {
    let (app, operator) = operator().await;
    let mut made = 0;
    for door in [Transport::Body, Transport::Events, Transport::Socket] {
        for query in WRONG {
            assert_eq!(ask(&app, &operator, door, query).await, None, "{door:?}: {query}");
            assert_eq!(customers(&operator).await, made, "{door:?}: {query}");
        }
        let data = ask(&app, &operator, door, TWICE).await.unwrap();
        made += 1;
        assert_eq!(customers(&operator).await, made, "{door:?}");
        assert_eq!(data["a"]["customer"]["name"], "Once", "{data}");
        assert!(data["a"]["customer"]["id"].is_string() && data["a"]["revision"].is_string(), "{data}");
    }
    // A mutation over GET never runs, valid or not.
    for query in [CREATE, TWICE] {
        assert_refused(&Answer::of(get(&operator, &[("query", query)])).await, 405);
    }
    assert_eq!(customers(&operator).await, made);
}
