//! The tokens of well-known identity providers, as these make them: the claims, the settings that fit, and what the
//! user may do then.

use agent_registry::domain::auth::{
    claims::{ClaimMapping, ClaimName, MembershipRule},
    jwks::IssuerSettings,
};
use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use super::{KeyFile, Signer, World, set};
use crate::support::{App, caller::Client};

const ME: &str = "{ viewer { name displayName memberships { role } } }";

/// A provider's token and the settings for it.
struct Shape {
    what: &'static str,
    issuer: &'static str,
    audience: &'static str,
    /// Headers besides `alg` and `kid`; null leaves one out.
    header: Value,
    /// The claims without `iss` and times.
    claims: Value,
    settings: fn(ClaimMapping) -> ClaimMapping,
    /// The role of the user, who is invited as ada@city.example, and whose groups give EDITOR.
    role: Option<&'static str>,
    /// The name for people.
    display_name: &'static str,
}

fn claim(name: &str) -> ClaimName {
    ClaimName::parse(name).unwrap()
}

fn by_roles(claims: ClaimMapping, roles: &str) -> ClaimMapping {
    ClaimMapping { roles: Some(claim(roles)), ..claims }
}

const UUID: &str = "6f1b1bb5-3a1c-4c39-9e62-1f6d2f0a8d11";

