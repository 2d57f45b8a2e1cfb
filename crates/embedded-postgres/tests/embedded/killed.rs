//! The private Postgres when processes are killed: the server, its users, its starter.

use super::{answers, has_ended};
use crate::folder::{Folder, options};
use embedded_postgres::{AfterLeave, Embedded, SUPERUSER};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection, PgConnection};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_killed_server_is_started_again_with_what_it_had() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), false);
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    let mut session = PgConnection::connect(&postgres.url_for_owner()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 42 AS answer; ").execute(&mut session).await.unwrap();
    fs::write(folder.join("pg/data/the same cluster"), "").unwrap();
    let mut busy = PgConnection::connect(&postgres.url(SUPERUSER, "postgres")).await.unwrap();
    let sleep = sqlx::raw_sql("SELECT pg_sleep(60)").execute(&mut busy);
    let murder = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        kill(postgres.postmaster().unwrap(), Signal::KILL);
    };
    let (slept, ()) = tokio::join!(sleep, murder);
    slept.expect_err("its server died");

    let again = Embedded::attach_or_start(&options).await.unwrap();
    assert!(again.was_started_here());
    let mut session = PgConnection::connect(&again.url_for_owner()).await.unwrap();
    assert!(folder.join("pg/data/the same cluster").exists());
    let answer: i32 = sqlx::query_scalar("SELECT answer FROM kept").fetch_one(&mut session).await.unwrap();
    assert_eq!(answer, 42);
    assert_eq!(postgres.leave().await.unwrap(), AfterLeave::InUse);
    assert_eq!(again.leave().await.unwrap(), AfterLeave::Stopped);
}

#[tokio::test]
async fn a_pid_file_left_behind_does_not_matter() {
    let folder = Folder::new();
    // Durable, because otherwise a cluster that can't start would be replaced and the test would prove nothing.
    let mut options = options(folder.join("pg"), false);
    options.durable = true;
    Embedded::attach_or_start(&options).await.unwrap().leave().await.unwrap();
    let data = folder.join("pg/data");
    let mut stranger = Command::new("sleep").arg("60").spawn().unwrap();
    // The id of no process, and the id of an unrelated process.
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
    assert!(stranger.try_wait().unwrap().is_none(), "the unrelated process was not killed");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_killed_user_leaves_the_server_to_the_next() {
    let folder = Folder::new();
    let (mut other, pid) = another_process(&folder.join("pg"), false);
    let here = Embedded::attach_or_start(&options(folder.join("pg"), false)).await.unwrap();
    assert_eq!((here.was_started_here(), here.postmaster()), (false, Some(pid)));
    assert_eq!(here.leave().await.unwrap(), AfterLeave::InUse);
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(!has_ended(pid));
    let here = Embedded::attach_or_start(&options(folder.join("pg"), false)).await.unwrap();
    assert_eq!((here.was_started_here(), here.postmaster()), (false, Some(pid)));
    assert_eq!(here.leave().await.unwrap(), AfterLeave::Stopped);
}

#[tokio::test]
async fn with_a_watchdog_the_last_user_may_be_killed() {
    let folder = Folder::new();
    let (mut starter, pid) = another_process(&folder.join("pg"), true);
    // A user that didn't ask for the watchdog counts too.
    let (mut other, same) = another_process(&folder.join("pg"), false);
    assert_eq!(pid, same);
    starter.kill().unwrap();
    starter.wait().unwrap();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert!(!has_ended(pid), "the server is still in use");
    other.kill().unwrap();
    other.wait().unwrap();
    let begun = Instant::now();
    while !has_ended(pid) {
        assert!(begun.elapsed() < Duration::from_secs(30), "the watchdog did not stop the server");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_user_that_comes_while_the_watchdog_stops_the_server_has_one() {
    let folder = Folder::new();
    let options = options(folder.join("pg"), true);
    // Pauses from just before the watchdog stops the server to just after it.
    for pause in [1_900, 2_100, 2_300] {
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

/// The program that [`another_process`] runs. As a test it does nothing.
#[tokio::test]
async fn a_process_to_be_killed() {
    let Some(folder) = std::env::var_os("KILL_ME_FOLDER") else {
        return;
    };
    let watchdog = std::env::var_os("KILL_ME_WATCHDOG").is_some();
    let postgres = Embedded::attach_or_start(&options(folder.into(), watchdog)).await.unwrap();
    println!("\npostmaster={}", postgres.postmaster().unwrap());
    tokio::time::sleep(Duration::from_secs(120)).await;
}

/// Starts a process that uses the server of this folder. Returns it and the server's process id.
fn another_process(folder: &Path, watchdog: bool) -> (Child, i32) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "killed::a_process_to_be_killed", "--nocapture"]);
    command.env("KILL_ME_FOLDER", folder).stdout(Stdio::piped());
    if watchdog {
        command.env("KILL_ME_WATCHDOG", "1");
    }
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let pid = lines.filter_map(|line| line.strip_prefix("postmaster=")?.parse().ok()).next();
    (child, pid.expect("the other process has a server"))
}

fn kill(pid: i32, signal: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}
