//! Compares a gateway's map with the database at each bookmark, while configurations change, connections break, and
//! registries and gateways restart.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::{City, Folder, Gate, WatchProcess, saved};
use crate::support::{App, app::Instance, proof};

/// What each agent serves: its version, its name, and the revision that last changed them.
type Served = BTreeMap<String, (String, String, i64)>;

const AGENTS: usize = 4;

/// The log's head, and what the database says is active.
async fn read_database(database: &mut PgConnection) -> (i64, Served) {
    let head: i64 = sqlx::query_scalar("SELECT max(revision) FROM registry.changes")
        .fetch_one(&mut *database)
        .await
        .unwrap();
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT a.id::text, a.active_version_id::text, a.name, a.config_revision FROM registry.agents AS a \
         JOIN registry.customers AS c ON c.id = a.customer_id \
         WHERE a.active_version_id IS NOT NULL AND c.billing_status IN ('TRIALING', 'ACTIVE', 'PAST_DUE')",
    )
    .fetch_all(database)
    .await
    .unwrap();
    let served = rows.into_iter().map(|(agent, version, name, revision)| (agent, (version, name, revision)));
    (head, served.collect())
}

/// The revision of a state file, and its map.
fn read_state(state: &Value) -> (i64, Served) {
    let served = state["configs"].as_object().unwrap().iter().map(|(agent, config)| {
        let text = |field: &str| config[field].as_str().unwrap().to_owned();
        assert_eq!(&text("agentId"), agent);
        (agent.clone(), (text("versionId"), text("name"), text("revision").parse().unwrap()))
    });
    (state["revision"].as_i64().unwrap(), served.collect())
}

/// A deterministic random number generator.
struct Dice(u64);

impl Dice {
    /// A number below `below`.
    fn throw(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % below as u64).unwrap()
    }
}

/// Makes one change. The customer is still served afterwards.
async fn change(city: &City, dice: &mut Dice, nth: usize, history: &mut History) {
    let agent = &city.agents[dice.throw(AGENTS)];
    match dice.throw(8) {
        0..=2 => city.publish(agent, &format!("prompt {nth}")).await,
        3 => {
            city.mutate("updateAgent", json!({ "agentId": agent, "name": format!("{agent} {nth}") })).await;
        }
        4 => {
            let deactivate =
                "mutation ($id: ID!) { deactivate(input: { agentId: $id }) { userErrors { code } } }";
            city.operator.gql(deactivate, json!({ "id": agent })).await;
        }
        5 => {
            city.mutate("archiveAgent", json!({ "agentId": agent })).await;
            history.note().await;
            city.mutate("restoreAgent", json!({ "agentId": agent })).await;
        }
        _ => {
            city.set_status("SUSPENDED").await;
            history.note().await;
            city.set_status("PAST_DUE").await;
        }
    }
    history.note().await;
}

/// What was active after each commit of the test.
struct History {
    database: PgConnection,
    moments: BTreeMap<i64, Served>,
}

impl History {
    async fn note(&mut self) {
        let (head, served) = read_database(&mut self.database).await;
        self.moments.insert(head, served);
    }

    /// What was active at this revision.
    fn at(&self, revision: i64) -> &Served {
        self.moments.range(..=revision).next_back().expect("nothing was saved before the first commit").1
    }
}

