//! Activation: which version of an agent is active, and the history of its changes.

use serde_json::json;

use super::{
    BoundedCount, Caller, Error, ExpectedNumber, Outcome, Page, PageArgs, Reading, Registry, Result,
    WriteResult,
    agent::{self, Agent},
    change::{Change, ChangeAction, Cursor},
    idempotency::{ReplayIds, Replayable, require_allowed},
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
    rollback::{self, RollbackTo},
};
use crate::{
    clock::Clock,
    db::{Actor, ChangeRecord},
    entity::{self, activation, agent_version, publication::Publication},
    id::{ActivationId, AgentId, VersionId},
};

pub use activation::{Model as Activation, Reason};

/// The version that the caller expects to be active: `None` expects nothing, `Some(None)` expects that none is.
pub type ExpectedVersion = Option<Option<VersionId>>;

/// The version to activate.
#[derive(Clone, Debug)]
pub struct ActivateVersion {
    /// The agent.
    pub agent_id: AgentId,
    /// One of the agent's versions.
    pub version_id: VersionId,
    /// Fails when another version than this is active.
    pub expected: ExpectedVersion,
}

/// The result of changing the active version: the agent and its last activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivationResult {
    /// The agent as it is after the change.
    pub agent: Agent,
    /// The id of the last activation; `None` when no version was ever active.
    pub activation: Option<ActivationId>,
}

impl Activation {
    /// The cursor of this activation's log entry. `None` only inside the transaction that makes it.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        Some(Cursor::new(self.revision?, self.position?, self.cursor_hash.as_deref()?))
    }

    /// The id of the activation that a log entry records; `None` for other entries.
    #[must_use]
    pub fn recorded_by(change: &Change) -> Option<ActivationId> {
        match change.action {
            ChangeAction::AgentActivated | ChangeAction::AgentDeactivated => {
                change.subject_id.map(ActivationId::from)
            }
            _ => None,
        }
    }
}

impl Replayable for ActivationResult {
    fn replay_ids(&self) -> ReplayIds {
        let agent = ReplayIds::row(self.agent.id);
        self.activation.map_or(agent, |activation| agent.and(activation))
    }

    async fn replay(txn: &OpenTxn, subject: ReplayIds) -> Result<Self> {
        let found = txn.one(entity::agent::by_ids(txn.tenant_filter(), &[subject.id.into()])).await?;
        let agent =
            require_allowed(found, txn, Action::ActivateVersions, "agent", |row| row.customer_id).await?;
        Ok(Self { agent, activation: subject.other.map(Into::into) })
    }
}

impl Registry {
    /// Activates a version of an agent. Records nothing when that version is active already.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the agent or the version, [`Error::NotActive`] when `expected` is no longer active,
    /// [`Error::Forbidden`], [`Error::Suspended`], [`Error::Archived`].
    pub async fn activate_version(
        &self,
        caller: &Caller,
        input: ActivateVersion,
    ) -> Result<WriteResult<ActivationResult>> {
        let ActivateVersion { agent_id, version_id, expected } = input;
        self.change_active(caller, agent_id, expected, Target::Version(version_id)).await
    }

    /// Deactivates an agent, so that it serves nothing.
    ///
    /// # Errors
    /// As [`Registry::activate_version`].
    pub async fn deactivate(
        &self,
        caller: &Caller,
        agent_id: AgentId,
        expected: ExpectedVersion,
    ) -> Result<WriteResult<ActivationResult>> {
        self.change_active(caller, agent_id, expected, Target::Nothing).await
    }

    /// Changes what an agent serves to `target`, unless another version than `expected` is active.
    pub(super) async fn change_active(
        &self,
        caller: &Caller,
        id: AgentId,
        expected: ExpectedVersion,
        target: Target,
    ) -> Result<WriteResult<ActivationResult>> {
        policy::allow(caller, Action::ActivateVersions)?;
        let clock = self.clock().clone();
        self.write(caller, move |txn| async move {
            let (txn, _, mut agent) = txn.agent(Action::ActivateVersions, id).await?;
            if agent.archived_at.is_some() {
                return Err(Error::Archived);
            }
            let actual = agent.active_version_id;
            if let Some(expected) = expected.filter(|expected| *expected != actual) {
                return Err(not_active(&txn, &agent, expected).await?);
            }
            let (to, reason) = match target {
                Target::Version(id) => (Some(id), Reason::Activate),
                Target::Earlier(to) => (Some(rollback::target(&txn, &agent, to).await?), Reason::Rollback),
                Target::Nothing => (None, Reason::Deactivate),
            };
            if to == actual {
                return unchanged_result(&txn, agent).await;
            }
            let activation = Some(activate_locked(&txn, &clock, &mut agent, to, reason).await?);
            Ok(Outcome::Changed(ActivationResult { agent, activation }))
        })
        .await
    }

