//! `totalCount` stops at 10,000, and so do the statements that count.

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{
    ObservedService, QueryCaller, Question,
    fill::{Kind, Size, id},
};

/// The customers with more than 10,000 rows in each list, and with exactly 10,000.
const LONG: usize = 9_001;
const FULL: usize = 9_002;

/// The most rows that a count reads of a list without a filter of agents: those that it counts, and in lists of the
/// whole registry about a hundred others.
const ROWS: u64 = 10_001 + 120;
/// The most that it reads with a filter: of the index of each of three conditions, of the list, and of its agents'
/// tools. Each list of [`LONG`] has 60,000.
const SEARCH_ROWS: u64 = 5 * ROWS;

const COUNT: &str = "{ totalCount totalCountIsExact }";

/// Filters of agents that all agents of both customers pass.
const WIDE: [&str; 7] = [
    "archived: false",
    "nameStartsWith: \"BANANA\"",
    "nameContains: \"an\"",
    "modelName: \"wide model\"",
    "toolName: \"wide\"",
    "nameContains: \"an\", modelName: \"wide model\", archived: false",
    "nameContains: \"an\", nameStartsWith: \"ban\", toolName: \"wide\"",
];

/// Filters of agents, and how many of [`LONG`]'s pass.
const NARROW: [(&str, u64); 6] = [
    ("nameContains: \"nothing\"", 0),
    ("name: \"Banana 12\"", 1),
    ("nameContains: \"anana 12\"", 1_111),
    ("nameContains: \"an\", nameStartsWith: \"banana 12\"", 1_111),
    // More than a page of a search looks up, and fewer than a count.
    ("nameContains: \"12\"", 2_774),
    ("archived: true", 0),
];

/// Lists at the root, and how many entries of the registry's they have. Others make up most of what isn't counted.
const RARE: [(&str, u64); 7] = [
    ("agents(filter: { modelName: \"model rare\" })", 60),
    ("agents(filter: { toolName: \"rare\" })", 60),
    ("agents(filter: { nameStartsWith: \"zebra\" })", 60),
    ("agents(filter: { nameContains: \"zebra\", archived: false })", 60),
    ("changes(filter: { actions: [CUSTOMER_BILLING_SET, CUSTOMER_ERASED] })", 10),
    ("changes(filter: { actorKind: OPERATOR })", 10),
    ("changes(filter: { actorKind: API_KEY, actions: [AGENT_UPDATED] })", 1),
];

async fn observed() -> ObservedService {
    let database = Size { agents: 100, customers: 10, versions: 1 }.database().await;
    let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
    sqlx::raw_sql(include_str!("count.sql")).execute(&mut admin).await.unwrap();
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
    ObservedService::on(&database).await
}

/// The selections of each list with a count below a customer and below its first agent.
fn lists(customer: usize) -> Vec<String> {
    let mut lists = Vec::new();
    for list in
        ["members", "invitations", "apiKeys", "agents", "changes", "changes(filter: { actorKind: SYSTEM })"]
    {
        lists.push(format!("customer(id: \"{}\") {{ list: {list} {COUNT} }}", id(Kind::Customer, customer)));
    }
    for filter in WIDE {
        lists.push(format!(
            "customer(id: \"{}\") {{ list: agents(filter: {{ {filter} }}) {COUNT} }}",
            id(Kind::Customer, customer)
        ));
    }
    let agent = id(Kind::Agent, customer * 100_000 + 1);
    for list in ["versions", "activations", "changes", "changes(filter: { actions: [AGENT_UPDATED] })"] {
        lists.push(format!("agent(id: \"{agent}\") {{ list: {list} {COUNT} }}"));
    }
    lists.push(format!("agent(id: \"{agent}\") {{ owner {{ list: agents {COUNT} }} }}"));
    lists
}

/// The selections of each list at the root.
fn root_lists() -> Vec<String> {
    let mut lists: Vec<String> =
        ["agents", "changes", "changes(filter: { actions: [AGENT_UPDATED, AGENT_CREATED] })"]
            .iter()
            .map(|list| format!("list: {list} {COUNT}"))
            .collect();
    lists.extend(WIDE.map(|filter| format!("list: agents(filter: {{ {filter} }}) {COUNT}")));
    lists
}

