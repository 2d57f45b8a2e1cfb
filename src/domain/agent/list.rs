//! Reads agents: by id, and the lists of all, of a customer and of an owner.

use std::collections::HashMap;

use super::{
    super::{
        BoundedCount, InputErrors, Page, PageArgs, Reading, Registry, Result,
        environment::EnvironmentKey,
        page_each,
        policy::{self, Action},
        serving, text, visible, zero_filled,
    },
    Agent, AgentFilter,
};
#[cfg(doc)]
use crate::domain::Error;
use crate::{
    clock::Instant,
    entity::{agent, agent_update, count::Counted},
    id::{AgentId, CustomerId, UserId},
};

impl Registry {
    /// The agents with these ids that the reader may see. For references from other objects.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a credential without any scope.
    pub async fn agents_by_ids(&self, reading: &Reading, ids: &[AgentId]) -> Result<Vec<Agent>> {
        policy::allow(&reading.caller, Action::ReadServing)?;
        let rows = reading.view.all(agent::by_ids(&reading.view.tenant_filter(), ids)).await?;
        Ok(reached(reading, rows))
    }

    /// When each of these agents was last changed, as far as the reader reaches: its own fields, its versions, and what it
    /// serves.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a credential without any scope.
    pub async fn agent_updates(
        &self,
        reading: &Reading,
        ids: &[AgentId],
    ) -> Result<HashMap<AgentId, Instant>> {
        policy::allow(&reading.caller, Action::ReadServing)?;
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        let rows = reading.view.all(agent_update::of_agents(&tenants, &reach, ids)).await?;
        Ok(rows.into_iter().map(|row| (row.agent_id, row.at)).collect())
    }

    /// A page of the agents that the reader may see, oldest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`; [`Error::Invalid`] for the
    /// filter.
    pub async fn agents(
        &self,
        reading: &Reading,
        filter: &AgentFilter,
        page: &PageArgs<AgentId>,
    ) -> Result<Page<Agent>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        check_filter(filter)?;
        if is_beyond_reach(reading, filter) {
            return Ok(page.page(Vec::new()));
        }
        let rows =
            reading.view.all(agent::page(&reading.view.tenant_filter(), filter, &page.keyset_page())).await?;
        Ok(page.page(reached(reading, rows)))
    }

    /// How many agents match the filter, of those that the reader may see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`; [`Error::Invalid`] for the
    /// filter.
    pub async fn count_agents(&self, reading: &Reading, filter: &AgentFilter) -> Result<BoundedCount> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        check_filter(filter)?;
        if is_beyond_reach(reading, filter) {
            return Ok(BoundedCount::default());
        }
        let row = reading.view.one(agent::count(&reading.view.tenant_filter(), filter)).await?;
        Ok(row.map(Counted::bounded).unwrap_or_default())
    }

    /// The same page of agents for each of these customers.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`; [`Error::Invalid`] for the
    /// filter.
    pub async fn agents_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
        filter: &AgentFilter,
        page: &PageArgs<AgentId>,
    ) -> Result<Vec<(CustomerId, Page<Agent>)>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        check_filter(filter)?;
        let visible = visible(reading, customers, |id| *id);
        let rows = if is_beyond_reach(reading, filter) {
            Vec::new()
        } else {
            reading.view.all(agent::page_each(&visible, filter, &page.keyset_page())).await?
        };
        Ok(page_each(customers, reached(reading, rows), |agent| agent.customer_id, page))
    }

    /// For each of these users, the same page of the agents that the user owns and the reader may see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn agents_of_each_owner(
        &self,
        reading: &Reading,
        owners: &[UserId],
        page: &PageArgs<AgentId>,
    ) -> Result<Vec<(UserId, Page<Agent>)>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let rows = reading
            .view
            .all(agent::page_each_owner(&reading.view.tenant_filter(), owners, &page.keyset_page()))
            .await?;
        let owned =
            reached(reading, rows).into_iter().filter_map(|agent| Some((agent.owner_id?, agent))).collect();
        let pages = page_each(owners, owned, |(owner, _): &(UserId, Agent)| *owner, page);
        Ok(pages.into_iter().map(|(owner, page)| (owner, page.map(|(_, agent)| agent))).collect())
    }

    /// For each of these users, how many agents the user owns that the reader may see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn count_agents_of_each_owner(
        &self,
        reading: &Reading,
        owners: &[UserId],
    ) -> Result<Vec<(UserId, BoundedCount)>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let rows = reading.view.all(agent::count_each_owner(&reading.view.tenant_filter(), owners)).await?;
        Ok(zero_filled(owners, rows))
    }

    /// For each of these customers, how many agents match the filter.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`; [`Error::Invalid`] for the
    /// filter.
    pub async fn count_agents_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
        filter: &AgentFilter,
    ) -> Result<Vec<(CustomerId, BoundedCount)>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        check_filter(filter)?;
        let visible = visible(reading, customers, |id| *id);
        let rows = if is_beyond_reach(reading, filter) {
            Vec::new()
        } else {
            reading.view.all(agent::count_each(&visible, filter)).await?
        };
        Ok(zero_filled(customers, rows))
    }
}

/// The agents as the reader sees them: without what serves in the default environment if it doesn't reach that.
fn reached(reading: &Reading, agents: Vec<Agent>) -> Vec<Agent> {
    agents.into_iter().map(|agent| serving::as_reached(reading, agent)).collect()
}

/// Whether the filter asks for what serves in the default environment, and the reader doesn't reach that: no agent serves
/// there for it.
fn is_beyond_reach(reading: &Reading, filter: &AgentFilter) -> bool {
    (filter.model_name.is_some() || filter.tool_name.is_some())
        && !reading.caller.principal.environments().admits(&EnvironmentKey::default())
}

/// Checks the filter's texts here, since the database refuses some of them with an error.
fn check_filter(filter: &AgentFilter) -> Result<()> {
    let AgentFilter { archived: _, name, name_starts_with, name_contains, model_name, tool_name } = filter;
    let mut errors = InputErrors::default();
    let parts = [("nameStartsWith", name_starts_with), ("nameContains", name_contains)];
    for (field, part) in parts {
        if let Some(part) = part {
            errors.note(text::check_part(field, part));
        }
    }
    for (field, whole) in [("name", name), ("modelName", model_name), ("toolName", tool_name)] {
        errors.note(whole.as_deref().map_or(Ok(()), |whole| text::check_no_nul(field, whole)));
    }
    errors.into_result()
}
