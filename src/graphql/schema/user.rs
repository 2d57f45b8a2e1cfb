//! People in the GraphQL schema: users, actors, and the viewer (the caller) with its permissions.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use uuid::Uuid;

use super::{
    agent::AgentConnection,
    customer::Customer,
    error::{Nullable, nullable},
    page::page_args,
    scalar::{DateTime, to_id},
};
use crate::{
    domain::{
        Principal, change, member,
        policy::{self, Action},
        user,
    },
    graphql::engine::context::{RequestView, request},
    id::{CustomerId, UserId},
};

/// A person, identified by the issuer and the subject of their sign-in tokens.
#[derive(Clone)]
pub struct User {
    row: Arc<user::User>,
    view: RequestView,
}

/// The kinds of callers that can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "change::ActorKind")]
pub enum ActorKind {
    /// A person: usually a member of customers.
    User,
    /// A program of a customer, with an API key.
    ApiKey,
    /// A service of the platform, with a service token.
    Service,
    /// An operator: a person who runs the platform, with all rights at all customers.
    Operator,
    /// The command line, or a task of the service itself.
    System,
}

/// What a member may do at a customer. Each role includes the rights of the roles before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "member::Role")]
pub enum Role {
    /// Reads the customer, its plan and usage, agents, versions, activations and configurations, and watches
    /// activations.
    Viewer,
    /// Also creates, updates and archives agents, publishes versions, and activates them.
    Editor,
    /// Also manages members, invitations and API keys, changes the customer's name, and reads the audit log.
    Admin,
}

/// A person, identified by the issuer and the subject of their sign-in tokens.
#[Object]
impl User {
    /// The user's UUID, which never changes.
    pub(in crate::graphql) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The display name from the user's token; null if it had none.
    async fn name(&self) -> Option<&str> {
        self.row.name.as_deref()
    }

    /// The user's e-mail address; null if unknown, and for everyone but the user and operators. A customer's ADMINs
    /// find its members' addresses in `Customer.members`.
    async fn email(&self) -> Option<&str> {
        let caller = self.view.caller();
        let may_see = caller.profile() == Some(self.row.id) || policy::is_platform(caller);
        self.row.email.as_deref().filter(|_| may_see)
    }

