//! The connections, and new ones in their place when they have gone silent. A server whose machine is gone, or a network
//! that swallows what it carries, ends no connection: only a clock on our side tells. Which of a pool's connections lead
//! nowhere can't be told either, so all of them are given up together, and none that was cut off is used again.

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

/// Postgres ends a statement itself before this; so who waits longer for its answer waits for nobody.
pub(super) const SILENCE: Duration = STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(2));
/// How long the start of a transaction may take, with the wait for a free connection.
const BEGIN: Duration = ACQUIRE_TIMEOUT.saturating_add(Duration::from_secs(2));

/// Connections that are replaced together. Clones are the same.
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
    /// How often they have been replaced.
    generation: u64,
    /// When any of them was last heard of.
    heard: Instant,
    /// How often they were replaced since.
    in_vain: u32,
}

impl Pool {
    /// Around connections that were opened with these options.
    pub(super) fn new(mut options: ConnectOptions, connections: DatabaseConnection, tasks: Tasks) -> Self {
        options.connect_lazy(true);
        let now = Now { connections, generation: 0, heard: Instant::now(), in_vain: 0 };
        Self(Arc::new(Inner { options, tasks, now: Mutex::new(now), statements: AtomicU64::new(0) }))
    }

    /// A loan for one transaction, whose statements may each be silent for so long. After each replacement that did not
    /// help it is twice as long, up to what is usual: whoever is merely slow gets through.
    pub(super) fn lend(&self, silence: Duration) -> Loan {
        let in_vain = lock(&self.0.now).in_vain.min(8);
        let silence = silence.saturating_mul(1 << in_vain).min(SILENCE.max(silence));
        let terms =
            Terms { heard: Instant::now(), allowed: BEGIN.min(silence), usual: silence, generation: None };
        let ledger = Arc::new(Ledger { terms: Mutex::new(terms), cut: CancellationToken::new() });
        Loan { pool: self.clone(), ledger }
    }

    /// How many statements have run.
    pub(super) fn statements(&self) -> u64 {
        self.0.statements.load(Ordering::Relaxed)
    }

    /// Closes all connections, once their work is done.
    pub(super) async fn close(&self) {
        let connections = lock(&self.0.now).connections.clone();
        if let Err(err) = connections.close().await {
            tracing::warn!(error = %err, "the pool did not close");
        }
    }

    fn heard(&self) {
        let mut now = lock(&self.0.now);
        now.heard = Instant::now();
        now.in_vain = 0;
    }

    /// New connections in place of those of `generation`, if nobody has replaced them yet. What still runs on those may
    /// end; none is lent again.
    async fn replace(&self, generation: u64) {
        if lock(&self.0.now).generation != generation {
            return;
        }
        // Lazy: it opens nothing, and so waits for nothing.
        let new = match Database::connect(self.0.options.clone()).await {
            Ok(new) => new,
            Err(err) => return tracing::error!(error = %err, "can't make a new pool"),
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
            // Its first step is to take no connection back; nobody may see the new ones before.
            let is_closed = closing.as_mut().now_or_never().is_some();
            (!is_closed).then_some(closing)
        };
        tracing::warn!("the database does not answer in time; its connections are replaced");
        metrics::counter!("registry_database_silent_total").increment(1);
        if let Some(closing) = closing {
            self.0.tasks.beside(async move {
                let _ = timeout(SILENCE, closing).await;
            });
        }
    }

    /// Whether nothing was heard for so long that no statement can be under way.
    fn is_silent(&self) -> bool {
        lock(&self.0.now).heard.elapsed() >= SILENCE
    }
}

/// What one transaction needs of a pool. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Loan {
    pool: Pool,
    ledger: Arc<Ledger>,
}

#[derive(Debug)]
struct Ledger {
    terms: Mutex<Terms>,
    /// Its connection was cut off in the middle, and is never to be used again.
    cut: CancellationToken,
}

#[derive(Debug)]
struct Terms {
    /// When its connection was last heard of.
    heard: Instant,
    /// How long it may be silent now.
    allowed: Duration,
    /// How long it may be, once it has begun.
    usual: Duration,
    /// Which connections it is on.
    generation: Option<u64>,
}

impl Loan {
    /// Connections whose statements are noticed here.
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

    /// Begins the transaction.
    pub(super) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let begun = self.connections().begin().await;
        if begun.is_ok() {
            self.heard();
        }
        begun
    }

    /// Lets each statement from here on take this much longer than usual.
    pub(super) fn allow(&self, more: Duration) {
        let mut terms = lock(&self.ledger.terms);
        terms.usual = terms.usual.saturating_add(more);
        terms.allowed = terms.usual;
    }

    /// Runs `work` for as long as its statements are answered.
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
        // Nothing is known of what it has not begun yet: so its own time counts from now.
        let begun = Instant::now();
        loop {
            let due = self.due(begun);
            if let Ok(done) = timeout_at(due, &mut work).await {
                // The pool tries what is given back, and may wait for that in vain until none is left to lend.
                if done.is_err() && self.pool.is_silent() {
                    self.give_up().await;
                }
                return done;
            }
            if self.due(begun) <= Instant::now() {
                break;
            }
        }
        // In this order: a pool that is closed takes no connection back, whatever state it is in.
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
    let reason = RuntimeErr::Internal("a statement was not answered in time".to_owned());
    Fault::Unavailable(DbErr::Conn(reason))
}
