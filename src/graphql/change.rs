//! The audit in the graph: entries of the log, and the lists of them.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object};
use serde_json::Value;

use super::{
    agent::Agent,
    context::{Lens, request},
    customer::Customer,
    error::{Nullable, linked, nullable, refuse},
    page::{connection, page_args},
    plain::Plain,
    scalar::{Cursor, DateTime, Json, Revision, id, to_id},
    user::{Actor, ActorKind},
    version::AgentVersion,
};
use crate::{
    domain::{
        self, Error, Page, PageArgs,
        audit::{self as verbs, Subject},
        change,
    },
    id::CustomerId,
};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "change::ChangeAction")]
pub enum ChangeAction {
    /// A customer was created.
    CustomerCreated,
    /// A customer's own fields changed.
    CustomerUpdated,
    /// A customer got another plan.
    CustomerPlanSet,
    /// A customer got another billing status.
    CustomerBillingSet,
    /// A canceled customer's prompts and personal data were taken away.
    CustomerErased,
    /// A user's profile was made.
    UserCreated,
    /// A user's profile took over what its token says of it.
    UserUpdated,
    /// A user became a member of a customer, or got another role there.
    MemberSet,
    /// A user ceased to work for a customer; the agents there that were its own have no owner any more.
    MemberRemoved,
    /// Somebody was asked to work for a customer.
    InvitationCreated,
    /// An invitation was taken back, or was past its time when the next one was made.
    InvitationRevoked,
    /// An API key was made.
    ApiKeyCreated,
    /// An API key was given a successor, and an end.
    ApiKeyRotated,
    /// An API key ceased to be accepted.
    ApiKeyRevoked,
    /// Somebody became an operator.
    OperatorAdded,
    /// Somebody ceased to be an operator.
    OperatorRemoved,
    /// A service token was made.
    ServiceTokenCreated,
    /// A service token ceased to be accepted.
    ServiceTokenRevoked,
    /// An agent was created.
    AgentCreated,
    /// An agent's own fields changed.
    AgentUpdated,
    /// An agent was put away.
    AgentArchived,
    /// An agent was taken back.
    AgentRestored,
    /// A version was published.
    VersionPublished,
    /// A version began to serve.
    AgentActivated,
    /// An agent ceased to serve.
    AgentDeactivated,
    /// The oldest entries of the log were taken away.
    LogPruned,
}

/// Where a call came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "change::Channel")]
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

/// One entry of the log: one thing that happened, in a commit. It never changes, and holds neither secrets nor what is
/// personal.
#[derive(Clone)]
pub struct Change {
    row: Arc<change::Change>,
    lens: Lens,
}

impl Change {
    pub(super) fn new(row: Arc<change::Change>, lens: Lens) -> Self {
        Self { row, lens }
    }

    /// The entry's own account, which is JSON by a constraint of its table.
    fn told(&self) -> async_graphql::Result<Value> {
        self.lens.weigh(self.row.details.len())?;
        let details = json_reader::read(self.row.details.as_bytes(), &json_reader::Limits::DEPTH_ONLY);
        details.map(Into::into).map_err(|err| refuse(&Error::Internal(Box::new(err))))
    }

    fn part(&self, name: &str) -> async_graphql::Result<Option<Json>> {
        Ok(self.told()?.get(name).filter(|part| !part.is_null()).cloned().map(Json))
    }
}

/// One entry of the log: one thing that happened, in a commit. It never changes, and holds neither secrets nor what is
/// personal.
#[Object]
impl Change {
    /// Where it stands in the log: pass it as `after` to a subscription to go on from here.
    async fn cursor(&self) -> Cursor {
        Cursor(change::Cursor::of(&self.row).to_string())
    }

    /// The commit that it is part of.
    async fn revision(&self) -> Revision {
        Revision(self.row.revision)
    }

    /// Its place in that commit, from 1 on.
    async fn position(&self) -> i32 {
        self.row.position
    }

