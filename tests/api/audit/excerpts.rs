//! Excerpts of the audit log: each holder has one at a time, so that a slow reader delays only itself.

use std::time::Duration;

use agent_registry::domain::member::Role;
use reqwest::Method;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::Desk;
use crate::support::{
    App,
    caller::Answer,
    wait::{eventually, within},
};

/// Gives a customer 20 MB of log entries about an agent, more than the buffers of a connection hold.
pub(crate) async fn lengthen_log(app: &App, customer: &str, agent: &str) {
    let mut admin = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let sql = format!(
        "SET session_replication_role = replica;
         INSERT INTO registry.changes (revision, position, at, customer_id, agent_id, action, actor_kind, details, row_hash, chain_hash)
         SELECT h.revision + n, 1, now(), '{customer}', '{agent}', 'agent.updated', 'SYSTEM', jsonb_build_object('after', repeat('long ', 1000)),
             sha256('x'), sha256('x')
         FROM registry.log_head AS h, generate_series(1, 4000) AS n;
         UPDATE registry.log_head SET revision = revision + 4000, position = 1"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
    // The gap in the revisions looks like a restored backup to the service, which ends every stream then.
    app.caught_up().await;
}

impl Desk {
    /// Waits until the service runs no statement for a while, and returns how many it has run.
    async fn statements_at_rest(&self) -> u64 {
        let mut count = 0;
        eventually("no statement runs", async || {
            let before = std::mem::replace(&mut count, self.app.registry.statements());
            tokio::time::sleep(Duration::from_millis(500)).await;
            before == self.app.registry.statements()
        })
        .await;
        count
    }
}

fn is_whole(answer: &Answer) -> bool {
    let Value::String(text) = &answer.body else { panic!("{}", answer.body) };
    text.lines().last().unwrap().starts_with("{\"end\":")
}

#[tokio::test]
async fn a_slow_reader_of_an_excerpt_delays_its_own_customer_only() {
    let desk = Desk::new().await;
    lengthen_log(&desk.app, &desk.customer, &desk.agent).await;
    let town = desk.app.operator().await.customer("Town").await;
    let neighbour = desk.app.member(&town, Role::Admin).await;
    let colleague = desk.app.member(&desk.customer, Role::Admin).await;
    let (path, other_path) =
        (format!("/v1/customers/{}/audit", desk.customer), format!("/v1/customers/{town}/audit"));
    assert_eq!(colleague.request(Method::HEAD, &path).send().await.unwrap().status(), 200);

    let slow = within("the head of an excerpt", desk.admin.request(Method::GET, &path).send()).await.unwrap();
    assert_eq!(slow.status(), 200);
    let before = desk.statements_at_rest().await;
    // A page of entries is read only when the client has taken the one before.
    assert!(before < 1_000, "{before}");
    for _ in 0..3 {
        let second = colleague.get(&path).await;
        assert_eq!(second.status, 429);
        assert_eq!(second.header("retry-after"), Some("10"));
        assert_eq!(second.body["type"], "/problems/rate-limited");
    }
    assert_eq!(desk.app.registry.statements(), before, "a rejected request reads nothing");
    let head = Answer::of(colleague.request(Method::HEAD, &path)).await;
    assert_eq!((head.status.as_u16(), head.header("content-type")), (200, Some("application/x-ndjson")));

    let theirs = neighbour.get(&other_path).await;
    assert!(theirs.status == 200 && is_whole(&theirs), "{}", theirs.status);
    drop(slow);
    eventually("the customer gets its next excerpt", async || {
        let next = desk.admin.get(&path).await;
        next.status == 200 && is_whole(&next)
    })
    .await;
}
