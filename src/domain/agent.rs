//! Agents: a name that stays, and versions of which one is active.

use sea_orm::Set;
use serde_json::json;

#[cfg(doc)]
use super::Error;
use super::{
    BoundedCount, Caller, Outcome, Page, PageArgs, Patch, Reading, Registry, Result, WriteResult,
    activation::{self, Reason},
    change::ChangeAction,
    idempotency::{ReplayIds, Replayable, require_allowed},
    limit::{self, QuotaKind},
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
    text,
};
use crate::{
    clock::{Clock, Instant},
    db::ChangeRecord,
    entity::{agent, count::Counted},
    id::{AgentId, CustomerId, Revision, UserId},
};

pub use agent::{Filter as AgentFilter, Model as Agent};

/// The fields of a new agent.
#[derive(Clone, Debug)]
pub struct CreateAgent {
    /// The customer that the agent will belong to.
    pub customer_id: CustomerId,
    /// Unique within the customer; 1 to 200 characters.
    pub name: String,
    /// The purpose; at most 2,000 characters.
    pub description: Option<String>,
    /// The person responsible for the agent, a member of the customer.
    pub owner_id: Option<UserId>,
}

/// Changes to an agent. `None` keeps a field.
#[derive(Clone, Debug)]
pub struct UpdateAgent {
    /// The agent to change.
    pub id: AgentId,
    /// The new name.
    pub name: Option<String>,
    /// The new description, or none.
    pub description: Patch<String>,
    /// The new owner, or none.
    pub owner_id: Patch<UserId>,
}

impl Replayable for Agent {
    fn replay_ids(&self) -> ReplayIds {
        ReplayIds::row(self.id)
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let found = txn.one(agent::by_ids(txn.tenant_filter(), &[subject.id.into()])).await?;
        require_allowed(found, txn, Action::WriteAgents, "agent", |row| row.customer_id).await
    }
}

impl Registry {
    /// Creates an agent without a version.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer, [`Error::Forbidden`], [`Error::Suspended`], [`Error::LimitReached`],
    /// [`Error::AlreadyExists`] for the name, [`Error::Invalid`] or [`Error::TooLarge`] for a field.
    pub async fn create_agent(&self, caller: &Caller, input: CreateAgent) -> Result<WriteResult<Agent>> {
        policy::allow_on(caller, Action::WriteAgents, input.customer_id, "customer")?;
        let CreateAgent { customer_id, name, description, owner_id } = input;
        let name = text::normal_name("name", &name)?;
        check_purpose(description.as_deref())?;
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            let (txn, customer) = txn.customer(Action::WriteAgents, customer_id, "customer").await?;
            limit::check_quota(&txn, &customer, QuotaKind::Agents, 1, clock.now()).await?;
            let agent = Agent { owner_id, ..new_agent(&clock, customer_id, name, description) };
            txn.insert(agent::ActiveModel::from(agent.clone())).await?;
            txn.record(creation_entry(&agent));
            Ok(Outcome::Changed(agent))
        })
        .await
    }

    /// Changes an agent's own fields, not its versions.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Suspended`], [`Error::AlreadyExists`] for its name,
    /// [`Error::Invalid`] or [`Error::TooLarge`] for a field.
    pub async fn update_agent(&self, caller: &Caller, input: UpdateAgent) -> Result<WriteResult<Agent>> {
        policy::allow(caller, Action::WriteAgents)?;
        let UpdateAgent { id, name, description, owner_id } = input;
        check_purpose(description.as_ref().and_then(|text| text.as_deref()))?;
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            let (txn, _, before) = txn.agent(Action::WriteAgents, id).await?;
            let after = Agent {
                // A name from before today's rules may stay.
                name: match name {
                    Some(name) if name != before.name => text::normal_name("name", &name)?,
                    _ => before.name.clone(),
                },
                description: description.unwrap_or_else(|| before.description.clone()),
                owner_id: owner_id.unwrap_or(before.owner_id),
                ..before.clone()
            };
            if after == before {
                let since = last_change(&txn, id, ChangeAction::AgentUpdated).await?;
                return Ok(Outcome::Unchanged { value: before, since });
            }
            Ok(Outcome::Changed(update_locked(&txn, &clock, before, after).await?))
        })
        .await
    }

    /// Archives an agent: it stops serving, and takes no new version until it is restored.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Suspended`].
    pub async fn archive_agent(&self, caller: &Caller, id: AgentId) -> Result<WriteResult<Agent>> {
        policy::allow(caller, Action::WriteAgents)?;
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            let (txn, _, before) = txn.agent(Action::WriteAgents, id).await?;
            if before.archived_at.is_some() {
                let since = last_change(&txn, id, ChangeAction::AgentArchived).await?;
                return Ok(Outcome::Unchanged { value: before, since });
            }
            Ok(Outcome::Changed(archive_locked(&txn, &clock, before).await?))
        })
        .await
    }

    /// Restores an archived agent. It serves nothing until a version is activated.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Suspended`].
    pub async fn restore_agent(&self, caller: &Caller, id: AgentId) -> Result<WriteResult<Agent>> {
        policy::allow(caller, Action::WriteAgents)?;
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            let (txn, _, before) = txn.agent(Action::WriteAgents, id).await?;
            if before.archived_at.is_none() {
                let since = last_change(&txn, id, ChangeAction::AgentRestored).await?;
                return Ok(Outcome::Unchanged { value: before, since });
            }
            Ok(Outcome::Changed(restore_locked(&txn, &clock, before).await?))
        })
        .await
    }

    /// The agents with these ids that the reader may see. For references from other objects.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a credential without any scope.
    pub async fn agents_by_ids(&self, reading: &Reading, ids: &[AgentId]) -> Result<Vec<Agent>> {
        policy::allow(&reading.caller, Action::ReadServing)?;
        Ok(reading.view.all(agent::by_ids(&reading.view.tenant_filter(), ids)).await?)
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
        let rows =
            reading.view.all(agent::page(&reading.view.tenant_filter(), filter, &page.keyset_page())).await?;
        Ok(page.page(rows))
    }

    /// How many agents match the filter, of those that the reader may see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`; [`Error::Invalid`] for the
    /// filter.
    pub async fn count_agents(&self, reading: &Reading, filter: &AgentFilter) -> Result<BoundedCount> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        check_filter(filter)?;
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
        let visible = super::visible(reading, customers, |id| *id);
        let rows = reading.view.all(agent::page_each(&visible, filter, &page.keyset_page())).await?;
        Ok(super::page_each(customers, rows, |agent| agent.customer_id, page))
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
        let owned = rows.into_iter().filter_map(|agent| Some((agent.owner_id?, agent))).collect();
        let pages = super::page_each(owners, owned, |(owner, _): &(UserId, Agent)| *owner, page);
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
        Ok(super::zero_filled(owners, rows))
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
        let visible = super::visible(reading, customers, |id| *id);
        let rows = reading.view.all(agent::count_each(&visible, filter)).await?;
        Ok(super::zero_filled(customers, rows))
    }
}

