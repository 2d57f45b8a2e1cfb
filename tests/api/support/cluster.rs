//! Databases for tests: one private Postgres for all runs of this user, a template made once for each state
//! of the migrations, a fresh copy of it for whoever asks. It knows nothing of what the migrations are.
//!
//! Nobody cleans up at the end of a test process, so the next one does: databases are named after the process
//! that made them, and the server's watchdog ends it when the last process has gone.

use embedded_postgres::{Embedded, SERVICE, SUPERUSER};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::{Mutex, OnceCell};

#[path = "../../../crates/embedded-postgres/tests/embedded/folder.rs"]
pub(crate) mod folder;

use folder::options;

/// Advisory locks, in the database `postgres`.
const TEMPLATE_LOCK: i64 = 0x6172_7401;
const COPY_LOCK: i64 = 0x6172_7402;
const SWEEP_LOCK: i64 = 0x6172_7403;

/// How many states of the migrations keep their template: other checkouts may be at work.
const TEMPLATES_KEPT: i64 = 6;

static CLUSTER: OnceCell<Embedded> = OnceCell::const_new();
static COUNT: AtomicU32 = AtomicU32::new(0);
static TEMPLATES: Mutex<Vec<Template>> = Mutex::const_new(Vec::new());
static DONE_WITH: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

/// The server that all tests share. A test that stops or kills servers makes one of its own, in a [`Folder`].
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

/// A migrated database that is only ever copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    name: String,
    owner: &'static str,
}

/// The template for this fingerprint of the migrations, which this role owns. If it is not there, `migrate` makes it,
/// given the URLs of an empty database, as its owner and as the service's role; once, however many processes ask.
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
        // Open: whoever was making it did not finish.
        run(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        drop_old_templates(&mut admin).await;
        run(&mut admin, format!("CREATE DATABASE {name} OWNER {owner} TEMPLATE template0")).await;
        let cluster = cluster().await;
        migrate(&cluster.url(owner, name), &cluster.url(SERVICE, name)).await;
        // Nobody may connect: a database with a session cannot be copied.
        run(&mut admin, format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
        end_sessions(&mut admin, name).await;
    }
    admin.close().await.expect("a close");
    known.push(template.clone());
    template
}

/// The URL of a fresh copy, as the service's role. It stays until a later run, so where there are many prefer
/// [`Database`].
pub(crate) async fn database(template: &Template) -> String {
    let name = copy(template).await;
    cluster().await.url(SERVICE, &name)
}

/// A fresh copy that is gone soon after it is dropped: four hundred of them would fill a small disk.
#[derive(Debug)]
pub(crate) struct Database {
    /// Where it is, as the service's role.
    pub(crate) url: String,
    /// Where it is, as the role that owns it.
    pub(crate) owner_url: String,
    /// Where it is, as superuser, for tests that look behind the service's back.
    pub(crate) admin_url: String,
    name: String,
}

impl Database {
    /// A fresh copy of the template.
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

    /// What Postgres calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The next copy's maker removes it: there is no awaiting here.
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
    // Copies of one template at a time: side by side they trip over each other's checkpoints.
    lock(&mut admin, COPY_LOCK).await;
    run(&mut admin, format!("CREATE DATABASE {name} OWNER {} TEMPLATE {}", template.owner, template.name))
        .await;
    admin.close().await.expect("a close");
    name
}

/// A session as superuser, in the database `postgres`. Closing it gives back its locks.
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

/// Drops what processes that are no more have left; one sweeper is enough.
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

/// Whether the process in `test_<pid>_<n>` still is. Our own id in the name of a database from before us was
/// another's.
fn maker_lives(name: &str) -> bool {
    let pid = name.split('_').nth(1).and_then(|pid| pid.parse::<i32>().ok());
    let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) else {
        return false;
    };
    pid != rustix::process::getpid()
        && !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}
