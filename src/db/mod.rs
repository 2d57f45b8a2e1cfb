//! Access to Postgres: the connection pool, write transactions and read snapshots. Every read and write runs to
//! completion even if its caller is dropped, so that no connection is left in the middle of a statement.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::DbErr;

mod author;
mod connect;
mod error;
mod high_water_mark;
pub mod listen;
mod migrate;
mod migration_lock;
mod pool;
mod preflight;
mod schema_range;
mod scope;
mod txn;
mod view;

pub use author::{Actor, Author, CallOrigin, ClientConnection};
pub use connect::{ConnectFailure, DatabaseUrl, ServerRefusal, UrlError};
pub use error::DbError;
pub use migrate::{
    MigrateError, check_schema, fingerprint, grant_service_role, migrate, migration_status,
    revert_migrations, wait_for_migration,
};
pub use pool::LeaseClass;
pub use preflight::check_servers;
pub use schema_range::{SchemaRefusal, SchemaStatus, Step};
pub use scope::{Access, Scope};
pub use txn::{ChangeRecord, Permit, Txn};
pub use view::{Query, View};

use crate::{
    entity::{
        EnvironmentFilter, TenantFilter,
        log::{Head, head},
    },
    id::Revision,
    share::ShareHolder,
    task::Tasks,
};
use high_water_mark::HighWaterMark;
use pool::{ConnectionLease, LeaseClaim, Pool, RESPONSE_TIMEOUT};

/// The time limit for a statement, enforced by Postgres. A longer one is a bug or an attack.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// The time limit for getting a free connection. After that, the request fails with UNAVAILABLE.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit for a transaction to be idle between statements, enforced by Postgres. A transaction whose client is
/// gone holds its locks this long, possibly the lock on the log's head.
const IDLE_TIMEOUT: &str = "15s";
/// Session settings of the connections that serve requests. Snapshots use the default isolation level, which saves a
/// statement; writes set theirs.
///
/// Planner settings: every query reads at most a page, and some index has the page's order. Postgres can't estimate
/// that. It assumes that each customer is of average size and that row-level security matches few rows, so it
/// prefers to read and sort all rows, which is slow for the largest customers. With bitmap scans off and sequential
/// scans as the last resort, the planner chooses among index scans, and the one in the right order is cheapest. A
/// table with one row has only the sequential scan, whose estimated cost is then so high that JIT compilation and
/// parallel workers must be off too.
///
/// One plan is right for all parameters, so a generic plan is made once per connection. By default, Postgres rates
/// generic plans on large tables as expensive and replans each execution, which takes longer than the query.
pub const SERVING: [(&str, &str); 6] = [
    ("default_transaction_isolation", "repeatable read"),
    ("enable_bitmapscan", "off"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
    ("max_parallel_workers_per_gather", "0"),
    ("plan_cache_mode", "force_generic_plan"),
];
/// The session settings of [`SERVING`], with the time limit for statements ([`STATEMENT_TIMEOUT`]).
const SERVING_SESSION: &[(&str, &str)] =
    &[("statement_timeout", "10s"), SERVING[0], SERVING[1], SERVING[2], SERVING[3], SERVING[4], SERVING[5]];

/// A connection pool for the registry's database. Clones share it.
#[derive(Clone, Debug)]
pub struct Db {
    pool: Pool,
    tasks: Tasks,
    seen: HighWaterMark,
    response_timeout: Duration,
    is_row_level_security_only: bool,
}

/// The result of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitResult<T> {
    /// The value that the work returned.
    pub value: T,
    /// The commit's revision. `None` when no change was recorded.
    pub revision: Option<Revision>,
}

/// Why the service can't use a database. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Postgres couldn't be reached, or refused the connection.
    #[error("can't connect to the database: {0}{1}")]
    Unreachable(ConnectFailure, String),
    /// The URL can't be used.
    #[error("the database's URL: {0}")]
    Url(#[from] UrlError),
    /// Row-level security doesn't apply to this role.
    #[error(
        "refusing to run as the database role {0:?}: it is a superuser, has BYPASSRLS or CREATEROLE, or is a member of such a role, so it could bypass row-level security; use a role without these"
    )]
    Privileged(String),
    /// The server is older than PostgreSQL 15.
    #[error("PostgreSQL {0} is too old; 15 or newer is required")]
    TooOld(String),
    /// The database isn't encoded in UTF-8.
    #[error(
        "the database's encoding is {0}; UTF8 is required: create it with ENCODING 'UTF8' TEMPLATE template0"
    )]
    Encoding(String),
    /// The two URLs name different databases.
    #[error(
        "DATABASE_URL and MIGRATE_DATABASE_URL name different databases; both must name one, with two roles"
    )]
    Apart,
}

impl From<sqlx::Error> for ConnectError {
    fn from(err: sqlx::Error) -> Self {
        let failure = ConnectFailure::from(&err);
        let detail = match failure {
            ConnectFailure::Refusal(_) => String::new(),
            _ => format!(": {err}"),
        };
        Self::Unreachable(failure, detail)
    }
}

impl ConnectError {
    /// Whether no server could be reached, or it refused the connection. Otherwise the database itself can't be used.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable(..))
    }

    /// Whether waiting may help, because the server may be starting.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(failure, _) if failure.is_transient())
    }
}

