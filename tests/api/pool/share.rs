//! A customer that holds its whole share of the pool slows only itself.

use std::time::Duration;

use agent_registry::domain::KeyScope;
use futures_util::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::sessions;
use crate::{
    cost::holding,
    support::{
        App, Calls,
        app::Setup,
        caller::{Operator, Program},
        wait::eventually,
    },
};

const CREATE: &str = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } userErrors { code } } }";
const COUNT: &str = "SELECT count(*) FROM registry.agents WHERE customer_id = $1::text::uuid";

/// A customer whose writes wait for a lock that the test holds, and another.
struct Contention {
    operator: Operator,
    busy: String,
    other: String,
    /// A key of the busy customer.
    slow: Program,
    /// A key of the other.
    quick: Program,
    /// A session that looks at the others.
    session: PgConnection,
    /// Closing it releases the lock.
    lock: PgConnection,
}

async fn contention(app: &App) -> Contention {
    let operator = app.operator().await;
    let (busy, other) = (operator.customer("Busy").await, operator.customer("Other").await);
    let scopes = [KeyScope::AgentsRead, KeyScope::AgentsWrite];
    let (slow, quick) = (app.program(&busy, scopes).await, app.program(&other, scopes).await);
    let session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let lock = holding(app, &format!("SELECT FROM registry.customers WHERE id = '{busy}' FOR UPDATE")).await;
    Contention { operator, busy, other, slow, quick, session, lock }
}

/// Writes of one customer wait for a lock on its row, which the test holds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_that_uses_its_whole_share_waits_for_itself_alone() {
    let app = App::set_up(Setup { connections: 12, ..Setup::default() }).await;
    let Contention { operator, busy, other, slow, quick, mut session, lock } = contention(&app).await;

    let attempts = join_all((0..15).map(|nth| {
        let input = json!({ "input": { "customerId": busy, "name": format!("Helper {nth}") } });
        slow.gql(CREATE, input)
    }));
    let bystander = async {
        eventually("the share is used up", async || {
            sessions(&mut session, "wait_event_type = 'Lock'").await.len() == 3
        })
        .await;
        for nth in 0..20 {
            quick.agent(&other, &format!("Helper {nth}")).await;
            let read = quick.gql("{ agents(first: 50) { totalCount } }", Value::Null).await;
            assert_eq!(read.at("/agents/totalCount"), &json!(nth + 1));
            operator.gql("{ customers { totalCount } }", Value::Null).await.at("/customers/totalCount");
        }
        assert_eq!(sessions(&mut session, "wait_event_type = 'Lock'").await.len(), 3);
        // Longer than a request waits for its share.
        tokio::time::sleep(Duration::from_secs(6)).await;
        lock.close().await.unwrap();
    };
    let (answers, ()) = tokio::join!(attempts, bystander);

    let (refused, made): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.code().is_some());
    assert_eq!((refused.len(), made.len()), (12, 3));
    for answer in refused {
        assert_eq!(answer.code(), Some("UNAVAILABLE"));
        assert!(answer.body.to_string().contains("your whole share"), "{}", answer.body);
    }
    let stored: i64 = sqlx::query_scalar(COUNT).bind(&busy).fetch_one(&mut session).await.unwrap();
    assert_eq!(stored, 3, "a refused write leaves nothing");
    let logged = "SELECT count(*) FROM registry.changes WHERE customer_id = $1::text::uuid AND action = 'agent.created'";
    let logged: i64 = sqlx::query_scalar(logged).bind(&busy).fetch_one(&mut session).await.unwrap();
    assert_eq!(logged, 3);
    // The share is whole again.
    slow.agent(&busy, "Last").await;
}

/// With a share of one connection, an operation that needs several one after another gets them.
#[tokio::test]
async fn no_operation_needs_two_connections_at_once() {
    let app = App::set_up(Setup { connections: 4, ..Setup::default() }).await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let program = app.program(&customer, KeyScope::ALL).await;
    let agent = program.agent(&customer, "Helper").await;
    let version = program.publish(&agent, "one").await;
    program.activate(&agent, &version).await;
    let three = "mutation ($one: CreateAgentInput!, $two: CreateAgentInput!, $three: CreateAgentInput!) {
        one: createAgent(input: $one) { agent { name customer { name agents(first: 5) { nodes { name } } } } }
        two: createAgent(input: $two) { agent { name customer { name agents(first: 5) { nodes { name } } } } }
        three: createAgent(input: $three) { agent { name customer { name agents(first: 5) { nodes { name } } } } } }";
    let input = |name: &str| json!({ "customerId": customer, "name": name });
    let variables = json!({ "one": input("One"), "two": input("Two"), "three": input("Three") });
    let made = program.gql(three, variables).await;
    assert_eq!(made.at("/three/agent/name"), "Three");
    // Without the lease, the configuration comes from the database, while another field's snapshot is open.
    let both = "query ($id: ID!) { agents(first: 5) { nodes { name } } agent(id: $id) { versions(first: 2) { nodes { number } } }
        activeConfig(agentId: $id) { name } }";
    for _ in 0..10 {
        app.clock.shift(chrono::TimeDelta::seconds(5));
        let read = program.gql(both, json!({ "id": agent })).await;
        assert_eq!(read.at("/activeConfig/name"), "Helper", "{}", read.body);
    }
}

/// One session stops responding, and the others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_session_is_discarded_alone() {
    let app = App::start().await;
    let Contention { busy, slow, quick, mut session, lock, .. } = contention(&app).await;
    let attempt = slow.gql(CREATE, json!({ "input": { "customerId": busy, "name": "Helper" } }));
    let bystander = async {
        let mut waiting = Vec::new();
        eventually("the write waits", async || {
            waiting = sessions(&mut session, "wait_event_type = 'Lock'").await;
            waiting.len() == 1
        })
        .await;
        let pid = Pid::from_raw(waiting[0]).unwrap();
        kill_process(pid, Signal::STOP).unwrap();
        let mut first = Vec::new();
        for nth in 0..140 {
            quick.gql("{ agents(first: 1) { nodes { id } } }", Value::Null).await.at("/agents/nodes");
            if nth == 0 {
                first = sessions(&mut session, "state = 'idle' AND query NOT LIKE 'LISTEN%'").await;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // One of them may be running a statement.
        let last = sessions(&mut session, "TRUE").await;
        kill_process(pid, Signal::CONT).unwrap();
        lock.close().await.unwrap();
        assert!(!first.is_empty());
        assert!(first.iter().all(|pid| last.contains(pid)), "{first:?} became {last:?}");
    };
    let (answer, ()) = tokio::join!(attempt, bystander);
    assert_eq!(answer.code(), Some("UNAVAILABLE"), "{}", answer.body);
    let input = json!({ "input": { "customerId": busy, "name": "Later" } });
    slow.gql(CREATE, input).await.text("/createAgent/agent/id");
}
