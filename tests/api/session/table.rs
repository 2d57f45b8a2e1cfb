//! The audit log as a table for spreadsheets: its rows are the entries that GraphQL lists, and none of them is a formula.

use agent_registry::domain::{
    Caller, KeyScope,
    auth::jwt::LOCAL_ISSUER,
    member::{Role, SetMember},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    browser::Browser,
    download::{City, assert_refused, text, whole},
};
use crate::{
    audit::lengthen_log,
    support::{Calls, caller::Answer},
};

const COLUMNS: &str = "revision,at,action,actor kind,actor name,actor id,agent,agent id,version,environment,channel,network,request id,before,after";

impl City {
    /// The rows of the table, without the first one, which has the names of the columns.
    pub(super) async fn table(&self, browser: &Browser, query: &str) -> Vec<Vec<String>> {
        let text =
            text(&whole(|| browser.request(Method::GET, &self.path(&format!("audit.csv{query}")))).await);
        let mut rows = rows(&text);
        assert_eq!(rows.remove(0).join(","), COLUMNS);
        rows
    }

    /// The cells of the entries that GraphQL lists to the same user for this filter.
    async fn entries(&self, filter: Value) -> Vec<Vec<String>> {
        let query = "query ($c: ID!, $f: ChangeFilter, $after: String) {
            changes(customerId: $c, filter: $f, first: 40, after: $after) { pageInfo { hasNextPage endCursor } nodes {
                revision at action actor { kind id displayName } agentId agent { name } version { number }
                environment { key } channel network requestId before after } } }";
        let (mut cells, mut after) = (Vec::new(), Value::Null);
        loop {
            let variables = json!({ "c": self.customer, "f": filter, "after": after });
            let answer = self.admin.gql(query, variables).await;
            let page = answer.at("/changes");
            cells.extend(page["nodes"].as_array().unwrap().iter().map(cells_of));
            if page["pageInfo"]["hasNextPage"] == false {
                return cells;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
    }
}

/// The cells of an entry. JSON is spelled as `serde_json` does.
fn cells_of(node: &Value) -> Vec<String> {
    let plain = [
        "/revision",
        "/at",
        "/action",
        "/actor/kind",
        "/actor/displayName",
        "/actor/id",
        "/agent/name",
        "/agentId",
        "/version/number",
        "/environment/key",
        "/channel",
        "/network",
        "/requestId",
    ];
    let plain = plain.iter().map(|pointer| match node.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    });
    let json = ["before", "after"].iter().map(|part| match &node[*part] {
        Value::Null => String::new(),
        json => json.to_string(),
    });
    plain.chain(json).collect()
}

/// A row with its JSON spelled as `serde_json` does.
fn respelled(mut row: Vec<String>) -> Vec<String> {
    for cell in row.iter_mut().skip(13).filter(|cell| !cell.is_empty()) {
        *cell = serde_json::from_str::<Value>(cell).unwrap().to_string();
    }
    row
}

/// Reads comma-separated values (RFC 4180).
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut is_quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted => {
                assert_eq!(letters.next(), Some('\n'));
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(row.is_empty() && cell.is_empty() && !is_quoted, "a row without its end: {row:?} {cell}");
    rows
}

