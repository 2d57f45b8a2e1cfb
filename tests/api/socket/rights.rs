//! Loss of rights closes a socket: a subscription keeps the rights that it started with.

use agent_registry::{
    domain::{
        Caller, ServiceScope, auth::jwt::LOCAL_ISSUER, member::Role, service_token::CreateServiceToken,
    },
    id::ServiceTokenId,
};
use serde_json::json;

use super::{ACTIVATIONS, Scene, impatient, refusal, subscribe, until};
use crate::support::{App, caller::Client, socket::Frame};

/// A service token with all scopes, and its id.
async fn token(app: &App) -> (Client, ServiceTokenId) {
    let input = CreateServiceToken::for_all("gateway", ServiceScope::ALL);
    let made = app.registry.create_service_token(&Caller::system("test"), input).await.unwrap().value;
    (app.bearer(&made.secret.unwrap()), made.token.id)
}

#[tokio::test]
async fn a_token_that_is_revoked_ends_its_sockets_and_no_others() {
    let app = App::with(impatient()).await;
    let scene = Scene::on(&app).await;
    let ((one, id), (other, _)) = (token(&app).await, token(&app).await);
    let (mut revoked, mut stays) = (one.socket().await, other.socket().await);
    revoked.send(subscribe("1", ACTIVATIONS)).await;
    stays.send(subscribe("1", ACTIVATIONS)).await;
    until("both subscriptions are open", || app.watchers() == 2).await;
    app.registry.revoke_service_token(&Caller::system("test"), id).await.unwrap();
    assert_eq!(revoked.next().await, Frame::Closed(4403, "Forbidden".to_owned()));
    until("its subscription has ended", || app.watchers() == 1).await;
    scene.activate(1).await;
    assert_eq!(stays.event().await["data"]["activations"]["version"]["number"], 1);
}

#[tokio::test]
async fn an_operator_no_longer_is_no_longer_sent_all() {
    let app = App::with(impatient()).await;
    let operator = app.operator().await;
    let mut socket = operator.socket().await;
    socket.send(subscribe("1", ACTIVATIONS)).await;
    until("the subscription is open", || app.watchers() == 1).await;
    app.registry.remove_operator(&Caller::system("test"), LOCAL_ISSUER, "olga").await.unwrap();
    assert_eq!(socket.next().await, Frame::Closed(4403, "rights were taken away".to_owned()));
    until("its subscription has ended", || app.watchers() == 0).await;
}

