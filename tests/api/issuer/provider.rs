//! Tokens of a real OpenID Connect provider (npm `oidc-provider`): discovery, the authorization code flow, client
//! credentials, and a rotation of its keys.

use std::process::Stdio;

use agent_registry::domain::{
    auth::{
        claims::{ClaimMapping, ClaimName, MembershipRule},
        jwks::{IssuerSettings, Source},
    },
    member::Role,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout},
};

use super::{World, assert_refused};
use crate::support::{
    App, Calls,
    caller::{Client, Member},
    node,
    wait::within,
};

const ME: &str = "{ viewer { displayName user { email } memberships { role } } }";

/// The provider's process; it ends with this handle.
pub(super) struct Provider {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    pub(super) issuer: String,
}

impl Provider {
    pub(super) async fn start() -> Self {
        let mut command = node::script("identity", "provider.mjs");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut output = BufReader::new(output).lines();
        let issuer = within("the provider listens", output.next_line()).await.unwrap().unwrap();
        Self { process, input, output, issuer }
    }

    /// Sends a command, and returns the provider's answer.
    pub(super) async fn ask(&mut self, command: &str) -> Value {
        self.input.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        let line = within(command, self.output.next_line()).await.unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Ends the provider, so that nothing listens at its address.
    pub(super) async fn end(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// A token from the provider's answer to this command.
    async fn token(&mut self, command: &str, kind: &str) -> String {
        let answer = self.ask(command).await;
        answer[kind].as_str().unwrap_or_else(|| panic!("no {kind}: {answer}")).to_owned()
    }
}

async fn me(client: &Client) -> Value {
    client.gql(ME, Value::Null).await.at("/viewer").clone()
}

#[tokio::test]
async fn people_and_machines_of_a_real_provider_sign_in_across_a_rotation_of_its_keys() {
    let mut provider = Provider::start().await;
    let before = App::start().await;
    let operator = before.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    let invite =
        "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { userErrors { code } } }";
    let input = json!({ "customerId": town, "email": "ada@city.example", "role": "ADMIN" });
    operator.gql(invite, json!({ "input": input })).await.at("/inviteMember/userErrors");
    let rule =
        |value: &str, role| MembershipRule { value: value.to_owned(), customer: city.parse().unwrap(), role };
    let claims = ClaimMapping {
        roles: Some(ClaimName::parse("groups").unwrap()),
        memberships: vec![rule("staff", Role::Viewer), rule("machines", Role::Editor)],
        ..ClaimMapping::default()
    };
    let settings = IssuerSettings {
        issuer: provider.issuer.clone(),
        audiences: vec!["https://registry.invalid".to_owned(), "console".to_owned()],
        source: Source::discover(&provider.issuer).unwrap(),
        claims,
        client: None,
    };
    let world = World::on(before, settings).await;
    world.keys.refresh().await.unwrap();
    let app = &world.app;

    // Client credentials: a machine whose group gives it a role.
    let machine = Member(app.bearer(&provider.token("machine", "access_token").await));
    assert_eq!(me(&machine).await["memberships"], json!([{ "role": "EDITOR" }]));
    let agent = machine.agent(&city, "Helper").await;
    machine.publish(&agent, "You help.").await;

    // The code flow: the access token has the groups, the ID token the verified address of an invitation.
    let answer = provider.ask("login ada").await;
    let access = app.bearer(answer["access_token"].as_str().unwrap());
    let expected = json!({ "displayName": "ada of the provider", "user": { "email": null }, "memberships": [{ "role": "VIEWER" }] });
    assert_eq!(me(&access).await, expected);
    let id = app.bearer(answer["id_token"].as_str().unwrap());
    let mut roles: Vec<String> = me(&id).await["memberships"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| place["role"].to_string())
        .collect();
    roles.sort();
    assert_eq!(roles, ["\"ADMIN\"", "\"VIEWER\""]);

    // The provider signs by another key and algorithm from now on, and publishes no other.
    assert_eq!(provider.ask("rotate").await, json!(["key-2"]));
    assert_eq!(me(&access).await["displayName"], "ada of the provider", "the old key is known still");
    let renewed = app.bearer(&provider.token("login ada", "access_token").await);
    assert_eq!(me(&renewed).await["memberships"].as_array().unwrap().len(), 2);
    assert_refused(&access.gql(ME, Value::Null).await, "the old key was withdrawn");
    // A token with other claims than the signed ones isn't accepted.
    let before = world.revision().await;
    let spoiled = renewed.token.as_deref().unwrap().replace('.', ".A");
    assert_refused(&app.bearer(&spoiled).gql(ME, Value::Null).await, "spoiled");
    assert_eq!(world.revision().await, before);
}
