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

use super::{ACQUIRE_TIMEOUT, Fault, STATEMENT_TIMEOUT};
use crate::task::{Tasks, lock};

/// The time limit for a statement's response. It exceeds Postgres' own statement timeout, so a connection that is
/// silent for longer is dead.
pub(super) const SILENCE: Duration = STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(2));
/// The time limit for beginning a transaction, including the wait for a free connection.
const BEGIN: Duration = ACQUIRE_TIMEOUT.saturating_add(Duration::from_secs(2));

/// A pool whose connections are replaced together. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: ConnectOptions,
    tasks: Tasks,
    now: Mutex<Now>,
    statements: AtomicU64,
}

#[derive(Debug)]
struct Now {
    connections: DatabaseConnection,
    /// The number of replacements so far.
    generation: u64,
    /// The time of the last response on any connection, or of the last replacement.
    heard: Instant,
    /// The number of replacements since the last response.
    in_vain: u32,
}

impl Pool {
    /// Wraps connections that were opened with these options.
    pub(super) fn new(mut options: ConnectOptions, connections: DatabaseConnection, tasks: Tasks) -> Self {
        options.connect_lazy(true);
        let now = Now { connections, generation: 0, heard: Instant::now(), in_vain: 0 };
        Self(Arc::new(Inner { options, tasks, now: Mutex::new(now), statements: AtomicU64::new(0) }))
    }

    /// Leases a connection for one transaction. `silence` is the time limit for each statement's response. It
    /// doubles with each replacement without a response since, up to [`SILENCE`], so that a merely slow server
    /// still gets through.
    pub(super) fn lend(&self, silence: Duration) -> Loan {
        let in_vain = lock(&self.0.now).in_vain.min(8);
        let silence = silence.saturating_mul(1 << in_vain).min(SILENCE.max(silence));
        let terms =
            Terms { heard: Instant::now(), allowed: BEGIN.min(silence), usual: silence, generation: None };
        let ledger = Arc::new(Ledger { terms: Mutex::new(terms), cut: CancellationToken::new() });
        Loan { pool: self.clone(), ledger }
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

    fn heard(&self) {
        let mut now = lock(&self.0.now);
        now.heard = Instant::now();
        now.in_vain = 0;
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
            now.in_vain = now.in_vain.saturating_add(1);
            now.heard = Instant::now();
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
            self.0.tasks.beside(async move {
                let _ = timeout(SILENCE, closing).await;
            });
        }
    }

    /// Whether no response has arrived for so long that no statement can still be running.
    fn is_silent(&self) -> bool {
        lock(&self.0.now).heard.elapsed() >= SILENCE
    }
}

/// A lease of the pool for one transaction: its connection and its time limits. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Loan {
    pool: Pool,
    ledger: Arc<Ledger>,
}

#[derive(Debug)]
struct Ledger {
    terms: Mutex<Terms>,
    /// Cancelled when the connection was cut off in the middle of a statement and must not be used again.
    cut: CancellationToken,
}

#[derive(Debug)]
struct Terms {
    /// The time of the last response on the leased connection.
    heard: Instant,
    /// The current time limit for a response.
    allowed: Duration,
    /// The time limit after the transaction has begun.
    usual: Duration,
    /// The generation of the leased connection. `None` before it is acquired.
    generation: Option<u64>,
}

impl Loan {
    /// Returns the pool's connections, with a callback that records each response.
    pub(super) fn connections(&self) -> DatabaseConnection {
        let (mut connections, generation) = {
            let now = lock(&self.pool.0.now);
            (now.connections.clone(), now.generation)
        };
        lock(&self.ledger.terms).generation = Some(generation);
        let loan = self.clone();
        connections.set_metric_callback(move |info| {
            loan.pool.0.statements.fetch_add(1, Ordering::Relaxed);
            metrics::histogram!("registry_statement_seconds").record(info.elapsed.as_secs_f64());
            loan.heard();
        });
        connections
    }

    /// Begins a transaction.
    pub(super) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let begun = self.connections().begin().await;
        if begun.is_ok() {
            self.heard();
        }
        begun
    }

    /// Extends the time limit of all further statements by `more`.
    pub(super) fn allow(&self, more: Duration) {
        let mut terms = lock(&self.ledger.terms);
        terms.usual = terms.usual.saturating_add(more);
        terms.allowed = terms.usual;
    }

    /// Runs `work` until it completes, or until a response exceeds its time limit. In the latter case replaces the
    /// pool's connections and returns [`Fault::Unavailable`].
    pub(super) async fn watch<T, E: From<Fault>>(
        &self,
        mut work: BoxFuture<'_, Result<T, E>>,
    ) -> Result<T, E> {
        let mut work = pin!(async {
            tokio::select! {
                biased;
                () = self.ledger.cut.cancelled() => Err(silent().into()),
                done = &mut work => done,
            }
        });
        // `heard` may predate this call, so the time limit of the first statement counts from now.
        let begun = Instant::now();
        loop {
            let due = self.due(begun);
            if let Ok(done) = timeout_at(due, &mut work).await {
                // The pool pings returned connections. If they are dead, it waits for each, until none is left to
                // lease.
                if done.is_err() && self.pool.is_silent() {
                    self.give_up().await;
                }
                return done;
            }
            if self.due(begun) <= Instant::now() {
                break;
            }
        }
        // The order matters: a closed pool takes back no connection, whatever its state.
        self.give_up().await;
        self.ledger.cut.cancel();
        Err(silent().into())
    }

    fn due(&self, begun: Instant) -> Instant {
        let terms = lock(&self.ledger.terms);
        terms.heard.max(begun) + terms.allowed
    }

    fn heard(&self) {
        self.pool.heard();
        let mut terms = lock(&self.ledger.terms);
        terms.heard = Instant::now();
        terms.allowed = terms.usual;
    }

    async fn give_up(&self) {
        let generation = lock(&self.ledger.terms).generation;
        if let Some(generation) = generation {
            self.pool.replace(generation).await;
        }
    }
}

fn silent() -> Fault {
    let reason = RuntimeErr::Internal("a statement got no response in time".to_owned());
    Fault::Unavailable(DbErr::Conn(reason))
}
