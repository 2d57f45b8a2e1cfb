//! The table `changes`: the change log. Only the SQL function `append_changes` appends to it.

use std::{fmt, num::ParseIntError, str::FromStr};

use sea_orm::{QueryOrder, QuerySelect, SelectModel, SelectorRaw, entity::prelude::*};

use super::{
    TenantFilter,
    sql::{self, Sql},
    uuids,
};
use crate::{
    clock::Instant,
    id::{AgentId, CustomerId, Revision, VersionId},
};

/// The kind of caller that made a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActorKind {
    /// A person.
    User,
    /// A customer's own program.
    ApiKey,
    /// One of the platform's own services.
    Service,
    /// A person who runs the platform, with all rights at all customers.
    Operator,
    /// The command line, or the service itself.
    System,
}

/// The interface through which a call came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Channel {
    /// GraphQL over HTTP, including server-sent events.
    Graphql,
    /// GraphQL over a WebSocket.
    Socket,
    /// REST.
    Rest,
    /// The command line.
    Command,
    /// The service itself, without a request.
    Service,
    /// The console, by a browser's session.
    Console,
}

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum ChangeAction {
    /// A customer was created.
    #[sea_orm(string_value = "customer.created")]
    CustomerCreated,
    /// A customer's own fields changed.
    #[sea_orm(string_value = "customer.updated")]
    CustomerUpdated,
    /// A customer's plan changed.
    #[sea_orm(string_value = "customer.plan_set")]
    CustomerPlanSet,
    /// A customer's billing status changed.
    #[sea_orm(string_value = "customer.billing_status_set")]
    CustomerBillingSet,
    /// A canceled customer's prompts and personal data were erased.
    #[sea_orm(string_value = "customer.erased")]
    CustomerErased,
    /// A user's profile was created.
    #[sea_orm(string_value = "user.created")]
    UserCreated,
    /// A user's profile was updated, from its token or by the user.
    #[sea_orm(string_value = "user.updated")]
    UserUpdated,
    /// A user got a further identity to sign in by.
    #[sea_orm(string_value = "identity.linked")]
    IdentityLinked,
    /// A user became a member of a customer, or got another role there.
    #[sea_orm(string_value = "member.set")]
    MemberSet,
    /// A member was removed from a customer. Its agents there have no owner now.
    #[sea_orm(string_value = "member.removed")]
    MemberRemoved,
    /// A person was invited to a customer.
    #[sea_orm(string_value = "invitation.created")]
    InvitationCreated,
    /// An invitation was revoked, or had expired when the next one was created.
    #[sea_orm(string_value = "invitation.revoked")]
    InvitationRevoked,
    /// An API key was created.
    #[sea_orm(string_value = "api_key.created")]
    ApiKeyCreated,
    /// An API key was replaced, and got an expiry.
    #[sea_orm(string_value = "api_key.rotated")]
    ApiKeyRotated,
    /// An API key was revoked.
    #[sea_orm(string_value = "api_key.revoked")]
    ApiKeyRevoked,
    /// A person became an operator.
    #[sea_orm(string_value = "operator.added")]
    OperatorAdded,
    /// A person is no longer an operator.
    #[sea_orm(string_value = "operator.removed")]
    OperatorRemoved,
    /// A service token was created.
    #[sea_orm(string_value = "service_token.created")]
    ServiceTokenCreated,
    /// A service token was replaced, and got an expiry.
    #[sea_orm(string_value = "service_token.rotated")]
    ServiceTokenRotated,
    /// A service token was revoked.
    #[sea_orm(string_value = "service_token.revoked")]
    ServiceTokenRevoked,
    /// The command line made all instances read the issuers' keys again.
    #[sea_orm(string_value = "issuer.keys_refreshed")]
    IssuerKeysRefreshed,
    /// A user signed in to the console.
    #[sea_orm(string_value = "session.started")]
    SessionStarted,
    /// A user signed out, or a session of the console was revoked.
    #[sea_orm(string_value = "session.ended")]
    SessionEnded,
    /// An environment was created.
    #[sea_orm(string_value = "environment.created")]
    EnvironmentCreated,
    /// An environment's name, rank or rules changed.
    #[sea_orm(string_value = "environment.updated")]
    EnvironmentUpdated,
    /// An environment was archived.
    #[sea_orm(string_value = "environment.archived")]
    EnvironmentArchived,
    /// An environment was restored.
    #[sea_orm(string_value = "environment.restored")]
    EnvironmentRestored,
    /// An agent was created.
    #[sea_orm(string_value = "agent.created")]
    AgentCreated,
    /// An agent's own fields changed.
    #[sea_orm(string_value = "agent.updated")]
    AgentUpdated,
    /// An agent was archived.
    #[sea_orm(string_value = "agent.archived")]
    AgentArchived,
    /// An agent was restored.
    #[sea_orm(string_value = "agent.restored")]
    AgentRestored,
    /// A version was published.
    #[sea_orm(string_value = "version.published")]
    VersionPublished,
    /// A version was activated.
    #[sea_orm(string_value = "agent.activated")]
    AgentActivated,
    /// An agent was deactivated: no version is active.
    #[sea_orm(string_value = "agent.deactivated")]
    AgentDeactivated,
    /// The oldest entries of the log were pruned.
    #[sea_orm(string_value = "log.pruned")]
    LogPruned,
}

