//! Access to Postgres: the connection pool, write transactions and read snapshots. Every read and write runs to
//! completion even if its caller is dropped, so that no connection is left in the middle of a statement.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement,
};
use sqlx::Connection;

mod author;
mod error;
mod high_water_mark;
pub mod listen;
mod migrate;
mod pool;
mod schema_range;
mod scope;
mod txn;
mod view;

pub use author::{Actor, Author, CallOrigin};
pub use error::DbError;
pub use migrate::{
    MigrateError, fingerprint, grant_service_role, migrate, migration_status, revert_migrations,
};
pub use pool::LeaseClass;
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
/// The oldest supported version of Postgres, as `server_version_num`.
const OLDEST_POSTGRES: i32 = 150_000;

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

/// Why the service can't use a database.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Postgres couldn't be reached, or refused the connection.
    #[error("can't connect to the database: {0}")]
    Unreachable(#[from] DbErr),
    /// Row-level security doesn't apply to this role.
    #[error(
        "refusing to run as the database role {0:?}: it is a superuser, has BYPASSRLS or CREATEROLE, or is a member of such a role, so it could bypass row-level security; use a role without these"
    )]
    Privileged(String),
    /// The server is older than PostgreSQL 15.
    #[error("PostgreSQL {0} is too old; 15 or newer is required")]
    TooOld(String),
}

impl Db {
    /// Connects with a pool of at most `connections`.
    ///
    /// # Errors
    /// [`ConnectError`] when Postgres is unreachable or too old, or the role can bypass row-level security.
    pub async fn connect(url: &str, connections: u32, tasks: Tasks) -> Result<Self, ConnectError> {
        let pool = Pool::open(url, connections, tasks.clone()).await?;
        let db = Self {
            pool,
            tasks,
            seen: HighWaterMark::default(),
            response_timeout: RESPONSE_TIMEOUT,
            is_row_level_security_only: false,
        };
        let lease = db.lease(LeaseClaim::new(ShareHolder::System, LeaseClass::Internal));
        let check = |connection| async move { role(&connection).await }.boxed();
        check_role(lease.with_retry(check).await.map_err(unreachable)?)?;
        Ok(db)
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

    /// Whether Postgres refused the last connection because it has too many (SQLSTATE 53300).
    #[must_use]
    pub fn has_too_many_connections(&self) -> bool {
        self.pool.is_full()
    }

    /// Waits for running work and closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// The reason for which the first statement failed.
fn unreachable(err: DbError) -> DbErr {
    match err {
        DbError::Unavailable(err) | DbError::Serialization(err) | DbError::Unexpected(err) => err,
        other => DbErr::Custom(other.to_string()),
    }
}

/// Opens a pool for migrations. Retries until the acquire timeout, since Postgres may be starting up. The pool then reports only a
/// timeout, so a single connection attempt gets the actual error.
async fn open(options: ConnectOptions) -> Result<DatabaseConnection, DbErr> {
    let url = options.get_url().to_owned();
    match Database::connect(options).await {
        Ok(pool) => Ok(pool),
        Err(late) => match sqlx::PgConnection::connect(&url).await {
            Ok(_) => Err(late),
            Err(reason) => Err(DbErr::Conn(RuntimeErr::SqlxError(Arc::new(reason)))),
        },
    }
}

/// Connection options with the given session settings, UTC, and the time limit for idle transactions.
fn options(url: &str, settings: &'static [(&'static str, &'static str)]) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.acquire_timeout(ACQUIRE_TIMEOUT).connect_timeout(ACQUIRE_TIMEOUT).sqlx_logging(false);
    options.map_sqlx_postgres_opts(move |options| {
        options
            .application_name("agent-registry")
            .options([("idle_in_transaction_session_timeout", IDLE_TIMEOUT), ("TimeZone", "UTC")])
            .options(settings.iter().copied())
    });
    options
}

/// The service's role, and the server's version.
struct Role {
    name: String,
    is_privileged: bool,
    version: i32,
    version_name: String,
}

async fn role(connection: &DatabaseConnection) -> Result<Role, DbErr> {
    let ask = "SELECT current_user::text AS role, EXISTS (SELECT FROM pg_roles \
                   WHERE (rolsuper OR rolbypassrls OR rolcreaterole) AND pg_has_role(oid, 'MEMBER')) AS privileged, \
               current_setting('server_version_num')::int AS version, current_setting('server_version') AS version_name";
    let row = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, ask)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("current role".to_owned()))?;
    Ok(Role {
        name: row.try_get("", "role")?,
        is_privileged: row.try_get("", "privileged")?,
        version: row.try_get("", "version")?,
        version_name: row.try_get("", "version_name")?,
    })
}

fn check_role(role: Role) -> Result<(), ConnectError> {
    if role.version < OLDEST_POSTGRES {
        return Err(ConnectError::TooOld(role.version_name));
    }
    if role.is_privileged {
        return Err(ConnectError::Privileged(role.name));
    }
    Ok(())
}
