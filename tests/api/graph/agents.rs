//! When an agent was last changed, and its latest version.

use agent_registry::domain::KeyScope;
use serde_json::{Value, json};

use crate::{
    environment::Stage,
    support::{Calls, caller::Client},
};

async fn agent(client: &Client, agent: &str) -> Value {
    let query = "query ($id: ID!) { agent(id: $id) { createdAt updatedAt latestVersion { number } } }";
    client.gql(query, json!({ "id": agent })).await.at("/agent").clone()
}

#[tokio::test]
async fn an_agents_last_change_is_one_that_its_reader_reaches() {
    let stage = Stage::new(0).await;
    let new = agent(&stage.editor, &stage.agent).await;
    assert_eq!((&new["updatedAt"], &new["latestVersion"]), (&new["createdAt"], &Value::Null));
    let staging = stage.app.limited_program(&stage.customer, [KeyScope::AgentsRead], &["staging"]).await;
    let times = async || {
        let time = |agent: &Value| agent["updatedAt"].as_str().unwrap().to_owned();
        let (all, some) = (agent(&stage.editor, &stage.agent).await, agent(&staging, &stage.agent).await);
        [time(&all), time(&some)]
    };
    let mut versions = Vec::new();
    for prompt in ["one", "two"] {
        let before = times().await;
        versions.push(stage.editor.publish(&stage.agent, prompt).await);
        let after = times().await;
        assert!(
            before[0] < after[0] && after[0] == after[1],
            "a version is seen by both: {before:?} {after:?}"
        );
    }
    assert_eq!(agent(&staging, &stage.agent).await["latestVersion"]["number"], 2);
    let activate = async |environment: &str| {
        let input = json!({ "agentId": stage.agent, "versionId": versions[1], "environment": environment });
        stage.editor.activate_input(input).await.text("/activateVersion/revision");
    };
    let before = times().await;
    activate("production").await;
    let after = times().await;
    assert!(before[0] < after[0], "{before:?} {after:?}");
    assert_eq!(before[1], after[1], "a key of staging doesn't learn when production changed");
    activate("dev").await;
    assert_eq!(times().await[1], before[1], "nor when another environment did");
    activate("staging").await;
    let both = times().await;
    assert!(after[0] < both[0] && before[1] < both[1], "{both:?}");
    stage.change("deactivate", "production").await;
    assert_eq!(times().await[1], both[1]);
    let rename = "mutation ($id: ID!) { updateAgent(input: { agentId: $id, name: \"Clerk\" }) { revision } }";
    let before = times().await;
    stage.editor.gql(rename, json!({ "id": stage.agent })).await.text("/updateAgent/revision");
    let after = times().await;
    assert!(before[0] < after[0] && before[1] < after[1], "a name is seen by both: {before:?} {after:?}");
}