/// A new agent with an id, not written yet.
pub(super) fn new_agent(
    clock: &Clock,
    customer_id: CustomerId,
    name: String,
    description: Option<String>,
) -> Agent {
    let now = clock.now();
    Agent {
        id: clock.id(),
        customer_id,
        name,
        description,
        owner_id: None,
        latest_number: 0,
        active_version_id: None,
        activated_at: None,
        config_revision: Revision::ZERO,
        archived_at: None,
        created_at: now,
        updated_at: now,
    }
}

/// The log entry for a new agent.
pub(super) fn creation_entry(agent: &Agent) -> ChangeRecord {
    let entry = ChangeRecord::of(ChangeAction::AgentCreated, agent.customer_id).agent(agent.id);
    entry.details(json!({ "after": logged_fields(agent) }))
}

/// Writes the own fields of `after` to a locked agent, and records the change.
pub(super) async fn update_locked(
    txn: &GrantedTxn,
    clock: &Clock,
    before: Agent,
    after: Agent,
) -> Result<Agent> {
    let entry = ChangeRecord::of(ChangeAction::AgentUpdated, before.customer_id).agent(before.id);
    let details = json!({ "before": logged_fields(&before), "after": logged_fields(&after) });
    let row = agent::ActiveModel {
        name: Set(after.name),
        description: Set(after.description),
        owner_id: Set(after.owner_id),
        updated_at: Set(clock.now()),
        ..before.into()
    };
    let after = txn.update(row).await?;
    txn.record(entry.details(details));
    Ok(after)
}

/// Archives a locked agent. Deactivates it first if a version is active.
pub(super) async fn archive_locked(txn: &GrantedTxn, clock: &Clock, mut agent: Agent) -> Result<Agent> {
    if agent.active_version_id.is_some() {
        activation::activate_locked(txn, clock, &mut agent, None, Reason::Archive).await?;
    }
    let archived_at = Some(clock.now());
    set_archived(txn, clock, agent, archived_at, ChangeAction::AgentArchived).await
}

/// Restores a locked agent.
pub(super) async fn restore_locked(txn: &GrantedTxn, clock: &Clock, agent: Agent) -> Result<Agent> {
    set_archived(txn, clock, agent, None, ChangeAction::AgentRestored).await
}

async fn set_archived(
    txn: &GrantedTxn,
    clock: &Clock,
    agent: Agent,
    archived_at: Option<Instant>,
    action: ChangeAction,
) -> Result<Agent> {
    let details =
        json!({ "before": { "archived_at": agent.archived_at }, "after": { "archived_at": archived_at } });
    let entry = ChangeRecord::of(action, agent.customer_id).agent(agent.id).details(details);
    let row =
        agent::ActiveModel { archived_at: Set(archived_at), updated_at: Set(clock.now()), ..agent.into() };
    let agent = txn.update(row).await?;
    txn.record(entry);
    Ok(agent)
}

pub(super) fn check_purpose(description: Option<&str>) -> Result<()> {
    if let Some(description) = description {
        text::check_description("description", description)?;
    }
    Ok(())
}

/// Checks the filter's texts here, since the database refuses some of them with an error.
fn check_filter(filter: &AgentFilter) -> Result<()> {
    let AgentFilter { archived: _, name, name_starts_with, name_contains, model_name, tool_name } = filter;
    let parts = [("nameStartsWith", name_starts_with), ("nameContains", name_contains)];
    for (field, part) in parts {
        if let Some(part) = part {
            text::check_part(field, part)?;
        }
    }
    for (field, whole) in [("name", name), ("modelName", model_name), ("toolName", tool_name)] {
        whole.as_deref().map_or(Ok(()), |whole| text::check_no_nul(field, whole))?;
    }
    Ok(())
}

/// The agent's fields that log entries contain.
fn logged_fields(agent: &Agent) -> serde_json::Value {
    json!({ "name": agent.name, "description": agent.description, "owner_id": agent.owner_id })
}

/// The revision of this agent's last change of this kind, or of its creation when there was none: the commit that
/// brought it to its current state.
pub(super) async fn last_change(txn: &GrantedTxn, id: AgentId, action: ChangeAction) -> Result<Revision> {
    let actions = [action, ChangeAction::AgentCreated];
    super::write::since(txn, crate::entity::change::last_of(id, actions)).await
}
