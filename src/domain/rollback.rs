//! Rollback: which version an agent goes back to. Going back follows the order in which versions were last activated
//! explicitly, and never returns to a version that a rollback has left since.

use std::collections::HashMap;

use super::{
    Caller, Error, Reading, Registry, Result, WriteResult,
    activation::{ActivationResult, ExpectedVersion, Target},
    agent::Agent,
    environment::EnvironmentKey,
    policy::{self, Action},
    right::GrantedTxn,
    serving::LockedServing,
};
use crate::{
    entity::{agent_version, count::Counted, rollback_target},
    id::{AgentId, VersionId},
};

/// How far to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RollbackTo {
    /// This many times as far as one rollback goes; at least 1.
    Steps(i32),
    /// To this version, however far that is.
    Version(VersionId),
}

impl RollbackTo {
    /// What a client asks for. One step back when it gives neither.
    ///
    /// # Errors
    /// [`Error::Invalid`] for both, and for steps below 1.
    pub fn of(version: Option<VersionId>, steps: Option<i32>) -> Result<Self> {
        match (version, steps) {
            (Some(_), Some(_)) => Err(Error::invalid("steps", "give `toVersionId` or `steps`, not both")),
            (None, Some(steps)) if steps < 1 => {
                Err(Error::invalid("steps", format!("`steps` must be 1 or more, got {steps}")))
            }
            (Some(version), None) => Ok(Self::Version(version)),
            (None, steps) => Ok(Self::Steps(steps.unwrap_or(1))),
        }
    }
}

impl Registry {
    /// Activates in an environment a version that was active there before. Going back `n` steps equals going back one step `n` times: all
    /// versions on the way count as left, and only an explicit activation brings one back. After a deactivation the
    /// first step returns to the version that was active before it.
    ///
    /// # Errors
    /// As [`Registry::activate_version`]; [`Error::Invalid`] when there is no such version to go back to.
    pub async fn rollback(
        &self,
        caller: &Caller,
        agent_id: AgentId,
        environment: EnvironmentKey,
        to: RollbackTo,
        expected: ExpectedVersion,
    ) -> Result<WriteResult<ActivationResult>> {
        self.change_active(caller, agent_id, environment, expected, Target::Earlier(to)).await
    }

    /// For each of these agents in the environment beside it, the version that a rollback by one step would activate.
    /// Leaves out agents that have none there, and archived agents.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a service token, and for an API key without `agents:read`.
    pub async fn rollback_targets_of_each(
        &self,
        reading: &Reading,
        places: &[(AgentId, EnvironmentKey)],
    ) -> Result<HashMap<(AgentId, EnvironmentKey), VersionId>> {
        policy::allow(&reading.caller, Action::ReadAgents)?;
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        let select = rollback_target::next_of_each(&tenants, &reach, places);
        let rows = reading.view.all(select).await?;
        Ok(rows.into_iter().map(|row| ((row.agent_id, row.environment_key), row.version_id)).collect())
    }
}

/// The version that a rollback of this locked serving activates.
pub(super) async fn target(txn: &GrantedTxn, place: &LockedServing, to: RollbackTo) -> Result<VersionId> {
    match to {
        RollbackTo::Steps(steps) => step_back(txn, place, steps).await,
        RollbackTo::Version(id) if place.active_version_id == Some(id) => Ok(id),
        RollbackTo::Version(id) => {
            let select = rollback_target::of_version(place.agent.id, place.key(), id);
            match txn.one(select).await? {
                Some(target) => Ok(target.version_id),
                None => Err(not_a_target(txn, &place.agent, id).await?),
            }
        }
    }
}

async fn step_back(txn: &GrantedTxn, place: &LockedServing, steps: i32) -> Result<VersionId> {
    let (id, key, active) = (place.agent.id, place.key(), place.active_version_id);
    let skipped = u64::try_from(steps).unwrap_or(1).saturating_sub(1);
    if let Some(target) = txn.one(rollback_target::nth(id, key, active, skipped)).await? {
        return Ok(target.version_id);
    }
    let targets = txn.one(rollback_target::count(id, key, active)).await?.map(Counted::bounded);
    Err(match targets.unwrap_or_default().total() {
        0 => Error::invalid(
            "agentId",
            "there is nothing to go back to: no other version served before, or rollbacks have left each since its \
             last activation; `activateVersion` activates any version",
        ),
        targets => {
            Error::invalid("steps", format!("`steps` must be 1 to {targets} for this agent, got {steps}"))
        }
    })
}

/// Why a rollback can't go to this version.
async fn not_a_target(txn: &GrantedTxn, agent: &Agent, id: VersionId) -> Result<Error> {
    let version =
        txn.one(agent_version::summaries(&[id])).await?.filter(|version| version.agent_id == agent.id);
    Ok(version.map_or(Error::NotFound("version of this agent"), |version| {
        Error::invalid(
            "toVersionId",
            format!(
                "version {} never served, or a rollback has left it since its last activation; `activateVersion` activates any version",
                version.number
            ),
        )
    }))
}