    /// The agents that this user owns and you can see, oldest first. FORBIDDEN for service tokens, and for API keys
    /// without `agents:read`.
    async fn agents(
        &self,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<AgentConnection> {
        let args = page_args(first, after.as_deref(), last, before.as_deref())?;
        AgentConnection::of_owner(&self.view, self.row.id, args).await
    }

    /// When the user's profile was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// The caller that did something.
#[derive(Clone)]
pub struct Actor {
    kind: change::ActorKind,
    id: Option<Uuid>,
    view: RequestView,
}

impl Actor {
    pub(in crate::graphql) fn new(kind: change::ActorKind, id: Option<Uuid>, view: RequestView) -> Self {
        Self { kind, id, view }
    }
}

/// The caller that did something.
#[Object]
impl Actor {
    /// The kind of caller; it decides what `id` names.
    async fn kind(&self) -> ActorKind {
        self.kind.into()
    }

    /// The UUID of the user, API key or service token. Null for SYSTEM. Service tokens, and API keys without
    /// `changes:read`, see only their own.
    async fn id(&self) -> Option<ID> {
        let caller = self.view.caller();
        let is_oneself = self.id.is_some() && caller.actor().id == self.id;
        let may_see = is_oneself || policy::allow(caller, Action::ReadPeople).is_ok();
        self.id.filter(|_| may_see).map(to_id)
    }

    /// The person who did it. Null for programs and the system, for people who share no customer with you, and for
    /// callers who may not see people.
    async fn user(&self) -> Nullable<User> {
        nullable(async {
            match (self.kind, self.id) {
                (change::ActorKind::User | change::ActorKind::Operator, Some(id)) => {
                    self.view.user(id.into()).await
                }
                (
                    change::ActorKind::User
                    | change::ActorKind::Operator
                    | change::ActorKind::ApiKey
                    | change::ActorKind::Service
                    | change::ActorKind::System,
                    _,
                ) => Ok(None),
            }
        })
        .await
    }
}

impl RequestView {
    pub(in crate::graphql) async fn user(&self, id: UserId) -> async_graphql::Result<Option<User>> {
        Ok(self.loaders().users.load(id).await?.map(|row| User { row, view: self.clone() }))
    }
}

/// Defines [`Permission`] from the policy's actions, whose descriptions become those of its values.
macro_rules! define_permission {
    ($($(#[$description:meta])* $Action:ident,)*) => {
        /// A right that a caller can have; see `Viewer.permissions`. A suspended customer can limit it further.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        #[graphql(remote = "Action")]
        pub enum Permission {
            $($(#[$description])* $Action,)*
        }
    };
}

policy::with_actions!(define_permission);

/// The caller of this request: you, and what you may do.
pub struct Viewer {
    view: RequestView,
}

/// Your membership of one customer.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ViewerMembership {
    /// Your role at this customer.
    role: Role,
    #[graphql(skip)]
    customer_id: CustomerId,
    #[graphql(skip)]
    view: RequestView,
}

#[async_graphql::ComplexObject]
impl ViewerMembership {
    /// The customer that you are a member of.
    async fn customer(&self) -> Nullable<Customer> {
        nullable(async { self.view.customer(self.customer_id).await }).await
    }

    /// Your rights at this customer: those of your role, or all if you are an operator. Billing status isn't
    /// considered.
    async fn permissions(&self) -> Vec<Permission> {
        let caller = self.view.caller();
        let may = |action: &Action| policy::allow_on(caller, *action, self.customer_id, "customer").is_ok();
        Action::ALL.into_iter().filter(may).map(Into::into).collect()
    }
}

/// The caller of this request: you, and what you may do.
#[Object]
impl Viewer {
    /// The kind of caller that you are.
    async fn kind(&self) -> ActorKind {
        match &self.view.caller().principal {
            Principal::User(user) if user.operator => ActorKind::Operator,
            Principal::User(_) => ActorKind::User,
            Principal::ApiKey(_) => ActorKind::ApiKey,
            Principal::Service(_) => ActorKind::Service,
            Principal::System => ActorKind::System,
        }
    }

    /// Your profile. Null for programs; also for a user without a profile, which an accepted invitation or the
    /// first write creates.
    async fn user(&self) -> Nullable<User> {
        nullable(async {
            match &self.view.caller().principal {
                Principal::User(user) if user.has_profile => self.view.user(user.id).await,
                Principal::User(_) | Principal::ApiKey(_) | Principal::Service(_) | Principal::System => {
                    Ok(None)
                }
            }
        })
        .await
    }

    /// Your name in your credential: a user's subject, or the name of an API key or service token.
    async fn name(&self) -> &str {
        match &self.view.caller().principal {
            Principal::User(user) => &user.subject,
            Principal::ApiKey(key) => &key.name,
            Principal::Service(service) => &service.name,
            Principal::System => "system",
        }
    }

    /// True if you are an operator: a person who runs the platform, with all rights at all customers.
    async fn is_operator(&self) -> bool {
        matches!(&self.view.caller().principal, Principal::User(user) if user.operator)
    }

    /// Your role at each of your customers; empty for operators who have none, and for programs.
    async fn memberships(&self) -> Vec<ViewerMembership> {
        let Principal::User(user) = &self.view.caller().principal else {
            return Vec::new();
        };
        let place = |(customer_id, role): (&CustomerId, &member::Role)| ViewerMembership {
            role: (*role).into(),
            customer_id: *customer_id,
            view: self.view.clone(),
        };
        user.memberships.iter().map(place).collect()
    }

    /// What your API key or service token may do, spelled as `agents:read`; empty for users.
    async fn scopes(&self) -> Vec<&'static str> {
        match &self.view.caller().principal {
            Principal::ApiKey(key) => key.scopes.iter().map(|scope| scope.as_str()).collect(),
            Principal::Service(service) => service.scopes.iter().map(|scope| scope.as_str()).collect(),
            Principal::User(_) | Principal::System => Vec::new(),
        }
    }

    /// Your rights at any of your customers or, for operators, everywhere. `ViewerMembership.permissions` lists them
    /// for each customer.
    async fn permissions(&self) -> Vec<Permission> {
        let caller = self.view.caller();
        let places: Vec<CustomerId> = match &caller.principal {
            Principal::User(user) if !user.operator => user.memberships.keys().copied().collect(),
            Principal::User(_) | Principal::ApiKey(_) | Principal::Service(_) | Principal::System => {
                Vec::new()
            }
        };
        let may = |action: &Action| match &caller.principal {
            Principal::User(user) if !user.operator => {
                places.iter().any(|id| policy::allow_on(caller, *action, *id, "customer").is_ok())
            }
            Principal::User(_) | Principal::ApiKey(_) | Principal::Service(_) | Principal::System => {
                policy::allow(caller, *action).is_ok()
            }
        };
        Action::ALL.into_iter().filter(may).map(Into::into).collect()
    }

    /// The UUID of your API key's customer; null for users and service tokens.
    async fn customer_id(&self) -> Option<ID> {
        match &self.view.caller().principal {
            Principal::ApiKey(key) => Some(to_id(key.customer_id)),
            Principal::User(_) | Principal::Service(_) | Principal::System => None,
        }
    }

    /// When your credential expires; null if it doesn't expire.
    async fn expires_at(&self) -> Option<DateTime> {
        self.view.caller().expires_at().map(Into::into)
    }
}

/// The root field of `Query` that describes the caller.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// The caller of this request: who you are, and what you may do.
    async fn viewer(&self, ctx: &Context<'_>) -> async_graphql::Result<Viewer> {
        Ok(Viewer { view: request(ctx)?.view() })
    }
}
