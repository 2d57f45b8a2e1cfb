//! A lease of one connection for one transaction, with time limits for the responses.

use std::{
    mem,
    pin::pin,
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, TransactionTrait};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{BEGIN, LeaseClaim, LeasePlace, Pool, PooledConnection, RESPONSE_TIMEOUT, Suspicion};
use crate::{
    db::{
        ACQUIRE_TIMEOUT, Access, DbError,
        error::{is_broken, is_stuck},
    },
    id::Revision,
    task::lock,
};

/// A lease of a connection for one transaction. Clones share it. The last clone returns the connection.
#[derive(Clone, Debug)]
pub(in crate::db) struct ConnectionLease(Arc<LeaseState>);

#[derive(Debug)]
struct LeaseState {
    pool: Pool,
    limits: Arc<Mutex<ResponseLimits>>,
    connection: Mutex<Option<PooledConnection>>,
    claim: LeaseClaim,
    /// The place in the pool, from the first connection on. Dropped after the connection is returned.
    place: Mutex<Option<LeasePlace>>,
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
}

impl ResponseLimits {
    fn record_response(&mut self) {
        self.last_response = Instant::now();
        self.allowed = self.usual;
    }
}

impl Drop for LeaseState {
    fn drop(&mut self) {
        if let Some(connection) = lock(&self.connection).take() {
            self.pool.put_back(connection);
        }
    }
}

impl Pool {
    /// Makes a lease, which acquires its connection when it begins. `response_timeout` is the time limit for each
    /// statement's response. It doubles with each replacement without a response since, up to [`RESPONSE_TIMEOUT`], so
    /// that a merely slow server still gets through.
    pub(in crate::db) fn lease(&self, claim: LeaseClaim, response_timeout: Duration) -> ConnectionLease {
        let replacements = lock(&self.0.state).replacements_without_response.min(8);
        let response_timeout =
            response_timeout.saturating_mul(1 << replacements).min(RESPONSE_TIMEOUT.max(response_timeout));
        let limits = ResponseLimits {
            last_response: Instant::now(),
            allowed: BEGIN.min(response_timeout),
            usual: response_timeout,
        };
        ConnectionLease(Arc::new(LeaseState {
            pool: self.clone(),
            limits: Arc::new(Mutex::new(limits)),
            connection: Mutex::new(None),
            claim,
            place: Mutex::new(None),
            cut: CancellationToken::new(),
        }))
    }
}

impl ConnectionLease {
    /// Begins a snapshot with this access, and returns it with its revision. If the connection breaks, tries once more
    /// with a new one.
    pub(in crate::db) async fn begin_read(
        &self,
        access: &Access,
    ) -> Result<(DatabaseTransaction, Revision), DbError> {
        let begin = |connection: DatabaseConnection| {
            async move {
                let txn = self.begin(&connection).await?;
                let revision = access.begin_read(&txn).await?;
                Ok((txn, revision))
            }
            .boxed()
        };
        self.with_retry(begin).await
    }

    /// Begins a write transaction with this access. If the connection breaks, tries once more with a new one: nothing
    /// has been written yet.
    pub(in crate::db) async fn begin_write(&self, access: &Access) -> Result<DatabaseTransaction, DbError> {
        let begin = |connection: DatabaseConnection| {
            async move {
                let txn = self.begin(&connection).await?;
                access.begin_write(&txn).await?;
                Ok(txn)
            }
            .boxed()
        };
        self.with_retry(begin).await
    }

    async fn begin(&self, connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
        let txn = connection.begin().await?;
        let generation = lock(&self.0.connection).as_ref().map(|connection| connection.generation);
        if let Some(generation) = generation {
            self.0.pool.record_response(generation);
        }
        lock(&self.0.limits).record_response();
        Ok(txn)
    }

