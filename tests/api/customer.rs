//! Customers: created by operators, seen by their own people.

use agent_registry::domain::member::Role;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::App;

const CREATE: &str = "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) {
    customer { id name plan billing { status } createdAt } revision userErrors { code message field } } }";
const COUNT: &str = "{ customers { totalCount } }";

#[tokio::test]
async fn an_operator_creates_one() {
    let app = App::start().await;
    let operator = app.operator().await;
    let answer = operator
        .gql(CREATE, json!({ "input": { "name": "City of Örebro" } }))
        .await;
    assert_json_snapshot!(answer.at("/createCustomer").clone(), { ".customer.id" => "[id]", ".customer.createdAt" => "[time]" }, @r#"
    {
      "customer": {
        "billing": {
          "status": "ACTIVE"
        },
        "createdAt": "[time]",
        "id": "[id]",
        "name": "City of Örebro",
        "plan": "FREE"
      },
      "revision": "2",
      "userErrors": []
    }
    "#);
    assert_eq!(
        operator.gql(COUNT, Value::Null).await.at("/customers/totalCount"),
        1
    );
}

#[tokio::test]
async fn nobody_else_does() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let admin = app.member(&customer, Role::Admin).await;
    let gateway = app.gateway().await;
    for caller in [&*admin, &*gateway, &*app.stranger()] {
        let answer = caller.gql(CREATE, json!({ "input": { "name": "Mine" } })).await;
        assert_eq!(answer.code(), Some("FORBIDDEN"));
    }
    assert_eq!(
        operator.gql(COUNT, Value::Null).await.at("/customers/totalCount"),
        1
    );
}
