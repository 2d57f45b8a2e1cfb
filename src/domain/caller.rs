//! Who calls: the principal behind a credential, and what its database transactions may touch.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    clock::Instant,
    db::{Actor, Scope, View},
    entity::{change::ActorKind, membership::Role},
    id::{CustomerId, ServiceTokenId, UserId},
};

/// One call's caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who it is.
    pub principal: Principal,
    /// Names the call in answers, logs and the change log; at most 64 characters.
    pub request_id: String,
}

/// Who is behind a credential.
#[derive(Clone, Debug)]
pub enum Principal {
    /// A person.
    User(UserPrincipal),
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
    /// When the token ceases to be valid.
    pub expires_at: Instant,
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

/// What a service token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceScope {
    /// Reads all customers' active configurations.
    ConfigsRead,
    /// Watches all customers' activations.
    ActivationsWatch,
}

impl ServiceScope {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::ConfigsRead, Self::ActivationsWatch];

    /// Its spelling on the wire and in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigsRead => "configs:read",
            Self::ActivationsWatch => "activations:watch",
        }
    }
}

impl std::str::FromStr for ServiceScope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| format!("unknown scope; known are {}", known()))
    }
}

impl Caller {
    /// The command line, or the service itself.
    #[must_use]
    pub fn system(request_id: impl Into<String>) -> Self {
        Self { principal: Principal::System, request_id: request_id.into() }
    }

    /// What this caller's transactions may touch.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match &self.principal {
            Principal::System => Scope::Platform,
            Principal::User(user) if user.operator => Scope::Platform,
            Principal::User(user) => Scope::Customers(user.memberships.keys().copied().collect()),
            Principal::Service(_) => Scope::Runtime,
        }
    }

    /// Whether this caller may see all that `earlier` might.
    #[must_use]
    pub fn sees_what(&self, earlier: &Self) -> bool {
        match (self.scope(), earlier.scope()) {
            (Scope::Platform, _) => true,
            (Scope::Customers(now), Scope::Customers(then)) => then.iter().all(|each| now.contains(each)),
            (now, then) => now == then,
        }
    }

    /// How the log names this caller.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match &self.principal {
            Principal::System => Actor { kind: ActorKind::System, id: None },
            Principal::User(user) => Actor { kind: ActorKind::User, id: Some(user.id.into()) },
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
            Principal::User(_) | Principal::Service(_) | Principal::System => None,
        }
    }

    /// When its credential ceases to be valid, if it does by itself.
    #[must_use]
    pub fn expires_at(&self) -> Option<Instant> {
        match &self.principal {
            Principal::User(user) => Some(user.expires_at),
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
