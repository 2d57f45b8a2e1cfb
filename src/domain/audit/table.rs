//! The audit log as a table: a customer's entries, newest first, with the names of the objects that they are about.

use std::collections::{HashMap, HashSet};

use super::{
    ChangeFilter,
    names::{ActorNames, visible},
};
use crate::{
    domain::{
        Caller, Error, PageArgs, Reading, Registry, Result,
        change::{Change, ChangedEnvironment, LogPosition},
        policy::{self, Action},
    },
    entity::customer,
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, EnvironmentId, VersionId},
};

/// The number of entries that are read at once. At their largest, with two descriptions each, they have 1 MiB.
const ROWS_AT_ONCE: i32 = 64;

/// An entry with the names of the objects that it is about, as they are now.
#[derive(Clone, Debug)]
pub struct ChangeRow {
    /// The entry.
    pub change: Change,
    /// The name of the caller, else of the kind of caller. Never empty.
    pub actor_name: String,
    /// The name of the agent; `None` if there is none.
    pub agent_name: Option<String>,
    /// The number of the version; `None` if there is none.
    pub version: Option<i32>,
    /// The key of the environment; `None` if there is none.
    pub environment: Option<EnvironmentKey>,
    /// The changed fields before the change, as JSON; `None` if they aren't recorded.
    pub before: Option<String>,
    /// The changed fields after the change, as JSON; `None` if they aren't recorded.
    pub after: Option<String>,
}

/// A table that is read page by page. Between two pages it holds no connection of the database. It lacks entries that
/// are appended after its first page is read.
#[derive(Debug)]
pub struct ChangeTable {
    registry: Registry,
    caller: Caller,
    customer: CustomerId,
    filter: ChangeFilter,
    /// The last entry that was read.
    place: Option<LogPosition>,
    is_complete: bool,
}

impl Registry {
    /// Starts a table of this customer's entries that pass the filter.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer, [`Error::Forbidden`] unless the caller may read its audit log.
    pub async fn change_table(
        &self,
        caller: &Caller,
        customer: CustomerId,
        filter: ChangeFilter,
    ) -> Result<ChangeTable> {
        policy::allow_on(caller, Action::ReadChanges, customer, "customer")?;
        let reading = self.reading(caller);
        let tenants = reading.tenant_filter(Action::ReadChanges)?;
        let found = reading.view.one(customer::by_ids(&tenants, &[customer])).await?;
        found.ok_or(Error::NotFound("customer"))?;
        let (registry, caller) = (self.clone(), caller.clone());
        Ok(ChangeTable { registry, caller, customer, filter, place: None, is_complete: false })
    }
}

impl ChangeTable {
    /// The caller that the table is read for.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The next rows; `None` after the last ones. Each page is of one snapshot.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn next(&mut self) -> Result<Option<Vec<ChangeRow>>> {
        if self.is_complete {
            return Ok(None);
        }
        let page = PageArgs::new(Some(ROWS_AT_ONCE), self.place, None, None)?;
        let reading = self.registry.reading(&self.caller);
        let page = self.registry.changes(&reading, Some(self.customer), &self.filter, &page).await?;
        self.is_complete = !page.has_next;
        let Some(last) = page.items.last() else { return Ok(None) };
        self.place = Some(LogPosition::of(last));
        self.name(&reading, page.items).await.map(Some)
    }

    /// Adds the names of their objects to these entries.
    async fn name(&self, reading: &Reading, entries: Vec<Change>) -> Result<Vec<ChangeRow>> {
        let registry = &self.registry;
        let actors = ActorNames::read(registry, reading, &entries).await?;
        let ids: HashSet<AgentId> = entries.iter().filter_map(|entry| entry.agent_id).collect();
        let ids: Vec<AgentId> = ids.into_iter().collect();
        let found = if ids.is_empty() { Vec::new() } else { registry.agents_by_ids(reading, &ids).await? };
        let agents: HashMap<AgentId, String> =
            found.into_iter().map(|agent| (agent.id, agent.name)).collect();
        let ids: HashSet<VersionId> = entries.iter().filter_map(|entry| entry.version_id).collect();
        let ids: Vec<VersionId> = ids.into_iter().collect();
        let found = if ids.is_empty() { Vec::new() } else { registry.versions_by_ids(reading, &ids).await? };
        let versions: HashMap<VersionId, i32> =
            found.into_iter().map(|version| (version.id, version.number)).collect();
        let environments = self.environments(reading, &entries).await?;
        let row = |change: Change| {
            let environment = change.environment().and_then(|changed| match changed {
                ChangedEnvironment::Key(key) => Some(key),
                ChangedEnvironment::Id(id) => environments.get(&id).cloned(),
            });
            Ok::<_, Error>(ChangeRow {
                actor_name: actors.of(&change),
                agent_name: change.agent_id.and_then(|id| agents.get(&id).cloned()),
                version: change.version_id.and_then(|id| versions.get(&id).copied()),
                environment,
                before: change.detail("before")?,
                after: change.detail("after")?,
                change,
            })
        };
        entries.into_iter().map(row).collect()
    }

    /// The keys of the environments that these entries name by id. An environment's key never changes.
    async fn environments(
        &self,
        reading: &Reading,
        entries: &[Change],
    ) -> Result<HashMap<EnvironmentId, EnvironmentKey>> {
        let is_by_id = |entry: &Change| matches!(entry.environment(), Some(ChangedEnvironment::Id(_)));
        if !entries.iter().any(is_by_id) {
            return Ok(HashMap::new());
        }
        let found = self.registry.environments_of_each(reading, &[self.customer]).await;
        let found = visible(found)?.into_values().flatten();
        Ok(found.map(|environment| (environment.id, environment.key)).collect())
    }
}
