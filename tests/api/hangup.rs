//! Clients that disconnect during a mutation: acknowledged writes stay, and later requests succeed.

#[path = "hangup/leave.rs"]
mod leave;

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use crate::support::{App, caller::Operator, proof::count};
use leave::{LeaveMode, Outcome, leave};

/// How many clients run concurrently: as many as there are database connections.
const SIDE_BY_SIDE: usize = 10;

/// The median duration of a complete mutation, with this many concurrent clients.
async fn whole(operator: &Operator, way: LeaveMode, round: u32) -> Duration {
    let times = stream::iter(0..SIDE_BY_SIDE * 4).map(async |nth| {
        let began = Instant::now();
        let left = leave(operator, way, &format!("Whole {way:?} {round}-{nth}"), None).await;
        assert!(matches!(left, Outcome::Acknowledged(_)), "{left:?}");
        // The time counts from when the whole request is sent.
        let Outcome::Acknowledged(took) = left else { return began.elapsed() };
        took
    });
    let mut times: Vec<Duration> = times.buffer_unordered(SIDE_BY_SIDE).collect().await;
    times.sort_unstable();
    times[times.len() / 2]
}

/// The result of a sweep.
struct SweepResult {
    acknowledged: Vec<String>,
    all: usize,
}

/// Makes `all` clients leave in this way, each a little later than the one before: from at once to long after the
/// response.
async fn sweep(operator: &Operator, way: LeaveMode, all: usize, round: u32) -> SweepResult {
    let whole = whole(operator, way, round).await;
    let most = whole.mul_f64(1.5) * 2_u32.pow(round);
    let step = |nth: usize| most.mul_f64(nth as f64 / all as f64);
    let began = Instant::now();
    let left = stream::iter(0..all).map(async |nth| {
        let name = format!("Left {way:?} {round}-{nth}");
        let left = leave(operator, way, &name, Some(step(nth))).await;
        matches!(left, Outcome::Acknowledged(_)).then_some(name)
    });
    let left: Vec<Option<String>> = left.buffer_unordered(SIDE_BY_SIDE).collect().await;
    let acknowledged: Vec<String> = left.into_iter().flatten().collect();
    println!(
        "{way:?}: a whole mutation takes {whole:?}; {all} left after 0 to {most:?}, {} of them acknowledged; {:?}",
        acknowledged.len(),
        began.elapsed()
    );
    SweepResult { acknowledged, all }
}

/// Sends this many concurrent requests, so that each connection is used. All must succeed.
async fn assert_requests_succeed(operator: &Operator, requests: usize) {
    let query = "query ($name: String!) { customers(filter: { name: $name }) { totalCount nodes { name } } }";
    let create = "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id name } revision userErrors { code } } }";
    let pairs = stream::iter(0..requests / 2).map(async |nth| {
        let name = format!("After {nth}");
        let made = operator.gql(create, json!({ "input": { "name": name } })).await;
        assert_eq!(made.status, 200, "{}", made.body);
        assert_eq!(made.text("/createCustomer/customer/name"), name);
        let found = operator.gql(query, json!({ "name": name })).await;
        assert_eq!(found.status, 200, "{}", found.body);
        assert_eq!(found.at("/customers"), &json!({ "totalCount": 1, "nodes": [{ "name": name }] }));
    });
    pairs.buffer_unordered(SIDE_BY_SIDE).collect::<Vec<()>>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_hangs_up_harms_nobody() {
    let app = App::start().await;
    let operator = app.operator().await;
    operator.customer("First").await;
    let each = count(60, 2_500);
    let (mut acknowledged, mut all) = (Vec::new(), 0);
    for way in LeaveMode::ALL {
        // The machine may have become slower since the measurement. Then sweep again, over twice the time.
        let mut is_swept = false;
        for round in 0..5 {
            let swept = sweep(&operator, way, each, round).await;
            all += swept.all;
            is_swept = (1..swept.all).contains(&swept.acknowledged.len());
            acknowledged.extend(swept.acknowledged);
            if is_swept {
                break;
            }
        }
        assert!(is_swept, "{way:?}: the sweep must cover the middle of a mutation and its end");
    }
    let requests = count(100, 1_000);
    assert_requests_succeed(&operator, requests).await;

    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let there = "SELECT count(*) FROM registry.customers WHERE name = ANY($1)";
    let there: i64 = sqlx::query_scalar(there).bind(&acknowledged).fetch_one(&mut session).await.unwrap();
    assert_eq!(usize::try_from(there).unwrap(), acknowledged.len(), "each acknowledged customer exists once");
    let stuck = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'
        AND state_change < now() - interval '1 second'";
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(sqlx::query_scalar::<_, i64>(stuck).fetch_one(&mut session).await.unwrap(), 0);
    // Each customer has its log entry and vice versa, acknowledged or not.
    let unmatched = "SELECT count(*) FROM registry.customers c
        FULL JOIN (SELECT customer_id FROM registry.changes WHERE action = 'customer.created') l ON l.customer_id = c.id
        WHERE c.id IS NULL OR l.customer_id IS NULL";
    assert_eq!(sqlx::query_scalar::<_, i64>(unmatched).fetch_one(&mut session).await.unwrap(), 0);
    let twice = "SELECT count(*) - count(DISTINCT customer_id) FROM registry.changes WHERE action = 'customer.created'";
    assert_eq!(sqlx::query_scalar::<_, i64>(twice).fetch_one(&mut session).await.unwrap(), 0);
    let gaps = "SELECT max(revision) - min(revision) + 1 - count(DISTINCT revision) FROM registry.changes";
    assert_eq!(sqlx::query_scalar::<_, i64>(gaps).fetch_one(&mut session).await.unwrap(), 0);
    let left = "SELECT count(*) FROM registry.customers WHERE name LIKE 'Left %'";
    let left: i64 = sqlx::query_scalar(left).fetch_one(&mut session).await.unwrap();
    println!(
        "{} clients left: {} acknowledged, {left} committed, {} not; then {requests} requests succeeded",
        all,
        acknowledged.len(),
        all as i64 - left
    );
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
    // Each pooled connection may fail once, with a retryable code, and not twice.
    loop {
        let answer = operator.gql("{ customers { totalCount } }", Value::Null).await;
        if answer.code().is_none() {
            assert_eq!(answer.at("/customers/totalCount"), 1);
            break;
        }
        assert_eq!(answer.code(), Some("UNAVAILABLE"), "{}", answer.body);
        tries += 1;
        assert!(tries <= 20, "the service does not recover");
    }
    operator.customer("After").await;
}
