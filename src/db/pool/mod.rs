//! The connection pool. A server whose machine is gone, or a network that drops packets, closes no connection, so only
//! a timeout on our side detects it. When a connection breaks or goes silent, the others of its generation are suspect,
//! and the pool opens new ones in their place.

use std::{
    collections::VecDeque,
    mem,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};

use super::{
    ACQUIRE_TIMEOUT, ConnectError, DbError, SERVING_SESSION, STATEMENT_TIMEOUT,
    connect::{ConnectFailure, Connector, DatabaseUrl, SessionSettings, to_db_err},
    preflight,
};
use crate::task::{Tasks, lock};
use connection::PooledConnection;
pub(in crate::db) use lease::ConnectionLease;
pub(in crate::db) use share::LeaseClaim;
pub use share::LeaseClass;
use share::{LeasePlace, PoolPlaces};

mod connection;
mod lease;
mod share;

/// The time limit for a statement's response. It exceeds Postgres' own statement timeout, so a connection that is
/// silent for longer is dead.
pub(super) const RESPONSE_TIMEOUT: Duration = STATEMENT_TIMEOUT.saturating_add(Duration::from_secs(2));
/// The time limit for beginning a transaction, including the wait for a free connection.
const BEGIN: Duration = ACQUIRE_TIMEOUT.saturating_add(Duration::from_secs(2));
/// The time for which the pool opens no connection after Postgres refused one because it has too many.
const FULL_PAUSE: Duration = Duration::from_secs(1);
/// The time after which opening a connection is unusually slow, so that the pool probes for the reason.
const OPENED_SOON: Duration = Duration::from_millis(100);
/// The shortest interval between two probes of why no connection can be opened.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// The shortest interval between two warnings that no connection can be opened, for the same reason.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// A pool of connections. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Pool(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connector: Connector,
    size: u32,
    tasks: Tasks,
    state: Mutex<PoolState>,
    places: Arc<PoolPlaces>,
    /// Wakes the longest waiting lease when a connection becomes idle.
    freed: Notify,
    statements: AtomicU64,
}

#[derive(Debug)]
struct PoolState {
    /// The connections that are open and not leased, all of the current generation. The longest idle one is first.
    idle: VecDeque<PooledConnection>,
    /// The number of times that all connections were replaced.
    generation: u64,
    /// The time of the last response on a connection of this generation, or of the last replacement.
    last_response: Instant,
    /// The number of replacements since the last response.
    replacements_without_response: u32,
    /// When Postgres last refused a connection because it has too many. `None` once one could be opened.
    full_since: Option<Instant>,
    /// Why the last connection couldn't be opened. `None` once one could.
    failure: Option<ConnectFailure>,
    last_probe: Option<Instant>,
    last_warning: Option<Instant>,
}

/// Why all connections of a generation are replaced.
#[derive(Clone, Copy, Debug)]
enum Suspicion {
    /// One of them broke.
    Broken,
    /// One of them didn't respond in time, and no other did.
    Silent,
}

