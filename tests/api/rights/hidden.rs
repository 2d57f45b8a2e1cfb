//! A field that the caller may not read is null: alone, without an entry in `errors`, and without undoing the
//! write.

use agent_registry::domain::{KeyScope, ServiceScope, member::Role};
use serde_json::{Value, json};

use super::{Town, key_id};
use crate::{auth::signed, support::Calls};

#[tokio::test]
async fn a_committed_mutation_has_no_errors_for_what_its_writer_may_not_read() {
    let town = Town::new().await;
    let version = town.operator.publish(&town.agent, "one").await;
    let program = town.app.program(&town.customer, [KeyScope::VersionsActivate]).await;
    let key = key_id(program.token.as_deref().unwrap());
    let activate = |selection: &str| {
        format!(
            "mutation {{ activateVersion(input: {{ agentId: \"{}\", versionId: \"{version}\" }}) {{ revision {selection} userErrors {{ code }} }} }}",
            town.agent
        )
    };
    let own = program.gql(&activate("activation { activatedBy { kind id } }"), Value::Null).await;
    assert_eq!(
        own.at("/activateVersion/activation/activatedBy"),
        &json!({ "kind": "API_KEY", "id": key }),
        "the caller can read its own id"
    );
    // Another actor's id is hidden, without an error.
    let another = town.app.program(&town.customer, [KeyScope::VersionsActivate]).await;
    let others = another.gql(&activate("activation { activatedBy { kind id } }"), Value::Null).await;
    assert_eq!(
        others.at("/activateVersion/activation/activatedBy"),
        &json!({ "kind": "API_KEY", "id": null })
    );
    // A hidden non-null field makes the nearest nullable object null.
    for hidden in ["agent { name activeVersion { systemPrompt } }", "agent { name customer { name } }"] {
        let answer = program.gql(&activate(hidden), Value::Null).await;
        let payload = answer.at("/activateVersion");
        assert_eq!(payload["userErrors"], json!([]));
        assert!(!payload["revision"].is_null(), "{payload}");
        assert!(payload["agent"].is_null() || payload["agent"]["activeVersion"].is_null(), "{payload}");
    }
    // A rejected write is an error.
    let refused = "mutation ($id: ID!) { archiveAgent(input: { agentId: $id }) { revision } }";
    assert_eq!(program.gql(refused, json!({ "id": town.agent })).await.code(), Some("FORBIDDEN"));
    // So is a forbidden root field of a query, although it is nullable: null means that no version is active.
    let read = "query ($id: ID!) { activeConfig(agentId: $id) { name } }";
    assert_eq!(program.gql(read, json!({ "id": town.agent })).await.code(), Some("FORBIDDEN"));
}

#[tokio::test]
async fn a_list_that_is_forbidden_is_null_alone() {
    let town = Town::new().await;
    let viewer = town.app.member(&town.customer, Role::Viewer).await;
    let admin = town.app.member(&town.customer, Role::Admin).await;
    let program = town.app.program(&town.customer, [KeyScope::AgentsRead]).await;
    let query = "query ($id: ID!) { customer(id: $id) { name plan billing { status } usage { agents { used } }
        members { totalCount } invitations { totalCount } apiKeys { totalCount } changes(first: 1) { nodes { action } }
        agents { nodes { name changes(first: 1) { nodes { action } } } } } }";
    let id = json!({ "id": town.customer });
    let (hidden, open) = (json!(null), |answer: &Value| !answer.is_null());
    let seen = viewer.gql(query, id.clone()).await;
    for list in ["members", "invitations", "apiKeys", "changes"] {
        assert_eq!(seen.at(&format!("/customer/{list}")), &hidden);
    }
    assert_eq!(seen.at("/customer/agents/nodes/0"), &json!({ "name": "Helper", "changes": null }));
    assert_eq!(seen.at("/customer/plan"), "FREE");
    let seen = program.gql(query, id.clone()).await;
    for field in ["plan", "billing", "usage", "members", "invitations", "apiKeys", "changes"] {
        assert_eq!(seen.at(&format!("/customer/{field}")), &hidden);
    }
    assert_eq!(seen.at("/customer/name"), "Town");
    let seen = admin.gql(query, id.clone()).await;
    for field in ["plan", "billing", "usage", "members", "invitations", "apiKeys", "changes"] {
        assert!(open(seen.at(&format!("/customer/{field}"))), "{field}");
    }
    // A wrong argument is an error all the same.
    let wrong = "query ($id: ID!) { customer(id: $id) { name members(first: 0) { totalCount } } }";
    let answer = admin.gql(wrong, id).await;
    assert_eq!(answer.code(), Some("BAD_USER_INPUT"));
    assert_eq!(answer.body["data"]["customer"], json!({ "name": "Town", "members": null }));
}

