//! What the subscription `configs` says, as a gateway asks for it and reads it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Timestamp;
use crate::{AgentId, ClientError, CustomerId, VersionId};

/// All that a gateway needs to run an agent, and where to come back to.
pub(super) const CONFIGS: &str = "subscription ($customer: ID, $agents: [ID!], $after: Cursor) {
    configs(customerId: $customer, agentIds: $agents, after: $after) {
        kind reason revision cursor agentId
        config {
            agentId customerId name versionId versionNumber systemPrompt modelName modelParameters
            tools { name description inputSchema } contentHash activatedAt revision
        } } }";

/// What an agent serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ActiveConfig {
    /// The agent.
    pub agent_id: AgentId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// The agent's name.
    pub name: String,
    /// The version that serves.
    pub version_id: VersionId,
    /// Its number.
    pub version_number: i32,
    /// What the model is told first.
    pub system_prompt: String,
    /// Which model.
    pub model_name: String,
    /// Temperature and the like: a JSON object.
    pub model_parameters: Value,
    /// What it may call.
    pub tools: Vec<Tool>,
    /// SHA-256, in hex, over the canonical content.
    pub content_hash: String,
    /// Since when this version serves.
    pub activated_at: Timestamp,
    /// The commit that last changed this configuration: a decimal number.
    pub revision: String,
}

/// What an agent may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// What it takes: a JSON Schema.
    pub input_schema: Option<Value>,
}

/// One event of the stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum ConfigEvent {
    /// Serves at the moment of the bookmark that follows.
    Snapshot(Arc<ActiveConfig>),
    /// Serves from this commit on.
    Upsert(i64, Arc<ActiveConfig>),
    /// Is not served from this commit on, for this reason.
    Remove(i64, AgentId, String),
    /// All up to this commit has been told: where to come back to.
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
    /// The event in a response's data.
    pub(super) fn read(data: Value) -> Result<Self, ClientError> {
        let Data { configs } =
            json_reader::from_json(&data.into()).map_err(|err| ClientError::Protocol(err.to_string()))?;
        let Fields { kind, reason, revision, cursor, agent_id, config } = configs;
        let revision =
            revision.parse().map_err(|_| ClientError::Protocol(format!("a revision {revision:?}")))?;
        let incomplete = || ClientError::Protocol("an event without what belongs to its kind".to_owned());
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
