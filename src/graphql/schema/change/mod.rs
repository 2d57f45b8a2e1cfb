//! The audit log in the GraphQL schema: its entries, and the lists of them.

mod action;
mod names;
mod subject;

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object};

pub use action::{ChangeAction, Channel};
pub use names::{action_name, action_named, actor_kind_name, actor_kind_named, channel_name};
pub use subject::ChangeSubject;

use super::{
    actor::Actor,
    agent::Agent,
    customer::Customer,
    environment::Environment,
    error::{Nullable, linked, nullable, to_graphql_error},
    finding::FieldChange,
    page::{CHANGES, connection, page_args},
    scalar::{Cursor, DateTime, Json, Revision, id, to_id},
    user::ActorKind,
    version::AgentVersion,
};
use crate::{
    domain::{
        self, BoundedCount, Error, Page, PageArgs,
        audit::{self, AuditSubject},
        change::{self, ChangedEnvironment},
        page::ListId,
    },
    graphql::engine::context::{RequestView, request},
    id::CustomerId,
};

/// One entry of the audit log: a single change, made by a commit. Entries never change, and hold no secrets and no
/// personal data.
#[derive(Clone)]
pub struct Change {
    row: Arc<change::Change>,
    view: RequestView,
}

impl Change {
    pub(in crate::graphql) fn new(row: Arc<change::Change>, view: RequestView) -> Self {
        Self { row, view }
    }

    /// A part of the entry's details.
    fn detail(&self, name: &str) -> async_graphql::Result<Option<Json>> {
        self.view.weigh(self.row.details.len())?;
        let detail = self.row.detail(name).map_err(|err| to_graphql_error(&err))?;
        Ok(detail.map(Json))
    }
}

/// One entry of the audit log: a single change, made by a commit. Entries never change, and hold no secrets and no
/// personal data.
#[Object]
impl Change {
    /// Identifies the entry for clients' caches: its revision and position. `node` doesn't know it.
    async fn id(&self) -> ID {
        to_id(change::LogPosition::of(&self.row))
    }

    /// The entry's position in the log. Pass it as `after` to a subscription, which then continues with the next
    /// entry.
    async fn cursor(&self) -> Cursor {
        Cursor(change::Cursor::of(&self.row).to_string())
    }

    /// The commit that made the change; other entries of the same commit share it.
    async fn revision(&self) -> Revision {
        self.row.revision
    }

    /// The entry's position within its commit, starting at 1.
    async fn position(&self) -> i32 {
        self.row.position
    }

    /// When the commit got its revision; never earlier than for the revision before.
    async fn at(&self) -> DateTime {
        self.row.at.into()
    }

    /// The kind of change; it decides the form of `before`, `after` and `details`.
    async fn action(&self) -> ChangeAction {
        self.row.action.into()
    }

    /// The caller that made the change.
    async fn actor(&self) -> Actor {
        Actor::new(self.row.actor_kind, self.row.actor_id, self.view.clone())
    }

    /// The UUID of the customer that the actor acted for: for users and API keys, the customer whose data changed.
    /// Null for operators, services and the system.
    async fn on_behalf_of(&self) -> Option<ID> {
        match self.row.actor_kind {
            change::ActorKind::User | change::ActorKind::ApiKey => self.row.customer_id.map(to_id),
            change::ActorKind::Operator | change::ActorKind::Service | change::ActorKind::System => None,
        }
    }

    /// The UUID of the customer whose data changed; null for the platform's own entries.
    async fn customer_id(&self) -> Option<ID> {
        self.row.customer_id.map(to_id)
    }

    /// The customer whose data changed, as it is now; null for the platform's own entries, and for API keys without
    /// `agents:read`.
    async fn customer(&self) -> Nullable<Customer> {
        linked(self.row.customer_id, |id| self.view.customer(id)).await
    }

    /// The UUID of the agent that changed; null if the entry isn't about an agent.
    async fn agent_id(&self) -> Option<ID> {
        self.row.agent_id.map(to_id)
    }

    /// The agent that changed, as it is now; null if the entry isn't about an agent.
    async fn agent(&self) -> Nullable<Agent> {
        linked(self.row.agent_id, |id| self.view.agent(id)).await
    }

