//! Tools as an MCP server lists them.

use json_reader::{Json, JsonText, Object};
use reqwest::Method;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::{City, TOOL, compact};
use crate::support::Calls;

/// Each line has a `tool` as `tools/list` has it.
const GITHUB: &str = include_str!("github-mcp-tools.jsonl");

fn github_tools() -> Vec<Json> {
    let read = |line: &str| JsonText::read(line.as_bytes()).unwrap().parse().get("tool").unwrap().clone();
    GITHUB.lines().map(read).collect()
}

#[tokio::test]
async fn the_tools_of_an_mcp_server_come_back_byte_for_byte() {
    let city = City::new().await;
    let tools = github_tools();
    assert_eq!(tools.len(), 59);
    // As it stands in the file, with its white space.
    let given: Vec<&str> = GITHUB
        .lines()
        .map(|line| line.split_once("\"tool\": ").unwrap().1.strip_suffix('}').unwrap())
        .collect();
    let published = city.publish_text("{}", &format!("[{}]", given.join(", "))).await;
    assert_eq!(published.status, 201, "{}", published.body);
    let text = city.app.gateway().await.request(Method::GET, &city.active());
    let text = text.send().await.unwrap().text().await.unwrap();
    let served =
        format!("\"tools\":[{}]", given.iter().map(|tool| compact(tool)).collect::<Vec<_>>().join(","));
    assert!(text.contains(&served), "{text:.2000}");
    let file = city.export().await;
    assert!(file.contains(&served), "{file:.2000}");

    // By the fields of GraphQL: the values are the same texts.
    let query = format!("{{ agent(id: \"{}\") {{ activeVersion {{ tools {{ {TOOL} }} }} }} }}", city.agent);
    let answer = JsonText::read(city.gql_text(&query, "{}").await.as_bytes()).unwrap().parse();
    let shown =
        ["data", "agent", "activeVersion", "tools"].iter().fold(&answer, |at, key| at.get(key).unwrap());
    for (shown, given) in shown.as_array().unwrap().iter().zip(&tools) {
        let mut left = given.as_object().unwrap().clone();
        for (field, value) in shown.as_object().unwrap() {
            assert_eq!(left.remove(field).unwrap_or_default(), *value, "{field} of {given}");
        }
        assert!(left.is_empty(), "{left:?} isn't shown");
    }
}

#[tokio::test]
async fn what_the_schema_does_not_know_is_carried_along() {
    let city = City::new().await;
    let tool = r#"{"x-vendor":{"b":1,"a":2.0},"name":"t","strict":true,"title":"T","cache_control":null,"execution":{"taskSupport":"optional"}}"#;
    let published = city.publish_text("{}", &format!("[{tool}]")).await;
    assert_eq!(published.status, 201, "{}", published.body);
    let query = format!(
        "{{ agent(id: \"{}\") {{ activeVersion {{ tools {{ title strict execution description _meta additional }} }} }} }}",
        city.agent
    );
    let answer = city.gql_text(&query, "{}").await;
    let expected = r#"{"title":"T","strict":true,"execution":{"taskSupport":"optional"},"description":null,"_meta":null,"additional":{"x-vendor":{"b":1,"a":2.0},"cache_control":null}}"#;
    assert!(answer.contains(expected), "{answer}");
    // Covered by both hashes.
    let without = r#"[{"name":"t","strict":true,"title":"T","execution":{"taskSupport":"optional"}}]"#;
    let other = city.publish_text("{}", without).await;
    for hash in ["content_hash", "bytes_hash"] {
        assert_ne!(other.body[hash], published.body[hash], "{hash}");
    }
    // SQL and older releases have the members that they know.
    let agent = city.agent.clone();
    let mut admin = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    let stored =
        "SELECT tools::text FROM registry.agent_versions WHERE agent_id = $1::text::uuid AND number = 1";
    let stored: String = sqlx::query_scalar(stored).bind(agent).fetch_one(&mut admin).await.unwrap();
    assert_eq!(stored, r#"[{"name": "t"}]"#);
}

#[tokio::test]
async fn a_tool_that_is_none_is_refused_by_its_member() {
    let city = City::new().await;
    let revision = city.revision().await;
    for (tool, field, what) in [
        ("7", "tools.0", "a JSON object"),
        ("{}", "tools.0.name", "must have a name"),
        (r#"{"name":7}"#, "tools.0.name", "a string"),
        (r#"{"name":"t","description":[]}"#, "tools.0.description", "a string, found an array"),
        (r#"{"name":"t","strict":"yes"}"#, "tools.0.strict", "true or false"),
        (r#"{"name":"t","inputSchema":{"type":"nonsense"}}"#, "tools.0.input_schema", "JSON Schema"),
        (r#"{"name":"t","outputSchema":7}"#, "tools.0.output_schema", "JSON Schema"),
        (r#"{"name":"t","inputSchema":{},"input_schema":{}}"#, "tools.0.input_schema", "two spellings"),
        (r#"{"name":"t","x":{"a":"\u0000"}}"#, "tools.0.additional", "U+0000"),
    ] {
        let answer = city.publish_text("{}", &format!("[{tool}]")).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["field"]),
            (422, &json!(field)),
            "{tool}: {}",
            answer.body
        );
        assert!(answer.body["detail"].as_str().unwrap().contains(what), "{}", answer.body);
    }
    for (additional, what) in
        [(json!({ "inputSchema": {} }), "a field of its own"), (json!([]), "a JSON object")]
    {
        let input = json!({ "agentId": city.agent, "systemPrompt": "", "modelName": "m",
            "tools": [{ "name": "t", "additional": additional }] });
        let answer = city.editor.publish_input(input).await;
        let error = answer.at("/publishVersion/userErrors/0");
        assert_eq!((&error["code"], &error["field"]), (&json!("INVALID"), &json!("tools.0.additional")));
        assert!(error["message"].as_str().unwrap().contains(what), "{error}");
    }
    assert_eq!(city.revision().await, revision);
}

#[test]
fn the_file_has_what_servers_list() {
    let tools = github_tools();
    let has =
        |key: &str| tools.iter().filter_map(Json::as_object).any(|tool: &Object| tool.contains_key(key));
    assert!(["annotations", "icons", "_meta", "inputSchema"].into_iter().all(has));
}
