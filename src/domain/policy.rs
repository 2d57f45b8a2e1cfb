//! Who may do what. Pure: it asks no database, and its table is a test.

use super::{Caller, Error, Principal, Result, ServiceScope};
use crate::{entity::membership::Role, id::CustomerId};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Create customers.
    CreateCustomer,
    /// Name operators and make service tokens.
    ManagePlatform,
    /// Set what customers pay for, and where they stand with their bills.
    ManageBilling,
    /// Change a customer's own fields.
    UpdateCustomer,
    /// Set who works for a customer.
    ManageMembers,
    /// Read a customer and its agents, versions and activations.
    ReadAgents,
    /// Read what serves, met through an activation.
    ReadServing,
    /// See who did something.
    ReadPeople,
    /// Create, update, archive and restore agents; publish, activate, roll back.
    WriteAgents,
    /// Read active configurations.
    ReadConfigs,
    /// Watch activations.
    WatchActivations,
}

impl Action {
    /// All of them, for tests that walk the table.
    pub const ALL: [Self; 11] = [
        Self::CreateCustomer,
        Self::ManagePlatform,
        Self::ManageBilling,
        Self::UpdateCustomer,
        Self::ManageMembers,
        Self::ReadAgents,
        Self::ReadServing,
        Self::ReadPeople,
        Self::WriteAgents,
        Self::ReadConfigs,
        Self::WatchActivations,
    ];

    /// The least role at a customer that may do it there; none when no member may.
    fn role(self) -> Option<Role> {
        match self {
            Self::CreateCustomer | Self::ManagePlatform | Self::ManageBilling => None,
            Self::UpdateCustomer | Self::ManageMembers => Some(Role::Admin),
            Self::WriteAgents => Some(Role::Editor),
            Self::ReadAgents
            | Self::ReadServing
            | Self::ReadPeople
            | Self::ReadConfigs
            | Self::WatchActivations => Some(Role::Viewer),
        }
    }

    /// Whether a service with these scopes may do it.
    fn service(self, has: impl Fn(ServiceScope) -> bool) -> bool {
        match self {
            Self::ReadConfigs => has(ServiceScope::ConfigsRead),
            Self::WatchActivations => has(ServiceScope::ActivationsWatch),
            Self::ReadServing => has(ServiceScope::ConfigsRead) || has(ServiceScope::ActivationsWatch),
            Self::CreateCustomer
            | Self::ManagePlatform
            | Self::ManageBilling
            | Self::UpdateCustomer
            | Self::ManageMembers
            | Self::ReadAgents
            | Self::ReadPeople
            | Self::WriteAgents => false,
        }
    }
}

/// Decides before anything is read: whether this caller may ever do this. What it may do it to is decided by
/// [`allow_on`], once the row's customer is known.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn allow(caller: &Caller, action: Action) -> Result<()> {
    match &caller.principal {
        Principal::System => Ok(()),
        Principal::User(user) if user.operator => Ok(()),
        Principal::User(_) if action.role().is_some() => Ok(()),
        Principal::User(_) => Err(Error::Forbidden("only an operator may do this")),
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
    let Principal::User(user) = &caller.principal else {
        return Ok(());
    };
    if user.operator {
        return Ok(());
    }
    match (user.memberships.get(&customer), action.role()) {
        (None, _) => Err(Error::NotFound(what)),
        (Some(has), Some(least)) if *has >= least => Ok(()),
        (Some(_), _) => Err(Error::Forbidden("your role at this customer does not allow this")),
    }
}

/// Whether the caller acts for the platform, which works on suspended customers too.
#[must_use]
pub fn is_platform(caller: &Caller) -> bool {
    match &caller.principal {
        Principal::System => true,
        Principal::User(user) => user.operator,
        Principal::Service(_) => false,
    }
}
