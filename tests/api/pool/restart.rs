//! Postgres restarts. All connections of the pool are dead then, and none of them fails a request that begins later.

use agent_registry::{db, domain::KeyScope};
use embedded_postgres::{Embedded, OWNER, Options, SERVICE, SUPERUSER};
use futures_util::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::sessions;
use crate::support::{
    Calls,
    app::{Instance, Setup},
    cluster::folder::{Folder, options},
    wait::{eventually, until},
};

/// The size of the pool.
const CONNECTIONS: u32 = 20;
/// The number of customers whose requests warm it, each with its share of 5.
const CUSTOMERS: usize = 4;
/// The number of connections that reads may warm: one is kept for sign-in, one for writes.
const WARMED: usize = 18;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_that_begins_after_a_restart_fails() {
    let folder = Folder::new();
    // Durable, because the restart must find the rows.
    let options = Options { durable: true, ..options(folder.join("pg"), true) };
    let server = Embedded::attach_or_start(&options).await.unwrap();
    let (owner, url) = (server.url(OWNER, SERVICE), server.url(SERVICE, SERVICE));
    db::migrate(&owner).await.unwrap();
    db::grant_service_role(&owner, &url).await.unwrap();
    let app = Instance::start(&url, Setup { connections: CONNECTIONS, ..Setup::default() }).await;
    let operator = app.operator().await;
    let mut programs = Vec::new();
    for nth in 0..CUSTOMERS {
        let customer = operator.customer(&format!("City {nth}")).await;
        let program = app.program(&customer, [KeyScope::AgentsRead, KeyScope::AgentsWrite]).await;
        program.agent(&customer, "Helper").await;
        programs.push((customer, program));
    }
    app.caught_up().await;

    // Reads that wait for a lock hold all connections at once.
    let read = "{ agents(first: 10) { nodes { name } } }";
    let mut admin = PgConnection::connect(&server.url(SUPERUSER, SERVICE)).await.unwrap();
    let mut lock = admin.begin().await.unwrap();
    sqlx::query("LOCK TABLE registry.agents IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let warm = join_all((0..20).map(|nth| programs[nth % CUSTOMERS].1.gql(read, Value::Null)));
    let unlock = async {
        let mut session = PgConnection::connect(&server.url(SUPERUSER, SERVICE)).await.unwrap();
        eventually("the pool is warm", async || {
            sessions(&mut session, "wait_event_type = 'Lock'").await.len() == WARMED
        })
        .await;
        lock.rollback().await.unwrap();
    };
    let (answers, ()) = tokio::join!(warm, unlock);
    assert!(answers.iter().all(|answer| answer.code().is_none()));
    admin.close().await.unwrap();

    kill_process(Pid::from_raw(server.postmaster().unwrap()).unwrap(), Signal::INT).unwrap();
    until("Postgres has stopped", || server.postmaster().is_none()).await;
    let again = Embedded::attach_or_start(&options).await.unwrap();

    let ready = app.anonymous().get("/readyz").await;
    assert_eq!(ready.status, 200, "{}", ready.body);
    let reads = join_all((0..100).map(|nth| programs[nth % CUSTOMERS].1.gql(read, Value::Null)));
    let writes = join_all(programs.iter().map(|(customer, program)| program.agent(customer, "Second")));
    let (reads, _) = tokio::join!(reads, writes);
    for answer in reads {
        assert_eq!(answer.at("/agents/nodes/0/name"), &json!("Helper"));
    }
    app.stop().await;
    server.leave().await.unwrap();
    again.leave().await.unwrap();
}

/// The server ends one session, as an administrator may. Requests don't notice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_the_server_ended_fails_no_request() {
    let app = crate::support::App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    for nth in 0..5 {
        for pid in sessions(&mut admin, "query NOT LIKE 'LISTEN%'").await {
            sqlx::query("SELECT pg_terminate_backend($1, 5000)").bind(pid).execute(&mut admin).await.unwrap();
        }
        let read = operator.gql("{ customers(first: 1) { nodes { name } } }", Value::Null).await;
        assert_eq!(read.at("/customers/nodes/0/name"), "City");
        operator.agent(&customer, &format!("Helper {nth}")).await;
    }
}
