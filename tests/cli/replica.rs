//! A primary that was demoted: the service says so, and goes on when there is a primary again, at the same address or at
//! another one of its URL.

use embedded_postgres::{Embedded, OWNER, Options, SERVICE, SUPERUSER};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use std::{
    os::unix::fs::{MetadataExt, chown},
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    Home,
    cluster::folder::{Folder, options},
    serve::{DEADLINE, Serving},
    start::refused,
};

/// Restarts the server of these options as a replica.
async fn demote(options: &Options, server: &Embedded) -> Embedded {
    let data = options.folder.join("data");
    let signal = data.join("standby.signal");
    std::fs::write(&signal, "").unwrap();
    let owner = std::fs::metadata(data.join("PG_VERSION")).unwrap();
    chown(&signal, Some(owner.uid()), Some(owner.gid())).unwrap();
    let first = server.postmaster().unwrap();
    kill_process(Pid::from_raw(first).unwrap(), Signal::INT).unwrap();
    let begun = Instant::now();
    while server.postmaster().is_some() {
        assert!(begun.elapsed() < DEADLINE, "PostgreSQL doesn't stop");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Embedded::attach_or_start(options).await.unwrap()
}

/// Waits until `/readyz` has this status. Returns its reason.
async fn readiness(serving: &Serving, is_ready: bool) -> Value {
    let begun = Instant::now();
    loop {
        let answer = reqwest::get(format!("{}/readyz", serving.base)).await.unwrap();
        let is_so = answer.status().is_success() == is_ready;
        let body: Value = answer.json().await.unwrap();
        let reason = body["reason"].clone();
        if is_so && (is_ready || reason.as_str().is_some_and(|reason| reason.contains("replica"))) {
            return reason;
        }
        assert!(begun.elapsed() < DEADLINE, "/readyz is not {is_ready}: {body}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn durable(folder: PathBuf) -> Options {
    Options { durable: true, ..options(folder, true) }
}

const CREATE: &str = "mutation { createCustomer(input: { name: \"City\" }) { revision } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demoted_primary_is_said_and_a_promoted_one_is_used_again() {
    let (folder, home) = (Folder::new(), Home::new("replica"));
    let options = durable(folder.join("pg"));
    let server = Embedded::attach_or_start(&options).await.unwrap();
    let (url, owner_url) = (server.url(SERVICE, SERVICE), server.url(OWNER, SERVICE));
    let settings = [("DATABASE_URL", url.as_str()), ("MIGRATE_DATABASE_URL", &owner_url)];
    let serving = Serving::start_with(&home, &settings);
    serving.ready().await;
    let token = home.run_with(&settings, &["token", "user", "--subject", "me", "--operator"]);
    let token = String::from_utf8(token.stdout).unwrap().lines().last().unwrap().to_owned();
    assert!(serving.gql(&token, CREATE).await["data"]["createCustomer"]["revision"].is_string());

    let again = demote(&options, &server).await;
    let reason = readiness(&serving, false).await;
    assert!(reason.as_str().unwrap().contains("accepts no writes"), "{reason}");
    let answer = serving.gql(&token, CREATE).await;
    assert_eq!(answer.pointer("/errors/0/extensions/code").unwrap(), "UNAVAILABLE", "{answer}");
    // A start on a replica is refused too, and so is a migration.
    for command in ["serve", "migrate"] {
        let (code, complaint) = refused(&home, &settings, &[command]);
        assert_eq!(code, Some(5), "{complaint}");
        assert!(complaint.contains("is a replica"), "{complaint}");
    }

    let mut admin = PgConnection::connect(&again.url(SUPERUSER, SERVICE)).await.unwrap();
    sqlx::query("SELECT pg_promote()").execute(&mut admin).await.unwrap();
    readiness(&serving, true).await;
    assert!(serving.gql(&token, CREATE).await["data"]["createCustomer"]["revision"].is_string());
    let customers: i64 =
        sqlx::query_scalar("SELECT count(*) FROM registry.customers").fetch_one(&mut admin).await.unwrap();
    assert_eq!(customers, 2, "the refused write left nothing");
    assert!(serving.stop().1);
    server.leave().await.unwrap();
    again.leave().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_servers_the_primary_is_used() {
    let (folder, home) = (Folder::new(), Home::new("servers"));
    let (first, second) = (durable(folder.join("one")), durable(folder.join("two")));
    let replica = Embedded::attach_or_start(&first).await.unwrap();
    let again = demote(&first, &replica).await;
    let primary = Embedded::attach_or_start(&second).await.unwrap();
    let nowhere = folder.join("nowhere");
    let sockets = [nowhere.as_path(), replica.socket_dir(), primary.socket_dir()];
    let hosts: Vec<String> =
        sockets.iter().map(|socket| socket.display().to_string().replace('/', "%2F")).collect();
    let url = |role: &str| {
        format!("postgres://{role}@{}/{SERVICE}?target_session_attrs=read-write", hosts.join(","))
    };
    let (url, owner_url) = (url(SERVICE), url(OWNER));
    let settings = [("DATABASE_URL", url.as_str()), ("MIGRATE_DATABASE_URL", &owner_url)];
    let serving = Serving::start_with(&home, &settings);
    serving.ready().await;
    let mut admin = PgConnection::connect(&primary.url(SUPERUSER, SERVICE)).await.unwrap();
    let heads: i64 =
        sqlx::query_scalar("SELECT count(*) FROM registry.log_head").fetch_one(&mut admin).await.unwrap();
    assert_eq!(heads, 1, "the primary was migrated");
    assert!(serving.stop().1);
    for server in [replica, again, primary] {
        server.leave().await.unwrap();
    }
}
