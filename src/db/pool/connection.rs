//! One connection of the pool. It is an sqlx pool of exactly one connection, so that it can be discarded alone: a closed
//! sqlx pool takes no connection back, whatever state the connection is in.

use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use sqlx::{Connection, PgPool};
use tokio::time::{Instant, timeout};

use super::RESPONSE_TIMEOUT;
use crate::{db::connect::PROBE_TIMEOUT, task::Tasks};

/// The idle time after which a connection is closed rather than used.
const IDLE_MAX: Duration = Duration::from_secs(10 * 60);
/// The age at which a connection is closed rather than used, because a session's memory in Postgres only grows.
const AGE_MAX: Duration = Duration::from_secs(30 * 60);
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
