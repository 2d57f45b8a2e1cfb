//! Migrations: `serve` and `migrate` apply them, and no other command does. The log says what each wait is for.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use super::{
    Home, PROGRAM, SETTINGS,
    cluster::cluster,
    proxy::{Proxy, Target},
    start::{both, empty, refused, relations},
};

/// The key of the advisory lock of migrations, as `db` has it.
const MIGRATION_LOCK: i64 = 0x6167_656e_7472;
/// The commands that read or write, and don't migrate.
const COMMANDS: [&[&str]; 4] = [
    &["customer", "list"],
    &["customer", "create", "--name", "City"],
    &["audit", "verify"],
    &["serve", "--no-migrate"],
];

/// Starts a command that waits, with these settings.
fn waiting(home: &Home, settings: &[(&str, &str)], args: &[&str]) -> std::process::Child {
    let mut command = Command::new(PROGRAM);
    for setting in SETTINGS {
        command.env_remove(setting);
    }
    let command = command.args(args).env("DATA_DIR", &home.0).env("LOG", "warn").stdin(Stdio::null());
    command.envs(settings.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[tokio::test]
async fn other_commands_say_what_to_run_and_change_nothing() {
    let home = Home::new("no-migrate");
    let database = empty().await;
    let settings = both(&database);
    for command in COMMANDS {
        let (code, complaint) = refused(&home, &settings, command);
        assert_eq!(code, Some(1), "{command:?}: {complaint}");
        assert!(complaint.contains("run `agent-registry migrate`"), "{command:?}: {complaint}");
        assert_eq!(relations(&database.admin_url).await, Vec::<String>::new(), "{command:?}");
    }
    let status = home.run_with(&settings, &["migrate", "--status"]);
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("pending  0001_scope\n"), "{status}");
    assert!(status.contains("pending  0020_extensions  (locks agent_versions)\n"), "{status}");
    assert_eq!(relations(&database.admin_url).await, Vec::<String>::new(), "the status made something");

    assert!(home.run_with(&settings, &["migrate"]).status.success());
    // As an older release left it.
    let mut owner = PgConnection::connect(&database.owner_url).await.unwrap();
    let older = "DELETE FROM registry.schema_migrations WHERE number >= 20";
    sqlx::raw_sql(older).execute(&mut owner).await.unwrap();
    let before = relations(&database.admin_url).await;
    for command in COMMANDS {
        let (code, complaint) = refused(&home, &settings, command);
        assert_eq!(code, Some(1), "{command:?}: {complaint}");
        assert!(
            complaint.contains("the database has schema 19, and this binary needs schema")
                && complaint.contains("run `agent-registry migrate`"),
            "{command:?}: {complaint}"
        );
    }
    assert_eq!(relations(&database.admin_url).await, before);
    let mut admin = PgConnection::connect(&database.admin_url).await.unwrap();
    let customers: i64 =
        sqlx::query_scalar("SELECT count(*) FROM registry.customers").fetch_one(&mut admin).await.unwrap();
    assert_eq!(customers, 0);
}

#[tokio::test]
async fn a_role_without_rights_is_told_how_to_get_them() {
    let home = Home::new("no-rights");
    let database = empty().await;
    let owner = [("DATABASE_URL", database.owner_url.as_str())];
    assert!(home.run_with(&owner, &["migrate"]).status.success());
    let serves = [("DATABASE_URL", database.url.as_str())];
    let (code, complaint) = refused(&home, &serves, &["customer", "list"]);
    assert_eq!(code, Some(1), "{complaint}");
    assert!(complaint.contains("no rights in the schema `registry`"), "{complaint}");
    assert!(home.run_with(&both(&database), &["migrate"]).status.success());
    assert!(home.run_with(&serves, &["customer", "list"]).status.success());
}

#[tokio::test]
async fn a_wait_for_the_migration_lock_says_who_holds_it() {
    let home = Home::new("lock");
    let database = empty().await;
    let mut holder = PgConnection::connect(&database.admin_url).await.unwrap();
    sqlx::query("SELECT pg_advisory_lock($1)").bind(MIGRATION_LOCK).execute(&mut holder).await.unwrap();
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut holder).await.unwrap();
    let migrating = waiting(&home, &both(&database), &["migrate"]);
    sleep(Duration::from_millis(6_500)).await;
    assert_eq!(relations(&database.admin_url).await, Vec::<String>::new(), "it waits");
    holder.close().await.unwrap();
    let output = migrating.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains(&format!("waiting for the migration lock, which process {pid} of Postgres")),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_waits_for_the_database_and_says_so() {
    let home = Home::new("wait");
    let database = empty().await;
    let socket = cluster().await.socket_dir().join(".s.PGSQL.5432");
    // The port of a proxy that ended: nothing listens there for now.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let at = |url: &str| {
        let role = url.split_once("//").unwrap().1.split_once('@').unwrap().0.to_owned();
        format!("postgres://{role}@127.0.0.1:{port}/{}?sslmode=disable", database.name())
    };
    let (url, owner_url) = (at(&database.url), at(&database.owner_url));
    let settings =
        [("DATABASE_URL", url.as_str()), ("MIGRATE_DATABASE_URL", &owner_url), ("WAIT_FOR_DATABASE", "60s")];
    let migrating = waiting(&home, &settings, &["migrate"]);
    sleep(Duration::from_millis(6_500)).await;
    let _proxy = Proxy::at(&format!("127.0.0.1:{port}"), Target::Unix(socket)).await;
    let output = tokio::task::spawn_blocking(|| migrating.wait_with_output()).await.unwrap().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("waiting for the database: ") && said.contains("no database server answers"),
        "{said}"
    );
    // Without a server, it ends when the time is over.
    let (code, complaint) = refused(&home, &[("DATABASE_URL", "postgres://me@127.0.0.1:9/db")], &["serve"]);
    assert_eq!(code, Some(5), "{complaint}");
}
