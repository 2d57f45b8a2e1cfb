//! Customers: created by operators, read by their members.

use agent_registry::domain::member::Role;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::support::{App, Calls};

const CREATE: &str = "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) {
    customer { id name plan billing { status } createdAt } revision userErrors { code message field } } }";
const COUNT: &str = "{ customers { totalCount } }";

#[tokio::test]
async fn an_operator_creates_one() {
    let app = App::start().await;
    let operator = app.operator().await;
    let answer = operator.gql(CREATE, json!({ "input": { "name": "City of Örebro" } })).await;
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
    assert_eq!(operator.gql(COUNT, Value::Null).await.at("/customers/totalCount"), 1);
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
    assert_eq!(operator.gql(COUNT, Value::Null).await.at("/customers/totalCount"), 1);
}

const UPDATE: &str = "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) {
    customer { name } revision userErrors { code field } } }";

#[tokio::test]
async fn its_admin_renames_it_and_its_editor_does_not() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let (admin, editor) =
        (app.member(&customer, Role::Admin).await, app.member(&customer, Role::Editor).await);
    let rename = |name: &str| json!({ "input": { "customerId": customer, "name": name } });
    assert_eq!(editor.gql(UPDATE, rename("Mine")).await.code(), Some("FORBIDDEN"));
    let renamed = admin.gql(UPDATE, rename("Metropolis")).await;
    assert_eq!(renamed.at("/updateCustomer/customer/name"), "Metropolis");
    let same = admin.gql(UPDATE, rename("Metropolis")).await;
    assert_eq!(same.body, renamed.body, "nothing changed, so nothing is recorded");
    let blank = admin.gql(UPDATE, rename("  ")).await;
    assert_eq!(blank.at("/updateCustomer/userErrors/0"), &json!({ "code": "INVALID", "field": "name" }));
    let query = "query ($id: ID!) { customer(id: $id) { name } }";
    assert_eq!(editor.gql(query, json!({ "id": customer })).await.at("/customer/name"), "Metropolis");
}

#[tokio::test]
async fn a_suspended_ones_people_look_and_do_not_touch_and_nothing_is_served() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let admin = app.member(&customer, Role::Admin).await;
    let agent = admin.agent(&customer, "Helper").await;
    let version = admin.publish(&agent, "You help.").await;
    admin.activate(&agent, &version).await;
    app.set_billing_status(&customer, "SUSPENDED").await;
    let config = "query ($id: ID!) { activeConfig(agentId: $id) { systemPrompt } }";
    for caller in [&*app.gateway().await, &*admin] {
        assert_eq!(caller.gql(config, json!({ "id": agent })).await.code(), Some("SUSPENDED"));
    }
    let head = app.registry.head().await.unwrap();
    let refused =
        admin.publish_input(json!({ "agentId": agent, "systemPrompt": "x", "modelName": "m" })).await;
    assert_eq!(refused.text("/publishVersion/userErrors/0/code"), "SUSPENDED");
    let rename = admin.gql(UPDATE, json!({ "input": { "customerId": customer, "name": "New" } })).await;
    assert_eq!(rename.text("/updateCustomer/userErrors/0/code"), "SUSPENDED");
    assert_eq!(app.registry.head().await.unwrap(), head);
    assert_eq!(admin.active_number(&agent).await, 1, "its members can still read");
    assert_eq!(operator.publish(&agent, "by the platform").await.len(), 36, "and the platform can write");
}
