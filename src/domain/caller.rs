//! Callers: the principal that a credential belongs to, and the database scope of its transactions.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    IdempotencyKey, KeyScope, Result, ServiceScope,
    auth::LEEWAY,
    policy::{self, Action},
};
use crate::{
    clock::Instant,
    db::{Access, Actor, Author, CallOrigin, Scope, View},
    entity::{
        EnvironmentFilter, TenantFilter,
        change::{ActorKind, Channel},
        customer::Plan,
        membership::Role,
        operator::OperatorName,
    },
    id::{ApiKeyId, CustomerId, ServiceTokenId, SessionId, UserId},
    share::{ProcessorTime, ShareHolder},
};

/// The caller of one request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The authenticated principal.
    pub principal: Principal,
    /// The request: its id, channel and network address.
    pub origin: CallOrigin,
    /// The idempotency key of the next write, if there is one.
    pub idempotency: Option<IdempotencyKey>,
    /// The processor time that the request's work has used.
    pub processor_time: ProcessorTime,
}

/// The identity that a credential belongs to.
#[derive(Clone, Debug)]
pub enum Principal {
    /// A person.
    User(UserPrincipal),
    /// A customer's own program, by its API key.
    ApiKey(KeyPrincipal),
    /// One of the platform's own services, by its service token.
    Service(ServicePrincipal),
    /// The command line, or the service itself.
    System,
}

/// A person, from the claims of its token, or from its session of the console, and the rows in the database.
#[derive(Clone, Debug)]
pub struct UserPrincipal {
    /// The user's id. Without a profile, the id that the first write will give to the profile.
    pub id: UserId,
    /// Whether the user has a profile. A valid token alone doesn't create one.
    pub has_profile: bool,
    /// The issuer of the token.
    pub issuer: String,
    /// The user's name at the issuer: `sub`.
    pub subject: String,
    /// The token's e-mail address, in lower case, if it has one.
    pub email: Option<String>,
    /// Whether the issuer has verified the address.
    pub email_verified: bool,
    /// The token's display name, if it has one.
    pub name: Option<String>,
    /// Whether the user is an operator.
    pub operator: bool,
    /// The user's role at each of its customers.
    pub memberships: BTreeMap<CustomerId, Role>,
    /// The largest plan of the user's customers, which determines its rate limit. FREE without customers.
    pub plan: Plan,
    /// When the token or the session expires.
    pub expires_at: Instant,
    /// The session that the user is signed in by; `None` with a token.
    pub session: Option<SessionId>,
    /// When the token's claims must be compared with the database again, because they differed and it was too early to
    /// take them over. `None` when they agreed.
    pub sync_at: Option<Instant>,
}

impl UserPrincipal {
    /// The token's address, if its issuer has verified it.
    #[must_use]
    pub fn verified_email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }

    /// The name by which the person is an operator, if it is one.
    pub(super) fn operator_name(&self) -> OperatorName {
        OperatorName { issuer: self.issuer.clone(), subject: self.subject.clone(), user: self.id }
    }
}

/// A customer's own program, identified by its API key.
#[derive(Clone, Debug)]
pub struct KeyPrincipal {
    /// The key's id.
    pub id: ApiKeyId,
    /// The key's customer: the only one that the key can access.
    pub customer_id: CustomerId,
    /// The key's name.
    pub name: String,
    /// The key's scopes.
    pub scopes: BTreeSet<KeyScope>,
    /// The customer's plan.
    pub plan: Plan,
    /// When the key expires; `None` for never.
    pub expires_at: Option<Instant>,
    /// The environments that the key reaches.
    pub environments: EnvironmentFilter,
}

/// One of the platform's own services, identified by its service token.
#[derive(Clone, Debug)]
pub struct ServicePrincipal {
    /// The token's id.
    pub id: ServiceTokenId,
    /// The token's name.
    pub name: String,
    /// The token's scopes.
    pub scopes: BTreeSet<ServiceScope>,
    /// The only customers that the token is valid for; `None` for all.
    pub customers: Option<BTreeSet<CustomerId>>,
    /// The environments that the token reaches, at each customer.
    pub environments: EnvironmentFilter,
    /// When the token expires; `None` for never.
    pub expires_at: Option<Instant>,
}

