//! The lines of a transfer file: an agent with its versions as JSON. Only the format; no access to the database.

use json_reader::{Json, Limits, Object, Path, from_json, read};
use serde::Deserialize;

use super::super::{
    Error, Result, text,
    version::{AgentVersion, CheckedContent, Content, no_parameters},
};
use crate::clock::Instant;

/// The longest line, in bytes. A line is one agent, which is held in memory and written in one transaction. The real
/// prompt history, 437 versions of 301 agents, is 1.1 MB in total.
pub const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The limits for reading a line. The number of values is bounded by the bytes only, so that each exported line can
/// be imported.
const LIMITS: Limits = Limits { bytes: LINE_BYTES_MAX, ..Limits::DEPTH_ONLY };

/// An agent with its versions. Its own keys are written in alphabetical order and without white space; the parameters
/// and the tools as they were given. So equal agents have equal lines.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The name, unique within the customer and within the file.
    pub agent: String,
    /// The agent's description.
    pub description: Option<String>,
    /// Whether the agent is archived; omitted when it isn't.
    pub archived: Option<bool>,
    /// The number of the active version; omitted when none is.
    pub active: Option<i32>,
    /// All versions, numbered from 1 by their position.
    pub versions: Vec<LineVersion>,
}

/// A version within a [`Line`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineVersion {
    /// When the version was published (RFC 3339). Any time zone is read; UTC with microseconds is written.
    pub published_at: Option<String>,
    /// The system prompt.
    pub system_prompt: String,
    /// The model's name; the import's default when omitted.
    pub model_name: Option<String>,
    /// The model's parameters, a JSON object; empty when omitted.
    pub model_parameters: Option<Json>,
    /// The tools; `None` when omitted.
    pub tools: Option<Vec<Json>>,
    /// The author's reason for this version.
    pub message: Option<String>,
}

/// A version that has been checked, ready to be written or compared.
#[derive(Clone, Debug)]
pub(super) struct CheckedLineVersion {
    pub content: CheckedContent,
    pub message: Option<String>,
    pub published_at: Option<Instant>,
}

impl Line {
    /// Parses a line.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the line isn't JSON, or not of this form. The message contains the place.
    pub fn read(line: &[u8]) -> Result<Self> {
        let json = read(line, &LIMITS).map_err(|err| {
            let column = err.position().map_or(1, |position| position.column);
            let message = format!("not JSON: {}{}, at column {column}", err.kind(), at(err.path()));
            Error::Invalid { field: None, message }
        })?;
        from_json(&json).map_err(|err| {
            let message = format!("{}{}", err.message(), at(err.path()));
            Error::Invalid { field: None, message }
        })
    }

    /// The line as JSON, without a line feed.
    #[must_use]
    pub fn write(&self) -> String {
        let versions: Vec<String> = self.versions.iter().map(LineVersion::write).collect();
        self.opening() + &versions.join(",") + CLOSING
    }

    /// The line up to its first version, so that a long history needn't be held in memory. [`CLOSING`] ends the line.
    pub(super) fn opening(&self) -> String {
        let Self { agent, description, archived, active, versions: _ } = self;
        let members = [
            ("active", active.map(|number| i64::from(number).into())),
            ("agent", Some(agent.as_str().into())),
            ("archived", archived.map(Json::from)),
            ("description", description.as_deref().map(Json::from)),
            ("versions", Some(Json::Array(Vec::new()))),
        ];
        let mut opening = object(members).to_text();
        opening.truncate(opening.len().saturating_sub(CLOSING.len()));
        opening
    }
}

/// An object of the members that have a value, in this order.
fn object<const N: usize>(members: [(&str, Option<Json>); N]) -> Json {
    let members = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Json::Object(members.collect::<Object>())
}

/// A place within a line, as a suffix for messages.
fn at(path: &Path) -> String {
    if path.is_root() { String::new() } else { format!(", at `{path}`") }
}

/// The text after the last version of a line.
pub(super) const CLOSING: &str = "]}";

impl LineVersion {
    /// A stored version with all fields.
    #[must_use]
    pub fn of(version: AgentVersion) -> Self {
        Self {
            published_at: Some(version.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
            system_prompt: version.system_prompt,
            model_name: Some(version.model_name),
            model_parameters: Some(version.model_parameters.0.parse()),
            tools: Some(version.tools.to_json()),
            message: version.message,
        }
    }

    /// The version as JSON, as it is written in its line.
    pub(super) fn write(&self) -> String {
        let Self { published_at, system_prompt, model_name, model_parameters, tools, message } = self;
        let text = |text: &Option<String>| text.as_deref().map(Json::from);
        let members = [
            ("message", text(message)),
            ("model_name", text(model_name)),
            ("model_parameters", model_parameters.clone()),
            ("published_at", text(published_at)),
            ("system_prompt", Some(system_prompt.as_str().into())),
            ("tools", tools.clone().map(Json::Array)),
        ];
        object(members).to_text()
    }

    /// The version with defaults for omitted fields, checked against all limits.
    pub(super) fn check(self, model: &str, now: Instant) -> Result<CheckedLineVersion> {
        let Self { published_at, system_prompt, model_name, model_parameters, tools, message } = self;
        let content = Content {
            system_prompt,
            model_name: model_name.unwrap_or_else(|| model.to_owned()),
            model_parameters: model_parameters.unwrap_or_else(no_parameters),
            tools: tools.unwrap_or_default(),
        };
        let content = content.check()?;
        if let Some(message) = &message {
            text::check_description("message", message)?;
        }
        let published_at = published_at.map(|text| instant(&text, now)).transpose()?;
        Ok(CheckedLineVersion { content, message, published_at })
    }
}

/// Parses a time, which must be between 1970 and now. Every such year has four digits.
fn instant(text: &str, now: Instant) -> Result<Instant> {
    let invalid = |message: &str| Error::invalid("published_at", message);
    let read = chrono::DateTime::parse_from_rfc3339(text)
        .map_err(|_| invalid("published_at must be a time by RFC 3339, such as 2026-01-31T12:00:00Z"))?;
    let at = chrono::SubsecRound::trunc_subsecs(read.to_utc(), 6);
    if at > now {
        return Err(invalid("published_at must not be in the future"));
    }
    if at < Instant::UNIX_EPOCH {
        return Err(invalid("published_at must not be before 1970"));
    }
    Ok(at)
}
