//! Activation: which version of an agent is active, and the history of its changes, which `list.rs` reads.

use serde_json::json;

use super::{
    Caller, Error, ExpectedNumber, Outcome, Registry, Result, WriteResult,
    activation_plan::Clearance,
    agent::{self, Agent},
    change::{Change, ChangeAction, Cursor},
    environment::EnvironmentKey,
    idempotency::{ReplayIds, Replayable, require_allowed},
    permission,
    plan::PlanConfirmation,
    policy::{self, Action},
    right::{GrantedTxn, OpenTxn},
    rollback::{self, RollbackTo},
    serving::LockedServing,
};
use crate::{
    clock::Clock,
    db::{Actor, ChangeRecord},
    entity::{self, activation, agent_version, publication::Publication, serving::AgentLock},
    id::{ActivationId, AgentId, VersionId},
};

mod list;

pub use activation::{Filter as ActivationFilter, Kind as ActivationKind, Model as Activation, Reason};
pub use list::activation_filter;

/// The version that the caller expects to be active: `None` expects nothing, `Some(None)` expects that none is.
pub type ExpectedVersion = Option<Option<VersionId>>;

/// The version to activate.
#[derive(Clone, Debug)]
pub struct ActivateVersion {
    /// The agent.
    pub agent_id: AgentId,
    /// One of the agent's versions.
    pub version_id: VersionId,
    /// The environment in which to activate it.
    pub environment: EnvironmentKey,
    /// Fails when another version than this is active there.
    pub expected: ExpectedVersion,
    /// The plan that the caller has seen.
    pub plan: PlanConfirmation,
}

/// The version to promote: the one that is active in an environment.
#[derive(Clone, Debug)]
pub struct PromoteVersion {
    /// The agent.
    pub agent_id: AgentId,
    /// The environment from which to take the version.
    pub from: EnvironmentKey,
    /// The environment in which to activate it.
    pub to: EnvironmentKey,
    /// Fails when another version than this is active in `from`.
    pub expected_from: VersionId,
    /// Fails when another version than this, or any if it is `None`, is active in `to`.
    pub expected_to: Option<VersionId>,
    /// The plan that the caller has seen.
    pub plan: PlanConfirmation,
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
    /// [`Error::Plan`], [`Error::Forbidden`], [`Error::Suspended`], [`Error::Archived`].
    pub async fn activate_version(
        &self,
        caller: &Caller,
        input: ActivateVersion,
    ) -> Result<WriteResult<ActivationResult>> {
        let ActivateVersion { agent_id, version_id, environment, expected, plan } = input;
        self.change_active(caller, agent_id, environment, expected, Target::Version(version_id, plan)).await
    }

    /// Deactivates an agent in an environment, so that it serves nothing there.
    ///
    /// # Errors
    /// As [`Registry::activate_version`].
    pub async fn deactivate(
        &self,
        caller: &Caller,
        agent_id: AgentId,
        environment: EnvironmentKey,
        expected: ExpectedVersion,
    ) -> Result<WriteResult<ActivationResult>> {
        self.change_active(caller, agent_id, environment, expected, Target::Nothing).await
    }

    /// Changes what an agent serves in an environment to `target`, unless another version than `expected` is active there.
    pub(super) async fn change_active(
        &self,
        caller: &Caller,
        id: AgentId,
        environment: EnvironmentKey,
        expected: ExpectedVersion,
        target: Target,
    ) -> Result<WriteResult<ActivationResult>> {
        policy::allow(caller, Action::ActivateVersions)?;
        let registry = self.clone();
        self.write(caller, move |txn| async move {
            let (txn, _, mut place) =
                txn.serving(Action::ActivateVersions, id, &environment, AgentLock::Kept).await?;
            permission::check_archived(Action::ActivateVersions, &place.agent)?;
            let actual = place.active_version_id;
            if let Some(expected) = expected.filter(|expected| *expected != actual) {
                return Err(not_active(&txn, &place, expected, "expectedActiveVersionId").await?);
            }
            let (to, reason, clearance) = match target {
                Target::Version(id, plan) => {
                    let clearance = registry.clear(&txn, &place, id.into(), &plan).await?;
                    (Some(id), Reason::Activate, clearance)
                }
                Target::Earlier(to) => {
                    let clearance = Clearance::of_role(&txn, &place)?;
                    (Some(rollback::target(&txn, &place, to).await?), Reason::Rollback, clearance)
                }
                Target::Nothing => (None, Reason::Deactivate, Clearance::of_role(&txn, &place)?),
            };
            change_locked(&txn, registry.clock(), &mut place, to, reason.into(), clearance).await
        })
        .await
    }

    /// Activates in one environment the version that is active in another. Compares what is active in both, in the commit
    /// that activates it.
    ///
    /// # Errors
    /// As [`Registry::activate_version`]; [`Error::Invalid`] for the same environment twice.
    pub async fn promote_version(
        &self,
        caller: &Caller,
        input: PromoteVersion,
    ) -> Result<WriteResult<ActivationResult>> {
        policy::allow(caller, Action::ActivateVersions)?;
        let PromoteVersion { agent_id, from, to, expected_from, expected_to, plan } = input;
        if from == to {
            return Err(Error::invalid("toEnvironment", "toEnvironment must differ from fromEnvironment"));
        }
        let registry = self.clone();
        self.write(caller, move |txn| async move {
            let (txn, mut place, source) =
                txn.two_servings(Action::ActivateVersions, agent_id, (&to, &from)).await?;
            permission::check_archived(Action::ActivateVersions, &place.agent)?;
            if source.active_version_id != Some(expected_from) {
                return Err(not_active(&txn, &source, Some(expected_from), "expectedFromVersionId").await?);
            }
            if place.active_version_id != expected_to {
                return Err(not_active(&txn, &place, expected_to, "expectedToVersionId").await?);
            }
            let clearance = registry.clear(&txn, &place, expected_from.into(), &plan).await?;
            let cause = Cause { reason: Reason::Activate, promoted_from: Some(from) };
            change_locked(&txn, registry.clock(), &mut place, Some(expected_from), cause, clearance).await
        })
        .await
    }
}