    /// When that commit took its number. Never earlier than the one before.
    async fn at(&self) -> DateTime {
        self.row.at.into()
    }

    /// What happened.
    async fn action(&self) -> ChangeAction {
        self.row.action.into()
    }

    /// Who did it.
    async fn actor(&self) -> Actor {
        Actor::new(self.row.actor_kind, self.row.actor_id, self.lens.clone())
    }

    /// For which customer it was done, by its id: that of the member or key that did it. Null when the platform did it for
    /// itself.
    async fn on_behalf_of(&self) -> Option<ID> {
        match self.row.actor_kind {
            change::ActorKind::User | change::ActorKind::ApiKey => self.row.customer_id.map(to_id),
            change::ActorKind::Operator | change::ActorKind::Service | change::ActorKind::System => None,
        }
    }

    /// Whose data changed, by its id; null for the platform's own.
    async fn customer_id(&self) -> Option<ID> {
        self.row.customer_id.map(to_id)
    }

    /// Whose data changed, as it is now; null for the platform's own.
    async fn customer(&self) -> Nullable<Customer> {
        linked(self.row.customer_id, |id| self.lens.customer(id)).await
    }

    /// Which agent it is about, by its id; null when it is about none.
    async fn agent_id(&self) -> Option<ID> {
        self.row.agent_id.map(to_id)
    }

    /// Which agent it is about, as it is now; null when it is about none.
    async fn agent(&self) -> Nullable<Agent> {
        linked(self.row.agent_id, |id| self.lens.agent(id)).await
    }

    /// Which version it is about, by its id; null when it is about none.
    async fn version_id(&self) -> Option<ID> {
        self.row.version_id.map(to_id)
    }

    /// Which version it is about; null when it is about none.
    async fn version(&self) -> Nullable<AgentVersion> {
        linked(self.row.version_id, |id| self.lens.version(id)).await
    }

    /// What else it is about, by its id: the user, the key, the token, the invitation, or the record of an activation.
    async fn subject_id(&self) -> Option<ID> {
        self.row.subject_id.map(to_id)
    }

    /// What was so before, where there is something to tell.
    async fn before(&self) -> Nullable<Json> {
        nullable(async { self.part("before") }).await
    }

    /// What is so since, where there is something to tell.
    async fn after(&self) -> Nullable<Json> {
        nullable(async { self.part("after") }).await
    }

    /// All that it tells: before and after, and what there is besides, such as the reason of an activation.
    async fn details(&self) -> async_graphql::Result<Json> {
        self.told().map(Json)
    }

    /// Where the call came in; null in entries from before this was kept.
    async fn channel(&self) -> Option<Channel> {
        self.row.channel.map(Into::into)
    }

    /// The network that the call came from, such as 192.0.2.0/24; null when it came over none. No address is kept.
    async fn network(&self) -> Option<&str> {
        self.row.network.as_deref()
    }

    /// The name of the call: the answer had it as `X-Request-Id`.
    async fn request_id(&self) -> Option<&str> {
        self.row.request_id.as_deref()
    }

    /// SHA-256, in hex, over this entry alone.
    async fn row_hash(&self) -> String {
        hex::encode(&self.row.row_hash)
    }

    /// SHA-256, in hex, over the chain hash of the entry before and this entry's own hash.
    async fn chain_hash(&self) -> String {
        hex::encode(&self.row.chain_hash)
    }
}

/// Which entries of the log.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ChangeFilter {
    /// Only about this agent.
    agent_id: Option<ID>,
    /// Only by this user, key or service token.
    actor_id: Option<ID>,
    /// Only by callers of this kind.
    actor_kind: Option<ActorKind>,
    /// Only of these kinds.
    actions: Option<Vec<ChangeAction>>,
    /// Only from this moment on.
    since: Option<DateTime>,
    /// Only from before this moment.
    until: Option<DateTime>,
}

