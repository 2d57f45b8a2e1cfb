//! The subscription `configs`: its document, and its events.

use std::sync::Arc;

use json_reader::{Json, JsonText};
use serde::{Deserialize, Serialize, Serializer};

use super::Timestamp;
use crate::{AgentId, ClientError, CustomerId, VersionId};

/// What a gateway reads of each event: everything that it needs to run an agent, and the cursor to resume from.
const EVENT: &str = "kind reason revision cursor agentId
    config {
        agentId customerId name versionId versionNumber systemPrompt modelName modelParameters
        tools { name title description inputSchema outputSchema annotations icons execution strict _meta additional }
        extensions contentHash bytesHash activatedAt revision
    }";

/// The subscription. It names the environment only if the gateway follows another one than the default: a registry without
/// environments doesn't know the argument.
pub(super) fn configs(environment: Option<&str>) -> String {
    let (variable, argument) = match environment {
        None => ("", ""),
        Some(_) => (", $environment: String", ", environment: $environment"),
    };
    format!(
        "subscription ($customer: ID, $agents: [ID!], $after: Cursor{variable}) {{
    configs(customerId: $customer, agentIds: $agents, after: $after{argument}) {{ {EVENT} }} }}"
    )
}

/// An agent's active configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActiveConfig {
    /// The agent.
    pub agent_id: AgentId,
    /// The customer that owns the agent.
    pub customer_id: CustomerId,
    /// The agent's name.
    pub name: String,
    /// The active version.
    pub version_id: VersionId,
    /// The version's number, counted from 1 per agent.
    pub version_number: i32,
    /// The system prompt.
    pub system_prompt: String,
    /// The model's name.
    pub model_name: String,
    /// The model's parameters, such as the temperature: a JSON object, as its text was published.
    pub model_parameters: JsonText,
    /// The tools that the agent may call.
    pub tools: Vec<Tool>,
    /// Further settings of the agent: a JSON object whose keys are URIs or reverse domains, as its text was published.
    /// Empty in a state that an older version of this crate saved.
    #[serde(default = "no_extensions", skip_serializing_if = "is_without_extensions")]
    pub extensions: JsonText,
    /// SHA-256 of the canonical content, in hex.
    pub content_hash: String,
    /// SHA-256 of the bytes that are served, in hex. `None` in a state that an older version of this crate saved.
    #[serde(default)]
    pub bytes_hash: Option<String>,
    /// The time at which this version was activated.
    #[serde(serialize_with = "micros")]
    pub activated_at: Timestamp,
    /// The revision of the commit that last changed this configuration, in decimal.
    pub revision: String,
}

fn no_extensions() -> JsonText {
    JsonText::of(&Json::Object(json_reader::Object::new()))
}

/// Whether there are no extensions. A saved state leaves them out then, as older versions of this crate do.
fn is_without_extensions(extensions: &JsonText) -> bool {
    *extensions == no_extensions()
}

/// Serialises an instant with six digits, as the registry does.
fn micros<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
}

/// A tool that an agent may call. Its JSON is the text that was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tool {
    /// The tool's name.
    pub name: String,
    /// The tool's purpose, for the model.
    pub description: Option<String>,
    /// The JSON Schema of the tool's input.
    pub input_schema: Option<JsonText>,
    /// The tool's name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// The JSON Schema of the tool's structured result.
    #[serde(default)]
    pub output_schema: Option<JsonText>,
    /// Hints about the tool's behaviour.
    #[serde(default)]
    pub annotations: Option<JsonText>,
    /// The tool's icons.
    #[serde(default)]
    pub icons: Option<JsonText>,
    /// How the tool may be executed.
    #[serde(default)]
    pub execution: Option<JsonText>,
    /// Whether the model must follow the input schema exactly.
    #[serde(default)]
    pub strict: Option<bool>,
    /// Metadata of the server that offers the tool.
    #[serde(default, rename = "_meta")]
    pub meta: Option<JsonText>,
    /// An object of all other members.
    #[serde(default)]
    pub additional: Option<JsonText>,
}

/// One event of the stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ConfigEvent {
    /// A configuration that is active as of the BOOKMARK that follows.
    Snapshot(Arc<ActiveConfig>),
    /// A configuration that is active from this revision on.
    Upsert(i64, Arc<ActiveConfig>),
    /// An agent that isn't served from this revision on, and the reason.
    Remove(i64, AgentId, String),
    /// All events up to this revision have been sent; the cursor resumes after it.
    Bookmark(i64, String),
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    Snapshot,
    Upsert,
    Remove,
    Bookmark,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    kind: Kind,
    reason: Option<String>,
    revision: String,
    cursor: Option<String>,
    agent_id: Option<AgentId>,
    config: Option<ActiveConfig>,
}

#[derive(Deserialize)]
struct Data {
    configs: Fields,
}

impl ConfigEvent {
    /// Parses the event in a response's data.
    pub(super) fn read(data: &Json) -> Result<Self, ClientError> {
        let Data { configs } =
            json_reader::from_json(data).map_err(|err| ClientError::Protocol(err.to_string()))?;
        let Fields { kind, reason, revision, cursor, agent_id, config } = configs;
        let revision = revision.parse().map_err(|_| {
            ClientError::Protocol(format!("the revision must be a decimal number, got {revision:?}"))
        })?;
        let incomplete = || ClientError::Protocol("an event lacks a field that its kind requires".to_owned());
        Ok(match kind {
            Kind::Snapshot => Self::Snapshot(Arc::new(config.ok_or_else(incomplete)?)),
            Kind::Upsert => Self::Upsert(revision, Arc::new(config.ok_or_else(incomplete)?)),
            Kind::Remove => {
                let (agent, reason) = agent_id.zip(reason).ok_or_else(incomplete)?;
                Self::Remove(revision, agent, reason)
            }
            Kind::Bookmark => Self::Bookmark(revision, cursor.ok_or_else(incomplete)?),
        })
    }
}
