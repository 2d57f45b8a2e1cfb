//! Agents: a name that stays, and versions of which one is active. The reading functions are in `list.rs`.

use sea_orm::Set;
use serde_json::json;

use super::{
    Caller, Error, Input, Outcome, Page, PageArgs, Patch, Registry, Result, WriteResult,
    activation::{self, Reason},
    activation_plan::Clearance,
    change::{ChangeAction, archival_details},
    idempotency::{ReplayIds, Replayable, require_allowed},
    limit::{self, QuotaKind},
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
    serving::LockedServing,
    text,
};
use crate::{
    clock::{Clock, Instant},
    db::ChangeRecord,
    entity::{agent, serving},
    id::{AgentId, CustomerId, Revision, UserId},
};

pub use agent::{AgentOrder, Filter as AgentFilter, Listing as AgentListing, Model as Agent, OrderField};
pub use list::{AgentPosition, ListedAgent};

mod list;

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
    pub async fn create_agent(
        &self,
        caller: &Caller,
        input: impl Into<Input<CreateAgent>>,
    ) -> Result<WriteResult<Agent>> {
        let (CreateAgent { customer_id, name, description, owner_id }, mut errors) = input.into().open();
        errors.allow_on(caller, Action::WriteAgents, customer_id, "customer")?;
        let name = errors.take(text::normal_name("name", &name)).unwrap_or_default();
        errors.note(check_purpose(description.as_deref()));
        errors.into_result()?;
        let (clock, wanted) = (self.clock().clone(), name.clone());
        let made = self.write(caller, move |txn| async move {
            let (txn, customer) = txn.customer(Action::WriteAgents, customer_id, "customer").await?;
            limit::check_quota(&txn, &customer, QuotaKind::Agents, 1, clock.now()).await?;
            let agent = Agent { owner_id, ..new_agent(&clock, customer_id, name, description) };
            txn.insert(agent::ActiveModel::from(agent.clone())).await?;
            txn.record(creation_entry(&agent));
            Ok(Outcome::Changed(agent))
        });
        match made.await {
            Err(taken @ Error::AlreadyExists { .. }) => {
                Err(self.describe_holder(caller, customer_id, &wanted, taken).await)
            }
            made => made,
        }
    }

    /// Changes an agent's own fields, not its versions.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Suspended`], [`Error::AlreadyExists`] for its name,
    /// [`Error::Invalid`] or [`Error::TooLarge`] for a field.
    pub async fn update_agent(
        &self,
        caller: &Caller,
        input: impl Into<Input<UpdateAgent>>,
    ) -> Result<WriteResult<Agent>> {
        policy::allow(caller, Action::WriteAgents)?;
        let (UpdateAgent { id, name, description, owner_id }, mut errors) = input.into().open();
        let purpose = check_purpose(description.as_ref().and_then(|text| text.as_deref()));
        // A name from before today's rules may stay, so without another error the name is checked in the write.
        if let Some(name) = name.as_deref().filter(|_| !errors.is_empty() || purpose.is_err()) {
            errors.note(text::normal_name("name", name).map(drop));
        }
        errors.note(purpose);
        errors.into_result()?;
        let (clock, wanted) = (self.clock().clone(), name.clone());
        let made = self.write(caller, move |txn| async move {
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
        });
        match (made.await, wanted) {
            (Err(taken @ Error::AlreadyExists { .. }), Some(name)) => {
                let agent = self.agents_by_ids(&self.reading(caller), &[id]).await?.pop();
                let customer = agent.ok_or(Error::NotFound("agent"))?.customer_id;
                Err(self.describe_holder(caller, customer, &name, taken).await)
            }
            (made, _) => made,
        }
    }

    /// The error for a name that is in use, which says so when the agent that holds it is archived: lists that leave
    /// out archived agents don't show that one.
    async fn describe_holder(
        &self,
        caller: &Caller,
        customer: CustomerId,
        name: &str,
        taken: Error,
    ) -> Error {
        let filter =
            AgentFilter { archived: Some(true), name: Some(name.to_owned()), ..AgentFilter::default() };
        let Ok(page) = PageArgs::new(Some(1), None, None, None) else { return taken };
        let archived = self.agents_of_each(&self.reading(caller), &[customer], &filter.into(), &page).await;
        let is_archived = |pages: Vec<(CustomerId, Page<ListedAgent>)>| {
            pages.iter().any(|(_, page)| !page.items.is_empty())
        };
        match archived.map(is_archived) {
            Ok(true) => Error::AlreadyExists {
                field: "name",
                message: "the customer already has an agent of this name, which is archived; restore or rename it",
            },
            Ok(false) | Err(_) => taken,
        }
    }

    /// Archives an agent: it stops serving, and takes no new version until it is restored.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Suspended`].
    pub async fn archive_agent(&self, caller: &Caller, id: AgentId) -> Result<WriteResult<Agent>> {
        policy::allow(caller, Action::WriteAgents)?;
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            let (txn, _, before) = txn.whole_agent(Action::WriteAgents, id).await?;
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
        name_revision: Revision::ZERO,
        archived_at: None,
        created_at: now,
        updated_at: now,
        source_id: None,
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

/// Archives an agent that is locked against all other writers, in whatever environment. Deactivates it first wherever a
/// version is active.
pub(super) async fn archive_locked(txn: &GrantedTxn, clock: &Clock, mut agent: Agent) -> Result<Agent> {
    for serving::LockedServingRow { serving, environment } in
        txn.all(serving::locked_active(agent.id)).await?
    {
        let mut place = LockedServing::of(agent, environment, Some(serving));
        let clearance = Clearance::of_role(txn, &place)?;
        activation::activate_locked(txn, clock, &mut place, None, Reason::Archive, clearance).await?;
        agent = place.agent;
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
    let details = archival_details(agent.archived_at, archived_at);
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
