//! The given text of parameters and tools is served as it is: in its order and with its numbers, by every interface.

use agent_registry::{
    domain::{
        Caller,
        transfer::{ExportAgents, ImportAgents, ImportOptions},
    },
    id::CustomerId,
};
use json_reader::{Json, JsonText};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    rest::City,
    support::{Answer, caller::Client},
};

mod any;
mod diff;
mod extensions;
mod names;
mod publish;
mod secrets;
mod tools;

/// The fields of a tool in GraphQL.
const TOOL: &str =
    "name title description inputSchema outputSchema annotations icons execution strict _meta additional";

/// The text without white space, as it is served.
fn compact(text: &str) -> String {
    JsonText::read(text.as_bytes()).unwrap().to_string()
}

/// The body of a request that publishes and activates over REST, with these texts in it.
fn body(parameters: &str, tools: &str) -> String {
    format!(
        r#"{{"system_prompt":"p","model_name":"m","model_parameters":{parameters},"tools":{tools},"activate":true}}"#
    )
}

impl City {
    async fn publish_text(&self, parameters: &str, tools: &str) -> Answer {
        let request = self.editor.request(Method::POST, &self.versions());
        Answer::of(request.header("content-type", "application/json").body(body(parameters, tools))).await
    }

    /// Sends a GraphQL request with these variables, as text.
    async fn gql_text(&self, query: &str, variables: &str) -> String {
        let body = format!(r#"{{"query":{},"variables":{variables}}}"#, json!(query));
        let request =
            self.editor.request(Method::POST, "/graphql").header("content-type", "application/json");
        request.body(body).send().await.unwrap().text().await.unwrap()
    }

    /// What each door says of the active version, as text.
    async fn doors(&self) -> Vec<(&'static str, String)> {
        let gateway = self.app.gateway().await;
        let agent = &self.agent;
        let content = format!("modelParameters extensions tools {{ {TOOL} }}");
        let query = format!("{{ agent(id: \"{agent}\") {{ activeVersion {{ {content} }} }} }}");
        let config = format!("{{ activeConfig(agentId: \"{agent}\") {{ {content} }} }}");
        let configs =
            format!("subscription {{ configs(agentIds: [\"{agent}\"]) {{ config {{ {content} }} }} }}");
        let rest = |coding: &'static str| {
            let request = gateway.request(Method::GET, &self.active()).header("accept-encoding", coding);
            async move { request.send().await.unwrap().text().await.unwrap() }
        };
        let fast = gateway.request(Method::GET, &self.active()).send().await.unwrap().text().await.unwrap();
        let streamed = async |query: &str| {
            let request = self.editor.request(Method::POST, "/graphql").header("accept", "text/event-stream");
            let mut response = request.json(&json!({ "query": query })).send().await.unwrap();
            let mut text = String::new();
            while !text.contains("event: next") || !text.contains("\n\n") {
                text += str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap();
            }
            text
        };
        vec![
            ("REST, as it is published", rest("identity").await),
            ("the fast path", fast),
            ("a query", self.gql_text(&query, "{}").await),
            ("a query for the configuration", self.gql_text(&config, "{}").await),
            ("a query on a socket", over_socket(&self.editor, &query).await),
            ("a query over events", streamed(&query).await),
            ("a subscription over events", streamed(&configs).await),
            ("a subscription on a socket", over_socket(&gateway, &configs).await),
            ("an export", self.export().await),
        ]
    }

    async fn export(&self) -> String {
        let customer_id: CustomerId = self.customer.parse().unwrap();
        let input = ExportAgents { customer_id, environment: None, agents: Vec::new(), memory: None };
        let mut export = self.app.registry.export(&Caller::system("test"), input).await.unwrap();
        let mut file = Vec::new();
        while let Some(piece) = export.next().await.unwrap() {
            file.extend(piece);
        }
        String::from_utf8(file).unwrap()
    }

