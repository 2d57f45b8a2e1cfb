//! People in the graph: who asks, who did what.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use uuid::Uuid;

use super::{
    context::{Lens, request},
    customer::Customer,
    scalar::{DateTime, to_id},
};
use crate::{
    domain::{self, Principal, change, member, user as verbs},
    id::{CustomerId, UserId},
};

/// A person, known by who vouches for it and under which name.
#[derive(Clone)]
pub struct User {
    row: Arc<verbs::User>,
}

/// What kind of caller did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "change::ActorKind")]
pub enum ActorKind {
    /// A person.
    User,
    /// One of the platform's own services.
    Service,
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

    /// Which one, as a UUID; null for the system. Needs the right to see people.
    async fn id(&self) -> async_graphql::Result<Option<ID>> {
        domain::policy::allow(&self.lens.reading.caller, domain::policy::Action::ReadPeople)
            .map_err(|err| super::error::refuse(&err))?;
        Ok(self.id.map(to_id))
    }

    /// The person, when it is one and works for a customer of yours.
    async fn user(&self) -> async_graphql::Result<Option<User>> {
        match (self.kind, self.id) {
            (change::ActorKind::User, Some(id)) => self.lens.user(id.into()).await,
            (change::ActorKind::User | change::ActorKind::Service | change::ActorKind::System, _) => Ok(None),
        }
    }
}

impl Lens {
    pub(super) async fn user(&self, id: UserId) -> async_graphql::Result<Option<User>> {
        Ok(self.users.load(id).await?.map(|row| User { row }))
    }
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
    async fn customer(&self) -> async_graphql::Result<Option<Customer>> {
        self.lens.customer(self.customer_id).await
    }
}

/// Whoever asks: what it is, and what it may do.
#[Object]
impl Viewer {
    /// What kind of caller.
    async fn kind(&self) -> ActorKind {
        match &self.lens.reading.caller.principal {
            Principal::User(_) => ActorKind::User,
            Principal::Service(_) => ActorKind::Service,
            Principal::System => ActorKind::System,
        }
    }

    /// Your profile; null while there is none: your first write makes it.
    async fn user(&self) -> async_graphql::Result<Option<User>> {
        match &self.lens.reading.caller.principal {
            Principal::User(user) if user.has_profile => self.lens.user(user.id).await,
            Principal::User(_) | Principal::Service(_) | Principal::System => Ok(None),
        }
    }

    /// What your credential calls you: a user's subject, a service token's name.
    async fn name(&self) -> &str {
        match &self.lens.reading.caller.principal {
            Principal::User(user) => &user.subject,
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

    /// What your service token may do; empty for users.
    async fn scopes(&self) -> Vec<&'static str> {
        match &self.lens.reading.caller.principal {
            Principal::Service(service) => service.scopes.iter().map(|scope| scope.as_str()).collect(),
            Principal::User(_) | Principal::System => Vec::new(),
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