/// A service token reads only active versions of served customers, and only with the scope for it, on every
/// transport.
#[tokio::test]
async fn a_service_reads_no_prompt_that_does_not_serve() {
    let town = Town::new().await;
    let watch = "subscription { activations(after: \"0\") { reason version { number systemPrompt } previousVersion { number systemPrompt } } }";
    let first = town.operator.publish(&town.agent, "one").await;
    let second = town.operator.publish(&town.agent, "two").await;
    for version in [&first, &second] {
        town.operator.activate(&town.agent, version).await;
    }
    let both = town.app.gateway().await;
    let watcher = town.app.service([ServiceScope::ActivationsWatch]).await;
    let reader = town.app.service([ServiceScope::ConfigsRead]).await;
    let told = async |client: &crate::support::caller::Client| {
        let mut socket = client.socket().await;
        socket.subscribe("1", watch, Value::Null).await;
        let (one, two) = (socket.event().await, socket.event().await);
        let prompts = |event: &Value| {
            let data = &event["data"]["activations"];
            (data["version"]["systemPrompt"].clone(), data["previousVersion"]["systemPrompt"].clone())
        };
        [prompts(&one), prompts(&two)]
    };
    let null = Value::Null;
    let none = [(null.clone(), null.clone()), (null.clone(), null.clone())];
    assert_eq!(told(&watcher).await, none, "the watch scope reads no prompts");
    let serving = [(null.clone(), null.clone()), (json!("two"), null.clone())];
    assert_eq!(told(&both).await, serving, "only the active version");
    let path = format!("/internal/agents/{}/active", town.agent);
    assert_eq!(reader.get(&path).await.body["system_prompt"], "two");
    assert_eq!(watcher.get(&path).await.status, 403);
    let config = "query ($id: ID!) { activeConfig(agentId: $id) { systemPrompt } }";
    assert_eq!(watcher.gql(config, json!({ "id": town.agent })).await.code(), Some("FORBIDDEN"));
    // Agents, and versions by number, aren't readable by service tokens.
    let (agent, by_number) = (
        format!("/v1/agents/{}", town.agent),
        "query ($id: ID!) { agent(id: $id) { version(number: 1) { systemPrompt } } }",
    );
    for service in [&both, &watcher, &reader] {
        assert_eq!(service.get(&agent).await.status, 403);
        let answer = service.gql(by_number, json!({ "id": town.agent })).await;
        assert_eq!(answer.code(), Some("FORBIDDEN"), "{}", answer.body);
    }

    let suspend = "mutation ($id: ID!) { setBillingStatus(input: { customerId: $id, status: SUSPENDED }) { revision } }";
    town.operator.gql(suspend, json!({ "id": town.customer })).await.at("/setBillingStatus/revision");
    assert_eq!(told(&both).await, none, "no prompt of a suspended customer");
    assert_eq!(reader.get(&path).await.status, 403);
    assert_eq!(reader.get(&path).await.body["code"], "SUSPENDED");
    let answer = both.gql(config, json!({ "id": town.agent })).await;
    assert_eq!(answer.code(), Some("SUSPENDED"), "{}", answer.body);
    // Its members can still read.
    let viewer = town.app.member(&town.customer, Role::Viewer).await;
    let own = "query ($id: ID!) { agent(id: $id) { activeVersion { systemPrompt } } }";
    assert_eq!(
        viewer.gql(own, json!({ "id": town.agent })).await.at("/agent/activeVersion/systemPrompt"),
        "two"
    );
}

/// An issuer's claim is taken literally: an address with an invisible character is another address.
#[tokio::test]
async fn an_address_that_only_looks_the_same_takes_no_invitation() {
    let town = Town::new().await;
    let invite = "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id email } userErrors { code field } } }";
    // Input of a user is trimmed.
    let input = json!({ "customerId": town.customer, "email": "  Victim@example.org ", "role": "ADMIN" });
    let made = town.operator.gql(invite, json!({ "input": input })).await;
    assert_eq!(made.at("/inviteMember/invitation/email"), "victim@example.org");
    let places = "{ viewer { memberships { role } } }";
    for (nth, unseen) in
        ['\u{2028}', '\u{a0}', '\u{3000}', ' ', '\u{200b}', '\u{feff}'].into_iter().enumerate()
    {
        for email in [format!("victim@example.org{unseen}"), format!("{unseen}victim@example.org")] {
            let claims = json!({ "sub": format!("thief {nth}"), "email": email, "email_verified": true });
            let thief = town.app.bearer(&signed(&town.app, &claims));
            let found = thief.gql(places, Value::Null).await;
            assert_eq!(found.at("/viewer/memberships"), &json!([]), "{email:?}");
        }
        let inside = json!({ "customerId": town.customer, "email": format!("a{unseen}b@example.org"), "role": "VIEWER" });
        let refused = town.operator.gql(invite, json!({ "input": inside })).await;
        assert_eq!(
            refused.at("/inviteMember/userErrors"),
            &json!([{ "code": "INVALID", "field": "email" }]),
            "{unseen:?}"
        );
    }
    let open = "query ($id: ID!) { customer(id: $id) { invitations { totalCount } members { totalCount } } }";
    let left = town.operator.gql(open, json!({ "id": town.customer })).await;
    assert_eq!(
        left.at("/customer"),
        &json!({ "invitations": { "totalCount": 1 }, "members": { "totalCount": 0 } })
    );
    let victim = town.app.user("victim", Some("Victim@example.org"));
    assert_eq!(
        victim.gql(places, Value::Null).await.at("/viewer/memberships"),
        &json!([{ "role": "ADMIN" }])
    );
}

/// A key has one spelling. Otherwise a rate limit or a cache would take its spellings for different keys.
#[tokio::test]
async fn a_key_in_upper_case_is_none() {
    let town = Town::new().await;
    let program = town.app.program(&town.customer, [KeyScope::AgentsRead]).await;
    let gateway = town.app.gateway().await;
    for token in [&program.token, &gateway.token] {
        let token = token.as_deref().unwrap();
        let ask = "{ viewer { kind } }";
        assert_eq!(town.app.bearer(token).gql(ask, Value::Null).await.status, 200);
        let (prefix, digits) = token.split_at(4);
        for other in [format!("{prefix}{}", digits.to_uppercase()), token.to_uppercase()] {
            assert_eq!(town.app.bearer(&other).gql(ask, Value::Null).await.status, 401, "{other}");
        }
    }
}
