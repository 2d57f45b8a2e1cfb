//! Reads agents: by id, and the lists of all, of a customer and of an owner.

use std::collections::HashMap;

use super::{
    super::{
        BoundedCount, EnvironmentFilter, Error, InputErrors, Page, PageArgs, Reading, Registry, Result,
        content::at_most,
        page_each,
        policy::{self, Action},
        serving, text, visible, zero_filled,
    },
    Agent, AgentFilter, AgentListing, OrderField,
};
use crate::{
    clock::Instant,
    entity::{
        ListPosition,
        agent::{self, ListedRow},
        agent_update,
        count::Counted,
    },
    id::{AgentId, CustomerId, UserId},
};

/// The most ids in a filter of agents.
const IDS_MAX: usize = 100;
/// The most models in a filter of agents.
const MODELS_MAX: usize = 20;

/// The position of an agent in a list.
pub type AgentPosition = ListPosition<AgentId>;

/// An agent of a list, and its position there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAgent {
    /// The agent, as the reader sees it.
    pub agent: Agent,
    /// Its position.
    pub position: AgentPosition,
}

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

    /// A page of the agents that the reader may see, in the listing's order.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, for an API key without `agents:read`, and for one that is limited to
    /// environments and asks for the latest change; [`Error::Invalid`] and [`Error::TooLarge`] for the filter.
    pub async fn agents(
        &self,
        reading: &Reading,
        listing: &AgentListing,
        page: &PageArgs<AgentPosition>,
    ) -> Result<Page<ListedAgent>> {
        check_listing(reading, listing)?;
        check_positions(listing, page)?;
        if is_beyond_reach(reading, listing) {
            return Ok(page.page(Vec::new()));
        }
        let select = agent::page(&reading.view.tenant_filter(), listing, &page.keyset_page());
        Ok(page.page(listed(reading, listing, reading.view.all(select).await?)))
    }

    /// How many agents match the filter, of those that the reader may see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`; [`Error::Invalid`] for the
    /// filter.
    pub async fn count_agents(&self, reading: &Reading, listing: &AgentListing) -> Result<BoundedCount> {
        check_listing(reading, listing)?;
        if is_beyond_reach(reading, listing) {
            return Ok(BoundedCount::default());
        }
        let row = reading.view.one(agent::count(&reading.view.tenant_filter(), listing)).await?;
        Ok(row.map(Counted::bounded).unwrap_or_default())
    }

    /// The same page of agents for each of these customers.
    ///
    /// # Errors
    /// As [`Registry::agents`].
    pub async fn agents_of_each(
        &self,
        reading: &Reading,
        customers: &[CustomerId],
        listing: &AgentListing,
        page: &PageArgs<AgentPosition>,
    ) -> Result<Vec<(CustomerId, Page<ListedAgent>)>> {
        check_listing(reading, listing)?;
        check_positions(listing, page)?;
        let visible = visible(reading, customers, |id| *id);
        let rows = if is_beyond_reach(reading, listing) {
            Vec::new()
        } else {
            reading.view.all(agent::page_each(&visible, listing, &page.keyset_page())).await?
        };
        Ok(page_each(customers, listed(reading, listing, rows), |listed| listed.agent.customer_id, page))
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
        listing: &AgentListing,
    ) -> Result<Vec<(CustomerId, BoundedCount)>> {
        check_listing(reading, listing)?;
        let visible = visible(reading, customers, |id| *id);
        let rows = if is_beyond_reach(reading, listing) {
            Vec::new()
        } else {
            reading.view.all(agent::count_each(&visible, listing)).await?
        };
        Ok(zero_filled(customers, rows))
    }
}

/// The agents as the reader sees them: without what serves in the default environment if it doesn't reach that.
fn reached(reading: &Reading, agents: Vec<Agent>) -> Vec<Agent> {
    agents.into_iter().map(|agent| serving::as_reached(reading, agent)).collect()
}

/// The agents of a list, each with its position.
fn listed(reading: &Reading, listing: &AgentListing, rows: Vec<ListedRow>) -> Vec<ListedAgent> {
    let listed = |ListedRow { agent, sort_text, sort_time }: ListedRow| ListedAgent {
        position: ListPosition::of_value(listing.order.kind(), (sort_text, sort_time), agent.id),
        agent: serving::as_reached(reading, agent),
    };
    rows.into_iter().map(listed).collect()
}

/// Whether the list is about what serves in an environment that the reader doesn't reach: the environment isn't there for
/// it.
fn is_beyond_reach(reading: &Reading, listing: &AgentListing) -> bool {
    listing.is_of_environment()
        && !reading.caller.principal.environments().admits(&listing.filter.environment)
}

/// Checks the reader's right to the list, and the filter.
fn check_listing(reading: &Reading, listing: &AgentListing) -> Result<()> {
    policy::allow(&reading.caller, Action::ReadAgents)?;
    let is_of_any = listing.filter.updated_since.is_some() || listing.order.field == OrderField::UpdatedAt;
    if is_of_any && *reading.caller.principal.environments() != EnvironmentFilter::All {
        return Err(Error::Forbidden(
            "the latest change may be one in any environment, and this credential is limited to some; order by another field, and leave updatedSince out",
        ));
    }
    check_filter(&listing.filter)
}

/// Checks that the page's cursors are of the listing's order. One that names no list, as those of the first release, is of
/// the order of ids.
fn check_positions(listing: &AgentListing, page: &PageArgs<AgentPosition>) -> Result<()> {
    page.check_positions(|position| listing.order.kind().has(&position.key))
}

/// Checks the filter's texts here, since the database refuses some of them with an error.
fn check_filter(filter: &AgentFilter) -> Result<()> {
    let AgentFilter {
        archived: _,
        name,
        name_starts_with,
        name_contains,
        model_name,
        tool_name,
        environment: _,
        ids,
        owner_id: _,
        model_names,
        serving: _,
        serves_latest: _,
        activated_since: _,
        updated_since: _,
    } = filter;
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
    errors.note(at_most("ids", ids.as_ref().map_or(0, Vec::len), IDS_MAX, "ids"));
    let models = model_names.as_deref().unwrap_or_default();
    errors.note(at_most("modelNames", models.len(), MODELS_MAX, "models"));
    for model in models {
        errors.note(text::check_no_nul("modelNames", model));
    }
    errors.into_result()
}