/// The configurations that a kind of change may affect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigEffect {
    /// None.
    Nothing,
    /// The configuration of the entry's agent in the entry's environment.
    OfAgent,
    /// The configurations of the entry's agent in all environments, if the change gives the agent another name.
    OfRenamedAgent,
    /// All configurations of the entry's customer, if the change starts or stops serving that customer.
    OfCustomer,
}

/// What a kind of change affects beyond its own rows. The feed evicts from caches and closes sessions by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    /// Whether it may change the principal that a credential stands for: the credential cache evicts it.
    pub principals: bool,
    /// Whether it may remove a right: open sessions authenticate again.
    pub rights: bool,
    /// The configurations that it may change.
    pub configs: ConfigEffect,
    /// Whether it erases the customer's prompts and personal data.
    pub erases: bool,
}

impl ChangeAction {
    /// The effects table: one row for each kind of change.
    #[must_use]
    #[rustfmt::skip]
    #[expect(clippy::match_same_arms, reason = "a table has one row for each action")]
    pub const fn effects(self) -> Effects {
        use ConfigEffect::{Nothing, OfAgent, OfCustomer, OfRenamedAgent};
        match self {
            //                          principals, rights, configs, erases
            Self::CustomerCreated     => row(false, false, Nothing,    false),
            Self::CustomerUpdated     => row(false, false, Nothing,    false),
            Self::CustomerPlanSet     => row(true,  false, Nothing,    false),
            Self::CustomerBillingSet  => row(true,  false, OfCustomer, false),
            // Only a canceled customer can be erased, and it has no configurations any more.
            Self::CustomerErased      => row(true,  true,  Nothing,    true),
            Self::UserCreated         => row(true,  false, Nothing,    false),
            Self::UserUpdated         => row(true,  false, Nothing,    false),
            Self::IdentityLinked      => row(true,  false, Nothing,    false),
            Self::MemberSet           => row(true,  true,  Nothing,    false),
            Self::MemberRemoved       => row(true,  true,  Nothing,    false),
            Self::InvitationCreated   => row(true,  false, Nothing,    false),
            Self::InvitationRevoked   => row(false, false, Nothing,    false),
            Self::ApiKeyCreated       => row(false, false, Nothing,    false),
            Self::ApiKeyRotated       => row(true,  true,  Nothing,    false),
            Self::ApiKeyRevoked       => row(true,  true,  Nothing,    false),
            Self::OperatorAdded       => row(true,  false, Nothing,    false),
            Self::OperatorRemoved     => row(true,  true,  Nothing,    false),
            Self::ServiceTokenCreated => row(false, false, Nothing,    false),
            Self::ServiceTokenRotated => row(true,  true,  Nothing,    false),
            Self::ServiceTokenRevoked => row(true,  true,  Nothing,    false),
            Self::IssuerKeysRefreshed => row(false, false, Nothing,    false),
            Self::SessionStarted      => row(false, false, Nothing,    false),
            Self::SessionEnded        => row(true,  true,  Nothing,    false),
            Self::EnvironmentCreated  => row(false, false, Nothing,    false),
            Self::EnvironmentUpdated  => row(false, false, Nothing,    false),
            Self::EnvironmentArchived => row(false, false, Nothing,    false),
            Self::EnvironmentRestored => row(false, false, Nothing,    false),
            Self::AgentCreated        => row(false, false, Nothing,    false),
            Self::AgentUpdated        => row(false, false, OfRenamedAgent, false),
            // Archiving an active agent also deactivates it.
            Self::AgentArchived       => row(false, false, Nothing,    false),
            Self::AgentRestored       => row(false, false, Nothing,    false),
            Self::VersionPublished    => row(false, false, Nothing,    false),
            Self::AgentActivated      => row(false, false, OfAgent,    false),
            Self::AgentDeactivated    => row(false, false, OfAgent,    false),
            Self::LogPruned           => row(false, false, Nothing,    false),
        }
    }
}

/// A row of the effects table.
const fn row(principals: bool, rights: bool, configs: ConfigEffect, erases: bool) -> Effects {
    Effects { principals, rights, configs, erases }
}

