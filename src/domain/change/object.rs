//! What an entry of the log is about: the object that changed, and the environment.

use super::{Change, ChangeAction};
use crate::{
    environment_key::EnvironmentKey,
    id::{ActivationId, ApiKeyId, EnvironmentId, InvitationId, ServiceTokenId, UserId},
};

/// The object that an entry of the log is about, besides its agent and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangedObject {
    /// An activation was recorded.
    Activation(ActivationId),
    /// An API key changed.
    ApiKey(ApiKeyId),
    /// An environment changed.
    Environment(EnvironmentId),
    /// An invitation was created or revoked.
    Invitation(InvitationId),
    /// A service token changed.
    ServiceToken(ServiceTokenId),
    /// A user, its membership, its being an operator, or one of its sessions changed.
    User(UserId),
}

impl Change {
    /// The object that this entry is about, besides its agent and version; `None` for entries that are about none.
    #[must_use]
    pub fn object(&self) -> Option<ChangedObject> {
        let id = self.subject_id?;
        match self.action {
            ChangeAction::AgentActivated | ChangeAction::AgentDeactivated => {
                Some(ChangedObject::Activation(id.into()))
            }
            ChangeAction::ApiKeyCreated | ChangeAction::ApiKeyRotated | ChangeAction::ApiKeyRevoked => {
                Some(ChangedObject::ApiKey(id.into()))
            }
            ChangeAction::EnvironmentCreated
            | ChangeAction::EnvironmentUpdated
            | ChangeAction::EnvironmentArchived
            | ChangeAction::EnvironmentRestored => Some(ChangedObject::Environment(id.into())),
            ChangeAction::InvitationCreated | ChangeAction::InvitationRevoked => {
                Some(ChangedObject::Invitation(id.into()))
            }
            ChangeAction::ServiceTokenCreated
            | ChangeAction::ServiceTokenRotated
            | ChangeAction::ServiceTokenRevoked => Some(ChangedObject::ServiceToken(id.into())),
            ChangeAction::UserCreated
            | ChangeAction::UserUpdated
            | ChangeAction::IdentityLinked
            | ChangeAction::MemberSet
            | ChangeAction::MemberRemoved
            | ChangeAction::OperatorAdded
            | ChangeAction::OperatorRemoved
            | ChangeAction::SessionStarted
            | ChangeAction::SessionEnded => Some(ChangedObject::User(id.into())),
            ChangeAction::CustomerCreated
            | ChangeAction::CustomerUpdated
            | ChangeAction::CustomerPlanSet
            | ChangeAction::CustomerBillingSet
            | ChangeAction::CustomerErased
            | ChangeAction::IssuerKeysRefreshed
            | ChangeAction::AgentCreated
            | ChangeAction::AgentUpdated
            | ChangeAction::AgentArchived
            | ChangeAction::AgentRestored
            | ChangeAction::VersionPublished
            | ChangeAction::LogPruned => None,
        }
    }
}

/// The environment that an entry of the log is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangedEnvironment {
    /// The one with this id changed.
    Id(EnvironmentId),
    /// A version was activated, or an agent deactivated, in the one with this key.
    Key(EnvironmentKey),
}

impl Change {
    /// The environment that this entry is about; `None` for entries that are about none.
    #[must_use]
    pub fn environment(&self) -> Option<ChangedEnvironment> {
        match self.action {
            ChangeAction::EnvironmentCreated
            | ChangeAction::EnvironmentUpdated
            | ChangeAction::EnvironmentArchived
            | ChangeAction::EnvironmentRestored => {
                self.subject_id.map(|id| ChangedEnvironment::Id(id.into()))
            }
            ChangeAction::AgentActivated | ChangeAction::AgentDeactivated => {
                Some(ChangedEnvironment::Key(self.environment_key()))
            }
            _ => None,
        }
    }

    /// The environment of this entry of an activation: the default one unless the entry names another, as all were before
    /// there were others.
    #[must_use]
    pub fn environment_key(&self) -> EnvironmentKey {
        #[derive(serde::Deserialize)]
        struct Place {
            environment: Option<EnvironmentKey>,
        }
        // Most entries are of the default environment, and aren't parsed.
        if !self.details.contains("\"environment\"") {
            return EnvironmentKey::default();
        }
        json_reader::read_as::<Place>(self.details.as_bytes(), &json_reader::Limits::DEPTH_ONLY)
            .ok()
            .and_then(|place| place.environment)
            .unwrap_or_default()
    }
}
