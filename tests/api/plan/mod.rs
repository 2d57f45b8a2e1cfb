//! Plans of activations: what they say, and that every way to activate is held to the rules of its environment.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use crate::support::{
    Answer, App, Calls,
    caller::{Client, Member, Operator},
};

mod confirm;
mod doors;
mod gateways;
mod query;
mod rest;

const PLAN: &str = "query ($agent: ID!, $environment: String, $version: ID, $content: VersionContentInput) {
    plan: activationPlan(agentId: $agent, environment: $environment, versionId: $version, content: $content) {
        agent { id } environment { key } previousVersion { number } version { number } impact decision mustConfirm planHash
        revision affectedGateways pendingGateways findings { impact path toolName before after message }
        policy { rule effect message } } }";

const ACTIVATE: &str = "mutation ($input: ActivateVersionInput!) { done: activateVersion(input: $input) {
    serving { activeVersion { number } } revision userErrors { code field message }
    plan { planHash decision mustConfirm impact policy { rule effect } previousVersion { number } version { number } } } }";

const PUBLISH: &str = "mutation ($input: PublishVersionInput!) { done: publishVersion(input: $input) {
    version { id number } revision userErrors { code field message }
    plan { planHash decision mustConfirm impact policy { rule effect } previousVersion { number } version { number } } } }";

/// A customer with an agent of three versions: the first serves in `production`, the second says other words, and the
/// third requires one parameter more.
struct Stage {
    app: App,
    operator: Operator,
    admin: Member,
    editor: Member,
    customer: String,
    agent: String,
    versions: Vec<String>,
}

/// What a version holds, besides the agent: a prompt, and the parameters that its tool requires.
fn content(prompt: &str, required: &[&str]) -> Value {
    json!({ "systemPrompt": prompt, "modelName": "m-1", "tools": [{ "name": "find", "inputSchema": {
        "type": "object", "properties": { "city": { "type": "string" } }, "required": required } }] })
}

fn contents() -> [Value; 3] {
    [content("Help.", &[]), content("Help well.", &[]), content("Help well.", &["city"])]
}

fn with(mut object: Value, more: &Value) -> Value {
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

impl Stage {
    async fn open() -> Self {
        let app = App::start().await;
        let operator = app.operator().await;
        let customer = operator.customer("City").await;
        let (admin, editor) =
            (app.member(&customer, Role::Admin).await, app.member(&customer, Role::Editor).await);
        let agent = editor.agent(&customer, "Helper").await;
        let mut stage = Self { app, operator, admin, editor, customer, agent, versions: Vec::new() };
        for content in contents() {
            let version = stage.publish(&stage.editor, &content).await.text("/done/version/id");
            stage.versions.push(version);
        }
        let done = stage.activate(&stage.editor, 0, &json!({})).await;
        assert_eq!(done.at("/done/userErrors"), &json!([]));
        stage
    }

    /// Creates an environment with these rules.
    async fn environment(&self, key: &str, rules: &Value) {
        let input = with(json!({ "customerId": self.customer, "key": key, "name": key }), rules);
        let mutation = "mutation ($input: CreateEnvironmentInput!) { createEnvironment(input: $input) {
            environment { id } userErrors { message } } }";
        self.operator
            .gql(mutation, json!({ "input": input }))
            .await
            .text("/createEnvironment/environment/id");
    }

    /// Changes the rules of an environment.
    async fn rules(&self, key: &str, rules: &Value) {
        let query = "query ($id: ID!) { customer(id: $id) { environments { id key } } }";
        let found = self.operator.gql(query, json!({ "id": self.customer })).await;
        let all = found.at("/customer/environments").as_array().unwrap().clone();
        let id = all.iter().find(|environment| environment["key"] == key).unwrap()["id"].clone();
        let mutation = "mutation ($input: UpdateEnvironmentInput!) { updateEnvironment(input: $input) {
            environment { id } userErrors { message } } }";
        let input = with(json!({ "environmentId": id }), rules);
        self.operator
            .gql(mutation, json!({ "input": input }))
            .await
            .text("/updateEnvironment/environment/id");
    }

    /// The plan of one of the versions, in `production` or as `more` says.
    async fn plan(&self, caller: &Client, version: usize, more: &Value) -> Value {
        self.ask(caller, &with(json!({ "version": self.versions[version] }), more)).await
    }

    async fn ask(&self, caller: &Client, variables: &Value) -> Value {
        let answer = caller.gql(PLAN, with(json!({ "agent": self.agent }), variables)).await;
        answer.at("/plan").clone()
    }

    async fn activate(&self, caller: &Client, version: usize, more: &Value) -> Answer {
        let input = with(json!({ "agentId": self.agent, "versionId": self.versions[version] }), more);
        caller.gql(ACTIVATE, json!({ "input": input })).await
    }

    async fn publish(&self, caller: &Client, input: &Value) -> Answer {
        let input = with(json!({ "agentId": self.agent }), input);
        caller.gql(PUBLISH, json!({ "input": input })).await
    }

    /// The number that serves in an environment.
    async fn serves(&self, environment: &str) -> Value {
        let query = "query ($id: ID!, $key: String) { agent(id: $id) { serving(environment: $key) { activeVersion { number } } } }";
        let found = self.operator.gql(query, json!({ "id": self.agent, "key": environment })).await;
        found.at("/agent/serving/activeVersion").get("number").cloned().unwrap_or_default()
    }

    /// The hash of each table's rows.
    async fn stored(&self) -> Vec<(String, String)> {
        let mut admin = PgConnection::connect(&self.app.database.admin_url).await.unwrap();
        let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'registry' AND \
            table_type = 'BASE TABLE' ORDER BY 1";
        let tables = sqlx::query(tables).fetch_all(&mut admin).await.unwrap();
        assert!(tables.len() > 15);
        let mut rows = Vec::new();
        for table in tables {
            let table: String = table.get(0);
            let hash = format!(
                "SELECT coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM registry.{table} AS t"
            );
            let hash = sqlx::query(AssertSqlSafe(hash)).fetch_one(&mut admin).await.unwrap();
            rows.push((table, hash.get(0)));
        }
        rows
    }
}

/// The codes of a payload's errors.
fn codes(answer: &Answer) -> Vec<&str> {
    let errors = answer.at("/done/userErrors").as_array().unwrap();
    errors.iter().map(|error| error["code"].as_str().unwrap()).collect()
}
