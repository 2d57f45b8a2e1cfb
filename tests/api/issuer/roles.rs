//! Roles and groups in tokens give memberships, and take their own away again.

use agent_registry::domain::{
    Caller,
    auth::{
        claims::{ClaimMapping, ClaimName, MembershipRule},
        jwks::IssuerSettings,
    },
    member::{ChangeMemberRole, Role},
};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{ISSUER, KeyFile, Signer, World, set};
use crate::support::{App, caller::Operator, log, wait::eventually};

const ME: &str = "{ viewer { user { id name } memberships { role customer { id } } } }";
const MEMBERS: &str =
    "query ($id: ID!) { customer(id: $id) { members { nodes { id source role user { id name } } } } }";

/// A service whose issuer's groups give memberships at two customers, which an operator of another issuer made before.
struct City {
    world: World,
    signer: Signer,
    olga: Operator,
    city: String,
    town: String,
    _file: KeyFile,
}

impl City {
    async fn new() -> Self {
        let signer = Signer::ed("ed");
        let file = KeyFile::new(&set([&signer]));
        // The ids of customers are in the settings, so they are made by an earlier service on the same database.
        let before = App::start().await;
        let operator = before.operator().await;
        let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
        let rule = |value: &str, customer: &str, role| MembershipRule {
            value: value.to_owned(),
            customer: customer.parse().unwrap(),
            role,
        };
        let claims = ClaimMapping {
            roles: Some(ClaimName::parse("groups").unwrap()),
            memberships: vec![
                rule("readers", &city, Role::Viewer),
                rule("writers", &city, Role::Editor),
                rule("chiefs", &city, Role::Admin),
                rule("writers", &town, Role::Viewer),
            ],
            ..ClaimMapping::default()
        };
        let settings =
            IssuerSettings { claims, ..IssuerSettings::new(ISSUER, "agent-registry", file.source()) };
        let world = World::on(before, settings).await;
        world.keys.refresh().await.unwrap();
        world.operator(&signer).await;
        // Her token outlives the hours that the tests let pass.
        let olga = world.token(&signer, json!({ "sub": "olga", "exp": 4_102_444_800_u64 }));
        let olga = Operator(world.app.bearer(&olga));
        Self { world, signer, olga, city, town, _file: file }
    }

    /// Signs "eve" in with these claims. Returns her roles at the city and the town.
    async fn eve(&self, claims: Value) -> [Option<String>; 2] {
        self.person("eve", claims).await
    }

    async fn person(&self, subject: &str, mut claims: Value) -> [Option<String>; 2] {
        claims["sub"] = subject.into();
        // Each sign-in has a token of its own.
        claims["jti"] = uuid::Uuid::now_v7().to_string().into();
        let client = self.world.app.bearer(&self.world.token(&self.signer, claims));
        let mut answer = client.gql(ME, Value::Null).await;
        // A request during which its caller loses a right is rejected, and is to be sent again.
        if answer.code() == Some("UNAUTHENTICATED") {
            answer = client.gql(ME, Value::Null).await;
        }
        let places = answer.at("/viewer/memberships").as_array().unwrap().clone();
        [&self.city, &self.town].map(|customer| {
            let place = places.iter().find(|place| place["customer"]["id"] == **customer)?;
            Some(place["role"].as_str().unwrap().to_owned())
        })
    }

    /// The role and the source of each member of the city, with its name.
    async fn members(&self) -> Vec<(String, String)> {
        let answer = self.olga.gql(MEMBERS, json!({ "id": self.city })).await;
        let nodes = answer.at("/customer/members/nodes").as_array().unwrap().clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        nodes.iter().map(|node| (text(&node["role"]), text(&node["source"]))).collect()
    }

    async fn eve_id(&self) -> String {
        let answer = self.olga.gql(MEMBERS, json!({ "id": self.city })).await;
        answer.text("/customer/members/nodes/0/user/id")
    }

    /// Lets an hour pass, after which claims are taken over again.
    fn an_hour_later(&self) {
        self.world.app.clock.shift(TimeDelta::minutes(61));
    }
}

fn role(name: &str) -> Option<String> {
    Some(name.to_owned())
}

#[tokio::test]
async fn groups_give_memberships_at_the_first_sign_in() {
    let city = City::new().await;
    let before = city.world.revision().await;
    assert_eq!(city.eve(json!({})).await, [None, None], "no group gives nothing");
    assert_eq!(city.eve(json!({ "groups": ["else"] })).await, [None, None]);
    assert_eq!(city.world.revision().await, before, "nothing was stored");
    // The highest of the roles counts.
    let both = json!({ "groups": ["readers", "writers", "else"], "name": "Eve" });
    assert_eq!(city.eve(both).await, [role("EDITOR"), role("VIEWER")]);
    assert_eq!(city.members().await, [("EDITOR".to_owned(), "CLAIM".to_owned())]);
    let entries = "query ($id: ID!) { changes(customerId: $id, first: 1) { nodes { action details actor { kind displayName } } } }";
    let logged = city.olga.gql(entries, json!({ "id": city.city })).await;
    let entry = logged.at("/changes/nodes/0");
    assert_eq!(
        entry,
        &json!({
            "action": "MEMBER_SET",
            "details": { "before": null, "after": "EDITOR", "source": "CLAIM" },
            "actor": { "kind": "USER", "displayName": "Eve" },
        })
    );
    // Signing in again writes nothing.
    let after = city.world.revision().await;
    assert_eq!(city.eve(json!({ "groups": "writers" })).await, [role("EDITOR"), role("VIEWER")]);
    assert_eq!(city.world.revision().await, after);
}

