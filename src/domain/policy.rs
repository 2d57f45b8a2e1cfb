//! Who may do what. Pure: it asks no database, and its table is a test.

use super::{Caller, Error, KeyScope, Principal, Result, ServiceScope};
use crate::{
    entity::{Reach, membership::Role},
    id::CustomerId,
};

/// How a customer must stand for something to be done to what it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerState {
    /// It is served, unless the platform does it.
    Served,
    /// It is not erased.
    Kept,
    /// However it stands; the verb itself may ask for more.
    Any,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Create customers.
    CreateCustomer,
    /// Name operators and make service tokens.
    ManagePlatform,
    /// Set what customers pay for, and where they stand with their bills.
    ManageBilling,
    /// Take away what a canceled customer had.
    EraseCustomer,
    /// Change a customer's own fields.
    UpdateCustomer,
    /// See what a customer pays for, how much it has of it, and where it stands with its bills.
    ReadBilling,
    /// See who works for a customer and who is invited, with their addresses.
    ReadMembers,
    /// Invite people to work for a customer, and give its members roles.
    ManageMembers,
    /// Remove members of a customer, and take invitations back.
    RemoveMembers,
    /// See a customer's API keys; never their secrets.
    ReadKeys,
    /// Make and rotate a customer's API keys.
    ManageKeys,
    /// Revoke a customer's API keys.
    RevokeKeys,
    /// Read a customer and its agents, versions and activations.
    ReadAgents,
    /// Read agents and versions met through something that names them: an activation, or one's own write.
    ReadServing,
    /// Read what versions hold: prompts, parameters, tools.
    ReadContent,
    /// Read what people wrote for people: descriptions of agents, messages of versions.
    ReadNotes,
    /// See who did something.
    ReadPeople,
    /// Create, update, archive and restore agents.
    WriteAgents,
    /// Publish versions.
    PublishVersions,
    /// Activate, roll back and deactivate.
    ActivateVersions,
    /// Read active configurations.
    ReadConfigs,
    /// Watch activations.
    WatchActivations,
    /// Read and watch the audit.
    ReadChanges,
}

impl Action {
    /// All of them, for tests that walk the table and for callers who ask what they may do.
    pub const ALL: [Self; 23] = [
        Self::CreateCustomer,
        Self::ManagePlatform,
        Self::ManageBilling,
        Self::EraseCustomer,
        Self::UpdateCustomer,
        Self::ReadBilling,
        Self::ReadMembers,
        Self::ManageMembers,
        Self::RemoveMembers,
        Self::ReadKeys,
        Self::ManageKeys,
        Self::RevokeKeys,
        Self::ReadAgents,
        Self::ReadServing,
        Self::ReadContent,
        Self::ReadNotes,
        Self::ReadPeople,
        Self::WriteAgents,
        Self::PublishVersions,
        Self::ActivateVersions,
        Self::ReadConfigs,
        Self::WatchActivations,
        Self::ReadChanges,
    ];

    /// How the customer must stand. What only takes rights away is done however it stands with its bills: a customer that is
    /// suspended can have a leaked key too. Deactivating is no such thing: nothing of a suspended customer is served.
    #[must_use]
    pub fn state_needed(self) -> CustomerState {
        match self {
            Self::UpdateCustomer
            | Self::ManageMembers
            | Self::ManageKeys
            | Self::WriteAgents
            | Self::PublishVersions
            | Self::ActivateVersions => CustomerState::Served,
            Self::RemoveMembers | Self::RevokeKeys => CustomerState::Kept,
            Self::CreateCustomer
            | Self::ManagePlatform
            | Self::ManageBilling
            | Self::EraseCustomer
            | Self::ReadBilling
            | Self::ReadMembers
            | Self::ReadKeys
            | Self::ReadAgents
            | Self::ReadServing
            | Self::ReadContent
            | Self::ReadNotes
            | Self::ReadPeople
            | Self::ReadConfigs
            | Self::WatchActivations
            | Self::ReadChanges => CustomerState::Any,
        }
    }

    /// The least role at a customer that may do it there; none when no member may.
    fn role(self) -> Option<Role> {
        match self {
            Self::CreateCustomer | Self::ManagePlatform | Self::ManageBilling | Self::EraseCustomer => None,
            Self::UpdateCustomer
            | Self::ReadMembers
            | Self::ManageMembers
            | Self::RemoveMembers
            | Self::ReadKeys
            | Self::ManageKeys
            | Self::RevokeKeys
            | Self::ReadChanges => Some(Role::Admin),
            Self::WriteAgents | Self::PublishVersions | Self::ActivateVersions => Some(Role::Editor),
            Self::ReadAgents
            | Self::ReadServing
            | Self::ReadContent
            | Self::ReadNotes
            | Self::ReadPeople
            | Self::ReadBilling
            | Self::ReadConfigs
            | Self::WatchActivations => Some(Role::Viewer),
        }
    }

