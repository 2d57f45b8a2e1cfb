//! Exports of other registries, converted and imported.

use agent_registry::domain::transfer::{Converted, ForeignFormat, convert};
use serde_json::{Value, json};

use super::{Desk, lines};

fn langfuse(file: &str) -> Converted {
    convert(ForeignFormat::Langfuse, file.as_bytes()).unwrap()
}

fn mlflow(file: &str) -> Converted {
    convert(ForeignFormat::Mlflow, file.as_bytes()).unwrap()
}

/// Prompts as `GET /api/public/v2/prompts/{name}` returns them.
fn prompts() -> Vec<Value> {
    vec![
        json!({ "id": "c1", "createdAt": "2025-02-01T10:00:00.000Z", "updatedAt": "2025-02-01T10:00:00.000Z",
            "projectId": "p", "createdBy": "u", "name": "movie-critic", "version": 3, "type": "text",
            "prompt": "As a {{criticLevel}} movie critic, do you like {{movie}}?", "isActive": null,
            "config": { "model": "gpt-4o", "temperature": 0.50, "supported_languages": ["en", "fr"] },
            "labels": ["latest"], "tags": ["movies"], "commitMessage": "Shorter", "resolutionGraph": null }),
        json!({ "name": "movie-critic", "version": 1, "prompt": "first", "labels": ["production"], "config": {} }),
        json!({ "name": "support/chat", "version": 1, "type": "chat", "config": null, "labels": [],
            "prompt": [{ "role": "system", "content": "Be kind." }, { "type": "placeholder", "name": "history" },
                { "role": "user", "content": "{{question}}" }] }),
    ]
}

#[tokio::test]
async fn prompts_of_langfuse_become_agents() {
    let array = Value::from(prompts()).to_string();
    let one_a_line = prompts().iter().map(|prompt| format!("{prompt}\n")).collect::<String>();
    let listed = json!({ "data": prompts(), "meta": { "page": 1 } }).to_string();
    for file in [&array, &one_a_line, &listed] {
        let Converted { lines: text, refused, notes } = langfuse(file);
        assert_eq!(refused, Vec::<String>::new());
        assert_eq!(
            notes,
            [
                "prompt \"support/chat\" version 1: only the system message was taken; the messages of placeholder, user were left out"
            ]
        );
        let desk = Desk::open().await;
        assert_eq!(desk.import(&text).await.unwrap().versions, 3);
        let all = lines(&desk.export().await);
        assert_eq!(all[0].head.agent, "movie-critic");
        assert_eq!(all[0].head.active, Some(Some(1)));
        let second = &all[0].versions[1];
        assert_eq!(second.system_prompt, "As a {{criticLevel}} movie critic, do you like {{movie}}?");
        assert_eq!(second.model_name.as_deref(), Some("gpt-4o"));
        assert_eq!(
            second.model_parameters,
            Some(json!({ "temperature": 0.5, "supported_languages": ["en", "fr"] }).into())
        );
        assert_eq!(second.message, Some(Some("Langfuse version 3: Shorter".to_owned())));
        assert_eq!(second.published_at.as_deref(), Some("2025-02-01T10:00:00.000000Z"));
        let first = &all[0].versions[0];
        assert_eq!((first.model_name.as_deref(), &first.message), (Some("gpt-4-turbo"), &Some(None)));
        assert_eq!((all[1].head.agent.as_str(), all[1].head.active), ("support/chat", Some(None)));
        assert_eq!(all[1].versions[0].system_prompt, "Be kind.");
        assert_eq!(desk.import(&text).await.unwrap().unchanged, 2);
    }
}

#[test]
fn what_is_no_system_prompt_is_refused_with_the_reason() {
    let chat = |messages: Value| json!({ "name": "c", "version": 2, "type": "chat", "prompt": messages });
    for (record, reason) in [
        (
            chat(json!([{ "role": "user", "content": "Hi" }])),
            "record 1, prompt \"c\" version 2: the chat prompt has no system message",
        ),
        (
            chat(json!([{ "role": "system", "content": "a" }, { "role": "system", "content": "b" }])),
            "several system messages",
        ),
        (chat(json!([{ "role": "system", "content": [{ "type": "text" }] }])), "isn't text"),
        (json!({ "name": "c", "version": 0, "prompt": "" }), "`version` must be the number"),
        (json!({ "version": 1, "prompt": "" }), "`name` is missing"),
        (json!({ "name": "c", "version": 1, "prompt": 7 }), "`prompt` must be a text"),
        (json!({ "name": "c", "version": 1, "prompt": "", "config": [] }), "`config` must be an object"),
        (json!({ "name": "c", "versions": [1, 2], "labels": [] }), "without texts; export each version"),
        (json!("c"), "expected a prompt, an object, and found a string"),
    ] {
        let Converted { lines, refused, .. } = langfuse(&Value::from(vec![record]).to_string());
        assert_eq!((lines.as_str(), refused.len()), ("", 1));
        assert!(refused[0].contains(reason), "{} should say {reason}", refused[0]);
    }
    let twice =
        json!([{ "name": "c", "version": 1, "prompt": "a" }, { "name": "c", "version": 1, "prompt": "b" }]);
    let Converted { lines, refused, .. } = langfuse(&twice.to_string());
    assert_eq!((lines.lines().count(), refused.len()), (1, 1));
    assert!(refused[0].contains("has this version twice"), "{refused:?}");
    for file in ["", "{\"name\":"] {
        let read = convert(ForeignFormat::Langfuse, file.as_bytes());
        assert!(file.is_empty() || read.unwrap_err().to_string().starts_with("not JSON"));
    }
}

