//! The pool of database connections: shares of its users, a server that restarts, one that accepts few connections, and
//! snapshots that are released.

mod full;
mod probe;
mod restart;
mod share;
mod snapshot;

use sqlx::PgConnection;

/// The process ids of the service's sessions in this database that match the condition.
async fn sessions(session: &mut PgConnection, condition: &str) -> Vec<i32> {
    let sql = format!(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
           AND application_name = 'agent-registry' AND {condition} ORDER BY pid"
    );
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(session).await.unwrap()
}
