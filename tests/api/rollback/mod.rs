//! Rollback: going back walks through what served before, and never returns to a version that a rollback has left.

mod any;
mod model;

use agent_registry::domain::member::Role;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Answer, App, Calls, caller::Member};

const ROLL_BACK: &str = "mutation ($input: RollbackInput!) { rollback(input: $input) {
    agent { activeVersion { number } rollbackTarget { number } }
    activation { reason version { number } previousVersion { number } } revision userErrors { code message field } } }";

/// An agent with versions.
struct Stage {
    app: App,
    customer: String,
    editor: Member,
    agent: String,
    versions: Vec<String>,
}

impl Stage {
    /// An agent with this many versions, of which these are activated, by their numbers.
    async fn new(versions: usize, activated: &[usize]) -> Self {
        let app = App::start().await;
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        // Random histories need more requests a second than the plan FREE allows.
        let plan = "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: ENTERPRISE }) { userErrors { code } } }";
        operator.gql(plan, json!({ "id": customer })).await.at("/setPlan");
        let editor = app.member(&customer, Role::Editor).await;
        let mut stage = Self { app, customer, editor, agent: String::new(), versions: Vec::new() };
        stage.begin("Helper", versions).await;
        for number in activated {
            stage.activate(*number).await;
        }
        stage
    }

    /// Continues with another agent.
    async fn begin(&mut self, name: &str, versions: usize) {
        self.agent = self.editor.agent(&self.customer, name).await;
        self.versions.clear();
        for nth in 0..versions {
            self.versions.push(self.editor.publish(&self.agent, &format!("prompt {nth}")).await);
        }
    }

    fn id(&self, number: usize) -> &str {
        &self.versions[number - 1]
    }

    async fn activate(&self, number: usize) {
        self.editor.activate(&self.agent, self.id(number)).await.text("/activateVersion/revision");
    }

    async fn change(&self, mutation: &str, input_type: &str) {
        let document = format!(
            "mutation ($input: {input_type}!) {{ {mutation}(input: $input) {{ revision userErrors {{ code }} }} }}"
        );
        let answer = self.editor.gql(&document, json!({ "input": { "agentId": self.agent } })).await;
        assert_eq!(answer.at(&format!("/{mutation}/userErrors")), &json!([]));
    }

    async fn deactivate(&self) {
        self.change("deactivate", "DeactivateInput").await;
    }

    async fn archive_and_restore(&self) {
        self.change("archiveAgent", "ArchiveAgentInput").await;
        self.change("restoreAgent", "RestoreAgentInput").await;
    }

    /// Rolls back with these input fields, besides the agent.
    async fn roll_back(&self, mut input: Value) -> Answer {
        input["agentId"] = json!(self.agent);
        self.editor.gql(ROLL_BACK, json!({ "input": input })).await
    }

    /// The numbers of the active version and of the rollback's target; null without one.
    async fn serving(&self) -> [Value; 2] {
        let query =
            "query ($id: ID!) { agent(id: $id) { activeVersion { number } rollbackTarget { number } } }";
        let answer = self.editor.gql(query, json!({ "id": self.agent })).await;
        ["activeVersion", "rollbackTarget"]
            .map(|field| answer.at("/agent")[field].get("number").cloned().unwrap_or_default())
    }

    async fn revision(&self) -> i64 {
        self.app.registry.head().await.unwrap().revision.0
    }

    /// Asserts that a rollback is rejected with this error, and changes nothing.
    async fn assert_refused(&self, input: Value, field: Value, message: &str) {
        let before = (self.revision().await, self.serving().await);
        let answer = self.roll_back(input.clone()).await;
        let error = json!([{ "code": "INVALID", "message": message, "field": field }]);
        assert_eq!(answer.at("/rollback/userErrors"), &error, "{input}");
        assert_eq!(answer.at("/rollback/activation"), &Value::Null);
        assert_eq!((self.revision().await, self.serving().await), before, "{input}: nothing changed");
    }
}

const NOTHING: &str = "there is nothing to go back to: no other version served before, or rollbacks have left each \
                       since its last activation; `activateVersion` activates any version";

#[tokio::test]
async fn it_goes_further_back_each_time_and_never_forward() {
    let stage = Stage::new(3, &[1, 2, 3]).await;
    assert_eq!(stage.serving().await, [3, 2]);
    let back = stage.roll_back(json!({})).await;
    let expected =
        json!({ "reason": "ROLLBACK", "version": { "number": 2 }, "previousVersion": { "number": 3 } });
    assert_eq!(back.at("/rollback/activation"), &expected);
    assert_eq!(back.at("/rollback/agent/rollbackTarget/number"), 1);
    assert_eq!(stage.serving().await, [2, 1]);
    stage.roll_back(json!({})).await.text("/rollback/revision");
    assert_eq!(stage.serving().await, [json!(1), Value::Null]);
    stage.assert_refused(json!({}), json!("agentId"), NOTHING).await;
    // An explicit activation is what brings a version back.
    stage.activate(3).await;
    assert_eq!(stage.serving().await, [3, 1]);
}

