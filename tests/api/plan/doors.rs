//! Each way to activate, with each rule: a refused activation leaves nothing.

use agent_registry::domain::KeyScope;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Stage, codes, contents, with};
use crate::support::{Answer, caller::Client};

/// The ways to activate the third version, or one with its content, in `production`.
const DOORS: [&str; 5] = ["activateVersion", "promoteVersion", "publishVersion", "REST", "import"];

const PROMOTE: &str = "mutation ($input: PromoteVersionInput!) { done: promoteVersion(input: $input) {
    serving { activeVersion { number } } revision userErrors { code message } plan { policy { rule effect } } } }";

impl Stage {
    /// Enters by a door, and returns the code of the refusal; none if it went through.
    async fn enter(&self, door: &str, caller: &Client) -> Option<String> {
        let [_, _, third] = contents();
        let code = |answer: &Answer| codes(answer).first().map(ToString::to_string);
        match door {
            "activateVersion" => code(&self.activate(caller, 2, &json!({})).await),
            "publishVersion" => code(&self.publish(caller, &with(third, &json!({ "activate": true }))).await),
            "promoteVersion" => {
                let input = json!({ "agentId": self.agent, "fromEnvironment": "dev", "toEnvironment": "production",
                    "expectedFromVersionId": self.versions[2], "expectedToVersionId": self.versions[0] });
                code(&caller.gql(PROMOTE, json!({ "input": input })).await)
            }
            "REST" => {
                let body = json!({ "system_prompt": third["systemPrompt"], "model_name": third["modelName"],
                    "tools": third["tools"], "activate": true });
                let answer = caller.post(&format!("/v1/agents/{}/versions", self.agent), body).await;
                answer.body["code"].as_str().map(str::to_owned)
            }
            "import" => {
                let text = self.import(caller, "", line("Helper")).await;
                let found = text.split("\"code\":\"").nth(1)?;
                found.split('"').next().map(str::to_owned)
            }
            other => unreachable!("{other}"),
        }
    }

    /// Imports a file, and returns the answer's text.
    async fn import(&self, caller: &Client, parameters: &str, file: String) -> String {
        let path = format!("/v1/customers/{}/import{parameters}", self.customer);
        let request = caller.request(reqwest::Method::POST, &path);
        let answer = Answer::of(request.header("content-type", "application/x-ndjson").body(file)).await;
        match answer.body {
            Value::String(text) => text,
            json => json.to_string(),
        }
    }
}

/// A line of a file: an agent with the three versions, of which the third is active.
fn line(name: &str) -> String {
    let version = |content: &Value| json!({ "system_prompt": content["systemPrompt"], "model_name": content["modelName"], "tools": content["tools"] });
    let versions: Vec<Value> = contents().iter().map(version).collect();
    json!({ "agent": name, "versions": versions, "active": 3 }).to_string() + "\n"
}

/// A stage whose third version is active in `dev`, so that it can be promoted from there.
async fn stage_with(rules: &Value) -> Stage {
    let stage = Stage::open().await;
    stage.environment("dev", &json!({ "onBreaking": "ALLOW" })).await;
    stage.environment("staging", &json!({ "onBreaking": "ALLOW" })).await;
    assert_eq!(codes(&stage.activate(&stage.admin, 2, &json!({ "environment": "dev" })).await), [""; 0]);
    stage.rules("production", rules).await;
    stage
}

#[tokio::test]
async fn every_way_to_activate_obeys_every_rule() {
    for (rules, code) in [
        (json!({ "promoteFrom": "staging" }), "NOT_PROMOTABLE"),
        (json!({ "promoteFrom": "staging", "minSoakSeconds": 60 }), "NOT_PROMOTABLE"),
        (json!({ "onBreaking": "CONFIRM" }), "CONFIRMATION_REQUIRED"),
        (json!({ "onBreaking": "REFUSE" }), "POLICY_REFUSED"),
        (json!({ "allowedModels": ["m-2"] }), "POLICY_REFUSED"),
    ] {
        let stage = stage_with(&rules).await;
        let before = stage.stored().await;
        for door in DOORS {
            assert_eq!(stage.enter(door, &stage.admin).await.as_deref(), Some(code), "{door} {rules}");
            assert_eq!(stage.stored().await, before, "{door} {rules}");
        }
    }
}

#[tokio::test]
async fn without_a_rule_every_door_is_open() {
    for door in DOORS {
        let stage = stage_with(&json!({})).await;
        assert_eq!(stage.enter(door, &stage.admin).await, None, "{door}");
        assert!(stage.serves("production").await.as_i64() >= Some(3), "{door}");
    }
}

