//! The data folder goes away while `serve` runs, under load: nothing is created in its place, the old PostgreSQL is
//! stopped, `/readyz` says why, and everything acknowledged is there when the folder is back.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{Home, serve::Serving};

/// How long to wait for an event: many times what it takes.
const DEADLINE: Duration = Duration::from_secs(60);

/// The data folder within the home.
const DATA: &str = "data";

fn data(home: &Home) -> Vec<(&'static str, String)> {
    vec![("DATA_DIR", home.path(DATA))]
}

fn serve(home: &Home) -> Serving {
    let settings = data(home);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Serving::start_with(home, &settings)
}

fn postmaster(folder: &str) -> Pid {
    let file = fs::read_to_string(Path::new(folder).join("postgres/data/postmaster.pid")).unwrap();
    Pid::from_raw(file.lines().next().unwrap().trim().parse().unwrap()).unwrap()
}

fn lives(pid: Pid) -> bool {
    let is_zombie =
        fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).is_ok_and(|line| line.is_empty());
    !is_zombie && test_kill_process(pid).is_ok()
}

/// The last line that a command prints, with this data folder.
fn last(home: &Home, args: &[&str]) -> String {
    let folder = home.path(DATA);
    let output = home.run_with(&[("DATA_DIR", &folder)], args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
}

/// Waits until `/readyz` gives this status. Returns its reason.
async fn until_ready(serving: &Serving, is_ready: bool) -> Value {
    let started = Instant::now();
    loop {
        if let Ok(answer) = reqwest::get(format!("{}/readyz", serving.base)).await
            && answer.status().is_success() == is_ready
        {
            let body: Value = answer.json().await.unwrap();
            // Other reasons come first, while connections break.
            if is_ready || body["reason"].as_str().is_some_and(|why| why.contains("is gone")) {
                return body["reason"].clone();
            }
        }
        assert!(started.elapsed() < DEADLINE, "/readyz is not {is_ready}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Creates customers until `stop` is set. Returns the names of those that were acknowledged.
fn write(serving: &Serving, token: &str, stop: &Arc<AtomicBool>) -> JoinHandle<Vec<String>> {
    let (base, token, stop) = (serving.base.clone(), token.to_owned(), Arc::clone(stop));
    tokio::spawn(async move {
        let client = reqwest::Client::new();
        let mut acknowledged = Vec::new();
        for number in 0.. {
            if stop.load(Ordering::SeqCst) {
                break;
            }
            let name = format!("City {number}");
            let query = "mutation ($name: String!) { createCustomer(input: { name: $name }) { revision } }";
            let body = json!({ "query": query, "variables": { "name": name } });
            let request = client.post(format!("{base}/graphql")).bearer_auth(&token).json(&body);
            let Ok(answer) = request.send().await else { continue };
            let Ok(answer) = answer.json::<Value>().await else { continue };
            if answer.pointer("/data/createCustomer/revision").is_some_and(Value::is_string) {
                acknowledged.push(name);
            } else {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        acknowledged
    })
}

/// The names of all customers.
async fn customers(serving: &Serving, token: &str) -> Vec<String> {
    let (mut names, mut after) = (Vec::new(), Value::Null);
    loop {
        let query = format!(
            "{{ customers(first: 100, after: {after}) {{ nodes {{ name }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        let answer = serving.gql(token, &query).await;
        let page = &answer["data"]["customers"];
        let nodes = page["nodes"].as_array().unwrap_or_else(|| panic!("{answer}"));
        names.extend(nodes.iter().map(|node| node["name"].as_str().unwrap().to_owned()));
        if page["pageInfo"]["hasNextPage"] != json!(true) {
            return names;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// What moves, within the home, and where to.
async fn moves_away_and_back(name: &str, what: &str) {
    let home = Home::new(name);
    let (place, away) = (home.path(what), home.path("away"));
    let serving = serve(&home);
    serving.ready().await;
    let token = last(&home, &["token", "user", "--subject", "me", "--operator"]);
    let first = postmaster(&home.path(DATA));
    let stop = Arc::new(AtomicBool::new(false));
    let writer = write(&serving, &token, &stop);
    tokio::time::sleep(Duration::from_millis(500)).await;

    fs::rename(&place, &away).unwrap();
    let reason = until_ready(&serving, false).await;
    let started = Instant::now();
    while lives(first) {
        assert!(started.elapsed() < DEADLINE, "the old PostgreSQL goes on");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The checks go on for some seconds, and create nothing.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!Path::new(&place).exists(), "something was created in the place of the folder: {reason}");
    assert!(until_ready(&serving, false).await.as_str().unwrap().contains("Nothing is created"));

    fs::rename(&away, &place).unwrap();
    until_ready(&serving, true).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::SeqCst);
    let acknowledged = writer.await.unwrap();
    assert!(acknowledged.len() > 10, "{acknowledged:?}");
    let there = customers(&serving, &token).await;
    let lost: Vec<&String> = acknowledged.iter().filter(|name| !there.contains(name)).collect();
    assert_eq!(lost, Vec::<&String>::new(), "acknowledged writes are missing");
    assert!(serving.stop().1);
    let log = fs::read_to_string(home.path("serve.log")).unwrap();
    assert_eq!(
        log.matches("the folder of the private PostgreSQL is gone").count(),
        1,
        "the log says it once"
    );
}

#[tokio::test]
async fn the_data_folder_moves_away_under_load_and_back() {
    moves_away_and_back("gone-data", DATA).await;
}

#[tokio::test]
async fn the_private_postgres_moves_away_under_load_and_back() {
    moves_away_and_back("gone-postgres", "data/postgres").await;
}

#[tokio::test]
async fn a_start_without_the_folder_creates_nothing_and_says_what_to_do() {
    let home = Home::new("gone-start");
    let (place, away) = (home.path(DATA), home.path("away"));
    let serving = serve(&home);
    serving.ready().await;
    let token = last(&home, &["token", "user", "--subject", "me", "--operator"]);
    let query = "mutation { createCustomer(input: { name: \"City\" }) { revision } }";
    assert!(serving.gql(&token, query).await["data"]["createCustomer"]["revision"].is_string());
    let first = postmaster(&place);
    fs::rename(&place, &away).unwrap();
    until_ready(&serving, false).await;
    let (took, is_well) = serving.stop();
    assert!(is_well && took < DEADLINE && !lives(first), "the old PostgreSQL is left behind");

    for args in [["serve"].as_slice(), &["customer", "list"], &["token", "user", "--subject", "me"]] {
        let output = home.run_with(&[("DATA_DIR", &place), ("LISTEN", "127.0.0.1:0")], args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(5), "{args:?}: {text}");
        assert!(
            text.contains("had a registry, and has none now") && text.contains("mount or move"),
            "{text}"
        );
        assert!(!Path::new(&place).exists(), "{args:?} created the folder");
    }
    // Only the private PostgreSQL is missing: the signing key says that there was one.
    fs::create_dir(&place).unwrap();
    fs::copy(Path::new(&away).join("signing-key.pem"), Path::new(&place).join("signing-key.pem")).unwrap();
    let output = home.run_with(&[("DATA_DIR", &place), ("LISTEN", "127.0.0.1:0")], &["serve"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("signing-key.pem says so"));
    assert!(!Path::new(&place).join("postgres").exists());
    fs::remove_dir_all(&place).unwrap();

    // The folder is back, with the same customers and the same key.
    fs::rename(&away, &place).unwrap();
    let again = serve(&home);
    again.ready().await;
    assert_eq!(customers(&again, &token).await, ["City"]);
    assert!(again.stop().1);
    // After a stop with the folder in its place, the guide's way to an empty registry works: delete it.
    fs::remove_dir_all(&place).unwrap();
    let anew = serve(&home);
    anew.ready().await;
    assert!(anew.stop().1);
}
