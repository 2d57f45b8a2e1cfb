//! Customers in each order and by each filter, against a model.

use agent_registry::domain::{KeyScope, member::Role};
use serde_json::{Value, json};

use super::{all, connection, page, sorted};
use crate::support::App;

#[derive(Clone, Debug)]
struct Known {
    id: String,
    name: String,
    external: Option<String>,
    status: &'static str,
    plan: &'static str,
    minute: String,
}

const CREATE: &str = "mutation ($input: CreateCustomerInput!) { createCustomer(input: $input) { customer { id externalId } userErrors { code field } } }";
const UPDATE: &str = "mutation ($input: UpdateCustomerInput!) { updateCustomer(input: $input) { customer { externalId name } userErrors { code field } } }";

#[tokio::test]
async fn each_order_and_filter_is_that_of_the_model() {
    let app = App::start().await;
    let operator = app.operator().await;
    let mut known = Vec::new();
    for nth in 0..17_usize {
        let name = format!("{} {}", ["city", "Town", "ÖREBRO", "town"][nth % 4], nth % 5);
        let external = (nth % 3 == 0).then(|| format!("crm-{nth}"));
        let made = operator.gql(CREATE, json!({ "input": { "name": name, "externalId": external } })).await;
        let id = made.text("/createCustomer/customer/id");
        let status = ["ACTIVE", "PAST_DUE", "SUSPENDED"][nth % 3];
        if status != "ACTIVE" {
            app.set_billing_status(&id, status).await;
        }
        let plan = ["FREE", "PRO"][nth % 2];
        if plan == "PRO" {
            let set = "mutation ($id: ID!) { setPlan(input: { customerId: $id, plan: PRO }) { revision } }";
            operator.gql(set, json!({ "id": id })).await;
        }
        known.push(Known { id, name, external, status, plan, minute: String::new() });
    }
    for customer in &mut known {
        let query = "query ($id: ID!) { customer(id: $id) { externalId lastActivityAt } }";
        let answer = operator.gql(query, json!({ "id": customer.id })).await;
        assert_eq!(answer.at("/customer/externalId"), &json!(customer.external));
        customer.minute = answer.text("/customer/lastActivityAt")[..16].to_owned();
    }
    let some = [known[1].id.clone(), known[9].id.clone()];
    type Passes<'a> = Box<dyn Fn(&Known) -> bool + 'a>;
    let filters: Vec<(Value, Passes<'_>)> = vec![
        (Value::Null, Box::new(|_| true)),
        (json!({ "nameContains": "OW" }), Box::new(|of| of.name.to_lowercase().contains("ow"))),
        (json!({ "nameContains": "örebro" }), Box::new(|of| of.name.to_lowercase().contains("örebro"))),
        (json!({ "nameContains": "" }), Box::new(|_| true)),
        (json!({ "billingStatuses": ["PAST_DUE", "SUSPENDED"] }), Box::new(|of| of.status != "ACTIVE")),
        (
            json!({ "plans": ["PRO"], "billingStatuses": ["ACTIVE"] }),
            Box::new(|of| of.plan == "PRO" && of.status == "ACTIVE"),
        ),
        (json!({ "plans": [] }), Box::new(|_| false)),
        (json!({ "ids": some }), Box::new(|of| some.contains(&of.id))),
        (json!({ "externalId": "crm-3" }), Box::new(|of| of.external.as_deref() == Some("crm-3"))),
        (json!({ "createdSince": "2020-01-01T00:00:00Z" }), Box::new(|_| true)),
        (json!({ "createdSince": "2100-01-01T00:00:00Z" }), Box::new(|_| false)),
        (json!({ "name": "Town 1" }), Box::new(|of| of.name == "Town 1")),
    ];
    for (filter, passes) in &filters {
        let passed: Vec<Known> = known.iter().filter(|of| passes(of)).cloned().collect();
        for field in ["NAME", "CREATED_AT", "LAST_ACTIVITY_AT"] {
            for direction in ["ASC", "DESC"] {
                let value = |of: &Known| match field {
                    "NAME" => Some(of.name.to_lowercase()),
                    "CREATED_AT" => Some(of.id.clone()),
                    _ => Some(of.minute.clone()),
                };
                let expected = sorted(&passed, |of| &of.id, value, direction == "DESC");
                let order = json!({ "field": field, "direction": direction });
                for size in [3, 100] {
                    let arguments = json!({ "filter": filter, "orderBy": order });
                    let found = all(&operator, "customers", &arguments, size).await;
                    assert_eq!(found, expected, "{filter} by {field} {direction}");
                }
            }
        }
    }
    // A member of two sees these two, in each order.
    let (one, two) = (&known[4], &known[7]);
    app.set_member(&one.id, "ada", Role::Viewer).await;
    app.set_member(&two.id, "ada", Role::Viewer).await;
    let ada = app.user("ada", None);
    for field in ["NAME", "CREATED_AT", "LAST_ACTIVITY_AT"] {
        let found = all(&ada, "customers", &json!({ "orderBy": { "field": field } }), 1).await;
        assert_eq!(found.len(), 2, "{field}");
        assert!(found.contains(&one.id) && found.contains(&two.id));
        let theirs = json!({ "filter": { "ids": some }, "orderBy": { "field": field } });
        assert_eq!(all(&ada, "customers", &theirs, 1).await, Vec::<String>::new());
    }
    let named = page(&operator, "customers", &json!({ "first": 1, "orderBy": { "field": "NAME" } })).await;
    let cursor = connection(&named)["pageInfo"]["endCursor"].clone();
    for order in
        [Value::Null, json!({ "field": "NAME", "direction": "DESC" }), json!({ "field": "LAST_ACTIVITY_AT" })]
    {
        let other = json!({ "first": 1, "after": cursor, "orderBy": order });
        assert_eq!(page(&operator, "customers", &other).await.code(), Some("BAD_USER_INPUT"));
    }
}

