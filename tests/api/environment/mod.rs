//! Environments: several places where an agent serves, each with its own active version, history and stream.

mod limited;
mod older;
mod places;
mod promote;
mod streams;
mod transfer;

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use crate::support::{
    Answer, App, Calls,
    caller::{Member, Operator},
};

/// A customer with the environments `staging` and `dev`, and an agent with some versions that serve nowhere.
pub(super) struct Stage {
    pub(super) app: App,
    pub(super) operator: Operator,
    pub(super) customer: String,
    pub(super) admin: Member,
    pub(super) editor: Member,
    pub(super) agent: String,
    pub(super) versions: Vec<String>,
}

impl Stage {
    pub(super) async fn new(versions: usize) -> Self {
        let app = App::start().await;
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        let admin = app.member(&customer, Role::Admin).await;
        let editor = app.member(&customer, Role::Editor).await;
        for key in ["staging", "dev"] {
            create(&admin, &customer, key).await;
        }
        let agent = editor.agent(&customer, "Helper").await;
        let mut ids = Vec::new();
        for nth in 1..=versions {
            ids.push(editor.publish(&agent, &format!("prompt {nth}")).await);
        }
        Self { app, operator, customer, admin, editor, agent, versions: ids }
    }

    /// Activates the version with this number in an environment.
    pub(super) async fn activate(&self, number: usize, environment: &str) -> Answer {
        let version = &self.versions[number - 1];
        let input = json!({ "agentId": self.agent, "versionId": version, "environment": environment });
        let answer = self.editor.activate_input(input).await;
        assert_eq!(answer.at("/activateVersion/userErrors"), &json!([]));
        answer
    }

    /// Rolls back or deactivates in an environment. Returns the payload.
    pub(super) async fn change(&self, mutation: &str, environment: &str) -> Value {
        let input_type = if mutation == "rollback" { "RollbackInput" } else { "DeactivateInput" };
        let document = format!(
            "mutation ($input: {input_type}!) {{ answer: {mutation}(input: $input) {{
             serving {{ environment {{ key }} activeVersion {{ number }} }} activation {{ reason }}
             userErrors {{ code message field }} }} }}"
        );
        let input = json!({ "agentId": self.agent, "environment": environment });
        self.editor.gql(&document, json!({ "input": input })).await.at("/answer").clone()
    }

    /// The number of the active version of each environment, by key; null where nothing is active.
    pub(super) async fn serves(&self) -> Value {
        serves(&self.editor, &self.agent).await
    }

    pub(super) async fn head(&self) -> i64 {
        self.app.registry.head().await.unwrap().revision.0
    }
}

pub(super) async fn serves(client: &crate::support::caller::Client, agent: &str) -> Value {
    let query =
        "query ($id: ID!) { agent(id: $id) { servings { environment { key } activeVersion { number } } } }";
    let answer = client.gql(query, json!({ "id": agent })).await;
    let servings = answer.at("/agent/servings").as_array().unwrap();
    let pair = |serving: &Value| {
        let key = serving["environment"]["key"].as_str().unwrap().to_owned();
        (key, serving.pointer("/activeVersion/number").cloned().unwrap_or_default())
    };
    servings.iter().map(pair).collect::<serde_json::Map<_, _>>().into()
}

/// Creates an environment that lets everything through. Returns its id.
pub(super) async fn create(client: &crate::support::caller::Client, customer: &str, key: &str) -> String {
    let input = json!({ "customerId": customer, "key": key, "name": key, "onBreaking": "ALLOW" });
    let answer = create_input(client, input).await;
    assert_eq!(answer.at("/createEnvironment/userErrors"), &json!([]));
    answer.text("/createEnvironment/environment/id")
}

pub(super) async fn create_input(client: &crate::support::caller::Client, input: Value) -> Answer {
    let mutation = "mutation ($input: CreateEnvironmentInput!) { createEnvironment(input: $input) {
        environment { id key name rank isDefault promoteFrom { key } minSoakSeconds onBreaking allowedModels activateRole archivedAt }
        revision userErrors { code field message } } }";
    client.gql(mutation, json!({ "input": input })).await
}