    /// Acquires a connection for `work`, which hasn't written anything. If the connection breaks, or its last
    /// transaction hasn't ended, tries once more with another one.
    pub(in crate::db) async fn with_retry<'a, T>(
        &'a self,
        work: impl Fn(DatabaseConnection) -> BoxFuture<'a, Result<T, DbErr>>,
    ) -> Result<T, DbError> {
        let (connection, begun) = (self.connect().await?, Instant::now());
        let first = work(connection).await;
        let is_lost = match &first {
            Err(err) if is_stuck(err) => {
                let generation = self.discard_connection();
                self.replace_if_silent(generation, begun).await;
                true
            }
            Err(err) => is_broken(err),
            Ok(_) => false,
        };
        let first = self.check(first);
        if !is_lost {
            return first;
        }
        let second = work(self.connect().await?).await;
        self.check(second)
    }

    /// Acquires a connection. Returns its handle, with a callback that records each response.
    async fn connect(&self) -> Result<DatabaseConnection, DbError> {
        let deadline = Instant::now() + ACQUIRE_TIMEOUT;
        if lock(&self.0.place).is_none() {
            let place = self.0.pool.0.places.acquire(&self.0.claim, deadline).await?;
            *lock(&self.0.place) = Some(place);
        }
        let connection = self.0.pool.connection(deadline).await?;
        let (mut handle, generation) = (connection.handle(), connection.generation);
        *lock(&self.0.connection) = Some(connection);
        let (pool, limits) = (self.0.pool.clone(), Arc::clone(&self.0.limits));
        handle.set_metric_callback(move |info| {
            pool.0.statements.fetch_add(1, Ordering::Relaxed);
            metrics::histogram!("registry_statement_seconds").record(info.elapsed.as_secs_f64());
            lock(&limits).record_response();
            if !info.failed {
                pool.record_response(generation);
            }
        });
        Ok(handle)
    }

    /// Converts a result. When the connection broke, all connections of its generation are suspect, and are replaced.
    /// One whose last transaction hasn't ended is discarded: sqlx waits for that without a time limit, and lends the
    /// connection to nobody meanwhile.
    pub(in crate::db) fn check<T>(&self, result: Result<T, DbErr>) -> Result<T, DbError> {
        if result.as_ref().is_err_and(is_stuck) {
            self.discard_connection();
            return Err(response_timed_out());
        }
        if result.as_ref().is_err_and(is_broken)
            && let Some(generation) = self.discard_connection()
        {
            self.0.pool.replace(generation, Suspicion::Broken);
        }
        Ok(result?)
    }

    /// Extends the time limit of all further statements by `more`.
    pub(in crate::db) fn extend_timeout(&self, more: Duration) {
        let mut limits = lock(&self.0.limits);
        limits.usual = limits.usual.saturating_add(more);
        limits.allowed = limits.usual;
    }

    /// Runs `work` until it completes, or until a response exceeds its time limit. In the latter case discards the
    /// connection, and returns [`DbError::Unavailable`].
    pub(in crate::db) async fn run_with_timeouts<T, E: From<DbError>>(
        &self,
        mut work: BoxFuture<'_, Result<T, E>>,
    ) -> Result<T, E> {
        let mut work = pin!(async {
            tokio::select! {
                biased;
                () = self.0.cut.cancelled() => Err(response_timed_out().into()),
                done = &mut work => done,
            }
        });
        // `last_response` may predate this call, so the time limit of the first statement counts from now.
        let begun = Instant::now();
        loop {
            let due = self.due(begun);
            if let Ok(done) = timeout_at(due, &mut work).await {
                return done;
            }
            if self.due(begun) <= Instant::now() {
                break;
            }
        }
        self.discard_silent_connection(begun).await;
        Err(response_timed_out().into())
    }

    fn due(&self, begun: Instant) -> Instant {
        let limits = lock(&self.0.limits);
        limits.last_response.max(begun) + limits.allowed
    }

    /// Discards the connection, which is cut off in the middle of a statement. If the others are silent too, since the
    /// second half of that time, replaces all of them.
    async fn discard_silent_connection(&self, begun: Instant) {
        let since = {
            let limits = lock(&self.0.limits);
            // The others may have responded a moment longer than this one.
            limits.last_response.max(begun) + limits.allowed / 2
        };
        // The order matters: a closed connection isn't returned, whatever its state.
        let generation = self.discard_connection();
        self.0.cut.cancel();
        self.replace_if_silent(generation, since).await;
    }

    /// Replaces the connections of this generation if none has responded since, and none responds now. A fresh
    /// connection isn't asked: after a failover, it reaches the successor of a server whose connections are all dead.
    async fn replace_if_silent(&self, generation: Option<u64>, since: Instant) {
        if let Some(generation) = generation
            && !self.0.pool.responds(generation, since).await
        {
            self.0.pool.replace(generation, Suspicion::Silent);
        }
    }

    /// Discards the connection, if the lease has one, and returns its generation.
    fn discard_connection(&self) -> Option<u64> {
        let connection = mem::take(&mut *lock(&self.0.connection))?;
        let generation = connection.generation;
        connection.discard(&self.0.pool.0.tasks);
        Some(generation)
    }
}

fn response_timed_out() -> DbError {
    let reason = RuntimeErr::Internal("a statement got no response in time".to_owned());
    DbError::Unavailable(DbErr::Conn(reason))
}
