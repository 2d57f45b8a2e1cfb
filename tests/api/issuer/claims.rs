//! Which claims of a token name its user's address and name.

use agent_registry::domain::auth::{
    claims::{ClaimMapping, ClaimName},
    jwks::IssuerSettings,
};
use serde_json::{Value, json};

use super::{ISSUER, KeyFile, Signer, VIEWER, World, set};

/// A service with these claims, and an invitation for eve@city.example.
async fn invited(signer: &Signer, claims: ClaimMapping) -> (World, KeyFile) {
    let file = KeyFile::new(&set([signer]));
    let settings = IssuerSettings { claims, ..IssuerSettings::new(ISSUER, "agent-registry", file.source()) };
    let world = World::with(settings).await;
    world.keys.refresh().await.unwrap();
    let olga = world.operator(signer).await;
    let customer = olga.customer("City").await;
    let invite =
        "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { userErrors { message } } }";
    let input = json!({ "customerId": customer, "email": "eve@city.example", "role": "EDITOR" });
    let answer = olga.gql(invite, json!({ "input": input })).await;
    assert_eq!(answer.at("/inviteMember/userErrors"), &json!([]));
    (world, file)
}

async fn memberships(world: &World, signer: &Signer, claims: &Value) -> Value {
    let eve = world.app.bearer(&world.token(signer, claims.clone()));
    eve.gql(VIEWER, Value::Null).await.at("/viewer/memberships").clone()
}

fn claim(name: &str) -> ClaimName {
    ClaimName::parse(name).unwrap()
}

#[tokio::test]
async fn the_settings_say_which_claim_is_a_verified_address() {
    let signer = Signer::ed("ed");
    let usual = ClaimMapping::default;
    let email = "Eve@City.example";
    let nested =
        ClaimMapping { email: claim("/profile/mail"), email_verified: claim("/profile/ok"), ..usual() };
    let entra = ClaimMapping { email_verified: claim("xms_edov"), ..usual() };
    let trusted = ClaimMapping { is_email_trusted: true, email: claim("preferred_username"), ..usual() };
    let own = ClaimMapping { email_domains: vec!["city.example".to_owned()], ..usual() };
    let another = ClaimMapping { email_domains: vec!["example".to_owned()], ..usual() };
    let trusted_elsewhere = ClaimMapping { is_email_trusted: true, ..another.clone() };
    let verified = json!({ "email": email, "email_verified": true });
    let rows = [
        (nested.clone(), json!({ "profile": { "mail": email, "ok": true } }), true),
        (nested.clone(), json!({ "profile": { "mail": email, "ok": false } }), false),
        (nested, verified.clone(), false),
        (entra.clone(), json!({ "email": email, "xms_edov": true }), true),
        (entra.clone(), json!({ "email": email, "xms_edov": "1" }), true),
        (entra.clone(), json!({ "email": email, "xms_edov": 1 }), true),
        (entra.clone(), json!({ "email": email, "xms_edov": 0 }), false),
        (entra, verified.clone(), false),
        (trusted.clone(), json!({ "preferred_username": email }), true),
        (trusted.clone(), json!({ "preferred_username": "eve" }), false),
        (trusted, json!({ "email": email }), false),
        (own, verified.clone(), true),
        (another, verified, false),
        (trusted_elsewhere, json!({ "email": email }), false),
    ];
    for (mapping, claims, is_member) in rows {
        let (world, _file) = invited(&signer, mapping.clone()).await;
        let before = world.revision().await;
        let expected = if is_member { json!([{ "role": "EDITOR" }]) } else { json!([]) };
        assert_eq!(memberships(&world, &signer, &claims).await, expected, "{mapping:?} {claims}");
        assert_eq!(world.revision().await > before, is_member);
    }
}

/// Only the owner of an address may know which customer an invitation is to.
#[tokio::test]
async fn a_viewer_whose_address_is_not_verified_sees_that_and_nothing_else() {
    let signer = Signer::ed("ed");
    let (world, _file) = invited(&signer, ClaimMapping::default()).await;
    let pending = "{ viewer { pendingInvitations { customerName role blockedBy } } }";
    let before = world.revision().await;
    for claims in [
        json!({ "email": "eve@city.example" }),
        json!({ "email": "eve@city.example", "email_verified": false }),
    ] {
        let eve = world.app.bearer(&world.token(&signer, claims));
        assert_eq!(
            eve.gql(pending, Value::Null).await.at("/viewer/pendingInvitations"),
            &json!([{ "customerName": null, "role": null, "blockedBy": "EMAIL_NOT_VERIFIED" }])
        );
    }
    assert_eq!(world.revision().await, before);
}

#[tokio::test]
async fn the_settings_say_which_claim_is_the_audience() {
    // Cognito's access tokens have no `aud`.
    let signer = Signer::rsa("rsa");
    let mapping = ClaimMapping { audience: claim("client_id"), ..ClaimMapping::default() };
    let (world, _file) = invited(&signer, mapping).await;
    for (change, code) in [
        (json!({ "aud": null, "client_id": "agent-registry" }), None),
        (json!({ "client_id": "agent-registry", "aud": "else" }), None),
        (json!({ "client_id": "else" }), Some("UNAUTHENTICATED")),
        (json!({}), Some("UNAUTHENTICATED")),
    ] {
        let eve = world.app.bearer(&world.token(&signer, change.clone()));
        assert_eq!(eve.gql(VIEWER, Value::Null).await.code(), code, "{change}");
    }
}
