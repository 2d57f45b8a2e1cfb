//! People in the GraphQL schema: users, their roles and permissions.

use std::sync::Arc;

use async_graphql::{Enum, ID, Object, SimpleObject};

use super::{
    agent::AgentConnection,
    error::{Nullable, nullable},
    page::{OWNED_AGENTS, page_args},
    scalar::{DateTime, to_id},
};
use crate::{
    domain::{
        change, identity, member,
        page::ListId,
        policy::{self, Action},
        user,
    },
    graphql::engine::context::RequestView,
    id::UserId,
};

/// A person, identified by the issuer and the subject of their sign-in tokens.
#[derive(Clone)]
pub struct User {
    row: Arc<user::User>,
    view: RequestView,
}

/// A name by which a person signs in.
#[derive(Clone, Debug, SimpleObject)]
pub struct Identity {
    /// The issuer of the person's tokens: their `iss` claim.
    issuer: String,
    /// The person's name at the issuer: the `sub` claim.
    subject: String,
}

impl User {
    pub(in crate::graphql) fn new(row: Arc<user::User>, view: RequestView) -> Self {
        Self { row, view }
    }

    /// What orders the list of users.
    pub(super) fn key(&self) -> UserId {
        self.row.id
    }

    /// Whether the reader is the user itself, or acts for the platform.
    fn is_open_to_reader(&self) -> bool {
        self.row.is_open_to(self.view.caller())
    }

    fn visible_email(&self) -> Option<&str> {
        self.row.visible_email(self.view.caller())
    }

    /// The name for people: the display name, else the address if the reader may see it.
    pub(super) fn visible_name(&self) -> Option<&str> {
        self.row.visible_name(self.view.caller())
    }
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
    /// Also manages members, invitations and API keys, changes the customer's name, reads the audit log, and exports
    /// and imports agents.
    Admin,
}

/// A person, identified by the issuer and the subject of their sign-in tokens.
#[Object]
impl User {
    /// The user's UUID, which never changes.
    pub(in crate::graphql) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The display name: the one that the user has chosen, else the one in the user's token. Null if there is none.
    async fn name(&self) -> Option<&str> {
        self.row.display_name()
    }

    /// The user's e-mail address; null if unknown, and for everyone but the user and operators. A customer's ADMINs
    /// find its members' addresses in `Customer.members`.
    async fn email(&self) -> Option<&str> {
        self.visible_email()
    }

    /// The names by which the user signs in, oldest first. Null for everyone but the user and operators.
    async fn identities(&self) -> Nullable<Vec<Identity>> {
        nullable(async {
            if !self.is_open_to_reader() {
                return Ok(None);
            }
            let identities = self.view.loaders().identities.load(self.row.id).await?;
            let shown = |row: &identity::Identity| Identity {
                issuer: row.issuer.clone(),
                subject: row.subject.clone(),
            };
            Ok(Some(identities.map(|rows| rows.iter().map(shown).collect()).unwrap_or_default()))
        })
        .await
    }

    /// Whether the user is an operator, by any of its identities. For operators; null for others.
    async fn is_operator(&self) -> Nullable<bool> {
        nullable(async {
            let is_operator = self.view.loaders().operators.load(self.row.id).await?;
            Ok(is_operator.map(|is_operator| *is_operator))
        })
        .await
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
        let list = ListId::below(OWNED_AGENTS, self.row.id);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        AgentConnection::of_owner(&self.view, self.row.id, args).await
    }

    /// When the user's profile was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
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
        /// A right that a caller can have: see `viewerPermissions` of `Customer`, `Agent` and `Serving`, and
        /// `Viewer.platformPermissions`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        #[graphql(remote = "Action")]
        pub enum Permission {
            $($(#[$description])* $Action,)*
        }
    };
}

policy::with_actions!(define_permission);
