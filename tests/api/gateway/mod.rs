//! `watch`, the reference gateway: the real program with a registry that changes, stops and comes back.

mod ends;
mod gate;
mod map;
mod scripted;
mod watching;

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use crate::support::{App, Calls, caller::Operator};
use gate::Gate;
use watching::{Folder, WatchProcess, until};

/// A customer and its agents, each serving its first version.
struct City {
    operator: Operator,
    customer: String,
    agents: Vec<String>,
}

impl City {
    async fn of(app: &App, agents: usize) -> Self {
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        let mut city = Self { operator, customer, agents: Vec::new() };
        for nth in 0..agents {
            let agent = city.operator.agent(&city.customer, &format!("agent {nth}")).await;
            city.publish(&agent, "the first").await;
            city.agents.push(agent);
        }
        city
    }

    /// Publishes a version and activates it.
    async fn publish(&self, agent: &str, prompt: &str) {
        let input = json!({ "agentId": agent, "systemPrompt": prompt, "modelName": "m", "activate": true,
            "extensions": { "org.example.prompt": prompt } });
        let answer = self.operator.publish_input(input).await;
        assert_eq!(answer.at("/publishVersion/userErrors"), &json!([]));
    }

    async fn set_status(&self, status: &str) {
        self.mutate("setBillingStatus", json!({ "customerId": self.customer, "status": status })).await;
    }

    /// Runs a mutation that must succeed.
    async fn mutate(&self, name: &str, input: Value) {
        let type_name = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let mutation = format!(
            "mutation ($input: {type_name}!) {{ {name}(input: $input) {{ userErrors {{ code message }} }} }}"
        );
        let answer = self.operator.gql(&mutation, json!({ "input": input })).await;
        assert_eq!(answer.at(&format!("/{name}/userErrors")), &json!([]), "{name}");
    }
}

/// Waits until the state file has a state that `is_it` accepts.
async fn saved(folder: &Folder, is_it: impl Fn(&Value) -> bool) -> Value {
    let state = until(|| folder.state().filter(&is_it)).await;
    state.unwrap_or_else(|| panic!("not in {:?}", folder.state()))
}

fn serves(count: usize) -> impl Fn(&Value) -> bool {
    move |state| state["configs"].as_object().is_some_and(|configs| configs.len() == count)
}

#[tokio::test]
async fn what_serves_is_told_and_why_it_does_no_more() {
    let app = App::start().await;
    let city = City::of(&app, 2).await;
    let (gateway, folder) = (app.gateway().await, Folder::new());
    let watch = WatchProcess::start(&app.base, gateway.token.as_deref(), &folder, &[]);
    watch.says("SNAPSHOT 2 agents, revision ", 1).await;
    city.publish(&city.agents[0], "more").await;
    let line = watch.says("UPSERT ", 1).await;
    assert!(line.contains(&format!("{} version 2, revision ", city.agents[0])), "{line}");
    assert!(line.ends_with(", \"agent 0\""), "{line}");
    city.set_status("SUSPENDED").await;
    watch.says("REMOVE ", 2).await;
    for agent in &city.agents {
        watch.says(&format!("REMOVE {agent} SUSPENDED, revision "), 1).await;
    }
    saved(&folder, serves(0)).await;
    city.set_status("PAST_DUE").await;
    saved(&folder, serves(2)).await;
    watch.says("UPSERT ", 3).await;
    city.mutate("archiveAgent", json!({ "agentId": city.agents[1] })).await;
    watch.says(&format!("REMOVE {} ARCHIVED, revision ", city.agents[1]), 1).await;
    let said = watch.said();
    assert!(watch.stop().await.success());
    assert_eq!(said.iter().filter(|line| line.starts_with("SNAPSHOT")).count(), 1, "{said:?}");
    assert!(said[0].starts_with("agent-registry: connected to http://127.0.0.1:"), "{said:?}");
}

