//! Maps a log entry to the configurations that it affects.

use crate::{
    domain::change::{Change, ChangeAction},
    id::{AgentId, CustomerId},
};

/// The configurations that a log entry may have changed.
pub(super) enum AffectedConfigs {
    Nothing,
    Agent(AgentId),
    /// All configurations of a customer: it was suspended or canceled, or is served again.
    Customer(CustomerId),
}

/// Returns the configurations that this entry may have changed.
pub(super) fn affected_configs(change: &Change) -> AffectedConfigs {
    match change.action {
        ChangeAction::AgentActivated | ChangeAction::AgentDeactivated | ChangeAction::AgentUpdated => {
            change.agent_id.map_or(AffectedConfigs::Nothing, AffectedConfigs::Agent)
        }
        ChangeAction::CustomerBillingSet if change.starts_or_stops_serving() => {
            change.customer_id.map_or(AffectedConfigs::Nothing, AffectedConfigs::Customer)
        }
        // Archiving an active agent also deactivates it, and only a canceled customer can be erased.
        ChangeAction::CustomerCreated
        | ChangeAction::CustomerUpdated
        | ChangeAction::CustomerPlanSet
        | ChangeAction::CustomerBillingSet
        | ChangeAction::CustomerErased
        | ChangeAction::UserCreated
        | ChangeAction::UserUpdated
        | ChangeAction::MemberSet
        | ChangeAction::MemberRemoved
        | ChangeAction::InvitationCreated
        | ChangeAction::InvitationRevoked
        | ChangeAction::ApiKeyCreated
        | ChangeAction::ApiKeyRotated
        | ChangeAction::ApiKeyRevoked
        | ChangeAction::OperatorAdded
        | ChangeAction::OperatorRemoved
        | ChangeAction::ServiceTokenCreated
        | ChangeAction::ServiceTokenRevoked
        | ChangeAction::AgentCreated
        | ChangeAction::AgentArchived
        | ChangeAction::AgentRestored
        | ChangeAction::VersionPublished
        | ChangeAction::LogPruned => AffectedConfigs::Nothing,
    }
}