/// Asks for one list. Returns its count and whether it is exact. The statements must not read much more.
async fn counted(seen: &ObservedService, who: QueryCaller, list: &str) -> (u64, bool) {
    let query = format!("{{ {list} }}");
    let client = seen.client(who);
    client.gql("{ __typename }", Value::Null).await;
    seen.eye.ran().await;
    let answer = client.gql(&query, Value::Null).await;
    assert_eq!(answer.body.get("errors"), None, "{query}: {}", answer.body);
    let most = if list.contains("agents(filter") { SEARCH_ROWS } else { ROWS };
    for ran in seen.eye.ran().await.iter().filter(|ran| ran.text.contains("count(*)")) {
        let rows = ran.stored_rows;
        assert!(rows <= most && ran.whole.is_empty(), "{query}: {rows} rows\n{}\n{}", ran.text, ran.plan);
    }
    let found = ["/data/list", "/data/customer/list", "/data/agent/list", "/data/agent/owner/list"]
        .iter()
        .find_map(|path| answer.body.pointer(path))
        .unwrap();
    (found["totalCount"].as_u64().unwrap(), found["totalCountIsExact"].as_bool().unwrap())
}

#[tokio::test]
async fn a_count_stops_at_ten_thousand() {
    let seen = observed().await;
    for (customer, is_exact) in [(LONG, false), (FULL, true)] {
        for who in [QueryCaller::Operator, QueryCaller::User(customer)] {
            for list in lists(customer) {
                assert_eq!(counted(&seen, who, &list).await, (10_000, is_exact), "{who:?} {list}");
            }
        }
        for list in root_lists() {
            let who = QueryCaller::User(customer);
            assert_eq!(counted(&seen, who, &list).await, (10_000, is_exact), "{who:?} {list}");
        }
    }
    for list in root_lists() {
        assert_eq!(counted(&seen, QueryCaller::Operator, &list).await, (10_000, false), "{list}");
    }
    for list in ["customers", "customers(filter: { name: \"Village\" })"] {
        let list = format!("list: {list} {COUNT}");
        assert_eq!(counted(&seen, QueryCaller::Operator, &list).await, (10_000, false), "{list}");
    }
    let one = format!("list: customers(filter: {{ name: \"City {LONG}\" }}) {COUNT}");
    assert_eq!(counted(&seen, QueryCaller::Operator, &one).await, (1, true));

    // Below the limit a count is exact.
    for (filter, count) in NARROW {
        let list = format!("agents(filter: {{ {filter} }}) {COUNT}");
        let below = format!("customer(id: \"{}\") {{ list: {list} }}", id(Kind::Customer, LONG));
        let root = format!("list: {list}");
        for list in [below, root] {
            let found = counted(&seen, QueryCaller::User(LONG), &list).await;
            assert_eq!(found, (count, true), "{list}");
        }
    }
    for (list, count) in RARE {
        let found = counted(&seen, QueryCaller::Operator, &format!("list: {list} {COUNT}")).await;
        assert_eq!(found, (count, true), "{list}");
    }
    seen.app.stop().await;
}

#[tokio::test]
async fn a_count_and_whether_it_is_exact_are_one_statement() {
    let database = Size { agents: 100, customers: 10, versions: 1 }.database().await;
    let seen = ObservedService::on(&database).await;
    let below = format!("customer(id: \"{}\") {{ agents", id(Kind::Customer, 1));
    for (begin, end) in [("customers", ""), ("agents", ""), ("changes", ""), (below.as_str(), "}")] {
        let mut ran = Vec::new();
        for count in ["totalCount", "totalCountIsExact", "totalCount totalCountIsExact again: totalCount"] {
            let query = format!("{{ {begin} {{ {count} }} {end} }}");
            let question = Question { who: QueryCaller::Operator, query, rows: 0, searches: false };
            seen.asked(&question).await;
            let counts = seen.asked(&question).await;
            ran.push(counts.iter().filter(|ran| ran.text.contains("count(*)")).count());
        }
        assert_eq!(json!(ran), json!([1, 1, 1]), "{begin}");
    }
    seen.app.stop().await;
}
