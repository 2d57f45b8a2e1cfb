//! Pinned configurations: versions that serve or have served, for conversations that began with them. A gateway that
//! restarts in the middle of a conversation gets back the content that the conversation began with.

use std::{collections::HashMap, sync::Arc};

use super::{
    Error, Reading, Registry, Result,
    content_cache::check_size,
    policy::{self, Action},
    version::{BodyKey, VersionBody},
};
use crate::{
    entity::pinned_version,
    id::{AgentId, VersionId},
};

pub use crate::entity::pinned_version::PinnedVersion;

/// The noun for [`Error::NotFound`], the same for each reason why there is no such version.
const NOUN: &str = "version that has served";

/// The key of a pinned version's content. Only [`PinnedVersion::served`] makes one, so there is none of a version that never
/// served or of a customer that isn't served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PinnedKey(BodyKey);

impl PinnedKey {
    /// The key of the version's content.
    #[must_use]
    pub fn body(&self) -> &BodyKey {
        let Self(key) = self;
        key
    }
}

/// A version that serves or has served, with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedConfig {
    /// The version, and the status of its customer.
    pub pinned: PinnedVersion,
    /// The version's content.
    pub body: Arc<VersionBody>,
}

impl PinnedVersion {
    /// The error for a version that isn't there: it never served where the reader may look, belongs to another agent, or
    /// doesn't exist.
    #[must_use]
    pub fn missing() -> Error {
        Error::NotFound(NOUN)
    }

    /// The key of the version's content, if its customer is served.
    ///
    /// # Errors
    /// [`Error::Suspended`]; [`Error::Canceled`], also for an erased customer.
    pub fn served(&self) -> Result<PinnedKey> {
        self.status.billing_status.check_served()?;
        Ok(PinnedKey(BodyKey::of(&self.version)))
    }
}

impl Registry {
    /// Of these pairs of agent and version, those whose version belongs to the agent and serves or has served in an
    /// environment that the reader reaches. Versions of deactivated and archived agents are among them, because
    /// conversations that began with them may still run.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a caller that may not read configurations.
    pub async fn pinned_versions(
        &self,
        reading: &Reading,
        pairs: &[(AgentId, VersionId)],
    ) -> Result<HashMap<(AgentId, VersionId), PinnedVersion>> {
        policy::allow(&reading.caller, Action::ReadConfigs)?;
        let (tenants, reach) =
            (reading.tenant_filter(Action::ReadConfigs)?, reading.view.environment_filter());
        let rows = reading.view.all(pinned_version::by_pairs(&tenants, &reach, pairs)).await?;
        Ok(rows.into_iter().map(|row| ((row.version.agent_id, row.version.id), row)).collect())
    }

    /// The contents with these keys. The reader must have got the keys in the same snapshot.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a caller that may not read configurations; [`Error::TooLarge`] for more than
    /// [`READ_BYTES_MAX`](super::version::READ_BYTES_MAX) in total, before anything is read.
    pub async fn pinned_bodies(
        &self,
        reading: &Reading,
        keys: &[PinnedKey],
    ) -> Result<HashMap<PinnedKey, Arc<VersionBody>>> {
        policy::allow(&reading.caller, Action::ReadConfigs)?;
        let wanted: Vec<BodyKey> = keys.iter().map(|key| *key.body()).collect();
        check_size(&wanted)?;
        let found = self.bodies(reading, wanted).await?;
        Ok(found.into_iter().map(|(key, body)| (PinnedKey(key), body)).collect())
    }

    /// This version of this agent, if it serves or has served in an environment that the reader reaches.
    ///
    /// # Errors
    /// [`PinnedVersion::missing`], the same for each reason; [`Error::Forbidden`]; [`Error::Suspended`] and
    /// [`Error::Canceled`] as for the active configuration.
    pub async fn pinned_config(
        &self,
        reading: &Reading,
        agent: AgentId,
        version: VersionId,
    ) -> Result<PinnedConfig> {
        let pair = (agent, version);
        let mut found = self.pinned_versions(reading, &[pair]).await?;
        let pinned = found.remove(&pair).ok_or_else(PinnedVersion::missing)?;
        let key = pinned.served()?;
        let body = self.pinned_bodies(reading, &[key]).await?.remove(&key);
        let body = body.ok_or_else(|| Error::Internal("a version has no content".into()))?;
        Ok(PinnedConfig { pinned, body })
    }
}
