//! Billing status: set by operators, by allowed transitions only, and effective at once.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use crate::support::{Answer, App, Calls, caller::Client};

const STATUSES: [&str; 5] = ["TRIALING", "ACTIVE", "PAST_DUE", "SUSPENDED", "CANCELED"];

async fn set_status(caller: &Client, customer: &str, status: &str) -> Answer {
    let mutation = "mutation ($input: SetBillingStatusInput!) { setBillingStatus(input: $input) {
        customer { billing { status } } revision userErrors { code message field } } }";
    caller.gql(mutation, json!({ "input": { "customerId": customer, "status": status } })).await
}

async fn set_plan(caller: &Client, customer: &str, plan: &str) -> Answer {
    let mutation = "mutation ($input: SetPlanInput!) { setPlan(input: $input) {
        customer { plan } revision userErrors { code message field } } }";
    caller.gql(mutation, json!({ "input": { "customerId": customer, "plan": plan } })).await
}

#[tokio::test]
async fn each_legal_step_is_taken_and_each_other_refused() {
    let app = App::start().await;
    let operator = app.operator().await;
    let mut table = String::new();
    for from in STATUSES {
        let mut row = String::new();
        for to in STATUSES {
            let customer = operator.customer("City").await;
            app.set_billing_status(&customer, from).await;
            let before = app.registry.head().await.unwrap().revision.0;
            let answer = set_status(&operator, &customer, to).await;
            let now = "query ($id: ID!) { customer(id: $id) { billing { status } } }";
            let now = operator.gql(now, json!({ "id": customer })).await.text("/customer/billing/status");
            let recorded = app.registry.head().await.unwrap().revision.0 - before;
            let errors = answer.at("/setBillingStatus/userErrors").as_array().unwrap();
            let refused = errors.first().is_some_and(|error| error["code"] == "INVALID");
            assert_eq!(now, if refused { from } else { to });
            assert_eq!(recorded, i64::from(!refused && from != to), "{from} to {to}");
            assert_eq!(answer.at("/setBillingStatus/revision").is_string(), !refused);
            row.push(if refused { '-' } else { 'y' });
        }
        table.push_str(&format!("{row} {from}\n"));
    }
    insta::assert_snapshot!(table, @r"
    yyyyy TRIALING
    -yyyy ACTIVE
    -yyyy PAST_DUE
    -yyyy SUSPENDED
    ----y CANCELED
    ");
}

#[tokio::test]
async fn suspension_is_felt_on_every_instance_at_once_and_lifted_again() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let admin = app.member(&customer, Role::Admin).await;
    let agent = admin.agent(&customer, "Helper").await;
    let version = admin.publish(&agent, "You help.").await;
    admin.activate(&agent, &version).await;
    let other = app.another().await;
    let gateway = app.gateway().await;
    let path = format!("/internal/agents/{agent}/active");
    let elsewhere = other.bearer(gateway.token.as_deref().unwrap());
    // An instance sees another instance's write within a second, and at once when the request has `at_least`.
    let since = |set: &Answer| format!("{path}?at_least={}", set.text("/setBillingStatus/revision"));
    let set = set_status(&operator, &customer, "SUSPENDED").await;
    assert_eq!(set.at("/setBillingStatus/userErrors"), &json!([]));
    for (caller, path) in [(&*gateway, path.clone()), (&elsewhere, since(&set))] {
        let refused = caller.get(&path).await;
        assert_eq!((refused.status.as_u16(), &refused.body["code"]), (403, &json!("SUSPENDED")));
    }
    let publish = json!({ "agentId": agent, "systemPrompt": "x", "modelName": "m" });
    let refused = admin.publish_input(publish).await;
    assert_eq!(refused.text("/publishVersion/userErrors/0/code"), "SUSPENDED");
    assert_eq!(admin.active_number(&agent).await, 1, "members can still read");
    let set = set_status(&operator, &customer, "ACTIVE").await;
    assert_eq!(gateway.get(&path).await.body["system_prompt"], "You help.");
    assert_eq!(elsewhere.get(&since(&set)).await.body["system_prompt"], "You help.");
    other.stop().await;
}

#[tokio::test]
async fn only_operators_set_it_and_only_what_differs_is_recorded() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let admin = app.member(&customer, Role::Admin).await;
    let head = app.registry.head().await.unwrap();
    for caller in [&*admin, &*app.stranger()] {
        assert_eq!(set_plan(caller, &customer, "ENTERPRISE").await.code(), Some("FORBIDDEN"));
        assert_eq!(set_status(caller, &customer, "TRIALING").await.code(), Some("FORBIDDEN"));
    }
    assert_eq!(app.registry.head().await.unwrap(), head);
    let set = set_plan(&operator, &customer, "PRO").await;
    assert_eq!(set.at("/setPlan/customer/plan"), "PRO");
    assert_eq!(set_plan(&operator, &customer, "PRO").await.body, set.body, "the plan is set already");
    let nobody = "01a20326-e777-71ce-9264-eefdca7dad0e";
    assert_eq!(set_plan(&operator, nobody, "PRO").await.text("/setPlan/userErrors/0/code"), "NOT_FOUND");
    assert_eq!(set_plan(&operator, &customer, "GOLD").await.code(), Some("BAD_USER_INPUT"));
    assert_eq!(
        operator.gql("{ customers { nodes { plan } } }", Value::Null).await.at("/customers/nodes/0/plan"),
        "PRO"
    );
}