impl ServicePrincipal {
    /// Whether the token is valid for this customer.
    #[must_use]
    pub fn admits(&self, customer: CustomerId) -> bool {
        self.customers.as_ref().is_none_or(|customers| customers.contains(&customer))
    }

    /// Whether the token is valid for all customers that `earlier` is valid for.
    fn admits_all_of(&self, earlier: &Self) -> bool {
        match (&self.customers, &earlier.customers) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(now), Some(then)) => now.is_superset(then),
        }
    }
}

impl Principal {
    /// The environments that the principal reaches, at the customers that it may see.
    #[must_use]
    pub fn environments(&self) -> &EnvironmentFilter {
        match self {
            Self::ApiKey(key) => &key.environments,
            Self::Service(service) => &service.environments,
            Self::User(_) | Self::System => &EnvironmentFilter::All,
        }
    }

    /// Whether the principal is one of the platform's own services.
    #[must_use]
    pub fn is_service(&self) -> bool {
        matches!(self, Self::Service(_))
    }

    /// Whether the credential has expired, and isn't accepted any more: a user's token is for [`LEEWAY`] longer, a session
    /// isn't, since this service sets its end.
    #[must_use]
    pub fn has_expired(&self, now: Instant) -> bool {
        match self {
            Self::User(UserPrincipal { expires_at, session: Some(_), .. }) => *expires_at <= now,
            Self::User(UserPrincipal { expires_at, session: None, .. }) => *expires_at + LEEWAY <= now,
            Self::ApiKey(KeyPrincipal { expires_at, .. })
            | Self::Service(ServicePrincipal { expires_at, .. }) => expires_at.is_some_and(|at| at <= now),
            Self::System => false,
        }
    }
}

impl Caller {
    /// The command line, or the service itself.
    #[must_use]
    pub fn system(request_id: impl Into<String>) -> Self {
        Self {
            principal: Principal::System,
            origin: CallOrigin::new(request_id, Channel::Command, None),
            idempotency: None,
            processor_time: ProcessorTime::default(),
        }
    }

    /// The caller of a request that has just been authenticated.
    pub(super) fn new(principal: Principal, origin: CallOrigin) -> Self {
        Self { principal, origin, idempotency: None, processor_time: ProcessorTime::default() }
    }

    /// The same caller, with an idempotency key for its next write.
    #[must_use]
    pub fn once(&self, key: IdempotencyKey) -> Self {
        Self { idempotency: Some(key), ..self.clone() }
    }

