//! The cost of operations: what they are charged before they run and afterwards, and what clients learn of it.

use agent_registry::domain::KeyScope;
use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    App, Calls,
    caller::{Operator, Program, take_cost},
};

const NAME: &str = "{ viewer { name } }";
/// A query of 20,201 points: twice a request's.
const DEAR: &str = "{ agents(first: 100) { nodes { versions(first: 100) { nodes { id } } } } }";
/// Twelve times what is allowed.
const TOO_DEAR: &str = "{ cheap: viewer { name }
    all: customers(first: 100) { nodes { ...Agents } } }
    fragment Agents on Customer { agents(first: 100) { edges { node { history: versions(first: 100) { nodes { id } } } } } }";

async fn free_key(app: &App, operator: &Operator) -> (String, Program) {
    let customer = operator.customer("City").await;
    let program = app.program(&customer, [KeyScope::AgentsRead, KeyScope::AgentsWrite]).await;
    (customer, program)
}

#[tokio::test]
async fn each_field_of_a_mutation_counts_as_a_request() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (customer, key) = free_key(&app, &operator).await;
    app.clock.stop();
    let create = |request: usize| {
        let fields = (0..20).map(|nth| {
            format!("a{nth}: createAgent(input: {{ customerId: \"{customer}\", name: \"{request} {nth}\" }}) {{ agent {{ id }} }}")
        });
        format!("mutation {{ {} }}", fields.collect::<Vec<_>>().join(" "))
    };
    let (mut admitted, mut limited) = (0, 0);
    for request in 0..40 {
        let answer = key.gql(&create(request), Value::Null).await;
        match answer.status.as_u16() {
            200 => {
                assert!(answer.at("/a19/agent/id").is_string());
                admitted += 1;
                let left = 1_000_000 - admitted * 200_000;
                assert_eq!(answer.cost, json!({ "requested": 200_000, "limit": 200_000, "remaining": left }));
            }
            429 => {
                assert_eq!((answer.code(), answer.body.get("data")), (Some("RATE_LIMITED"), None));
                assert_eq!(answer.cost["remaining"], 0, "{}", answer.cost);
                limited += 1;
            }
            other => panic!("{other}: {}", answer.body),
        }
    }
    assert_eq!((admitted, limited), (5, 35), "a burst of 100 requests has room for five times twenty");
    let agents = operator.gql("{ agents(first: 1) { totalCount } }", Value::Null).await;
    assert_eq!(agents.at("/agents/totalCount"), 100, "and only what was admitted was written");
    app.clock.shift(TimeDelta::seconds(2));
    assert_eq!(key.gql(&create(40), Value::Null).await.status, 200);
    // A dear operation that is refused leaves the points for cheaper ones.
    for request in 41..45 {
        key.gql(&create(request), Value::Null).await;
    }
    app.clock.shift(TimeDelta::milliseconds(100));
    let refused = key.gql(&create(45), Value::Null).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, Some("RATE_LIMITED")));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(refused.cost, json!({ "requested": 200_000, "limit": 200_000, "remaining": 40_000 }));
    assert_eq!(key.gql(NAME, Value::Null).await.cost["remaining"], 30_000);
}

#[tokio::test]
async fn a_query_is_charged_its_cost_and_says_so_on_every_transport() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (_, key) = free_key(&app, &operator).await;
    app.clock.stop();
    let cost =
        |requested: u64, left: u64| json!({ "requested": requested, "limit": 100_000, "remaining": left });
    assert_eq!(key.gql(NAME, Value::Null).await.cost, cost(10_000, 990_000));
    let dear = key.gql(DEAR, Value::Null).await.cost;
    let points = dear["requested"].as_u64().unwrap();
    assert!((20_000..30_000).contains(&points), "{dear}");
    assert_eq!(dear, cost(points, 990_000 - points));
    let events = key.watch(NAME, Value::Null).send().await.unwrap().text().await.unwrap();
    let told: Value =
        serde_json::from_str(events.lines().nth(1).unwrap().trim_start_matches("data: ")).unwrap();
    assert_eq!(told["extensions"]["cost"], cost(10_000, 980_000 - points), "{events}");
    let mut socket = key.socket().await;
    socket.subscribe("1", NAME, Value::Null).await;
    let Message::Text(text) = socket.any().await else { panic!("no message") };
    let mut message: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(take_cost(&mut message["payload"])["requested"], 10_000, "{message}");
    let unlimited = operator.gql(DEAR, Value::Null).await;
    assert_eq!(unlimited.cost, json!({ "requested": points, "limit": 100_000, "remaining": null }));
}

#[tokio::test]
async fn a_query_that_costs_too_much_is_told_which_field_makes_it_dear() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (_, key) = free_key(&app, &operator).await;
    app.clock.stop();
    let refused = key.gql(TOO_DEAR, Value::Null).await;
    assert_eq!(refused.code(), Some("QUERY_TOO_COMPLEX"), "{}", refused.body);
    assert_eq!(refused.cost["costliestPath"], "all.agents.history");
    assert_eq!(refused.cost["limit"], 100_000);
    assert!(refused.cost["requested"].as_u64() > Some(1_000_000), "{}", refused.cost);
    assert_eq!(refused.cost["remaining"], 990_000);
    let mut socket = key.socket().await;
    socket.subscribe("1", TOO_DEAR, Value::Null).await;
    let error = socket.any().await.into_text().unwrap();
    let error: Value = serde_json::from_str(&error).unwrap();
    assert_eq!(error["payload"][0]["extensions"]["cost"]["costliestPath"], "all.agents.history", "{error}");
    let other = key.gql("{ nothing }", Value::Null).await;
    assert_eq!((other.code(), &other.cost), (Some("BAD_USER_INPUT"), &Value::Null));
}

#[tokio::test]
async fn what_an_operation_used_is_charged_afterwards() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (customer, key) = free_key(&app, &operator).await;
    let agent = operator.agent(&customer, "Helper").await;
    let prompt = |nth: u32| (0..30_000).map(|line| format!("{}\n", line * 7 + nth)).collect::<String>();
    for nth in 1..=2 {
        operator.publish(&agent, &prompt(nth)).await;
    }
    app.clock.stop();
    let left = async |query: &str| {
        let before = key.gql(NAME, Value::Null).await.cost["remaining"].as_u64().unwrap();
        key.gql(query, json!({ "agent": agent })).await.at("/agent");
        before - key.gql(NAME, Value::Null).await.cost["remaining"].as_u64().unwrap() - 20_000
    };
    let text = "query ($agent: ID!) { agent(id: $agent) { a: version(number: 1) { systemPrompt }
        b: version(number: 2) { systemPrompt } } }";
    let bytes = u64::try_from(prompt(1).len() + prompt(2).len()).unwrap();
    // A request for each 256 KiB, and the time that it took to write them.
    let charged = left(text).await;
    assert!(charged >= bytes / (256 * 1024) * 10_000, "{charged}");
    let diff = "query ($agent: ID!) { agent(id: $agent) { diff(from: 1, to: 2) { systemPrompt } } }";
    let used = left(diff).await;
    assert!(used > 20_000, "{used}: a diff takes longer than 20 ms, and is longer than 256 KiB");
}
