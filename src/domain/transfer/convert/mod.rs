//! Converts the exports of other prompt registries to lines that an import reads. Pure functions without access to the
//! database.
//!
//! These registries number versions with gaps, and a registry of agents doesn't: the versions are numbered again in
//! their order, and the message of each that moved has its old number. The version with the label or alias
//! `production` becomes the active one.

use std::collections::BTreeMap;

use json_reader::{Json, Limits, Object, read};

use super::{
    super::{DESCRIPTION_CHARS_MAX, Error, Result},
    line::{VERSIONS, not_json},
};

mod langfuse;
mod mlflow;

/// The largest file that is converted, in bytes: it is in memory as a whole.
pub const FOREIGN_BYTES_MAX: usize = 256 * 1024 * 1024;
/// The label or alias of the version that serves.
const PRODUCTION: &str = "production";

/// A format of another registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignFormat {
    /// Prompts of Langfuse, as its API and its export have them: a JSON array, one object a line, or an object with
    /// `data`.
    Langfuse,
    /// Prompt versions of MLflow, as its client, its REST API or `mlflow-export-import` have them.
    Mlflow,
}

/// A converted file.
#[derive(Debug, Default)]
pub struct Converted {
    /// The agents, one a line.
    pub lines: String,
    /// What can't be converted, and why.
    pub refused: Vec<String>,
    /// What was left out.
    pub notes: Vec<String>,
}

/// A version of a prompt in another registry.
#[derive(Debug)]
struct ForeignVersion {
    prompt: String,
    number: i64,
    /// The system prompt.
    text: String,
    model: Option<String>,
    parameters: Object,
    message: Option<String>,
    published_at: Option<String>,
    is_production: bool,
    /// What was left out of the system prompt.
    left_out: Option<String>,
}

/// Why a record isn't a version that can be imported. The message is for people.
type Refusal = String;

/// Converts a whole file.
///
/// # Errors
/// [`Error::Invalid`] when the file isn't JSON, [`Error::TooLarge`].
pub fn convert(format: ForeignFormat, text: &[u8]) -> Result<Converted> {
    if text.len() > FOREIGN_BYTES_MAX {
        let (field, unit) = ("the file".to_owned(), "bytes");
        return Err(Error::TooLarge { field, actual: text.len(), limit: FOREIGN_BYTES_MAX, unit });
    }
    let records = records(text)?;
    let mut converted = Converted::default();
    let (mut prompts, mut aliases) = (BTreeMap::new(), Vec::new());
    for (record, number) in records.iter().zip(1..) {
        let version = match format {
            ForeignFormat::Langfuse => langfuse::version(record),
            ForeignFormat::Mlflow => {
                if let Some(more) = mlflow::aliases(record) {
                    aliases.extend(more);
                    continue;
                }
                mlflow::version(record)
            }
        };
        match version {
            Ok(version) => prompts.entry(version.prompt.clone()).or_insert_with(Vec::new).push(version),
            Err(reason) => converted.refused.push(format!("record {number}{}: {reason}", called(record))),
        }
    }
    for (prompt, mut versions) in prompts {
        for (name, number) in &aliases {
            for version in
                versions.iter_mut().filter(|version| version.prompt == *name && version.number == *number)
            {
                version.is_production = true;
            }
        }
        converted.add(format, prompt, versions);
    }
    Ok(converted)
}

/// The records of a file: of one JSON array, of an object that contains one, or one a line.
fn records(text: &[u8]) -> Result<Vec<Json>> {
    let json = match read(text, &Limits::DEPTH_ONLY) {
        Ok(json) => json,
        Err(whole) => {
            let mut records = Vec::new();
            for line in text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
                match read(line, &Limits::DEPTH_ONLY) {
                    Ok(json) => records.push(json),
                    Err(err) if records.is_empty() => {
                        // Not one a line either: the error of the whole is the better one.
                        drop(err);
                        return Err(not_json(whole));
                    }
                    Err(err) => return Err(not_json(err)),
                }
            }
            return Ok(records);
        }
    };
    Ok(unwrapped(json))
}

/// The records in an array, or in an object's only array of a known name.
fn unwrapped(json: Json) -> Vec<Json> {
    const LISTS: [&str; 5] = ["data", "prompts", "versions", "model_versions", "registered_models"];
    match json {
        Json::Array(records) => records,
        Json::Object(mut object) => {
            for list in LISTS {
                if matches!(object.get(list), Some(Json::Array(_)))
                    && !object.contains_key("name")
                    && let Some(Json::Array(records)) = object.remove(list)
                {
                    return records;
                }
            }
            vec![Json::Object(object)]
        }
        other => vec![other],
    }
}

/// The name and the version of a record, for messages.
fn called(record: &Json) -> String {
    let name = record.get("name").and_then(Json::as_str).map(|name| format!(", prompt {name:?}"));
    let version =
        record.get("version").map(|version| format!(" version {}", version.to_text().trim_matches('"')));
    name.unwrap_or_default() + &version.unwrap_or_default()
}