    /// Asserts that each door serves these texts.
    async fn assert_served(&self, parameters: &str, tools: &[Json]) {
        let list = Json::Array(tools.to_vec()).to_text();
        for (door, text) in self.doors().await {
            assert!(text.contains(&format!(":{parameters}")), "{door}: {parameters} isn't in {text:.2000}");
            if door.starts_with("REST") || door == "the fast path" || door == "an export" {
                assert!(text.contains(&format!("\"tools\":{list}")), "{door}: {list} isn't in {text:.2000}");
                continue;
            }
            for value in tools.iter().filter_map(Json::as_object).flat_map(json_reader::Object::values) {
                assert!(text.contains(&format!(":{value}")), "{door}: {value} isn't in {text:.2000}");
            }
        }
    }
}

async fn over_socket(client: &Client, query: &str) -> String {
    let mut socket = client.socket().await;
    socket.subscribe("1", query, json!({})).await;
    loop {
        match socket.any().await {
            Message::Text(text) if text.contains("\"next\"") => return text.to_string(),
            Message::Text(text) => assert!(!text.contains("\"error\""), "{text}"),
            _ => {}
        }
    }
}

/// The hash that `bytesHash` is described as.
fn bytes_hash(prompt: &str, model: &str, parameters: &str, tools: &str) -> String {
    let mut hash = Sha256::new();
    for part in [prompt, model, parameters, tools] {
        hash.update(u64::try_from(part.len()).unwrap().to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

const HASHES: &str =
    "query ($id: ID!) { agent(id: $id) { activeVersion { contentHash bytesHash contentBytes } } }";

#[tokio::test]
async fn two_spellings_of_a_content_have_one_content_hash_and_two_bytes_hashes() {
    let city = City::new().await;
    let mut seen = Vec::new();
    for (parameters, tools) in [
        (r#"{"b":1.0,"a":-0}"#, r#"[{"name":"t","input_schema":{"type":"object","properties":{}}}]"#),
        (
            r#"{"a":0,"b":1e0}"#,
            r#"[{"inputSchema":{"properties":{},"type":"object"},"name":"t","title":null}]"#,
        ),
    ] {
        let published = city.publish_text(parameters, tools).await;
        assert_eq!(published.status, 201, "{}", published.body);
        city.assert_served(parameters, compact_tools(tools).as_slice()).await;
        let read = city.editor.gql(HASHES, json!({ "id": city.agent })).await;
        let hashes = read.at("/agent/activeVersion").clone();
        assert_eq!(hashes["contentBytes"], "p".len() + parameters.len() + tools.len());
        assert_eq!(hashes["bytesHash"], bytes_hash("p", "m", parameters, tools));
        assert_eq!(published.body["bytes_hash"], hashes["bytesHash"]);
        assert_eq!(published.body["content_hash"], hashes["contentHash"]);
        let config = city.app.gateway().await.get(&city.active()).await;
        assert_eq!(config.body["bytes_hash"], hashes["bytesHash"]);
        seen.push((hashes, config.header("etag").unwrap().to_owned()));
    }
    let [(one, tag), (other, other_tag)] = seen.try_into().unwrap();
    assert_eq!(one["contentHash"], other["contentHash"]);
    assert_ne!(one["bytesHash"], other["bytesHash"]);
    assert_ne!(tag, other_tag);
}

fn compact_tools(text: &str) -> Vec<Json> {
    JsonText::read(text.as_bytes()).unwrap().parse().as_array().unwrap().to_vec()
}

/// What an instance of an older release published has no text.
#[tokio::test]
async fn a_version_without_text_is_served_as_it_was() {
    let city = City::new().await;
    city.serve("p").await;
    let mut admin = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    sqlx::raw_sql(
        r#"SET session_replication_role = replica;
        UPDATE registry.agent_versions SET model_parameters_text = NULL, tools_text = NULL, served_bytes = NULL,
            bytes_hash = NULL, model_parameters = '{"temperature": 1.0, "a": 1e2}',
            tools = '[{"name": "t", "description": "d", "input_schema": {"type": "object", "properties": {}}}]'"#,
    )
    .execute(&mut admin)
    .await
    .unwrap();
    // A new instance, which has nothing in memory.
    let fresh = city.app.another().await;
    let gateway = Client::new(fresh.base.clone(), city.app.gateway().await.token.clone());
    let text = gateway.request(Method::GET, &city.active()).send().await.unwrap().text().await.unwrap();
    let parameters = r#"{"a":100,"temperature":1.0}"#;
    let tools = r#"[{"name":"t","description":"d","input_schema":{"properties":{},"type":"object"}}]"#;
    assert!(text.contains(parameters) && text.contains(tools), "{text}");
    let editor = Client::new(fresh.base.clone(), city.editor.token.clone());
    let read = editor.gql(HASHES, json!({ "id": city.agent })).await;
    let hash = bytes_hash("p", "gpt-4-turbo", parameters, tools);
    assert_eq!(read.at("/agent/activeVersion/bytesHash"), &json!(hash));
    assert!(text.contains(&hash), "{text}");
    assert!(read.at("/agent/activeVersion/contentBytes").as_i64().unwrap() > 0);
    let file = city.export().await;
    assert!(file.contains(parameters) && file.contains(tools), "{file}");
    fresh.stop().await;
}

#[tokio::test]
async fn a_large_integer_is_kept_in_schemas_and_refused_in_parameters() {
    let city = City::new().await;
    let long = "1000000000000000000001";
    let uint256 = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
    for number in [long, uint256, "9223372036854775807", "-9007199254740992"] {
        let tools = format!(
            r#"[{{"name":"t","input_schema":{{"type":"object","properties":{{"n":{{"maximum":{number},"enum":[{number}]}}}}}}}}]"#
        );
        let answer = city.publish_text("{}", &tools).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        city.assert_served("{}", &compact_tools(&tools)).await;

        let revision = city.revision().await;
        let answer = city.publish_text(&format!(r#"{{"stop":[1,{{"seed":{number}}}]}}"#), "[]").await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (422, &json!("INVALID")), "{number}");
        assert_eq!(answer.body["field"], "model_parameters");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.contains("`model_parameters.stop[1].seed`") && detail.contains("2^53"), "{detail}");
        let publish = "mutation ($i: PublishVersionInput!) { publishVersion(input: $i) { userErrors { code field message } } }";
        let input = format!(
            r#"{{"i":{{"agentId":"{}","systemPrompt":"","modelName":"m","modelParameters":{{"seed":{number}}}}}}}"#,
            city.agent
        );
        let answer: Value = serde_json::from_str(&city.gql_text(publish, &input).await).unwrap();
        let error = &answer["data"]["publishVersion"]["userErrors"][0];
        assert_eq!((&error["code"], &error["field"]), (&json!("INVALID"), &json!("modelParameters")));
        assert!(error["message"].as_str().unwrap().contains("`modelParameters.seed`"), "{error}");
        let line = format!(
            r#"{{"agent":"A","versions":[{{"system_prompt":"","model_parameters":{{"seed":{number}}}}}]}}"#
        );
        let input = ImportAgents::new(city.customer.parse().unwrap(), "m", ImportOptions::default());
        let (caller, mut file) = (Caller::system("test"), line.as_bytes());
        let import = city.app.registry.import(&caller, input, &mut file).await.unwrap();
        let refused = import.run(&mut |_, _| {}).await.unwrap_err().to_string();
        assert!(refused.contains("version 1") && refused.contains("seed"), "{refused}");
        assert_eq!(city.revision().await, revision, "nothing is stored");
    }
}

#[tokio::test]
async fn an_erasure_takes_the_texts() {
    let city = City::new().await;
    city.publish_text(r#"{"secret":"parameter"}"#, r#"[{"name":"secret"}]"#).await;
    let customer = json!({ "id": city.customer });
    let cancel =
        "mutation ($id: ID!) { setBillingStatus(input: { customerId: $id, status: CANCELED }) { revision } }";
    city.operator.gql(cancel, customer.clone()).await.text("/setBillingStatus/revision");
    let erase = "mutation ($id: ID!) { eraseCustomer(input: { customerId: $id }) { revision } }";
    city.operator.gql(erase, customer).await.text("/eraseCustomer/revision");
    let mut admin = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    let left = "SELECT count(*) FROM registry.agent_versions WHERE num_nonnulls(model_parameters_text, tools_text, extensions_text, served_bytes) > 0";
    let left: i64 = sqlx::query_scalar(left).fetch_one(&mut admin).await.unwrap();
    assert_eq!(left, 0);
}