#[tokio::test]
async fn an_agent_that_never_served_has_nothing_to_go_back_to() {
    let stage = Stage::new(1, &[]).await;
    assert_eq!(stage.serving().await, [Value::Null, Value::Null]);
    stage.assert_refused(json!({}), json!("agentId"), NOTHING).await;
    stage.activate(1).await;
    stage.assert_refused(json!({}), json!("agentId"), NOTHING).await;
}

#[tokio::test]
async fn after_a_deactivation_it_returns_to_what_served_before() {
    let stage = Stage::new(2, &[1, 2]).await;
    stage.deactivate().await;
    assert_eq!(stage.serving().await, [Value::Null, json!(2)]);
    let back = stage.roll_back(json!({ "expectedActiveVersionId": null })).await;
    assert_eq!(
        back.at("/rollback/activation"),
        &json!({ "reason": "ROLLBACK", "version": { "number": 2 }, "previousVersion": null })
    );
    assert_eq!(stage.serving().await, [2, 1]);
    stage.archive_and_restore().await;
    assert_eq!(stage.serving().await, [Value::Null, json!(2)]);
    stage.roll_back(json!({ "steps": 2 })).await.text("/rollback/revision");
    assert_eq!(stage.serving().await, [json!(1), Value::Null]);
}

#[tokio::test]
async fn an_archived_agent_has_no_target_and_is_not_rolled_back() {
    let stage = Stage::new(2, &[1, 2]).await;
    stage.change("archiveAgent", "ArchiveAgentInput").await;
    assert_eq!(stage.serving().await, [Value::Null, Value::Null]);
    let before = stage.revision().await;
    let refused = stage.roll_back(json!({})).await;
    assert_eq!(refused.text("/rollback/userErrors/0/code"), "ARCHIVED");
    assert_eq!(stage.revision().await, before);
}

#[tokio::test]
async fn it_goes_several_steps_or_to_a_version() {
    let stage = Stage::new(5, &[1, 2, 3, 4]).await;
    stage.roll_back(json!({ "steps": 2 })).await.text("/rollback/revision");
    assert_eq!(stage.serving().await, [2, 1], "and not 3, which it went past");
    stage.activate(4).await;
    let to = json!({ "toVersionId": stage.id(1), "expectedActiveVersionId": stage.id(4) });
    stage.roll_back(to).await.text("/rollback/revision");
    assert_eq!(stage.serving().await, [json!(1), Value::Null]);
    // To the active version: nothing changes.
    let before = stage.revision().await;
    let same = stage.roll_back(json!({ "toVersionId": stage.id(1) })).await;
    assert_eq!(same.text("/rollback/revision"), before.to_string());
    assert_eq!(stage.revision().await, before);
}

#[tokio::test]
async fn what_it_can_not_go_to_is_rejected_with_the_reason() {
    let stage = Stage::new(4, &[1, 2, 3]).await;
    let both = json!({ "toVersionId": stage.id(1), "steps": 1 });
    stage.assert_refused(both, json!("steps"), "give `toVersionId` or `steps`, not both").await;
    for steps in [0, -1, i32::MIN] {
        let message = format!("`steps` must be 1 or more, got {steps}");
        stage.assert_refused(json!({ "steps": steps }), json!("steps"), &message).await;
    }
    for steps in [3, i32::MAX] {
        let message = format!("`steps` must be 1 to 2 for this agent, got {steps}");
        stage.assert_refused(json!({ "steps": steps }), json!("steps"), &message).await;
    }
    stage.roll_back(json!({})).await.text("/rollback/revision");
    for number in [3, 4] {
        let message = format!(
            "version {number} never served, or a rollback has left it since its last activation; `activateVersion` \
             activates any version"
        );
        stage
            .assert_refused(json!({ "toVersionId": stage.id(number) }), json!("toVersionId"), &message)
            .await;
    }
    let other = stage.editor.agent(&stage.customer, "Other").await;
    let foreign = stage.editor.publish(&other, "x").await;
    let before = stage.revision().await;
    for unknown in [foreign.as_str(), "00000000-0000-7000-8000-000000000000"] {
        let refused = stage.roll_back(json!({ "toVersionId": unknown })).await;
        assert_eq!(refused.text("/rollback/userErrors/0/code"), "NOT_FOUND", "{unknown}");
    }
    assert_eq!((stage.revision().await, stage.serving().await), (before, [json!(2), json!(1)]));
}

/// Two people press at once: with what each of them saw, one rollback happens.
#[tokio::test]
async fn of_many_at_once_that_saw_the_same_one_goes_back() {
    let stage = Stage::new(3, &[1, 2, 3]).await;
    let seen = json!({ "expectedActiveVersionId": stage.id(3) });
    let answers = join_all((0..10).map(|_| stage.roll_back(seen.clone()))).await;
    let done = answers.iter().filter(|answer| answer.at("/rollback/userErrors") == &json!([])).count();
    assert_eq!(done, 1);
    assert_eq!(stage.serving().await, [2, 1]);
    // Rollbacks that expect nothing go back one after the other, and none brings a version back.
    let stage = Stage::new(3, &[1, 2, 3]).await;
    let answers = join_all((0..10).map(|_| stage.roll_back(json!({})))).await;
    let done = answers.iter().filter(|answer| answer.at("/rollback/userErrors") == &json!([])).count();
    assert_eq!(done, 2);
    assert_eq!(stage.serving().await, [json!(1), Value::Null]);
}
