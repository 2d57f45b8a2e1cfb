//! A cluster whose folder is moved away, deleted or replaced while it is used: nothing is created in its place, and its
//! server isn't left behind.

use std::fs;

use embedded_postgres::{AfterLeave, Condition, Embedded, EmbeddedError, OWNER, Options, SERVICE};
use sqlx::{Connection, PgConnection};

use super::{
    folder::{Folder, options},
    has_ended,
};

fn durable(folder: &Folder) -> Options {
    Options { durable: true, ..options(folder.join("pg"), false) }
}

/// Writes a row that later reads must find.
async fn write(postgres: &Embedded) {
    let mut session = PgConnection::connect(&postgres.url(OWNER, SERVICE)).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 1 AS x").execute(&mut session).await.unwrap();
    session.close().await.unwrap();
}

async fn kept(postgres: &Embedded) -> i32 {
    let mut session = PgConnection::connect(&postgres.url(OWNER, SERVICE)).await.unwrap();
    sqlx::query_scalar("SELECT x FROM kept").fetch_one(&mut session).await.unwrap()
}

#[tokio::test]
async fn a_moved_folder_gets_no_empty_cluster_and_comes_back_whole() {
    let folder = Folder::new();
    let options = durable(&folder);
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    let pid = postgres.postmaster().unwrap();
    write(&postgres).await;
    assert_eq!(postgres.condition().unwrap(), Condition::Running);

    fs::rename(folder.join("pg"), folder.join("moved")).unwrap();
    assert_eq!(postgres.condition().unwrap(), Condition::Gone);
    let refused = postgres.restart(&options).await.unwrap_err();
    assert!(matches!(refused, EmbeddedError::Gone { .. }), "{refused}");
    assert!(!folder.join("pg").exists());
    // The old server is stopped where it is, and only once.
    assert_eq!(postgres.stop_lost().await.unwrap(), Some(pid));
    assert!(has_ended(pid));
    assert_eq!(postgres.stop_lost().await.unwrap(), None);

    fs::rename(folder.join("moved"), folder.join("pg")).unwrap();
    assert_eq!(postgres.condition().unwrap(), Condition::Ended);
    let again = postgres.restart(&options).await.unwrap();
    assert_eq!(kept(&again).await, 1);
    assert_eq!(postgres.leave().await.unwrap(), AfterLeave::InUse);
    assert_eq!(again.leave().await.unwrap(), AfterLeave::Stopped);
}

#[tokio::test]
async fn the_last_user_stops_the_server_of_a_folder_that_is_gone() {
    let folder = Folder::new();
    let options = durable(&folder);
    let first = Embedded::attach_or_start(&options).await.unwrap();
    let second = Embedded::attach_or_start(&options).await.unwrap();
    let pid = first.postmaster().unwrap();
    fs::rename(folder.join("pg"), folder.join("moved")).unwrap();
    assert_eq!(first.leave().await.unwrap(), AfterLeave::InUse);
    assert!(!has_ended(pid), "the second user has it");
    assert_eq!(second.leave().await.unwrap(), AfterLeave::Stopped);
    assert!(has_ended(pid) && !folder.join("pg").exists());
}

#[tokio::test]
async fn no_server_starts_beside_one_whose_folder_was_moved() {
    let folder = Folder::new();
    let options = durable(&folder);
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    let pid = postgres.postmaster().unwrap();
    fs::rename(folder.join("pg"), folder.join("moved")).unwrap();
    let refused = Embedded::attach_or_start(&options).await.unwrap_err();
    assert!(matches!(refused, EmbeddedError::Orphan { pid: found, .. } if found == pid), "{refused}");
    assert!(!folder.join("pg/data").exists());
    assert_eq!(postgres.leave().await.unwrap(), AfterLeave::Stopped);
}

#[tokio::test]
async fn a_folder_that_had_a_cluster_gets_no_other_one() {
    let folder = Folder::new();
    let options = durable(&folder);
    Embedded::attach_or_start(&options).await.unwrap().leave().await.unwrap();
    fs::rename(folder.join("pg/data"), folder.join("moved")).unwrap();
    let refused = Embedded::attach_or_start(&options).await.unwrap_err();
    let EmbeddedError::Gone { evidence, .. } = &refused else { panic!("{refused}") };
    assert!(!folder.join("pg/data").exists());
    assert!(refused.to_string().contains("mount or move the folder back"), "{refused}");
    // The way out that the message names.
    fs::remove_file(evidence).unwrap();
    Embedded::attach_or_start(&options).await.unwrap().leave().await.unwrap();
}

#[tokio::test]
async fn another_cluster_in_the_folder_is_not_taken_for_this_one() {
    let folder = Folder::new();
    let options = durable(&folder);
    let other = Options { folder: folder.join("other"), ..options.clone() };
    Embedded::attach_or_start(&other).await.unwrap().leave().await.unwrap();
    let postgres = Embedded::attach_or_start(&options).await.unwrap();
    fs::rename(folder.join("pg"), folder.join("moved")).unwrap();
    fs::rename(folder.join("other"), folder.join("pg")).unwrap();
    assert_eq!(postgres.condition().unwrap(), Condition::Replaced);
    assert!(matches!(postgres.restart(&options).await, Err(EmbeddedError::Gone { .. })));
    assert_eq!(postgres.leave().await.unwrap(), AfterLeave::Stopped);
}