impl Db {
    /// Connects with a pool of at most `connections`.
    ///
    /// # Errors
    /// [`ConnectError`] when Postgres is unreachable or can't be used, or the role can bypass row-level security.
    pub async fn connect(
        url: impl Into<DatabaseUrl>,
        connections: u32,
        tasks: Tasks,
    ) -> Result<Self, ConnectError> {
        let pool = Pool::open(url.into(), connections, tasks.clone()).await?;
        Ok(Self {
            pool,
            tasks,
            seen: HighWaterMark::default(),
            response_timeout: RESPONSE_TIMEOUT,
            is_row_level_security_only: false,
        })
    }

    /// Returns a handle to the same pool with a shorter time limit for a statement's response, after which the
    /// connections are replaced. For frequent, small queries. While replacing them doesn't help, the limit doubles,
    /// up to the usual one.
    #[must_use]
    pub fn with_response_timeout(self, response_timeout: Duration) -> Self {
        Self { response_timeout, ..self }
    }

    fn lease(&self, claim: LeaseClaim) -> ConnectionLease {
        self.pool.lease(claim, self.response_timeout)
    }

    /// For tests: returns a handle whose queries don't filter by tenant or environment, so that only row-level security
    /// separates customers, and environments for those that reach only some.
    #[must_use]
    pub fn without_tenant_filters(self) -> Self {
        Self { is_row_level_security_only: true, ..self }
    }

    /// Returns the filters of queries with this access.
    fn filters(&self, access: &Access) -> (TenantFilter, EnvironmentFilter) {
        if self.is_row_level_security_only {
            (TenantFilter::All, EnvironmentFilter::All)
        } else {
            (access.scope.tenant_filter(), access.environments.clone())
        }
    }

    /// Returns a snapshot with this access. Its transaction begins at the first query, and is counted in the share of
    /// this holder as a lease of this class.
    #[must_use]
    pub fn view(&self, access: impl Into<Access>, holder: ShareHolder, class: LeaseClass) -> View {
        View::new(self, access.into(), LeaseClaim::new(holder, class))
    }

    /// Returns a snapshot for the service itself: for sign-in, and for what it keeps in memory.
    #[must_use]
    pub fn internal_view(&self, scope: Scope) -> View {
        self.view(scope, ShareHolder::System, LeaseClass::Internal)
    }

    /// Runs `work` in a read-write transaction (READ COMMITTED), appends its recorded changes to the log, and
    /// commits. Counts it in the share of this holder. Runs to completion even if the caller is dropped.
    ///
    /// # Errors
    /// The error of `work`, or a [`DbError`]. Either rolls the transaction back.
    pub fn write<T, E, F, W>(
        &self,
        access: impl Into<Access>,
        holder: ShareHolder,
        author: Author,
        work: F,
    ) -> BoxFuture<'static, Result<CommitResult<T>, E>>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
        F: FnOnce(Arc<Txn>) -> W + Send + 'static,
        W: Future<Output = Result<T, E>> + Send,
    {
        let lease = self.lease(LeaseClaim::new(holder, LeaseClass::Write));
        let access = access.into();
        let (tenants, environments) = self.filters(&access);
        let guarded = lease.clone();
        let write = async move {
            let txn = lease.begin_write(&access).await?;
            let txn = Arc::new(Txn::new(txn, lease, (tenants, environments), author));
            let value = work(Arc::clone(&txn)).await?;
            let txn = Arc::into_inner(txn).ok_or_else(|| {
                DbError::Unexpected(DbErr::Custom("a Txn was kept beyond its write".to_owned()))
            })?;
            let revision = txn.commit().await?;
            Ok(CommitResult { value, revision })
        };
        let write = write.boxed();
        let seen = self.seen.clone();
        let guarded = async move {
            let made = guarded.run_with_timeouts(write).await;
            if let Ok(CommitResult { revision: Some(revision), .. }) = &made {
                seen.raise(*revision);
            }
            made
        };
        let tasks = self.tasks.clone();
        async move { tasks.run_to_completion(guarded).await.map_err(DbError::from)? }.boxed()
    }

    /// Reads the current head of the log.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub async fn head(&self) -> Result<Head, DbError> {
        let lease = self.lease(LeaseClaim::new(ShareHolder::System, LeaseClass::Internal));
        let read = async move {
            let read = |connection| async move { head().one(&connection).await }.boxed();
            lease.run_with_timeouts(lease.with_retry(read).boxed()).await
        };
        let head = self.tasks.run_to_completion(read).await??;
        let head = head.ok_or_else(|| DbError::Unexpected(DbErr::RecordNotFound("log_head".to_owned())))?;
        self.seen.raise(head.revision);
        Ok(head)
    }

    /// Raises the high-water mark to the log's current head, so that later reads on this instance are at least as
    /// new. A failure is only logged: the caller has its result already.
    pub async fn observe_head(&self) {
        if let Err(err) = self.head().await {
            tracing::warn!(error = %err, "can't read the log's head");
        }
    }

    /// Returns the highest revision that a read or write through this pool has observed, or 0. Responses may depend
    /// on it, so later reads on this instance must be at least as new.
    #[must_use]
    pub fn observed_revision(&self) -> Revision {
        self.seen.revision()
    }

    /// Lowers [`Db::observed_revision`] to this revision, because the log ends there and no longer contains later
    /// commits.
    pub fn lower_observed_revision(&self, revision: Revision) {
        self.seen.lower(revision);
    }

    /// Returns the task tracker that runs the reads and writes.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Returns the number of statements that this pool has run.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.pool.statements()
    }

    /// Returns why the last connection couldn't be opened. `None` if it could.
    #[must_use]
    pub fn connect_failure(&self) -> Option<ConnectFailure> {
        self.pool.failure()
    }

    /// Waits for running work and closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
