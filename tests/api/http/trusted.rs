//! A list of trusted documents: no other document runs, on any transport, by any name.

use agent_registry::graphql::{TrustedDocuments, front};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    CREATE, GRAPHQL, assert_refused, get,
    persisted::{over_socket, sha256},
    post,
};
use crate::support::{Answer, App, app::Setup, caller::Operator};

const COUNT: &str = "query Count { customers { totalCount } }";
const CHANGES: &str = "subscription { changes { revision } }";
const SCHEMA: &str = "{ __schema { queryType { name } } }";

/// The list in Relay's format and in Apollo's.
fn lists() -> [Value; 2] {
    let listed = [("count", COUNT), ("create", CREATE), ("changes", CHANGES)];
    let operations = listed.map(|(id, body)| json!({ "id": id, "body": body, "name": id, "type": "query" }));
    let relay: serde_json::Map<_, _> =
        listed.into_iter().map(|(id, body)| (id.to_owned(), body.into())).collect();
    let apollo =
        json!({ "format": "apollo-persisted-query-manifest", "version": 1, "operations": operations });
    [relay.into(), apollo]
}

async fn app(list: &Value) -> (App, Operator) {
    let trusted_documents = Some(TrustedDocuments::parse(&list.to_string(), &front().unwrap()).unwrap());
    let app = App::set_up(Setup { trusted_documents, ..Setup::default() }).await;
    let operator = app.operator().await;
    (app, operator)
}

fn named(hash: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } })
}

async fn count(caller: &Operator) -> Value {
    Answer::of(post(caller, None, json!({ "documentId": "count" }))).await.at("/customers/totalCount").clone()
}

#[tokio::test]
async fn what_is_in_the_list_runs_by_its_text_its_id_or_its_hash() {
    for list in lists() {
        let (app, operator) = app(&list).await;
        let hash = sha256(COUNT);
        let asked = [
            json!({ "query": COUNT }),
            json!({ "documentId": "count" }),
            json!({ "documentId": format!("sha256:{hash}") }),
            json!({ "extensions": named(&hash) }),
            json!({ "extensions": named("count") }),
            json!({ "query": COUNT, "documentId": "count", "extensions": named(&hash) }),
        ];
        let none = json!({ "customers": { "totalCount": 0 } });
        for body in asked {
            let answer = Answer::of(post(&operator, Some(GRAPHQL), body.clone())).await;
            assert_eq!((answer.status.as_u16(), answer.at("")), (200, &none), "{body}");
            let next = over_socket(&app, &operator, body.clone()).await;
            assert_eq!((&next["type"], &next["payload"]["data"]), (&json!("next"), &none), "{body}");
        }
        let extensions = named(&hash).to_string();
        for parameter in [("documentId", "count"), ("extensions", &extensions), ("query", COUNT)] {
            let answer = Answer::of(get(&operator, &[parameter])).await;
            assert_eq!((answer.status.as_u16(), answer.at("")), (200, &none), "{parameter:?}");
        }
        assert_refused(&Answer::of(get(&operator, &[("documentId", "create")])).await, 405);
        assert_eq!(count(&operator).await, 0);
        let mut socket = operator.socket().await;
        let payload = json!({ "documentId": "changes" });
        socket.send(json!({ "id": "1", "type": "subscribe", "payload": payload })).await;
        crate::support::wait::until("the subscription is open", || app.watchers() == 1).await;
        let created = Answer::of(post(&operator, Some(GRAPHQL), json!({ "documentId": "create" }))).await;
        assert!(created.at("/createCustomer/customer/id").is_string());
        assert!(socket.event().await["data"]["changes"]["revision"].is_string());
        assert_eq!(count(&operator).await, 1);
    }
}

