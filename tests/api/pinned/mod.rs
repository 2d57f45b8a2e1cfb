//! Pinned reads: a conversation gets back the version that it began with, and nothing else is read this way.

mod hidden;

use agent_registry::domain::{KeyScope, ServiceScope};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    environment::Stage,
    messages::user_errors,
    support::{
        Answer, Calls,
        caller::{Client, without_points_left},
    },
};

const QUERY: &str = "query ($agent: ID!, $version: ID!) { pinnedConfig(agentId: $agent, versionId: $version) {
    agentId customerId versionId versionNumber systemPrompt modelName modelParameters tools { name description }
    extensions contentHash bytesHash } }";
/// An id that no row has.
const NOBODY: &str = "01a20326-e777-71ce-9264-eefdca7dad0e";

fn path(agent: &str, version: &str) -> String {
    format!("/internal/agents/{agent}/versions/{version}")
}

/// The number of the version as GraphQL and REST answer it. Null if both say that it isn't there, else the code of both.
async fn pinned(client: &Client, agent: &str, version: &str) -> Value {
    let query = client.gql(QUERY, json!({ "agent": agent, "version": version })).await;
    let rest = client.get(&path(agent, version)).await;
    if let Some(code) = query.code() {
        assert_eq!((&rest.body["code"], rest.status.as_u16()), (&json!(code), 403));
        return json!(code);
    }
    let number = query.at("/pinnedConfig").get("versionNumber").cloned().unwrap_or_default();
    let (status, code) = if number.is_null() { (404, json!("NOT_FOUND")) } else { (200, Value::Null) };
    assert_eq!((rest.status.as_u16(), &rest.body["code"]), (status, &code), "{number}");
    assert_eq!(rest.body["version_number"], number);
    number
}

/// The whole responses of both interfaces, without what was asked for.
async fn responses(client: &Client, agent: &str, version: &str) -> Vec<String> {
    let variables = json!({ "agent": agent, "version": version });
    let body = json!({ "query": QUERY, "variables": variables });
    let mut responses = Vec::new();
    for request in [
        client.request(Method::GET, &path(agent, version)),
        client.request(Method::POST, "/graphql").json(&body),
    ] {
        let response = request.header("x-request-id", "same").send().await.unwrap();
        let (status, mut headers) = (response.status(), response.headers().clone());
        headers.remove("date");
        headers.remove("content-length");
        let text = response.text().await.unwrap().replace(agent, "AGENT").replace(version, "VERSION");
        responses.push(without_points_left(&format!("{status} {headers:?} {text}")));
    }
    responses
}

