//! A query that computes gives its connection back meanwhile, and still shows one moment.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::sessions;
use crate::support::{
    App, Calls,
    caller::Member,
    wait::{eventually, waits_for_a_lock},
};

/// The number of diffs of one query, each of which takes about 100 ms.
const DIFFS: usize = 30;

/// A prompt of many lines that no other has.
fn prompt(seed: u64) -> String {
    let line = |nth: u64| format!("{:x}\n", (nth + seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    (0..8_000).map(line).collect()
}

/// A member, and an agent of it with two versions that have nothing in common.
async fn world(app: &App) -> (Member, String) {
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let member = app.member(&customer, Role::Admin).await;
    let agent = member.agent(&customer, "Before").await;
    member.publish(&agent, &prompt(1)).await;
    member.publish(&agent, &prompt(1_000_000)).await;
    let viewer = member.gql("{ viewer { user { id } } }", Value::Null).await.text("/viewer/user/id");
    let own = "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { userErrors { code } } }";
    member.gql(own, json!({ "input": { "agentId": agent, "ownerId": viewer } })).await;
    (member, agent)
}

fn diffs() -> String {
    (0..DIFFS).map(|nth| format!("d{nth}: diff(from: 1, to: 2) {{ systemPrompt }} ")).collect()
}

const IN_TRANSACTION: &str = "state = 'idle in transaction'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_holds_no_connection_while_it_computes() {
    let app = App::start().await;
    let (member, agent) = world(&app).await;
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let query = format!("query ($id: ID!) {{ agent(id: $id) {{ name {} }} }}", diffs());
    let mut asked = Box::pin(member.gql(&query, json!({ "id": agent })));
    let mut free = 0;
    let answer = loop {
        tokio::select! {
            biased;
            answer = &mut asked => break answer,
            busy = sessions(&mut session, IN_TRANSACTION) => free += u32::from(busy.is_empty()),
        }
    };
    assert!(answer.at("/agent/d0/systemPrompt").as_str().unwrap().contains("@@"));
    // Each look takes about a millisecond, and the diffs take seconds.
    assert!(free > 100, "the query had no open transaction in {free} looks only");
    assert!(sessions(&mut session, IN_TRANSACTION).await.is_empty());
}

/// While the query computes, another writes what the query has read already and reads again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_shows_one_moment_with_a_commit_while_it_computes() {
    let app = App::start().await;
    let (member, agent) = world(&app).await;
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let query = format!(
        "query ($id: ID!) {{ agent(id: $id) {{
            name
            {}
            customer {{ agents(first: 1) {{ nodes {{
                version(number: 1) {{ createdBy {{ user {{ agents(first: 1) {{ nodes {{ name }} }} }} }} }}
            }} }} }}
        }} }}",
        diffs()
    );
    // With the prompts in memory, the diffs begin at once.
    let read = "query ($id: ID!) { agent(id: $id) { versions(first: 2) { nodes { systemPrompt } } } }";
    member.gql(read, json!({ "id": agent })).await.at("/agent/versions/nodes/1/systemPrompt");
    // The field `user` waits until the rename is committed, while the diffs are computed. Its snapshot is the first one,
    // that of the `agents` below it a later one.
    let mut lock = admin.begin().await.unwrap();
    sqlx::query("LOCK TABLE registry.users IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let asked = member.gql(&query, json!({ "id": agent }));
    let rename = async {
        waits_for_a_lock(&mut session, "%users%").await;
        let rename =
            "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { userErrors { code } } }";
        let input = json!({ "input": { "agentId": agent, "name": "After" } });
        let renamed = member.gql(rename, input).await;
        assert_eq!(renamed.at("/updateAgent/userErrors"), &json!([]));
        lock.rollback().await.unwrap();
    };
    let (answer, ()) = tokio::join!(asked, rename);
    assert_eq!(answer.at("/agent/name"), "After", "the query ran again: {}", answer.body["errors"]);
    assert_eq!(
        answer.at("/agent/customer/agents/nodes/0/version/createdBy/user/agents/nodes/0/name"),
        "After"
    );
    assert!(answer.at("/agent/d0/systemPrompt").is_string());
    eventually("no transaction is open", async || sessions(&mut session, IN_TRANSACTION).await.is_empty())
        .await;
}
