//! The private Postgres: who starts it, who stops it, what it survives, and what it says when it cannot be had.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail like tests"
)]

use crate::support::cluster::{self, Database, Folder, options};
use agent_registry::db::embedded::{Embedded, EmbeddedError, Left, SERVICE, SUPERUSER};
use rustix::process::{Pid, Signal, getpgid, kill_process, test_kill_process};
use sqlx::{Connection, PgConnection};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[tokio::test]
async fn the_first_starts_it_and_the_service_is_a_plain_role() {
    let folder = Folder::new();
    let mut options = options(folder.join("pg"), false);
    options.durable = true;
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    assert!(postgres.was_started_here());
    assert!(postgres.version() >= 14);
    assert_eq!(
        fs::metadata(postgres.socket_dir()).unwrap().permissions().mode() & 0o777,
        0o700
    );

    let mut service = PgConnection::connect(&postgres.url_for_service()).await.unwrap();
    let role: (String, String, bool, bool, bool, bool) = sqlx::query_as(
        "SELECT rolname::text, current_database()::text, rolsuper, rolbypassrls, rolcreatedb, rolcreaterole
         FROM pg_roles WHERE rolname = current_user",
    )
    .fetch_one(&mut service)
    .await
    .unwrap();
    assert_eq!(
        role,
        (SERVICE.to_owned(), SERVICE.to_owned(), false, false, false, false)
    );
    sqlx::raw_sql("CREATE SCHEMA registry")
        .execute(&mut service)
        .await
        .expect("its database is its own");

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
        "Ctrl-C would reach it"
    );
    assert_eq!(postgres.leave().await.unwrap(), Left::Stopped);
    assert!(gone(pid));
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

    // Who started it may go first.
    assert_eq!(first.leave().await.unwrap(), Left::InUse);
    answers(&second).await;
    assert_eq!(second.leave().await.unwrap(), Left::Stopped);
    assert!(gone(pid));

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
    assert_eq!(left.iter().filter(|each| **each == Left::Stopped).count(), 1);
}

#[tokio::test]
async fn dropping_the_last_share_stops_it_too() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), false);
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    let pid = postgres.postmaster().unwrap();
    drop(postgres);
    // At once again: the old one may be going down just now.
    let again = Embedded::attach_or_start(&options).await.unwrap();
    assert_ne!(again.postmaster(), Some(pid));
    answers(&again).await;
    again.leave().await.unwrap();
}

#[tokio::test]
async fn a_killed_server_is_started_again_with_what_it_had() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), false);
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    let mut session = PgConnection::connect(&postgres.url_for_service()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 42 AS answer; ")
        .execute(&mut session)
        .await
        .unwrap();
    let mut busy = PgConnection::connect(&postgres.url(SUPERUSER, "postgres"))
        .await
        .unwrap();
    let sleep = sqlx::raw_sql("SELECT pg_sleep(60)").execute(&mut busy);
    let murder = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        kill(postgres.postmaster().unwrap(), Signal::KILL);
    };
    let (slept, ()) = tokio::join!(sleep, murder);
    slept.expect_err("its server died");

    let again = Embedded::attach_or_start(&options).await.unwrap();
    assert!(again.was_started_here());
    let mut session = PgConnection::connect(&again.url_for_service()).await.unwrap();
    let answer: i32 = sqlx::query_scalar("SELECT answer FROM kept")
        .fetch_one(&mut session)
        .await
        .unwrap();
    assert_eq!(answer, 42);
    assert_eq!(postgres.leave().await.unwrap(), Left::InUse);
    assert_eq!(again.leave().await.unwrap(), Left::Stopped);
}

#[tokio::test]
async fn a_pid_file_left_behind_does_not_matter() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), false);
    Embedded::attach_or_start(&options)
        .await
        .unwrap()
        .leave()
        .await
        .unwrap();
    let data = folder.join("pg/data");
    let mut stranger = Command::new("sleep").arg("60").spawn().unwrap();
    // A process that is no more, and one that has been given the id since.
    for pid in [i32::MAX.unsigned_abs(), stranger.id()] {
        let file = data.join("postmaster.pid");
        let text = format!(
            "{pid}\n{}\n1700000000\n5432\n/nowhere\n\n  5432001         7\nready   \n",
            data.display()
        );
        fs::write(&file, text).unwrap();
        let owner = fs::metadata(&data).unwrap();
        std::os::unix::fs::chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
        let postgres = Embedded::attach_or_start(&options).await.unwrap();
        assert!(postgres.was_started_here());
        answers(&postgres).await;
        postgres.leave().await.unwrap();
    }
    assert!(
        stranger.try_wait().unwrap().is_none(),
        "the stranger was left alone"
    );
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn an_interrupted_initdb_is_begun_again() {
    let folder = Folder::new();
    fs::create_dir_all(folder.join("pg/data.new-1/base")).unwrap();
    fs::set_permissions(folder.join("pg"), PermissionsExt::from_mode(0o711)).unwrap();
    fs::write(folder.join("pg/data.new-1/PG_VERSION"), "15\n").unwrap();
    let postgres = Embedded::attach_or_start(&options(folder.join("pg"), false))
        .await
        .unwrap();
    assert!(!folder.join("pg/data.new-1").exists());
    postgres.leave().await.unwrap();
}