    /// The environment that changed, or in which a version was activated or an agent deactivated, as it is now; null for other
    /// entries.
    async fn environment(&self) -> Nullable<Environment> {
        let customer = self.row.customer_id?;
        nullable(async {
            let Some(which) = self.row.environment() else { return Ok(None) };
            let environments = self.view.environments_of(customer).await?;
            Ok(environments.into_iter().find(|environment| match &which {
                ChangedEnvironment::Id(id) => environment.row.id == *id,
                ChangedEnvironment::Key(key) => environment.row.key == *key,
            }))
        })
        .await
    }

    /// The UUID of the version that was published or activated; null if there is none.
    async fn version_id(&self) -> Option<ID> {
        self.row.version_id.map(to_id)
    }

    /// The version that was published or activated; null if there is none.
    async fn version(&self) -> Nullable<AgentVersion> {
        linked(self.row.version_id, |id| self.view.version(id)).await
    }

    /// The UUID of another object that changed: the user, API key, service token or invitation, or the activation's
    /// record. Null if there is none.
    async fn subject_id(&self) -> Option<ID> {
        self.row.subject_id.map(to_id)
    }

    /// The other object that changed, as it is now. Null if there is none, it is gone, or you may not see it: API keys and
    /// invitations are for ADMINs and operators, service tokens for operators.
    async fn subject(&self) -> Nullable<ChangeSubject> {
        linked(self.row.object(), |object| self.view.change_subject(object)).await
    }

    /// The content of `details` by field, with the schema's field names as paths, such as `["billing", "status"]`. A value
    /// that was unset is ADDED, and so is a detail that is no field, such as an activation's `reason`.
    async fn field_changes(&self) -> async_graphql::Result<Vec<FieldChange>> {
        self.view.weigh(self.row.details.len())?;
        let changes = self.row.field_changes().map_err(|err| to_graphql_error(&err))?;
        FieldChange::all(&changes, &self.view)
    }

    /// The changed fields before the change, as JSON; null if there was nothing before, or it isn't recorded.
    async fn before(&self) -> Nullable<Json> {
        nullable(async { self.detail("before") }).await
    }

    /// The changed fields after the change, as JSON; null if nothing is left, or it isn't recorded.
    async fn after(&self) -> Nullable<Json> {
        nullable(async { self.detail("after") }).await
    }

    /// All recorded details as a JSON object: `before`, `after`, and for some actions more, such as an activation's
    /// `reason`.
    async fn details(&self) -> async_graphql::Result<Json> {
        self.view.weigh(self.row.details.len())?;
        Ok(Json(self.row.details.clone()))
    }

    /// The interface that the call came through; null in entries from before this was recorded.
    async fn channel(&self) -> Option<Channel> {
        self.row.channel.map(Into::into)
    }

    /// The caller's network, such as 192.0.2.0/24 (/48 for IPv6), never its full address. Null if the call didn't
    /// come over a network.
    async fn network(&self) -> Option<&str> {
        self.row.network.as_deref()
    }

    /// The request's id, which its response carried in `X-Request-Id`; null in entries without a request.
    async fn request_id(&self) -> Option<&str> {
        self.row.request_id.as_deref()
    }

    /// SHA-256 of this entry alone, as 64 hexadecimal digits.
    async fn row_hash(&self) -> String {
        hex::encode(&self.row.row_hash)
    }

    /// SHA-256 of the previous entry's chain hash and this entry's `rowHash`, as 64 hexadecimal digits. Changing or
    /// removing an earlier entry changes it: compare it with a signed head.
    async fn chain_hash(&self) -> String {
        hex::encode(&self.row.chain_hash)
    }
}

/// Conditions on entries of the audit log; all given ones must hold.
#[derive(Clone, Debug, Default, InputObject)]
pub struct ChangeFilter {
    /// Only entries about this agent.
    agent_id: Option<ID>,
    /// Only changes that this user, API key or service token made.
    actor_id: Option<ID>,
    /// Only changes that callers of this kind made.
    actor_kind: Option<ActorKind>,
    /// Only these kinds of changes; all kinds if left out.
    actions: Option<Vec<ChangeAction>>,
    /// Only entries at or after this instant.
    since: Option<DateTime>,
    /// Only entries before this instant.
    until: Option<DateTime>,
}