#[tokio::test]
async fn every_way_to_change_what_serves_obeys_the_role() {
    let stage = stage_with(&json!({})).await;
    stage.activate(&stage.editor, 1, &json!({})).await;
    stage.activate(&stage.editor, 0, &json!({})).await;
    stage.rules("production", &json!({ "activateRole": "ADMIN" })).await;
    let scopes =
        [KeyScope::AgentsRead, KeyScope::AgentsWrite, KeyScope::VersionsPublish, KeyScope::VersionsActivate];
    let program = stage.app.program(&stage.customer, scopes).await;
    let agent = json!({ "input": { "agentId": stage.agent } });
    let takes_away = [
        "mutation ($input: RollbackInput!) { done: rollback(input: $input) { userErrors { code } plan { impact } } }",
        "mutation ($input: DeactivateInput!) { done: deactivate(input: $input) { userErrors { code } plan { impact } } }",
        "mutation ($input: ArchiveAgentInput!) { done: archiveAgent(input: $input) { userErrors { code } } }",
    ];
    // A key's first use is stored.
    program.gql("{ viewer { kind } }", json!({})).await;
    let before = stage.stored().await;
    for (name, caller) in [("editor", &*stage.editor), ("key", &program)] {
        for door in DOORS {
            let expected = if (door, name) == ("import", "editor") { "FORBIDDEN" } else { "POLICY_REFUSED" };
            assert_eq!(stage.enter(door, caller).await.as_deref(), Some(expected), "{door} {name}");
        }
        for document in takes_away {
            let refused = caller.gql(document, agent.clone()).await;
            assert_eq!(codes(&refused), ["POLICY_REFUSED"], "{document}");
        }
    }
    assert_eq!(stage.stored().await, before);
    // Another environment has another role.
    assert_eq!(codes(&stage.activate(&program, 1, &json!({ "environment": "dev" })).await), [""; 0]);
    for document in takes_away {
        assert_eq!(codes(&stage.admin.gql(document, agent.clone()).await), [""; 0], "{document}");
    }
}

#[tokio::test]
async fn what_takes_away_waits_for_no_other_rule() {
    let stage = stage_with(&json!({})).await;
    stage.activate(&stage.editor, 2, &json!({})).await;
    let strict = json!({ "promoteFrom": "staging", "minSoakSeconds": 60, "onBreaking": "REFUSE", "allowedModels": ["m-2"] });
    stage.rules("production", &strict).await;
    // A version that serves already is no change, although every rule would refuse it by now.
    assert_eq!(codes(&stage.activate(&stage.editor, 2, &json!({})).await), [""; 0]);
    let agent = json!({ "input": { "agentId": stage.agent } });
    let rollback =
        "mutation ($input: RollbackInput!) { done: rollback(input: $input) { userErrors { code } } }";
    assert_eq!(codes(&stage.editor.gql(rollback, agent.clone()).await), [""; 0]);
    assert_eq!(stage.serves("production").await, 1);
    let deactivate =
        "mutation ($input: DeactivateInput!) { done: deactivate(input: $input) { userErrors { code } } }";
    assert_eq!(codes(&stage.editor.gql(deactivate, agent).await), [""; 0]);
    assert_eq!(stage.serves("production").await, Value::Null);
}

#[tokio::test]
async fn what_begins_where_nothing_serves_breaks_nothing() {
    let stage = stage_with(&json!({ "onBreaking": "REFUSE" })).await;
    assert_eq!(codes(&stage.activate(&stage.editor, 2, &json!({})).await), ["POLICY_REFUSED"]);
    let agent = json!({ "input": { "agentId": stage.agent } });
    let deactivate =
        "mutation ($input: DeactivateInput!) { done: deactivate(input: $input) { userErrors { code } } }";
    assert_eq!(codes(&stage.editor.gql(deactivate, agent).await), [""; 0]);
    assert_eq!(codes(&stage.activate(&stage.editor, 2, &json!({})).await), [""; 0]);
    assert_eq!(stage.serves("production").await, 3);
}

#[tokio::test]
async fn an_import_skips_the_lines_that_a_rule_refuses() {
    let stage = stage_with(&json!({ "onBreaking": "REFUSE" })).await;
    let file = line("Helper") + &line("Second");
    let stopped = stage.import(&stage.admin, "", file.clone()).await;
    assert!(stopped.contains("POLICY_REFUSED") && stopped.contains("\"created\":0"), "{stopped}");
    let skipped = stage.import(&stage.admin, "?skip_bad=true", file).await;
    assert!(skipped.contains("POLICY_REFUSED") && skipped.contains("\"created\":1"), "{skipped}");
    assert_eq!(stage.serves("production").await, 1);
}

