//! Passwords: in files, read again when Postgres rejects them, and never in a message.

use std::time::{Duration, Instant};

use embedded_postgres::{Embedded, OWNER, SERVICE, SUPERUSER};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::{
    Home,
    cluster::folder::{Folder, options},
    serve::{DEADLINE, Serving},
    start::refused,
};

#[test]
fn no_message_contains_a_password() {
    let home = Home::new("echo");
    for (url, code) in [
        ("mysql://me:hunter2@127.0.0.1:9/db", 2),
        ("postgres://me:a/hunter2@127.0.0.1:9/db", 2),
        ("postgres://me:a?hunter2@127.0.0.1:9/db", 2),
        ("postgres://me:hunter2@127.0.0.1:port/db", 2),
        ("postgres://me@127.0.0.1:9/db?passwort=hunter2", 2),
        ("postgres://me:hunter2@127.0.0.1:9/db", 5),
    ] {
        for name in ["DATABASE_URL", "MIGRATE_DATABASE_URL"] {
            let (other, log) = (("DATABASE_URL", "postgres://me@127.0.0.1:9/db"), ("LOG", "trace"));
            let settings = [log, other, (name, url)];
            let (found, complaint) = refused(&home, &settings, &["migrate"]);
            assert_eq!(found, Some(code), "{name} {url}: {complaint}");
            assert!(!complaint.contains("hunter2"), "{name} {url}: {complaint}");
        }
    }
    let flag = home.run(&["migrate", "--database-url", "mysql://me:hunter2@host/db"]);
    let complaint = String::from_utf8(flag.stderr).unwrap();
    assert!(flag.status.code() == Some(2) && !complaint.contains("hunter2"), "{complaint}");
}

/// Runs a statement as the superuser.
async fn run(admin: &mut PgConnection, statement: &str) {
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(admin).await.unwrap();
}

async fn readiness(serving: &Serving, is_ready: bool) -> Value {
    let begun = Instant::now();
    loop {
        let answer = reqwest::get(format!("{}/readyz", serving.base)).await.unwrap();
        let is_so = answer.status().is_success() == is_ready;
        let body: Value = answer.json().await.unwrap();
        if is_so && (is_ready || body["reason"].as_str().is_some_and(|reason| reason.contains("28P01"))) {
            return body;
        }
        assert!(begun.elapsed() < DEADLINE, "/readyz is not {is_ready}: {body}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_is_read_from_its_file() {
    let (folder, home) = (Folder::new(), Home::new("password"));
    let options = options(folder.join("pg"), true);
    let server = Embedded::attach_or_start(&options).await.unwrap();
    let mut admin = PgConnection::connect(&server.url(SUPERUSER, SERVICE)).await.unwrap();
    let rules = options.folder.join("data/pg_hba.conf");
    let others = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, format!("local all {SERVICE} scram-sha-256\n{others}")).unwrap();
    run(&mut admin, &format!("ALTER ROLE {SERVICE} PASSWORD 'first-hunter2'")).await;
    run(&mut admin, "SELECT pg_reload_conf()").await;

    let (file, owner_file) = (home.path("url"), home.path("owner-url"));
    let url = |password: &str| server.url(SERVICE, SERVICE).replacen('@', &format!(":{password}@"), 1);
    std::fs::write(&file, format!("{}\n", url("first-hunter2"))).unwrap();
    std::fs::write(&owner_file, server.url(OWNER, SERVICE)).unwrap();
    let settings = [("DATABASE_URL_FILE", file.as_str()), ("MIGRATE_DATABASE_URL_FILE", &owner_file)];
    let serving = Serving::start_with(&home, &settings);
    serving.ready().await;

    // The password changes, and the sessions end.
    run(&mut admin, &format!("ALTER ROLE {SERVICE} PASSWORD 'second-hunter2'")).await;
    let end =
        format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{SERVICE}'");
    run(&mut admin, &end).await;
    let unready = readiness(&serving, false).await;
    assert!(!unready.to_string().contains(SERVICE), "the reason names no role: {unready}");
    // A command says the cause, and exits as without a database.
    let (code, complaint) = refused(&home, &settings, &["customer", "list"]);
    assert_eq!(code, Some(5), "{complaint}");
    assert!(complaint.contains("28P01"), "{complaint}");

    std::fs::write(&file, url("second-hunter2")).unwrap();
    readiness(&serving, true).await;
    assert!(serving.stop().1);
    let log = std::fs::read_to_string(home.path("serve.log")).unwrap();
    assert!(
        log.contains("28P01") && log.contains("password authentication failed"),
        "the log names the cause"
    );
    assert!(!log.contains("hunter2"), "a password is in the log");
    // Both ways at once, and a file that isn't there, are wrong settings.
    let twice = [settings[0], ("DATABASE_URL", "postgres://me@127.0.0.1:9/db")];
    for wrong in [&twice[..], &[("DATABASE_URL_FILE", "/nowhere")]] {
        assert_eq!(refused(&home, wrong, &["migrate"]).0, Some(2));
    }
    server.leave().await.unwrap();
}
