//! Lists with only plain fields are resolved on a short path. The result is the same as field by field, which a
//! fragment, an alias or a directive causes.

use serde_json::{Value, json};

use crate::{
    rest::City,
    support::{Calls, caller::Client},
};

/// The agents and their versions, with these selections.
async fn shown(client: &Client, customer: &str, agent: &str, version: &str) -> Value {
    let query = format!(
        "query ($id: ID!) {{ customer(id: $id) {{ agents {{ nodes {{ {agent} }} }} \
         versions: agents {{ nodes {{ versions {{ nodes {{ {version} }} }} }} }} }} }}"
    );
    client.gql(&query, json!({ "id": customer })).await.at("/customer").clone()
}

#[tokio::test]
async fn lists_of_plain_fields_are_what_they_are_field_by_field() {
    let city = City::new().await;
    for prompt in ["one", "two", "three"] {
        city.editor.publish(&city.agent, prompt).await;
    }
    city.editor.agent(&city.customer, "Clerk").await;
    let (agent, version) = ("id name", "id number modelName contentHash createdAt");
    let at_once = shown(&city.editor, &city.customer, agent, version).await;
    let numbers = at_once.pointer("/versions/nodes/0/versions/nodes").unwrap().as_array().unwrap();
    assert_eq!(numbers.iter().map(|version| &version["number"]).collect::<Vec<_>>(), [3, 2, 1]);
    let (agent, version) =
        (format!("... on Agent {{ {agent} }}"), format!("... on AgentVersion {{ {version} }}"));
    let one_by_one = shown(&city.editor, &city.customer, &agent, &version).await;
    assert_eq!(at_once, one_by_one);
    // Other fields as well, a repeated field, an alias, and a directive.
    let with_more =
        shown(&city.editor, &city.customer, "id name __typename", "number id number isActive").await;
    for (place, name) in [
        ("/agents/nodes/0/__typename", json!("Agent")),
        ("/versions/nodes/0/versions/nodes/0/isActive", json!(false)),
    ] {
        assert_eq!(with_more.pointer(place), Some(&name));
    }
    let renamed =
        shown(&city.editor, &city.customer, "name: id, id: name", "number @skip(if: true) it: number").await;
    assert_eq!(renamed.pointer("/agents/nodes/0/id"), Some(&json!("Helper")));
    assert_eq!(renamed.pointer("/versions/nodes/0/versions/nodes/0"), Some(&json!({ "it": 3 })));
}