/// The same version as the client, mlflow-export-import and the REST API have it.
#[tokio::test]
async fn prompts_of_mlflow_become_agents() {
    let client = json!([
        { "name": "summary", "version": 2, "template": "Summarize {{ text }}.", "commit_message": "Two",
            "creation_timestamp": 1_740_000_000_123_i64, "tags": { "author": "me" }, "aliases": ["production"],
            "model_config": { "provider": "openai", "model_name": "gpt-4", "temperature": 0.7 } },
        { "name": "summary", "version": 5, "template": [{ "role": "system", "content": "Be brief." }], "creation_timestamp": 0 },
    ]);
    let exported = [
        json!({ "system": { "package_version": "1" }, "mlflow": { "prompt": { "name": "summary", "version": "2",
            "template": "Summarize {{ text }}.", "description": "Two", "aliases": ["production"], "tags": {
                "_mlflow_prompt_model_config": "{\"provider\":\"openai\",\"model_name\":\"gpt-4\",\"temperature\":0.7}" },
            "creation_timestamp": 1_740_000_000_123_i64, "_creation_timestamp": "2025-02-19 21:20:00" } } }),
        json!({ "mlflow": { "prompt": { "name": "summary", "version": 5,
            "template": [{ "role": "system", "content": "Be brief." }] } } }),
    ];
    let exported: String = exported.iter().map(|record| format!("{record}\n")).collect();
    let tag = |key: &str, value: &str| json!({ "key": key, "value": value });
    let rest = json!({ "model_versions": [
        { "name": "summary", "version": "5", "creation_timestamp": 0, "tags": [tag("mlflow.prompt.is_prompt", "true"),
            tag("mlflow.prompt.text", "[{\"role\": \"system\", \"content\": \"Be brief.\"}]"), tag("_mlflow_prompt_type", "chat")] },
        { "name": "summary", "version": "2", "creation_timestamp": 1_740_000_000_123_i64, "description": "Two",
            "tags": [tag("mlflow.prompt.text", "Summarize {{ text }}."), tag("_mlflow_prompt_type", "text"),
            tag("_mlflow_prompt_model_config", "{\"provider\":\"openai\",\"model_name\":\"gpt-4\",\"temperature\":0.7}")],
            "aliases": ["production"] },
    ] });
    for file in [client.to_string(), exported, rest.to_string()] {
        let Converted { lines: text, refused, notes } = mlflow(&file);
        assert_eq!((refused, notes), (Vec::new(), Vec::new()), "{file}");
        let desk = Desk::open().await;
        assert_eq!(desk.import(&text).await.unwrap().versions, 2);
        let all = lines(&desk.export().await);
        assert_eq!(
            (all.len(), all[0].head.agent.as_str(), all[0].head.active),
            (1, "summary", Some(Some(1)))
        );
        let [first, second] = &all[0].versions[..] else { panic!("{text}") };
        assert_eq!(first.system_prompt, "Summarize {{ text }}.");
        assert_eq!(first.model_name.as_deref(), Some("gpt-4"));
        assert_eq!(first.model_parameters, Some(json!({ "provider": "openai", "temperature": 0.7 }).into()));
        assert_eq!(first.message, Some(Some("MLflow version 2: Two".to_owned())));
        assert_eq!(first.published_at.as_deref(), Some("2025-02-19T21:20:00.123000Z"));
        assert_eq!(second.system_prompt, "Be brief.");
        assert_eq!(second.message, Some(Some("MLflow version 5".to_owned())));
    }
}

#[test]
fn aliases_of_registered_models_count_and_other_models_are_refused() {
    let file = [
        json!({ "registered_model": { "name": "a", "aliases": [{ "alias": "production", "version": "2" },
            { "alias": "staging", "version": "1" }] } }),
        json!({ "name": "a", "version": 1, "template": "one" }),
        json!({ "name": "a", "version": 2, "template": "two" }),
        json!({ "name": "model", "version": "1", "source": "s3://bucket", "tags": [] }),
    ];
    let Converted { lines, refused, .. } = mlflow(&Value::from(file.to_vec()).to_string());
    let line: Value = serde_json::from_str(&lines).unwrap();
    assert_eq!((&line["agent"], &line["active"]), (&json!("a"), &json!(2)));
    assert_eq!(
        refused,
        ["record 4, prompt \"model\" version 1: this isn't a version of a prompt: it has no template"]
    );
}
