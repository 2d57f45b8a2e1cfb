//! Activations of a customer and of all customers.

use agent_registry::domain::{KeyScope, ServiceScope};
use serde_json::{Value, json};

use super::column;
use crate::{
    environment::Stage,
    support::{Answer, Calls, caller::Client},
};

/// The same list twice: below the customer, and at the root.
const LISTS: &str = "query ($id: ID!, $in: [String!], $why: [ActivationReason!], $first: Int, $after: String, $last: Int) {
    customer(id: $id) { activations(environments: $in, reasons: $why, first: $first, after: $after, last: $last) {
        totalCount pageInfo { hasNextPage endCursor } nodes { id reason environment { key } version { number } } } }
    activations(customerId: $id, environments: $in, reasons: $why, first: $first, after: $after, last: $last) {
        totalCount pageInfo { hasNextPage endCursor } nodes { id reason environment { key } version { number } } } }";

/// The list of these arguments, which is the same in both places.
async fn list(client: &Client, customer: &str, mut arguments: Value) -> Value {
    arguments["id"] = json!(customer);
    let answer = client.gql(LISTS, arguments).await;
    assert_eq!(answer.at("/customer/activations"), answer.at("/activations"));
    answer.at("/activations").clone()
}

/// A customer with four activations in `production` and one in `staging`.
async fn stage() -> Stage {
    let stage = Stage::new(3).await;
    for (number, environment) in [(1, "production"), (2, "production")] {
        stage.activate(number, environment).await;
    }
    stage.change("rollback", "production").await;
    stage.activate(3, "staging").await;
    let promote = "mutation ($input: PromoteVersionInput!) { promoteVersion(input: $input) { revision userErrors { message } } }";
    let input = json!({ "agentId": stage.agent, "fromEnvironment": "staging", "toEnvironment": "production",
        "expectedFromVersionId": stage.versions[2], "expectedToVersionId": stage.versions[0] });
    stage.editor.gql(promote, json!({ "input": input })).await.text("/promoteVersion/revision");
    stage
}

#[tokio::test]
async fn a_customers_activations_are_listed_newest_first_by_environment_and_reason() {
    let stage = stage().await;
    let reasons = async |arguments: Value| {
        let list = list(&stage.editor, &stage.customer, arguments).await;
        assert_eq!(list["totalCount"], list["nodes"].as_array().unwrap().len());
        column(&list["nodes"], "reason")
    };
    assert_eq!(reasons(json!({})).await, ["PROMOTE", "ROLLBACK", "ACTIVATE", "ACTIVATE"], "in production");
    assert_eq!(reasons(json!({ "in": ["staging"] })).await, ["ACTIVATE"]);
    let both = json!({ "in": ["production", "staging"] });
    assert_eq!(reasons(both).await, ["PROMOTE", "ACTIVATE", "ROLLBACK", "ACTIVATE", "ACTIVATE"]);
    assert_eq!(reasons(json!({ "why": ["PROMOTE"] })).await, ["PROMOTE"], "a promotion isn't an ACTIVATE");
    assert_eq!(reasons(json!({ "why": ["ACTIVATE"] })).await, ["ACTIVATE", "ACTIVATE"]);
    let two = json!({ "why": ["ROLLBACK", "PROMOTE", "ROLLBACK"] });
    assert_eq!(reasons(two).await, ["PROMOTE", "ROLLBACK"]);
    assert_eq!(reasons(json!({ "why": ["ARCHIVE", "DEACTIVATE", "PUBLISH"] })).await, [""; 0]);
    assert_eq!(reasons(json!({ "in": ["nowhere"] })).await, [""; 0]);
    for wrong in [json!({ "why": [] }), json!({ "in": [] }), json!({ "in": ["Production"] })] {
        let mut arguments = wrong.clone();
        arguments["id"] = json!(stage.customer);
        let refused = stage.editor.gql(LISTS, arguments).await;
        assert_eq!(refused.code(), Some("BAD_USER_INPUT"), "{wrong}");
    }
}

#[tokio::test]
async fn its_pages_are_those_of_one_list() {
    let stage = stage().await;
    let both = json!(["production", "staging"]);
    let whole = list(&stage.editor, &stage.customer, json!({ "in": both })).await;
    let (mut paged, mut after) = (Vec::new(), Value::Null);
    loop {
        let page =
            list(&stage.editor, &stage.customer, json!({ "in": both, "first": 2, "after": after })).await;
        paged.extend(column(&page["nodes"], "id"));
        assert_eq!(page["totalCount"], 5);
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(paged, column(&whole["nodes"], "id"));
    let last = list(&stage.editor, &stage.customer, json!({ "in": both, "last": 2 })).await;
    assert_eq!(column(&last["nodes"], "id"), paged[3..]);
    // Without a customer: all that the caller sees, here of one customer and of all.
    let all = "{ activations(environments: [\"production\", \"staging\"]) { totalCount nodes { id } } }";
    for client in [&*stage.editor, &stage.operator] {
        let answer = client.gql(all, Value::Null).await;
        assert_eq!(column(answer.at("/activations/nodes"), "id"), paged);
        assert_eq!(answer.at("/activations/totalCount"), 5);
    }
}

#[tokio::test]
async fn nobody_else_is_shown_a_customers_activations() {
    let stage = stage().await;
    let town = stage.operator.customer("Town").await;
    let theirs = stage.app.program(&town, KeyScope::ALL).await;
    let own = theirs.agent(&town, "Own").await;
    let version = theirs.publish(&own, "own").await;
    theirs.activate(&own, &version).await.text("/activateVersion/activation/id");
    let root = "query ($id: ID, $in: [String!]) { activations(customerId: $id, environments: $in) { totalCount nodes { agent { name } } } }";
    let names = |answer: &Answer| answer.at("/activations").clone();
    let mine = json!({ "totalCount": 1, "nodes": [{ "agent": { "name": "Own" } }] });
    for environments in [Value::Null, json!(["production", "staging"])] {
        let all = theirs.gql(root, json!({ "in": environments })).await;
        assert_eq!(names(&all), mine, "only its own");
        let none = theirs.gql(root, json!({ "id": stage.customer, "in": environments })).await;
        assert_eq!(names(&none), json!({ "totalCount": 0, "nodes": [] }));
    }
    // A key that is limited to an environment: another one is as empty as one that doesn't exist.
    let staging = stage.app.limited_program(&stage.customer, [KeyScope::AgentsRead], &["staging"]).await;
    let reached = list(&staging, &stage.customer, json!({ "in": ["production", "staging"] })).await;
    let keys: Vec<&str> = reached["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["environment"]["key"].as_str().unwrap())
        .collect();
    assert_eq!((keys, &reached["totalCount"]), (vec!["staging"], &json!(1)));
    assert_eq!(list(&staging, &stage.customer, json!({})).await["totalCount"], 0);
    // Callers that may not read agents.
    let gateway = stage.app.service(ServiceScope::ALL).await;
    let writer = stage.app.program(&stage.customer, [KeyScope::VersionsActivate]).await;
    for client in [&*gateway, &*writer] {
        assert_eq!(client.gql(root, json!({ "id": stage.customer })).await.code(), Some("FORBIDDEN"));
    }
}