    /// Whether an API key with these scopes may do it at its customer. None of them shows keys; who
    /// did something, and what became of plans and bills, is shown to who reads the audit.
    fn key(self, has: impl Fn(KeyScope) -> bool) -> bool {
        let reads =
            has(KeyScope::AgentsRead) || has(KeyScope::ConfigsRead) || has(KeyScope::ActivationsWatch);
        let writes =
            has(KeyScope::AgentsWrite) || has(KeyScope::VersionsPublish) || has(KeyScope::VersionsActivate);
        match self {
            Self::ReadAgents => has(KeyScope::AgentsRead),
            Self::ReadServing => writes || reads || has(KeyScope::ChangesRead),
            Self::ReadNotes => writes || reads,
            Self::ReadContent => reads,
            Self::WriteAgents => has(KeyScope::AgentsWrite),
            Self::PublishVersions => has(KeyScope::VersionsPublish),
            Self::ActivateVersions => has(KeyScope::VersionsActivate),
            Self::ReadConfigs => has(KeyScope::ConfigsRead),
            Self::WatchActivations => has(KeyScope::ActivationsWatch),
            // An audit that does not say who is none.
            Self::ReadChanges | Self::ReadPeople => has(KeyScope::ChangesRead),
            Self::CreateCustomer
            | Self::ManagePlatform
            | Self::ManageBilling
            | Self::EraseCustomer
            | Self::UpdateCustomer
            | Self::ReadBilling
            | Self::ReadMembers
            | Self::ManageMembers
            | Self::RemoveMembers
            | Self::ReadKeys
            | Self::ManageKeys
            | Self::RevokeKeys => false,
        }
    }

    /// Whether a service with these scopes may do it.
    fn service(self, has: impl Fn(ServiceScope) -> bool) -> bool {
        match self {
            Self::ReadConfigs => has(ServiceScope::ConfigsRead),
            Self::WatchActivations => has(ServiceScope::ActivationsWatch),
            Self::ReadServing => has(ServiceScope::ConfigsRead) || has(ServiceScope::ActivationsWatch),
            // Only of what serves; `Registry::version_bodies` looks.
            Self::ReadContent => has(ServiceScope::ConfigsRead),
            Self::CreateCustomer
            | Self::ManagePlatform
            | Self::ManageBilling
            | Self::EraseCustomer
            | Self::UpdateCustomer
            | Self::ReadBilling
            | Self::ReadMembers
            | Self::ManageMembers
            | Self::RemoveMembers
            | Self::ReadKeys
            | Self::ManageKeys
            | Self::RevokeKeys
            | Self::ReadAgents
            | Self::ReadNotes
            | Self::ReadPeople
            | Self::WriteAgents
            | Self::PublishVersions
            | Self::ActivateVersions
            | Self::ReadChanges => false,
        }
    }
}

/// Decides before anything is read: whether this caller may ever do this. What it may do it to is decided by
/// [`allow_on`], once the row's customer is known.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn allow(caller: &Caller, action: Action) -> Result<()> {
    may(&caller.principal, action)
}

/// The same, of whoever it is.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn may(principal: &Principal, action: Action) -> Result<()> {
    match principal {
        Principal::System => Ok(()),
        Principal::User(user) if user.operator => Ok(()),
        Principal::User(_) if action.role().is_some() => Ok(()),
        Principal::User(_) => Err(Error::Forbidden("only an operator may do this")),
        Principal::ApiKey(key) if action.key(|scope| key.scopes.contains(&scope)) => Ok(()),
        Principal::ApiKey(_) => Err(Error::Forbidden("this API key's scopes do not allow this")),
        Principal::Service(service) if action.service(|scope| service.scopes.contains(&scope)) => Ok(()),
        Principal::Service(_) => Err(Error::Forbidden("this service token's scopes do not allow this")),
    }
}

/// Decides for the rows of one customer. `what` is the noun that is not found when the caller may not know of them.
///
/// # Errors
/// [`Error::NotFound`] when the caller may not see this customer, [`Error::Forbidden`] when it may, but not do this.
pub fn allow_on(caller: &Caller, action: Action, customer: CustomerId, what: &'static str) -> Result<()> {
    allow(caller, action)?;
    match &caller.principal {
        Principal::System | Principal::Service(_) => Ok(()),
        Principal::User(user) if user.operator => Ok(()),
        Principal::User(user) => match (user.memberships.get(&customer), action.role()) {
            (None, _) => Err(Error::NotFound(what)),
            (Some(has), Some(least)) if *has >= least => Ok(()),
            (Some(_), _) => Err(Error::Forbidden("your role at this customer does not allow this")),
        },
        Principal::ApiKey(key) if key.customer_id == customer => Ok(()),
        Principal::ApiKey(_) => Err(Error::NotFound(what)),
    }
}

/// At which customers this caller may do this; perhaps at none.
///
/// # Errors
/// [`Error::Forbidden`] when it may nowhere, whoever's customer it is.
pub fn reach(caller: &Caller, action: Action) -> Result<Reach> {
    allow(caller, action)?;
    Ok(match &caller.principal {
        Principal::System | Principal::Service(_) => Reach::Everyone,
        Principal::User(user) if user.operator => Reach::Everyone,
        Principal::User(user) => {
            let may = |role: &Role| action.role().is_some_and(|least| *role >= least);
            Reach::Only(user.memberships.iter().filter(|(_, role)| may(role)).map(|(id, _)| *id).collect())
        }
        Principal::ApiKey(key) => Reach::Only(vec![key.customer_id]),
    })
}

/// Whether the caller acts for the platform, which works on suspended customers too.
#[must_use]
pub fn is_platform(caller: &Caller) -> bool {
    match &caller.principal {
        Principal::System => true,
        Principal::User(user) => user.operator,
        Principal::ApiKey(_) | Principal::Service(_) => false,
    }
}
