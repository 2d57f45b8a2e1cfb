//! What a rejected request says: all errors of its input at once, each with its field, in the spelling of its entry
//! point.

use agent_registry::domain::member::Role;
use serde_json::{Value, json};

use crate::support::{App, Calls, caller::Client};

/// Sends a mutation with this input. Returns its `userErrors`.
pub(crate) async fn user_errors(caller: &Client, mutation: &str, input: Value) -> Value {
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let document = format!(
        "mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ revision userErrors {{ code message field path }} }} }}"
    );
    let answer = caller.gql(&document, json!({ "input": input })).await;
    let payload = answer.at(&format!("/{mutation}"));
    let is_rejected = payload["userErrors"] != json!([]);
    assert_eq!(payload["revision"].is_null(), is_rejected, "{payload}");
    payload["userErrors"].clone()
}

/// The codes and fields of errors; each path is the field's parts.
fn codes(errors: &Value) -> Vec<(String, String)> {
    let code = |error: &Value| {
        let (code, field) = (error["code"].as_str().unwrap(), error["field"].as_str().unwrap_or_default());
        let path: Vec<&str> = field.split('.').filter(|part| !part.is_empty()).collect();
        assert_eq!(error["path"], if field.is_empty() { Value::Null } else { json!(path) });
        assert!(!error["message"].as_str().unwrap().is_empty());
        (code.to_owned(), field.to_owned())
    };
    errors.as_array().unwrap().iter().map(code).collect()
}

fn expected<'a>(errors: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<(String, String)> {
    errors.into_iter().map(|(code, field)| (code.to_owned(), field.to_owned())).collect()
}

#[tokio::test]
async fn all_errors_of_an_input_come_at_once() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    let version = operator.publish(&agent, "Hello").await;
    let head = app.registry.head().await.unwrap();
    let past = app.clock.now() - chrono::TimeDelta::seconds(1);
    let long = "x".repeat(2001);
    for (mutation, input, errors) in [
        (
            "createAgent",
            json!({ "customerId": "1", "name": " ", "description": long, "ownerId": "2", "idempotencyKey": "" }),
            vec![
                ("INVALID", "customerId"),
                ("INVALID", "ownerId"),
                ("INVALID", "idempotencyKey"),
                ("INVALID", "name"),
                ("TOO_LARGE", "description"),
            ],
        ),
        (
            "updateAgent",
            json!({ "agentId": agent, "name": "a\n", "description": "\0" }),
            vec![("INVALID", "name"), ("INVALID", "description")],
        ),
        (
            "archiveAgent",
            json!({ "agentId": "x", "idempotencyKey": "é" }),
            vec![("INVALID", "agentId"), ("INVALID", "idempotencyKey")],
        ),
        (
            "activateVersion",
            json!({ "agentId": "a", "versionId": "b", "expectedActiveVersionId": "c" }),
            vec![("INVALID", "agentId"), ("INVALID", "versionId"), ("INVALID", "expectedActiveVersionId")],
        ),
        (
            "rollback",
            json!({ "agentId": "a", "steps": 0 }),
            vec![("INVALID", "agentId"), ("INVALID", "steps")],
        ),
        (
            "createApiKey",
            json!({ "customerId": customer, "name": "", "scopes": [], "expiresAt": past }),
            vec![("INVALID", "name"), ("INVALID", "scopes"), ("INVALID", "expiresAt")],
        ),
        (
            "rotateApiKey",
            json!({ "apiKeyId": "x", "overlapSeconds": -1 }),
            vec![("INVALID", "apiKeyId"), ("INVALID", "overlapSeconds")],
        ),
        (
            "createServiceToken",
            json!({ "name": "", "scopes": [] }),
            vec![("INVALID", "name"), ("INVALID", "scopes")],
        ),
        (
            "inviteMember",
            json!({ "customerId": "x", "email": "nobody", "role": "VIEWER" }),
            vec![("INVALID", "customerId"), ("INVALID", "email")],
        ),
        (
            "removeMember",
            json!({ "customerId": "x", "userId": "y" }),
            vec![("INVALID", "customerId"), ("INVALID", "userId")],
        ),
        (
            "updateCustomer",
            json!({ "customerId": "x", "name": "" }),
            vec![("INVALID", "customerId"), ("INVALID", "name")],
        ),
        (
            "publishVersion",
            json!({ "agentId": "x", "systemPrompt": "\0", "modelName": "", "message": long, "modelParameters": [1],
                "tools": [{ "name": "a", "inputSchema": { "type": 1 } }, { "name": "b\n", "additional": { "name": "c" } }],
                "idempotencyKey": "" }),
            vec![
                ("INVALID", "agentId"),
                ("INVALID", "tools.1.additional"),
                ("INVALID", "idempotencyKey"),
                ("TOO_LARGE", "message"),
                ("INVALID", "systemPrompt"),
                ("INVALID", "modelName"),
                ("INVALID", "modelParameters"),
                ("INVALID", "tools.0.inputSchema"),
                ("INVALID", "tools.1.name"),
            ],
        ),
        // A large content is checked on another thread.
        (
            "publishVersion",
            json!({ "agentId": "x", "systemPrompt": "x".repeat(17 * 1024) + "\0", "modelName": "m", "message": long }),
            vec![("INVALID", "agentId"), ("TOO_LARGE", "message"), ("INVALID", "systemPrompt")],
        ),
        (
            "publishVersion",
            json!({ "agentId": agent, "systemPrompt": "p", "modelName": "m", "refuseWarnings": true,
                "tools": [{ "name": "a b", "inputSchema": { "type": "string" } }] }),
            vec![("INVALID", "tools.0.name"), ("INVALID", "tools.0.inputSchema")],
        ),
        // The first error that needs the database ends the write.
        (
            "activateVersion",
            json!({ "agentId": agent, "versionId": customer, "expectedActiveVersionId": version }),
            vec![("CONFLICT", "expectedActiveVersionId")],
        ),
    ] {
        let answered = user_errors(&operator, mutation, input.clone()).await;
        assert_eq!(codes(&answered), expected(errors), "{mutation} {input}: {answered}");
    }
    assert_eq!(app.registry.head().await.unwrap(), head, "nothing was stored");
}

