//! The connection pool, which replaces all its connections when one stops responding. A server whose machine is
//! gone, or a network that drops packets, closes no connection, so only a timeout on our side detects it. The pool
//! can't tell which connections are dead, so it discards all of them, and never reuses a connection that was cut
//! off.

use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, TransactionTrait,
};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{ACQUIRE_TIMEOUT, DbError, STATEMENT_TIMEOUT};
use crate::task::{Tasks, lock};

/// The time limit for a statement's response. It exceeds Postgres' own statement timeout, so a connection that is
/// silent for longer is dead.
pub(super) const RESPONSE_TIMEOUT: Duration = STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(2));
/// The time limit for beginning a transaction, including the wait for a free connection.
const BEGIN: Duration = ACQUIRE_TIMEOUT.saturating_add(Duration::from_secs(2));

/// A pool whose connections are replaced together. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: ConnectOptions,
    tasks: Tasks,
    now: Mutex<PoolState>,
    statements: AtomicU64,
}

#[derive(Debug)]
struct PoolState {
    connections: DatabaseConnection,
    /// The number of replacements so far.
    generation: u64,
    /// The time of the last response on any connection, or of the last replacement.
    last_response: Instant,
    /// The number of replacements since the last response.
    replacements_without_response: u32,
}

impl Pool {
    /// Wraps connections that were opened with these options.
    pub(super) fn new(mut options: ConnectOptions, connections: DatabaseConnection, tasks: Tasks) -> Self {
        options.connect_lazy(true);
        let now = PoolState {
            connections,
            generation: 0,
            last_response: Instant::now(),
            replacements_without_response: 0,
        };
        Self(Arc::new(Inner { options, tasks, now: Mutex::new(now), statements: AtomicU64::new(0) }))
    }

    /// Leases a connection for one transaction. `response_timeout` is the time limit for each statement's response. It
    /// doubles with each replacement without a response since, up to [`RESPONSE_TIMEOUT`], so that a merely slow server
    /// still gets through.
    pub(super) fn lease(&self, response_timeout: Duration) -> ConnectionLease {
        let replacements_without_response = lock(&self.0.now).replacements_without_response.min(8);
        let response_timeout = response_timeout
            .saturating_mul(1 << replacements_without_response)
            .min(RESPONSE_TIMEOUT.max(response_timeout));
        let limits = ResponseLimits {
            last_response: Instant::now(),
            allowed: BEGIN.min(response_timeout),
            usual: response_timeout,
            generation: None,
        };
        let state =
            Arc::new(ConnectionLeaseState { limits: Mutex::new(limits), cut: CancellationToken::new() });
        ConnectionLease { pool: self.clone(), state }
    }

    /// Returns the number of statements run.
    pub(super) fn statements(&self) -> u64 {
        self.0.statements.load(Ordering::Relaxed)
    }

    /// Waits for running work and closes all connections.
    pub(super) async fn close(&self) {
        let connections = lock(&self.0.now).connections.clone();
        if let Err(err) = connections.close().await {
            tracing::warn!(error = %err, "can't close the connection pool");
        }
    }

    fn record_response(&self) {
        let mut now = lock(&self.0.now);
        now.last_response = Instant::now();
        now.replacements_without_response = 0;
    }

    /// Replaces the connections of `generation`, unless another task has done so. Work on the old connections may
    /// finish, but they aren't leased again.
    async fn replace(&self, generation: u64) {
        if lock(&self.0.now).generation != generation {
            return;
        }
        // The new pool is lazy: `connect` opens no connection, so it doesn't wait.
        let new = match Database::connect(self.0.options.clone()).await {
            Ok(new) => new,
            Err(err) => return tracing::error!(error = %err, "can't create a new connection pool"),
        };
        let closing = {
            let mut now = lock(&self.0.now);
            if now.generation != generation {
                return;
            }
            now.generation += 1;
            now.replacements_without_response = now.replacements_without_response.saturating_add(1);
            now.last_response = Instant::now();
            let old = std::mem::replace(&mut now.connections, new);
            let mut closing = Box::pin(async move { old.close().await });
            // The first poll marks the old pool as closed, so that it takes no connection back. That must happen
            // before the lock is released and others see the new pool.
            let is_closed = closing.as_mut().now_or_never().is_some();
            (!is_closed).then_some(closing)
        };
        tracing::warn!("the database doesn't respond in time; replacing its connections");
        metrics::counter!("registry_database_silent_total").increment(1);
        if let Some(closing) = closing {
            self.0.tasks.spawn_background(async move {
                let _ = timeout(RESPONSE_TIMEOUT, closing).await;
            });
        }
    }

