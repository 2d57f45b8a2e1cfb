//! People in the graph: who asks, who did what.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use uuid::Uuid;

use super::{
    agent::AgentConnection,
    context::{Lens, request},
    customer::Customer,
    error::{Nullable, nullable},
    page::page_args,
    scalar::{DateTime, to_id},
};
use crate::{
    domain::{
        Principal, change, member,
        policy::{self, Action},
        user as verbs,
    },
    id::{CustomerId, UserId},
};

/// A person, known by who vouches for it and under which name.
#[derive(Clone)]
pub struct User {
    row: Arc<verbs::User>,
    lens: Lens,
}

/// What kind of caller did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "change::ActorKind")]
pub enum ActorKind {
    /// A person.
    User,
    /// A customer's own program.
    ApiKey,
    /// One of the platform's own services.
    Service,
    /// A person who works for the platform itself.
    Operator,
    /// The command line, or the service itself.
    System,
}

/// What a member may do at a customer. Each role may do all that the one before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "member::Role")]
pub enum Role {
    /// Reads agents and versions.
    Viewer,
    /// Also creates, publishes, activates.
    Editor,
    /// Also sees members, keys and the audit.
    Admin,
}

/// A person, known by who vouches for it and under which name.
#[Object]
impl User {
    /// Its UUID.
    pub(super) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// What people call it, when known.
    async fn name(&self) -> Option<&str> {
        self.row.name.as_deref()
    }

    /// Its address, when known: shown to itself and to operators. A customer's ADMINs see those of its members in
    /// `Customer.members`.
    async fn email(&self) -> Option<&str> {
        let caller = &self.lens.reading.caller;
        let may_see = caller.profile() == Some(self.row.id) || policy::is_platform(caller);
        self.row.email.as_deref().filter(|_| may_see)
    }

    /// The agents that it answers for, of those that you may see, oldest first.
    async fn agents(
        &self,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")] after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")] before: Option<String>,
    ) -> async_graphql::Result<AgentConnection> {
        let args = page_args(first, after.as_deref(), last, before.as_deref())?;
        AgentConnection::of_owner(&self.lens, self.row.id, args).await
    }

    /// When its profile was made.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// Who did something.
#[derive(Clone)]
pub struct Actor {
    kind: change::ActorKind,
    id: Option<Uuid>,
    lens: Lens,
}

impl Actor {
    pub(super) fn new(kind: change::ActorKind, id: Option<Uuid>, lens: Lens) -> Self {
        Self { kind, id, lens }
    }
}

/// Who did something.
#[Object]
impl Actor {
    /// What kind of caller.
    async fn kind(&self) -> ActorKind {
        self.kind.into()
    }

    /// Which one, as a UUID; null for the system, and for who has no right to see people, unless it is oneself.
    async fn id(&self) -> Option<ID> {
        let caller = &self.lens.reading.caller;
        let is_oneself = self.id.is_some() && caller.actor().id == self.id;
        let may_see = is_oneself || policy::allow(caller, Action::ReadPeople).is_ok();
        self.id.filter(|_| may_see).map(to_id)
    }