#[tokio::test]
async fn the_table_has_the_entries_of_the_log() {
    let city = City::new().await;
    let key = city.app.program(&city.customer, KeyScope::ALL).await;
    city.app.let_pass(chrono::TimeDelta::seconds(10)).await;
    let other = key.agent(&city.customer, "Clerk").await;
    crate::environment::create(&city.operator, &city.customer, "staging").await;
    // More entries than are read at once.
    for nth in 0..70 {
        let role = if nth % 2 == 0 { Role::Viewer } else { Role::Editor };
        city.app.set_member(&city.customer, "vera", role).await;
    }
    let all = city.entries(Value::Null).await;
    assert!(all.len() > 64 + 10, "{}", all.len());
    let respelled_table = async |query: &str| -> Vec<Vec<String>> {
        city.table(&city.admin, query).await.into_iter().map(respelled).collect()
    };
    assert_eq!(respelled_table("").await, all);
    let (newest, oldest) = (&all[0][0], &all[all.len() - 1][0]);
    assert!(newest.parse::<i64>().unwrap() > oldest.parse::<i64>().unwrap(), "newest first");
    let agent_made = all.iter().find(|row| row[7] == other).unwrap();
    assert_eq!((agent_made[3].as_str(), agent_made[4].as_str()), ("API_KEY", "program"));
    let at = agent_made[1].as_str();
    let filters = [
        ("?actions=AGENT_CREATED".to_owned(), json!({ "actions": ["AGENT_CREATED"] })),
        (
            "?actions=AGENT_ACTIVATED,VERSION_PUBLISHED,AGENT_ACTIVATED".to_owned(),
            json!({ "actions": ["AGENT_ACTIVATED", "VERSION_PUBLISHED"] }),
        ),
        (format!("?agent_id={}", city.agent), json!({ "agentId": city.agent })),
        (format!("?actor_id={}", agent_made[5]), json!({ "actorId": agent_made[5] })),
        ("?actor_kind=OPERATOR".to_owned(), json!({ "actorKind": "OPERATOR" })),
        (format!("?since={at}"), json!({ "since": at })),
        (format!("?until={at}"), json!({ "until": at })),
        (
            format!("?since={at}&actions=MEMBER_SET&actor_kind=SYSTEM"),
            json!({ "since": at, "actions": ["MEMBER_SET"], "actorKind": "SYSTEM" }),
        ),
    ];
    for (query, filter) in filters {
        let expected = city.entries(filter).await;
        assert!(!expected.is_empty() && expected.len() < all.len(), "{query} tells nothing");
        assert_eq!(respelled_table(&query).await, expected, "{query}");
    }
    let none = city.table(&city.admin, "?until=2020-01-01T00:00:00Z").await;
    assert_eq!(none, Vec::<Vec<String>>::new(), "the first row alone");
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_named() {
    let city = City::new().await;
    for (query, status, field) in [
        ("?actions=NONSENSE", 422, json!("actions")),
        ("?actions=AGENT_CREATED,", 422, json!("actions")),
        ("?actions=agent.created", 422, json!("actions")),
        ("?agent_id=1", 422, json!("agent_id")),
        ("?actor_id=1", 422, json!("actor_id")),
        ("?actor_kind=PERSON", 422, json!("actor_kind")),
        ("?since=soon", 422, json!("since")),
        ("?until=2026-11-29", 422, json!("until")),
        ("?agentId=1", 400, json!("agentId")),
        ("?actions=AGENT_CREATED&actions=AGENT_UPDATED", 400, json!("actions")),
    ] {
        let path = city.path(&format!("audit.csv{query}"));
        let answer = Answer::of(city.admin.request(Method::GET, &path)).await;
        let code = if status == 422 { "INVALID" } else { "BAD_REQUEST" };
        assert_refused(query, &answer, status, code);
        assert_eq!(answer.body["field"], field, "{query}: {}", answer.body);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains(field.as_str().unwrap()), "{query}: {detail}");
    }
}

#[tokio::test]
async fn no_name_becomes_a_formula() {
    let city = City::new().await;
    let input = SetMember {
        customer_id: city.customer.parse().unwrap(),
        issuer: LOCAL_ISSUER.to_owned(),
        subject: "eve".to_owned(),
        email: None,
        name: Some("@SUM(1,1)".to_owned()),
        role: Role::Editor,
    };
    city.app.registry.set_member(&Caller::system("test"), input).await.unwrap();
    let eve = Browser::sign_in(&city.app, "eve").await;
    let create = "mutation ($c: ID!, $name: String!) { createAgent(input: { customerId: $c, name: $name }) { agent { id } } }";
    for name in ["=HYPERLINK(\"https://evil.example\",\"a\")", "+1", "-1", "＝1+1", "a=1, \"b\""] {
        let made = eve.gql(create, json!({ "c": city.customer, "name": name })).await;
        made.text("/createAgent/agent/id");
    }
    let answer =
        whole(|| city.admin.request(Method::GET, &city.path("audit.csv?actions=AGENT_CREATED"))).await;
    let table = text(&answer);
    assert!(table.contains(",\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"a\"\")\","), "{table}");
    let table = rows(&table);
    let names: Vec<&str> = table.iter().skip(1).map(|row| row[6].as_str()).collect();
    let formula = "'=HYPERLINK(\"https://evil.example\",\"a\")";
    assert_eq!(names, ["a=1, \"b\"", "'＝1+1", "'-1", "'+1", formula, "Helper"]);
    assert_eq!(table[1][4], "'@SUM(1,1)");
    for cell in table.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
}

#[tokio::test]
async fn a_table_is_cut_off_when_its_reader_loses_the_right() {
    let city = City::new().await;
    lengthen_log(&city.app, &city.customer, &city.agent).await;
    let path = city.path("audit.csv");
    let slow = city.admin.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(slow.status(), 200);
    let second = Answer::of(city.admin.request(Method::GET, &city.path("audit"))).await;
    assert_refused("a second download", &second, 429, "RATE_LIMITED");
    city.app.set_member(&city.customer, "bea", Role::Admin).await;
    city.app.set_member(&city.customer, "ada", Role::Viewer).await;
    let rest = slow.text().await;
    assert!(rest.is_err(), "{:.300}", rest.unwrap_or_default());
    let after = Answer::of(city.admin.request(Method::GET, &path)).await;
    assert_refused("the next one", &after, 403, "FORBIDDEN");
}
