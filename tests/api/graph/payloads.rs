//! What publishing answers about the activation that it makes.

use serde_json::{Value, json};

use crate::environment::Stage;

const PUBLISH: &str = "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) {
    version { id number } isNew activation { id reason environment { key } version { number } revision } revision userErrors { code } } }";

#[tokio::test]
async fn publishing_answers_the_activation_that_it_made() {
    let stage = Stage::new(0).await;
    let publish = async |more: Value| {
        let mut input = json!({ "agentId": stage.agent, "systemPrompt": "one", "modelName": "m" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        stage.editor.gql(PUBLISH, json!({ "input": input })).await.at("/publishVersion").clone()
    };
    assert_eq!(publish(json!({})).await["activation"], Value::Null, "nothing was activated");
    let input =
        json!({ "systemPrompt": "two", "activate": true, "environment": "staging", "idempotencyKey": "k" });
    let made = publish(input.clone()).await;
    let activation = &made["activation"];
    assert_eq!(
        (&activation["reason"], &activation["environment"]["key"]),
        (&json!("PUBLISH"), &json!("staging"))
    );
    assert_eq!((&activation["version"]["number"], &activation["revision"]), (&json!(2), &made["revision"]));
    let head = stage.head().await;
    assert_eq!(publish(input).await, made, "sent again");
    // Another environment, with the version that is there already; then with nothing to do.
    let same = json!({ "systemPrompt": "two", "activate": true, "ifChanged": true });
    let kept = publish(same.clone()).await;
    assert_eq!((&kept["isNew"], &kept["activation"]["reason"]), (&json!(false), &json!("ACTIVATE")));
    assert_eq!(kept["activation"]["environment"]["key"], "production");
    assert_eq!(stage.head().await, head + 1);
    assert_eq!(publish(same).await["isNew"], false);
    assert_eq!(stage.head().await, head + 1, "nothing was stored");
    let refused = publish(json!({ "activate": true, "expectedLatestNumber": 7 })).await;
    assert_eq!(
        (&refused["userErrors"][0]["code"], &refused["activation"]),
        (&json!("CONFLICT"), &Value::Null)
    );
}
