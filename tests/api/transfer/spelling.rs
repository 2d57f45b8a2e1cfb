//! Files are read in the spelling of REST and in that of GraphQL.

use serde_json::{Value, json};

use super::{Desk, import, lines, system};

#[tokio::test]
async fn both_spellings_are_read_and_one_is_written() {
    let desk = Desk::open().await;
    let schema = json!({ "type": "object" });
    let ours = json!({ "agent": "A", "versions": [{ "system_prompt": "p", "model_name": "m",
        "model_parameters": { "n": 1 }, "published_at": "2026-01-31T12:00:00Z",
        "tools": [{ "name": "t", "input_schema": schema }] }] });
    let graphql = json!({ "agent": "A", "versions": [{ "systemPrompt": "p", "modelName": "m",
        "modelParameters": { "n": 1 }, "publishedAt": "2026-01-31T12:00:00Z",
        "tools": [{ "name": "t", "inputSchema": schema }] }] });
    desk.import(&graphql.to_string()).await.unwrap();
    assert_eq!(desk.import(&ours.to_string()).await.unwrap().unchanged, 1);
    let file = desk.export().await;
    // A tool's own keys are kept as they were given.
    assert!(
        file.contains(r#""inputSchema":{"type":"object"}"#) && file.contains("\"system_prompt\""),
        "{file}"
    );
    assert!(!file.contains("systemPrompt"), "{file}");
    assert_eq!(lines(&file)[0].versions[0].model_parameters, Some(json!({ "n": 1 }).into()));
}

#[tokio::test]
async fn a_field_in_both_spellings_is_refused() {
    let desk = Desk::open().await;
    let head = desk.head().await;
    let line = json!({ "agent": "A", "versions": [{ "systemPrompt": "p", "system_prompt": "q" }] });
    let err = desk.import(&line.to_string()).await.unwrap_err().to_string();
    assert!(
        err.contains(
            "`system_prompt` occurs twice, in the spelling of REST and in that of GraphQL, at `versions[0]`"
        ),
        "{err}"
    );
    assert_eq!(desk.head().await, head);
}

#[tokio::test]
async fn messages_name_the_fields_of_the_file() {
    let desk = Desk::open().await;
    let head = desk.head().await;
    let cases: [(Value, &str); 4] = [
        (json!({ "systemPrompt": "a\0" }), "version 1: system_prompt must not contain"),
        (json!({ "systemPrompt": "x".repeat(512 * 1024 + 1) }), "version 1: system_prompt is too large"),
        (json!({ "systemPrompt": "", "modelName": " " }), "version 1: model_name must not be blank"),
        (
            json!({ "systemPrompt": "", "tools": [{ "name": "t", "inputSchema": { "type": 1 } }] }),
            "version 1: tools.0.input_schema is not a valid JSON Schema",
        ),
    ];
    for (version, expected) in cases {
        let line = json!({ "agent": "A", "versions": [version] }).to_string();
        let err = import(&desk.app.registry, &system(), desk.input(), &mut line.as_bytes()).await;
        let told = err.unwrap_err().to_string();
        assert!(told.contains(expected), "{told} should say {expected}");
    }
    assert_eq!(desk.head().await, head);
}