#[expect(clippy::too_many_lines, reason = "a table")]
fn shapes() -> Vec<Shape> {
    let jwt = || json!({ "typ": "JWT" });
    let ada = "ada@city.example";
    vec![
        Shape {
            what: "Keycloak, an access token with realm roles",
            issuer: "https://keycloak.invalid/realms/city",
            audience: "agent-registry",
            header: jwt(),
            claims: json!({
                "jti": "trrtcc:8a7c", "aud": ["agent-registry", "account"], "sub": UUID, "typ": "Bearer",
                "azp": "console", "sid": "b1d2", "acr": "1", "allowed-origins": ["https://console.invalid"],
                "realm_access": { "roles": ["offline_access", "registry-editor", "default-roles-city"] },
                "resource_access": { "account": { "roles": ["manage-account"] } },
                "scope": "openid email profile", "email_verified": false, "name": "Ada Lovelace",
                "preferred_username": "ada", "given_name": "Ada", "family_name": "Lovelace", "email": ada,
            }),
            settings: |claims| by_roles(claims, "/realm_access/roles"),
            role: Some("EDITOR"),
            display_name: "Ada Lovelace",
        },
        Shape {
            what: "Keycloak, invited, without roles",
            issuer: "https://keycloak.invalid/realms/city",
            audience: "agent-registry",
            header: jwt(),
            claims: json!({ "aud": "agent-registry", "sub": UUID, "typ": "Bearer", "email": ada, "email_verified": true }),
            settings: |claims| claims,
            role: Some("VIEWER"),
            display_name: ada,
        },
        Shape {
            what: "Entra ID, an access token with groups and without email_verified",
            issuer: "https://login.microsoftonline.com/8d1f/v2.0",
            audience: "4b3c2d1e-0000-4000-8000-000000000001",
            header: json!({ "typ": "JWT", "x5t": "nOo3ZDrODXEK1jKWhXslHR_KXEg" }),
            claims: json!({
                "aud": "4b3c2d1e-0000-4000-8000-000000000001", "azp": UUID, "azpacr": "0", "name": "Ada Lovelace",
                "oid": UUID, "preferred_username": ada, "rh": "0.AX", "scp": "access_as_user", "tid": "8d1f",
                "sub": "aaBBccDDeeFF-pairwise", "uti": "x", "ver": "2.0", "groups": ["registry-editor", UUID],
            }),
            settings: |claims| {
                by_roles(ClaimMapping { email: claim("preferred_username"), ..claims }, "groups")
            },
            role: Some("EDITOR"),
            display_name: "Ada Lovelace",
        },
        Shape {
            what: "Entra ID, invited, its addresses trusted",
            issuer: "https://login.microsoftonline.com/8d1f/v2.0",
            audience: "4b3c2d1e-0000-4000-8000-000000000001",
            header: jwt(),
            claims: json!({
                "aud": "4b3c2d1e-0000-4000-8000-000000000001", "preferred_username": "Ada@City.example",
                "sub": "aaBBccDDeeFF-pairwise", "ver": "2.0", "_claim_names": { "groups": "src1" },
            }),
            settings: |claims| ClaimMapping {
                email: claim("preferred_username"),
                is_email_trusted: true,
                ..by_roles(claims, "groups")
            },
            role: Some("VIEWER"),
            display_name: ada,
        },
        Shape {
            what: "Entra ID, an address that nobody vouches for",
            issuer: "https://login.microsoftonline.com/8d1f/v2.0",
            audience: "4b3c2d1e-0000-4000-8000-000000000001",
            header: jwt(),
            claims: json!({ "aud": "4b3c2d1e-0000-4000-8000-000000000001", "email": ada, "sub": "pairwise" }),
            settings: |claims| claims,
            role: None,
            display_name: ada,
        },
        Shape {
            what: "Auth0, an access token with a namespaced claim",
            issuer: "https://city.eu.auth0.com/",
            audience: "https://registry.invalid",
            header: json!({ "typ": "at+jwt" }),
            claims: json!({
                "sub": "auth0|65f1c0ffee", "aud": ["https://registry.invalid", "https://city.eu.auth0.com/userinfo"],
                "scope": "openid profile email", "azp": "xYz", "permissions": [],
                "https://registry.invalid/roles": ["registry-editor"],
            }),
            settings: |claims| by_roles(claims, "https://registry.invalid/roles"),
            role: Some("EDITOR"),
            display_name: "auth0|65f1c0ffee",
        },
        Shape {
            what: "Auth0, client credentials with permissions",
            issuer: "https://city.eu.auth0.com/",
            audience: "https://registry.invalid",
            header: json!({ "typ": "JWT" }),
            claims: json!({
                "sub": "xYz@clients", "aud": "https://registry.invalid", "azp": "xYz",
                "gty": "client-credentials", "scope": "read registry-editor", "permissions": ["read", "registry-editor"],
            }),
            settings: |claims| by_roles(claims, "scope"),
            role: Some("EDITOR"),
            display_name: "xYz@clients",
        },
        Shape {
            what: "Okta, an access token without an address",
            issuer: "https://city.okta.com/oauth2/default",
            audience: "api://default",
            header: json!({ "typ": null }),
            claims: json!({
                "ver": 1, "jti": "AT.x", "aud": "api://default", "cid": "0oa1", "uid": "00u1", "scp": ["openid"],
                "auth_time": 1, "sub": "ada", "groups": ["Everyone", "registry-editor"],
            }),
            settings: |claims| by_roles(claims, "groups"),
            role: Some("EDITOR"),
            display_name: "ada",
        },
        Shape {
            what: "Cognito, an access token without aud",
            issuer: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc",
            audience: "7lhl5f",
            header: json!({ "typ": null }),
            claims: json!({
                "sub": UUID, "cognito:groups": ["registry-editor"], "client_id": "7lhl5f", "origin_jti": "x",
                "event_id": "x", "token_use": "access", "scope": "openid", "auth_time": 1, "username": "ada",
            }),
            settings: |claims| ClaimMapping {
                audience: claim("client_id"),
                name: claim("username"),
                ..by_roles(claims, "cognito:groups")
            },
            role: Some("EDITOR"),
            display_name: "ada",
        },
        Shape {
            what: "Cognito, an ID token with email_verified as text",
            issuer: "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc",
            audience: "7lhl5f",
            header: json!({ "typ": null }),
            claims: json!({
                "sub": UUID, "aud": "7lhl5f", "token_use": "id", "email": ada, "email_verified": "true",
                "cognito:username": "ada",
            }),
            settings: |claims| claims,
            role: Some("VIEWER"),
            display_name: ada,
        },
        Shape {
            what: "Google, an ID token of a workspace",
            issuer: "https://accounts.google.com",
            audience: "123.apps.googleusercontent.com",
            header: jwt(),
            claims: json!({
                "azp": "123.apps.googleusercontent.com", "aud": "123.apps.googleusercontent.com",
                "sub": "110169484474386276334", "hd": "city.example", "email": ada, "email_verified": true,
                "at_hash": "x", "name": "Ada Lovelace", "picture": "https://lh3.invalid/a", "locale": "en",
            }),
            settings: |claims| ClaimMapping { email_domains: vec!["city.example".to_owned()], ..claims },
            role: Some("VIEWER"),
            display_name: "Ada Lovelace",
        },
        Shape {
            what: "GitHub Actions, a workflow",
            issuer: "https://token.actions.githubusercontent.com",
            audience: "https://registry.invalid",
            header: json!({ "typ": "JWT", "x5t": "x" }),
            claims: json!({
                "jti": UUID, "sub": "repo:city/agents:ref:refs/heads/main", "aud": "https://registry.invalid",
                "ref": "refs/heads/main", "repository": "registry-editor", "repository_owner": "city",
                "run_id": "1", "event_name": "push", "ref_type": "branch", "job_workflow_ref": "city/agents/x",
            }),
            settings: |claims| by_roles(claims, "repository"),
            role: Some("EDITOR"),
            display_name: "repo:city/agents:ref:refs/heads/main",
        },
        Shape {
            what: "Kubernetes, a service account",
            issuer: "https://kubernetes.default.svc.cluster.local",
            audience: "agent-registry",
            header: json!({ "typ": null }),
            claims: json!({
                "aud": ["agent-registry"], "jti": UUID, "sub": "system:serviceaccount:registry:publisher",
                "kubernetes.io": {
                    "namespace": "registry-editor", "node": { "name": "n", "uid": UUID },
                    "serviceaccount": { "name": "publisher", "uid": UUID },
                },
            }),
            settings: |claims| by_roles(claims, "/kubernetes.io/namespace"),
            role: Some("EDITOR"),
            display_name: "system:serviceaccount:registry:publisher",
        },
        Shape {
            what: "a machine without groups",
            issuer: "https://kubernetes.default.svc.cluster.local",
            audience: "agent-registry",
            header: json!({ "typ": null }),
            claims: json!({ "aud": ["agent-registry"], "sub": "system:serviceaccount:other:other" }),
            settings: |claims| by_roles(claims, "/kubernetes.io/namespace"),
            role: None,
            display_name: "system:serviceaccount:other:other",
        },
    ]
}