#[tokio::test]
async fn a_long_path_has_its_socket_elsewhere() {
    let folder = Folder::new();
    let options = options(
        folder.join(&format!("{}/a folder, with \"signs\"", "long".repeat(30))),
        false,
    );
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    let socket = postgres.socket_dir().to_owned();
    assert!(
        socket.starts_with("/tmp") && socket.as_os_str().len() < 50,
        "{}",
        socket.display()
    );
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
    Embedded::attach_or_start(&options)
        .await
        .unwrap()
        .leave()
        .await
        .unwrap();
    fs::set_permissions(folder.join("pg/socket"), PermissionsExt::from_mode(0o755)).unwrap();
    let error = Embedded::attach_or_start(&options).await.unwrap_err();
    assert!(
        error.to_string().contains("socket is open to other users"),
        "{error}"
    );
}

#[tokio::test]
async fn a_version_without_binaries_is_named_and_kept() {
    let folder = Folder::new();
    let mut options = options(folder.join("pg"), false);
    Embedded::attach_or_start(&options)
        .await
        .unwrap()
        .leave()
        .await
        .unwrap();
    let version = folder.join("pg/data/PG_VERSION");
    fs::write(&version, "99\n").unwrap();
    options.durable = true;
    let error = Embedded::attach_or_start(&options).await.unwrap_err();
    assert!(
        matches!(error, EmbeddedError::MissingVersion { needed: 99, .. }),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("was made by Postgres 99, whose binaries are missing (found: "),
        "{error}"
    );
    assert!(
        error.to_string().contains("`apt-get install postgresql-99`"),
        "{error}"
    );
    assert!(version.exists());

    // What is not durable is not kept either.
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
    assert!(
        error
            .to_string()
            .starts_with("/nonexistent/bin does not hold runnable"),
        "{error}"
    );
}

#[tokio::test]
async fn something_else_in_its_place_is_left_alone() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), false);
    Embedded::attach_or_start(&options)
        .await
        .unwrap()
        .leave()
        .await
        .unwrap();
    fs::remove_file(folder.join("pg/data/PG_VERSION")).unwrap();
    let error = Embedded::attach_or_start(&options).await.unwrap_err();
    assert!(matches!(error, EmbeddedError::NotACluster { .. }), "{error}");
    assert!(folder.join("pg/data/base").exists());
}

#[tokio::test]
async fn a_failed_start_shows_the_logs_end() {
    let folder = Folder::new();
    let mut options = options(folder.join("pg"), false);
    Embedded::attach_or_start(&options)
        .await
        .unwrap()
        .leave()
        .await
        .unwrap();
    options.durable = true;
    fs::write(folder.join("pg/data/postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let error = Embedded::attach_or_start(&options).await.unwrap_err().to_string();
    assert!(
        error.contains("no_such_setting") && error.contains("postgres.log ends: "),
        "{error}"
    );
    assert!(!error.contains('\n'), "{error}");
}

#[tokio::test]
async fn a_folder_that_others_may_write_to_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.join("pg")).unwrap();
    fs::set_permissions(folder.join("pg"), PermissionsExt::from_mode(0o777)).unwrap();
    let error = Embedded::attach_or_start(&options(folder.join("pg"), false))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("may be written to by other users"),
        "{error}"
    );
}

#[tokio::test]
async fn as_root_a_folder_out_of_reach_is_named() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = Folder::new();
    fs::create_dir(folder.join("closed")).unwrap();
    fs::set_permissions(folder.join("closed"), PermissionsExt::from_mode(0o700)).unwrap();
    let error = Embedded::attach_or_start(&options(folder.join("closed/pg"), false))
        .await
        .unwrap_err();
    let expected = format!(
        "cannot enter {}: choose another DATA_DIR",
        folder.join("closed").display()
    );
    assert!(error.to_string().contains(&expected), "{error}");
    assert!(!folder.join("closed/pg/data").exists());
}

#[tokio::test]
async fn a_killed_user_leaves_the_server_to_the_next() {
    let folder = Folder::new();
    let (mut other, pid) = another_process(&folder.join("pg"), false);
    let here = Embedded::attach_or_start(&options(folder.join("pg"), false))
        .await
        .unwrap();
    assert_eq!((here.was_started_here(), here.postmaster()), (false, Some(pid)));
    assert_eq!(here.leave().await.unwrap(), Left::InUse);
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(!gone(pid));
    let here = Embedded::attach_or_start(&options(folder.join("pg"), false))
        .await
        .unwrap();
    assert_eq!((here.was_started_here(), here.postmaster()), (false, Some(pid)));
    assert_eq!(here.leave().await.unwrap(), Left::Stopped);
}

