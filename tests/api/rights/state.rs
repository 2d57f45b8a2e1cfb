//! Writes to a suspended or canceled customer: only removals of rights, and anything by the platform.

use agent_registry::domain::{
    KeyScope,
    member::Role,
    policy::{Action, CustomerState},
};
use serde_json::{Value, json};

use super::{Town, key_id, user_id};
use crate::support::{Answer, Calls, caller::Client};

/// The state that each action needs. Decide for each new action.
#[test]
fn what_only_takes_away_needs_no_good_standing() {
    let of = |state| Action::ALL.into_iter().filter(move |action| action.state_needed() == state);
    assert_eq!(of(CustomerState::Kept).collect::<Vec<_>>(), [Action::RemoveMembers, Action::RevokeKeys]);
    assert_eq!(
        of(CustomerState::Served).collect::<Vec<_>>(),
        [
            Action::UpdateCustomer,
            Action::ManageMembers,
            Action::ManageKeys,
            Action::ManageEnvironments,
            Action::WriteAgents,
            Action::PublishVersions,
            Action::ActivateVersions,
            Action::ImportAgents
        ]
    );
}

async fn done(client: &Client, mutation: &str) -> Answer {
    let mutation = mutation.replace('%', "{ revision userErrors { code } }");
    client.gql(&format!("mutation {{ done: {mutation} }}"), Value::Null).await
}

#[tokio::test]
async fn an_admin_of_a_suspended_customer_takes_away_and_does_nothing_else() {
    for status in ["SUSPENDED", "CANCELED"] {
        let town = Town::new().await;
        let customer = &town.customer;
        let admin = town.app.member(customer, Role::Admin).await;
        let leaver = user_id(&town.app.member(customer, Role::Editor).await.0).await;
        let key = key_id(town.app.program(customer, [KeyScope::AgentsRead]).await.token.as_deref().unwrap());
        let version = admin.publish(&town.agent, "one").await;
        admin.activate(&town.agent, &version).await;
        let invite =
            "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }";
        let input = json!({ "customerId": customer, "email": "ada@example.org", "role": "VIEWER" });
        let invitation =
            admin.gql(invite, json!({ "input": input })).await.text("/inviteMember/invitation/id");
        town.app.set_billing_status(customer, status).await;
        let agent = &town.agent;
        let head = town.head().await;
        for refused in [
            format!("createAgent(input: {{ customerId: \"{customer}\", name: \"New\" }}) %"),
            format!("updateAgent(input: {{ agentId: \"{agent}\", name: \"New\" }}) %"),
            format!("archiveAgent(input: {{ agentId: \"{agent}\" }}) %"),
            format!("restoreAgent(input: {{ agentId: \"{agent}\" }}) %"),
            format!("deactivate(input: {{ agentId: \"{agent}\" }}) %"),
            format!("rollback(input: {{ agentId: \"{agent}\" }}) %"),
            format!("activateVersion(input: {{ agentId: \"{agent}\", versionId: \"{version}\" }}) %"),
            format!(
                "publishVersion(input: {{ agentId: \"{agent}\", systemPrompt: \"x\", modelName: \"m\" }}) %"
            ),
            format!("updateCustomer(input: {{ customerId: \"{customer}\", name: \"New\" }}) %"),
            format!(
                "createApiKey(input: {{ customerId: \"{customer}\", name: \"k\", scopes: [AGENTS_READ] }}) %"
            ),
            format!("rotateApiKey(input: {{ apiKeyId: \"{key}\" }}) %"),
            format!(
                "inviteMember(input: {{ customerId: \"{customer}\", email: \"b@example.org\", role: VIEWER }}) %"
            ),
            format!(
                "changeMemberRole(input: {{ customerId: \"{customer}\", userId: \"{leaver}\", role: VIEWER }}) %"
            ),
        ] {
            let answer = done(&admin, &refused).await;
            assert_eq!(answer.at("/done/userErrors"), &json!([{ "code": status }]), "{refused}");
        }
        assert_eq!(town.head().await, head, "rejected writes are not in the log");
        for taken in [
            format!("revokeApiKey(input: {{ apiKeyId: \"{key}\" }}) %"),
            format!("removeMember(input: {{ customerId: \"{customer}\", userId: \"{leaver}\" }}) %"),
            format!("revokeInvitation(input: {{ invitationId: \"{invitation}\" }}) %"),
        ] {
            let answer = done(&admin, &taken).await;
            assert_eq!(answer.at("/done/userErrors"), &json!([]), "{taken}");
        }
        assert_eq!(town.head().await, head + 3);
        // The platform may write anything, and the log names it.
        let answer =
            done(&town.operator, &format!("archiveAgent(input: {{ agentId: \"{agent}\" }}) %")).await;
        assert_eq!(answer.at("/done/userErrors"), &json!([]));
        assert_eq!(town.head().await, head + 4);
        town.other.stop().await;
    }
}
