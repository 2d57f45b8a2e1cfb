//! How we talk to Postgres. Every read and write runs in a task that owns its connection, so that a caller that goes
//! away harms nobody.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement,
};
use sqlx::Connection;

mod author;
mod fault;
pub mod listen;
mod migrate;
mod pool;
mod scope;
mod seen;
mod txn;
mod view;

pub use author::{Actor, Author, Origin};
pub use fault::Fault;
pub use migrate::{Step, admit, fingerprint, migrate, migration_status, unmigrate};
pub use scope::Scope;
pub use txn::{Entry, Permit, Txn};
pub use view::{Query, View};

use crate::{
    entity::{
        Reach,
        log::{Head, head},
    },
    task::Tasks,
};
use pool::{Loan, Pool, SILENCE};
use seen::Seen;

/// Any statement that takes longer is a bug or an attack; Postgres ends it.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request waits for a free connection before it is told UNAVAILABLE.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long Postgres waits for a transaction's next statement. Whoever is cut off from it in the middle holds its locks
/// for so long, and one of them is that of the log's head.
const IDLE_TIMEOUT: &str = "15s";
/// How those sessions are that requests are served in. A snapshot needs no statement of its own to say so; a write says what
/// it is.
///
/// Whatever is asked for is a page or less, and there is an index in whose order it stands. Postgres can't know that: it takes
/// each customer for an average one, and row-level security for a condition that hardly any row meets, and so would rather
/// read all and sort it, which is cheap by that reckoning and not for the largest customer. Without bitmaps, and with whole
/// tables for the last resort, what it chooses among is indexes, and one in the right order is the cheapest of them. Tables of
/// one row have no other way, and then cost so much by its reckoning that it would compile the statement, or call for help.
///
/// So there is one right plan whatever the values are, and it is made once a connection: left to itself, Postgres finds a plan
/// for any value dear where there is much, and plans anew each time, for longer than the statement runs.
pub const SERVING: [(&str, &str); 6] = [
    ("default_transaction_isolation", "repeatable read"),
    ("enable_bitmapscan", "off"),
    ("enable_seqscan", "off"),
    ("jit", "off"),
    ("max_parallel_workers_per_gather", "0"),
    ("plan_cache_mode", "force_generic_plan"),
];
/// A connection idle for longer than this is tried before it is used.
const PING_AFTER_IDLE: Duration = Duration::from_secs(30);
/// The oldest Postgres whose every feature we use: its `ON CONFLICT`, SQL-standard functions and policies as tested.
const OLDEST_POSTGRES: i32 = 150_000;

/// A pool of connections to the registry's database.
#[derive(Clone, Debug)]
pub struct Db {
    pool: Pool,
    tasks: Tasks,
    seen: Seen,
    silence: Duration,
    is_row_level_security_only: bool,
}

/// What a write came to: its value, and the revision if it changed anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed<T> {
    /// What the work answered.
    pub value: T,
    /// The commit's revision; none when nothing was recorded.
    pub revision: Option<i64>,
}

/// The service must not run like this.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Postgres could not be reached, or refused us.
    #[error("can't connect to the database: {0}")]
    Unreachable(#[from] DbErr),
    /// Row-level security does not hold for this role.
    #[error(
        "refusing to run as database role {0:?}: it is a superuser or has BYPASSRLS or CREATEROLE, or may become such a role, so row-level security would not hold; use a plain role"
    )]
    Privileged(String),
    /// Too old.
    #[error("Postgres {0} is too old; 15 or later is needed")]
    TooOld(String),
}

impl Db {
    /// Connects as a plain role, with at most `connections` open at a time.
    ///
    /// # Errors
    /// [`ConnectError`] when Postgres is out of reach or too old, or the role is not bound by row-level security.
    pub async fn connect(url: &str, connections: u32, tasks: Tasks) -> Result<Self, ConnectError> {
        let mut options = options(url, &SERVING);
        options.max_connections(connections).test_before_acquire_if_idle_for(PING_AFTER_IDLE);
        options.statement_timeout(STATEMENT_TIMEOUT);
        let connections = open(options.clone()).await?;
        check_role(&connections).await?;
        let pool = Pool::new(options, connections, tasks.clone());
        Ok(Self { pool, tasks, seen: Seen::default(), silence: SILENCE, is_row_level_security_only: false })
    }

    /// The same, but a statement that is not answered within `silence` has its connections replaced: for who asks often,
    /// and never much. When that does not help it may take longer, up to what others may.
    #[must_use]
    pub fn impatient(self, silence: Duration) -> Self {
        Self { silence, ..self }
    }