#[tokio::test]
async fn with_a_watchdog_the_last_user_may_be_killed() {
    let folder = Folder::new();
    let (mut starter, pid) = another_process(&folder.join("pg"), true);
    // One that does not ask for the watchdog is counted all the same.
    let (mut other, same) = another_process(&folder.join("pg"), false);
    assert_eq!(pid, same);
    starter.kill().unwrap();
    starter.wait().unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!gone(pid), "it is still used");
    other.kill().unwrap();
    other.wait().unwrap();
    let begun = Instant::now();
    while !gone(pid) {
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody stopped it");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_user_that_comes_while_the_watchdog_stops_the_server_has_one() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), true);
    // From before the watchdog's end to after it, in small steps.
    for pause in [1_500, 1_900, 2_000, 2_050, 2_100, 2_200, 2_400, 3_500] {
        let (mut other, _) = another_process(&folder.join("pg"), true);
        other.kill().unwrap();
        other.wait().unwrap();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let here = Embedded::attach_or_start(&options).await.unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
        answers(&here).await;
        here.leave().await.unwrap();
    }
}

#[tokio::test]
async fn a_test_has_a_fresh_copy_of_the_template() {
    let times = std::sync::atomic::AtomicU32::new(0);
    let make = async || {
        cluster::template("embedded.rs: one table", async |url| {
            times.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let mut session = PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql("CREATE TABLE things (n int); INSERT INTO things VALUES (1)")
                .execute(&mut session)
                .await
                .unwrap();
        })
        .await
    };
    let (template, same) = tokio::join!(make(), make());
    assert_eq!(template, same);
    assert!(
        times.into_inner() <= 1,
        "an earlier run may have made it; this one makes it once"
    );

    let (one, two) = tokio::join!(Database::fresh(&template), cluster::database(&template));
    let mut session = PgConnection::connect(&one.url).await.unwrap();
    sqlx::raw_sql("UPDATE things SET n = 2")
        .execute(&mut session)
        .await
        .unwrap();
    let mut session = PgConnection::connect(&two).await.unwrap();
    let n: i32 = sqlx::query_scalar("SELECT n FROM things")
        .fetch_one(&mut session)
        .await
        .unwrap();
    assert_eq!(n, 1);

    // Sessions can be ended behind the service's back.
    let mut admin = cluster::admin().await;
    let name: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(&mut session)
        .await
        .unwrap();
    cluster::end_sessions(&mut admin, &name).await;
    session.ping().await.expect_err("its session was ended");

    // What is dropped goes with the next copy.
    let mut look = PgConnection::connect(&one.admin_url).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT current_database()::text")
        .fetch_one(&mut look)
        .await
        .unwrap();
    drop(one);
    Database::fresh(&template).await;
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(&name)
        .fetch_one(&mut admin)
        .await
        .unwrap();
    assert!(!there);
}

/// Not a test: what [`another_process`] runs.
#[tokio::test]
#[ignore = "run by other tests, as a process to be killed"]
async fn a_process_to_be_killed() {
    let Some(folder) = std::env::var_os("KILL_ME_FOLDER") else {
        return;
    };
    let watchdog = std::env::var_os("KILL_ME_WATCHDOG").is_some();
    let postgres = Embedded::attach_or_start(&options(folder.into(), watchdog))
        .await
        .unwrap();
    println!("\npostmaster={}", postgres.postmaster().unwrap());
    tokio::time::sleep(Duration::from_secs(120)).await;
}

/// A process that uses the server of this folder, and the server's process id.
fn another_process(folder: &Path, watchdog: bool) -> (Child, i32) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "embedded::a_process_to_be_killed",
        "--ignored",
        "--nocapture",
    ]);
    command.env("KILL_ME_FOLDER", folder).stdout(Stdio::piped());
    if watchdog {
        command.env("KILL_ME_WATCHDOG", "1");
    }
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok);
    let pid = lines
        .filter_map(|line| line.strip_prefix("postmaster=")?.parse().ok())
        .next();
    (child, pid.expect("the other process has a server"))
}

async fn answers(postgres: &Embedded) {
    let mut session = PgConnection::connect(&postgres.url_for_service()).await.unwrap();
    let one: i32 = sqlx::query_scalar("SELECT 1")
        .fetch_one(&mut session)
        .await
        .unwrap();
    assert_eq!(one, 1);
    session.close().await.unwrap();
}

fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Whether the process is no more, or only waits for its parent to notice.
fn gone(pid: i32) -> bool {
    let zombie = fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.is_empty());
    zombie || test_kill_process(Pid::from_raw(pid).unwrap()).is_err()
}
