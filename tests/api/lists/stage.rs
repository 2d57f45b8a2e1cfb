//! A customer whose agents have had many things done to them, and a model of what each is now.

use std::collections::BTreeMap;

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use crate::{
    environment::create,
    limit::set_plan,
    support::{
        App, Calls,
        caller::{Member, Operator},
    },
};

/// The environments of the customer.
pub(super) const ENVIRONMENTS: [&str; 2] = ["production", "staging"];

/// A version that an agent serves.
#[derive(Clone, Debug)]
pub(super) struct Active {
    pub(super) number: usize,
    pub(super) model: &'static str,
    pub(super) tools: Vec<&'static str>,
}

/// What an agent is. Times are counted by what was done.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) owner: Option<String>,
    pub(super) versions: Vec<(String, Active)>,
    pub(super) active: BTreeMap<&'static str, Active>,
    pub(super) activated: BTreeMap<&'static str, usize>,
    pub(super) updated: usize,
    pub(super) is_archived: bool,
}

/// The customer, its agents, and their model.
pub(super) struct Stage {
    pub(super) app: App,
    pub(super) operator: Operator,
    pub(super) customer: String,
    pub(super) editor: Member,
    pub(super) agents: Vec<Known>,
    /// The time after each thing that was done.
    pub(super) times: Vec<String>,
}

impl Stage {
    /// Makes agents, and does many things to them, the same each time.
    pub(super) async fn new(count: usize) -> Self {
        let app = App::start().await;
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        // Its readers ask more often than the smallest plan allows.
        set_plan(&operator, &customer, "ENTERPRISE").await;
        let admin = app.member(&customer, Role::Admin).await;
        let editor = app.member(&customer, Role::Editor).await;
        create(&admin, &customer, "staging").await;
        let mut stage = Self { app, operator, customer, editor, agents: Vec::new(), times: Vec::new() };
        let owner = stage.app.set_member(&stage.customer, "owner", Role::Viewer).await;
        for nth in 0..count {
            let name = format!("{} {}", ["desk", "Desk", "ÄRZTE", "zoo"][nth % 4], nth * 7 % count);
            let id = stage.editor.agent(&stage.customer, &name).await;
            let known = Known {
                id,
                name,
                owner: None,
                versions: Vec::new(),
                active: BTreeMap::new(),
                activated: BTreeMap::new(),
                updated: stage.times.len(),
                is_archived: false,
            };
            stage.agents.push(known);
            stage.passed().await;
        }
        let mut random = 7_usize;
        for _ in 0..count * 6 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (what, which) = ((random >> 33) % 8, (random >> 40) % count);
            stage.act(what, which, &owner).await;
        }
        stage
    }

    async fn passed(&mut self) {
        self.times.push(chrono_now());
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }

    async fn done(&self, mutation: &str, input: Value) -> Value {
        let mut kind = mutation.to_owned();
        kind[..1].make_ascii_uppercase();
        let extra = if mutation == "publishVersion" { "version { id }" } else { "" };
        let document = format!(
            "mutation ($input: {kind}Input!) {{ done: {mutation}(input: $input) {{ revision {extra} userErrors {{ code message }} }} }}"
        );
        let answer = self.editor.gql(&document, json!({ "input": input })).await;
        assert_eq!(answer.at("/done/userErrors"), &json!([]), "{mutation}");
        answer.at("/done").clone()
    }

    async fn act(&mut self, what: usize, which: usize, owner: &str) {
        let now = self.times.len();
        let known = self.agents[which].clone();
        let environment = ENVIRONMENTS[(now / 2) % 2];
        if known.is_archived {
            self.done("restoreAgent", json!({ "agentId": known.id })).await;
            (self.agents[which].is_archived, self.agents[which].updated) = (false, now);
            return self.passed().await;
        }
        match what {
            0..=2 => {
                let model = ["opus", "sonnet", "haiku"][now % 3];
                let tools: Vec<&str> = ["find", "pay", "say"].into_iter().skip(now % 4).collect();
                let listed: Vec<Value> = tools.iter().map(|name| json!({ "name": name })).collect();
                let input = json!({ "agentId": known.id, "systemPrompt": format!("prompt {now}"), "modelName": model, "tools": listed });
                let done = self.done("publishVersion", input).await;
                let number = known.versions.len() + 1;
                let version =
                    (done["version"]["id"].as_str().unwrap().to_owned(), Active { number, model, tools });
                self.agents[which].versions.push(version);
            }
            3..=5 => {
                let Some((id, version)) = known.versions.get(now % known.versions.len().max(1)) else {
                    return;
                };
                if known.active.get(environment).is_some_and(|active| active.number == version.number) {
                    return;
                }
                let input = json!({ "agentId": known.id, "versionId": id, "environment": environment });
                self.done("activateVersion", input).await;
                let agent = &mut self.agents[which];
                agent.active.insert(environment, version.clone());
                agent.activated.insert(environment, now);
            }
            6 => {
                if !known.active.contains_key(environment) {
                    return;
                }
                self.done("deactivate", json!({ "agentId": known.id, "environment": environment })).await;
                self.agents[which].active.remove(environment);
            }
            _ if now.is_multiple_of(2) => {
                self.done("archiveAgent", json!({ "agentId": known.id })).await;
                let agent = &mut self.agents[which];
                agent.active.clear();
                agent.is_archived = true;
            }
            _ => {
                let name = format!("{} again", known.name);
                self.done("updateAgent", json!({ "agentId": known.id, "name": name, "ownerId": owner }))
                    .await;
                (self.agents[which].name, self.agents[which].owner) = (name, Some(owner.to_owned()));
            }
        }
        self.agents[which].updated = now;
        self.passed().await;
    }
}

/// The time now, as the API writes times.
fn chrono_now() -> String {
    agent_registry::clock::to_text(agent_registry::clock::Clock::default().now())
}
