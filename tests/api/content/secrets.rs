//! Secrets in contents: others' are warned of, and the registry's own credentials are refused, by every interface. No
//! answer and no row says what was found.

use agent_registry::domain::KeyScope;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::{rest::City, support::Answer};

/// Tokens of the right form that are no one's.
const GITHUB: &str = "ghp_0123456789abcdefghijklmnopqrstuvwxyz";
const STRIPE: &str = "sk_live_0123456789abcdefghijklmn";
const PUBLISH: &str = "mutation ($input: PublishVersionInput!) { publishVersion(input: $input) {
    version { number } warnings { rule path line message } revision userErrors { code field path message } } }";
const CHECK: &str = "query ($content: VersionContentInput!) { versionWarnings(content: $content) { rule path line message } }";

async fn publish(city: &City, change: Value) -> Answer {
    let mut input = json!({ "agentId": city.agent, "systemPrompt": "p", "modelName": "m" });
    input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    city.editor.gql(PUBLISH, json!({ "input": input })).await
}

/// A content with secrets of others, and where they are.
fn leaky() -> (Value, Value) {
    let content = json!({
        "systemPrompt": format!("You help.\nUse {GITHUB} to sign in.\n"),
        "modelParameters": { "metadata": { "keys": ["none", STRIPE] } },
        "tools": [{ "name": "t", "inputSchema": { "type": "object" }, "description": format!("curl -H 'Authorization: {GITHUB}'") }],
        "extensions": { "org.example/mcpServers": [{ "headers": { "apiKey": STRIPE } }] },
    });
    let places = json!([
        { "rule": "SECRET", "path": ["systemPrompt"], "line": 2 },
        { "rule": "SECRET", "path": ["modelParameters", "metadata", "keys", "1"], "line": null },
        { "rule": "SECRET", "path": ["tools", "0", "description"], "line": null },
        { "rule": "SECRET", "path": ["extensions", "org.example/mcpServers", "0", "headers", "apiKey"], "line": null },
    ]);
    (content, places)
}

/// The warnings without their messages, which must not say what was found.
fn places(warnings: &Value) -> Value {
    let mut warnings = warnings.clone();
    for warning in warnings.as_array_mut().unwrap() {
        let message = warning.as_object_mut().unwrap().remove("message").unwrap();
        let message = message.as_str().unwrap();
        assert!(
            message.contains("looks like a GitHub token") || message.contains("looks like a Stripe live key")
        );
        assert!(!message.contains("0123456789abcdef"), "{message}");
    }
    warnings
}

#[tokio::test]
async fn anothers_secret_is_warned_of_by_its_place() {
    let city = City::new().await;
    let (content, expected) = leaky();
    let published = publish(&city, content.clone()).await;
    assert_eq!(places(published.at("/publishVersion/warnings")), expected);
    assert_eq!(published.at("/publishVersion/version/number"), 1);

    let mut unpublished = content.clone();
    unpublished["modelName"] = json!("m");
    let checked = city.editor.gql(CHECK, json!({ "content": unpublished })).await;
    assert_eq!(places(checked.at("/versionWarnings")), expected);

    let rest = json!({ "system_prompt": content["systemPrompt"], "model_name": "m", "tools": content["tools"],
        "model_parameters": { "apiKey": STRIPE }, "extensions": content["extensions"] });
    let rest = city.editor.post(&city.versions(), rest).await;
    assert_eq!(rest.status, 201);
    let mut spelled = expected.clone();
    spelled[0]["path"] = json!(["system_prompt"]);
    spelled[1]["path"] = json!(["model_parameters", "apiKey"]);
    assert_eq!(places(&rest.body["warnings"]), spelled, "keys that the author chose stay as they are");

    let revision = city.revision().await;
    let mut refused = content;
    refused["refuseWarnings"] = json!(true);
    let refused = publish(&city, refused).await;
    let errors = refused.at("/publishVersion/userErrors").as_array().unwrap();
    let paths: Vec<&Value> = errors.iter().map(|error| &error["path"]).collect();
    assert_eq!(
        json!(paths),
        json!([
            ["systemPrompt"],
            ["modelParameters"],
            ["tools", "0", "description"],
            ["extensions", "org.example/mcpServers"]
        ])
    );
    assert!(!refused.body.to_string().contains("0123456789abcdef"), "{}", refused.body);
    assert_eq!(city.revision().await, revision, "nothing is stored");
}

