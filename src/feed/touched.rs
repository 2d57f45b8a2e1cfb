//! Which configurations a change of the log is about.

use crate::{
    domain::change::{Change, ChangeAction},
    id::{AgentId, CustomerId},
};

/// Whose configurations a change may have changed.
pub(super) enum Touched {
    Nothing,
    Agent(AgentId),
    /// All of a customer's, because it is served no more, or again.
    Customer(CustomerId),
}

/// Whose configurations this may have changed.
pub(super) fn touched(change: &Change) -> Touched {
    match change.action {
        ChangeAction::AgentActivated | ChangeAction::AgentDeactivated | ChangeAction::AgentUpdated => {
            change.agent_id.map_or(Touched::Nothing, Touched::Agent)
        }
        ChangeAction::CustomerBillingSet if change.turns_serving() => {
            change.customer_id.map_or(Touched::Nothing, Touched::Customer)
        }
        // Archiving an agent that serves deactivates it; erasing needs a customer that is not served.
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
        | ChangeAction::LogPruned => Touched::Nothing,
    }
}
