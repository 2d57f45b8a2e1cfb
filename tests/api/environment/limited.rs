//! Keys and tokens that reach only some environments: what is in others isn't there for them, with the same bytes.

use agent_registry::domain::{KeyScope, ServiceScope, service_token::CreateServiceToken};
use serde_json::{Value, json};

use super::Stage;
use crate::support::{App, Calls, app::Setup, caller::Client};

const READS: [KeyScope; 5] = [
    KeyScope::AgentsRead,
    KeyScope::ConfigsRead,
    KeyScope::ActivationsWatch,
    KeyScope::VersionsPublish,
    KeyScope::VersionsActivate,
];

/// The bytes of an answer, without what differs between any two: the ids that were asked for.
fn bytes(answer: &crate::support::Answer, ids: &[&str]) -> String {
    let text = answer.body.to_string();
    ids.iter().fold(text, |text, id| text.replace(id, "*"))
}

async fn key_of(stage: &Stage, environments: Value, scopes: &[&str]) -> Value {
    let mutation = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
        apiKey { environments } secret userErrors { code field message } } }";
    let input = json!({ "customerId": stage.customer, "name": "key", "scopes": scopes, "environments": environments });
    stage.admin.gql(mutation, json!({ "input": input })).await.at("/createApiKey").clone()
}

#[tokio::test]
async fn a_key_is_made_for_environments_that_exist() {
    let stage = Stage::new(0).await;
    let made = key_of(&stage, json!(["staging", "dev", "staging"]), &["CONFIGS_READ"]).await;
    assert_eq!(made["apiKey"]["environments"], json!(["dev", "staging"]), "{made}");
    let all = key_of(&stage, Value::Null, &["CONFIGS_READ", "AGENTS_WRITE", "CHANGES_READ"]).await;
    assert_eq!(all["apiKey"]["environments"], Value::Null);
    let head = stage.head().await;
    for (environments, scopes) in [
        (json!([]), vec!["CONFIGS_READ"]),
        (json!(["nowhere"]), vec!["CONFIGS_READ"]),
        (json!(["Staging"]), vec!["CONFIGS_READ"]),
        (json!(["staging"]), vec!["CONFIGS_READ", "AGENTS_WRITE"]),
        (json!(["staging"]), vec!["CHANGES_READ"]),
    ] {
        let refused = key_of(&stage, environments.clone(), &scopes).await;
        assert_eq!(refused["userErrors"][0]["field"], "environments", "{environments}: {refused}");
        assert_eq!(refused["secret"], Value::Null);
    }
    assert_eq!(stage.head().await, head);
}

