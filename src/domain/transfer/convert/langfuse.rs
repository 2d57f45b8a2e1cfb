//! Langfuse: the prompt object of its public API (`GET /api/public/v2/prompts/{name}`), of its bulk export, and of its
//! table `prompts`. See <https://langfuse.com/docs/prompt-management/data-model>.

use json_reader::{Json, Object};

use super::{ForeignVersion, Refusal, has_production, number_of, system_message, take_model, text_of};

/// Reads one version of a prompt.
pub(super) fn version(record: &Json) -> Result<ForeignVersion, Refusal> {
    if record.as_object().is_none() {
        return Err(format!("expected a prompt, an object, and found {}", record.kind()));
    }
    let prompt = text_of(record, "name")?.ok_or("`name` is missing")?;
    if record.get("versions").is_some() && record.get("prompt").is_none() {
        return Err("this is an entry of the list of prompts, without texts; export each version".to_owned());
    }
    let number = number_of(record)?;
    let (text, left_out) = match record.get("prompt") {
        Some(Json::String(text)) => (text.clone(), None),
        Some(Json::Array(messages)) => system_message(messages)?,
        _ => return Err("`prompt` must be a text or a list of messages".to_owned()),
    };
    let mut parameters = match record.get("config") {
        None | Some(Json::Null) => Object::new(),
        Some(Json::Object(config)) => config.clone(),
        Some(other) => return Err(format!("`config` must be an object, and is {}", other.kind())),
    };
    let model = take_model(&mut parameters, "model");
    Ok(ForeignVersion {
        prompt,
        number,
        text,
        model,
        parameters,
        message: either(record, "commitMessage", "commit_message")?,
        published_at: either(record, "createdAt", "created_at")?,
        is_production: has_production(record, "labels"),
        left_out,
    })
}

/// A text in the spelling of the API, or in that of the Python client and the table.
fn either(record: &Json, api: &str, client: &str) -> Result<Option<String>, Refusal> {
    Ok(text_of(record, api)?.or(text_of(record, client)?))
}