/// A caller without the right learns of no field's error.
#[tokio::test]
async fn a_missing_right_hides_the_errors_of_the_input() {
    let app = App::start().await;
    let customer = app.operator().await.customer("City").await;
    let viewer = app.member(&customer, Role::Viewer).await;
    let create =
        "mutation ($input: CreateAgentInput!) { createAgent(input: $input) { userErrors { code field } } }";
    let input = json!({ "customerId": customer, "name": "" });
    assert_eq!(viewer.gql(create, json!({ "input": input })).await.code(), Some("FORBIDDEN"));
    let api_key =
        "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { userErrors { code field } } }";
    let gateway = app.gateway().await;
    let input = json!({ "customerId": "x", "name": "", "scopes": [] });
    assert_eq!(gateway.gql(api_key, json!({ "input": input })).await.code(), Some("FORBIDDEN"));
}

#[tokio::test]
async fn rest_names_each_field_as_it_spells_it() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let head = app.registry.head().await.unwrap();
    let body = json!({ "customer_id": "1", "name": "", "owner_id": "2", "description": "x".repeat(2001) });
    let answer = editor.post("/v1/agents", body).await;
    assert_eq!(answer.status, 422);
    let expected = json!([
        { "field": "customer_id", "code": "INVALID", "detail": "customer_id must be a UUID" },
        { "field": "owner_id", "code": "INVALID", "detail": "owner_id must be a UUID" },
        { "field": "name", "code": "INVALID", "detail": "name must not be blank" },
        { "field": "description", "code": "TOO_LARGE", "detail": "description is too large: 2001 characters, at most 2000" },
    ]);
    assert_eq!(answer.body["errors"], expected);
    assert_eq!(answer.body.get("field"), None, "no single field is at fault");
    assert!(answer.body["detail"].as_str().unwrap().starts_with("customer_id must be a UUID; owner_id must"));
    // One error is in both places.
    let one = editor.post("/v1/agents", json!({ "name": 7 })).await;
    assert_eq!((&one.body["field"], &one.body["errors"][0]["field"]), (&json!("name"), &json!("name")));
    assert_eq!(one.body["detail"], "invalid type: integer `7`, expected a string, at `name`");
    for (body, field, detail) in [
        (json!({ "title": "x" }), "title", "unknown field `title`"),
        (json!({ "description": "x" }), "name", "missing field `name`"),
    ] {
        let wrong = editor.post("/v1/agents", body).await;
        assert_eq!((wrong.status.as_u16(), &wrong.body["code"]), (422, &json!("INVALID")));
        assert_eq!((&wrong.body["field"], &wrong.body["detail"]), (&json!(field), &json!(detail)));
    }
    let query = editor.get("/v1/agents?limit=0&archived=maybe&customer_id=x").await;
    let fields: Vec<_> = query.body["errors"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
    assert_eq!(fields, ["customer_id", "archived", "limit"]);
    assert_eq!(app.registry.head().await.unwrap(), head);
}