impl Converted {
    /// Adds the line of a prompt with its versions.
    fn add(&mut self, format: ForeignFormat, prompt: String, mut versions: Vec<ForeignVersion>) {
        versions.sort_by_key(|version| version.number);
        let mut last = None;
        versions.retain(|version| {
            let is_new = last.replace(version.number) != Some(version.number);
            if !is_new {
                let number = version.number;
                self.refused
                    .push(format!("prompt {prompt:?} version {number}: the file has this version twice"));
            }
            is_new
        });
        let (mut active, mut list) = (Json::Null, Vec::new());
        for (version, number) in versions.into_iter().zip(1_i64..) {
            if version.is_production {
                active = Json::from(number);
            }
            if let Some(left_out) = &version.left_out {
                self.notes.push(format!("prompt {prompt:?} version {}: {left_out}", version.number));
            }
            list.push(version.line(format, number));
        }
        let line: Object = [
            ("agent".to_owned(), Json::from(prompt)),
            ("active".to_owned(), active),
            (VERSIONS.to_owned(), Json::from(list)),
        ]
        .into_iter()
        .filter(|(key, value)| key != "active" || !value.is_null())
        .collect();
        self.lines.push_str(&Json::from(line).to_text());
        self.lines.push('\n');
    }
}

impl ForeignVersion {
    /// The version as it is in a line, with this number.
    fn line(self, format: ForeignFormat, number: i64) -> Json {
        let mut version = Object::new();
        let mut set = |key: &str, value: Json| drop(version.insert(key.to_owned(), value));
        set("system_prompt", self.text.into());
        set("model_parameters", self.parameters.into());
        if let Some(model) = self.model {
            set("model_name", model.into());
        }
        if let Some(at) = self.published_at {
            set("published_at", at.into());
        }
        let was = match format {
            ForeignFormat::Langfuse => format!("Langfuse version {}", self.number),
            ForeignFormat::Mlflow => format!("MLflow version {}", self.number),
        };
        let message = match self.message {
            message if self.number == number => message,
            Some(message) => Some(format!("{was}: {message}")),
            None => Some(was),
        };
        if let Some(message) = message {
            set("message", shortened(message).into());
        }
        version.into()
    }
}

/// Cuts a message to the length that messages may have.
fn shortened(message: String) -> String {
    match message.char_indices().nth(DESCRIPTION_CHARS_MAX) {
        None => message,
        Some(_) => message.chars().take(DESCRIPTION_CHARS_MAX - 1).chain(['…']).collect(),
    }
}

/// The system prompt of a chat: its only system message. Also says which other messages were left out.
fn system_message(messages: &[Json]) -> std::result::Result<(String, Option<String>), Refusal> {
    let role =
        |message: &Json| message.get("role").and_then(Json::as_str).unwrap_or("placeholder").to_owned();
    let is_system = |message: &&Json| matches!(role(message).as_str(), "system" | "developer");
    let mut systems = messages.iter().filter(is_system);
    let (system, others) = match (systems.next(), systems.next()) {
        (Some(system), None) => (system, messages.iter().filter(|message| !is_system(message))),
        (None, _) => return Err("the chat prompt has no system message, which an agent needs".to_owned()),
        (Some(_), Some(_)) => {
            return Err("the chat prompt has several system messages; join them first".to_owned());
        }
    };
    let text = match system.get("content") {
        Some(Json::String(text)) => text.clone(),
        _ => return Err("the content of the system message isn't text".to_owned()),
    };
    let others: Vec<String> = others.map(role).collect();
    let left_out = (!others.is_empty()).then(|| {
        format!("only the system message was taken; the messages of {} were left out", others.join(", "))
    });
    Ok((text, left_out))
}

/// A text field; null is none.
fn text_of(record: &Json, key: &str) -> std::result::Result<Option<String>, Refusal> {
    match record.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(format!("`{key}` must be a string, and is {}", other.kind())),
    }
}

/// A version's number, as a number or as text.
fn number_of(record: &Json) -> std::result::Result<i64, Refusal> {
    let number = match record.get("version") {
        Some(Json::Number(number)) => number.as_i64(),
        Some(Json::String(text)) => text.parse().ok(),
        _ => None,
    };
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| "`version` must be the number of the version, 1 or more".to_owned())
}

/// Takes the model's name out of its parameters.
fn take_model(parameters: &mut Object, key: &str) -> Option<String> {
    match parameters.get(key) {
        Some(Json::String(model)) if !model.trim().is_empty() => {
            let model = model.clone();
            parameters.remove(key);
            Some(model)
        }
        _ => None,
    }
}

/// Whether a list of labels or aliases has `production`.
fn has_production(record: &Json, key: &str) -> bool {
    let labels = record.get(key).and_then(Json::as_array).unwrap_or_default();
    labels.iter().any(|label| label.as_str() == Some(PRODUCTION))
}

/// A JSON value that is text in another one.
fn nested(text: &str, what: &str) -> std::result::Result<Json, Refusal> {
    read(text.as_bytes(), &Limits::DEPTH_ONLY).map_err(|err| format!("{what} isn't JSON: {err}"))
}