/// Each way to ask for what serves in production, by a key of staging and by a program of another customer.
#[tokio::test]
async fn what_is_out_of_reach_is_not_there() {
    let stage = Stage::new(3).await;
    stage.activate(1, "production").await;
    stage.activate(2, "staging").await;
    let staging = stage.app.limited_program(&stage.customer, READS, &["staging"]).await;
    let town = stage.operator.customer("Town").await;
    let stranger = stage.app.program(&town, READS).await;
    let token = CreateServiceToken {
        environments: Some(vec!["staging".to_owned()]),
        ..CreateServiceToken::for_all("gateway", ServiceScope::ALL)
    };
    let gateway = stage.app.service_with(token).await;

    // The configuration: over GraphQL and REST, from memory and from the database.
    let config = "query ($id: ID!, $in: String) { activeConfig(agentId: $id, environment: $in) { versionNumber environmentKey } }";
    let result = "query ($id: ID!, $in: String) { activeConfigResult(agentId: $id, environment: $in) {
        ... on NotServed { reason environmentKey revision } ... on ActiveConfig { versionNumber } } }";
    let nobody = stage.customer.clone();
    for client in [&*staging, &*gateway] {
        let answer = client.gql(config, json!({ "id": stage.agent, "in": "staging" })).await;
        assert_eq!(answer.at("/activeConfig"), &json!({ "versionNumber": 2, "environmentKey": "staging" }));
        for key in [Value::Null, json!("production"), json!("dev"), json!("nowhere")] {
            for query in [config, result] {
                let there = client.gql(query, json!({ "id": stage.agent, "in": key })).await;
                let absent = client.gql(query, json!({ "id": nobody, "in": key })).await;
                assert_eq!(bytes(&there, &[&stage.agent]), bytes(&absent, &[&nobody]), "{key}");
            }
            let query = key.as_str().map_or_else(String::new, |key| format!("?environment={key}"));
            for _ in 0..3 {
                let there = client.get(&format!("/internal/agents/{}/active{query}", stage.agent)).await;
                let absent = client.get(&format!("/internal/agents/{nobody}/active{query}")).await;
                assert_eq!((there.status.as_u16(), absent.status.as_u16()), (404, 404));
                let plain = |answer: &crate::support::Answer| {
                    let mut body = answer.body.clone();
                    body["instance"].take();
                    body["request_id"].take();
                    body
                };
                assert_eq!(plain(&there), plain(&absent), "{query}");
            }
        }
        let reach = client.get(&format!("/internal/agents/{}/active?environment=staging", stage.agent)).await;
        assert_eq!(reach.body["version_number"], 2);
    }

    // The graph: the agent is there, and what serves in production isn't.
    let graph = "query ($id: ID!) { agent(id: $id) { name activeVersion { number } rollbackTarget { number } latestActivation { id }
        serving { revision } servings { environment { key } activeVersion { number isActive activeIn { key } } }
        activations { nodes { id } totalCount } all: activations(environments: [\"production\", \"staging\"]) { nodes { environment { key } } totalCount }
        customer { environments(archived: true) { key } } versions { nodes { number isActive activeIn { key } } } } }";
    let answer = staging.gql(graph, json!({ "id": stage.agent })).await;
    let version =
        |number: i32, places: Value| json!({ "number": number, "isActive": false, "activeIn": places });
    assert_eq!(
        answer.at("/agent"),
        &json!({ "name": "Helper", "activeVersion": null, "rollbackTarget": null, "latestActivation": null, "serving": null,
            "servings": [{ "environment": { "key": "staging" }, "activeVersion": version(2, json!([{ "key": "staging" }])) }],
            "activations": { "nodes": [], "totalCount": 0 },
            "all": { "nodes": [{ "environment": { "key": "staging" } }], "totalCount": 1 },
            "customer": { "environments": [{ "key": "staging" }] },
            "versions": { "nodes": [version(3, json!([])), version(2, json!([{ "key": "staging" }])), version(1, json!([]))] } })
    );
    let rest = staging.get(&format!("/v1/agents/{}", stage.agent)).await;
    assert_eq!((&rest.body["active_version_id"], &rest.body["activated_at"]), (&Value::Null, &Value::Null));
    let export = staging.get(&format!("/v1/customers/{}/export", stage.customer)).await;
    assert_eq!((export.body.get("active"), &export.body["active_in"]), (None, &json!({ "staging": 2 })));
    // A search for what serves in production finds nothing.
    let search = "query ($id: ID!) { agents(customerId: $id, filter: { modelName: \"gpt-4-turbo\" }) { nodes { name } totalCount } }";
    assert_eq!(stage.editor.gql(search, json!({ "id": stage.customer })).await.at("/agents/totalCount"), 1);
    let found = staging.gql(search, json!({ "id": stage.customer })).await;
    assert_eq!(found.at("/agents"), &json!({ "nodes": [], "totalCount": 0 }));
    // Nodes by their ids.
    let ids = "query ($id: ID!) { customer(id: $id) { environments { id } agents { nodes { activations { nodes { id } } } } } }";
    let ids = stage.admin.gql(ids, json!({ "id": stage.customer })).await;
    for id in
        [ids.text("/customer/environments/0/id"), ids.text("/customer/agents/nodes/0/activations/nodes/0/id")]
    {
        let node = staging.gql("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(node.at("/node"), &Value::Null);
    }

    // Writes.
    let head = stage.head().await;
    let before = stage.serves().await;
    for environment in [Value::Null, json!("production"), json!("nowhere")] {
        let input =
            json!({ "agentId": stage.agent, "versionId": stage.versions[2], "environment": environment });
        let refused = staging.activate_input(input.clone()).await;
        assert_eq!(
            refused.text("/activateVersion/userErrors/0/message"),
            "there is no such environment",
            "{environment}"
        );
        assert_eq!(refused.at("/activateVersion/agent"), &Value::Null);
        let hidden = stranger.activate_input(input).await;
        assert_eq!(hidden.text("/activateVersion/userErrors/0/code"), "NOT_FOUND");
        let mut publish =
            json!({ "agentId": stage.agent, "systemPrompt": "x", "modelName": "m", "activate": true });
        publish["environment"] = environment;
        let refused = staging.publish_input(publish).await;
        assert_eq!(refused.text("/publishVersion/userErrors/0/message"), "there is no such environment");
    }
    let promote = "mutation ($input: PromoteVersionInput!) { promoteVersion(input: $input) { userErrors { message } } }";
    for (from, to) in [("staging", "production"), ("production", "staging")] {
        let input = json!({ "agentId": stage.agent, "fromEnvironment": from, "toEnvironment": to,
            "expectedFromVersionId": stage.versions[1], "expectedToVersionId": stage.versions[0] });
        let refused = staging.gql(promote, json!({ "input": input })).await;
        assert_eq!(refused.text("/promoteVersion/userErrors/0/message"), "there is no such environment");
    }
    assert_eq!((stage.head().await, stage.serves().await), (head, before));
    let input = json!({ "agentId": stage.agent, "versionId": stage.versions[2], "environment": "staging" });
    assert_eq!(staging.activate_input(input).await.at("/activateVersion/userErrors"), &json!([]));
    assert_eq!(stage.serves().await, json!({ "production": 1, "staging": 3, "dev": null }));
}

