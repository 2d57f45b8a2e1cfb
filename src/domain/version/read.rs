//! Reads versions: by id, by number and in pages, without their contents; and the contents.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

#[cfg(doc)]
use super::READ_BYTES_MAX;
use super::{BodyKey, VersionBody, VersionSummary};
#[cfg(doc)]
use crate::domain::Error;
use crate::{
    db::Query,
    domain::{
        Page, PageArgs, Reading, Registry, Result,
        content_cache::check_size,
        page_each,
        policy::{self, Action},
    },
    entity::{agent_version, serving},
    id::{AgentId, VersionId},
};

impl Registry {
    /// The versions with these ids that the reader may see, without their contents. For references from other
    /// objects.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a credential without any scope.
    pub async fn versions_by_ids(&self, reading: &Reading, ids: &[VersionId]) -> Result<Vec<VersionSummary>> {
        policy::allow(&reading.caller, Action::ReadServing)?;
        self.summaries(reading, agent_version::summaries(ids)).await
    }

    /// The contents of these versions, of those that the reader may see. The reader must have read the versions'
    /// summaries in the same snapshot. Reads what isn't in memory in one statement. A service token gets only
    /// versions that are active at customers that are served, since its configurations contain no others.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a caller that may not read contents; [`Error::TooLarge`] for more than
    /// [`READ_BYTES_MAX`] in total, before anything is read.
    pub async fn version_bodies(
        &self,
        reading: &Reading,
        wanted: &[BodyKey],
    ) -> Result<HashMap<BodyKey, Arc<VersionBody>>> {
        policy::allow(&reading.caller, Action::ReadContent)?;
        check_size(wanted)?;
        let serving: Option<HashSet<VersionId>> = if reading.caller.principal.is_service() {
            let ids: Vec<VersionId> = wanted.iter().map(|key| key.id).collect();
            let reach = reading.view.environment_filter();
            let serving = reading.view.all(serving::active_versions(&reach, &ids)).await?;
            Some(serving.into_iter().map(|row| row.id).collect())
        } else {
            None
        };
        let is_shown = |key: &BodyKey| serving.as_ref().is_none_or(|serving| serving.contains(&key.id));
        self.bodies(reading, wanted.iter().copied().filter(is_shown)).await
    }

    async fn summaries(
        &self,
        reading: &Reading,
        query: impl Query<Row = VersionSummary>,
    ) -> Result<Vec<VersionSummary>> {
        let mut rows = reading.view.all(query).await?;
        rows.retain(|version| reading.view.tenant_filter().admits(version.customer_id));
        Ok(rows)
    }

    /// The versions with these pairs of agent and number, without their contents.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn versions_by_numbers(
        &self,
        reading: &Reading,
        pairs: &[(AgentId, i32)],
    ) -> Result<Vec<VersionSummary>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        self.summaries(reading, agent_version::summaries_by_numbers(pairs)).await
    }

    /// For each of these agents, the same page of versions, newest first and without their contents.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn versions_of_each(
        &self,
        reading: &Reading,
        agents: &[AgentId],
        page: &PageArgs<i32>,
    ) -> Result<Vec<(AgentId, Page<VersionSummary>)>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let rows = self.summaries(reading, agent_version::page_each(agents, &page.keyset_page())).await?;
        Ok(page_each(agents, rows, |version| version.agent_id, page))
    }
}
