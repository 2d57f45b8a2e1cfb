//! E-mail addresses in tokens of an outside issuer: an invited user becomes a member if the issuer has verified the
//! address.

use serde_json::{Value, json};

use super::{KeyFile, Signer, VIEWER, World, set};

const INVITE: &str = "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) {
    invitation { id } userErrors { code message } } }";

/// A service with an invitation for eve@city.example.
async fn invited(signer: &Signer) -> (World, KeyFile) {
    let file = KeyFile::new(&set([signer]));
    let world = World::new(file.source()).await;
    let olga = world.operator(signer).await;
    let customer = olga.customer("City").await;
    let input = json!({ "customerId": customer, "email": "eve@city.example", "role": "EDITOR" });
    let answer = olga.gql(INVITE, json!({ "input": input })).await;
    assert_eq!(answer.at("/inviteMember/userErrors"), &json!([]));
    (world, file)
}

async fn memberships(world: &World, signer: &Signer, claims: Value) -> Value {
    let eve = world.app.bearer(&world.token(signer, claims));
    eve.gql(VIEWER, Value::Null).await.at("/viewer/memberships").clone()
}

#[tokio::test]
async fn a_verified_address_makes_the_invited_a_member() {
    let signer = Signer::ed("ed");
    for (email, verified) in [
        ("eve@city.example", json!(true)),
        ("eve@city.example", json!("true")),
        ("EVE@City.Example", json!(true)),
    ] {
        let (world, _file) = invited(&signer).await;
        let before = world.revision().await;
        let claims = json!({ "email": email, "email_verified": verified });
        let places = memberships(&world, &signer, claims.clone()).await;
        assert_eq!(places, json!([{ "role": "EDITOR" }]), "{claims}");
        let joined = world.revision().await;
        assert!(joined > before);
        // The membership belongs to the subject from then on, and later requests write nothing.
        for claims in [claims, json!({})] {
            assert_eq!(memberships(&world, &signer, claims).await, json!([{ "role": "EDITOR" }]));
        }
        assert_eq!(memberships(&world, &signer, json!({ "sub": "mallory" })).await, json!([]));
        assert_eq!(world.revision().await, joined);
    }
}

#[tokio::test]
async fn an_address_that_is_not_verified_makes_nobody_a_member() {
    let signer = Signer::ed("ed");
    let (world, _file) = invited(&signer).await;
    let before = world.revision().await;
    let email = "eve@city.example";
    for claims in [
        json!({ "email": email, "email_verified": false }),
        json!({ "email": email }),
        json!({ "email": email, "email_verified": "false" }),
        json!({ "email": email, "email_verified": "" }),
        json!({ "email": email, "email_verified": 1 }),
        json!({ "email": email, "email_verified": [true] }),
        json!({ "email_verified": true }),
        json!({ "email_verified": true, "preferred_username": email, "sub": email }),
        json!({ "email": "mallory@city.example", "email_verified": true }),
        json!({ "email": "eve@city.example.invalid", "email_verified": true }),
        json!({ "email": "", "email_verified": true }),
        json!({ "email": "eve@city.example\u{0}", "email_verified": true }),
    ] {
        assert_eq!(memberships(&world, &signer, claims.clone()).await, json!([]), "{claims}");
    }
    assert_eq!(world.revision().await, before, "nothing was stored");
}
