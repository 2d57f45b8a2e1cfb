//! Limits on the cost of one client's requests that depend on the rows: CPU, memory and time.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::{App, Calls, caller::Operator};

/// Publishes versions with prompts of maximum size. No line occurs twice, so a diff finds nothing in common.
async fn histories(operator: &Operator, versions: usize) -> String {
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    for version in 0..versions {
        let lines: Vec<String> = (0..37_000).map(|line| format!("{:012}", line * 7 + version)).collect();
        operator.publish(&agent, &lines.join("\n")).await;
    }
    agent
}

/// A query with `times` aliases of this field.
fn repeated(field: &str, times: usize) -> String {
    let fields: Vec<String> = (0..times).map(|nth| format!("f{nth}: {field}")).collect();
    format!("query ($agent: ID!) {{ agent(id: $agent) {{ {} }} }}", fields.join(" "))
}

/// The test and the service share one thread, so a blocked thread shows as a late timer.
#[tokio::test]
async fn whoever_compares_prompts_leaves_time_for_others() {
    let app = App::start().await;
    let operator = app.operator().await;
    let agent = histories(&operator, 2).await;
    let diffs = repeated("diff(from: 1, to: 2) { systemPrompt }", 30);
    let greedy = tokio::spawn(async move { operator.gql(&diffs, json!({ "agent": agent })).await });
    let (begun, mut longest) = (Instant::now(), Duration::ZERO);
    while begun.elapsed() < Duration::from_secs(2) && !greedy.is_finished() {
        let looked = Instant::now();
        tokio::time::sleep(Duration::from_millis(5)).await;
        longest = longest.max(looked.elapsed());
    }
    greedy.abort();
    assert!(longest < Duration::from_secs(1), "{longest:?}");
}

#[tokio::test]
async fn an_answer_is_refused_before_it_fills_the_memory() {
    let app = App::start().await;
    let operator = app.operator().await;
    let agent = histories(&operator, 2).await;
    let few =
        operator.gql(&repeated("version(number: 1) { systemPrompt }", 10), json!({ "agent": agent })).await;
    assert!(few.at("/agent/f9/systemPrompt").is_string());
    for field in [
        "versions { nodes { systemPrompt a: systemPrompt } }",
        "version(number: 2) { systemPrompt }",
        "diff(from: 1, to: 2) { systemPrompt }",
    ] {
        let much = operator.gql(&repeated(field, 80), json!({ "agent": agent })).await;
        assert_eq!(much.code(), Some("QUERY_TOO_COMPLEX"), "{field}: {}", much.body);
    }
}

/// Runs this statement in a transaction that stays open until the connection is dropped.
pub(crate) async fn holding(app: &App, statement: &str) -> PgConnection {
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("BEGIN; {statement}"))).execute(&mut admin).await.unwrap();
    admin
}

/// A statement may take ten seconds, an operation fifteen. The second write waits for a row lock from the seventh
/// second on, so its statement's timeout would come after the operation's.
#[tokio::test]
async fn what_takes_too_long_is_given_up_and_says_so() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let (first, second) =
        (operator.agent(&customer, "First").await, operator.agent(&customer, "Second").await);
    let row = |agent: &str| format!("SELECT FROM registry.agents WHERE id = '{agent}' FOR UPDATE");
    let table = holding(&app, "LOCK TABLE registry.api_keys IN ACCESS EXCLUSIVE MODE").await;
    let (first_row, second_row) = (holding(&app, &row(&first)).await, holding(&app, &row(&second)).await);
    let timed = async |query: &str| {
        let variables = json!({ "customer": customer, "first": first, "second": second });
        let began = Instant::now();
        (operator.gql(query, variables).await, began.elapsed().as_secs())
    };
    let read = timed("query ($customer: ID!) { customer(id: $customer) { apiKeys { nodes { id } } } }");
    let write = timed(
        "mutation ($first: ID!, $second: ID!) { a: archiveAgent(input: { agentId: $first }) { revision }
            b: archiveAgent(input: { agentId: $second }) { revision } }",
    );
    let release = async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        drop(first_row);
    };
    let ((read, read_took), (written, write_took), ()) = tokio::join!(read, write, release);
    assert_eq!(read.code(), Some("UNAVAILABLE"), "{}", read.body);
    assert!((9..14).contains(&read_took), "{read_took}");
    assert_eq!((written.status.as_u16(), written.code()), (503, Some("UNAVAILABLE")), "{}", written.body);
    assert_eq!(
        written.body["errors"][0]["message"],
        "the operation took longer than 15 s; a write that has begun still runs to its end"
    );
    assert!((14..25).contains(&write_took), "{write_took}");
    drop((table, second_row));
    let query = "query ($first: ID!) { agent(id: $first) { archivedAt } }";
    let kept = operator.gql(query, json!({ "first": first })).await;
    assert!(kept.at("/agent/archivedAt").is_string(), "the write that committed before the timeout stays");
}
