//! The content of a version: what is accepted, and its two hashes.

use std::collections::HashSet;

use json_reader::{Json, JsonText, Object};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Error, InputErrors, Result,
    extensions::checked_extensions,
    text,
    version::AgentVersion,
    warning::{SecretFinding, find_secrets, redacted, refuse_own},
};
use crate::entity::{
    content::{ModelParameters, ToolMember, Tools, bytes_hash},
    extensions::Extensions,
};

/// The largest system prompt, in bytes of UTF-8. Real prompts have up to 144 KiB, and more than 512 KiB fits few
/// models' context windows.
pub const PROMPT_BYTES_MAX: usize = 512 * 1024;
/// The most tools of a version: as many as the largest model APIs accept.
pub const TOOLS_MAX: usize = 128;
/// The largest tools list, in bytes of JSON without white space: 128 tools with schemas of 8 KiB.
pub const TOOLS_BYTES_MAX: usize = 1024 * 1024;
/// The largest model parameters, in bytes of JSON without white space.
pub const PARAMETERS_BYTES_MAX: usize = 64 * 1024;

/// The size of a content from which it is checked on the threads for computations, in bytes. A smaller one costs less
/// than the change of threads.
const LARGE_BYTES: usize = 16 * 1024;

/// The content of a version as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The system prompt; may be empty; at most [`PROMPT_BYTES_MAX`].
    pub system_prompt: String,
    /// The model's name; 1 to 200 characters.
    pub model_name: String,
    /// The model's parameters: a JSON object of at most [`PARAMETERS_BYTES_MAX`].
    pub model_parameters: Json,
    /// The tools: at most [`TOOLS_MAX`] objects, with unique names.
    pub tools: Vec<Json>,
    /// The extensions: a JSON object of at most [`EXTENSIONS_BYTES_MAX`](super::extensions::EXTENSIONS_BYTES_MAX), whose
    /// keys are URIs or reverse domains. `None`, null and an empty object all mean that there are none.
    pub extensions: Option<Json>,
}

/// A content that has been checked, as it is stored and served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedContent {
    pub(super) system_prompt: String,
    pub(super) model_name: String,
    pub(super) model_parameters: ModelParameters,
    pub(super) tools: Tools,
    pub(super) extensions: Extensions,
    /// SHA-256 over the canonical form: equal for contents that mean the same.
    pub(super) content_hash: [u8; 32],
    /// SHA-256 over the bytes that are served.
    pub(super) bytes_hash: [u8; 32],
    /// What looks like somebody's secret, by its place.
    pub(super) secrets: Vec<SecretFinding>,
}

impl Content {
    /// Checks all limits, looks for secrets, and computes the hashes.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::TooLarge`], for the field at fault. [`Error::Invalid`] for a credential of this
    /// service, too: a version is kept, and each reader of it would have the credential.
    pub fn check(self) -> Result<CheckedContent> {
        let secrets = find_secrets(&self);
        let Self { system_prompt, model_name, model_parameters, tools, extensions: given } = self;
        let mut errors = InputErrors::default();
        errors.note(check_prompt(&system_prompt));
        errors.note(text::check_name("modelName", &model_name));
        let parameters = errors.take(checked_parameters(&model_parameters));
        secrets.iter().filter(|found| found.is_own).for_each(|own| errors.note(Err(own.refusal())));
        let stored = errors.take(checked_tools(&tools));
        let extensions = errors.and(checked_extensions(given.as_ref()))?;
        // `and` fails when one of these did.
        let (parameters, stored) = (parameters.unwrap_or_default(), stored.unwrap_or_default());
        let given = given.filter(|_| extensions.text().is_some());
        let content_hash =
            content_hash(&system_prompt, &model_name, &model_parameters, &tools, given.as_ref())?;
        let bytes_hash = bytes_hash(&system_prompt, &model_name, &parameters, &stored, &extensions);
        let (model_parameters, tools) = (parameters, stored);
        Ok(CheckedContent {
            system_prompt,
            model_name,
            model_parameters,
            tools,
            extensions,
            content_hash,
            bytes_hash,
            secrets,
        })
    }

    /// Whether the check and the hashes of this content are dear enough for a thread of their own.
    pub(super) fn is_large(&self) -> bool {
        let Self { system_prompt, model_name: _, model_parameters, tools, extensions } = self;
        let values = tools.iter().chain(extensions).chain([model_parameters]);
        system_prompt.len() + values.map(text::approximate_bytes).sum::<usize>() >= LARGE_BYTES
    }
}

/// The content hash and the bytes hash of what a version holds, computed again.
///
/// # Errors
/// [`Error::Internal`] when the content can't be written as JSON. Stored content always can.
pub(super) fn hashes_of(version: &AgentVersion) -> Result<([u8; 32], [u8; 32])> {
    let AgentVersion { system_prompt, model_name, model_parameters, tools, extensions, .. } = version;
    let (parameters, parsed) = (model_parameters.0.parse(), extensions.parse());
    let content = content_hash(system_prompt, model_name, &parameters, &tools.to_json(), parsed.as_ref())?;
    Ok((content, bytes_hash(system_prompt, model_name, model_parameters, tools, extensions)))
}