#[tokio::test]
async fn a_version_that_was_replaced_is_read_as_it_was_served() {
    let stage = Stage::new(0).await;
    let content =
        r#""model_parameters":{"top_p":0.50,"a":1.0},"tools":[{"name":"find","description":"Finds"}]"#;
    let body = format!(
        r#"{{"system_prompt":"Be kind.","model_name":"gpt-4-turbo",{content},"extensions":{{"org.example.servers":["one"]}},"activate":true}}"#
    );
    let publish = stage.editor.request(Method::POST, &format!("/v1/agents/{}/versions", stage.agent));
    let made = Answer::of(publish.header("content-type", "application/json").body(body)).await;
    let first = made.body["id"].as_str().unwrap().to_owned();
    let gateway = stage.app.service([ServiceScope::ConfigsRead]).await;
    let active = gateway.get(&format!("/internal/agents/{}/active", stage.agent)).await.body;
    let second = stage.editor.publish(&stage.agent, "Be quick.").await;
    stage.editor.activate(&stage.agent, &second).await.at("/activateVersion/revision");
    let third = stage.editor.publish(&stage.agent, "Not yet.").await;

    // What served, without the parts that aren't the version's.
    let mut expected = active;
    for field in ["environment_key", "name", "activated_at", "revision"] {
        expected.as_object_mut().unwrap().remove(field).unwrap();
    }
    let rest = gateway.get(&path(&stage.agent, &first)).await;
    assert_eq!(rest.body, expected);
    let text =
        gateway.request(Method::GET, &path(&stage.agent, &first)).send().await.unwrap().text().await.unwrap();
    assert!(text.contains(content), "{text}");
    let query = gateway.gql(QUERY, json!({ "agent": stage.agent, "version": first })).await;
    let config = query.at("/pinnedConfig");
    for field in expected.as_object().unwrap().keys() {
        let mut words = field.split('_');
        let camel = words.next().unwrap().to_owned();
        let camel = words.fold(camel, |all, word| all + &word[..1].to_uppercase() + &word[1..]);
        assert_eq!(config[&camel], expected[field], "{field}");
    }
    let reader = stage.app.program(&stage.customer, [KeyScope::ConfigsRead]).await;
    for client in [&*gateway, &*reader, &*stage.editor, &*stage.operator] {
        for (version, number) in [(&first, json!(1)), (&second, json!(2)), (&third, Value::Null)] {
            assert_eq!(pinned(client, &stage.agent, version).await, number);
        }
    }
    let other = stage.app.program(&stage.customer, [KeyScope::AgentsRead]).await;
    assert_eq!(pinned(&other, &stage.agent, &first).await, "FORBIDDEN");
    assert_eq!(
        gateway.gql(QUERY, json!({ "agent": "x", "version": first })).await.code(),
        Some("BAD_USER_INPUT")
    );
}

#[tokio::test]
async fn it_stays_through_rollback_deactivation_and_archiving() {
    let stage = Stage::new(2).await;
    let gateway = stage.app.gateway().await;
    for number in [1, 2] {
        stage.activate(number, "production").await;
    }
    let read = async || {
        let mut read = Vec::new();
        for version in &stage.versions {
            let answer = gateway.get(&path(&stage.agent, version)).await;
            read.push((answer.header("etag").unwrap().to_owned(), answer.body));
        }
        read
    };
    let before = read().await;
    assert_eq!([&before[0].1["system_prompt"], &before[1].1["system_prompt"]], ["prompt 1", "prompt 2"]);
    assert_eq!(stage.change("rollback", "production").await["serving"]["activeVersion"]["number"], 1);
    assert_eq!(read().await, before, "after the rollback");
    let rename = json!({ "agentId": stage.agent, "name": "Renamed" });
    assert_eq!(user_errors(&stage.editor, "updateAgent", rename).await, json!([]));
    assert_eq!(stage.change("deactivate", "production").await["userErrors"], json!([]));
    assert_eq!(read().await, before, "after the deactivation");
    let archive = json!({ "agentId": stage.agent });
    assert_eq!(user_errors(&stage.editor, "archiveAgent", archive).await, json!([]));
    assert_eq!(read().await, before, "after archiving");
}

#[tokio::test]
async fn a_customer_that_is_not_served_is_not_read() {
    let stage = Stage::new(1).await;
    stage.activate(1, "production").await;
    let (agent, version) = (&stage.agent, &stage.versions[0]);
    let gateway = stage.app.gateway().await;
    let reads = async |client: &Client| {
        let query = "query ($id: ID!) { activeConfig(agentId: $id) { versionNumber } }";
        let active = client.gql(query, json!({ "id": agent })).await;
        let pinned = pinned(client, agent, version).await;
        match active.code() {
            Some(code) => assert_eq!(pinned, code, "as the active configuration"),
            None => assert_eq!(&pinned, active.at("/activeConfig/versionNumber")),
        }
        pinned
    };
    let set = async |status: &str| {
        let input = json!({ "customerId": stage.customer, "status": status });
        assert_eq!(user_errors(&stage.operator, "setBillingStatus", input).await, json!([]));
    };
    assert_eq!(reads(&gateway).await, 1);
    for (status, expected) in
        [("SUSPENDED", json!("SUSPENDED")), ("ACTIVE", json!(1)), ("CANCELED", json!("CANCELED"))]
    {
        set(status).await;
        for client in [&*gateway, &*stage.editor, &*stage.operator] {
            assert_eq!(reads(client).await, expected, "{status}");
        }
    }
    // What never served isn't told from what doesn't exist there either.
    assert_eq!(pinned(&gateway, agent, NOBODY).await, Value::Null);
    let erase = json!({ "customerId": stage.customer });
    assert_eq!(user_errors(&stage.operator, "eraseCustomer", erase).await, json!([]));
    for client in [&*gateway, &*stage.operator] {
        assert_eq!(reads(client).await, "CANCELED");
        let texts = responses(client, agent, version).await;
        assert!(texts.iter().all(|text| !text.contains("prompt 1")), "{texts:?}");
    }
}

