//! Each mutation sent twice with one idempotency key has one effect, and both times the same response.

use serde_json::{Value, json};

use super::{World, fields_of, table::FIELDS};
use crate::support::{App, caller::Operator};

/// Each mutation, and the selection of its payload that identifies the object.
const IDENTIFYING_SELECTIONS: &[(&str, &str)] = &[
    ("createCustomer", "customer { id }"),
    ("updateCustomer", "customer { id }"),
    ("setPlan", "customer { id }"),
    ("setBillingStatus", "customer { id }"),
    ("eraseCustomer", "customer { id }"),
    ("inviteMember", "invitation { id }"),
    ("revokeInvitation", "invitationId"),
    ("changeMemberRole", "membership { user { id } }"),
    ("addMember", "membership { user { id } }"),
    ("linkIdentity", "user { id }"),
    ("addOperator", "user { id }"),
    ("removeOperator", "userId"),
    ("updateProfile", "user { name }"),
    ("revokeSession", "sessionId"),
    ("revokeOtherSessions", "sessionIds"),
    ("removeMember", "userId"),
    ("createApiKey", "apiKey { id } secret"),
    ("rotateApiKey", "apiKey { id } previous { id } secret"),
    ("revokeApiKey", "apiKey { id }"),
    ("createEnvironment", "environment { id }"),
    ("updateEnvironment", "environment { id }"),
    ("archiveEnvironment", "environment { id }"),
    ("restoreEnvironment", "environment { id }"),
    ("promoteVersion", "agent { id } activation { id }"),
    ("createAgent", "agent { id }"),
    ("updateAgent", "agent { id }"),
    ("archiveAgent", "agent { id }"),
    ("restoreAgent", "agent { id }"),
    ("publishVersion", "version { id number }"),
    ("activateVersion", "agent { id } activation { id }"),
    ("rollback", "agent { id } activation { id }"),
    ("deactivate", "agent { id } activation { id }"),
    ("createServiceToken", "serviceToken { id } secret"),
    ("rotateServiceToken", "serviceToken { id } secret previous { id }"),
    ("revokeServiceToken", "serviceToken { id }"),
];

/// Mutations without a key, since they do the same when they are sent twice: a report replaces the earlier one.
const WITHOUT_KEY: [&str; 1] = ["reportServing"];

/// Creates a customer that may be erased.
async fn canceled(app: &App, operator: &Operator, name: &str) -> String {
    let customer = operator.customer(name).await;
    app.set_billing_status(&customer, "CANCELED").await;
    customer
}

#[tokio::test]
async fn each_mutation_has_its_effect_once() {
    let told: std::collections::BTreeSet<_> = IDENTIFYING_SELECTIONS
        .iter()
        .map(|(field, _)| *field)
        .chain(WITHOUT_KEY)
        .map(str::to_owned)
        .collect();
    assert_eq!(told, fields_of("Mutation"), "each mutation needs a row in IDENTIFYING_SELECTIONS");
    let world = World::new().await;
    for (number, (field, rest, _)) in FIELDS.iter().enumerate() {
        let Some((_, object)) = IDENTIFYING_SELECTIONS.iter().find(|(told, _)| told == field) else {
            continue;
        };
        let (what, key) = (format!("{field} {number}"), format!("key {number}"));
        let things = world.make_sample_agent(&format!("For {what}")).await;
        let mut rest = (*rest).to_owned();
        if *field == "eraseCustomer" {
            let customer = canceled(&world.app, &world.operator, &what).await;
            rest = rest.replace("CUSTOMER", &json!(customer).to_string());
        }
        let rest = world.fill_placeholders(&world.fill_single_use_ids(&rest, &what).await, &things, &what);
        let rest = rest.replacen("input: {", &format!("input: {{ idempotencyKey: \"{key}\","), 1);
        let rest = rest.replace("{ userErrors", &format!("{{ {object} revision userErrors"));
        let send = async || {
            let answer = world.operator.gql(&format!("mutation {{ {field}{rest} }}"), Value::Null).await;
            answer.at(&format!("/{field}")).clone()
        };
        let first = send().await;
        let made = world.revision().await;
        assert_eq!(first["userErrors"], json!([]), "{what}: {first}");
        assert!(first["revision"].is_string(), "{what}: {first}");
        let mut again = send().await;
        assert_eq!(world.revision().await, made, "{what} was done twice");
        // Everything but the secret is repeated; a secret is shown once.
        if let Some(secret) = first.get("secret") {
            assert!(secret.is_string(), "{what}: {first}");
            assert!(again["secret"].is_null(), "{what} shows a secret twice");
            again["secret"] = secret.clone();
        }
        assert_eq!(again, first, "{what} returns something else the second time");

        let other = format!(
            "mutation {{ createCustomer(input: {{ name: \"Other\", idempotencyKey: \"{key}\" }}) {{
            customer {{ id }} userErrors {{ code field }} }} }}"
        );
        let other = world.operator.gql(&other, Value::Null).await;
        let refused = json!([{ "code": "IDEMPOTENCY_KEY_REUSED", "field": "idempotencyKey" }]);
        assert_eq!(other.at("/createCustomer/userErrors"), &refused, "{what}");
        assert_eq!(world.revision().await, made, "{what}: rejected, and changed something");
    }
}
