//! The memory of what is in flight: no caller and no address takes more than its share, whatever it sends and
//! however little it reads, and others are answered meanwhile. Everything is counted in bytes.

mod connections;
mod http;
mod socket;

use agent_registry::domain::KeyScope;
use serde_json::{Value, json};

use crate::support::{
    App, Calls,
    app::Setup,
    caller::{Client, Program},
};

const MIB: usize = 1024 * 1024;
/// The budget in these tests: the smallest that the settings allow.
const BUDGET: usize = 64 * MIB;
/// The share of a caller, of which a little is left for small requests.
const SHARE: usize = BUDGET / 4;

/// Two customers, each with an agent that has one version with the largest prompt, and a key of each.
struct World {
    app: App,
    greedy: Program,
    other: Program,
    agent: String,
    others_agent: String,
}

impl World {
    async fn new() -> Self {
        let app = App::set_up(Setup { memory_budget: BUDGET, ..Setup::default() }).await;
        let operator = app.operator().await;
        let (city, village) = (operator.customer("City").await, operator.customer("Village").await);
        let agent = operator.agent(&city, "Helper").await;
        let others_agent = operator.agent(&village, "Helper").await;
        for agent in [&agent, &others_agent] {
            operator.publish(agent, &"x".repeat(512 * 1024)).await;
        }
        let scopes = [KeyScope::AgentsRead, KeyScope::ActivationsWatch, KeyScope::VersionsPublish];
        let (greedy, other) = (app.program(&city, scopes).await, app.program(&village, scopes).await);
        Self { app, greedy, other, agent, others_agent }
    }

    /// The reserved bytes of this class of holders.
    fn used(&self, class: &str) -> usize {
        let used = self.app.door.budget.used_bytes();
        used.into_iter().find(|(name, _)| *name == class).unwrap().1
    }

    /// Another customer is answered, with an answer that is large too.
    async fn others_are_answered(&self) {
        let answer = self.other.gql(&prompts(8), json!({ "agent": self.others_agent })).await;
        assert_eq!(answer.text("/agent/f7/systemPrompt").len(), 512 * 1024);
    }

    /// Everything that was reserved is returned.
    async fn all_is_returned(&self) {
        let all = || ["addresses", "callers", "platform"].map(|class| self.used(class));
        crate::support::wait::until("all memory is returned", || all() == [0; 3]).await;
    }
}

/// A query with an answer of this many half mebibytes.
fn prompts(count: usize) -> String {
    let fields: String =
        (0..count).map(|nth| format!("f{nth}: version(number: 1) {{ systemPrompt }} ")).collect();
    format!("query ($agent: ID!) {{ agent(id: $agent) {{ {fields} }} }}")
}

fn body(query: &str, variables: &Value) -> String {
    json!({ "query": query, "variables": variables }).to_string()
}

/// The head of a request with a body of this length.
fn post(client: &Client, path: &str, length: usize) -> String {
    let token = client.token.as_deref().unwrap();
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}
