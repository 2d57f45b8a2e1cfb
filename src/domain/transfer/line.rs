//! The lines of a transfer file: an agent with its versions as JSON. Only the format; no access to the database.

use std::collections::BTreeMap;

use json_reader::{Json, Limits, Object, Path, ReadError, Segment, from_json, read};
use serde::{Deserialize, Deserializer};

use super::super::{
    Error, InputErrors, Patch, Result,
    content::check_message,
    text,
    version::{AgentVersion, CheckedContent, Content, no_parameters},
};
use crate::{
    clock::{self, Instant},
    environment_key::EnvironmentKey,
    id::AgentId,
};

/// The limits for reading one version. The number of values is bounded by the bytes only, so that each exported
/// version can be imported.
pub(super) const VERSION_LIMITS: Limits = Limits { bytes: VERSION_BYTES_MAX, ..Limits::DEPTH_ONLY };
/// The longest text of one version. It fits the largest body that can be published (4 MiB), with each character of
/// its prompt escaped.
pub const VERSION_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The longest text of each other member of a line. A description has at most 2,000 characters.
pub(super) const MEMBER_BYTES_MAX: usize = 64 * 1024;
/// The key of the versions.
pub(super) const VERSIONS: &str = "versions";

/// An agent with its versions. Its own keys are written in alphabetical order and without white space; the parameters,
/// the tools and the extensions as they were given. So equal agents have equal lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The agent without its versions.
    pub head: LineHead,
    /// All versions, numbered from 1 by their position.
    pub versions: Vec<LineVersion>,
}

/// A [`Line`] without its versions. A field that the line leaves out changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineHead {
    /// The name, unique within the customer and within the file.
    pub agent: String,
    /// The agent's id where it was first exported. It finds the agent again after a change of its name.
    pub id: Option<AgentId>,
    /// The agent's description, or null for none.
    #[serde(default, deserialize_with = "given")]
    pub description: Patch<String>,
    /// Whether the agent is archived.
    pub archived: Option<bool>,
    /// The number of the active version, or null for none: of the default environment, unless the import or the export is
    /// of another one.
    #[serde(default, deserialize_with = "given")]
    pub active: Patch<i32>,
    /// The number of the active version, or null for none, in each of these other environments, by its key.
    pub active_in: Option<BTreeMap<EnvironmentKey, Option<i32>>>,
}

/// A version within a [`Line`]. It is read in the spelling of the file and in that of GraphQL.
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
    /// The extensions, a JSON object; `None` when omitted or null.
    pub extensions: Option<Json>,
    /// The author's reason for this version, or null for none.
    #[serde(default, deserialize_with = "given")]
    pub message: Patch<String>,
}

/// A version that has been checked, ready to be written or compared.
#[derive(Clone, Debug)]
pub(super) struct CheckedLineVersion {
    pub(super) content: CheckedContent,
    pub(super) message: Patch<String>,
    pub(super) published_at: Option<Instant>,
}

/// Reads a field that is present, so that null differs from an omitted field.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Patch<T>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

impl Line {
    /// Parses a line that is in memory.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the line isn't JSON, or not of this form. The message contains the place.
    pub fn read(line: &[u8]) -> Result<Self> {
        let json = read(line, &Limits::DEPTH_ONLY).map_err(not_json)?;
        let Json::Object(mut members) = json else {
            return Err(invalid(format!("expected an object with an agent, found {}", json.kind())));
        };
        let versions = members.remove(VERSIONS);
        let head = LineHead::read(members)?;
        let Some(Json::Array(versions)) = versions else {
            return Err(no_versions(versions.as_ref()));
        };
        let versions =
            versions.into_iter().enumerate().map(|(index, version)| LineVersion::read(version, index));
        Ok(Self { head, versions: versions.collect::<Result<_>>()? })
    }

    /// The line as JSON, without a line feed.
    #[must_use]
    pub fn write(&self) -> String {
        let versions: Vec<String> = self.versions.iter().map(LineVersion::write).collect();
        self.head.opening() + &versions.join(",") + CLOSING
    }
}

impl LineHead {
    /// Reads the members of a line, without its versions.
    pub(super) fn read(members: Object) -> Result<Self> {
        from_line(&Json::Object(members), Path::default())
    }

