//! What is wrong anywhere in a request runs nothing of it, and what is selected twice runs once: by a body, by events, and over
//! a socket.

use serde_json::{Value, json};

use super::{CREATE, GRAPHQL, assert_refused, customers, get, operator, persisted::over_socket, post};
use crate::support::{
    Answer, App,
    caller::Operator,
    events::{Events, Said},
};

/// Its second field has an input of another type; a variable stands where it may not; a string is no time; a number is too large.
const WRONG: [&str; 4] = [
    "mutation { a: createCustomer(input: {name: \"A\"}) { revision } b: createAgent(input: \"x\") { revision } }",
    "mutation ($n: String) { a: createCustomer(input: {name: \"A\"}) { revision } b: createCustomer(input: {name: $n}) { revision } }",
    "mutation { a: createCustomer(input: {name: \"A\"}) { revision } b: createApiKey(input: {customerId: \"1\", name: \"k\", scopes: [AGENTS_READ], expiresAt: \"tomorrow\"}) { revision } }",
    "mutation { a: createCustomer(input: {name: \"A\"}) { customer { agents(first: 3000000000) { totalCount } } } }",
];

const TWICE: &str = "mutation { a: createCustomer(input: {name: \"Once\"}) { customer { id } } ...F } \
    fragment F on Mutation { a: createCustomer(input: {name: \"Once\"}) { customer { name } ...{ revision } } }";

/// The doors of GraphQL through which a mutation may come.
#[derive(Clone, Copy, Debug)]
enum Door {
    Body,
    Events,
    Socket,
}

/// What is answered at a door: `data`, when the operation ran.
async fn ask(app: &App, caller: &Operator, door: Door, query: &str) -> Option<Value> {
    match door {
        Door::Body => {
            let answer = Answer::of(post(caller, Some(GRAPHQL), json!({ "query": query }))).await;
            answer.body.get("data").cloned()
        }
        Door::Events => match Events::of(caller.watch(query, Value::Null)).await.next().await {
            Said::Next(said) => said.get("data").cloned(),
            other => panic!("{other:?}"),
        },
        Door::Socket => {
            let message = over_socket(app, caller, json!({ "query": query })).await;
            message["payload"].get("data").cloned()
        }
    }
}

#[tokio::test]
async fn what_is_wrong_runs_nothing_and_what_stands_twice_runs_once_at_every_door() {
    let (app, operator) = operator().await;
    let mut made = 0;
    for door in [Door::Body, Door::Events, Door::Socket] {
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
    // By GET no mutation runs, right or wrong.
    for query in [CREATE, TWICE] {
        assert_refused(&Answer::of(get(&operator, &[("query", query)])).await, 405);
    }
    assert_eq!(customers(&operator).await, made);
}
