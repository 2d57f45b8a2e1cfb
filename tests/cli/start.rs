//! A start that is refused: before anything is written to the database, and before a cluster is made.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use embedded_postgres::{OWNER, SERVICE};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{
    Home, PROGRAM,
    cluster::{Database, admin, cluster, template},
    serve::{DEADLINE, Serving},
};

/// An empty database of the role that owns schemas.
pub(super) async fn empty() -> Database {
    Database::fresh(&template("empty of the owner", OWNER, async |_: &str, _: &str| {}).await).await
}

/// The settings of the database's two roles.
pub(super) fn both(database: &Database) -> [(&'static str, &str); 2] {
    [("DATABASE_URL", &database.url), ("MIGRATE_DATABASE_URL", &database.owner_url)]
}

/// All schemas and relations that aren't Postgres' own.
pub(super) async fn relations(url: &str) -> Vec<String> {
    let mut session = PgConnection::connect(url).await.unwrap();
    let own = "SELECT nspname || '.' || coalesce(relname, '') FROM pg_namespace AS n
        LEFT JOIN pg_class AS c ON c.relnamespace = n.oid
        WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
        AND (nspname <> 'public' OR relname IS NOT NULL) ORDER BY 1";
    sqlx::query_scalar(own).fetch_all(&mut session).await.unwrap()
}

/// Runs the program with these settings; it must be refused. Returns its exit code and its complaint.
pub(super) fn refused(home: &Home, settings: &[(&str, &str)], args: &[&str]) -> (Option<i32>, String) {
    let settings: Vec<_> =
        settings.iter().copied().chain([("LISTEN", "127.0.0.1:0"), ("WAIT_FOR_DATABASE", "0s")]).collect();
    let output = home.run_with(&settings, args);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty(), "{args:?}: {complaint}");
    (output.status.code(), complaint)
}

#[tokio::test]
async fn a_start_that_is_refused_writes_nothing() {
    let home = Home::new("refused");
    let (database, other) = (empty().await, empty().await);
    let ascii = format!("{}_ascii", database.name());
    let create = format!(
        "CREATE DATABASE {ascii} OWNER {OWNER} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    );
    let mut session = admin().await;
    sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut session).await.unwrap();
    let (serves, owns) = (cluster().await.url(SERVICE, &ascii), cluster().await.url(OWNER, &ascii));
    let admins = cluster().await.url("postgres", &ascii);
    for (url, owner_url, admin_url, words) in [
        (&database.admin_url, None, &database.admin_url, "it is a superuser"),
        (&database.admin_url, Some(&database.owner_url), &database.admin_url, "it is a superuser"),
        (&serves, Some(&owns), &admins, "encoding is SQL_ASCII; UTF8 is required"),
        (&owns, None, &admins, "encoding is SQL_ASCII; UTF8 is required"),
        (&database.url, Some(&other.owner_url), &other.admin_url, "name different databases"),
        (&database.url, None, &database.admin_url, "may not change the database's schema"),
    ] {
        let owner_url = owner_url.map(|url| ("MIGRATE_DATABASE_URL", url.as_str()));
        let settings: Vec<_> = [("DATABASE_URL", url.as_str())].into_iter().chain(owner_url).collect();
        for command in ["serve", "migrate"] {
            let (code, complaint) = refused(&home, &settings, &[command]);
            assert_eq!((code, complaint.lines().count()), (Some(1), 1), "{complaint}");
            assert!(complaint.contains(words), "{complaint}");
            assert_eq!(relations(admin_url).await, Vec::<String>::new(), "{complaint}");
        }
    }
    assert_eq!(relations(&database.admin_url).await, Vec::<String>::new());
    sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE {ascii} WITH (FORCE)")))
        .execute(&mut session)
        .await
        .unwrap();
}

#[test]
fn a_port_in_use_is_found_before_a_cluster_is_made() {
    let home = Home::new("port");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, complaint) = home.complaint(&["serve", "--listen", &address]);
    assert_eq!(code, 1, "{complaint}");
    assert!(complaint.contains(&format!("can't listen on {address}")), "{complaint}");
    let left: Vec<_> = std::fs::read_dir(&home.0).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_owners_url_alone_is_a_wrong_setting() {
    let home = Home::new("owner");
    let settings = [("MIGRATE_DATABASE_URL", "postgres://me@127.0.0.1:9/db")];
    let (code, complaint) = refused(&home, &settings, &["migrate"]);
    assert_eq!(code, Some(2), "{complaint}");
    assert!(complaint.contains("without DATABASE_URL"), "{complaint}");
    assert!(!std::path::Path::new(&home.path("postgres")).exists());
}

#[tokio::test]
async fn connections_are_lowered_to_the_files_that_there_are() {
    let home = Home::new("files");
    let log = home.path("serve.log");
    let file = std::fs::File::create(&log).unwrap();
    // 400 files: 100 for everything else, 20 for the database.
    let command = format!("ulimit -n 400; exec {PROGRAM} serve --listen 127.0.0.1:0");
    let mut serving = Command::new("sh")
        .args(["-c", &command])
        .env("DATA_DIR", &home.0)
        .env("LOG", "warn")
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let said = loop {
        let said = std::fs::read_to_string(&log).unwrap();
        if said.contains("is listening") || begun.elapsed() > DEADLINE {
            break said;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    rustix::process::kill_process(rustix::process::Pid::from_child(&serving), rustix::process::Signal::TERM)
        .unwrap();
    assert!(serving.wait().unwrap().success(), "{said}");
    assert!(said.contains("is lowered") && said.contains("connections=280"), "{said}");
    assert!(said.contains("is listening"), "{said}");
}

#[tokio::test]
async fn the_serving_role_alone_suffices_on_a_migrated_database() {
    let home = Home::new("serving-role");
    let database = empty().await;
    let migrated = home.run_with(&both(&database), &["migrate"]);
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let alone = [("DATABASE_URL", database.url.as_str())];
    let before = relations(&database.admin_url).await;
    for more in [&[][..], &[("NO_MIGRATE", "true")]] {
        let settings: Vec<_> = alone.iter().chain(more).copied().collect();
        let serving = Serving::start_with(&home, &settings);
        serving.ready().await;
        let made = home.run_with(&alone, &["customer", "create", "--name", "City"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        assert!(serving.stop().1);
    }
    let listed = home.run_with(&alone, &["customer", "list"]);
    assert_eq!(String::from_utf8(listed.stdout).unwrap().lines().count(), 2);
    assert_eq!(relations(&database.admin_url).await, before);
}
