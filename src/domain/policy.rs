//! The policy: which caller may do which action. Pure functions without access to the database; a test compares them
//! with the table of all rights.

use super::{Caller, Error, KeyScope, Principal, Result, ServiceScope};
use crate::{
    entity::{TenantFilter, membership::Role},
    id::CustomerId,
};

/// The state that a customer must be in for an action on its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CustomerState {
    /// Served, so neither suspended nor canceled. The platform may also act on suspended and canceled customers, but
    /// not on erased ones.
    Served,
    /// Not erased.
    Kept,
    /// Any state. The operation itself may require more.
    Any,
}

/// Passes all actions to a macro, each with its description. Clients read the descriptions: GraphQL's `Permission` is
/// defined from the same list.
macro_rules! with_actions {
    ($define:ident) => {
        $define! {
            /// Create customers; for operators.
            CreateCustomer,
            /// Create, rotate and revoke service tokens, add and remove operators, and list tokens, people and the
            /// subscriptions of an instance; for operators.
            ManagePlatform,
            /// Set a customer's plan and billing status; for operators.
            ManageBilling,
            /// Erase the data of a CANCELED customer; for operators.
            EraseCustomer,
            /// Change a customer's name.
            UpdateCustomer,
            /// Read a customer's plan, usage and billing status.
            ReadBilling,
            /// Read a customer's members and open invitations, with e-mail addresses.
            ReadMembers,
            /// Invite members, and change members' roles.
            ManageMembers,
            /// Remove members, and revoke invitations.
            RemoveMembers,
            /// Read a customer's API keys, without their secrets.
            ReadKeys,
            /// Create and rotate a customer's API keys.
            ManageKeys,
            /// Revoke a customer's API keys.
            RevokeKeys,
            /// Read and list customers, agents, versions and activations.
            ReadAgents,
            /// Read an agent or version that another object leads to, such as an activation or a mutation's payload.
            ReadServing,
            /// Read the content of versions: prompts, parameters and tools.
            ReadContent,
            /// Read descriptions of agents and messages of versions, which people wrote for people.
            ReadNotes,
            /// Read who did something.
            ReadPeople,
            /// Create, change, archive and restore environments.
            ManageEnvironments,
            /// Create, update, archive and restore agents.
            WriteAgents,
            /// Publish versions of agents.
            PublishVersions,
            /// Activate versions, roll back and deactivate.
            ActivateVersions,
            /// Export a customer's agents with all their versions, as a file.
            ExportAgents,
            /// Import agents with all their versions from a file.
            ImportAgents,
            /// Read the active configurations of agents.
            ReadConfigs,
            /// Subscribe to activations; together with READ_CONFIGS, also to configurations.
            WatchActivations,
            /// Read the audit log, and subscribe to it.
            ReadChanges,
            /// Read gateways by their names, with their regions and builds; for operators.
            ReadGateways,
        }
    };
}

pub(crate) use with_actions;

/// Defines [`Action`] and the list of all actions.
macro_rules! define_action {
    ($($(#[$description:meta])* $Action:ident,)*) => {
        /// An action that a caller may or may not be allowed to do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$description])* $Action,)*
        }

        impl Action {
            /// All actions: for tests of the whole table, and for callers that ask what they are allowed to do.
            pub const ALL: [Self; [$(Self::$Action),*].len()] = [$(Self::$Action),*];
        }
    };
}

with_actions!(define_action);

impl Action {
    /// The state that the customer must be in. Actions that only remove rights are possible at suspended and canceled
    /// customers, because their keys can leak too. Deactivating isn't one of these: a suspended customer serves
    /// nothing anyway.
    #[must_use]
    pub fn state_needed(self) -> CustomerState {
        match self {
            Self::UpdateCustomer
            | Self::ManageMembers
            | Self::ManageKeys
            | Self::ManageEnvironments
            | Self::WriteAgents
            | Self::PublishVersions
            | Self::ActivateVersions
            | Self::ImportAgents => CustomerState::Served,
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
            | Self::ExportAgents
            | Self::ReadConfigs
            | Self::WatchActivations
            | Self::ReadChanges
            | Self::ReadGateways => CustomerState::Any,
        }
    }

    /// The lowest role at a customer that may do this there; `None` when no member may.
    fn role(self) -> Option<Role> {
        match self {
            Self::CreateCustomer
            | Self::ManagePlatform
            | Self::ManageBilling
            | Self::EraseCustomer
            | Self::ReadGateways => None,
            Self::UpdateCustomer
            | Self::ReadMembers
            | Self::ManageMembers
            | Self::RemoveMembers
            | Self::ReadKeys
            | Self::ManageKeys
            | Self::RevokeKeys
            | Self::ManageEnvironments
            | Self::ExportAgents
            | Self::ImportAgents
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

    /// Whether an API key with these scopes may do this at its customer. No scope allows reading API keys, members or
    /// billing; the audit log, which `changes:read` opens, also contains changes of these.
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
            // An export has nothing that the scope can't read one by one.
            Self::ExportAgents => has(KeyScope::AgentsRead),
            Self::ImportAgents => {
                has(KeyScope::AgentsWrite)
                    && has(KeyScope::VersionsPublish)
                    && has(KeyScope::VersionsActivate)
            }
            Self::ReadConfigs => has(KeyScope::ConfigsRead),
            Self::WatchActivations => has(KeyScope::ActivationsWatch),
            // Entries of the audit log name the people who acted.
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
            | Self::RevokeKeys
            | Self::ManageEnvironments
            | Self::ReadGateways => false,
        }
    }

    /// Whether a service token with these scopes may do this.
    fn service(self, has: impl Fn(ServiceScope) -> bool) -> bool {
        match self {
            Self::ReadConfigs => has(ServiceScope::ConfigsRead),
            Self::WatchActivations => has(ServiceScope::ActivationsWatch),
            Self::ReadServing => has(ServiceScope::ConfigsRead) || has(ServiceScope::ActivationsWatch),
            // Only of active versions: `Registry::version_bodies` checks that. `Registry::pinned_bodies` needs `ReadConfigs`.
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
            | Self::ManageEnvironments
            | Self::ReadAgents
            | Self::ReadNotes
            | Self::ReadPeople
            | Self::WriteAgents
            | Self::PublishVersions
            | Self::ActivateVersions
            | Self::ExportAgents
            | Self::ImportAgents
            | Self::ReadChanges
            | Self::ReadGateways => false,
        }
    }
}

/// Decides, before anything is read, whether this caller may do this at any customer. Once the row's customer is
/// known, [`allow_on`] decides about that customer.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn allow(caller: &Caller, action: Action) -> Result<()> {
    allow_principal(&caller.principal, action)
}