/// The configuration of production as a key of staging gets it.
async fn sees_production(client: &Client, agent: &str) -> bool {
    let config = "query ($id: ID!) { activeConfig(agentId: $id) { versionNumber } }";
    client.gql(config, json!({ "id": agent })).await.body["data"]["activeConfig"] != Value::Null
}

/// Each of the two walls below the policy holds alone for lists: the selects, and row-level security.
#[tokio::test]
async fn row_level_security_alone_hides_other_environments() {
    let app = App::set_up(Setup { is_row_level_security_only: true, ..Setup::default() }).await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    super::create(&operator, &customer, "staging").await;
    let agent = operator.agent(&customer, "Helper").await;
    let version = operator.publish(&agent, "prompt").await;
    for environment in ["production", "staging"] {
        let input = json!({ "agentId": agent, "versionId": version, "environment": environment });
        operator.activate_input(input).await.at("/activateVersion");
    }
    let staging = app.limited_program(&customer, READS, &["staging"]).await;
    let graph = "query ($id: ID!) { agent(id: $id) { servings { environment { key } }
        activations(environments: [\"production\", \"staging\"]) { nodes { environment { key } } totalCount } } }";
    let answer = staging.gql(graph, json!({ "id": agent })).await;
    let only = json!([{ "environment": { "key": "staging" } }]);
    assert_eq!(
        answer.at("/agent"),
        &json!({ "servings": only, "activations": { "nodes": only, "totalCount": 1 } })
    );
    assert!(!sees_production(&staging, &agent).await);
}

#[tokio::test]
async fn a_limited_token_is_rotated_with_its_limit_and_listed() {
    let stage = Stage::new(1).await;
    stage.activate(1, "staging").await;
    let create = "mutation ($input: CreateServiceTokenInput!) { createServiceToken(input: $input) {
        serviceToken { id environments } secret userErrors { field message } } }";
    let make = async |environments: Value| {
        let input = json!({ "name": "gateway", "scopes": ["CONFIGS_READ"], "environments": environments });
        stage.operator.gql(create, json!({ "input": input })).await.at("/createServiceToken").clone()
    };
    for wrong in [json!([]), json!(["No"]), json!(vec!["a"; 101])] {
        assert_eq!(make(wrong).await["userErrors"][0]["field"], "environments");
    }
    // Keys that no customer has yet are fine: the token is for every customer.
    let made = make(json!(["staging", "canary"])).await;
    assert_eq!(made["serviceToken"]["environments"], json!(["canary", "staging"]));
    let rotate = "mutation ($id: ID!) { rotateServiceToken(input: { serviceTokenId: $id }) { serviceToken { environments } secret } }";
    let next = stage.operator.gql(rotate, json!({ "id": made["serviceToken"]["id"] })).await;
    assert_eq!(next.at("/rotateServiceToken/serviceToken/environments"), &json!(["canary", "staging"]));
    for secret in [made["secret"].as_str().unwrap().to_owned(), next.text("/rotateServiceToken/secret")] {
        let client = stage.app.bearer(&secret);
        assert!(!sees_production(&client, &stage.agent).await);
        let config =
            "query ($id: ID!) { activeConfig(agentId: $id, environment: \"staging\") { versionNumber } }";
        assert_eq!(
            client.gql(config, json!({ "id": stage.agent })).await.at("/activeConfig/versionNumber"),
            1
        );
    }
}
