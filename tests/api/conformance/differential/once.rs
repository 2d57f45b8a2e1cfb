//! A mutation repeated under one response key has one effect, one log entry and one response.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use crate::support::{
    App, Calls,
    caller::{Client, Member},
};

/// The ways to write two selections of one mutation under one response key.
fn ways(call: &str, one: &str, two: &str) -> Vec<String> {
    let (first, second) = (format!("k: {call} {{ {one} }}"), format!("k: {call} {{ {two} }}"));
    vec![
        format!("mutation ($i: IN!) {{ {first} {second} }}"),
        format!("mutation ($i: IN!) {{ {first} ...F }} fragment F on Mutation {{ {second} }}"),
        format!(
            "mutation ($i: IN!) {{ ...F ...G }} fragment F on Mutation {{ {first} }} fragment G on Mutation {{ {second} }}"
        ),
        format!(
            "mutation ($i: IN!) {{ {first} ... on Mutation {{ ... @include(if: true) {{ {second} }} }} }}"
        ),
        format!(
            "mutation ($i: IN!) {{ ...F ...F }} fragment F on Mutation {{ {first} ...G }} fragment G on Mutation {{ {second} }}"
        ),
    ]
}

/// A customer, its admin, and an agent with three versions, the last of which is active.
struct Scene {
    app: App,
    admin: Member,
    customer: String,
    agent: String,
}

impl Scene {
    async fn new() -> Self {
        let app = App::start().await;
        let customer = app.operator().await.customer("City").await;
        let admin = app.member(&customer, Role::Admin).await;
        let agent = admin.agent(&customer, "Helper").await;
        for number in 1..=3 {
            let version = admin.publish(&agent, &format!("You help, {number}.")).await;
            admin.activate(&agent, &version).await.text("/activateVersion/revision");
        }
        Self { app, admin, customer, agent }
    }

    /// The actions of the newest 100 entries of the log.
    async fn log(&self) -> Vec<Value> {
        let query = "{ changes(first: 100) { nodes { action } } }";
        let answer = self.app.operator().await.gql(query, Value::Null).await;
        answer.at("/changes/nodes").as_array().unwrap().clone()
    }

    /// Runs a mutation and returns its payload. The log must grow by exactly one entry, of this action.
    async fn once(&self, client: &Client, document: &str, input: &Value, action: &str) -> Value {
        let before = self.log().await;
        let answer = client.gql(document, json!({ "i": input })).await;
        let after = self.log().await;
        assert_eq!(after[..after.len() - before.len()], [json!({ "action": action })], "{document}");
        assert_eq!(after[after.len() - before.len()..], before, "{document}");
        answer.at("/k").clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_is_made_and_its_secret_is_its_own() {
    let scene = Scene::new().await;
    let ways =
        ways("createApiKey(input: $i)", "secret revision", "apiKey { id } revision userErrors { code }");
    for (at, way) in ways.iter().enumerate() {
        let document = way.replace("IN!", "CreateApiKeyInput!");
        let input =
            json!({ "customerId": scene.customer, "name": format!("key {at}"), "scopes": ["AGENTS_READ"] });
        let made = scene.once(&scene.admin, &document, &input, "API_KEY_CREATED").await;
        assert_eq!(made["userErrors"], json!([]), "{document}");
        let program = scene.app.bearer(made["secret"].as_str().unwrap());
        assert_eq!(program.gql("{ viewer { kind } }", Value::Null).await.text("/viewer/kind"), "API_KEY");
        // Revoking the key with this id makes this secret invalid.
        let revoke = "mutation ($k: ID!) { revokeApiKey(input: {apiKeyId: $k}) { revision } }";
        scene.admin.gql(revoke, json!({ "k": made["apiKey"]["id"] })).await.text("/revokeApiKey/revision");
        assert_eq!(program.gql("{ viewer { kind } }", Value::Null).await.status, 401, "{document}");
    }
    let keys = scene.admin.gql(
        "query ($c: ID!) { customer(id: $c) { apiKeys(first: 100) { totalCount } } }",
        json!({ "c": scene.customer }),
    );
    assert_eq!(keys.await.at("/customer/apiKeys/totalCount"), ways.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_goes_one_step_back() {
    let scene = Scene::new().await;
    let ways = ways(
        "rollback(input: $i)",
        "agent { activeVersion { number } } revision",
        "activation { version { number } } revision userErrors { code }",
    );
    for way in ways {
        let document = way.replace("IN!", "RollbackInput!");
        // Going back uses up what was activated before.
        let version = scene.admin.publish(&scene.agent, "You help.").await;
        scene.admin.activate(&scene.agent, &version).await.text("/activateVersion/revision");
        let before = scene.admin.active_number(&scene.agent).await;
        let input = json!({ "agentId": scene.agent });
        let made = scene.once(&scene.admin, &document, &input, "AGENT_ACTIVATED").await;
        assert_eq!(made["userErrors"], json!([]), "{document}");
        let after = scene.admin.active_number(&scene.agent).await;
        assert_ne!(after, before, "{document}");
        assert_eq!(made["agent"]["activeVersion"]["number"], after, "{document}");
        assert_eq!(made["activation"]["version"]["number"], after, "{document}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_customer_is_made() {
    let scene = Scene::new().await;
    let operator = scene.app.operator().await;
    let ways = ways("createCustomer(input: $i)", "customer { id }", "customer { name plan } revision");
    for (at, way) in ways.iter().enumerate() {
        let document = way.replace("IN!", "CreateCustomerInput!");
        let name = format!("Town {at}");
        let made = scene.once(&operator, &document, &json!({ "name": name }), "CUSTOMER_CREATED").await;
        let find = "query ($n: String) { customers(filter: {name: $n}) { nodes { id name plan } } }";
        let found = operator.gql(find, json!({ "n": name })).await;
        assert_eq!(found.at("/customers/nodes"), &json!([made["customer"]]), "{document}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_version_is_published() {
    let scene = Scene::new().await;
    let ways = ways(
        "publishVersion(input: $i)",
        "version { id }",
        "version { number } revision userErrors { code }",
    );
    for (at, way) in ways.iter().enumerate() {
        let document = way.replace("IN!", "PublishVersionInput!");
        let input =
            json!({ "agentId": scene.agent, "systemPrompt": format!("Again, {at}."), "modelName": "m" });
        let made = scene.once(&scene.admin, &document, &input, "VERSION_PUBLISHED").await;
        assert_eq!(made["version"]["number"], 4 + at, "{document}");
        let find = "query ($a: ID!, $n: Int!) { agent(id: $a) { version(number: $n) { id number } } }";
        let found = scene.admin.gql(find, json!({ "a": scene.agent, "n": 4 + at })).await;
        assert_eq!(found.at("/agent/version"), &made["version"], "{document}");
    }
}
