//! A role that may open fewer connections than the pool has.

use agent_registry::db;
use embedded_postgres::SERVICE;
use futures_util::future::join_all;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::sessions;
use crate::support::{
    app::{Instance, Setup},
    cluster::{Database, cluster, template},
    wait::eventually,
};

/// The role of this test only.
const LIMITED: &str = "registry_test_limited";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_wait_for_the_few_connections_that_there_are() {
    let database = Database::fresh(&template("empty", SERVICE, async |_: &str, _: &str| {}).await).await;
    db::migrate(&database.owner_url).await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
    // An earlier run may have created the role.
    let create = format!("CREATE ROLE {LIMITED} LOGIN NOSUPERUSER NOBYPASSRLS");
    drop(sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut admin).await);
    let limit = format!("ALTER ROLE {LIMITED} CONNECTION LIMIT 3");
    sqlx::raw_sql(AssertSqlSafe(limit)).execute(&mut admin).await.unwrap();
    let url = cluster().await.url(LIMITED, database.name());
    db::grant_service_role(&database.owner_url, &url).await.unwrap();
    let app = Instance::start(&url, Setup { connections: 20, ..Setup::default() }).await;
    let operator = app.operator().await;
    operator.customer("City").await;

    let read = "{ customers(first: 1) { nodes { name } } }";
    let all = |count: usize| join_all((0..count).map(|_| operator.gql(read, Value::Null)));
    for answer in all(20).await {
        assert_eq!(answer.at("/customers/nodes/0/name"), "City", "{}", answer.body);
    }

    // While requests hold the connections, a probe can't get one, and says why.
    let mut lock = admin.begin().await.unwrap();
    sqlx::query("LOCK TABLE registry.customers IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
    let probe = async {
        let mut session = PgConnection::connect(&database.admin_url).await.unwrap();
        eventually("a request waits for the lock", async || {
            !sessions(&mut session, "wait_event_type = 'Lock'").await.is_empty()
        })
        .await;
        let ready = app.anonymous().get("/readyz").await;
        lock.rollback().await.unwrap();
        ready
    };
    let (answers, ready) = tokio::join!(all(5), probe);
    assert_eq!(ready.status, 503, "{}", ready.body);
    assert!(ready.body["reason"].as_str().unwrap().contains("53300"), "{}", ready.body);
    for answer in answers {
        assert_eq!(answer.at("/customers/nodes/0/name"), "City", "{}", answer.body);
    }
    app.stop().await;
}