    /// The person, when it is one and works for a customer of yours.
    async fn user(&self) -> Nullable<User> {
        nullable(async {
            match (self.kind, self.id) {
                (change::ActorKind::User | change::ActorKind::Operator, Some(id)) => {
                    self.lens.user(id.into()).await
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

impl Lens {
    pub(super) async fn user(&self, id: UserId) -> async_graphql::Result<Option<User>> {
        Ok(self.users.load(id).await?.map(|row| User { row, lens: self.clone() }))
    }
}

/// Something that may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Action")]
pub enum Permission {
    /// Create customers.
    CreateCustomer,
    /// Make and revoke service tokens.
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

/// Whoever asks: what it is, and what it may do.
pub struct Viewer {
    lens: Lens,
}

/// The asking user's place at one customer.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct ViewerMembership {
    /// What it may do there.
    role: Role,
    #[graphql(skip)]
    customer_id: CustomerId,
    #[graphql(skip)]
    lens: Lens,
}

#[async_graphql::ComplexObject]
impl ViewerMembership {
    /// Where.
    async fn customer(&self) -> Nullable<Customer> {
        nullable(async { self.lens.customer(self.customer_id).await }).await
    }

    /// What you may do there.
    async fn permissions(&self) -> Vec<Permission> {
        let caller = &self.lens.reading.caller;
        let may = |action: &Action| policy::allow_on(caller, *action, self.customer_id, "customer").is_ok();
        Action::ALL.into_iter().filter(may).map(Into::into).collect()
    }
}

/// Whoever asks: what it is, and what it may do.
#[Object]
impl Viewer {
    /// What kind of caller.
    async fn kind(&self) -> ActorKind {
        match &self.lens.reading.caller.principal {
            Principal::User(user) if user.operator => ActorKind::Operator,
            Principal::User(_) => ActorKind::User,
            Principal::ApiKey(_) => ActorKind::ApiKey,
            Principal::Service(_) => ActorKind::Service,
            Principal::System => ActorKind::System,
        }
    }

    /// Your profile; null while there is none: your first write makes it.
    async fn user(&self) -> Nullable<User> {
        nullable(async {
            match &self.lens.reading.caller.principal {
                Principal::User(user) if user.has_profile => self.lens.user(user.id).await,
                Principal::User(_) | Principal::ApiKey(_) | Principal::Service(_) | Principal::System => {
                    Ok(None)
                }
            }
        })
        .await
    }

    /// What your credential calls you: a user's subject, an API key's or a service token's name.
    async fn name(&self) -> &str {
        match &self.lens.reading.caller.principal {
            Principal::User(user) => &user.subject,
            Principal::ApiKey(key) => &key.name,
            Principal::Service(service) => &service.name,
            Principal::System => "system",
        }
    }

    /// Whether you are a user of the platform itself, for all customers.
    async fn is_operator(&self) -> bool {
        matches!(&self.lens.reading.caller.principal, Principal::User(user) if user.operator)
    }

    /// Your place at each of your customers.
    async fn memberships(&self) -> Vec<ViewerMembership> {
        let Principal::User(user) = &self.lens.reading.caller.principal else {
            return Vec::new();
        };
        let place = |(customer_id, role): (&CustomerId, &member::Role)| ViewerMembership {
            role: (*role).into(),
            customer_id: *customer_id,
            lens: self.lens.clone(),
        };
        user.memberships.iter().map(place).collect()
    }

    /// What your API key or service token may do; empty for users.
    async fn scopes(&self) -> Vec<&'static str> {
        match &self.lens.reading.caller.principal {
            Principal::ApiKey(key) => key.scopes.iter().map(|scope| scope.as_str()).collect(),
            Principal::Service(service) => service.scopes.iter().map(|scope| scope.as_str()).collect(),
            Principal::User(_) | Principal::System => Vec::new(),
        }
    }

    /// What you may do: at your customers where you have the role for it, at your API key's customer, or for all.
    async fn permissions(&self) -> Vec<Permission> {
        let caller = &self.lens.reading.caller;
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

    /// The customer of your API key; null for users and services.
    async fn customer_id(&self) -> Option<ID> {
        match &self.lens.reading.caller.principal {
            Principal::ApiKey(key) => Some(to_id(key.customer_id)),
            Principal::User(_) | Principal::Service(_) | Principal::System => None,
        }
    }

    /// When your credential ceases to be valid; null when it does not by itself.
    async fn expires_at(&self) -> Option<DateTime> {
        self.lens.reading.caller.expires_at().map(Into::into)
    }
}

/// Their queries.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// Who you are to this service, and what you may do.
    async fn viewer(&self, ctx: &Context<'_>) -> async_graphql::Result<Viewer> {
        Ok(Viewer { lens: request(ctx)?.lens() })
    }
}
