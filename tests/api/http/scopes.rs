//! `insufficient_scope` (RFC 6750, section 3.1): for keys and tokens without a needed scope, and for no one else.

use agent_registry::domain::{KeyScope, ServiceScope, member::Role};
use serde_json::json;

use crate::support::{App, Calls};

#[tokio::test]
async fn a_credential_whose_scopes_do_not_suffice_is_told_so() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let viewer = app.member(&customer, Role::Viewer).await;
    let agent = app.member(&customer, Role::Editor).await.agent(&customer, "Helper").await;
    let (reads, watches) = (
        app.program(&customer, [KeyScope::AgentsRead]).await,
        app.service([ServiceScope::ActivationsWatch]).await,
    );
    let active = format!("/internal/agents/{agent}/active");
    let create = json!({ "name": "Another", "customer_id": customer });
    for answer in
        [reads.post("/v1/agents", create.clone()).await, reads.get(&active).await, watches.get(&active).await]
    {
        assert_eq!(
            (answer.status.as_u16(), answer.challenge()),
            (403, Some("insufficient_scope")),
            "{}",
            answer.body
        );
        assert_eq!(answer.body["code"], "FORBIDDEN");
    }
    // A role isn't a scope: no other token of the same user would help.
    let answer = viewer.post("/v1/agents", create.clone()).await;
    assert_eq!((answer.status.as_u16(), answer.challenge()), (403, None), "{}", answer.body);
    // Neither for a key of another customer, nor for a suspended customer.
    let town = operator.customer("Town").await;
    let other = app.program(&town, KeyScope::ALL).await;
    let answer = other.get(&format!("/v1/agents/{agent}")).await;
    assert_eq!((answer.status.as_u16(), answer.challenge()), (404, None));
    app.set_billing_status(&customer, "SUSPENDED").await;
    let writes = app.program(&customer, [KeyScope::AgentsWrite]).await;
    let answer = writes.post("/v1/agents", create).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["code"], answer.challenge()),
        (403, &json!("SUSPENDED"), None)
    );
    // None of these requests had an effect.
    let query = "query ($id: ID!) { agents(customerId: $id) { totalCount } }";
    assert_eq!(operator.gql(query, json!({ "id": customer })).await.at("/agents/totalCount"), 1);
}
