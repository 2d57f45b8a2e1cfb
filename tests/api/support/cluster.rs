//! Databases for tests: one private Postgres for all runs of this user, one template database for each state of the
//! migrations, and a fresh copy of it for each test. This file doesn't know the migrations.
//!
//! A test process doesn't clean up at its end. The next one does: a database's name contains the id of the process
//! that made it. The server's watchdog stops the server after the last process.

use embedded_postgres::{Embedded, SERVICE, SUPERUSER};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::{Mutex, OnceCell};

#[path = "../../../crates/embedded-postgres/tests/embedded/folder.rs"]
pub(crate) mod folder;

use folder::options;

/// Keys of advisory locks, taken in the database `postgres`.
const TEMPLATE_LOCK: i64 = 0x6172_7401;
const COPY_LOCK: i64 = 0x6172_7402;
const SWEEP_LOCK: i64 = 0x6172_7403;

/// How many templates to keep. More than one, because other checkouts may be running tests.
const TEMPLATES_KEPT: i64 = 6;

static CLUSTER: OnceCell<Embedded> = OnceCell::const_new();
static COUNT: AtomicU32 = AtomicU32::new(0);
static TEMPLATES: Mutex<Vec<Template>> = Mutex::const_new(Vec::new());
static DONE_WITH: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

/// The server that all tests share. A test that stops or kills servers starts its own, in a [`Folder`](folder::Folder).
pub(crate) async fn cluster() -> &'static Embedded {
    CLUSTER
        .get_or_init(|| async {
            let uid = rustix::process::geteuid().as_raw();
            let folder = std::env::temp_dir().join(format!("agent-registry-test-{uid}"));
            let cluster =
                Embedded::attach_or_start(&options(folder, true)).await.expect("a Postgres for the tests");
            sweep(&cluster).await;
            cluster
        })
        .await
}

/// A migrated database that is only copied, never used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    name: String,
    owner: &'static str,
}

/// Returns the template for this fingerprint of the migrations, owned by this role. If there is none, `migrate`
/// makes it from an empty database, given its URL as the owner and its URL as the service's role. An advisory lock
/// keeps concurrent processes from making it twice.
pub(crate) async fn template(
    fingerprint: &str,
    owner: &'static str,
    migrate: impl AsyncFn(&str, &str),
) -> Template {
    let hash = hex::encode(Sha256::digest(format!("{owner} {fingerprint}")));
    let template = Template { name: format!("template_{}", &hash[..16]), owner };
    let mut known = TEMPLATES.lock().await;
    if known.contains(&template) {
        return template;
    }
    let mut admin = admin().await;
    lock(&mut admin, TEMPLATE_LOCK).await;
    let name = &template.name;
    let open: Option<bool> = sqlx::query_scalar("SELECT datallowconn FROM pg_database WHERE datname = $1")
        .bind(name)
        .fetch_optional(&mut admin)
        .await
        .expect("the list of databases");
    if open != Some(false) {
        // It still accepts connections: the process that made it didn't finish.
        run(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        drop_old_templates(&mut admin).await;
        run(&mut admin, format!("CREATE DATABASE {name} OWNER {owner} TEMPLATE template0")).await;
        let cluster = cluster().await;
        migrate(&cluster.url(owner, name), &cluster.url(SERVICE, name)).await;
        // A database with open sessions can't be copied, so close it for connections.
        run(&mut admin, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
        end_sessions(&mut admin, name).await;
    }
    admin.close().await.expect("a close");
    known.push(template.clone());
    template
}

/// Returns the URL of a fresh copy, as the service's role. The copy is dropped by a later run only, so prefer
/// [`Database`] for many copies.
pub(crate) async fn database(template: &Template) -> String {
    let name = copy(template).await;
    cluster().await.url(SERVICE, &name)
}

/// A fresh copy that is dropped soon after this value: four hundred of them would fill a small disk.
#[derive(Debug)]
pub(crate) struct Database {
    /// The URL for the service's role.
    pub(crate) url: String,
    /// The URL for the owner's role.
    pub(crate) owner_url: String,
    /// The URL for the superuser, for tests that read or change rows without the service.
    pub(crate) admin_url: String,
    name: String,
}

impl Database {
    /// Copies the template.
    pub(crate) async fn fresh(template: &Template) -> Self {
        let name = copy(template).await;
        let cluster = cluster().await;
        Self {
            url: cluster.url(SERVICE, &name),
            owner_url: cluster.url(template.owner, &name),
            admin_url: cluster.url(SUPERUSER, &name),
            name,
        }
    }

    /// The database's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // `drop` can't await. The next call of `copy` drops the database.
        DONE_WITH.lock().expect("the list").push(self.name.clone());
    }
}

async fn copy(template: &Template) -> String {
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut admin = admin().await;
    let done_with = std::mem::take(&mut *DONE_WITH.lock().expect("the list"));
    for name in done_with {
        run(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    }
    // Copies one template at a time: parallel copies wait for each other's checkpoints.
    lock(&mut admin, COPY_LOCK).await;
    run(&mut admin, format!("CREATE DATABASE {name} OWNER {} TEMPLATE {}", template.owner, template.name))
        .await;
    admin.close().await.expect("a close");
    name
}

/// Opens a session as superuser in the database `postgres`. Closing it releases its advisory locks.
pub(crate) async fn admin() -> PgConnection {
    let url = cluster().await.url(SUPERUSER, "postgres");
    PgConnection::connect(&url).await.expect("a superuser's session")
}

/// Ends all sessions of a database, as a failing server would.
pub(crate) async fn end_sessions(admin: &mut PgConnection, database: &str) {
    sqlx::query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1")
        .bind(database)
        .execute(admin)
        .await
        .expect("an end of sessions");
}

async fn lock(admin: &mut PgConnection, lock: i64) {
    sqlx::query("SELECT pg_advisory_lock($1)").bind(lock).execute(admin).await.expect("an advisory lock");
}

async fn run(admin: &mut PgConnection, statement: String) {
    sqlx::raw_sql(AssertSqlSafe(statement.clone()))
        .execute(admin)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

async fn drop_old_templates(admin: &mut PgConnection) {
    let old: Vec<String> = sqlx::query_scalar(
        r"SELECT datname::text FROM pg_database WHERE datname LIKE 'template\_%' ORDER BY oid DESC OFFSET $1",
    )
    .bind(TEMPLATES_KEPT - 1)
    .fetch_all(&mut *admin)
    .await
    .expect("the list of templates");
    for name in old {
        run(admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    }
}

/// Drops the databases of processes that have ended. One process at a time does this.
async fn sweep(cluster: &Embedded) {
    let url = cluster.url(SUPERUSER, "postgres");
    let mut admin = PgConnection::connect(&url).await.expect("a superuser's session");
    let alone: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(SWEEP_LOCK)
        .fetch_one(&mut admin)
        .await
        .expect("an advisory lock");
    if alone {
        let names: Vec<String> =
            sqlx::query_scalar(r"SELECT datname::text FROM pg_database WHERE datname LIKE 'test\_%'")
                .fetch_all(&mut admin)
                .await
                .expect("the list of databases");
        for name in names.into_iter().filter(|name| !maker_lives(name)) {
            run(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        }
    }
    admin.close().await.expect("a close");
}

/// Whether the process `pid` of `test_<pid>_<n>` is running. Our own pid counts as ended, because an earlier
/// process had the same one.
fn maker_lives(name: &str) -> bool {
    let pid = name.split('_').nth(1).and_then(|pid| pid.parse::<i32>().ok());
    let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    pid != rustix::process::getpid()
        && !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}