    /// Whether no response has arrived for so long that no statement can still be running.
    fn is_unresponsive(&self) -> bool {
        lock(&self.0.now).last_response.elapsed() >= RESPONSE_TIMEOUT
    }
}

/// A lease of the pool for one transaction: its connection and its time limits. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct ConnectionLease {
    pool: Pool,
    state: Arc<ConnectionLeaseState>,
}

#[derive(Debug)]
struct ConnectionLeaseState {
    limits: Mutex<ResponseLimits>,
    /// Cancelled when the connection was cut off in the middle of a statement and must not be used again.
    cut: CancellationToken,
}

#[derive(Debug)]
struct ResponseLimits {
    /// The time of the last response on the leased connection.
    last_response: Instant,
    /// The current time limit for a response.
    allowed: Duration,
    /// The time limit after the transaction has begun.
    usual: Duration,
    /// The generation of the leased connection. `None` before it is acquired.
    generation: Option<u64>,
}

impl ConnectionLease {
    /// Returns the pool's connections, with a callback that records each response.
    pub(super) fn connections(&self) -> DatabaseConnection {
        let (mut connections, generation) = {
            let now = lock(&self.pool.0.now);
            (now.connections.clone(), now.generation)
        };
        lock(&self.state.limits).generation = Some(generation);
        let lease = self.clone();
        connections.set_metric_callback(move |info| {
            lease.pool.0.statements.fetch_add(1, Ordering::Relaxed);
            metrics::histogram!("registry_statement_seconds").record(info.elapsed.as_secs_f64());
            lease.record_response();
        });
        connections
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let begun = self.connections().begin().await;
        if begun.is_ok() {
            self.record_response();
        }
        begun
    }

    /// Extends the time limit of all further statements by `more`.
    pub(super) fn extend_timeout(&self, more: Duration) {
        let mut limits = lock(&self.state.limits);
        limits.usual = limits.usual.saturating_add(more);
        limits.allowed = limits.usual;
    }

    /// Runs `work` until it completes, or until a response exceeds its time limit. In the latter case replaces the
    /// pool's connections and returns [`DbError::Unavailable`].
    pub(super) async fn run_with_timeouts<T, E: From<DbError>>(
        &self,
        mut work: BoxFuture<'_, Result<T, E>>,
    ) -> Result<T, E> {
        let mut work = pin!(async {
            tokio::select! {
                biased;
                () = self.state.cut.cancelled() => Err(response_timed_out().into()),
                done = &mut work => done,
            }
        });
        // `last_response` may predate this call, so the time limit of the first statement counts from now.
        let begun = Instant::now();
        loop {
            let due = self.due(begun);
            if let Ok(done) = timeout_at(due, &mut work).await {
                // The pool pings returned connections. If they are dead, it waits for each, until none is left to
                // lease.
                if done.is_err() && self.pool.is_unresponsive() {
                    self.discard_connections().await;
                }
                return done;
            }
            if self.due(begun) <= Instant::now() {
                break;
            }
        }
        // The order matters: a closed pool takes back no connection, whatever its state.
        self.discard_connections().await;
        self.state.cut.cancel();
        Err(response_timed_out().into())
    }

    fn due(&self, begun: Instant) -> Instant {
        let limits = lock(&self.state.limits);
        limits.last_response.max(begun) + limits.allowed
    }

    fn record_response(&self) {
        self.pool.record_response();
        let mut limits = lock(&self.state.limits);
        limits.last_response = Instant::now();
        limits.allowed = limits.usual;
    }

    async fn discard_connections(&self) {
        let generation = lock(&self.state.limits).generation;
        if let Some(generation) = generation {
            self.pool.replace(generation).await;
        }
    }
}

fn response_timed_out() -> DbError {
    let reason = RuntimeErr::Internal("a statement got no response in time".to_owned());
    DbError::Unavailable(DbErr::Conn(reason))
}
