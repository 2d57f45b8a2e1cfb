//! Who calls: the principal behind a credential, and what its database transactions may touch.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    IdempotencyKey, Result,
    policy::{self, Action},
};
use crate::{
    clock::Instant,
    db::{Actor, Author, Origin, Scope, View},
    entity::{
        Reach,
        change::{ActorKind, Channel},
        customer::Plan,
        membership::Role,
    },
    id::{ApiKeyId, CustomerId, ServiceTokenId, UserId},
};

/// One call's caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// The call that it comes with.
    pub origin: Origin,
    /// The key under which its next write has its effect once.
    pub idempotency: Option<IdempotencyKey>,
}

/// Who is behind a credential.
#[derive(Clone, Debug)]
pub enum Principal {
    /// A person.
    User(UserPrincipal),
    /// A customer's own program.
    ApiKey(KeyPrincipal),
    /// One of the platform's own services.
    Service(ServicePrincipal),
    /// The command line, or the service itself.
    System,
}

/// A person, as its token and our tables know it.
#[derive(Clone, Debug)]
pub struct UserPrincipal {
    /// Its id. While there is no profile, the one that its first write will make.
    pub id: UserId,
    /// Whether there is a profile yet: a mere valid token makes none.
    pub has_profile: bool,
    /// Who vouches for it.
    pub issuer: String,
    /// Its name there.
    pub subject: String,
    /// The token's e-mail, when it has one.
    pub email: Option<String>,
    /// The token's name, when it has one.
    pub name: Option<String>,
    /// Whether it is a user of the platform itself.
    pub operator: bool,
    /// Its role at each of its customers.
    pub memberships: BTreeMap<CustomerId, Role>,
    /// The largest plan of its customers, by which it may ask; the smallest there is when it works for none.
    pub plan: Plan,
    /// When the token ceases to be valid.
    pub expires_at: Instant,
}

/// A customer's own program, as its API key names it.
#[derive(Clone, Debug)]
pub struct KeyPrincipal {
    /// Its key's id.
    pub id: ApiKeyId,
    /// Whose key it is: it knows of no other customer.
    pub customer_id: CustomerId,
    /// Its key's name.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<KeyScope>,
    /// What its customer pays for.
    pub plan: Plan,
    /// When the key ceases to be accepted, if it does by itself.
    pub expires_at: Option<Instant>,
}

/// A service, as its token names it.
#[derive(Clone, Debug)]
pub struct ServicePrincipal {
    /// Its token's id.
    pub id: ServiceTokenId,
    /// Its token's name.
    pub name: String,
    /// What it may do.
    pub scopes: BTreeSet<ServiceScope>,
}

