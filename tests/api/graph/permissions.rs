//! A caller's rights now. The service then permits these, and refuses all others.

use agent_registry::domain::{KeyScope, ServiceScope, member::Role};
use serde_json::{Value, json};

use super::texts;
use crate::{
    environment::{Stage, create_input},
    support::{Answer, caller::Client},
};

const RIGHTS: &str = "query ($customer: ID!, $agent: ID!) { viewer { platformPermissions }
    customer(id: $customer) { viewerPermissions }
    agent(id: $agent) { viewerPermissions production: serving { viewerPermissions } strict: serving(environment: \"strict\") { viewerPermissions } } }";

/// The rights that change something.
const WRITES: [&str; 12] = [
    "UPDATE_CUSTOMER",
    "MANAGE_MEMBERS",
    "REMOVE_MEMBERS",
    "MANAGE_KEYS",
    "REVOKE_KEYS",
    "MANAGE_ENVIRONMENTS",
    "WRITE_AGENTS",
    "PUBLISH_VERSIONS",
    "ACTIVATE_VERSIONS",
    "IMPORT_AGENTS",
    "MANAGE_BILLING",
    "ERASE_CUSTOMER",
];

const PLACES: [&str; 4] = [
    "/customer/viewerPermissions",
    "/agent/viewerPermissions",
    "/agent/production/viewerPermissions",
    "/agent/strict/viewerPermissions",
];

async fn ask(stage: &Stage, client: &Client) -> Answer {
    client.gql(RIGHTS, json!({ "customer": stage.customer, "agent": stage.agent })).await
}

/// The writes that are permitted in each place.
async fn writes(stage: &Stage, client: &Client) -> [Vec<String>; 4] {
    let answer = ask(stage, client).await;
    PLACES.map(|place| {
        let mut rights = texts(&answer, place);
        rights.retain(|right| WRITES.contains(&right.as_str()));
        rights
    })
}

/// A stage with an environment in which only ADMINs activate.
async fn stage() -> Stage {
    let stage = Stage::new(1).await;
    let input = json!({ "customerId": stage.customer, "key": "strict", "name": "Strict", "onBreaking": "ALLOW", "activateRole": "ADMIN" });
    create_input(&stage.admin, input).await.text("/createEnvironment/environment/id");
    stage
}

/// Tries to activate in this environment. Returns the code of the refusal, or null.
async fn activate(stage: &Stage, client: &Client, environment: &str) -> Value {
    let mutation =
        "mutation ($input: ActivateVersionInput!) { activateVersion(input: $input) { userErrors { code } } }";
    let input = json!({ "agentId": stage.agent, "versionId": stage.versions[0], "environment": environment });
    let answer = client.gql(mutation, json!({ "input": input })).await;
    answer.at("/activateVersion").pointer("/userErrors/0/code").cloned().unwrap_or_default()
}

#[tokio::test]
async fn each_role_is_shown_its_rights_at_each_object() {
    let stage = stage().await;
    let viewer = stage.app.member(&stage.customer, Role::Viewer).await;
    assert_eq!(writes(&stage, &viewer).await, [const { Vec::<String>::new() }; 4]);
    let editing = ["WRITE_AGENTS", "PUBLISH_VERSIONS", "ACTIVATE_VERSIONS"].map(str::to_owned).to_vec();
    let serving = editing[1..].to_vec();
    let strict = ["PUBLISH_VERSIONS".to_owned()].to_vec();
    assert_eq!(
        writes(&stage, &stage.editor).await,
        [editing.clone(), editing.clone(), serving.clone(), strict]
    );
    let admin = writes(&stage, &stage.admin).await;
    assert!(
        ["MANAGE_MEMBERS", "REVOKE_KEYS", "IMPORT_AGENTS"]
            .iter()
            .all(|right| admin[0].contains(&(*right).to_owned()))
    );
    assert_eq!(admin[1..], [editing.clone(), serving.clone(), serving.clone()]);
    let operator = ask(&stage, &stage.operator).await;
    assert_eq!(
        texts(&operator, "/viewer/platformPermissions"),
        ["CREATE_CUSTOMER", "MANAGE_PLATFORM", "READ_GATEWAYS"]
    );
    assert!(texts(&operator, PLACES[0]).contains(&"ERASE_CUSTOMER".to_owned()));
    assert!(!texts(&operator, PLACES[0]).contains(&"CREATE_CUSTOMER".to_owned()), "that is of the platform");
    assert_eq!(ask(&stage, &stage.admin).await.at("/viewer/platformPermissions"), &json!([]));
    // A key has its scopes, and counts as EDITOR.
    let key = stage.app.program(&stage.customer, [KeyScope::AgentsRead, KeyScope::VersionsActivate]).await;
    let only = vec!["ACTIVATE_VERSIONS".to_owned()];
    assert_eq!(writes(&stage, &key).await, [only.clone(), only.clone(), only, Vec::new()]);
    // The service refuses the rights that it doesn't show.
    let head = stage.head().await;
    for client in [&*stage.editor, &*key] {
        assert_eq!(activate(&stage, client, "strict").await, "POLICY_REFUSED");
    }
    assert_eq!(stage.head().await, head, "nothing was stored");
    assert_eq!(activate(&stage, &stage.admin, "strict").await, Value::Null);
}

#[tokio::test]
async fn a_suspended_customers_people_may_only_take_away() {
    let stage = stage().await;
    let before = writes(&stage, &stage.editor).await;
    for status in ["SUSPENDED", "CANCELED"] {
        stage.app.set_billing_status(&stage.customer, status).await;
        assert_eq!(writes(&stage, &stage.editor).await, [const { Vec::<String>::new() }; 4], "{status}");
        let admin = writes(&stage, &stage.admin).await;
        assert_eq!(admin[0], ["REMOVE_MEMBERS", "REVOKE_KEYS"], "{status}");
        assert!(admin[1..].iter().all(Vec::is_empty), "{status}: {admin:?}");
        // Reading goes on, and an operator may help.
        assert!(texts(&ask(&stage, &stage.editor).await, PLACES[1]).contains(&"READ_AGENTS".to_owned()));
        assert!(writes(&stage, &stage.operator).await[2].contains(&"ACTIVATE_VERSIONS".to_owned()));
        let head = stage.head().await;
        assert_eq!(activate(&stage, &stage.editor, "production").await, status);
        assert_eq!(stage.head().await, head, "nothing was stored");
        if status == "SUSPENDED" {
            assert_eq!(activate(&stage, &stage.operator, "production").await, Value::Null);
            stage.app.set_billing_status(&stage.customer, "ACTIVE").await;
            assert_eq!(writes(&stage, &stage.editor).await, before);
        }
    }
}

#[tokio::test]
async fn nobody_publishes_or_activates_while_an_agent_is_archived() {
    let stage = stage().await;
    let archive = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { revision } }";
    stage.editor.gql(archive, json!({ "id": stage.agent })).await.text("/archiveAgent/revision");
    for client in [&*stage.editor, &*stage.operator] {
        let [customer, agent, production, strict] = writes(&stage, client).await;
        assert!(customer.contains(&"PUBLISH_VERSIONS".to_owned()), "of other agents");
        assert_eq!(agent, ["WRITE_AGENTS"], "it can be restored");
        assert_eq!([production, strict], [const { Vec::<String>::new() }; 2]);
        let head = stage.head().await;
        assert_eq!(activate(&stage, client, "production").await, "ARCHIVED");
        assert_eq!(stage.head().await, head, "nothing was stored");
    }
}

/// A caller that doesn't see the customer sees no right there. One that sees the agent alone sees its rights to that.
#[tokio::test]
async fn a_program_that_sees_an_agent_alone_is_shown_its_rights_to_it() {
    let stage = stage().await;
    let town = stage.operator.customer("Town").await;
    let theirs = stage.app.program(&town, KeyScope::ALL).await;
    let answer = ask(&stage, &theirs).await;
    assert_eq!((answer.at("/customer"), answer.at("/agent")), (&Value::Null, &Value::Null));
    stage.activate(1, "production").await;
    let gateway = stage.app.service(ServiceScope::ALL).await;
    let mut socket = gateway.socket().await;
    let query = "subscription { activations(after: \"0\") { agent { viewerPermissions } } }";
    socket.subscribe("1", query, Value::Null).await;
    let event = socket.event().await;
    assert_eq!(
        event["data"]["activations"]["agent"]["viewerPermissions"],
        json!(["READ_SERVING", "READ_CONTENT", "READ_CONFIGS", "WATCH_ACTIVATIONS"]),
        "{event}"
    );
}
