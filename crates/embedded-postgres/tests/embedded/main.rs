//! The private Postgres: starting, sharing and stopping it, and the errors when it can't start.

#![cfg(test)]

mod folder;
mod gone;
mod killed;

use embedded_postgres::{AfterLeave, Embedded, EmbeddedError, SERVICE};
use folder::{Folder, options};
use rustix::process::{Pid, getpgid, test_kill_process};
use sqlx::{Connection, PgConnection};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

#[tokio::test]
async fn the_first_starts_it_and_the_service_is_a_plain_role() {
    let folder = Folder::new();
    let mut options = options(folder.join("pg"), false);
    options.durable = true;
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    assert!(postgres.was_started_here());
    assert!(postgres.version() >= 14);
    assert_eq!(fs::metadata(postgres.socket_dir()).unwrap().permissions().mode() & 0o777, 0o700);

    let mut service = PgConnection::connect(&postgres.url_for_service()).await.unwrap();
    let role: (String, String, bool, bool, bool, bool) = sqlx::query_as(
        "SELECT rolname::text, current_database()::text, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole
         FROM pg_roles WHERE rolname = current_user",
    )
    .fetch_one(&mut service)
    .await
    .unwrap();
    assert_eq!(role, (SERVICE.to_owned(), SERVICE.to_owned(), false, false, false, false));
    let refused = sqlx::raw_sql("CREATE SCHEMA registry").execute(&mut service).await.unwrap_err();
    assert_eq!(
        refused.as_database_error().unwrap().code().as_deref(),
        Some("42501"),
        "the service's role owns nothing"
    );
    let mut owner = PgConnection::connect(&postgres.url_for_owner()).await.unwrap();
    sqlx::raw_sql("CREATE SCHEMA registry").execute(&mut owner).await.expect("the database's owner migrates");
    owner.close().await.unwrap();

    for (setting, value) in [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("max_connections", "200"),
    ] {
        let is: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(&mut service)
            .await
            .unwrap();
        assert_eq!(is, value, "{setting}");
    }
    service.close().await.unwrap();

    let pid = postgres.postmaster().unwrap();
    assert_ne!(
        getpgid(Pid::from_raw(pid)).unwrap(),
        getpgid(None).unwrap(),
        "Ctrl-C must not reach the server"
    );
    assert_eq!(postgres.leave().await.unwrap(), AfterLeave::Stopped);
    assert!(has_ended(pid));
}

#[tokio::test]
async fn the_second_joins_and_the_last_stops_it() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), false);
    let first = Embedded::attach_or_start(&options).await.unwrap();
    let second = Embedded::attach_or_start(&options).await.unwrap();
    assert!(first.was_started_here() && !second.was_started_here());
    let pid = first.postmaster().unwrap();
    assert_eq!(second.postmaster(), Some(pid));

    // The process that started it may leave first.
    assert_eq!(first.leave().await.unwrap(), AfterLeave::InUse);
    answers(&second).await;
    assert_eq!(second.leave().await.unwrap(), AfterLeave::Stopped);
    assert!(has_ended(pid));

    let again = Embedded::attach_or_start(&options).await.unwrap();
    assert!(again.was_started_here());
    again.leave().await.unwrap();
}

#[tokio::test]
async fn many_at_once_start_one() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), false);
    let all = tokio::join!(
        Embedded::attach_or_start(&options),
        Embedded::attach_or_start(&options),
        Embedded::attach_or_start(&options),
        Embedded::attach_or_start(&options),
    );
    let all = [all.0.unwrap(), all.1.unwrap(), all.2.unwrap(), all.3.unwrap()];
    assert_eq!(all.iter().filter(|each| each.was_started_here()).count(), 1);
    let [a, b, c, d] = all;
    let left = tokio::join!(a.leave(), b.leave(), c.leave(), d.leave());
    let left = [left.0.unwrap(), left.1.unwrap(), left.2.unwrap(), left.3.unwrap()];
    assert_eq!(left.iter().filter(|each| **each == AfterLeave::Stopped).count(), 1);
}

#[tokio::test]
async fn dropping_the_last_share_stops_it_too() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), false);
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    let pid = postgres.postmaster().unwrap();
    drop(postgres);
    // Started again at once, while the old server may still be shutting down.
    let again = Embedded::attach_or_start(&options).await.unwrap();
    assert_ne!(again.postmaster(), Some(pid));
    answers(&again).await;
    again.leave().await.unwrap();
}

#[tokio::test]
async fn an_interrupted_initdb_is_begun_again() {
    let folder = Folder::new();
    fs::create_dir_all(folder.join("pg/data.new-1/base")).unwrap();
    fs::set_permissions(folder.join("pg"), PermissionsExt::from_mode(0o711)).unwrap();
    fs::write(folder.join("pg/data.new-1/PG_VERSION"), "15\n").unwrap();
    let postgres = Embedded::attach_or_start(&options(folder.join("pg"), false)).await.unwrap();
    assert!(!folder.join("pg/data.new-1").exists() && !folder.join("pg/data.new-2").exists());
    postgres.leave().await.unwrap();
}

