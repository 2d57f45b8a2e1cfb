//! `changes` and `log_head`: the one log, appended by one SQL function and never otherwise.

use std::{fmt, num::ParseIntError, str::FromStr};

use sea_orm::{QueryOrder, QuerySelect, SelectModel, SelectorRaw, entity::prelude::*};

use super::{
    Reach,
    sql::{self, Sql},
    uuids,
};
use crate::{
    clock::Instant,
    id::{AgentId, CustomerId, VersionId},
};

/// What kind of caller acted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
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

/// Where a call came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Channel {
    /// GraphQL over HTTP, server-sent events included.
    Graphql,
    /// GraphQL over a websocket.
    Socket,
    /// REST.
    Rest,
    /// The command line.
    Command,
    /// The service itself, unasked.
    Service,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Action {
    /// A customer was created.
    #[sea_orm(string_value = "customer.created")]
    CustomerCreated,
    /// A customer's own fields changed.
    #[sea_orm(string_value = "customer.updated")]
    CustomerUpdated,
    /// A customer got another plan.
    #[sea_orm(string_value = "customer.plan_set")]
    CustomerPlanSet,
    /// A customer got another billing status.
    #[sea_orm(string_value = "customer.billing_status_set")]
    CustomerBillingSet,
    /// A canceled customer's prompts and personal data were taken away.
    #[sea_orm(string_value = "customer.erased")]
    CustomerErased,
    /// A user's profile was made.
    #[sea_orm(string_value = "user.created")]
    UserCreated,
    /// A user's profile took over what its token says of it.
    #[sea_orm(string_value = "user.updated")]
    UserUpdated,
    /// A user became a member of a customer, or got another role there.
    #[sea_orm(string_value = "member.set")]
    MemberSet,
    /// A user ceased to work for a customer; the agents there that were its own have no owner any more.
    #[sea_orm(string_value = "member.removed")]
    MemberRemoved,
    /// Somebody was asked to work for a customer.
    #[sea_orm(string_value = "invitation.created")]
    InvitationCreated,
    /// An invitation was taken back, or was past its time when the next one was made.
    #[sea_orm(string_value = "invitation.revoked")]
    InvitationRevoked,
    /// An API key was made.
    #[sea_orm(string_value = "api_key.created")]
    ApiKeyCreated,
    /// An API key was given a successor, and an end.
    #[sea_orm(string_value = "api_key.rotated")]
    ApiKeyRotated,
    /// An API key ceased to be accepted.
    #[sea_orm(string_value = "api_key.revoked")]
    ApiKeyRevoked,
    /// Somebody became an operator.
    #[sea_orm(string_value = "operator.added")]
    OperatorAdded,
    /// Somebody ceased to be an operator.
    #[sea_orm(string_value = "operator.removed")]
    OperatorRemoved,
    /// A service token was made.
    #[sea_orm(string_value = "service_token.created")]
    ServiceTokenCreated,
    /// A service token ceased to be accepted.
    #[sea_orm(string_value = "service_token.revoked")]
    ServiceTokenRevoked,
    /// An agent was created.
    #[sea_orm(string_value = "agent.created")]
    AgentCreated,
    /// An agent's own fields changed.
    #[sea_orm(string_value = "agent.updated")]
    AgentUpdated,
    /// An agent was put away.
    #[sea_orm(string_value = "agent.archived")]
    AgentArchived,
    /// An agent was taken back.
    #[sea_orm(string_value = "agent.restored")]
    AgentRestored,
    /// A version was published.
    #[sea_orm(string_value = "version.published")]
    VersionPublished,
    /// A version began to serve.
    #[sea_orm(string_value = "agent.activated")]
    AgentActivated,
    /// An agent ceased to serve.
    #[sea_orm(string_value = "agent.deactivated")]
    AgentDeactivated,
    /// The oldest entries of the log were taken away.
    #[sea_orm(string_value = "log.pruned")]
    LogPruned,
}

