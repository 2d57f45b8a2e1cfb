//! A rolling update from an older release, and back, under load: the release serves beside this build, is started again on
//! the newer schema, and replaces this build again. The release is the binary in `RELEASED_BINARY`: `scripts/released`
//! builds one of schema 13 and runs this test. Without it, this build takes the release's part.

use std::{
    net::SocketAddr,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use embedded_postgres::OWNER;
use futures_util::future::{join, join_all};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use super::{
    caller::Caller,
    serving::{PROGRAM, Serving},
    write,
};
use crate::support::{
    app::key_file,
    cluster::{Database, template},
};

/// Prints an operator's token, which the release signs.
fn operator(program: &str, database: &Database) -> String {
    let output = Command::new(program)
        .args(["token", "user", "--subject", "operator", "--operator"])
        .env("DATABASE_URL", &database.url)
        .env("MIGRATE_DATABASE_URL", &database.owner_url)
        .env("SIGNING_KEY", key_file())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
}

/// Makes an agent with four versions. Returns their ids.
async fn agent(caller: &mut Caller) -> (String, Vec<String>) {
    let customer = "mutation { createCustomer(input: { name: \"City\" }) { customer { id } } }";
    let customer = caller.gql(customer, json!({})).await["data"]["createCustomer"]["customer"]["id"].clone();
    let agent = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } } }";
    let input = json!({ "input": { "customerId": customer, "name": "Helper" } });
    let agent = caller.gql(agent, input).await["data"]["createAgent"]["agent"]["id"].clone();
    let publish =
        "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) { version { id } } }";
    let mut versions = Vec::new();
    for number in 0..4 {
        let input =
            json!({ "agentId": agent, "systemPrompt": format!("version {number}"), "modelName": "m" });
        let answer = caller.gql(publish, json!({ "input": input })).await;
        versions.push(answer["data"]["publishVersion"]["version"]["id"].as_str().unwrap().to_owned());
    }
    (agent.as_str().unwrap().to_owned(), versions)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_update_from_a_release_and_back_loses_nothing() {
    let released = std::env::var("RELEASED_BINARY").unwrap_or_else(|_| PROGRAM.to_owned());
    let released = released.as_str();
    let database =
        Database::fresh(&template("empty for a release", OWNER, async |_: &str, _: &str| {}).await).await;
    let mut instances = [Serving::of(released, &database), Serving::of(released, &database)];
    for instance in &mut instances {
        instance.ready().await;
    }
    let token = operator(released, &database);
    let addresses: Vec<SocketAddr> = instances.iter().map(|instance| instance.address).collect();
    let stop = AtomicBool::new(false);
    let mut agents = Vec::new();
    for nth in 0..4 {
        let mut caller = Caller::new(addresses.clone(), nth, token.clone());
        let (agent, versions) = agent(&mut caller).await;
        agents.push((caller, agent, versions));
    }
    let writers =
        join_all(agents.into_iter().map(|(caller, agent, versions)| write(caller, agent, versions, &stop)));
    let updates = async {
        // To the new release, midway back and forth, then all the way back.
        for (nth, program) in [
            (0, PROGRAM),
            (1, released),
            (1, PROGRAM),
            (0, released),
            (0, PROGRAM),
            (0, released),
            (1, released),
        ] {
            let instance = &mut instances[nth];
            assert!(instance.stop().await.0.success());
            instance.again_as(program);
            instance.ready().await;
            sleep(Duration::from_millis(500)).await;
        }
        stop.store(true, Ordering::SeqCst);
    };
    let (written, ()) = join(writers, updates).await;

    let mut session = PgConnection::connect(&database.admin_url).await.unwrap();
    let made: Vec<i64> = sqlx::query_scalar("SELECT revision FROM registry.activations ORDER BY 1")
        .fetch_all(&mut session)
        .await
        .unwrap();
    for (acknowledged, _) in &written {
        assert!(acknowledged.len() > 10, "{acknowledged:?}");
        assert!(
            acknowledged.iter().all(|revision| made.binary_search(revision).is_ok()),
            "writes are missing"
        );
    }
    for mut instance in instances {
        assert!(instance.stop().await.0.success());
    }
}