    fn lend(&self) -> Loan {
        self.pool.lend(self.silence)
    }

    /// The same, with the first wall taken down: no query names whose rows it may touch, and row-level security is all
    /// that keeps customers apart. For tests, which show that it does.
    #[must_use]
    pub fn behind_the_second_wall_alone(self) -> Self {
        Self { is_row_level_security_only: true, ..self }
    }

    /// Whose rows each query under this scope must name.
    fn reach(&self, scope: &Scope) -> Reach {
        if self.is_row_level_security_only { Reach::Everyone } else { scope.reach() }
    }

    /// A snapshot under this scope, opened at its first question.
    #[must_use]
    pub fn view(&self, scope: Scope) -> View {
        View::new(self, scope)
    }

    /// Runs `work` in a read-write transaction (READ COMMITTED), appends what it recorded to the log and commits. It
    /// runs to its end also when the caller goes away.
    ///
    /// # Errors
    /// What `work` answers, or a [`Fault`]; then nothing is stored.
    pub fn write<T, E, F, W>(
        &self,
        scope: Scope,
        author: Author,
        work: F,
    ) -> BoxFuture<'static, Result<Committed<T>, E>>
    where
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
        F: FnOnce(Arc<Txn>) -> W + Send + 'static,
        W: Future<Output = Result<T, E>> + Send,
    {
        let (loan, reach) = (self.lend(), self.reach(&scope));
        let watched = loan.clone();
        let write = async move {
            let txn = loan.begin().await.map_err(Fault::from)?;
            scope.write(&txn).await.map_err(Fault::from)?;
            let txn = Arc::new(Txn::new(txn, loan, reach, author));
            let value = work(Arc::clone(&txn)).await?;
            let txn = Arc::into_inner(txn)
                .ok_or_else(|| Fault::Unexpected(DbErr::Custom("a Txn outlived its write".to_owned())))?;
            let revision = txn.commit().await.map_err(Fault::from)?;
            Ok(Committed { value, revision })
        };
        let write = write.boxed();
        let seen = self.seen.clone();
        let watched = async move {
            let made = watched.watch(write).await;
            if let Ok(Committed { revision: Some(revision), .. }) = &made {
                seen.note(*revision);
            }
            made
        };
        let tasks = self.tasks.clone();
        async move { tasks.shielded(watched).await.map_err(Fault::from)? }.boxed()
    }

    /// Where the log ends now.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub async fn head(&self) -> Result<Head, Fault> {
        let loan = self.lend();
        let read = async move {
            let connections = loan.connections();
            loan.watch(async { Ok::<_, Fault>(head().one(&connections).await?) }.boxed()).await
        };
        let head = self.tasks.shielded(read).await??;
        let head = head.ok_or_else(|| Fault::Unexpected(DbErr::RecordNotFound("log_head".to_owned())))?;
        self.seen.note(head.revision);
        Ok(head)
    }

    /// The last commit that a read or a write through this pool has seen; 0 when none has. Whoever was answered may know
    /// of it.
    #[must_use]
    pub fn seen(&self) -> i64 {
        self.seen.revision()
    }

    /// Notes that the log ends here: what was seen beyond is not in it any more.
    pub fn seen_at_most(&self, revision: i64) {
        self.seen.at_most(revision);
    }

    /// Where its reads and writes run.
    #[must_use]
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// How many statements this pool has run.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.pool.statements()
    }

    /// Closes all connections, once their work is done.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Opens a pool. It tries for as long as an acquisition may take, since Postgres may be starting up; then the reason
/// why not is asked for once more, because the pool only says that time is up.
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

/// Each session is told how long it may be idle in a transaction, and what a transaction is that does not say so itself.
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

async fn check_role(pool: &DatabaseConnection) -> Result<(), ConnectError> {
    let ask = "SELECT current_user::text AS role, EXISTS (SELECT FROM pg_roles \
                   WHERE (rolsuper OR rolbypassrls OR rolcreaterole) AND pg_has_role(oid, 'MEMBER')) AS privileged, \
               current_setting('server_version_num')::int AS version, current_setting('server_version') AS version_name";
    let row = pool.query_one_raw(Statement::from_string(DbBackend::Postgres, ask)).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound("current role".to_owned()))?;
    if row.try_get::<i32>("", "version")? < OLDEST_POSTGRES {
        return Err(ConnectError::TooOld(row.try_get("", "version_name")?));
    }
    if row.try_get("", "privileged")? {
        return Err(ConnectError::Privileged(row.try_get("", "role")?));
    }
    Ok(())
}