/// SHA-256 over the canonical JSON (RFC 8785) of the content, with [`comparable`] values. Contents that differ in the order
/// of keys, the spelling of numbers or of `input_schema`, or in members that are null, have equal hashes. Without
/// extensions the text has no such key, so that the hash is the one of releases that have no extensions.
fn content_hash(
    prompt: &str,
    model: &str,
    parameters: &Json,
    tools: &[Json],
    extensions: Option<&Json>,
) -> Result<[u8; 32]> {
    let tools: Vec<Value> = tools.iter().map(canonical_tool).collect();
    let mut content = json!({
        "system_prompt": prompt, "model_name": model, "model_parameters": comparable(parameters), "tools": tools,
    });
    if let (Some(extensions), Some(content)) = (extensions, content.as_object_mut()) {
        content.insert("extensions".to_owned(), comparable(extensions));
    }
    Ok(Sha256::digest(text::canonical(&content)?).into())
}

/// A tool with one spelling of its keys, without known members that are null.
pub(super) fn canonical_tool(tool: &Json) -> Value {
    let member = |(key, value): (&str, &Json)| match ToolMember::of_key(key) {
        Some(_) if value.is_null() => None,
        Some(member) => Some((member.key().to_owned(), comparable(value))),
        None => Some((key.to_owned(), comparable(value))),
    };
    Value::Object(tool.as_object().into_iter().flatten().filter_map(member).collect())
}

/// A value as contents are compared. Numbers are doubles, as in the canonical form; an integer that no double holds is
/// its digits after U+0000, which no text of a content contains.
pub(super) fn comparable(json: &Json) -> Value {
    match json {
        Json::Null | Json::Bool(_) | Json::String(_) => json.to_serde(),
        Json::Number(number) => {
            let token = number.as_str();
            let is_integer = token.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
            // `-0` is the double 0, and Rust writes doubles with all their digits.
            let is_exact = token == "-0" || format!("{:.0}", number.as_f64()) == token;
            match is_integer && !is_exact {
                true => Value::String(format!("\0{token}")),
                false => json.to_serde(),
            }
        }
        Json::Array(items) => Value::Array(items.iter().map(comparable).collect()),
        Json::Object(members) => {
            Value::Object(members.iter().map(|(key, value)| (key.to_owned(), comparable(value))).collect())
        }
    }
}

pub(super) fn at_most(field: &str, actual: usize, limit: usize, unit: &'static str) -> Result<()> {
    if actual > limit {
        return Err(Error::TooLarge { field: field.to_owned(), actual, limit, unit });
    }
    Ok(())
}

/// Checks the author's reason for a version: its length and characters, and that it has no credential of this service. It
/// is kept like the content.
pub(super) fn check_message(message: &str) -> Result<()> {
    text::check_description("message", message)?;
    refuse_own("message", message)
}

fn check_prompt(prompt: &str) -> Result<()> {
    at_most("systemPrompt", prompt.len(), PROMPT_BYTES_MAX, "bytes")?;
    text::check_no_nul("systemPrompt", prompt)
}

fn checked_parameters(parameters: &Json) -> Result<ModelParameters> {
    if parameters.as_object().is_none() {
        return Err(Error::invalid("modelParameters", "modelParameters must be a JSON object"));
    }
    text::check_json("modelParameters", parameters)?;
    text::check_integers("modelParameters", parameters)?;
    let parameters = ModelParameters(JsonText::of(parameters));
    at_most("modelParameters", parameters.0.as_str().len(), PARAMETERS_BYTES_MAX, "bytes")?;
    Ok(parameters)
}

fn checked_tools(tools: &[Json]) -> Result<Tools> {
    at_most("tools", tools.len(), TOOLS_MAX, "tools")?;
    let (mut errors, mut names) = (InputErrors::default(), HashSet::new());
    for (index, tool) in tools.iter().enumerate() {
        let field = format!("tools.{index}");
        let Some(name) = errors.take(check_tool(&field, tool)) else { continue };
        if !names.insert(name) {
            let message = format!("there are two tools named {:?}; names must be unique", redacted(name));
            errors.note(Err(Error::invalid(format!("{field}.name"), message)));
        }
    }
    errors.into_result()?;
    let stored = Tools::of(tools);
    at_most("tools", stored.as_str().len(), TOOLS_BYTES_MAX, "bytes")?;
    Ok(stored)
}