impl ChangeFilter {
    pub(super) fn read(self) -> domain::Result<audit::ChangeFilter> {
        let Self { agent_id, actor_id, actor_kind, actions, since, until } = self;
        let actor = |text: ID| text.parse().map_err(|_| not_an_id());
        Ok(audit::ChangeFilter {
            agent_id: agent_id.map(|agent| id("filter.agentId", &agent)).transpose()?,
            actor_id: actor_id.map(actor).transpose()?,
            actor_kind: actor_kind.map(Into::into),
            actions: actions.map(distinct),
            since: since.map(DateTime::instant),
            until: until.map(DateTime::instant),
        })
    }
}

/// Removes duplicate actions, so that each is queried once.
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
    Error::invalid("filter.actorId", "filter.actorId must be a UUID")
}

/// What `totalCount` counts, when a client asks for it.
pub struct Count {
    view: RequestView,
    of: ChangeListScope,
    filter: audit::ChangeFilter,
}

/// Which entries a list holds.
enum ChangeListScope {
    /// The entries of one customer, or of every customer whose audit the reader may read.
    All(Option<CustomerId>),
    /// The entries about one customer or agent.
    Subject(AuditSubject),
}

async fn count(Count { view, of, filter }: &Count) -> async_graphql::Result<BoundedCount> {
    match of {
        ChangeListScope::All(customer) => {
            let counted = view.registry().count_changes(view.reading(), *customer, filter).await;
            counted.map_err(|err| to_graphql_error(&err))
        }
        ChangeListScope::Subject(subject) => {
            let counted = view.loaders().change_counts.load((*subject, filter.clone())).await?;
            Ok(counted.map(|count| *count).unwrap_or_default())
        }
    }
}

connection!(
    /// A page of entries of the audit log.
    ChangeConnection, ChangeEdge, Change, |node: &Change| change::LogPosition::of(&node.row), count, Count
);

impl ChangeConnection {
    pub(in crate::graphql) async fn of(
        view: &RequestView,
        subject: AuditSubject,
        filter: Option<ChangeFilter>,
        args: PageArgs<change::LogPosition>,
    ) -> async_graphql::Result<Self> {
        let filter = filter.unwrap_or_default().read().map_err(|err| to_graphql_error(&err))?;
        let page = view.loaders().change_pages.load((subject, filter.clone(), args)).await?;
        let page =
            page.map_or_else(Page::empty, |page| page.each(|row| Change::new(Arc::clone(row), view.clone())));
        let list = match subject {
            AuditSubject::Customer(customer) => ListId::below(CHANGES, customer),
            AuditSubject::Agent(agent) => ListId::below(CHANGES, agent),
        };
        Ok(Self::new(page, list, Count { view: view.clone(), of: ChangeListScope::Subject(subject), filter }))
    }
}

/// The root field of `Query` that reads the audit log.
#[derive(Default)]
pub struct ChangeQuery;

#[Object]
impl ChangeQuery {
    /// The audit log, newest first: each entry that you can see. For ADMINs, operators, and API keys with
    /// `changes:read`; operators also get the platform's own entries.
    async fn changes(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only this customer's entries; those of every customer whose audit you can read if left out."
        )]
        customer_id: Option<ID>,
        #[graphql(desc = "Only matching entries; all if left out.")] filter: Option<ChangeFilter>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<ChangeConnection> {
        let customer = customer_id.map(|customer| id::<CustomerId>("customerId", &customer)).transpose();
        let customer = customer.map_err(|err| to_graphql_error(&err))?;
        let list = customer.map_or_else(|| ListId::all(CHANGES), |customer| ListId::below(CHANGES, customer));
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        let view = request(ctx)?.view();
        let read = async {
            let filter = filter.unwrap_or_default().read()?;
            let page = view.registry().changes(view.reading(), customer, &filter, &args).await?;
            Ok::<_, Error>((filter, page))
        };
        let (filter, page) = read.await.map_err(|err| to_graphql_error(&err))?;
        let page = page.map(|row| Change::new(Arc::new(row), view.clone()));
        Ok(ChangeConnection::new(page, list, Count { view, of: ChangeListScope::All(customer), filter }))
    }
}