/// A closed list of scopes, spelled as on the wire and in the table.
macro_rules! scopes {
    ($(#[$doc:meta])* $Scope:ident: $count:literal { $($(#[$of:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Scope {
            $($(#[$of])* $name,)*
        }

        impl $Scope {
            /// All of them.
            pub const ALL: [Self; $count] = [$(Self::$name,)*];

            /// Its spelling on the wire and in the table.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }

        impl std::str::FromStr for $Scope {
            type Err = String;

            fn from_str(text: &str) -> std::result::Result<Self, String> {
                let known = || Self::ALL.map(Self::as_str).join(", ");
                Self::ALL
                    .into_iter()
                    .find(|scope| scope.as_str() == text)
                    .ok_or_else(|| format!("unknown scope; known are {}", known()))
            }
        }
    };
}

scopes! {
    /// What a service token may do.
    ServiceScope: 2 {
        /// Reads all customers' active configurations.
        ConfigsRead = "configs:read",
        /// Watches all customers' activations.
        ActivationsWatch = "activations:watch",
    }
}

scopes! {
    /// What an API key may do, at its customer.
    KeyScope: 7 {
        /// Reads agents, versions and activations.
        AgentsRead = "agents:read",
        /// Creates, changes, archives and restores agents.
        AgentsWrite = "agents:write",
        /// Publishes versions.
        VersionsPublish = "versions:publish",
        /// Activates, rolls back and deactivates.
        VersionsActivate = "versions:activate",
        /// Reads active configurations.
        ConfigsRead = "configs:read",
        /// Watches activations and configurations.
        ActivationsWatch = "activations:watch",
        /// Reads the audit.
        ChangesRead = "changes:read",
    }
}

impl Principal {
    /// Whether it is one of the platform's own services.
    #[must_use]
    pub fn is_service(&self) -> bool {
        matches!(self, Self::Service(_))
    }
}

impl Caller {
    /// The command line, or the service itself.
    #[must_use]
    pub fn system(request_id: impl Into<String>) -> Self {
        Self {
            principal: Principal::System,
            origin: Origin::new(request_id, Channel::Command, None),
            idempotency: None,
        }
    }

    /// The same, for one write that has its effect once.
    #[must_use]
    pub fn once(&self, key: IdempotencyKey) -> Self {
        Self { idempotency: Some(key), ..self.clone() }
    }

    /// The name of its call.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.origin.request_id
    }

    /// How the log names this caller and its call.
    pub(super) fn author(&self) -> Author {
        Author { actor: self.actor(), origin: self.origin.clone() }
    }

    /// What this caller's transactions may touch.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match &self.principal {
            Principal::System => Scope::Platform,
            Principal::User(user) if user.operator => Scope::Platform,
            Principal::User(user) => Scope::Customers(user.memberships.keys().copied().collect()),
            Principal::ApiKey(key) => Scope::Customers(vec![key.customer_id]),
            Principal::Service(_) => Scope::Runtime,
        }
    }

    /// Whether this caller may do all that `earlier` might.
    #[must_use]
    pub fn may_what(&self, earlier: &Self) -> bool {
        match (&self.principal, &earlier.principal) {
            (Principal::System, Principal::System) => true,
            (Principal::User(now), Principal::User(then)) => {
                let keeps = |(customer, role)| now.memberships.get(customer).is_some_and(|has| has >= role);
                now.operator || (!then.operator && then.memberships.iter().all(keeps))
            }
            (Principal::ApiKey(now), Principal::ApiKey(then)) => now.scopes.is_superset(&then.scopes),
            (Principal::Service(now), Principal::Service(then)) => now.scopes.is_superset(&then.scopes),
            (Principal::System | Principal::User(_) | Principal::ApiKey(_) | Principal::Service(_), _) => {
                false
            }
        }
    }

    /// The user that calls, if it is one and has a profile.
    #[must_use]
    pub fn profile(&self) -> Option<UserId> {
        match &self.principal {
            Principal::User(user) if user.has_profile => Some(user.id),
            Principal::User(_) | Principal::ApiKey(_) | Principal::Service(_) | Principal::System => None,
        }
    }

    /// How the log names this caller.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match &self.principal {
            Principal::System => Actor { kind: ActorKind::System, id: None },
            Principal::User(user) if user.operator => {
                Actor { kind: ActorKind::Operator, id: Some(user.id.into()) }
            }
            Principal::User(user) => Actor { kind: ActorKind::User, id: Some(user.id.into()) },
            Principal::ApiKey(key) => Actor { kind: ActorKind::ApiKey, id: Some(key.id.into()) },
            Principal::Service(service) => Actor { kind: ActorKind::Service, id: Some(service.id.into()) },
        }
    }

    /// The one customer that its credential implies; none for the platform, and for who works for several or none.
    #[must_use]
    pub fn only_customer(&self) -> Option<CustomerId> {
        match &self.principal {
            Principal::User(user) if !user.operator && user.memberships.len() == 1 => {
                user.memberships.keys().next().copied()
            }
            Principal::ApiKey(key) => Some(key.customer_id),
            Principal::User(_) | Principal::Service(_) | Principal::System => None,
        }
    }

    /// Whether its credential has ceased to be valid by itself.
    #[must_use]
    pub fn has_expired(&self, now: Instant) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }

    /// When its credential ceases to be valid, if it does by itself.
    #[must_use]
    pub fn expires_at(&self) -> Option<Instant> {
        match &self.principal {
            Principal::User(user) => Some(user.expires_at),
            Principal::ApiKey(key) => key.expires_at,
            Principal::Service(_) | Principal::System => None,
        }
    }
}

/// A caller's reading: one moment's truth, as far as it may see.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Who reads.
    pub caller: std::sync::Arc<Caller>,
    /// The snapshot, under the caller's scope.
    pub(crate) view: View,
}

impl Reading {
    /// Whether the reader may do this at this customer; `what` is not found when it may not know of it.
    ///
    /// # Errors
    /// [`super::Error::NotFound`] or [`super::Error::Forbidden`].
    pub fn allow_on(&self, action: Action, customer: CustomerId, what: &'static str) -> Result<()> {
        policy::allow_on(&self.caller, action, customer, what)
    }

    /// Whose rows the reader may do this to: what each query must name.
    ///
    /// # Errors
    /// [`super::Error::Forbidden`].
    pub(crate) fn reach(&self, action: Action) -> Result<Reach> {
        let may = policy::reach(&self.caller, action)?;
        Ok(match self.view.reach() {
            Reach::Everyone => Reach::Everyone,
            Reach::Only(_) => may,
        })
    }
}