#[tokio::test]
async fn a_long_path_has_its_socket_elsewhere() {
    let folder = Folder::new();
    let options = options(folder.join(&format!("{}/a folder, with \"signs\"", "long".repeat(30))), false);
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    let socket = postgres.socket_dir().to_owned();
    assert!(socket.starts_with("/tmp") && socket.as_os_str().len() < 50, "{}", socket.display());
    assert_eq!(fs::metadata(&socket).unwrap().mode() & 0o777, 0o700);
    let second = Embedded::attach_or_start(&options).await.unwrap();
    assert_eq!(second.socket_dir(), socket);
    answers(&second).await;
    second.leave().await.unwrap();
    postgres.leave().await.unwrap();
    assert!(!socket.exists());
}

#[tokio::test]
async fn a_socket_folder_that_others_may_enter_is_refused() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), false);
    Embedded::attach_or_start(&options).await.unwrap().leave().await.unwrap();
    fs::set_permissions(folder.join("pg/socket"), PermissionsExt::from_mode(0o755)).unwrap();
    let error = Embedded::attach_or_start(&options).await.unwrap_err();
    assert!(error.to_string().contains("socket is open to other users"), "{error}");
}

#[tokio::test]
async fn a_version_without_binaries_is_named_and_kept() {
    let folder = Folder::new();
    let mut options = options(folder.join("pg"), false);
    Embedded::attach_or_start(&options).await.unwrap().leave().await.unwrap();
    let version = folder.join("pg/data/PG_VERSION");
    fs::write(&version, "99\n").unwrap();
    options.durable = true;
    let error = Embedded::attach_or_start(&options).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::MissingVersion { needed: 99, .. }), "{error}");
    assert!(
        error.to_string().contains("was created by PostgreSQL 99, which isn't installed (found: "),
        "{error}"
    );
    assert!(error.to_string().contains("`apt-get install postgresql-99`"), "{error}");
    assert!(version.exists());

    // A cluster that isn't durable is replaced.
    options.durable = false;
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    assert_ne!(postgres.version(), 99);
    postgres.leave().await.unwrap();
}

#[tokio::test]
async fn a_wrong_bin_folder_is_named() {
    let folder = Folder::new();
    let mut options = options(folder.join("pg"), false);
    options.bin_dir = Some("/nonexistent/bin".into());
    let error = Embedded::attach_or_start(&options).await.unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/bin doesn't contain runnable"), "{error}");
}

#[tokio::test]
async fn something_else_in_its_place_is_left_alone() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), false);
    Embedded::attach_or_start(&options).await.unwrap().leave().await.unwrap();
    fs::remove_file(folder.join("pg/data/PG_VERSION")).unwrap();
    let error = Embedded::attach_or_start(&options).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NotACluster { .. }), "{error}");
    assert!(folder.join("pg/data/base").exists());
}

#[tokio::test]
async fn a_failed_start_shows_the_logs_end() {
    let folder = Folder::new();
    let mut options = options(folder.join("pg"), false);
    Embedded::attach_or_start(&options).await.unwrap().leave().await.unwrap();
    options.durable = true;
    fs::write(folder.join("pg/data/postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let error = Embedded::attach_or_start(&options).await.unwrap_err().to_string();
    assert!(error.contains("no_such_setting") && error.contains("postgres.log ends: "), "{error}");
    assert!(!error.contains('\n'), "{error}");
}

#[tokio::test]
async fn a_folder_that_others_may_write_to_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.join("pg")).unwrap();
    fs::set_permissions(folder.join("pg"), PermissionsExt::from_mode(0o777)).unwrap();
    let error = Embedded::attach_or_start(&options(folder.join("pg"), false)).await.unwrap_err();
    assert!(error.to_string().contains("is writable by other users"), "{error}");
}

#[tokio::test]
async fn as_root_a_folder_out_of_reach_is_named() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = Folder::new();
    fs::create_dir(folder.join("closed")).unwrap();
    fs::set_permissions(folder.join("closed"), PermissionsExt::from_mode(0o700)).unwrap();
    let error = Embedded::attach_or_start(&options(folder.join("closed/pg"), false)).await.unwrap_err();
    let expected = format!("can't enter {}: choose another DATA_DIR", folder.join("closed").display());
    assert!(error.to_string().contains(&expected), "{error}");
    assert!(!folder.join("closed/pg/data").exists());
}

async fn answers(postgres: &Embedded) {
    let mut session = PgConnection::connect(&postgres.url_for_service()).await.unwrap();
    let one: i32 = sqlx::query_scalar("SELECT 1").fetch_one(&mut session).await.unwrap();
    assert_eq!(one, 1);
    session.close().await.unwrap();
}

/// Whether the process has ended, possibly as a zombie.
fn has_ended(pid: i32) -> bool {
    let zombie = fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.is_empty());
    zombie || test_kill_process(Pid::from_raw(pid).unwrap()).is_err()
}
