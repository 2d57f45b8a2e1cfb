//! What the cache of active configurations holds: ready-made response bodies, with an estimate of their memory.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    domain::{
        Result,
        config::{ActiveConfig, NotServed},
        environment::EnvironmentKey,
        version,
    },
    id::{AgentId, CustomerId},
};

/// Memory in bytes that an entry takes in addition to its texts and JSON; also what an entry takes whose agent
/// serves nothing.
pub(super) const OVERHEAD: usize = 1024;

/// Serialises a configuration: returns the response body and its entity tag.
pub type Render = fn(&ActiveConfig) -> Result<(Bytes, String)>;

/// A configuration as a ready-made response body.
#[derive(Clone, Debug)]
pub struct RenderedConfig {
    /// The configuration.
    pub config: Arc<ActiveConfig>,
    /// The configuration, serialised.
    pub body: Bytes,
    /// The body's entity tag.
    pub etag: String,
}

/// The agent and the environment of a configuration.
pub(super) type ConfigKey = (AgentId, EnvironmentKey);

/// What the cache holds for one agent in one environment.
#[derive(Debug)]
pub(super) struct CacheEntry {
    /// The customer that owns the agent.
    pub(super) customer_id: CustomerId,
    /// What the agent serves, or why it isn't served.
    pub(super) serves: std::result::Result<Arc<RenderedConfig>, NotServed>,
}

impl CacheEntry {
    /// Estimates the memory that this entry takes: texts, JSON and the serialised body.
    pub(super) fn bytes(&self) -> usize {
        let Ok(rendered) = &self.serves else { return OVERHEAD };
        OVERHEAD + rendered.body.len() + weight_of(&rendered.config)
    }
}

/// Estimates the memory that a configuration's texts and JSON take.
pub(super) fn weight_of(config: &ActiveConfig) -> usize {
    let version = &config.version;
    version::weight(&version.system_prompt, &version.model_parameters, &version.tools, &version.extensions)
}