#[tokio::test]
async fn an_external_id_is_unique_and_the_operators() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    let set = |id: &str, external: Value| json!({ "input": { "customerId": id, "externalId": external } });
    let answer = operator.gql(UPDATE, set(&city, json!("crm-1"))).await;
    assert_eq!(answer.at("/updateCustomer/customer/externalId"), "crm-1");
    let answer = operator.gql(UPDATE, set(&town, json!("crm-1"))).await;
    assert_eq!(
        answer.at("/updateCustomer/userErrors"),
        &json!([{ "code": "ALREADY_EXISTS", "field": "externalId" }])
    );
    for wrong in [json!(""), json!("a\nb"), json!("x".repeat(201))] {
        let answer = operator.gql(UPDATE, set(&town, wrong.clone())).await;
        assert_eq!(answer.at("/updateCustomer/userErrors/0/field"), "externalId", "{wrong}");
    }
    // An ADMIN could find out other customers' ids by trying.
    let admin = app.member(&town, Role::Admin).await;
    assert_eq!(admin.gql(UPDATE, set(&town, json!("crm-2"))).await.code(), Some("FORBIDDEN"));
    let read = "query ($id: ID!) { customer(id: $id) { externalId } }";
    assert_eq!(admin.gql(read, json!({ "id": town })).await.at("/customer/externalId"), &Value::Null);
    // Removed, it is free again, and a name alone keeps it.
    let rename = json!({ "input": { "customerId": city, "name": "Big City" } });
    assert_eq!(operator.gql(UPDATE, rename).await.at("/updateCustomer/customer/externalId"), "crm-1");
    operator.gql(UPDATE, set(&city, Value::Null)).await;
    let answer = operator.gql(UPDATE, set(&town, json!("crm-1"))).await;
    assert_eq!(answer.at("/updateCustomer/customer/externalId"), "crm-1");
}

#[tokio::test]
async fn keys_learn_neither_billing_nor_other_environments_activity() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let free = app.program(&customer, [KeyScope::AgentsRead]).await;
    let limited = app.limited_program(&customer, [KeyScope::AgentsRead], &["production"]).await;
    for filter in [json!({ "plans": ["FREE"] }), json!({ "billingStatuses": ["ACTIVE"] })] {
        assert_eq!(page(&free, "customers", &json!({ "filter": filter })).await.code(), Some("FORBIDDEN"));
    }
    let activity = json!({ "orderBy": { "field": "LAST_ACTIVITY_AT" } });
    assert_eq!(page(&free, "customers", &activity).await.code(), None);
    assert_eq!(page(&limited, "customers", &activity).await.code(), Some("FORBIDDEN"));
    let query = "{ customers { nodes { lastActivityAt } } }";
    assert_eq!(free.gql(query, Value::Null).await.code(), None);
    assert_eq!(limited.gql(query, Value::Null).await.code(), Some("FORBIDDEN"));
}
