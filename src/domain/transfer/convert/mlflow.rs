//! MLflow: a `PromptVersion` as its client has it, `prompt.json` of mlflow-export-import, and the model versions and
//! registered models of its REST API, which keep a prompt's text in tags. See
//! <https://mlflow.org/docs/latest/genai/prompt-registry/>.

use json_reader::{Json, Object};

use super::{
    ForeignVersion, PRODUCTION, Refusal, has_production, nested, number_of, system_message, take_model,
    text_of,
};

/// The tag with a prompt's text.
const TEXT: &str = "mlflow.prompt.text";
/// The tag with a prompt's type.
const TYPE: &str = "_mlflow_prompt_type";
/// The tag with the model and its parameters, as JSON.
const MODEL_CONFIG: &str = "_mlflow_prompt_model_config";
/// The tag with the schema of answers, as JSON.
const RESPONSE_FORMAT: &str = "_mlflow_prompt_response_format";

/// The aliases of a registered model: its name, and the number of each version with the alias `production`. `None` for
/// other records.
pub(super) fn aliases(record: &Json) -> Option<Vec<(String, i64)>> {
    let record = record.get("registered_model").unwrap_or(record);
    if record.get("version").is_some() || record.get("template").is_some() {
        return None;
    }
    let name = record.get("name")?.as_str()?;
    let aliases = record.get("aliases")?.as_array()?;
    let is_production = |alias: &&Json| alias.get("alias").and_then(Json::as_str) == Some(PRODUCTION);
    let numbers = aliases.iter().filter(is_production).filter_map(|alias| number_of(alias).ok());
    Some(numbers.map(|number| (name.to_owned(), number)).collect())
}

/// Reads one version of a prompt.
pub(super) fn version(record: &Json) -> Result<ForeignVersion, Refusal> {
    let record = record.get("mlflow").and_then(|mlflow| mlflow.get("prompt")).unwrap_or(record);
    let record = record.get("model_version").unwrap_or(record);
    if record.as_object().is_none() {
        return Err(format!("expected a prompt version, an object, and found {}", record.kind()));
    }
    let prompt = text_of(record, "name")?.ok_or("`name` is missing")?;
    let number = number_of(record)?;
    let (text, left_out) = template(record)?;
    let mut parameters = match (record.get("model_config"), tag(record, MODEL_CONFIG)) {
        (Some(Json::Object(config)), _) => config.clone(),
        (_, Some(config)) => match nested(config, "the tag with the model's configuration")? {
            Json::Object(config) => config,
            other => {
                return Err(format!("the model's configuration must be an object, and is {}", other.kind()));
            }
        },
        _ => Object::new(),
    };
    let model = take_model(&mut parameters, "model_name");
    let format = match (record.get("response_format"), tag(record, RESPONSE_FORMAT)) {
        (Some(format @ Json::Object(_)), _) => Some(format.clone()),
        (_, Some(format)) => Some(nested(format, "the tag with the response format")?),
        _ => None,
    };
    if let Some(format) = format {
        parameters.insert("response_format".to_owned(), format);
    }
    let message = text_of(record, "commit_message")?.or(text_of(record, "description")?);
    Ok(ForeignVersion {
        prompt,
        number,
        text,
        model,
        parameters,
        message: message.filter(|message| !message.is_empty()),
        published_at: created_at(record)?,
        is_production: has_production(record, "aliases"),
        left_out,
    })
}

/// The system prompt, from the template or from the tag that has it.
fn template(record: &Json) -> Result<(String, Option<String>), Refusal> {
    match (record.get("template"), tag(record, TEXT)) {
        (Some(Json::String(text)), _) => Ok((text.clone(), None)),
        (Some(Json::Array(messages)), _) => system_message(messages),
        (None | Some(Json::Null), Some(text)) if tag(record, TYPE) == Some("chat") => {
            match nested(text, "the tag with the chat prompt")? {
                Json::Array(messages) => system_message(&messages),
                other => Err(format!("the chat prompt must be a list of messages, and is {}", other.kind())),
            }
        }
        (None | Some(Json::Null), Some(text)) => Ok((text.to_owned(), None)),
        (None | Some(Json::Null), None) => {
            Err("this isn't a version of a prompt: it has no template".to_owned())
        }
        (Some(_), _) => Err("`template` must be a text or a list of messages".to_owned()),
    }
}

/// A tag: of an object, or of a list of keys and values.
fn tag<'a>(record: &'a Json, key: &str) -> Option<&'a str> {
    match record.get("tags")? {
        Json::Object(tags) => tags.get(key)?.as_str(),
        Json::Array(tags) => {
            tags.iter().find(|tag| tag.get("key").and_then(Json::as_str) == Some(key))?.get("value")?.as_str()
        }
        _ => None,
    }
}

/// The time of creation, in milliseconds since 1970 or as text. MLflow writes 0 for an unknown time.
fn created_at(record: &Json) -> Result<Option<String>, Refusal> {
    let unknown = || "`creation_timestamp` must be in milliseconds since 1970".to_owned();
    let time = match record.get("creation_timestamp") {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Number(number)) => {
            let millis = number.as_i64().ok_or_else(unknown)?;
            if millis == 0 {
                return Ok(None);
            }
            chrono::DateTime::from_timestamp_millis(millis).ok_or_else(unknown)?
        }
        Some(Json::String(text)) => {
            let naive = chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S");
            naive.map(|time| time.and_utc()).map_err(|_| unknown())?
        }
        Some(_) => return Err(unknown()),
    };
    Ok(Some(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)))
}
