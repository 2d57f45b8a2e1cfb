//! Activation: one version is active, and a caller that expected another gets a conflict.

use agent_registry::domain::member::Role;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Answer, App, Calls, caller::Member};

/// How many callers activate concurrently with the same expectation.
const ACTIVATORS: usize = 50;

struct Stage {
    app: App,
    editor: Member,
    agent: String,
    versions: Vec<String>,
}

/// An agent with this many versions, none of them active.
async fn stage(versions: usize) -> Stage {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let agent = editor.agent(&customer, "Helper").await;
    let mut ids = Vec::new();
    for nth in 0..versions {
        ids.push(editor.publish(&agent, &format!("prompt {nth}")).await);
    }
    Stage { app, editor, agent, versions: ids }
}

impl Stage {
    async fn change(&self, mutation: &str, expected: Option<Value>) -> Answer {
        let Self { editor, agent, .. } = self;
        let mut input = json!({ "agentId": agent });
        if let Some(expected) = expected {
            input["expectedActiveVersionId"] = expected;
        }
        let input_type = if mutation == "rollback" { "RollbackInput" } else { "DeactivateInput" };
        let document = format!(
            "mutation ($input: {input_type}!) {{ answer: {mutation}(input: $input) {{ agent {{ activeVersion {{ number }} }}
             activation {{ reason version {{ number }} previousVersion {{ number }} }} revision userErrors {{ code message }} }} }}"
        );
        editor.gql(&document, json!({ "input": input })).await
    }

    async fn revision(&self) -> i64 {
        self.app.registry.head().await.unwrap().revision.0
    }

    async fn activations(&self) -> Value {
        let query = "query ($id: ID!) { agent(id: $id) { activations { nodes { reason version { number } previousVersion { number } } } } }";
        let answer = self.editor.gql(query, json!({ "id": self.agent })).await;
        answer.at("/agent/activations/nodes").clone()
    }
}

#[tokio::test]
async fn it_serves_and_is_recorded_with_its_commit() {
    let stage = stage(2).await;
    let before = stage.revision().await;
    let answer = stage.editor.activate(&stage.agent, &stage.versions[1]).await;
    assert_eq!(answer.at("/activateVersion/agent/activeVersion/number"), 2);
    assert_eq!(answer.text("/activateVersion/revision"), (before + 1).to_string());
    assert!(answer.text("/activateVersion/activation/cursor").starts_with(&format!("{}.1.", before + 1)));
    let config = "query ($id: ID!) { activeConfig(agentId: $id) { versionNumber systemPrompt revision } }";
    let config = stage.app.gateway().await.gql(config, json!({ "id": stage.agent })).await;
    let expected =
        json!({ "versionNumber": 2, "systemPrompt": "prompt 1", "revision": (before + 1).to_string() });
    assert_eq!(config.at("/activeConfig"), &expected);
}

#[tokio::test]
async fn activating_what_serves_already_records_nothing() {
    let stage = stage(1).await;
    let first = stage.editor.activate(&stage.agent, &stage.versions[0]).await;
    let before = stage.revision().await;
    let again = stage.editor.activate(&stage.agent, &stage.versions[0]).await;
    assert_eq!(
        again.at("/activateVersion"),
        first.at("/activateVersion"),
        "the same revision and activation again"
    );
    assert_eq!(stage.revision().await, before);
}

#[tokio::test]
async fn of_fifty_with_the_same_expectation_one_wins() {
    let stage = stage(ACTIVATORS + 1).await;
    let expected = &stage.versions[ACTIVATORS];
    stage.editor.activate(&stage.agent, expected).await;
    let answers = join_all(stage.versions[..ACTIVATORS].iter().map(|version| {
        let input =
            json!({ "agentId": stage.agent, "versionId": version, "expectedActiveVersionId": expected });
        stage.editor.activate_input(input)
    }));
    let answers = answers.await;
    let (won, lost): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.at("/activateVersion/userErrors") == &json!([]));
    assert_eq!((won.len(), lost.len()), (1, ACTIVATORS - 1));
    let winner = won[0].text("/activateVersion/agent/activeVersion/id");
    for answer in lost {
        assert_eq!(answer.text("/activateVersion/userErrors/0/code"), "CONFLICT");
        let number = answer.at("/activateVersion/agent/activeVersion/number");
        assert_eq!(
            answer.text("/activateVersion/userErrors/0/message"),
            format!("version {number} is active, not version {}", ACTIVATORS + 1)
        );
        assert_eq!(
            answer.text("/activateVersion/agent/activeVersion/id"),
            winner,
            "the loser gets the active version"
        );
    }
    assert_eq!(stage.activations().await.as_array().unwrap().len(), 2, "the losers recorded nothing");
}

