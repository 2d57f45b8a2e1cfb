//! An idempotency key belongs to one request: the mutation and its whole input.

use agent_registry::domain::member::Role;
use serde_json::json;

use crate::rest::City;

/// Both mutations of a pair take the same input.
#[tokio::test]
async fn the_same_key_and_input_to_another_mutation_is_refused_and_does_nothing() {
    let city = City::new().await;
    let admin = city.app.member(&city.customer, Role::Admin).await;
    city.serve("one").await;
    city.serve("two").await;
    let send = async |name: &str, key: &str| {
        let input = format!("{}{}Input", name[..1].to_uppercase(), &name[1..]);
        let mutation = format!(
            "mutation ($input: {input}!) {{ {name}(input: $input) {{ revision userErrors {{ code }} }} }}"
        );
        let given = json!({ "agentId": city.agent, "idempotencyKey": key });
        admin.gql(&mutation, json!({ "input": given })).await.at(&format!("/{name}")).clone()
    };
    let state = async || {
        let agent = admin.get(&format!("/v1/agents/{}", city.agent)).await.body;
        (city.revision().await, agent["archived_at"].clone(), agent["active_version_number"].clone())
    };
    for (first, second) in
        [("rollback", "deactivate"), ("deactivate", "archiveAgent"), ("archiveAgent", "restoreAgent")]
    {
        let made = send(first, first).await;
        assert_eq!(made["userErrors"], json!([]), "{first}");
        let before = state().await;
        let refused = send(second, first).await;
        assert_eq!(refused["userErrors"][0]["code"], "IDEMPOTENCY_KEY_REUSED", "{second} after {first}");
        assert_eq!(state().await, before, "{second} after {first} changed something");
        assert_eq!(send(first, first).await["revision"], made["revision"], "{first} is repeated");
    }
    // With a new key the last mutation succeeds, so the key was the reason for the rejection.
    assert_eq!(send("restoreAgent", "another").await["userErrors"], json!([]));
}