impl ChangeFilter {
    fn read(self) -> domain::Result<verbs::ChangeFilter> {
        let Self { agent_id, actor_id, actor_kind, actions, since, until } = self;
        let actor = |text: ID| text.parse().map_err(|_| not_an_id());
        Ok(verbs::ChangeFilter {
            agent_id: agent_id.map(|agent| id("filter.agentId", &agent)).transpose()?,
            actor_id: actor_id.map(actor).transpose()?,
            actor_kind: actor_kind.map(Into::into),
            actions: actions.map(distinct),
            since: since.map(DateTime::instant),
            until: until.map(DateTime::instant),
        })
    }
}

/// However often a kind is named, it is asked for once.
fn distinct(actions: Vec<ChangeAction>) -> Vec<change::ChangeAction> {
    let mut all = Vec::new();
    for action in actions.into_iter().map(change::ChangeAction::from) {
        if !all.contains(&action) {
            all.push(action);
        }
    }
    all
}

fn not_an_id() -> Error {
    Error::invalid("filter.actorId", "filter.actorId is not an id: ids are UUIDs")
}

/// What a list of entries counts.
pub struct Count {
    lens: Lens,
    of: Of,
    filter: verbs::ChangeFilter,
}

/// Whose entries a list shows.
enum Of {
    /// Those of this customer, or of all whose audit may be read.
    All(Option<CustomerId>),
    /// Those about this.
    Subject(Subject),
}

async fn count(Count { lens, of, filter }: &Count) -> async_graphql::Result<u64> {
    match of {
        Of::All(customer) => {
            let counted = lens.registry.count_changes(&lens.reading, *customer, filter).await;
            counted.map_err(|err| refuse(&err))
        }
        Of::Subject(subject) => {
            let counted = lens.change_counts.load((*subject, filter.clone())).await?;
            Ok(counted.map_or(0, |count| *count))
        }
    }
}

impl Plain for Change {}

connection!(
    /// A page of the audit.
    ChangeConnection, ChangeEdge, Change, |node: &Change| change::Place::of(&node.row), count, Count
);

impl ChangeConnection {
    pub(super) async fn of(
        lens: &Lens,
        subject: Subject,
        filter: Option<ChangeFilter>,
        args: PageArgs<change::Place>,
    ) -> async_graphql::Result<Self> {
        let filter = filter.unwrap_or_default().read().map_err(|err| refuse(&err))?;
        let page = lens.change_pages.load((subject, filter.clone(), args)).await?;
        let page =
            page.map_or_else(Page::empty, |page| page.each(|row| Change::new(Arc::clone(row), lens.clone())));
        Ok(Self::new(page, Count { lens: lens.clone(), of: Of::Subject(subject), filter }))
    }
}

/// Their queries.
#[derive(Default)]
pub struct ChangeQuery;

#[Object]
impl ChangeQuery {
    /// The audit, newest first: each change of the log that you may see. For ADMINs, operators, and API keys that may read
    /// the audit; operators see the platform's own entries too.
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those of this customer; of all whose audit you may read when left out.")]
        customer_id: Option<ID>,
        #[graphql(desc = "Which of the entries; all when left out.")] filter: Option<ChangeFilter>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")] after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")] before: Option<String>,
    ) -> async_graphql::Result<ChangeConnection> {
        let args = page_args(first, after.as_deref(), last, before.as_deref())?;
        let lens = request(ctx)?.lens();
        let read = async {
            let customer = customer_id.map(|customer| id("customerId", &customer)).transpose()?;
            let filter = filter.unwrap_or_default().read()?;
            let page = lens.registry.changes(&lens.reading, customer, &filter, &args).await?;
            Ok::<_, Error>((customer, filter, page))
        };
        let (customer, filter, page) = read.await.map_err(|err| refuse(&err))?;
        let page = page.map(|row| Change::new(Arc::new(row), lens.clone()));
        Ok(ChangeConnection::new(page, Count { lens, of: Of::All(customer), filter }))
    }
}