/// A log entry. Immutable.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "changes")]
pub struct Model {
    /// The commit, numbered from 1 without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: Revision,
    /// The position within the commit, numbered from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    /// When the commit got its number.
    pub at: Instant,
    /// The customer whose data changed; `None` for the platform's own.
    pub customer_id: Option<CustomerId>,
    /// The agent that changed, if any.
    pub agent_id: Option<AgentId>,
    /// The version that changed or was activated, if any.
    pub version_id: Option<VersionId>,
    /// The row that changed, when it is of another table.
    pub subject_id: Option<Uuid>,
    /// The kind of the change.
    pub action: ChangeAction,
    /// The kind of caller.
    pub actor_kind: ActorKind,
    /// The caller's id; `None` for the system.
    pub actor_id: Option<Uuid>,
    /// The id of the request.
    pub request_id: Option<String>,
    /// Canonical JSON: the values before and after, without personal or secret data.
    pub details: String,
    /// The interface through which the call came in; `None` in entries older than this column.
    pub channel: Option<Channel>,
    /// The caller's network; `None` when the call didn't come over a network, and in entries older than this column.
    pub network: Option<String>,
    /// A random salt, so that the hash doesn't reveal the content; `None` in entries older than this column.
    pub salt: Option<Uuid>,
    /// SHA-256 of all columns above.
    pub row_hash: Vec<u8>,
    /// SHA-256 of the previous entry's chain hash and this entry's `row_hash`.
    pub chain_hash: Vec<u8>,
}

/// None: the log has no foreign keys.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A position in the log: right after an entry. Written `revision.position`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    /// The commit.
    pub revision: Revision,
    /// The entry within the commit.
    pub position: i32,
}

impl LogPosition {
    /// The position right after this entry.
    #[must_use]
    pub fn of(change: &Model) -> Self {
        Self { revision: change.revision, position: change.position }
    }

    /// The position at the end of this commit.
    #[must_use]
    pub fn end_of(revision: Revision) -> Self {
        Self { revision, position: i32::MAX }
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.revision, self.position)
    }
}

impl FromStr for LogPosition {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (revision, position) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self { revision: revision.parse()?, position: position.parse()? })
    }
}

/// Appends the entries `$1` and returns their revision.
pub const APPEND: &str = "SELECT registry.append_changes($1) AS revision";

/// The log entries after a position that `tenants` admits, oldest first.
pub fn after(
    tenants: &TenantFilter,
    LogPosition { revision, position }: LogPosition,
    limit: u64,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let (revision, position) = (sql.bind(revision), sql.bind(position));
    let order = format!("ORDER BY t.revision, t.position LIMIT {}", sql.bind(sql::limit(limit)));
    let beyond = format!("(t.revision, t.position) > ({revision}, {position})");
    let text = match tenants {
        TenantFilter::All => format!("SELECT t.* FROM registry.changes AS t WHERE {beyond} {order}"),
        // A page for each customer from its index, then the page of these.
        TenantFilter::Only(customers) => {
            let customers = sql.bind(uuids(customers));
            format!(
                "SELECT t.* FROM unnest({customers}::uuid[]) AS parent (id) CROSS JOIN LATERAL (\
                 SELECT t.* FROM registry.changes AS t WHERE t.customer_id = parent.id AND {beyond} {order}) AS t {order}"
            )
        }
    };
    Entity::find().from_raw_sql(sql.statement(text))
}

/// The entry with exactly this revision and position.
pub fn at(revision: Revision, position: i32) -> Select<Entity> {
    Entity::find_by_id((revision, position))
}

/// The last entry with one of these actions about this agent.
pub fn last_of(agent: AgentId, actions: [ChangeAction; 2]) -> Select<Entity> {
    last(actions).filter(Column::AgentId.eq(agent))
}

/// The last entry with one of these actions about this customer.
pub fn last_of_customer(customer: CustomerId, actions: [ChangeAction; 2]) -> Select<Entity> {
    last(actions).filter(Column::CustomerId.eq(customer))
}

/// The last entry with this action about this row of the platform.
pub fn last_of_platform(subject: Uuid, action: ChangeAction) -> Select<Entity> {
    last([action]).filter(Column::CustomerId.is_null()).filter(Column::SubjectId.eq(subject))
}

/// The entries with this action about these rows of the platform.
pub fn of_platform(subjects: &[Uuid], action: ChangeAction) -> Select<Entity> {
    Entity::find()
        .filter(Column::Action.eq(action))
        .filter(Column::CustomerId.is_null())
        .filter(Column::SubjectId.eq_any(subjects.to_vec()))
}

/// The last entry with this action about this row of this customer.
pub fn last_of_row(customer: CustomerId, subject: Uuid, action: ChangeAction) -> Select<Entity> {
    last([action]).filter(Column::CustomerId.eq(customer)).filter(Column::SubjectId.eq(subject))
}

fn last(actions: impl IntoIterator<Item = ChangeAction>) -> Select<Entity> {
    let select = Entity::find().filter(Column::Action.is_in(actions));
    select.order_by_desc(Column::Revision).order_by_desc(Column::Position).limit(1)
}
