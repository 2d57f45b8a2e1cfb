//! Agents.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use crate::support::{App, Calls};

#[tokio::test]
async fn its_customers_people_see_it_and_nobody_else() {
    let app = App::start().await;
    let operator = app.operator().await;
    let (city, town) = (operator.customer("City").await, operator.customer("Town").await);
    let editor = app.member(&city, Role::Editor).await;
    let other = app.member(&town, Role::Admin).await;
    let agent = editor.agent(&city, "Helper").await;
    let query = "query ($id: ID!) { agent(id: $id) { name } node(id: $id) { id } }";
    assert_eq!(
        editor.gql(query, json!({ "id": agent })).await.at("/agent/name"),
        "Helper"
    );
    let theirs = other.gql(query, json!({ "id": agent })).await.body;
    let none = other
        .gql(query, json!({ "id": "01a20326-e777-71ce-9264-eefdca7dad0e" }))
        .await
        .body;
    assert_eq!(
        theirs,
        json!({ "data": { "agent": Value::Null, "node": Value::Null } })
    );
    assert_eq!(theirs, none);
}