    /// The request's id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.origin.request_id
    }

    /// The actor and the origin for log entries of this caller.
    pub(super) fn author(&self) -> Author {
        Author { actor: self.actor(), origin: self.origin.clone() }
    }

    /// The scope of this caller's transactions.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match &self.principal {
            Principal::System => Scope::Platform,
            Principal::User(user) if user.operator => Scope::Platform,
            Principal::User(user) => Scope::Customers(user.memberships.keys().copied().collect()),
            Principal::ApiKey(key) => Scope::Customers(vec![key.customer_id]),
            Principal::Service(service) => match &service.customers {
                None => Scope::Runtime,
                Some(customers) => Scope::LimitedRuntime(customers.iter().copied().collect()),
            },
        }
    }

    /// What this caller's transactions may access.
    #[must_use]
    pub fn access(&self) -> Access {
        Access { scope: self.scope(), environments: self.principal.environments().clone() }
    }

    /// Whether this caller has all the rights that `earlier` had: whether they cover them. For connections that
    /// outlive a check of their credential.
    #[must_use]
    pub fn covers(&self, earlier: &Self) -> bool {
        match (&self.principal, &earlier.principal) {
            (Principal::System, Principal::System) => true,
            (Principal::User(now), Principal::User(then)) => {
                let keeps = |(customer, role)| now.memberships.get(customer).is_some_and(|has| has >= role);
                now.operator || (!then.operator && then.memberships.iter().all(keeps))
            }
            (Principal::ApiKey(now), Principal::ApiKey(then)) => {
                now.scopes.is_superset(&then.scopes) && now.environments == then.environments
            }
            (Principal::Service(now), Principal::Service(then)) => {
                now.scopes.is_superset(&then.scopes)
                    && now.environments == then.environments
                    && now.admits_all_of(then)
            }
            (Principal::System | Principal::User(_) | Principal::ApiKey(_) | Principal::Service(_), _) => {
                false
            }
        }
    }

    /// The user's id, if the caller is a user with a profile.
    #[must_use]
    pub fn profile(&self) -> Option<UserId> {
        match &self.principal {
            Principal::User(user) if user.has_profile => Some(user.id),
            Principal::User(_) | Principal::ApiKey(_) | Principal::Service(_) | Principal::System => None,
        }
    }

    /// The session of the console that the caller is signed in by, if it is.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        match &self.principal {
            Principal::User(user) => user.session,
            Principal::ApiKey(_) | Principal::Service(_) | Principal::System => None,
        }
    }

    /// The actor for log entries of this caller.
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

    /// The only customer that the credential gives access to. `None` for the platform, and for users with several
    /// customers or none.
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

    /// The holder on whose account this caller's use of memory, processors and connections is counted.
    #[must_use]
    pub fn share_holder(&self) -> ShareHolder {
        match (&self.principal, self.only_customer()) {
            (_, Some(customer)) => ShareHolder::Customer(customer),
            (Principal::User(user), None) => {
                ShareHolder::User(user.issuer.as_str().into(), user.subject.as_str().into())
            }
            (Principal::Service(service), None) => {
                ShareHolder::Service(service.id, self.origin.network.map(|site| site.network()))
            }
            (Principal::ApiKey(_) | Principal::System, None) => ShareHolder::System,
        }
    }

    /// As [`Principal::has_expired`].
    #[must_use]
    pub fn has_expired(&self, now: Instant) -> bool {
        self.principal.has_expired(now)
    }

    /// When the credential expires; `None` when it doesn't.
    #[must_use]
    pub fn expires_at(&self) -> Option<Instant> {
        match &self.principal {
            Principal::User(user) => Some(user.expires_at),
            Principal::ApiKey(key) => key.expires_at,
            Principal::Service(service) => service.expires_at,
            Principal::System => None,
        }
    }
}

/// A snapshot for a caller: all queries of a reading see the same revision, and only rows that the caller may see.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The reader.
    pub caller: std::sync::Arc<Caller>,
    /// The snapshot, under the caller's scope.
    pub(crate) view: View,
}

impl Reading {
    /// Lets computations release the snapshot. For a reader that starts again when [`Reading::has_moved`].
    pub fn allow_release(&self) {
        self.view.allow_release();
    }

    /// Whether a query failed because there was a commit while the snapshot was released.
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.view.has_moved()
    }

    /// Checks that the reader may do this at this customer. `what` is the noun for [`super::Error::NotFound`].
    ///
    /// # Errors
    /// [`super::Error::NotFound`] or [`super::Error::Forbidden`].
    pub fn allow_on(&self, action: Action, customer: CustomerId, what: &'static str) -> Result<()> {
        policy::allow_on(&self.caller, action, customer, what)
    }

    /// The customers whose rows the reader may do this to. Each query must be narrowed to these.
    ///
    /// # Errors
    /// [`super::Error::Forbidden`].
    pub(crate) fn tenant_filter(&self, action: Action) -> Result<TenantFilter> {
        let may = policy::tenant_filter(&self.caller, action)?;
        Ok(match self.view.tenant_filter() {
            TenantFilter::All => TenantFilter::All,
            TenantFilter::Only(_) => may,
        })
    }
}