#[tokio::test]
async fn the_registrys_own_credentials_are_refused_everywhere() {
    let city = City::new().await;
    let key = city.app.program(&city.customer, [KeyScope::AgentsRead]).await.token.clone().unwrap();
    let token = city.app.gateway().await.token.clone().unwrap();
    let revision = city.revision().await;
    for own in [&key, &token] {
        let secret = &own[36..100];
        for (change, field, place) in [
            (
                json!({ "systemPrompt": format!("a\nb\nUse {own}.") }),
                "systemPrompt",
                "`systemPrompt`, line 3",
            ),
            (json!({ "modelParameters": { "user": own } }), "modelParameters", "`modelParameters.user`"),
            (
                json!({ "extensions": { "org.example/mcp": [{ "token": own }] } }),
                "extensions.org.example/mcp",
                "`extensions.org.example/mcp.0.token`",
            ),
            (json!({ "extensions": { format!("urn:x:{own}"): 1 } }), "extensions", "`extensions`"),
            (json!({ "message": format!("with {own}") }), "message", "`message`"),
            (
                json!({ "tools": [{ "name": "t", "description": own }] }),
                "tools.0.description",
                "`tools.0.description`",
            ),
            (
                json!({ "tools": [{ "name": "t", "inputSchema": { "properties": { "a": { "default": own } } } }] }),
                "tools.0.inputSchema",
                "`tools.0.inputSchema.properties.a.default`",
            ),
        ] {
            let refused = publish(&city, change).await;
            let error = refused.at("/publishVersion/userErrors/0");
            assert_eq!((&error["code"], &error["field"]), (&json!("INVALID"), &json!(field)), "{error}");
            assert!(error["message"].as_str().unwrap().starts_with(place), "{error}");
            assert!(!refused.body.to_string().contains(secret));
        }
        let checked = json!({ "content": { "modelName": "m", "systemPrompt": own } });
        let checked = city.editor.gql(CHECK, checked).await;
        assert_eq!(checked.code(), Some("BAD_USER_INPUT"));
        let rest = json!({ "system_prompt": own, "model_name": "m", "message": own, "extensions": { "org.example": own } });
        let rest = city.editor.post(&city.versions(), rest).await;
        let fields: Vec<_> =
            rest.body["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
        assert_eq!(
            (rest.status.as_u16(), json!(fields)),
            (422, json!(["message", "system_prompt", "extensions.org.example"]))
        );
        let line = json!({ "agent": "Imported", "versions": [{ "system_prompt": "fine" }, { "system_prompt": own }] });
        let imported = city.operator.post(&format!("/v1/customers/{}/import", city.customer), line).await;
        let text = imported.body.to_string();
        assert!(text.contains("system_prompt") && text.contains("line 1"), "{text}");
        for answer in [checked.body, rest.body, imported.body] {
            assert!(!answer.to_string().contains(secret), "{answer}");
        }
    }
    assert_eq!(city.revision().await, revision, "nothing is stored");
    let mut session = PgConnection::connect(&city.app.database.admin_url).await.unwrap();
    let rows =
        "SELECT (SELECT count(*) FROM registry.agent_versions) + (SELECT count(*) FROM registry.agents)";
    let rows: i64 = sqlx::query_scalar(rows).fetch_one(&mut session).await.unwrap();
    assert_eq!(rows, 1, "the agent, without a version");
    // A credential with a wrong checksum is no one's.
    let mut invented = key.clone();
    invented.replace_range(107.., if key.ends_with('0') { "1" } else { "0" });
    assert_eq!(
        publish(&city, json!({ "systemPrompt": invented })).await.at("/publishVersion/userErrors"),
        &json!([])
    );
}