#[tokio::test]
async fn a_lower_role_ends_what_was_begun_with_the_higher_one() {
    let app = App::with(impatient()).await;
    let scene = Scene::on(&app).await;
    let editor = app.member(&scene.customer, Role::Editor).await;
    let (mut watching, mut idle) = (editor.socket().await, editor.socket().await);
    watching.send(subscribe("1", ACTIVATIONS)).await;
    until("the subscription is open", || app.watchers() == 1).await;
    app.set_role(&scene.customer, Role::Editor, Role::Viewer).await;
    for socket in [&mut watching, &mut idle] {
        assert_eq!(socket.next().await, Frame::Closed(4403, "rights were taken away".to_owned()));
    }
    until("its subscription has ended", || app.watchers() == 0).await;
    // The user reconnects with the new role.
    let mut socket = editor.socket().await;
    let mutation = "mutation ($agent: ID!) { archiveAgent(input: { agentId: $agent }) { revision } }";
    socket.subscribe("2", mutation, json!({ "agent": scene.agent })).await;
    assert_eq!(socket.event().await["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(socket.next().await, Frame::Message(json!({ "id": "2", "type": "complete" })));
    let town = scene.operator.customer("Town").await;
    socket.subscribe("3", ACTIVATIONS, json!({ "customer": town })).await;
    assert_eq!(refusal(socket.next().await, "3"), "NOT_FOUND");
}

#[tokio::test]
async fn a_higher_role_counts_at_once_and_what_runs_goes_on() {
    let app = App::with(impatient()).await;
    let scene = Scene::on(&app).await;
    let viewer = app.member(&scene.customer, Role::Viewer).await;
    let mut socket = viewer.socket().await;
    socket.send(subscribe("1", ACTIVATIONS)).await;
    until("the subscription is open", || app.watchers() == 1).await;
    app.set_role(&scene.customer, Role::Viewer, Role::Editor).await;
    let mutation = "mutation ($agent: ID!) { updateAgent(input: { agentId: $agent, name: \"New\" }) { agent { name } } }";
    socket.subscribe("2", mutation, json!({ "agent": scene.agent })).await;
    assert_eq!(socket.event().await["data"]["updateAgent"]["agent"]["name"], "New");
    assert_eq!(socket.next().await, Frame::Message(json!({ "id": "2", "type": "complete" })));
    scene.activate(1).await;
    assert_eq!(socket.event().await["data"]["activations"]["version"]["number"], 1);
}

#[tokio::test]
async fn a_removed_member_is_out_within_a_second() {
    let app = App::start().await;
    let scene = Scene::on(&app).await;
    let editor = app.member(&scene.customer, Role::Editor).await;
    let (mut watching, mut idle) = (editor.socket().await, editor.socket().await);
    watching.send(subscribe("1", ACTIVATIONS)).await;
    until("the subscription is open", || app.watchers() == 1).await;
    let user = editor.gql("{ viewer { user { id } } }", json!(null)).await.text("/viewer/user/id");
    let remove = "mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { userId userErrors { code } } }";
    let input = json!({ "input": { "customerId": scene.customer, "userId": user } });
    assert_eq!(scene.operator.gql(remove, input).await.text("/removeMember/userId"), user);
    let removed = std::time::Instant::now();
    for socket in [&mut watching, &mut idle] {
        assert_eq!(socket.next().await, Frame::Closed(4403, "rights were taken away".to_owned()));
    }
    // The documented limit is a second; allow five for a busy machine.
    assert!(removed.elapsed() < std::time::Duration::from_secs(5));
}

#[tokio::test]
async fn a_key_that_is_revoked_or_past_its_end_is_out() {
    let app = App::with(impatient()).await;
    let scene = Scene::on(&app).await;
    let revoke = "mutation ($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { userErrors { code } } }";
    let rotate = "mutation ($id: ID!) { rotateApiKey(input: { apiKeyId: $id, overlapSeconds: 0 }) { userErrors { code } } }";
    for (ending, reason) in [(revoke, "Forbidden"), (rotate, "Forbidden")] {
        let made = "mutation ($customer: ID!) { createApiKey(input: { customerId: $customer, name: \"n\", scopes: [ACTIVATIONS_WATCH] }) {
            apiKey { id } secret } }";
        let made = scene.operator.gql(made, json!({ "customer": scene.customer })).await;
        let program = app.bearer(&made.text("/createApiKey/secret"));
        let (mut watching, mut idle) = (program.socket().await, program.socket().await);
        watching.send(subscribe("1", ACTIVATIONS)).await;
        until("the subscription is open", || app.watchers() == 1).await;
        scene.operator.gql(ending, json!({ "id": made.text("/createApiKey/apiKey/id") })).await;
        for socket in [&mut watching, &mut idle] {
            assert_eq!(socket.next().await, Frame::Closed(4403, reason.to_owned()));
        }
        until("its subscription has ended", || app.watchers() == 0).await;
    }
}

const REMOVE: &str =
    "mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { userId userErrors { code } } }";

/// Makes this subject an EDITOR.
async fn let_in(app: &App, scene: &Scene, subject: &str) {
    app.set_member(&scene.customer, subject, Role::Editor).await;
}

/// A socket's operations may have started with more rights than the socket itself.
#[tokio::test]
async fn who_had_no_profile_when_it_signed_in_is_out_as_others_are() {
    let app = App::with(impatient()).await;
    let scene = Scene::on(&app).await;
    let ada = app.user("ada", None);
    let mut socket = ada.socket().await;
    let_in(&app, &scene, "ada").await;
    socket.send(subscribe("1", ACTIVATIONS)).await;
    until("the subscription is open", || app.watchers() == 1).await;
    let user = ada.gql("{ viewer { user { id } } }", json!(null)).await.text("/viewer/user/id");
    let input = json!({ "input": { "customerId": scene.customer, "userId": user } });
    assert_eq!(scene.operator.gql(REMOVE, input).await.text("/removeMember/userId"), user);
    assert_eq!(socket.next().await, Frame::Closed(4403, "rights were taken away".to_owned()));
    until("its subscription has ended", || app.watchers() == 0).await;
}

#[tokio::test]
async fn who_became_an_operator_after_it_signed_in_is_out_as_others_are() {
    let app = App::with(impatient()).await;
    Scene::on(&app).await;
    let mut socket = app.user("ada", None).socket().await;
    app.registry.add_operator(&Caller::system("test"), LOCAL_ISSUER, "ada").await.unwrap();
    app.door.hub.wait_until_caught_up().await;
    socket.send(subscribe("1", ACTIVATIONS)).await;
    until("the subscription is open", || app.watchers() == 1).await;
    app.registry.remove_operator(&Caller::system("test"), LOCAL_ISSUER, "ada").await.unwrap();
    assert_eq!(socket.next().await, Frame::Closed(4403, "rights were taken away".to_owned()));
    until("its subscription has ended", || app.watchers() == 0).await;
}