#[tokio::test]
async fn memberships_follow_the_groups_within_an_hour_beside_the_request() {
    let city = City::new().await;
    assert_eq!(city.eve(json!({ "groups": ["writers"] })).await, [role("EDITOR"), role("VIEWER")]);
    let before = city.world.revision().await;
    let fewer = json!({ "groups": ["readers"] });
    assert_eq!(city.eve(fewer.clone()).await, [role("EDITOR"), role("VIEWER")], "too early");
    assert_eq!(city.world.revision().await, before);
    city.an_hour_later();
    city.eve(fewer.clone()).await;
    eventually("the memberships follow", async || city.eve(fewer.clone()).await == [role("VIEWER"), None])
        .await;
    // Without the claim there is no group: most issuers leave it out then.
    city.an_hour_later();
    city.eve(json!({})).await;
    eventually("the last membership ends", async || city.eve(json!({})).await == [None, None]).await;
    assert_eq!(city.members().await, []);
}

#[tokio::test]
async fn a_token_whose_groups_are_elsewhere_takes_nothing_away() {
    let city = City::new().await;
    assert_eq!(city.eve(json!({ "groups": ["writers"] })).await, [role("EDITOR"), role("VIEWER")]);
    city.an_hour_later();
    let before = city.world.revision().await;
    for overage in [
        json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": { "endpoint": "https://e.invalid" } } }),
        json!({ "hasgroups": true }),
    ] {
        assert_eq!(city.eve(overage).await, [role("EDITOR"), role("VIEWER")]);
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(city.world.revision().await, before);
}

#[tokio::test]
async fn claims_change_no_membership_that_a_person_gave() {
    let city = City::new().await;
    let system = Caller::system("test");
    let (customer_id, writers) = (city.city.parse().unwrap(), json!({ "groups": ["writers"] }));
    assert_eq!(city.eve(writers.clone()).await[0], role("EDITOR"));
    let user_id = city.eve_id().await.parse().unwrap();
    // A role that a person has set stays.
    let change = ChangeMemberRole { customer_id, user_id, role: Role::Viewer };
    city.world.app.registry.change_member_role(&system, change).await.unwrap();
    city.world.app.caught_up().await;
    assert_eq!(city.members().await, [("VIEWER".to_owned(), "MANUAL".to_owned())]);
    for claims in [json!({ "groups": ["chiefs"] }), json!({})] {
        city.an_hour_later();
        city.eve(claims.clone()).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(city.eve(claims).await[0], role("VIEWER"));
        assert_eq!(city.members().await, [("VIEWER".to_owned(), "MANUAL".to_owned())]);
    }
}

#[tokio::test]
async fn claims_never_take_the_last_admins_role() {
    let city = City::new().await;
    assert_eq!(city.eve(json!({ "groups": ["chiefs"] })).await, [role("ADMIN"), None]);
    for claims in [json!({ "groups": ["readers"] }), json!({})] {
        city.an_hour_later();
        city.eve(claims.clone()).await;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert_eq!(city.eve(claims).await[0], role("ADMIN"), "she is the last one");
    }
    // With another ADMIN she goes.
    assert_eq!(city.person("adam", json!({ "groups": ["chiefs"] })).await[0], role("ADMIN"));
    city.an_hour_later();
    city.eve(json!({})).await;
    eventually("she is out", async || city.eve(json!({})).await == [None, None]).await;
    assert_eq!(city.members().await, [("ADMIN".to_owned(), "CLAIM".to_owned())]);
}

#[tokio::test]
async fn a_full_or_suspended_customer_takes_nobody_in_by_claims_and_the_log_says_so() {
    let city = City::new().await;
    for number in 0..10 {
        let person = format!("person-{number}");
        assert_eq!(city.person(&person, json!({ "groups": ["readers"] })).await[0], role("VIEWER"));
    }
    let before = city.world.revision().await;
    // FREE allows ten.
    assert_eq!(city.person("eleventh", json!({ "groups": ["readers"] })).await, [None, None]);
    assert_eq!(city.world.revision().await, before);
    let lines = log::lines_with(&city.city);
    assert!(lines.iter().any(|line| line.contains("the customer's plan allows 10 members")), "{lines:?}");
    city.world.app.set_billing_status(&city.town, "SUSPENDED").await;
    assert_eq!(city.person("eleventh", json!({ "groups": ["writers"] })).await, [None, None]);
    assert_eq!(city.world.revision().await, before);
}
