//! The kinds of the log's entries, and the channels through which changes came.

use async_graphql::Enum;

use crate::domain::change;

/// The kinds of changes that the log records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "change::ChangeAction")]
pub enum ChangeAction {
    /// A customer was created.
    CustomerCreated,
    /// A customer's name changed.
    CustomerUpdated,
    /// A customer's plan changed.
    CustomerPlanSet,
    /// A customer's billing status changed.
    CustomerBillingSet,
    /// A CANCELED customer's prompts, names and personal data were erased.
    CustomerErased,
    /// A user's profile was created.
    UserCreated,
    /// A user's profile took over the name and address in the user's token, or the user changed its name.
    UserUpdated,
    /// A user got a further identity to sign in by.
    IdentityLinked,
    /// A user became a member of a customer, or a member's role changed.
    MemberSet,
    /// A member left or was removed; the agents that the user owned there have no owner.
    MemberRemoved,
    /// Someone was invited to become a member.
    InvitationCreated,
    /// An invitation was revoked; or it had expired, or was no longer needed, and was replaced or dropped.
    InvitationRevoked,
    /// An API key was created.
    ApiKeyCreated,
    /// An API key got a successor, and an expiry.
    ApiKeyRotated,
    /// An API key was revoked.
    ApiKeyRevoked,
    /// A user became an operator.
    OperatorAdded,
    /// A user stopped being an operator.
    OperatorRemoved,
    /// A service token was created.
    ServiceTokenCreated,
    /// A service token got a successor, and an expiry.
    ServiceTokenRotated,
    /// A service token was revoked.
    ServiceTokenRevoked,
    /// All instances read the public keys of the users' issuers again.
    IssuerKeysRefreshed,
    /// A user signed in to the console.
    SessionStarted,
    /// A user signed out of the console, or revoked one of its sessions.
    SessionEnded,
    /// An environment was created.
    EnvironmentCreated,
    /// An environment's name, rank or rules changed.
    EnvironmentUpdated,
    /// An environment was archived.
    EnvironmentArchived,
    /// An environment was restored.
    EnvironmentRestored,
    /// An agent was created.
    AgentCreated,
    /// An agent's name, description or owner changed.
    AgentUpdated,
    /// An agent was archived.
    AgentArchived,
    /// An agent was restored.
    AgentRestored,
    /// A version was published.
    VersionPublished,
    /// A version became its agent's active one.
    AgentActivated,
    /// An agent was deactivated: no version is active.
    AgentDeactivated,
    /// The oldest entries of the log were deleted.
    LogPruned,
}

/// The interface that a call came through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "change::Channel")]
pub enum Channel {
    /// GraphQL over HTTP, including server-sent events.
    Graphql,
    /// GraphQL over a WebSocket.
    Socket,
    /// The REST endpoints of the service.
    Rest,
    /// The command line on the server.
    Command,
    /// A task of the service itself, without a request.
    Service,
    /// The console, by a browser's session.
    Console,
}