#[tokio::test]
async fn with_its_registry_away_it_serves_what_it_saved_and_then_goes_on() {
    let app = App::start().await;
    let city = City::of(&app, 3).await;
    let (gateway, folder) = (app.gateway().await, Folder::new());
    let mut gate = Gate::to(&app.base).await;
    let token = gateway.token.as_deref();
    let first = WatchProcess::start(&gate.url, token, &folder, &["--json"]);
    first.says("\"SNAPSHOT\"", 1).await;
    saved(&folder, serves(3)).await;
    gate.close().await;
    first.says("not connected: ", 1).await;
    assert!(first.stop().await.success(), "it exits with 0 without its registry");

    let again = WatchProcess::start(&gate.url, token, &folder, &["--json"]);
    again.says("serving 3 agents from ", 1).await;
    again.says("not connected: can't reach the service: ", 1).await;
    // Changes made meanwhile arrive after the reconnect, without a new snapshot.
    city.publish(&city.agents[1], "meanwhile").await;
    city.mutate("deactivate", json!({ "agentId": city.agents[2] })).await;
    let instance = app.another().await;
    gate.lead_to(&instance.base).await;
    again.says(", resuming from revision ", 1).await;
    again.says("\"UPSERT\"", 1).await;
    again.says("\"DEACTIVATED\"", 1).await;
    let state = saved(&folder, serves(2)).await;
    assert_eq!(state["configs"][&city.agents[1]]["systemPrompt"], "meanwhile");
    let said = again.said();
    assert!(!said.iter().any(|line| line.contains("\"SNAPSHOT\"")), "{said:?}");
    assert!(again.stop().await.success());
    instance.stop().await;
}

#[tokio::test]
async fn another_registry_behind_the_address_is_begun_with_anew() {
    let (app, other) = (App::start().await, App::start().await);
    let city = City::of(&app, 2).await;
    let town = City::of(&other, 1).await;
    let (gateway, folder) = (app.gateway().await, Folder::new());
    let token_file = folder.path("token");
    std::fs::write(&token_file, format!("{}\n", gateway.token.as_deref().unwrap())).unwrap();
    let mut gate = Gate::to(&app.base).await;
    let watch = WatchProcess::start(
        &gate.url,
        None,
        &folder,
        &["--token-file", &watching::text(&token_file), "--json"],
    );
    watch.says("\"SNAPSHOT\"", 1).await;
    saved(&folder, serves(2)).await;
    // The other registry accepts neither the token nor the cursor.
    std::fs::write(&token_file, other.gateway().await.token.as_deref().unwrap()).unwrap();
    gate.lead_to(&other.base).await;
    watch.says("starting over with a snapshot: ", 1).await;
    let line: Value = serde_json::from_str(&watch.says("\"SNAPSHOT\"", 2).await).unwrap();
    let gone: Vec<&str> = line["gone"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    let mut agents = city.agents.clone();
    agents.sort();
    assert_eq!((gone, &line["agents"]), (agents.iter().map(String::as_str).collect(), &json!(1)));
    let state = saved(&folder, serves(1)).await;
    assert_eq!(state["configs"].as_object().unwrap().keys().collect::<Vec<_>>(), [&town.agents[0]]);
}

#[tokio::test]
async fn a_token_that_is_rotated_is_taken_from_its_file() {
    let app = App::start().await;
    let city = City::of(&app, 1).await;
    let folder = Folder::new();
    let token_file = folder.path("token");
    let make = "mutation { createServiceToken(input: { name: \"gateway\", scopes: [CONFIGS_READ, ACTIVATIONS_WATCH] }) {
        serviceToken { id } secret } }";
    let made = city.operator.gql(make, Value::Null).await;
    std::fs::write(&token_file, made.text("/createServiceToken/secret")).unwrap();
    let args = ["--token-file", &watching::text(&token_file), "--customer", &city.customer];
    let watch = WatchProcess::start(&app.base, None, &folder, &args);
    watch.says("SNAPSHOT 1 agents", 1).await;
    let revoke = json!({ "serviceTokenId": made.text("/createServiceToken/serviceToken/id") });
    city.mutate("revokeServiceToken", revoke).await;
    watch.says("not connected: the service closed the socket: 4403", 1).await;
    city.publish(&city.agents[0], "while it was out").await;
    let made = city.operator.gql(make, Value::Null).await;
    std::fs::write(&token_file, made.text("/createServiceToken/secret")).unwrap();
    watch.says("UPSERT ", 1).await;
    let said = watch.said();
    assert_eq!(said.iter().filter(|line| line.contains("SNAPSHOT")).count(), 1, "{said:?}");
    // A member has another visibility than the service token, so its cursor is rejected.
    assert!(watch.stop().await.success());
    let member = app.member(&city.customer, Role::Viewer).await;
    let args = ["--customer", &city.customer];
    let watch = WatchProcess::start(&app.base, member.token.as_deref(), &folder, &args);
    watch.says("starting over with a snapshot: ", 1).await;
    watch.says("SNAPSHOT 1 agents", 1).await;
}