/// What to activate.
pub(super) enum Target {
    /// This version, and the plan of its activation that the caller has seen.
    Version(VersionId, PlanConfirmation),
    /// A version that served before.
    Earlier(RollbackTo),
    /// No version.
    Nothing,
}

/// What changes an active version.
#[derive(Clone, Debug)]
pub(super) struct Cause {
    reason: Reason,
    /// The environment from which the version is promoted. The reason is [`Reason::Activate`] then.
    promoted_from: Option<EnvironmentKey>,
}

impl From<Reason> for Cause {
    fn from(reason: Reason) -> Self {
        Self { reason, promoted_from: None }
    }
}

/// The error when the active version isn't the expected one, with both numbers.
async fn not_active(
    txn: &GrantedTxn,
    place: &LockedServing,
    expected: Option<VersionId>,
    field: &'static str,
) -> Result<Error> {
    let ids: Vec<VersionId> = expected.into_iter().chain(place.active_version_id).collect();
    let versions = txn.all(agent_version::summaries(&ids)).await?;
    let number = |id: VersionId| {
        let own = versions.iter().find(|version| version.id == id && version.agent_id == place.agent.id);
        own.map(|version| version.number)
    };
    let expected = match expected {
        None => ExpectedNumber::Nothing,
        Some(id) => number(id).map_or(ExpectedNumber::Unknown, ExpectedNumber::Version),
    };
    Ok(Error::NotActive { field, expected, actual: place.active_version_id.and_then(number) })
}

/// Changes what a locked serving's agent serves. Records nothing when it serves that already.
async fn change_locked(
    txn: &GrantedTxn,
    clock: &Clock,
    place: &mut LockedServing,
    to: Option<VersionId>,
    cause: Cause,
    clearance: Clearance,
) -> Result<Outcome<ActivationResult>> {
    if to == place.active_version_id {
        return unchanged_result(txn, place).await;
    }
    let activation = Some(activate_locked(txn, clock, place, to, cause, clearance).await?);
    Ok(Outcome::Changed(ActivationResult { agent: place.agent.clone(), activation }))
}

/// The result when nothing has to change: the agent as it is, its last activation, and that activation's revision.
async fn unchanged_result(txn: &GrantedTxn, place: &LockedServing) -> Result<Outcome<ActivationResult>> {
    let (agent, key) = (place.agent.clone(), place.key());
    let last = txn.one(activation::latest(agent.id, key)).await?;
    let activation = last.as_ref().map(|last| last.id);
    let since = match last.and_then(|last| last.revision) {
        Some(revision) => revision,
        // Nothing ever served there.
        None => agent::last_change(txn, agent.id, ChangeAction::AgentCreated).await?,
    };
    Ok(Outcome::Unchanged { value: ActivationResult { agent, activation }, since })
}

/// Changes what a locked agent serves, or deactivates it: records the change and writes it.
pub(super) async fn activate_locked(
    txn: &GrantedTxn,
    clock: &Clock,
    place: &mut LockedServing,
    to: Option<VersionId>,
    cause: impl Into<Cause>,
    clearance: Clearance,
) -> Result<ActivationId> {
    let activation = record_activation(txn, clock, place, to, cause, clearance);
    let id = activation.id;
    let mut publication = Publication { activations: vec![activation], ..Publication::default() };
    place.put(&mut publication);
    txn.publish(publication).await?;
    Ok(id)
}

/// Changes what a locked agent serves, or deactivates it, and records that. The caller must write the serving
/// ([`LockedServing::put`]) and the activation.
pub(super) fn record_activation(
    txn: &GrantedTxn,
    clock: &Clock,
    place: &mut LockedServing,
    to: Option<VersionId>,
    cause: impl Into<Cause>,
    clearance: Clearance,
) -> Activation {
    let Cause { reason, promoted_from } = cause.into();
    let Actor { kind, id: by } = txn.actor();
    let now = clock.now();
    let (agent, environment) = (&place.agent, &place.environment);
    let activation = Activation {
        id: clock.id(),
        customer_id: agent.customer_id,
        agent_id: agent.id,
        environment_id: environment.id,
        environment_key: environment.key.clone(),
        version_id: to,
        previous_version_id: place.active_version_id,
        reason,
        promoted_from,
        activated_by_kind: kind,
        activated_by_id: by,
        activated_at: now,
        revision: None,
        position: None,
        cursor_hash: None,
    };
    let action = if to.is_some() { ChangeAction::AgentActivated } else { ChangeAction::AgentDeactivated };
    let before = json!({ "version_id": place.active_version_id });
    let mut details = serde_json::Map::from_iter([
        ("before".to_owned(), before),
        ("after".to_owned(), json!({ "version_id": to })),
        ("reason".to_owned(), json!(sea_orm::ActiveEnum::to_value(&reason))),
    ]);
    // An entry without an environment is one of the default, as all were before there were others.
    if !environment.is_default {
        details.insert("environment".to_owned(), json!(environment.key));
    }
    if let Some(from) = &activation.promoted_from {
        details.insert("promoted_from".to_owned(), json!(from));
    }
    let entry = ChangeRecord::of(action, agent.customer_id).agent(agent.id).version(to);
    txn.record(entry.subject(activation.id).details(details.into()));
    place.set(to, now, clearance);
    activation
}