#[tokio::test]
async fn what_is_not_in_the_list_runs_nowhere() {
    let [list, _] = lists();
    let (app, operator) = app(&list).await;
    let (near, other) = (format!("{CREATE} "), CREATE.replace("Sneaky", "Sneakier"));
    let asked = [
        json!({ "query": other }),
        json!({ "query": near }),
        json!({ "query": SCHEMA }),
        json!({ "query": "{ __typename }" }),
        json!({ "query": "subscription { activations { revision } }" }),
        json!({ "query": "" }),
        json!({ "query": "{" }),
        json!({ "query": "[".repeat(100_000) }),
        json!({ "documentId": "" }),
        json!({ "documentId": "nothing" }),
        json!({ "documentId": format!("sha256:{}", sha256(&other)) }),
        json!({ "extensions": named(&sha256(&other)) }),
        // Under Apollo's protocol this would register the document.
        json!({ "query": other, "extensions": named(&sha256(&other)) }),
        // A listed id or hash doesn't authorize another text.
        json!({ "query": other, "documentId": "create" }),
        json!({ "query": other, "extensions": named(&sha256(CREATE)) }),
        json!({ "query": CREATE, "documentId": "nothing" }),
        json!({ "documentId": "count", "extensions": named(&sha256(CREATE)) }),
    ];
    for body in asked {
        for _ in 0..2 {
            let answer = Answer::of(post(&operator, Some(GRAPHQL), body.clone())).await;
            assert_refused(&answer, 400);
            assert_eq!(answer.body["errors"][0]["extensions"]["code"], "DOCUMENT_NOT_TRUSTED", "{body}");
        }
        let error = over_socket(&app, &operator, body.clone()).await;
        assert_eq!(error["type"], "error", "{body}");
        assert_eq!(error["payload"][0]["extensions"]["code"], "DOCUMENT_NOT_TRUSTED", "{body}");
    }
    for parameter in [("query", SCHEMA), ("documentId", "nothing")] {
        let answer = Answer::of(get(&operator, &[parameter]).header("accept", GRAPHQL)).await;
        assert_refused(&answer, 400);
        assert_eq!(answer.body["errors"][0]["extensions"]["code"], "DOCUMENT_NOT_TRUSTED");
    }
    assert_eq!((count(&operator).await, app.watchers()), (json!(0), 0));
    // REST has no documents, so it works.
    assert_eq!(Answer::of(operator.request(Method::GET, "/v1/agents")).await.status, 200);
    // Authentication comes first.
    let anonymous =
        app.anonymous().request(Method::POST, "/graphql").json(&json!({ "documentId": "nothing" }));
    assert_refused(&Answer::of(anonymous).await, 401);
}

#[test]
fn a_list_that_can_not_be_used_says_why_in_a_line() {
    let apollo = |version: u32, operations: Value| json!({ "format": "apollo-persisted-query-manifest", "version": version, "operations": operations });
    let cases = [
        (String::new(), "not a JSON object"),
        ("[]".to_owned(), "not a JSON object"),
        ("{\n\"a\": \"{ __typename }\"".to_owned(), "not a JSON object"),
        ("{}".to_owned(), "no document"),
        (json!({ "a": 1 }).to_string(), "neither"),
        (json!({ "a": { "body": COUNT } }).to_string(), "neither"),
        (apollo(2, json!([{ "id": "a", "body": COUNT }])).to_string(), "neither"),
        (apollo(1, json!([{ "id": "a" }])).to_string(), "neither"),
        (apollo(1, json!([])).to_string(), "no document"),
        (apollo(1, json!([{ "id": "a", "body": COUNT }, { "id": "a", "body": CREATE }])).to_string(), "two"),
        (json!({ "sha256:a": COUNT, "a": CREATE }).to_string(), "two"),
        (json!({ "a": "query {" }).to_string(), "does not parse"),
        (json!({ "a\nb": "" }).to_string(), "does not parse"),
        (json!({ "a": "[".repeat(2_000) }).to_string(), "brackets"),
    ];
    for (list, why) in cases {
        let told = TrustedDocuments::parse(&list, &front().unwrap()).unwrap_err().to_string();
        assert!(told.contains(why) && told.lines().count() == 1, "{list}: {told}");
    }
    let twice = json!({ "a": COUNT, "b": COUNT, "c": CREATE }).to_string();
    assert_eq!(TrustedDocuments::parse(&twice, &front().unwrap()).unwrap().count(), 2);
}

#[tokio::test]
async fn the_documents_of_another_list_run_beside_the_own_ones() {
    let parse = |list: Value| TrustedDocuments::parse(&list.to_string(), &front().unwrap()).unwrap();
    // As the console's build writes it, and with an id that means another document there.
    let console = parse(json!({ sha256(SCHEMA): SCHEMA, "count": CREATE }));
    let trusted_documents = Some(parse(json!({ "count": COUNT })).and(console));
    let app = App::set_up(Setup { trusted_documents, ..Setup::default() }).await;
    let operator = app.operator().await;
    for body in [json!({ "query": SCHEMA }), json!({ "extensions": named(&sha256(SCHEMA)) })] {
        let answer = Answer::of(post(&operator, None, body.clone())).await;
        assert_eq!(answer.at("/__schema/queryType/name"), "Query", "{body}");
    }
    assert_eq!(count(&operator).await, 0, "the id is the own list's");
    let refused =
        Answer::of(post(&operator, None, json!({ "query": "{ customers { nodes { id } } }" }))).await;
    assert_eq!(refused.code(), Some("DOCUMENT_NOT_TRUSTED"));
}
