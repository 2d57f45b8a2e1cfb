//! Rolling restarts under load: real processes on one database, stopped with SIGTERM. No acknowledged write is
//! lost, no subscriber misses an event, and each process exits in time with code 0.

mod caller;
mod released;
mod serving;
mod watcher;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
    time::Duration,
};

use futures_util::future::{join, join_all};
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::time::sleep;

use crate::support::{App, Calls, proof::count};
use caller::{Caller, Counts};
use serving::Serving;
use watcher::{Stream, SubscriberLog, watch};

const INSTANCES: usize = 3;
const WRITERS: usize = 6;
/// Versions of each writer's agent.
const VERSIONS: usize = 4;
/// The time after SIGTERM by which an instance must have exited.
const EXIT: Duration = Duration::from_secs(10);

/// Activates an agent's versions in turn and reads the active one, until `stop` is set. Returns the acknowledged
/// revisions.
async fn write(
    mut caller: Caller,
    agent: String,
    versions: Vec<String>,
    stop: &AtomicBool,
) -> (Vec<i64>, Counts) {
    let activate = "mutation ($input: ActivateVersionInput!) { activateVersion(input: $input) {
        revision agent { activeVersion { id } } userErrors { code } } }";
    let read = "query ($agent: ID!) { activeConfig(agentId: $agent) { versionId revision } }";
    let mut acknowledged = Vec::new();
    for version in versions.iter().cycle() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let input = json!({ "input": { "agentId": agent, "versionId": version } });
        let answer = caller.gql(activate, input).await;
        let payload = &answer["data"]["activateVersion"];
        assert_eq!(payload["userErrors"], json!([]), "{answer}");
        let revision: i64 = payload["revision"].as_str().unwrap().parse().unwrap();
        acknowledged.push(revision);
        // Only this task activates this agent, so every instance must return what was just written.
        let answer = caller.gql(read, json!({ "agent": agent })).await;
        let config = &answer["data"]["activeConfig"];
        assert_eq!((&config["versionId"], &config["revision"]), (&json!(version), &payload["revision"]));
        sleep(Duration::from_millis(5)).await;
    }
    (acknowledged, caller.counts)
}

/// The result of the restarts.
#[derive(Default)]
struct Restarts {
    longest_exit: Duration,
    longest_start: Duration,
    badly: Vec<String>,
}

async fn restart(instances: &mut [Serving], times: usize) -> Restarts {
    let mut restarts = Restarts::default();
    for nth in 0..times {
        let instance = &mut instances[nth % INSTANCES];
        let (status, took) = instance.stop().await;
        restarts.longest_exit = restarts.longest_exit.max(took);
        if !status.success() || took > EXIT {
            restarts.badly.push(format!("restart {nth}: {status} after {took:?}"));
        }
        instance.again();
        restarts.longest_start = restarts.longest_start.max(instance.ready().await);
        sleep(Duration::from_millis(100)).await;
    }
    restarts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rolling_restarts_lose_nothing_and_nobody_misses_anything() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let mut agents = Vec::new();
    for nth in 0..WRITERS {
        let agent = operator.agent(&customer, &format!("Agent {nth}")).await;
        let mut versions = Vec::new();
        for number in 0..VERSIONS {
            versions.push(operator.publish(&agent, &format!("version {number}")).await);
        }
        agents.push((agent, versions));
    }
    let gateway = app.gateway().await.token.clone().unwrap();
    let from = app.registry.head().await.unwrap().revision.0;

    let mut instances: Vec<Serving> = (0..INSTANCES).map(|_| Serving::start(&app.database)).collect();
    for instance in &mut instances {
        instance.ready().await;
    }
    let addresses: Vec<SocketAddr> = instances.iter().map(|instance| instance.address).collect();
    let (stop, over, until) = (AtomicBool::new(false), AtomicBool::new(false), AtomicI64::new(i64::MAX));
    let token = operator.token.clone().unwrap();
    let writers = join_all(agents.into_iter().enumerate().map(|(nth, (agent, versions))| {
        write(Caller::new(addresses.clone(), nth, token.clone()), agent, versions, &stop)
    }));
    let streams = [Stream::Activations, Stream::Configs, Stream::Configs, Stream::Activations];
    let watchers = join_all(streams.map(|stream| watch(stream, &addresses, &gateway, from, &until, &over)));
    let times = count(4, 100);
    let story = async {
        let writing = async {
            sleep(Duration::from_millis(300)).await;
            let restarts = restart(&mut instances, times).await;
            sleep(Duration::from_millis(300)).await;
            stop.store(true, Ordering::SeqCst);
            restarts
        };
        let (written, restarts) = join(writers, writing).await;
        until.store(app.registry.head().await.unwrap().revision.0, Ordering::SeqCst);
        over.store(true, Ordering::SeqCst);
        (written, restarts)
    };
    let ((written, restarts), watched) = join(story, watchers).await;

    let mut session = PgConnection::connect(&app.database.admin_url).await.unwrap();
    let made: Vec<i64> =
        sqlx::query_scalar("SELECT revision FROM registry.activations WHERE revision > $1 ORDER BY 1")
            .bind(from)
            .fetch_all(&mut session)
            .await
            .unwrap();
    print_summary(times, &restarts, &written, &watched, made.len());
    assert_eq!(restarts.badly, Vec::<String>::new());
    let mut requests = Counts::default();
    for (acknowledged, counts) in &written {
        assert!(!acknowledged.is_empty(), "no write was acknowledged");
        let lost: Vec<_> =
            acknowledged.iter().filter(|revision| made.binary_search(revision).is_err()).collect();
        assert_eq!(lost, Vec::<&i64>::new(), "acknowledged writes are missing");
        requests.add(counts);
    }
    assert_eq!(requests.cut, 0, "responses were cut off in the middle");
    for (stream, watched) in streams.iter().zip(&watched) {
        assert_eq!(watched.revisions, made, "{stream:?}: each revision once, in order");
        assert!(watched.resumed > times / INSTANCES, "{stream:?} was not interrupted: {watched:?}");
        let ends: Vec<u16> = watched.ends.keys().copied().collect();
        assert_eq!(ends, [1012], "{stream:?}");
    }
    // The final stops succeed too.
    for mut instance in instances {
        let (status, took) = instance.stop().await;
        assert!(status.success() && took < EXIT, "{status} after {took:?}");
    }
}

/// Prints the figures.
fn print_summary(
    times: usize,
    restarts: &Restarts,
    written: &[(Vec<i64>, Counts)],
    watched: &[SubscriberLog],
    made: usize,
) {
    let mut requests = Counts::default();
    let mut acknowledged = 0;
    for (revisions, counts) in written {
        acknowledged += revisions.len();
        requests.add(counts);
    }
    let mut ends: BTreeMap<u16, usize> = BTreeMap::new();
    for (code, times) in watched.iter().flat_map(|watched| &watched.ends) {
        *ends.entry(*code).or_default() += times;
    }
    println!(
        "{times} restarts: longest exit {:?}, longest start {:?}; {acknowledged} writes acknowledged, {made} made; {requests:?}; \
         {} watchers took up again {} times, refused {} times, sockets ended with {ends:?}",
        restarts.longest_exit,
        restarts.longest_start,
        watched.len(),
        watched.iter().map(|watched| watched.resumed).sum::<usize>(),
        watched.iter().map(|watched| watched.refused).sum::<usize>(),
    );
}