/// One entry of the log. Never changes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(schema_name = "registry", table_name = "changes")]
pub struct Model {
    /// The commit, counted from 1 without gap.
    #[sea_orm(primary_key, auto_increment = false)]
    pub revision: i64,
    /// The place within the commit, counted from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i32,
    /// When the commit took its number.
    pub at: Instant,
    /// Whose data changed; none for the platform's own.
    pub customer_id: Option<CustomerId>,
    /// Which agent's.
    pub agent_id: Option<AgentId>,
    /// Which version's.
    pub version_id: Option<VersionId>,
    /// The row that was made or changed, where it is none of these.
    pub subject_id: Option<Uuid>,
    /// What happened.
    pub action: Action,
    /// What kind of caller acted.
    pub actor_kind: ActorKind,
    /// Which one.
    pub actor_id: Option<Uuid>,
    /// The request it came with.
    pub request_id: Option<String>,
    /// Canonical JSON: before and after, without anything personal or secret.
    pub details: String,
    /// Where the request came in; none in entries from before this was kept.
    pub channel: Option<Channel>,
    /// The network that it came from; none when it came over none.
    pub network: Option<String>,
    /// What keeps the hash from being guessed; none in entries from before there was one.
    pub salt: Option<Uuid>,
    /// SHA-256 of all columns before this one.
    pub row_hash: Vec<u8>,
    /// SHA-256 of the chain hash before and this row's hash.
    pub chain_hash: Vec<u8>,
}

/// None: no key leads out of the log.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A place in the log: everything up to it has been seen. Written `revision.position`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The commit.
    pub revision: i64,
    /// The entry within it.
    pub position: i32,
}

impl Place {
    /// Right after this change.
    #[must_use]
    pub fn of(change: &Model) -> Self {
        Self { revision: change.revision, position: change.position }
    }

    /// The end of this commit.
    #[must_use]
    pub fn end_of(revision: i64) -> Self {
        Self { revision, position: i32::MAX }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.revision, self.position)
    }
}

impl FromStr for Place {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        let (revision, position) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self { revision: revision.parse()?, position: position.parse()? })
    }
}

/// Appends the entries `$1` and answers their revision.
pub const APPEND: &str = "SELECT registry.append_changes($1) AS revision";

/// Entries within reach after a place in the log, in order.
pub fn after(
    reach: &Reach,
    Place { revision, position }: Place,
    limit: u64,
) -> SelectorRaw<SelectModel<Model>> {
    let mut sql = Sql::default();
    let (revision, position) = (sql.value(revision), sql.value(position));
    let order = format!("ORDER BY t.revision, t.position LIMIT {}", sql.value(sql::limit(limit)));
    let beyond = format!("(t.revision, t.position) > ({revision}, {position})");
    let text = match reach {
        Reach::Everyone => format!("SELECT t.* FROM registry.changes AS t WHERE {beyond} {order}"),
        // First so many of each, because an index has each customer's entries in order.
        Reach::Only(customers) => {
            let customers = sql.value(uuids(customers));
            format!(
                "SELECT t.* FROM unnest({customers}::uuid[]) AS parent (id) CROSS JOIN LATERAL (\
                 SELECT t.* FROM registry.changes AS t WHERE t.customer_id = parent.id AND {beyond} {order}) AS t {order}"
            )
        }
    };
    Entity::find().from_raw_sql(sql.statement(text))
}

/// The entry at this very place.
pub fn at(revision: i64, position: i32) -> Select<Entity> {
    Entity::find_by_id((revision, position))
}

/// The last entry of one of these kinds about this agent.
pub fn last_of(agent: AgentId, actions: [Action; 2]) -> Select<Entity> {
    last(actions).filter(Column::AgentId.eq(agent))
}

/// The last entry of one of these kinds about this customer.
pub fn last_of_customer(customer: CustomerId, actions: [Action; 2]) -> Select<Entity> {
    last(actions).filter(Column::CustomerId.eq(customer))
}

/// The last entry of this kind about this row of the platform's own.
pub fn last_of_platform(subject: Uuid, action: Action) -> Select<Entity> {
    last([action]).filter(Column::CustomerId.is_null()).filter(Column::SubjectId.eq(subject))
}

/// The last entry of this kind about this row of this customer.
pub fn last_of_row(customer: CustomerId, subject: Uuid, action: Action) -> Select<Entity> {
    last([action]).filter(Column::CustomerId.eq(customer)).filter(Column::SubjectId.eq(subject))
}

fn last(actions: impl IntoIterator<Item = Action>) -> Select<Entity> {
    let select = Entity::find().filter(Column::Action.is_in(actions));
    select.order_by_desc(Column::Revision).order_by_desc(Column::Position).limit(1)
}