#[tokio::test]
async fn a_copy_is_good_for_an_hour_and_is_not_sent_again() {
    let stage = Stage::new(2).await;
    stage.activate(1, "production").await;
    let gateway = stage.app.gateway().await;
    let path = path(&stage.agent, &stage.versions[0]);
    let first = gateway.get(&path).await;
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.len() == 34, "{tag} is strong");
    assert_eq!(first.header("content-type"), Some("application/json"));
    stage.activate(2, "production").await;
    let known = gateway.request(Method::GET, &path).header("if-none-match", &tag);
    let known = Answer::of(known).await;
    assert_eq!(
        (known.status.as_u16(), &known.body, known.header("etag")),
        (304, &json!(""), Some(tag.as_str()))
    );
    for answer in [&first, &known] {
        assert_eq!(answer.header("cache-control"), Some("private, max-age=3600, immutable"));
        assert_eq!(answer.header("vary"), Some("Authorization"));
    }
    let refused = gateway.get(&format!("{path}?at_least=1")).await;
    assert_eq!((refused.status.as_u16(), refused.header("cache-control")), (400, Some("no-store")));
    // A copy is no right: who may not read the version any more is refused, with its tag too.
    stage.app.set_billing_status(&stage.customer, "SUSPENDED").await;
    let refused = gateway.request(Method::GET, &path).header("if-none-match", &tag);
    let refused = Answer::of(refused).await;
    assert_eq!((refused.status.as_u16(), refused.header("cache-control")), (403, Some("no-store")));
}

#[tokio::test]
async fn many_cost_the_statements_of_one_and_contents_are_read_once() {
    let stage = Stage::new(3).await;
    for number in [1, 2, 3] {
        stage.activate(number, "production").await;
    }
    let query = |numbers: &[usize], fields: &str| {
        let of = |number: &usize| {
            let version = &stage.versions[number - 1];
            format!(
                "v{number}: pinnedConfig(agentId: \"{}\", versionId: \"{version}\") {{ {fields} }}",
                stage.agent
            )
        };
        format!("{{ {} }}", numbers.iter().map(of).collect::<Vec<_>>().join(" "))
    };
    let cost = async |document: String| {
        stage.operator.gql("{ __typename }", Value::Null).await;
        let before = stage.app.registry.statements();
        let answer = stage.operator.gql(&document, Value::Null).await;
        assert_eq!(answer.body.get("errors"), None, "{}", answer.body);
        stage.app.registry.statements() - before
    };
    // The snapshot and the versions; then the contents, unless they are in memory.
    assert_eq!(cost(query(&[1], "versionNumber modelName contentHash bytesHash")).await, 2);
    assert_eq!(cost(query(&[1], "systemPrompt modelParameters tools { name }")).await, 3);
    assert_eq!(cost(query(&[1, 2, 3], "systemPrompt extensions")).await, 3);
    assert_eq!(cost(query(&[1, 2, 3], "systemPrompt extensions")).await, 2);
}