#[tokio::test]
async fn expecting_nothing_to_serve_is_an_expectation_too() {
    let stage = stage(2).await;
    let input = |version: &str| json!({ "agentId": stage.agent, "versionId": version, "expectedActiveVersionId": null });
    assert_eq!(
        stage.editor.activate_input(input(&stage.versions[0])).await.at("/activateVersion/userErrors"),
        &json!([])
    );
    let refused = stage.editor.activate_input(input(&stage.versions[1])).await;
    assert_eq!(refused.text("/activateVersion/userErrors/0/code"), "CONFLICT");
    assert_eq!(stage.editor.active_number(&stage.agent).await, 1);
}

#[tokio::test]
async fn deactivating_and_archiving_serve_nothing() {
    let stage = stage(1).await;
    stage.editor.activate(&stage.agent, &stage.versions[0]).await;
    let off = stage.change("deactivate", None).await;
    assert_eq!(off.at("/answer/agent/activeVersion"), &Value::Null);
    let before = stage.revision().await;
    assert_eq!(stage.change("deactivate", None).await.text("/answer/revision"), off.text("/answer/revision"));
    assert_eq!(stage.revision().await, before);

    stage.editor.activate(&stage.agent, &stage.versions[0]).await;
    let archive = "mutation ($input: ArchiveAgentInput!) { archiveAgent(input: $input) { agent { archivedAt activeVersion { id } } revision } }";
    let archived = stage.editor.gql(archive, json!({ "input": { "agentId": stage.agent } })).await;
    assert_eq!(archived.at("/archiveAgent/agent/activeVersion"), &Value::Null);
    assert!(archived.at("/archiveAgent/agent/archivedAt").is_string());
    let again = stage.editor.gql(archive, json!({ "input": { "agentId": stage.agent } })).await;
    assert_eq!(again.text("/archiveAgent/revision"), archived.text("/archiveAgent/revision"));

    for refused in [
        stage
            .editor
            .activate(&stage.agent, &stage.versions[0])
            .await
            .at("/activateVersion/userErrors/0/code")
            .clone(),
        stage.change("rollback", None).await.at("/answer/userErrors/0/code").clone(),
        stage
            .editor
            .publish_input(json!({ "agentId": stage.agent, "systemPrompt": "x", "modelName": "m" }))
            .await
            .at("/publishVersion/userErrors/0/code")
            .clone(),
    ] {
        assert_eq!(refused, "ARCHIVED");
    }
    let restore = "mutation ($input: RestoreAgentInput!) { restoreAgent(input: $input) { agent { archivedAt activeVersion { id } } } }";
    let restored = stage.editor.gql(restore, json!({ "input": { "agentId": stage.agent } })).await;
    assert_eq!(restored.at("/restoreAgent/agent"), &json!({ "archivedAt": null, "activeVersion": null }));
    let reasons: Vec<Value> =
        stage.activations().await.as_array().unwrap().iter().map(|node| node["reason"].clone()).collect();
    assert_eq!(reasons, ["ARCHIVE", "ACTIVATE", "DEACTIVATE", "ACTIVATE"]);
}

#[tokio::test]
async fn a_version_of_another_agent_is_not_found() {
    let stage = stage(1).await;
    let customer = "query ($id: ID!) { agent(id: $id) { customer { id } } }";
    let customer = stage.editor.gql(customer, json!({ "id": stage.agent })).await.text("/agent/customer/id");
    let other = stage.editor.agent(&customer, "Other").await;
    let before = stage.revision().await;
    let answer = stage.editor.activate(&other, &stage.versions[0]).await;
    assert_eq!(answer.text("/activateVersion/userErrors/0/code"), "NOT_FOUND");
    assert_eq!(stage.editor.active_number(&other).await, Value::Null);
    assert_eq!(stage.revision().await, before);
}

#[tokio::test]
async fn publishing_activates_when_asked_to_in_one_commit() {
    let stage = stage(1).await;
    let before = stage.revision().await;
    let input = json!({ "agentId": stage.agent, "systemPrompt": "now", "modelName": "m", "activate": true });
    let answer = stage.editor.publish_input(input).await;
    assert_eq!(answer.text("/publishVersion/revision"), (before + 1).to_string());
    assert_eq!(stage.revision().await, before + 1);
    let expected = json!([{ "reason": "PUBLISH", "version": { "number": 2 }, "previousVersion": null }]);
    assert_eq!(stage.activations().await, expected);
}
