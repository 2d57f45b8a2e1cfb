//! Events of a customer: the entries of the log that a reader of the customer's agents receives, without reading the audit.

use json_reader::Limits;

use super::{Change, ChangeAction, ChangedEnvironment};
use crate::{
    domain::{
        Caller, EnvironmentFilter,
        policy::{self, Action},
    },
    environment_key::EnvironmentKey,
};

impl ChangeAction {
    /// The right that a reader needs at the customer to receive entries of this kind as events; `None` for kinds that are
    /// in the audit alone.
    fn event_right(self) -> Option<Action> {
        match self {
            Self::CustomerCreated
            | Self::CustomerUpdated
            | Self::CustomerErased
            | Self::EnvironmentCreated
            | Self::EnvironmentUpdated
            | Self::EnvironmentArchived
            | Self::EnvironmentRestored
            | Self::AgentCreated
            | Self::AgentUpdated
            | Self::AgentArchived
            | Self::AgentRestored
            | Self::VersionPublished
            | Self::AgentActivated
            | Self::AgentDeactivated => Some(Action::ReadAgents),
            // API keys may read neither plan nor status.
            Self::CustomerPlanSet | Self::CustomerBillingSet => Some(Action::ReadBilling),
            Self::UserCreated
            | Self::UserUpdated
            | Self::IdentityLinked
            | Self::MemberSet
            | Self::MemberRemoved
            | Self::InvitationCreated
            | Self::InvitationRevoked
            | Self::ApiKeyCreated
            | Self::ApiKeyRotated
            | Self::ApiKeyRevoked
            | Self::OperatorAdded
            | Self::OperatorRemoved
            | Self::ServiceTokenCreated
            | Self::ServiceTokenRotated
            | Self::ServiceTokenRevoked
            | Self::IssuerKeysRefreshed
            | Self::SessionStarted
            | Self::SessionEnded
            | Self::LogPruned => None,
        }
    }
}

impl Change {
    /// Whether this caller receives the entry as an event of its customer.
    #[must_use]
    pub fn is_event_for(&self, caller: &Caller) -> bool {
        let (Some(right), Some(customer)) = (self.action.event_right(), self.customer_id) else {
            return false;
        };
        let is_reached = match caller.principal.environments() {
            EnvironmentFilter::All => true,
            reach @ EnvironmentFilter::Only(_) => {
                self.environment().is_none() || self.event_environment().is_some_and(|key| reach.admits(&key))
            }
        };
        is_reached && policy::allow_on(caller, right, customer, "customer").is_ok()
    }

    /// The key of the environment that changed, or in which a version was activated or an agent deactivated; `None` for
    /// other entries, and for older ones that don't name it.
    #[must_use]
    pub fn event_environment(&self) -> Option<EnvironmentKey> {
        match self.environment()? {
            ChangedEnvironment::Key(key) => Some(key),
            ChangedEnvironment::Id(_) => self.changed_key(),
        }
    }

    /// The key of the environment that this entry changes: among its fields when it was created or updated, beside them
    /// when it was archived or restored.
    fn changed_key(&self) -> Option<EnvironmentKey> {
        #[derive(serde::Deserialize)]
        struct Details {
            environment: Option<EnvironmentKey>,
            after: Option<Fields>,
        }
        #[derive(serde::Deserialize)]
        struct Fields {
            environment: Option<EnvironmentKey>,
        }
        let details = json_reader::read_as::<Details>(self.details.as_bytes(), &Limits::DEPTH_ONLY).ok()?;
        details.environment.or_else(|| details.after?.environment)
    }
}