/// Polls the state file. Returns the states that it has seen, in order.
fn look(folder: &Arc<Folder>) -> (Arc<Mutex<Vec<Value>>>, tokio::task::JoinHandle<()>) {
    let seen = Arc::new(Mutex::new(Vec::<Value>::new()));
    let (folder, states) = (Arc::clone(folder), Arc::clone(&seen));
    let looks = tokio::spawn(async move {
        loop {
            if let Some(state) = folder.state() {
                let mut states = states.lock().unwrap();
                if states.last() != Some(&state) {
                    states.push(state);
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    (seen, looks)
}

#[tokio::test]
async fn it_is_what_the_database_serves_at_every_bookmark_whatever_breaks() {
    let app = App::start().await;
    let city = City::of(&app, AGENTS).await;
    let other = City::of(&app, AGENTS).await;
    let (gateway, folder) = (app.gateway().await, Arc::new(Folder::new()));
    let token = gateway.token.as_deref();
    let database = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let mut history = History { database, moments: BTreeMap::new() };
    history.note().await;
    let mut gate = Gate::to(&app.base).await;
    let mut watch = WatchProcess::start(&gate.url, token, &folder, &["--json"]);
    watch.says("\"SNAPSHOT\"", 1).await;
    saved(&folder, |_| true).await;
    let (seen, looks) = look(&folder);

    let seed = 7;
    let mut dice = Dice(seed);
    let (mut instance, mut behind): (Option<Instance>, usize) = (None, 0);
    let (mut cuts, mut kills, mut restarts, mut said) = (0, 0, 0, Vec::new());
    let begun = Instant::now();
    for nth in 0..proof::count(150, 3000) {
        let city = if dice.throw(3) == 0 { &other } else { &city };
        change(city, &mut dice, nth, &mut history).await;
        match dice.throw(24) {
            0..=3 => {
                gate.cut();
                cuts += 1;
            }
            4 | 5 => {
                said.extend(watch.said());
                watch.kill();
                kills += 1;
                watch = WatchProcess::start(&gate.url, token, &folder, &["--json"]);
            }
            6 | 7 if behind == 0 => {
                // No registry responds during some changes; then another instance does.
                gate.close().await;
                behind = 5;
            }
            _ => {}
        }
        if behind == 1 {
            let next = app.another().await;
            gate.lead_to(&next.base).await;
            if let Some(old) = instance.replace(next) {
                old.stop().await;
            }
            restarts += 1;
        }
        behind = behind.saturating_sub(1);
    }
    if instance.is_none() || behind > 0 {
        gate.lead_to(&app.base).await;
    }
    // A bookmark follows a commit with several events.
    city.set_status("SUSPENDED").await;
    history.note().await;
    city.set_status("PAST_DUE").await;
    history.note().await;
    let (head, served) = read_database(&mut history.database).await;
    let state = saved(&folder, |state| state["revision"].as_i64() >= Some(head)).await;
    assert_eq!(read_state(&state).1, served, "in the end");
    looks.abort();
    said.extend(watch.said());

    let seen = seen.lock().unwrap().clone();
    for state in &seen {
        let (revision, served) = read_state(state);
        assert_eq!(&served, history.at(revision), "at {revision}, of {seed}");
    }
    let revisions: Vec<i64> = seen.iter().map(|state| read_state(state).0).collect();
    assert!(revisions.is_sorted(), "{revisions:?}");
    assert!(revisions.len() > 10, "the state is saved during changes: {revisions:?}");
    // It reconnected with its cursor each time.
    let snapshots = said.iter().filter(|line| line.contains("\"SNAPSHOT\"")).count();
    assert_eq!(snapshots, 1, "{kills} kills, {cuts} cuts");
    assert!(cuts > 0 && kills > 0 && restarts > 0, "{cuts} {kills} {restarts}");
    // The configurations are those that the API returns.
    let query = "query ($id: ID!) { activeConfig(agentId: $id) { agentId customerId name versionId versionNumber systemPrompt
        modelName modelParameters tools { name title description inputSchema outputSchema annotations icons execution strict _meta additional }
        extensions contentHash bytesHash activatedAt revision } }";
    for (agent, config) in state["configs"].as_object().unwrap() {
        let answer = city.operator.gql(query, json!({ "id": agent })).await;
        assert_eq!(answer.at("/activeConfig"), config);
    }
    assert!(watch.stop().await.success());
    println!(
        "{} commits, {cuts} cuts, {kills} kills, {restarts} registries, {} bookmarks saved and compared in {:?}",
        history.moments.len(),
        seen.len(),
        begun.elapsed()
    );
    if let Some(instance) = instance {
        instance.stop().await;
    }
}