/// Checks a tool and returns its name.
fn check_tool<'a>(field: &str, tool: &'a Json) -> Result<&'a str> {
    let Some(tool) = tool.as_object() else {
        return Err(Error::invalid(field, format!("{field} must be a JSON object, found {}", tool.kind())));
    };
    let (mut errors, mut seen) = (InputErrors::default(), HashSet::new());
    for (key, value) in tool {
        let (known, field_of_key) = (ToolMember::of_key(key), format!("{field}.{}", field_of(key)));
        if known.is_some_and(|member| !seen.insert(member)) {
            let message = format!("{field} has {key:?} in two spellings; give one of them");
            errors.note(Err(Error::invalid(field_of_key, message)));
        } else {
            errors.note(check_member(&field_of_key, known, key, value));
        }
    }
    let name_field = format!("{field}.name");
    let name = match tool.get(ToolMember::Name.key()).and_then(Json::as_str) {
        Some(name) => text::check_name(&name_field, name).map(|()| name),
        None => Err(Error::invalid(name_field, format!("{field} must have a name, which is a string"))),
    };
    errors.and(name)
}

/// The name of a tool's member in errors, as GraphQL spells it.
pub(super) fn field_of(key: &str) -> &str {
    match ToolMember::of_key(key) {
        Some(ToolMember::InputSchema) => "inputSchema",
        Some(member) => member.key(),
        None => "additional",
    }
}

fn check_member(field: &str, known: Option<ToolMember>, key: &str, value: &Json) -> Result<()> {
    use ToolMember::{
        Annotations, Description, Execution, Icons, InputSchema, Meta, Name, OutputSchema, Strict, Title,
    };
    text::check_no_nul(field, key)?;
    text::check_json(field, value)?;
    let expect = |holds: bool, what: &str| match holds || value.is_null() {
        true => Ok(()),
        false => Err(Error::invalid(field, format!("{field} must be {what}, found {}", value.kind()))),
    };
    match known {
        Some(Title | Description) => expect(value.as_str().is_some(), "a string"),
        Some(Strict) => expect(value.as_bool().is_some(), "true or false"),
        Some(InputSchema | OutputSchema) if !value.is_null() => check_schema(field, value),
        Some(Name | InputSchema | OutputSchema | Annotations | Icons | Execution | Meta) | None => Ok(()),
    }
}

fn check_schema(field: &str, schema: &Json) -> Result<()> {
    jsonschema::meta::validate(&schema.to_serde()).map_err(|err| {
        let at = err.instance_path().to_string();
        let at = if at.is_empty() { "its root".to_owned() } else { at };
        Error::invalid(field, format!("{field} is not a valid JSON Schema, at {}", redacted(&at)))
    })
}

/// An object without members: the parameters where none are given.
#[must_use]
pub fn no_parameters() -> Json {
    Json::Object(Object::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes that were computed elsewhere, from what the documentation says.
    #[test]
    fn a_content_without_extensions_has_the_hashes_of_releases_without_them() {
        let read = |text: &str| json_reader::read(text.as_bytes(), &json_reader::Limits::DEFAULT).unwrap();
        let hashes = |extensions: Option<Json>| {
            let content = Content {
                system_prompt: "You help.".to_owned(),
                model_name: "gpt-4-turbo".to_owned(),
                model_parameters: read(r#"{"temperature":0.2}"#),
                tools: vec![read(r#"{"name":"t","description":"d","input_schema":{"type":"object"}}"#)],
                extensions,
            };
            let checked = content.check().unwrap();
            (hex::encode(checked.content_hash), hex::encode(checked.bytes_hash))
        };
        let golden = (
            "35a60a75a9af89918efef3ad88f203ddb2274cd71b17a31b02cd3b823b3f6d4f".to_owned(),
            "242e0dd204cf45577aa11eee5b81899aa24898a37c8f73c8bac04b4ad1caf0a2".to_owned(),
        );
        assert_eq!(hashes(None), golden);
        assert_eq!(hashes(Some(Json::Null)), golden);
        assert_eq!(hashes(Some(read("{}"))), golden);
        let extended = hashes(Some(read(r#"{"org.example":{"b":1,"a":1e0}}"#)));
        assert!(extended.0 != golden.0 && extended.1 != golden.1);
        let spelled = hashes(Some(read(r#"{"org.example":{"a":1.0,"b":1}}"#)));
        assert_eq!(spelled.0, extended.0, "contents are compared by meaning");
        assert_ne!(spelled.1, extended.1, "bytes are not");
    }

    #[test]
    fn integers_that_no_double_holds_are_compared_as_themselves() {
        let of = |token: &str| {
            let number = json_reader::Number::from_token(token).unwrap();
            text::canonical(&comparable(&Json::Number(number))).unwrap()
        };
        for (one, other) in [
            ("9223372036854775807", "9223372036854775806"),
            ("9223372036854775807", "9223372036854775808"),
            ("-9007199254740993", "-9007199254740992"),
            ("1000000000000000000001", "1000000000000000000000"),
        ] {
            assert_ne!(of(one), of(other), "{one} {other}");
        }
        for (one, other) in [("1", "1.0"), ("-0", "0"), ("1000000000000000000000", "1e21"), ("0.1", "1e-1")] {
            assert_eq!(of(one), of(other), "{one} {other}");
        }
    }
}