#[tokio::test]
async fn each_providers_tokens_give_what_the_settings_say() {
    let signer = Signer::rsa("rsa");
    for Shape { what, issuer, audience, header, claims, settings, role, display_name } in shapes() {
        let file = KeyFile::new(&set([&signer]));
        let before = App::start().await;
        let operator = before.operator().await;
        let city = operator.customer("City").await;
        let invite =
            "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { userErrors { code } } }";
        let input = json!({ "customerId": city, "email": "ada@city.example", "role": "VIEWER" });
        operator.gql(invite, json!({ "input": input })).await.at("/inviteMember/userErrors");
        let usual = settings(ClaimMapping::default());
        let rule = MembershipRule {
            value: "registry-editor".to_owned(),
            customer: city.parse().unwrap(),
            role: Role::Editor,
        };
        let memberships = if usual.roles.is_some() { vec![rule] } else { Vec::new() };
        let mapping = ClaimMapping { memberships, ..usual };
        let settings =
            IssuerSettings { claims: mapping, ..IssuerSettings::new(issuer, audience, file.source()) };
        let world = World::on(before, settings).await;
        world.keys.refresh().await.unwrap();
        let now = world.app.clock.now().timestamp();
        let mut all = json!({ "iss": issuer, "iat": now, "nbf": now, "exp": now + 300 });
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let ada = world.app.bearer(&signer.headed(header, &all));
        let answer = ada.gql(ME, Value::Null).await;
        let expected = role.map_or(json!([]), |role| json!([{ "role": role }]));
        assert_eq!(answer.at("/viewer/memberships"), &expected, "{what}");
        assert_eq!(answer.at("/viewer/displayName"), display_name, "{what}");
        assert_eq!(answer.at("/viewer/name"), &all["sub"], "{what}");
        assert_eq!(may_publish(&ada, &city).await, role == Some("EDITOR"), "{what}");
    }
}

/// Whether this caller may create an agent of the customer.
async fn may_publish(client: &Client, customer: &str) -> bool {
    let create = "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { agent { id } userErrors { code } } }";
    let input = json!({ "customerId": customer, "name": "Helper" });
    let answer = client.gql(create, json!({ "input": input })).await;
    answer.body["data"]["createAgent"]["agent"]["id"].is_string()
}
