//! Memory is never older than an event that a subscriber has received, nor than a change during a read.

use std::{fmt::Write, sync::Arc};

use agent_registry::{
    domain::{
        CallOrigin, Caller,
        change::Channel,
        transfer::{ImportAgents, ImportOptions},
    },
    feed::{WatchFilter, Watched},
    id::AgentId,
};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use super::prompt;
use crate::{
    rest::{City, assert_problem},
    support::{
        caller::{Client, Gateway},
        wait::{eventually, until, waits_for_a_lock},
    },
};

/// Each commit changes this many agents. Evicting them takes a while, in which a subscriber could read memory.
const AGENTS: usize = 32;
const COMMITS: usize = 40;

/// A subscriber that reads memory at the moment of an event finds no older configuration there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_is_told_of_a_commit_finds_nothing_older_in_memory() {
    let city = City::new().await;
    let gateway = city.app.gateway().await;
    let bearer = gateway.token.clone().unwrap();
    let (hub, registry) = (city.app.door.hub.clone(), city.app.registry.clone());
    let options = ImportOptions { activate: true, ..ImportOptions::default() };
    let input = ImportAgents::new(city.customer.parse().unwrap(), "m", options);
    // Each agent has both versions from the start. Each commit activates the other version of all agents.
    let file = |active: usize| {
        (0..AGENTS).fold(String::new(), |mut file, nth| {
            let versions = [json!({ "system_prompt": "even" }), json!({ "system_prompt": "odd" })];
            let line =
                json!({ "agent": format!("Agent {nth}"), "active": active % 2 + 1, "versions": versions });
            writeln!(file, "{line}").unwrap();
            file
        })
    };
    let system = Caller::system("test");
    let import = async |active: usize| {
        let file = file(active);
        let mut from = file.as_bytes();
        let import = registry.import(&system, input.clone(), &mut from).await.unwrap();
        import.run(&mut |_, _| {}).await.unwrap();
        registry.head().await.unwrap().revision.0
    };
    let first = import(0).await;
    let mut agents = Vec::new();
    let list = city.operator.get("/v1/agents?limit=100").await;
    for agent in list.body["agents"].as_array().unwrap() {
        if agent["name"].as_str().unwrap().starts_with("Agent ") {
            agents.push(agent["id"].as_str().unwrap().parse::<AgentId>().unwrap());
        }
    }
    assert_eq!(agents.len(), AGENTS);
    // Reads all agents, so that they are in memory and the next commit has something to evict.
    let warm = async |revision: i64| {
        for agent in &agents {
            let path = format!("/internal/agents/{agent}/active?at_least={revision}");
            assert_eq!(gateway.get(&path).await.status, 200);
        }
    };
    warm(first).await;

    let origin = CallOrigin::new("test", Channel::Graphql, None);
    let caller = Arc::new(registry.authenticate(&bearer, &origin).await.unwrap());
    let mut watch = hub.watch(caller, Watched::Activations, WatchFilter::default(), None).await.unwrap();
    let watcher = tokio::spawn({
        let (hub, agents) = (hub.clone(), agents.clone());
        async move {
            let (mut told, mut older) = (first, Vec::new());
            while let Ok(change) = watch.next().await {
                if change.revision.0 == told {
                    continue;
                }
                told = change.revision.0;
                let found = agents.iter().rev().filter_map(|agent| hub.cached_config(&bearer, *agent));
                let found = found.filter(|hot| hot.config.revision.0 < told);
                older.extend(found.map(|hot| (told, hot.config.revision.0)));
                if told >= first + i64::try_from(COMMITS).unwrap() {
                    break;
                }
            }
            older
        }
    });
    for nth in 1..=COMMITS {
        let revision = import(nth).await;
        until("the instance has followed the commit", || hub.applied().0 >= revision).await;
        warm(revision).await;
    }
    let older = crate::support::wait::within("all commits are sent", watcher).await.unwrap();
    assert_eq!(older, [], "pairs of an event's revision and the older one in memory");
}

/// The read is blocked after it has read the agent and before it reads the version. The change concerns one agent,
/// not its customer. It is written with SQL, because a real rename would wait for the same lock.
#[tokio::test]
async fn a_reading_that_began_before_its_agent_changed_is_not_kept() {
    let city = City::new().await;
    city.serve("Be kind").await;
    let other = city.app.another().await;
    let reader = Gateway(Client::new(other.base.clone(), city.app.gateway().await.token.clone()));
    other.caught_up().await;
    let unknown = reader.get("/internal/agents/01a20326-e777-71ce-9264-eefdca7dad0e/active").await;
    assert_problem(&unknown, 404, "NOT_FOUND");

    let mut holder = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE registry.agent_versions IN ACCESS EXCLUSIVE MODE")
        .execute(&mut holder)
        .await
        .unwrap();
    let path = city.active();
    let reading = tokio::spawn({
        let (reader, path) = (reader.clone(), path.clone());
        async move { reader.get(&path).await }
    });
    let mut looker = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    waits_for_a_lock(&mut looker, "%agent_versions%").await;
    let details = json!({ "before": { "name": "City agent" }, "after": { "name": "Renamed" } }).to_string();
    let entry = json!([{ "action": "agent.updated", "actor_kind": "SYSTEM", "details": details,
        "customer_id": city.customer, "agent_id": city.agent }]);
    let rename = format!(
        "SET session_replication_role = replica; BEGIN; UPDATE registry.agents SET name = 'Renamed';
         SELECT registry.append_changes('{entry}'); COMMIT"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(rename)).execute(&mut looker).await.unwrap();
    let revision = city.revision().await;
    until("the other instance has followed the change", || other.door.hub.applied().0 >= revision).await;
    assert!(!reading.is_finished());
    sqlx::raw_sql("ROLLBACK").execute(&mut holder).await.unwrap();

    for answer in [reading.await.unwrap(), reader.get(&path).await] {
        assert_eq!((&answer.body["name"], &answer.body["revision"]), (&json!("Renamed"), &json!(revision)));
    }
    other.stop().await;
}

/// A request with a known tag gets 304 when the lease has expired too, with the same header about staleness as a
/// 200.
#[tokio::test]
async fn without_proof_a_known_tag_says_so_too() {
    let city = City::new().await;
    city.serve("Be kind").await;
    let gateway = city.app.gateway().await;
    let first = gateway.get(&city.active()).await;
    let tag = first.header("etag").unwrap().to_owned();
    let ask = async || {
        let request = gateway.request(reqwest::Method::GET, &city.active()).header("if-none-match", &tag);
        crate::support::Answer::of(request).await
    };
    let fresh = ask().await;
    assert_eq!((fresh.status.as_u16(), fresh.header("registry-stale-seconds")), (304, None));

    let mut admin = crate::support::cluster::admin().await;
    let name = city.app.database.name().to_owned();
    let close = format!("ALTER DATABASE \"{name}\" ALLOW_CONNECTIONS false");
    sqlx::raw_sql(sqlx::AssertSqlSafe(close)).execute(&mut admin).await.unwrap();
    crate::support::cluster::end_sessions(&mut admin, &name).await;
    eventually("the tag is known, without proof", async || {
        let answer = ask().await;
        assert_eq!((answer.status.as_u16(), &answer.body), (304, &Value::String(String::new())));
        let stale = answer.header("registry-stale-seconds").map(|stale| stale.parse::<u64>().unwrap());
        stale.is_some_and(|stale| stale >= 1)
    })
    .await;
    assert_eq!(prompt(&gateway, &city.active()).await, "Be kind");
}