/// Decides as [`allow`] does, for a principal.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn allow_principal(principal: &Principal, action: Action) -> Result<()> {
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

/// Decides whether this caller may do this to the data of one customer. `what` is the noun for [`Error::NotFound`].
///
/// # Errors
/// [`Error::NotFound`] when the caller may not see this customer, [`Error::Forbidden`] when it may, but isn't allowed
/// to do this.
pub fn allow_on(caller: &Caller, action: Action, customer: CustomerId, what: &'static str) -> Result<()> {
    allow_principal_on(&caller.principal, action, customer, what)
}

/// Decides as [`allow_on`] does, for a principal.
///
/// # Errors
/// As [`allow_on`].
pub fn allow_principal_on(
    principal: &Principal,
    action: Action,
    customer: CustomerId,
    what: &'static str,
) -> Result<()> {
    allow_principal(principal, action)?;
    match principal {
        Principal::System => Ok(()),
        Principal::User(user) if user.operator => Ok(()),
        Principal::User(user) => match (user.memberships.get(&customer), action.role()) {
            (None, _) => Err(Error::NotFound(what)),
            (Some(has), Some(least)) if *has >= least => Ok(()),
            (Some(_), _) => Err(Error::Forbidden("your role at this customer does not allow this")),
        },
        Principal::ApiKey(key) if key.customer_id == customer => Ok(()),
        Principal::Service(service) if service.admits(customer) => Ok(()),
        Principal::ApiKey(_) | Principal::Service(_) => Err(Error::NotFound(what)),
    }
}

/// The customers at which this caller may do this; the list may be empty.
///
/// # Errors
/// [`Error::Forbidden`] when the caller may not do this at any customer, whatever its memberships.
pub fn tenant_filter(caller: &Caller, action: Action) -> Result<TenantFilter> {
    allow(caller, action)?;
    Ok(match &caller.principal {
        Principal::System => TenantFilter::All,
        Principal::User(user) if user.operator => TenantFilter::All,
        Principal::User(user) => {
            let may = |role: &Role| action.role().is_some_and(|least| *role >= least);
            TenantFilter::Only(
                user.memberships.iter().filter(|(_, role)| may(role)).map(|(id, _)| *id).collect(),
            )
        }
        Principal::ApiKey(key) => TenantFilter::Only(vec![key.customer_id]),
        Principal::Service(service) => match &service.customers {
            None => TenantFilter::All,
            Some(customers) => TenantFilter::Only(customers.iter().copied().collect()),
        },
    })
}

/// The role at this customer that the caller counts as where environments ask for one: EDITOR for an API key, ADMIN for
/// an operator and the command line.
#[must_use]
pub fn role_of(caller: &Caller, customer: CustomerId) -> Role {
    match &caller.principal {
        Principal::System => Role::Admin,
        Principal::User(user) if user.operator => Role::Admin,
        Principal::User(user) => user.memberships.get(&customer).copied().unwrap_or(Role::Viewer),
        Principal::ApiKey(_) => Role::Editor,
        Principal::Service(_) => Role::Viewer,
    }
}

/// Whether the caller acts for the platform: only it may change suspended customers.
#[must_use]
pub fn is_platform(caller: &Caller) -> bool {
    match &caller.principal {
        Principal::System => true,
        Principal::User(user) => user.operator,
        Principal::ApiKey(_) | Principal::Service(_) => false,
    }
}
