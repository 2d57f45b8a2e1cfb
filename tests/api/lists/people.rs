//! Service tokens, people and operators, as operators list and change them.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use super::all;
use crate::support::{App, caller::Client};

#[tokio::test]
async fn service_tokens_are_listed_newest_first_with_revoked_ones() {
    let app = App::start().await;
    let operator = app.operator().await;
    let create = "mutation ($name: String!) { createServiceToken(input: { name: $name, scopes: [CONFIGS_READ] }) { serviceToken { id } } }";
    let mut made = Vec::new();
    for nth in 0..5 {
        let answer = operator.gql(create, json!({ "name": format!("gateway {nth}") })).await;
        made.insert(0, answer.text("/createServiceToken/serviceToken/id"));
    }
    let revoke = "mutation ($id: ID!) { revokeServiceToken(input: { serviceTokenId: $id }) { revision } }";
    operator.gql(revoke, json!({ "id": made[1] })).await;
    let list = "query ($first: Int, $after: String) { serviceTokens(first: $first, after: $after) {
        totalCount nodes { id revokedAt } pageInfo { endCursor hasNextPage } } }";
    let first = operator.gql(list, json!({ "first": 3 })).await;
    assert_eq!(first.at("/serviceTokens/totalCount"), 5);
    let rest = json!({ "first": 3, "after": first.at("/serviceTokens/pageInfo/endCursor") });
    let rest = operator.gql(list, rest).await;
    assert_eq!(rest.at("/serviceTokens/pageInfo/hasNextPage"), &json!(false));
    let ids = |answer: &crate::support::Answer| super::ids(answer.at("/serviceTokens"));
    assert_eq!([ids(&first), ids(&rest)].concat(), made);
    assert!(first.at("/serviceTokens/nodes/1/revokedAt").is_string());
    let customer = operator.customer("City").await;
    let admin = app.member(&customer, Role::Admin).await;
    assert_eq!(admin.gql(list, json!({})).await.code(), Some("FORBIDDEN"));
}

const ADD: &str = "mutation ($input: AddOperatorInput!) { done: addOperator(input: $input) { user { id isOperator } revision userErrors { code field } } }";
const REMOVE: &str = "mutation ($input: RemoveOperatorInput!) { done: removeOperator(input: $input) { userId revision userErrors { code message } } }";

async fn user_id(client: &Client, subject: &str) -> String {
    let answer =
        client.gql("{ users(first: 100) { nodes { id identities { subject } } } }", Value::Null).await;
    let nodes = answer.at("/users/nodes").as_array().unwrap();
    let found = nodes.iter().find(|node| node["identities"][0]["subject"] == subject).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn people_are_found_by_address_and_name_and_operators_by_being_ones() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let mut people = Vec::new();
    for subject in ["ada", "bob", "cy"] {
        people.push(app.set_member(&customer, subject, Role::Viewer).await);
    }
    let rename = "mutation { updateProfile(input: { name: \"Ada ÄRZTIN Lee\" }) { userErrors { code } } }";
    app.user("ada", None).gql(rename, Value::Null).await;
    let everyone = all(&operator, "users", &json!({}), 2).await;
    assert!(people.iter().all(|id| everyone.contains(id)) && everyone.is_sorted());
    let found = async |filter: Value| all(&operator, "users", &json!({ "filter": filter }), 2).await;
    assert_eq!(found(json!({ "nameContains": "ärztin l" })).await, [people[0].clone()]);
    assert_eq!(found(json!({ "nameContains": "nobody" })).await, Vec::<String>::new());
    assert_eq!(found(json!({ "emailContains": "" })).await, everyone);
    let operators = found(json!({ "isOperator": true })).await;
    assert_eq!(operators.len(), 1);
    let others = found(json!({ "isOperator": false })).await;
    assert_eq!(others.len() + 1, everyone.len());
    assert!(!others.contains(&operators[0]));
    let both = json!({ "isOperator": true, "nameContains": "ärztin" });
    assert_eq!(found(both.clone()).await, Vec::<String>::new());
    operator.gql(ADD, json!({ "input": { "userId": people[0] } })).await;
    assert_eq!(found(both).await, [people[0].clone()]);
    let admin = app.member(&customer, Role::Admin).await;
    let answer = super::page(&admin, "users", &json!({})).await;
    assert_eq!(answer.code(), Some("FORBIDDEN"));
    // Nobody else learns who is an operator.
    let who = "query ($id: ID!) { customer(id: $id) { members { nodes { user { isOperator } } } } }";
    let seen = admin.gql(who, json!({ "id": customer })).await;
    assert_eq!(seen.at("/customer/members/nodes/0/user/isOperator"), &Value::Null);
}

#[tokio::test]
async fn the_last_operator_stays_one() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let ada = app.set_member(&customer, "ada", Role::Viewer).await;
    let own = {
        let found = all(&operator, "users", &json!({ "filter": { "isOperator": true } }), 5).await;
        found[0].clone()
    };
    let count = async || all(&operator, "users", &json!({ "filter": { "isOperator": true } }), 5).await.len();
    let last = operator.gql(REMOVE, json!({ "input": { "userId": own } })).await;
    assert_eq!(last.at("/done/userErrors/0/code"), "CONFLICT");
    assert_eq!(count().await, 1);
    // Others may not, and nothing is stored.
    let admin = app.member(&customer, Role::Admin).await;
    assert_eq!(admin.gql(ADD, json!({ "input": { "userId": ada } })).await.code(), Some("FORBIDDEN"));
    for wrong in
        [json!({}), json!({ "issuer": "i" }), json!({ "userId": ada, "issuer": "i", "subject": "s" })]
    {
        let answer = operator.gql(ADD, json!({ "input": wrong })).await;
        assert_eq!(answer.at("/done/userErrors/0/code"), "INVALID", "{wrong}");
    }
    assert_eq!(count().await, 1);
    let added = operator.gql(ADD, json!({ "input": { "userId": ada } })).await;
    assert_eq!(added.at("/done/user"), &json!({ "id": ada, "isOperator": true }));
    let again = operator.gql(ADD, json!({ "input": { "userId": ada } })).await;
    assert_eq!(again.at("/done/revision"), added.at("/done/revision"));
    assert_eq!(count().await, 2);
    let by_name = json!({ "input": { "issuer": "https://issuer.invalid", "subject": "new" } });
    let named = operator.gql(ADD, by_name).await;
    assert_eq!(named.at("/done/userErrors"), &json!([]));
    assert_eq!(named.at("/done/user"), &Value::Null);
    let removed = operator.gql(REMOVE, json!({ "input": { "userId": ada } })).await;
    assert_eq!(removed.at("/done/userId"), &json!(ada));
    assert_eq!(count().await, 1);
    assert_eq!(user_id(&operator, "ada").await, ada);
}
