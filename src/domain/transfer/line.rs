//! One line of a transfer file: an agent and its history, as JSON Lines. It knows the format, and no database.

use json_reader::{Limits, Path, from_json, read};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::{
    Error, Result, text,
    version::{AgentVersion, Content, Tool},
};
use crate::clock::Instant;

/// The longest line, in bytes: a line is one agent, held in memory and written in one transaction. The whole real
/// prompt history, 437 versions of 301 agents, is 1.1 MB.
pub const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What is read of a line. Its bytes bound its values: whatever could be exported can be imported.
const LIMITS: Limits = Limits { bytes: LINE_BYTES_MAX, ..Limits::DEPTH_ONLY };

/// An agent and its history. Written as canonical JSON (RFC 8785), so that equal agents have equal lines.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Its name, unique within the customer and within the file.
    pub agent: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is put away; left out when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
    /// The number of the version that serves; left out when none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<i32>,
    /// All its versions: number 1, 2, 3 …
    pub versions: Vec<LineVersion>,
}

/// A version within a [`Line`].
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LineVersion {
    /// When it was published (RFC 3339): in any time zone when read, in UTC and microseconds when written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<String>,
    /// What the model is told first.
    pub system_prompt: String,
    /// Which model; the import's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    /// A JSON object; an empty one when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_parameters: Option<Value>,
    /// None when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<Tool>>,
    /// Why this version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A version that has been checked, ready to be written or compared.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub content: Content,
    pub hash: [u8; 32],
    pub message: Option<String>,
    pub published_at: Option<Instant>,
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is not JSON, or not of this form; its message names the place.
    pub fn read(line: &[u8]) -> Result<Self> {
        let json = read(line, &LIMITS).map_err(|err| {
            let column = err.position().map_or(1, |position| position.column);
            let message = format!("it is not JSON: {}{}, at column {column}", err.kind(), at(err.path()));
            Error::Invalid { field: None, message }
        })?;
        text::exact(&json).map_err(|err| Error::Invalid { field: None, message: err.to_string() })?;
        from_json(&json).map_err(|err| {
            let message = format!("{}{}", err.message(), at(err.path()));
            Error::Invalid { field: None, message }
        })
    }

    /// Writes the line, without the line feed.
    ///
    /// # Errors
    /// [`Error::Internal`] when it can't be written as JSON, which checked content can.
    pub fn write(&self) -> Result<Vec<u8>> {
        text::canonical(&json!(self))
    }

    /// The line up to its first version: a long history need not be held in memory. [`CLOSING`] ends it.
    pub(super) fn opening(&self) -> Result<Vec<u8>> {
        let empty = Self { versions: Vec::new(), ..self.clone() };
        let mut opening = empty.write()?;
        // `versions` is the last of the sorted keys.
        opening.truncate(opening.len().saturating_sub(CLOSING.len()));
        Ok(opening)
    }
}

/// Where something is, for a message.
fn at(path: &Path) -> String {
    if path.is_root() { String::new() } else { format!(", at `{path}`") }
}

/// What follows the last version of a line.
pub(super) const CLOSING: &str = "]}";

impl LineVersion {
    /// A stored version, with nothing left out.
    #[must_use]
    pub fn of(version: AgentVersion) -> Self {
        Self {
            published_at: Some(version.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)),
            system_prompt: version.system_prompt,
            model_name: Some(version.model_name),
            model_parameters: Some(version.model_parameters.0),
            tools: Some(version.tools.0),
            message: version.message,
        }
    }

    /// Writes the version as it stands in its line.
    pub(super) fn write(&self) -> Result<Vec<u8>> {
        text::canonical(&json!(self))
    }

    /// The version with all that was left out, checked against every limit.
    pub(super) fn check(self, model: &str, now: Instant) -> Result<Checked> {
        let Self { published_at, system_prompt, model_name, model_parameters, tools, message } = self;
        let content = Content {
            system_prompt,
            model_name: model_name.unwrap_or_else(|| model.to_owned()),
            model_parameters: model_parameters.unwrap_or_else(|| json!({})),
            tools: tools.unwrap_or_default(),
        };
        content.check()?;
        if let Some(message) = &message {
            text::description("message", message)?;
        }
        let published_at = published_at.map(|text| instant(&text, now)).transpose()?;
        let hash = content.hash()?;
        Ok(Checked { content, hash, message, published_at })
    }
}

/// An instant of the past, not before 1970: nothing published is older, and every such year has four digits.
fn instant(text: &str, now: Instant) -> Result<Instant> {
    let invalid = |message: &str| Error::invalid("published_at", message);
    let read = chrono::DateTime::parse_from_rfc3339(text)
        .map_err(|_| invalid("published_at must be a time by RFC 3339, such as 2026-01-31T12:00:00Z"))?;
    let at = chrono::SubsecRound::trunc_subsecs(read.to_utc(), 6);
    if at > now {
        return Err(invalid("published_at lies in the future"));
    }
    if at < Instant::UNIX_EPOCH {
        return Err(invalid("published_at lies before 1970"));
    }
    Ok(at)
}