impl Pool {
    /// Opens a pool of at most `size` connections, with one open connection, whose server, database and role are checked.
    ///
    /// # Errors
    /// [`ConnectError`] when the URL is malformed, no connection can be opened, or the check fails.
    pub(super) async fn open(url: DatabaseUrl, size: u32, tasks: Tasks) -> Result<Self, ConnectError> {
        let connector = Connector::new(url, SessionSettings::new(SERVING_SESSION))?;
        let first = match connector.open().await {
            Ok(first) => first,
            // sqlx reports only a timeout, so a single attempt gets the actual error.
            Err(late) => return Err(connector.probe().await.err().unwrap_or(late).into()),
        };
        let check = async { preflight::check_connection(&mut *first.acquire().await?).await };
        timeout(RESPONSE_TIMEOUT, check).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        let state = PoolState {
            idle: VecDeque::from([PooledConnection::new(first, 0)]),
            generation: 0,
            last_response: Instant::now(),
            replacements_without_response: 0,
            full_since: None,
            failure: None,
            last_probe: None,
            last_warning: None,
        };
        let inner = Inner {
            connector,
            size,
            tasks,
            state: Mutex::new(state),
            places: PoolPlaces::new(size),
            freed: Notify::new(),
            statements: AtomicU64::new(0),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Returns the number of statements run.
    pub(super) fn statements(&self) -> u64 {
        self.0.statements.load(Ordering::Relaxed)
    }

    /// Whether Postgres refused the last connection because it has too many.
    fn is_full(&self) -> bool {
        lock(&self.0.state).full_since.is_some()
    }

    /// Returns why the last connection couldn't be opened. `None` if it could.
    pub(super) fn failure(&self) -> Option<ConnectFailure> {
        lock(&self.0.state).failure.clone()
    }

    /// Waits for all leases to end, and closes all connections.
    pub(super) async fn close(&self) {
        self.0.places.close().await;
        let idle = {
            let mut state = lock(&self.0.state);
            state.generation += 1;
            mem::take(&mut state.idle)
        };
        idle.into_iter().for_each(|connection| connection.discard(&self.0.tasks));
    }

    /// Takes an idle connection, or opens one. While Postgres accepts no further connections, waits for one to become
    /// idle.
    ///
    /// # Errors
    /// [`DbError`] when no connection can be opened, or when none is free before `deadline`.
    async fn connection(&self, deadline: Instant) -> Result<PooledConnection, DbError> {
        loop {
            if let Some(idle) = self.take_idle() {
                return Ok(idle);
            }
            let (generation, may_open_at) = {
                let state = lock(&self.0.state);
                (state.generation, state.full_since.map_or_else(Instant::now, |since| since + FULL_PAUSE))
            };
            let opening = async {
                sleep_until(may_open_at).await;
                let mut opening = pin!(self.0.connector.open());
                loop {
                    if let Ok(opened) = timeout(OPENED_SOON, &mut opening).await {
                        return opened;
                    }
                    self.probe_in_background();
                }
            };
            let opened = tokio::select! {
                biased;
                () = self.0.freed.notified() => {
                    self.probe_in_background();
                    continue;
                }
                opened = opening => opened,
                () = sleep_until(deadline) => Err(sqlx::Error::PoolTimedOut),
            };
            match opened {
                Ok(one) => {
                    let mut state = lock(&self.0.state);
                    (state.full_since, state.failure) = (None, None);
                    return Ok(PooledConnection::new(one, generation));
                }
                Err(late @ sqlx::Error::PoolTimedOut) => {
                    let reason = self.probe().await.unwrap_or(late);
                    let is_full = self.is_full();
                    return Err(if is_full { DbError::TooManyConnections } else { to_db_err(reason).into() });
                }
                Err(err) => {
                    self.record_failure(&err);
                    return Err(to_db_err(err).into());
                }
            }
        }
    }

    /// Takes the longest idle connection that can be used.
    fn take_idle(&self) -> Option<PooledConnection> {
        loop {
            let connection = lock(&self.0.state).idle.pop_front()?;
            if !connection.has_expired() && !connection.is_stuck() {
                return Some(connection);
            }
            connection.discard(&self.0.tasks);
        }
    }

    /// Makes a connection idle, or closes it if its generation has been replaced.
    fn put_back(&self, mut connection: PooledConnection) {
        connection.rest();
        let stale = {
            let mut state = lock(&self.0.state);
            if state.generation == connection.generation {
                state.idle.push_back(connection);
                None
            } else {
                Some(connection)
            }
        };
        match stale {
            Some(connection) => connection.discard(&self.0.tasks),
            None => self.0.freed.notify_one(),
        }
    }

    fn record_response(&self, generation: u64) {
        let mut state = lock(&self.0.state);
        if state.generation == generation {
            state.last_response = Instant::now();
            state.replacements_without_response = 0;
        }
    }

    /// Replaces the connections of `generation`, unless another task has done so. Transactions on the old connections
    /// may finish, but these connections aren't leased again.
    fn replace(&self, generation: u64, suspicion: Suspicion) {
        let idle = {
            let mut state = lock(&self.0.state);
            if state.generation != generation {
                return;
            }
            state.generation += 1;
            if let Suspicion::Silent = suspicion {
                state.replacements_without_response = state.replacements_without_response.saturating_add(1);
            }
            state.last_response = Instant::now();
            mem::take(&mut state.idle)
        };
        match suspicion {
            Suspicion::Broken => {
                tracing::warn!("a connection to the database broke; replacing all of them");
                metrics::counter!("registry_database_broken_total").increment(1);
            }
            Suspicion::Silent => {
                tracing::warn!("the database doesn't respond in time; replacing its connections");
                metrics::counter!("registry_database_silent_total").increment(1);
            }
        }
        idle.into_iter().for_each(|connection| connection.discard(&self.0.tasks));
    }

    /// Whether a connection of `generation` has responded after `since`, or an idle one responds now.
    async fn responds(&self, generation: u64, since: Instant) -> bool {
        let idle = {
            let mut state = lock(&self.0.state);
            if state.generation != generation || state.last_response > since {
                return true;
            }
            state.idle.pop_front()
        };
        let Some(idle) = idle else { return false };
        let responds = idle.responds().await;
        if responds {
            self.record_response(generation);
            self.put_back(idle);
        } else {
            idle.discard(&self.0.tasks);
        }
        responds
    }

    /// Finds out why no connection can be opened, unless it was found out a moment ago, and logs it.
    async fn probe(&self) -> Option<sqlx::Error> {
        {
            let mut state = lock(&self.0.state);
            if state.last_probe.is_some_and(|last| last.elapsed() < PROBE_INTERVAL) {
                return None;
            }
            state.last_probe = Some(Instant::now());
        }
        let reason = self.0.connector.probe().await.err()?;
        self.record_failure(&reason);
        Some(reason)
    }

    fn probe_in_background(&self) {
        let is_due = lock(&self.0.state).last_probe.is_none_or(|last| last.elapsed() >= PROBE_INTERVAL);
        if is_due {
            let pool = self.clone();
            self.0.tasks.spawn_background(async move {
                pool.probe().await;
            });
        }
    }

    /// Keeps why no connection could be opened, and logs it: a new reason at once, the same one again after a while.
    fn record_failure(&self, reason: &sqlx::Error) {
        let failure = ConnectFailure::from(reason);
        let is_full = failure == ConnectFailure::TooManyConnections;
        if is_full {
            metrics::counter!("registry_database_full_total").increment(1);
        }
        let must_warn = {
            let mut state = lock(&self.0.state);
            state.full_since = is_full.then(Instant::now);
            let must_warn = state.failure.as_ref() != Some(&failure)
                || state.last_warning.is_none_or(|last| last.elapsed() >= WARN_INTERVAL);
            if must_warn {
                state.last_warning = Some(Instant::now());
            }
            state.failure = Some(failure.clone());
            must_warn
        };
        if must_warn && is_full {
            tracing::warn!(
                error = %reason,
                connections = self.0.size,
                "Postgres accepts no further connections, so requests wait for those that are open; lower \
                 DATABASE_CONNECTIONS, or raise the role's CONNECTION LIMIT or max_connections"
            );
        } else if must_warn {
            tracing::warn!(error = %reason, "can't open a connection to the database: {failure}");
        }
    }
}