#[tokio::test]
async fn a_conflict_names_numbers() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let agent = operator.agent(&customer, "Helper").await;
    let (first, second) = (operator.publish(&agent, "one").await, operator.publish(&agent, "two").await);
    let other = operator.agent(&customer, "Other").await;
    let foreign = operator.publish(&other, "x").await;
    let conflict = async |expected: Value| {
        let input = json!({ "agentId": agent, "versionId": first, "expectedActiveVersionId": expected });
        let errors = user_errors(&operator, "activateVersion", input).await;
        assert_eq!(codes(&errors), self::expected([("CONFLICT", "expectedActiveVersionId")]));
        errors[0]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(conflict(json!(first)).await, "no version is active, not version 1");
    operator.activate(&agent, &second).await.text("/activateVersion/revision");
    assert_eq!(conflict(json!(first)).await, "version 2 is active, not version 1");
    assert_eq!(conflict(Value::Null).await, "version 2 is active, but none was expected");
    let unknown = "version 2 is active, and the expected one isn't a version of this agent";
    assert_eq!(conflict(json!(foreign)).await, unknown);
    assert_eq!(operator.active_number(&agent).await, 2);
}

#[tokio::test]
async fn a_name_that_an_archived_agent_holds_says_so() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let (old, new) = (editor.agent(&customer, "Helper").await, editor.agent(&customer, "Other").await);
    let taken = async || {
        let create = json!({ "customerId": customer, "name": "Helper" });
        let created = user_errors(&editor, "createAgent", create).await;
        let update = json!({ "agentId": new, "name": "Helper" });
        let updated = user_errors(&editor, "updateAgent", update).await;
        assert_eq!(created, updated);
        assert_eq!(codes(&created), expected([("ALREADY_EXISTS", "name")]));
        created[0]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(taken().await, "the customer already has an agent of this name");
    assert_eq!(user_errors(&editor, "archiveAgent", json!({ "agentId": old })).await, json!([]));
    let archived = "the customer already has an agent of this name, which is archived; restore or rename it";
    assert_eq!(taken().await, archived);
    let rest = editor.post("/v1/agents", json!({ "name": "Helper" })).await;
    assert_eq!((rest.status.as_u16(), &rest.body["detail"]), (409, &json!(archived)));
    let names = "query ($id: ID!) { customer(id: $id) { agents { nodes { name } } } }";
    let names = editor.gql(names, json!({ "id": customer })).await;
    let expected = json!([{ "name": "Helper" }, { "name": "Other" }]);
    assert_eq!(names.at("/customer/agents/nodes"), &expected, "nothing was made or renamed");
}

#[tokio::test]
async fn a_canceled_customer_is_called_so_at_every_entry_point() {
    let app = App::start().await;
    let operator = app.operator().await;
    let customer = operator.customer("City").await;
    let editor = app.member(&customer, Role::Editor).await;
    let agent = editor.agent(&customer, "Helper").await;
    let version = editor.publish(&agent, "Hello").await;
    editor.activate(&agent, &version).await.text("/activateVersion/revision");
    let gateway = app.gateway().await;
    for (status, word) in [("SUSPENDED", "suspended"), ("CANCELED", "canceled")] {
        let set = json!({ "customerId": customer, "status": status });
        assert_eq!(user_errors(&operator, "setBillingStatus", set).await, json!([]));
        let message = format!("the customer is {word}");
        let errors = user_errors(&editor, "deactivate", json!({ "agentId": agent })).await;
        let expected = json!([{ "code": status, "message": message, "field": null, "path": null }]);
        assert_eq!(errors, expected);
        // From memory, and from the database.
        for wait in [0, 2] {
            app.clock.shift(chrono::TimeDelta::seconds(wait));
            let read = gateway.get(&format!("/internal/agents/{agent}/active")).await;
            assert_eq!((read.status.as_u16(), &read.body["code"]), (403, &json!(status)));
            assert_eq!(read.body["detail"], json!(message));
            assert_eq!(read.body["type"], format!("/problems/{word}"));
        }
        let config = "query ($id: ID!) { activeConfig(agentId: $id) { versionId } }";
        assert_eq!(gateway.gql(config, json!({ "id": agent })).await.code(), Some(status));
        let post = json!({ "system_prompt": "", "model_name": "m" });
        let posted = editor.post(&format!("/v1/agents/{agent}/versions"), post).await;
        assert_eq!((posted.status.as_u16(), &posted.body["code"]), (403, &json!(status)));
    }
}
