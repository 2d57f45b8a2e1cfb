//! API keys and invitations by their ids, and who did something.

use agent_registry::domain::{KeyScope, member::Role};
use serde_json::{Value, json};

use crate::support::{App, Calls, app::Setup, caller::Client};

const NODE: &str =
    "query ($id: ID!) { node(id: $id) { __typename id ... on ApiKey { name grantedScopes scopes }
    ... on Invitation { email acceptUrl } ... on ServiceToken { name tokenScopes: grantedScopes } } }";

async fn node(client: &Client, id: &str) -> Value {
    client.gql(NODE, json!({ "id": id })).await.at("/node").clone()
}

async fn invite(client: &Client, customer: &str) -> String {
    let invite = "mutation ($id: ID!) { inviteMember(input: { customerId: $id, email: \"ada@example.org\", role: VIEWER }) { invitation { id } } }";
    client.gql(invite, json!({ "id": customer })).await.text("/inviteMember/invitation/id")
}

#[tokio::test]
async fn a_key_and_an_invitation_are_found_by_whoever_lists_them() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    let (admin, editor) = (app.member(&city, Role::Admin).await, app.member(&city, Role::Editor).await);
    let theirs = app.member(&town, Role::Admin).await;
    let make = "mutation ($id: ID!) { createApiKey(input: { customerId: $id, name: \"deploy\", scopes: [AGENTS_READ, VERSIONS_ACTIVATE] }) { apiKey { id } secret } }";
    let made = admin.gql(make, json!({ "id": city })).await;
    let (key, program) =
        (made.text("/createApiKey/apiKey/id"), app.bearer(&made.text("/createApiKey/secret")));
    let invitation = invite(&admin, &city).await;
    let shown_key = json!({ "__typename": "ApiKey", "id": key, "name": "deploy",
        "grantedScopes": ["AGENTS_READ", "VERSIONS_ACTIVATE"], "scopes": ["agents:read", "versions:activate"] });
    let shown_invitation = json!({ "__typename": "Invitation", "id": invitation, "email": "ada@example.org", "acceptUrl": null });
    for client in [&*admin, &*operator] {
        assert_eq!(node(client, &key).await, shown_key);
        assert_eq!(node(client, &invitation).await, shown_invitation);
    }
    for client in [&*editor, &*theirs, &program, &*app.program(&town, KeyScope::ALL).await] {
        assert_eq!((node(client, &key).await, node(client, &invitation).await), (Value::Null, Value::Null));
    }
    let revoke = "mutation ($id: ID!) { revokeInvitation(input: { invitationId: $id }) { revision } }";
    admin.gql(revoke, json!({ "id": invitation })).await.text("/revokeInvitation/revision");
    assert_eq!(node(&admin, &invitation).await, Value::Null);

    // An actor leads to its API key, if the reader may read keys.
    let agent = admin.agent(&city, "Helper").await;
    let version = admin.publish(&agent, "one").await;
    let activate = "mutation ($a: ID!, $v: ID!) { activateVersion(input: { agentId: $a, versionId: $v }) { activation { id } } }";
    let done = program.gql(activate, json!({ "a": agent, "v": version })).await;
    let done = done.text("/activateVersion/activation/id");
    let by = "query ($id: ID!) { node(id: $id) { ... on Activation { activatedBy { kind apiKey { id name } serviceToken { id } } } } }";
    let by =
        async |client: &Client| client.gql(by, json!({ "id": done })).await.at("/node/activatedBy").clone();
    let of_key =
        json!({ "kind": "API_KEY", "apiKey": { "id": key, "name": "deploy" }, "serviceToken": null });
    for client in [&*admin, &*operator] {
        assert_eq!(by(client).await, of_key);
    }
    assert_eq!(by(&editor).await["apiKey"], Value::Null);
}

#[tokio::test]
async fn an_invitation_has_the_page_that_accepts_it() {
    let hosts = Setup::default().hosts;
    let hosts = {
        drop(hosts);
        let url = "https://registry.example.org".parse().unwrap();
        agent_registry::http::Hosts::new([127, 0, 0, 1].into(), Some(url), Vec::new())
    };
    let app = App::set_up(Setup { hosts, ..Setup::default() }).await;
    let operator = app.operator().await;
    let city = operator.customer("City").await;
    let invitation = invite(&operator, &city).await;
    let expected = format!("https://registry.example.org/invitations/{invitation}");
    assert_eq!(node(&operator, &invitation).await["acceptUrl"], expected);
}

#[tokio::test]
async fn an_operator_sees_which_token_and_which_environment_watches() {
    let app = App::start().await;
    let operator = app.operator().await;
    let gateway = app.gateway().await;
    let mut socket = gateway.socket().await;
    let streams = [
        ("1", "subscription { configs { kind } }"),
        ("2", "subscription { activations(environments: [\"production\"]) { id } }"),
    ];
    for (id, query) in streams {
        socket.subscribe(id, query, Value::Null).await;
    }
    let viewer = operator.socket().await;
    let mut viewer = viewer;
    viewer.subscribe("3", "subscription { customerEvents { revision } }", Value::Null).await;
    crate::support::wait::until("all watch", || app.watchers() == 3).await;
    let query = "{ watchers { nodes { watched environmentKey actor { apiKey { id } serviceToken { name grantedScopes } } } } }";
    let answer = operator.gql(query, Value::Null).await;
    let mut nodes = answer.at("/watchers/nodes").as_array().unwrap().clone();
    nodes.sort_by_key(|node| node["watched"].as_str().unwrap().to_owned());
    let token = json!({ "name": "gateway", "grantedScopes": ["CONFIGS_READ", "ACTIVATIONS_WATCH"] });
    let of_gateway = json!({ "apiKey": null, "serviceToken": token });
    let nobody = json!({ "apiKey": null, "serviceToken": null });
    let scopes = nodes[0]["actor"]["serviceToken"]["grantedScopes"].as_array().unwrap().len();
    assert_eq!(scopes, 2);
    for (node, (watched, key, actor)) in nodes.iter().zip([
        ("ACTIVATIONS", json!("production"), &of_gateway),
        ("CONFIGS", json!("production"), &of_gateway),
        ("CUSTOMER_EVENTS", Value::Null, &nobody),
    ]) {
        assert_eq!((&node["watched"], &node["environmentKey"]), (&json!(watched), &key));
        assert_eq!(node["actor"]["serviceToken"]["name"], actor["serviceToken"]["name"], "{watched}");
        assert_eq!(node["actor"]["apiKey"], Value::Null);
    }
}
