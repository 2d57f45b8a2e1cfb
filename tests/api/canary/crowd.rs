//! Callers of both customers at once, on two instances: batches, caches and pools never mix their data.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use agent_registry::domain::member::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    ask::ProbeRequest,
    known_values::KnownValues,
    leak_detector::send_and_record,
    row_level_security_only,
    world::{Side, World, version},
};
use crate::support::{
    app::{Instance, Setup},
    caller::Client,
    proof,
};

/// A caller in the crowd.
struct CrowdCaller {
    client: Client,
    may_write: bool,
    is_key: bool,
    /// What is known of its own customer, and of the other.
    own: KnownValues,
    other: KnownValues,
    others_texts: Vec<String>,
    others_ids: Vec<String>,
}

/// A request, and whether its response must contain the caller's own marker.
fn request(one: &CrowdCaller, turn: usize) -> (ProbeRequest, bool) {
    let CrowdCaller { own, other, may_write, is_key, .. } = one;
    let (agent, theirs) = (&own.agents[0], &other.agents[0]);
    let get = |path: String| ProbeRequest {
        what: path.clone(),
        method: Method::GET,
        path,
        headers: Vec::new(),
        body: None,
        is_write: false,
    };
    let ask = |query: &str, variables: Value| ProbeRequest::graphql(query, query, variables);
    let text =
        "systemPrompt modelName modelParameters message extensions tools { name description inputSchema }";
    match turn % 20 {
        0 => (get("/v1/agents".to_owned()), true),
        1 => (get(format!("/v1/agents/{agent}")), true),
        2 | 3 => (get(format!("/internal/agents/{agent}/active")), true),
        4 => (get(format!("/internal/agents/{theirs}/active")), false),
        5 => (get(format!("/v1/agents/{theirs}")), false),
        6 => (get(format!("/v1/agents?customer_id={}", other.customer)), false),
        7 | 8 => (
            ask(
                &format!(
                    "query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ id ... on Agent {{ name description
            versions(first: 2) {{ nodes {{ {text} }} }} }} ... on AgentVersion {{ {text} }}
            ... on Customer {{ name }} }} }}"
                ),
                json!({ "ids": [theirs, agent, other.versions[0], own.customer] }),
            ),
            true,
        ),
        9 => (
            ask("query ($id: ID!) { node(id: $id) { id ... on Agent { name } } }", json!({ "id": theirs })),
            false,
        ),
        10 => (
            ask(
                &format!("query ($id: ID!) {{ node(id: $id) {{ id ... on AgentVersion {{ {text} }} }} }}"),
                json!({ "id": other.versions[0] }),
            ),
            false,
        ),
        11 => (
            ask(
                &format!(
                    "query ($id: ID!) {{ a: agent(id: $id) {{ activeVersion {{ {text} }} }} agents(filter: {{ nameContains: \"agent\" }}) {{ totalCount nodes {{ name customer {{ name }} }} }} }}"
                ),
                json!({ "id": agent }),
            ),
            true,
        ),
        12 => (
            ask(
                "query ($name: String!) { agents(filter: { nameStartsWith: $name }) { totalCount nodes { description } } }",
                json!({ "name": other.names[0] }),
            ),
            false,
        ),
        13 if !is_key => (
            ask("{ viewer { name user { name email } memberships { customer { name } } } }", Value::Null),
            true,
        ),
        14 => (
            ask(
                "query ($id: ID!) { customer(id: $id) { name agents { nodes { name } } } }",
                json!({ "id": other.customer }),
            ),
            false,
        ),
        15 => (
            ask(
                "query ($id: ID!) { activeConfig(agentId: $id) { name systemPrompt } }",
                json!({ "id": theirs }),
            ),
            false,
        ),
        16 if *may_write => (
            ask(
                "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { agent { name description } revision } }",
                json!({ "input": { "agentId": agent, "description": format!("{} {turn}", own.marker) } }),
            ),
            true,
        ),
        17 if *may_write => (
            ask(
                &format!(
                    "mutation ($input: PublishVersionInput!) {{ publishVersion(input: $input) {{ version {{ {text} }} revision }} }}"
                ),
                json!({ "input": version(agent, &own.marker, turn % 7) }),
            ),
            true,
        ),
        18 if *may_write => (
            ask(
                "mutation ($input: UpdateAgentInput!) { updateAgent(input: $input) { agent { name description } userErrors { message } } }",
                json!({ "input": { "agentId": theirs, "description": "guessed" } }),
            ),
            false,
        ),
        _ => (ask("{ customers { nodes { name } } agents(first: 1) { nodes { name } } }", Value::Null), true),
    }
}

/// Sends requests one after another until `left` is used up. Returns the wrong responses.
async fn requests(one: CrowdCaller, seed: usize, left: Arc<AtomicUsize>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut turn = seed * 7;
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        turn += 1;
        let (ask, is_own) = request(&one, turn);
        let heard = send_and_record(&one.client, &ask).await;
        let mut text = String::from_utf8_lossy(&heard.bytes).to_lowercase();
        for said in ask.said(&one.others_texts) {
            text = text.replace(&said, "…");
        }
        let foreign = text.contains(&one.other.marker) || one.others_ids.iter().any(|id| text.contains(id));
        if foreign || text.contains(&one.own.marker) != is_own || heard.status >= 500 || heard.status == 429 {
            wrong.push(format!("{}: {} {text}", ask.what, heard.status));
        }
    }
    wrong
}

async fn crowd(setup: Setup, count: usize) {
    let world = World::new(setup.clone()).await;
    let second = Instance::start(&world.app.database.url, setup).await;
    let left = Arc::new(AtomicUsize::new(count));
    let mut tasks = Vec::new();
    let started = Instant::now();
    for base in [&world.app.base, &second.base] {
        for (side, other) in [(&world.theirs, &world.ours), (&world.ours, &world.theirs)] {
            let Side { admin, editor, viewer, key, .. } = side;
            let members = [(admin, Role::Admin), (editor, Role::Editor), (viewer, Role::Viewer)];
            let members = members.map(|(member, role)| (&member.0, role >= Role::Editor, false));
            for (client, may_write, is_key) in members.into_iter().chain([(&key.0, true, true)]) {
                let client = Client::new(base.clone(), client.token.clone());
                let (own, other) = (side.guess.clone(), other.guess.clone());
                let (others_texts, others_ids) = (other.texts(), other.ids());
                let one = CrowdCaller { client, may_write, is_key, own, other, others_texts, others_ids };
                tasks.push(tokio::spawn(requests(one, tasks.len(), Arc::clone(&left))));
            }
        }
    }
    let clients = tasks.len();
    let mut wrong = Vec::new();
    for task in tasks {
        wrong.extend(task.await.unwrap());
    }
    assert!(
        wrong.is_empty(),
        "{} answers are wrong:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
    let rate = count as f64 / started.elapsed().as_secs_f64();
    println!(
        "crowd: {count} requests of two customers from {clients} clients on two instances, none mixed up, {rate:.0}/s"
    );
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_of_both_is_never_mixed_up() {
    crowd(Setup::default(), proof::count(3_000, 100_000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_is_it_behind_row_level_security_alone() {
    crowd(row_level_security_only(), proof::count(500, 3_000)).await;
}
