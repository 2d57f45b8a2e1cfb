//! Clients that go away in the middle: what was acknowledged stays, and the next one is served well.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::sleep};

use crate::support::{App, caller::Operator};

/// How many hang up; the delays sweep over a whole mutation.
const HANG_UPS: u32 = 120;

/// Sends a mutation over a connection of its own, and hangs up after this long. Says whether it was acknowledged.
async fn hang_up(operator: &Operator, name: &str, after: Duration) -> bool {
    let mutation =
        "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id } } }";
    let body = json!({ "query": mutation, "variables": { "input": { "name": name } } }).to_string();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        operator.token.as_deref().unwrap(),
        body.len()
    );
    let mut socket = TcpStream::connect(operator.base.trim_start_matches("http://")).await.unwrap();
    // Hanging up then is a reset, which the service hears of at once.
    socket.set_zero_linger().unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    sleep(after).await;
    let mut answer = [0; 64];
    matches!(socket.try_read(&mut answer), Ok(read) if read > 0 && answer.starts_with(b"HTTP/1.1 200"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_hangs_up_harms_nobody() {
    let app = App::start().await;
    let operator = app.operator().await;
    operator.customer("First").await;
    let mut acknowledged = Vec::new();
    for nth in 0..HANG_UPS {
        let name = format!("Hung up {nth}");
        if hang_up(&operator, &name, Duration::from_micros(u64::from(nth) * 150)).await {
            acknowledged.push(name);
        }
    }
    // All who came later are served well: none gets a poisoned connection.
    for nth in 0..50 {
        operator.customer(&format!("After {nth}")).await;
    }
    assert!(!acknowledged.is_empty(), "the sweep reaches the end of a mutation");
    assert!(acknowledged.len() < usize::try_from(HANG_UPS).unwrap(), "and its middle");
    for name in acknowledged {
        let query = "query ($name: String!) { customers(filter: { name: $name }) { totalCount } }";
        let answer = operator.gql(query, json!({ "name": name })).await;
        assert_eq!(answer.at("/customers/totalCount"), 1, "{name} was acknowledged");
    }
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let stuck = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'
        AND state_change < now() - interval '1 second'";
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(sqlx::query_scalar::<_, i64>(stuck).fetch_one(&mut session).await.unwrap(), 0);
    // Each customer has its log row and the other way round, acknowledged or not.
    let unlogged = "SELECT (SELECT count(*) FROM registry.customers) - (SELECT count(*) FROM registry.changes WHERE action = 'customer.created')";
    assert_eq!(sqlx::query_scalar::<_, i64>(unlogged).fetch_one(&mut session).await.unwrap(), 0);
}

#[tokio::test]
async fn a_connection_that_postgres_ends_is_replaced() {
    let app = App::start().await;
    let operator = app.operator().await;
    operator.customer("First").await;
    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(end).execute(&mut session).await.unwrap();
    let mut tries = 0;
    // Each pooled connection may fail once, with a code that says to try again; none fails twice.
    loop {
        let answer = operator.gql("{ customers { totalCount } }", Value::Null).await;
        if answer.code().is_none() {
            assert_eq!(answer.at("/customers/totalCount"), 1);
            break;
        }
        assert_eq!(answer.code(), Some("UNAVAILABLE"), "{}", answer.body);
        tries += 1;
        assert!(tries <= 20, "it does not recover");
    }
    operator.customer("After").await;
}
