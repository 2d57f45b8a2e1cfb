//! An agent's active version in an environment behaves like one register: linearizable on one instance; with
//! `atLeast`, each client reads its own writes and never goes back on any number of instances.

mod checker;
mod client;
mod history;
mod planted;

use std::time::Duration;

use futures_util::future::join_all;

use crate::support::{App, Calls, caller::Operator, proof::count};
use client::{Agent, Client, InstanceAccess, Shared, StaleCache};
use history::Op;

/// The number of clients of each environment.
const CLIENTS: usize = 6;
/// The environments in which one agent serves, each a register of its own.
const ENVIRONMENTS: [&str; 3] = ["production", "staging", "dev"];

/// One agent with this many versions, in each environment.
async fn agents(operator: &Operator, versions: usize) -> Vec<Shared> {
    let customer = operator.customer("City").await;
    for key in &ENVIRONMENTS[1..] {
        crate::environment::create(operator, &customer, key).await;
    }
    let id = operator.agent(&customer, "Agent").await;
    let mut ids = Vec::new();
    for number in 0..versions {
        ids.push(operator.publish(&id, &format!("version {number}")).await);
    }
    ENVIRONMENTS.map(|environment| Agent::shared(id.clone(), environment, ids.clone())).to_vec()
}

/// Runs the clients on all agents, each using all of `doors` in turn. Returns a history for each agent.
async fn histories(
    agents: &[Shared],
    doors: &[InstanceAccess],
    calls: usize,
    at_least: bool,
) -> Vec<Vec<Op>> {
    let began = std::time::Instant::now();
    join_all(agents.iter().map(async |agent| {
        let clients = (0..CLIENTS).map(|nth| {
            let client = Client::new(nth, agent.clone(), doors.to_vec(), began, at_least);
            client.run(calls)
        });
        join_all(clients).await.concat()
    }))
    .await
}

/// Prints the number of calls of each kind.
fn print_summary(what: &str, histories: &[Vec<Op>]) {
    let ops = histories.iter().flatten();
    let reads = ops.clone().filter(|op| matches!(op.call, history::Call::Read { .. })).count();
    let done = ops.clone().filter(|op| op.call.is_done()).count();
    let overlapping: usize = histories
        .iter()
        .map(|ops| {
            let overlaps = |op: &&Op| {
                ops.iter().filter(|other| other.called < op.answered && op.called < other.answered).count()
                    > 1
            };
            ops.iter().filter(overlaps).count()
        })
        .sum();
    println!(
        "{what}: {} calls of {CLIENTS} clients in each of {} environments of one agent, {reads} reads, {done} writes \
         done, {} rejected; {overlapping} overlap another",
        ops.clone().count(),
        ENVIRONMENTS.len(),
        ops.count() - reads - done
    );
    assert!(overlapping > 0, "no calls overlapped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_one_instance_each_environment_of_an_agent_is_one_register() {
    let app = App::start().await;
    let operator = app.operator().await;
    let calls = count(30, 400);
    let agents = agents(&operator, count(25, 200)).await;
    let doors = [InstanceAccess::of(&app, &operator).await];
    let histories = histories(&agents, &doors, calls, false).await;
    print_summary("one instance", &histories);
    for history in &histories {
        checker::linearizable(history).unwrap();
        checker::in_order(history).unwrap();
        checker::in_session(history).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_any_instance_who_says_at_least_never_goes_back() {
    let app = App::start().await;
    let operator = app.operator().await;
    let calls = count(30, 400);
    let agents = agents(&operator, count(25, 200)).await;
    let others = [app.another().await, app.another().await];
    let doors = [
        InstanceAccess::of(&app, &operator).await,
        InstanceAccess::of(&others[0], &operator).await,
        InstanceAccess::of(&others[1], &operator).await,
    ];
    let histories = histories(&agents, &doors, calls, true).await;
    print_summary("three instances", &histories);
    for history in &histories {
        checker::in_session(history).unwrap();
    }
    for other in others {
        other.stop().await;
    }
}

/// Shows that the checkers above find a fault: a cache that returns stale reads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_is_served_again_is_caught() {
    let app = App::start().await;
    let operator = app.operator().await;
    let agents = agents(&operator, 25).await;
    let stale = [InstanceAccess::of(&app, &operator).await.behind(StaleCache::kept(Duration::from_secs(2)))];
    let histories = histories(&agents, &stale, 40, true).await;
    let caught = |judge: fn(&[Op]) -> Result<(), String>| histories.iter().any(|ops| judge(ops).is_err());
    assert!(caught(checker::linearizable), "the search missed it");
    assert!(caught(checker::in_order), "the order of revisions missed it");
    assert!(caught(checker::in_session), "the session guarantees missed it");
}
