//! The client library against a real service: its results and its errors.

use registry_client::{ClientError, Session};
use serde_json::{Value, json};

use crate::support::{App, Calls};

#[tokio::test]
async fn queries_and_subscriptions_share_a_socket() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    let version = operator.publish(&agent, "You help.").await;
    let session = Session::connect(&app.base, operator.token.as_deref().unwrap()).await.unwrap();
    let watch = "subscription ($after: Cursor!) { activations(after: $after) { version { systemPrompt } } }";
    let mut events = session.subscribe(watch, json!({ "after": "0" })).unwrap();
    let activate = "mutation ($input: ActivateVersionInput!) { activateVersion(input: $input) { revision } }";
    let input = json!({ "input": { "agentId": agent, "versionId": version } });
    session.query(activate, input).await.unwrap();
    let event = events.next().await.unwrap().unwrap();
    assert_eq!(
        event.data.to_serde(),
        json!({ "activations": { "version": { "systemPrompt": "You help." } } })
    );
    let (one, two) = tokio::join!(
        session.query("{ a: __typename }", Value::Null),
        session.query("{ b: __typename }", Value::Null)
    );
    assert_eq!((one.unwrap(), two.unwrap()), (json!({ "a": "Query" }), json!({ "b": "Query" })));
}

#[tokio::test]
async fn failures_have_their_types() {
    let app = App::start().await;
    let token = app.operator().await.token.clone().unwrap();
    let refused = Session::connect(&app.base, "nonsense").await;
    assert!(matches!(refused, Err(ClientError::Closed { code: 4400..=4499, .. })), "{refused:?}");
    let nobody = Session::connect("http://127.0.0.1:1", &token).await;
    assert!(matches!(nobody, Err(ClientError::Unreachable(_))), "{nobody:?}");
    let elsewhere = Session::connect(&format!("{}/nowhere", app.base), &token).await;
    assert!(matches!(elsewhere, Err(ClientError::Refused(404))), "{elsewhere:?}");
    let address = Session::connect("example.org", &token).await;
    assert!(matches!(address, Err(ClientError::Address(_))), "{address:?}");
    let session = Session::connect(&app.base, &token).await.unwrap();
    let wrong = session.query("{ nothing }", Value::Null).await;
    assert!(matches!(wrong, Err(ClientError::GraphQl(ref errors)) if errors.len() == 1), "{wrong:?}");
    // A failed query leaves the socket open.
    session.query("{ __typename }", Value::Null).await.unwrap();
}

#[tokio::test]
async fn a_stopped_service_ends_its_subscriptions() {
    let app = App::start().await;
    let token = app.operator().await.token.clone().unwrap();
    let session = Session::connect(&app.base, &token).await.unwrap();
    let mut events = session.subscribe("subscription { activations { id } }", Value::Null).unwrap();
    session.query("{ __typename }", Value::Null).await.unwrap();
    app.first.stop().await;
    let end = tokio::time::timeout(std::time::Duration::from_secs(30), events.next()).await.unwrap();
    assert!(matches!(end, Some(Err(_))), "{end:?}");
    assert!(events.next().await.is_none());
    assert!(
        session.subscribe("{ a: __typename }", Value::Null).is_err()
            || session.query("{ __typename }", Value::Null).await.is_err()
    );
}
