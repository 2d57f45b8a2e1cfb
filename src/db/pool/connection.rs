//! One connection of the pool. It is an sqlx pool of exactly one connection, so that it can be discarded alone: a closed
//! sqlx pool takes no connection back, whatever state the connection is in.

use std::{str::FromStr, sync::Arc, time::Duration};

use futures_util::FutureExt;
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector, error::ConnAcquireErr};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::{Instant, timeout};

use super::{ACQUIRE_TIMEOUT, PROBE_TIMEOUT, RESPONSE_TIMEOUT};
use crate::{
    db::{IDLE_TIMEOUT, SERVING, STATEMENT_TIMEOUT},
    task::Tasks,
};

/// The idle time after which a connection is pinged before it is used.
const PING_AFTER_IDLE: Duration = Duration::from_secs(30);
/// The idle time after which a connection is closed rather than used.
const IDLE_MAX: Duration = Duration::from_secs(10 * 60);
/// The age at which a connection is closed rather than used, because a session's memory in Postgres only grows.
const AGE_MAX: Duration = Duration::from_secs(30 * 60);
/// The SQLSTATE of a server, database or role that accepts no further connections.
const TOO_MANY_CONNECTIONS: &str = "53300";

/// Opens connections with the session settings of those that serve requests.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    options: PgConnectOptions,
}

impl Connector {
    /// Makes a connector for the database of this URL.
    ///
    /// # Errors
    /// [`DbErr`] when the URL is invalid.
    pub(super) fn new(url: &str) -> Result<Self, DbErr> {
        let options = PgConnectOptions::from_str(url).map_err(to_db_err)?;
        let statement_timeout = STATEMENT_TIMEOUT.as_millis().to_string();
        let options = options
            .application_name("agent-registry")
            .options([("statement_timeout", statement_timeout.as_str())])
            .options([("idle_in_transaction_session_timeout", IDLE_TIMEOUT), ("TimeZone", "UTC")])
            .options(SERVING)
            .disable_statement_logging();
        Ok(Self { options })
    }

    /// Opens a connection. sqlx retries while the server starts, or accepts no further connections, for up to
    /// [`ACQUIRE_TIMEOUT`]. Dropping the future abandons the attempt.
    ///
    /// # Errors
    /// [`sqlx::Error`] of the attempt.
    pub(super) async fn open(&self) -> Result<PgPool, sqlx::Error> {
        let one = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                async move {
                    if meta.idle_for > PING_AFTER_IDLE {
                        connection.ping().await?;
                    }
                    Ok(true)
                }
                .boxed()
            })
            .connect_lazy_with(self.options.clone());
        drop(one.acquire().await?);
        Ok(one)
    }

    /// Opens a connection once and closes it again, to learn why none can be opened. sqlx's own attempts report only a
    /// timeout.
    ///
    /// # Errors
    /// [`sqlx::Error`] of the attempt.
    pub(super) async fn probe(&self) -> Result<(), sqlx::Error> {
        let opened = timeout(PROBE_TIMEOUT, PgConnection::connect_with(&self.options)).await;
        opened.map_err(|_| sqlx::Error::PoolTimedOut)??.close().await
    }
}

/// Converts an error of opening a connection.
pub(super) fn to_db_err(err: sqlx::Error) -> DbErr {
    match err {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed),
        other => DbErr::Conn(RuntimeErr::SqlxError(Arc::new(other))),
    }
}

/// Whether the server, the database or the role accepts no further connections.
pub(super) fn is_full(err: &sqlx::Error) -> bool {
    err.as_database_error().is_some_and(|err| err.code().as_deref() == Some(TOO_MANY_CONNECTIONS))
}

/// An open connection.
#[derive(Debug)]
pub(super) struct PooledConnection {
    one: PgPool,
    /// The pool's generation when the connection was opened.
    pub(super) generation: u64,
    opened: Instant,
    idle_since: Instant,
}

impl PooledConnection {
    /// Wraps a pool of one connection that was just opened.
    pub(super) fn new(one: PgPool, generation: u64) -> Self {
        let now = Instant::now();
        Self { one, generation, opened: now, idle_since: now }
    }

    /// Returns sea-orm's handle.
    pub(super) fn handle(&self) -> DatabaseConnection {
        SqlxPostgresConnector::from_sqlx_postgres_pool(self.one.clone())
    }

    /// Whether the connection is too old, or was idle for too long, to be used.
    pub(super) fn has_expired(&self) -> bool {
        self.opened.elapsed() >= AGE_MAX || self.idle_since.elapsed() >= IDLE_MAX
    }

    /// Whether the last transaction on it should have ended long since, and hasn't. sqlx rolls it back after the lease,
    /// and waits for the response without a time limit.
    pub(super) fn is_stuck(&self) -> bool {
        self.one.num_idle() == 0 && self.idle_since.elapsed() >= PROBE_TIMEOUT
    }

    /// Marks the beginning of an idle period.
    pub(super) fn rest(&mut self) {
        self.idle_since = Instant::now();
    }

    /// Whether the connection answers within [`PROBE_TIMEOUT`].
    pub(super) async fn responds(&self) -> bool {
        let ping = async { self.one.acquire().await?.ping().await };
        matches!(timeout(PROBE_TIMEOUT, ping).await, Ok(Ok(())))
    }

    /// Closes the connection; a transaction on it may end first. From now on it accepts no new transaction.
    pub(super) fn discard(self, tasks: &Tasks) {
        let one = self.one;
        let mut closing = Box::pin(async move { one.close().await });
        // The first poll marks the pool of one as closed.
        if closing.as_mut().now_or_never().is_none() {
            tasks.spawn_background(async move {
                let _ = timeout(RESPONSE_TIMEOUT, closing).await;
            });
        }
    }
}