#[tokio::test]
async fn a_version_soaks_where_it_is_promoted_from_and_nowhere_else() {
    let stage = stage_with(&json!({ "promoteFrom": "staging", "minSoakSeconds": 60 })).await;
    let rule = async || {
        let plan = stage.plan(&stage.editor, 2, &json!({})).await;
        let policy = plan["policy"].as_array().unwrap().clone();
        let refusal = policy.into_iter().find(|finding| finding["effect"] == "REFUSE");
        (refusal.map(|finding| finding["rule"].as_str().unwrap().to_owned()), plan["planHash"].clone())
    };
    let pass = |seconds| stage.app.clock.shift(TimeDelta::seconds(seconds));
    pass(1000);
    let (never, first) = rule().await;
    assert_eq!(never.as_deref(), Some("PROMOTE_FROM"), "it was only active in dev");
    let here = json!({ "environment": "staging" });
    stage.activate(&stage.editor, 2, &here).await;
    pass(40);
    stage.activate(&stage.editor, 1, &here).await;
    pass(1000);
    let (short, second) = rule().await;
    assert_eq!(short.as_deref(), Some("MIN_SOAK"), "40 s");
    assert_ne!(first, second);
    stage.activate(&stage.editor, 2, &here).await;
    assert_eq!(codes(&stage.activate(&stage.editor, 2, &json!({})).await), ["NOT_PROMOTABLE"]);
    pass(10);
    assert_eq!(rule().await, (Some("MIN_SOAK".to_owned()), second.clone()), "50 s, and the hash stays");
    pass(11);
    let (none, third) = rule().await;
    assert_eq!(none, None, "61 s in two periods");
    assert_ne!(second, third);
    let agent = json!({ "input": { "agentId": stage.agent } });
    for document in [
        "mutation ($input: ArchiveAgentInput!) { done: archiveAgent(input: $input) { userErrors { code } } }",
        "mutation ($input: RestoreAgentInput!) { done: restoreAgent(input: $input) { userErrors { code } } }",
    ] {
        assert_eq!(codes(&stage.admin.gql(document, agent.clone()).await), [""; 0], "{document}");
    }
    // The archiving ended the period, and what serves in `production`.
    stage.rules("production", &json!({ "minSoakSeconds": 62 })).await;
    pass(1000);
    assert_eq!(rule().await.0.as_deref(), Some("MIN_SOAK"), "still 61 s");
    stage.rules("production", &json!({ "minSoakSeconds": 60 })).await;
    let third = rule().await.1;
    assert_eq!(codes(&stage.activate(&stage.editor, 2, &json!({ "planHash": third })).await), [""; 0]);
    assert_eq!(stage.serves("production").await, 3);
}

#[tokio::test]
async fn a_key_of_one_environment_is_held_to_another_that_it_does_not_reach() {
    let stage = stage_with(&json!({ "promoteFrom": "staging" })).await;
    let create = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret userErrors { message } } }";
    let input = json!({ "customerId": stage.customer, "name": "live", "environments": ["production"],
        "scopes": ["AGENTS_READ", "VERSIONS_ACTIVATE"] });
    let key = stage.operator.gql(create, json!({ "input": input })).await.text("/createApiKey/secret");
    let program = stage.app.bearer(&key);
    let refused = stage.activate(&program, 2, &json!({})).await;
    assert_eq!(codes(&refused), ["NOT_PROMOTABLE"]);
    let plan = stage.plan(&program, 2, &json!({})).await;
    assert!(!plan.to_string().contains("staging"), "{plan}");
    assert_eq!(plan["planHash"], stage.plan(&stage.editor, 2, &json!({})).await["planHash"]);
    stage.activate(&stage.editor, 2, &json!({ "environment": "staging" })).await;
    stage.rules("production", &json!({ "minSoakSeconds": 60 })).await;
    let plan = stage.plan(&program, 2, &json!({})).await["policy"].to_string();
    assert!(plan.contains("active in the environment before it for less, and"), "{plan}");
    let plan = stage.plan(&stage.editor, 2, &json!({})).await["policy"].to_string();
    assert!(plan.contains("active in `staging` for 0 s, and"), "{plan}");
    stage.app.clock.shift(TimeDelta::seconds(60));
    assert_eq!(stage.plan(&program, 2, &json!({})).await["decision"], "ALLOW");
    assert_eq!(codes(&stage.activate(&program, 2, &json!({})).await), [""; 0]);
}
