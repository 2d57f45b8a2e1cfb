//! The sessions of migrations: one that holds the migration lock, and one that only reads.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, SqlxPostgresConnector, Statement};
use tokio::time::{Instant, sleep};

use super::{
    ConnectError, DatabaseUrl, MigrateError,
    connect::{Connector, SessionSettings},
};

/// The key of the advisory lock that serialises migrations: an arbitrary number.
const MIGRATION_LOCK: i64 = 0x6167_656e_7472;
/// The interval at which the lock is tried, while another instance migrates.
const LOCK_INTERVAL: Duration = Duration::from_millis(100);
/// The interval at which a wait is logged.
const SAY_INTERVAL: Duration = Duration::from_secs(5);
/// The settings of a session that migrates, and of one that only reads what was migrated.
const MIGRATING: &[(&str, &str)] =
    &[("default_transaction_isolation", "read committed"), ("search_path", migration::SCHEMA)];
const READING: &[(&str, &str)] = &[
    ("default_transaction_isolation", "read committed"),
    ("search_path", migration::SCHEMA),
    ("default_transaction_read_only", "on"),
];

/// Opens one connection with these settings.
async fn open(
    url: DatabaseUrl,
    settings: &[(&'static str, &'static str)],
) -> Result<DatabaseConnection, MigrateError> {
    let connector = Connector::new(url, SessionSettings::new(settings)).map_err(ConnectError::from)?;
    match connector.open().await {
        Ok(one) => Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(one)),
        // sqlx reports only a timeout, so a single attempt gets the actual error.
        Err(late) => Err(connector.probe().await.err().unwrap_or(late).into()),
    }
}

/// Opens a connection for migrations that holds the migration lock. An advisory lock belongs to a session, so there is
/// only one. Says what it waits for.
///
/// # Errors
/// [`MigrateError`] when the database can't be used.
pub(super) async fn open_for_migration(url: DatabaseUrl) -> Result<DatabaseConnection, MigrateError> {
    let pool = open(url, MIGRATING).await?;
    let mut said = Instant::now();
    let ask = format!("SELECT pg_try_advisory_lock({MIGRATION_LOCK}) AS locked");
    loop {
        let row = pool.query_one_raw(Statement::from_string(DbBackend::Postgres, &ask)).await?;
        if row.is_some_and(|row| row.try_get("", "locked").unwrap_or(false)) {
            return Ok(pool);
        }
        if said.elapsed() >= SAY_INTERVAL {
            said = Instant::now();
            let holder = lock_holder(&pool).await?;
            tracing::warn!("waiting for the migration lock, which {holder} holds");
        }
        sleep(LOCK_INTERVAL).await;
    }
}

/// Opens a connection that can only read, to look at what was migrated.
///
/// # Errors
/// [`MigrateError`] when the database can't be used.
pub(super) async fn open_for_reading(url: DatabaseUrl) -> Result<DatabaseConnection, MigrateError> {
    open(url, READING).await
}

/// Describes the session that holds the migration lock.
async fn lock_holder(pool: &DatabaseConnection) -> Result<String, DbErr> {
    let ask = format!(
        "SELECT pid, coalesce(usename, '') AS role, coalesce(client_addr::text, 'a socket') AS client FROM pg_locks \
         JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND granted AND pg_locks.database = \
         (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND classid::bigint << 32 | objid::bigint = {MIGRATION_LOCK}"
    );
    let Some(row) = pool.query_one_raw(Statement::from_string(DbBackend::Postgres, ask)).await? else {
        return Ok("another session".to_owned());
    };
    let (pid, role, client): (i32, String, String) =
        (row.try_get("", "pid")?, row.try_get("", "role")?, row.try_get("", "client")?);
    Ok(format!("process {pid} of Postgres (role {role:?}, from {client})"))
}
