//! Events of customers, for every role.

use std::time::Duration;

use agent_registry::domain::{KeyScope, ServiceScope, member::Role};
use serde_json::{Value, json};

use crate::{
    environment::{Stage, create},
    support::{
        Calls,
        caller::Client,
        socket::{Frame, Socket},
        wait::until,
    },
};

const EVENTS: &str = "subscription ($id: ID, $after: Cursor) { customerEvents(customerId: $id, after: $after) {
    cursor revision at action actor { kind } customerId agentId agent { name } version { number } environmentKey } }";

async fn watch(client: &Client, variables: Value) -> Socket {
    let mut socket = client.socket().await;
    socket.subscribe("1", EVENTS, variables).await;
    socket
}

/// The next events up to the agent with this name was created: their actions and environments.
async fn until_created(socket: &mut Socket, last: &str) -> Vec<(String, Value)> {
    let mut seen = Vec::new();
    loop {
        let event = socket.event().await["data"]["customerEvents"].clone();
        if event["action"] == "AGENT_CREATED" && event["agent"]["name"] == last {
            return seen;
        }
        seen.push((event["action"].as_str().unwrap().to_owned(), event["environmentKey"].clone()));
    }
}

/// Does something of each kind after this revision, which is returned.
async fn work(stage: &mut Stage) -> String {
    let revision = stage.viewer_revision().await;
    let plan = "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: PRO }) { revision } }";
    stage.operator.gql(plan, json!({ "id": stage.customer })).await.text("/setPlan/revision");
    let invite = "mutation ($id: ID!) { inviteMember(input: { customerId: $id, email: \"a@example.org\", role: VIEWER }) { revision } }";
    stage.admin.gql(invite, json!({ "id": stage.customer })).await.text("/inviteMember/revision");
    stage.versions.push(stage.editor.publish(&stage.agent, "one").await);
    stage.activate(1, "staging").await;
    stage.activate(1, "production").await;
    let test = create(&stage.admin, &stage.customer, "test").await;
    let archive = "mutation ($id: ID!) { archiveEnvironment(input: { environmentId: $id }) { revision } }";
    stage.admin.gql(archive, json!({ "id": test })).await.text("/archiveEnvironment/revision");
    stage.editor.agent(&stage.customer, "Last").await;
    revision
}

impl Stage {
    async fn viewer_revision(&self) -> String {
        self.editor.gql("{ revision }", Value::Null).await.text("/revision")
    }
}

fn named(events: &[(&str, Option<&str>)]) -> Vec<(String, Value)> {
    events.iter().map(|(action, key)| ((*action).to_owned(), json!(key))).collect()
}

#[tokio::test]
async fn every_role_gets_each_event_once_and_a_key_those_that_it_reaches() {
    let mut stage = Stage::new(0).await;
    let viewer = stage.app.member(&stage.customer, Role::Viewer).await;
    let key = stage.app.program(&stage.customer, [KeyScope::AgentsRead]).await;
    let staging = stage.app.limited_program(&stage.customer, [KeyScope::AgentsRead], &["staging"]).await;
    let revision = work(&mut stage).await;
    let of_key = named(&[
        ("VERSION_PUBLISHED", None),
        ("AGENT_ACTIVATED", Some("staging")),
        ("AGENT_ACTIVATED", Some("production")),
        ("ENVIRONMENT_CREATED", Some("test")),
        ("ENVIRONMENT_ARCHIVED", Some("test")),
    ]);
    let of_member = [named(&[("CUSTOMER_PLAN_SET", None)]), of_key.clone()].concat();
    let of_staging = of_key[..2].to_vec();
    let after = json!({ "after": revision });
    for (client, expected) in [
        (&*viewer, &of_member),
        (&*stage.admin, &of_member),
        (&*stage.operator, &of_member),
        (&*key, &of_key),
        (&*staging, &of_staging),
    ] {
        let mut socket = watch(client, after.clone()).await;
        assert_eq!(&until_created(&mut socket, "Last").await, expected, "replayed");
    }
    // Live, and resumed by a cursor.
    until("the others have left", || stage.app.watchers() == 0).await;
    let mut sockets =
        [watch(&viewer, json!({ "id": stage.customer })).await, watch(&staging, json!({})).await];
    until("both watch", || stage.app.watchers() == 2).await;
    stage.change("rollback", "production").await;
    stage.change("deactivate", "production").await;
    stage.editor.agent(&stage.customer, "Live").await;
    let [all, some] = &mut sockets;
    let first = all.event().await["data"]["customerEvents"].clone();
    assert_eq!(
        (&first["action"], &first["environmentKey"]),
        (&json!("AGENT_DEACTIVATED"), &json!("production"))
    );
    assert_eq!(first["actor"]["kind"], "USER");
    assert_eq!((&first["agent"]["name"], &first["agentId"]), (&json!("Helper"), &json!(stage.agent)));
    assert_eq!(first["customerId"], stage.customer.as_str());
    assert_eq!(until_created(all, "Live").await, named(&[]));
    assert_eq!(until_created(some, "Live").await, named(&[]), "nothing of production");
    let mut resumed = watch(&viewer, json!({ "after": first["cursor"] })).await;
    assert_eq!(until_created(&mut resumed, "Live").await, named(&[]), "each once");
}

#[tokio::test]
async fn nobody_else_gets_a_customers_events() {
    let mut stage = Stage::new(0).await;
    let town = stage.operator.customer("Town").await;
    let theirs = stage.app.program(&town, KeyScope::ALL).await;
    let stranger = stage.app.stranger();
    let mut sockets =
        [watch(&theirs, json!({ "after": "0" })).await, watch(&stranger, json!({ "after": "0" })).await];
    work(&mut stage).await;
    theirs.agent(&town, "Theirs").await;
    let [own, none] = &mut sockets;
    let seen = until_created(own, "Theirs").await;
    assert_eq!(seen, named(&[("CUSTOMER_CREATED", None)]), "its own alone");
    assert!(none.is_quiet(Duration::from_millis(300)).await);
    let gateway = stage.app.service(ServiceScope::ALL).await;
    let writer = stage.app.program(&stage.customer, [KeyScope::ChangesRead]).await;
    for (client, variables, code) in [
        (&*theirs, json!({ "id": stage.customer }), "NOT_FOUND"),
        (&*stranger, json!({ "id": stage.customer }), "NOT_FOUND"),
        (&*gateway, json!({}), "FORBIDDEN"),
        (&*writer, json!({}), "FORBIDDEN"),
    ] {
        match watch(client, variables).await.next().await {
            Frame::Message(message) => {
                assert_eq!(message["payload"][0]["extensions"]["code"], code, "{message}");
            }
            closed @ Frame::Closed(..) => panic!("{closed:?}"),
        }
    }
}