    /// The line up to its first version, so that a long history needn't be held in memory. [`CLOSING`] ends the line.
    pub(super) fn opening(&self) -> String {
        let Self { agent, id, description, archived, active, active_in } = self;
        let number = |active: Option<i32>| active.map_or(Json::Null, |number| i64::from(number).into());
        let elsewhere = active_in.as_ref().map(|places| {
            let places = places.iter().map(|(key, active)| (key.to_string(), number(*active)));
            Json::Object(places.collect::<Object>())
        });
        let members = [
            ("active", active.map(number)),
            ("active_in", elsewhere),
            ("agent", Some(agent.as_str().into())),
            ("archived", archived.map(Json::from)),
            ("description", nullable(description)),
            ("id", id.map(|id| id.to_string().into())),
            (VERSIONS, Some(Json::Array(Vec::new()))),
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

/// A field that may be null.
fn nullable(field: &Patch<String>) -> Option<Json> {
    field.as_ref().map(|field| field.as_deref().map_or(Json::Null, Json::from))
}

/// The text after the last version of a line.
pub(super) const CLOSING: &str = "]}";

/// Reads a part of a line, whose path in the line is `parent`.
fn from_line<T: serde::de::DeserializeOwned>(json: &Json, parent: Path) -> Result<T> {
    let within = |path: &Path| {
        parent.segments().iter().rev().fold(path.clone(), |path, step| path.within(step.clone()))
    };
    from_json(json).map_err(|err| invalid(format!("{}{}", err.message(), at(&within(err.path())))))
}

/// The error of a line that isn't JSON.
pub(super) fn not_json(err: ReadError) -> Error {
    let column = err.position().map_or(1, |position| position.column);
    invalid(format!("not JSON: {}{}, at column {column}", err.kind(), at(err.path())))
}

/// The error of a line whose versions aren't a list, or are missing.
pub(super) fn no_versions(found: Option<&Json>) -> Error {
    match found {
        None => invalid("missing field `versions`, a list"),
        Some(found) => invalid(format!("expected a list of versions, found {}, at `versions`", found.kind())),
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::Invalid { field: None, message: message.into() }
}

/// A place within a line, as a suffix for messages.
fn at(path: &Path) -> String {
    if path.is_root() { String::new() } else { format!(", at `{path}`") }
}

impl LineVersion {
    /// Reads the version at this index of the line.
    pub(super) fn read(version: Json, index: usize) -> Result<Self> {
        let path = Path::new(vec![Segment::Key(VERSIONS.to_owned()), Segment::Index(index)]);
        let version =
            text::with_snake_case_keys(version).map_err(|err| invalid(format!("{err}{}", at(&path))))?;
        from_line(&version, path)
    }

    /// A stored version with all fields.
    #[must_use]
    pub fn of(version: AgentVersion) -> Self {
        Self {
            published_at: Some(clock::to_text(version.created_at)),
            system_prompt: version.system_prompt,
            model_name: Some(version.model_name),
            model_parameters: Some(version.model_parameters.0.parse()),
            tools: Some(version.tools.to_json()),
            extensions: version.extensions.parse(),
            message: Some(version.message),
        }
    }

    /// The version as JSON, as it is written in its line. Extensions are left out where there are none.
    pub(super) fn write(&self) -> String {
        let Self { published_at, system_prompt, model_name, model_parameters, tools, extensions, message } =
            self;
        let text = |text: &Option<String>| text.as_deref().map(Json::from);
        let members = [
            ("extensions", extensions.clone()),
            ("message", nullable(message)),
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
        let Self { published_at, system_prompt, model_name, model_parameters, tools, extensions, message } =
            self;
        let content = Content {
            system_prompt,
            model_name: model_name.unwrap_or_else(|| model.to_owned()),
            model_parameters: model_parameters.unwrap_or_else(no_parameters),
            tools: tools.unwrap_or_default(),
            extensions,
        };
        let mut errors = InputErrors::default();
        if let Some(Some(message)) = &message {
            errors.note(check_message(message));
        }
        let published_at = errors.take(published_at.map(|text| instant(&text, now)).transpose()).flatten();
        let content = errors.and(content.check())?;
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