    /// The activations with these ids that the reader may see. For references from other objects.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a credential without any scope.
    pub async fn activations_by_ids(
        &self,
        reading: &Reading,
        ids: &[ActivationId],
    ) -> Result<Vec<Activation>> {
        policy::allow(&reading.caller, Action::ReadServing)?;
        Ok(reading.view.all(activation::by_ids(&reading.view.tenant_filter(), ids)).await?)
    }

    /// For each of these agents, the same page of activations, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn activations_of_each(
        &self,
        reading: &Reading,
        agents: &[AgentId],
        page: &PageArgs<ActivationId>,
    ) -> Result<Vec<(AgentId, Page<Activation>)>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let mut rows = reading.view.all(activation::page_each(agents, &page.keyset_page())).await?;
        rows.retain(|activation| reading.view.tenant_filter().admits(activation.customer_id));
        Ok(super::page_each(agents, rows, |activation| activation.agent_id, page))
    }

    /// For each of these agents, how many activations it has.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn count_activations_of_each(
        &self,
        reading: &Reading,
        agents: &[AgentId],
    ) -> Result<Vec<(AgentId, BoundedCount)>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let rows = reading.view.all(activation::count_each(&reading.view.tenant_filter(), agents)).await?;
        Ok(super::zero_filled(agents, rows))
    }
}

/// What to activate.
pub(super) enum Target {
    /// This version.
    Version(VersionId),
    /// A version that served before.
    Earlier(RollbackTo),
    /// No version.
    Nothing,
}

/// The error when the active version isn't the expected one, with both numbers.
async fn not_active(txn: &GrantedTxn, agent: &Agent, expected: Option<VersionId>) -> Result<Error> {
    let ids: Vec<VersionId> = expected.into_iter().chain(agent.active_version_id).collect();
    let versions = txn.all(agent_version::summaries(&ids)).await?;
    let number = |id: VersionId| {
        let own = versions.iter().find(|version| version.id == id && version.agent_id == agent.id);
        own.map(|version| version.number)
    };
    let expected = match expected {
        None => ExpectedNumber::Nothing,
        Some(id) => number(id).map_or(ExpectedNumber::Unknown, ExpectedNumber::Version),
    };
    Ok(Error::NotActive { expected, actual: agent.active_version_id.and_then(number) })
}

/// The result when nothing has to change: the agent as it is, its last activation, and that activation's revision.
async fn unchanged_result(txn: &GrantedTxn, agent: Agent) -> Result<Outcome<ActivationResult>> {
    let last = txn.one(activation::latest(agent.id)).await?;
    let activation = last.as_ref().map(|last| last.id);
    let since = match last.and_then(|last| last.revision) {
        Some(revision) => revision,
        None => agent::last_change(txn, agent.id, ChangeAction::AgentDeactivated).await?,
    };
    Ok(Outcome::Unchanged { value: ActivationResult { agent, activation }, since })
}

/// Changes the active version of a locked agent, or deactivates it: records the change and writes it.
pub(super) async fn activate_locked(
    txn: &GrantedTxn,
    clock: &Clock,
    agent: &mut Agent,
    to: Option<VersionId>,
    reason: Reason,
) -> Result<ActivationId> {
    let activation = record_activation(txn, clock, agent, to, reason);
    let id = activation.id;
    let (agents, activations) = (vec![agent.clone()], vec![activation]);
    txn.publish(Publication { agents, versions: Vec::new(), activations }).await?;
    Ok(id)
}

/// Changes the active version of a locked agent, or deactivates it, and records that. The caller must write the agent
/// and the activation.
pub(super) fn record_activation(
    txn: &GrantedTxn,
    clock: &Clock,
    agent: &mut Agent,
    to: Option<VersionId>,
    reason: Reason,
) -> Activation {
    let Actor { kind, id: by } = txn.actor();
    let now = clock.now();
    let activation = Activation {
        id: clock.id(),
        customer_id: agent.customer_id,
        agent_id: agent.id,
        version_id: to,
        previous_version_id: agent.active_version_id,
        reason,
        activated_by_kind: kind,
        activated_by_id: by,
        activated_at: now,
        revision: None,
        position: None,
        cursor_hash: None,
    };
    let action = if to.is_some() { ChangeAction::AgentActivated } else { ChangeAction::AgentDeactivated };
    let details = json!({
        "before": { "version_id": agent.active_version_id }, "after": { "version_id": to },
        "reason": sea_orm::ActiveEnum::to_value(&reason),
    });
    let entry = ChangeRecord::of(action, agent.customer_id).agent(agent.id).version(to);
    txn.record(entry.subject(activation.id).details(details));
    agent.active_version_id = to;
    agent.activated_at = to.map(|_| now);
    activation
}
