//! Running subscriptions in the GraphQL schema, for operators.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};

use super::{
    actor::Actor,
    error::to_graphql_error,
    page::{WATCHERS, connection, page_args},
    scalar::{DateTime, Revision, to_id},
};
use crate::{
    domain::{BoundedCount, Page, Principal, page::ListId},
    feed,
    graphql::engine::context::{RequestView, request},
};

/// The event streams that a subscription can watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "feed::Watched")]
pub enum Watched {
    /// The stream of activations and deactivations.
    Activations,
    /// The stream of active configurations.
    Configs,
    /// The stream of all entries of the audit log.
    Changes,
    /// The stream of customers' events, which `customerEvents` sends.
    CustomerEvents,
}

/// A subscription that is running on the instance that answered, for operators.
#[derive(Clone)]
pub struct Watcher {
    watcher: Arc<feed::Watcher>,
    /// The revision up to which this instance had followed the log when the list was read.
    applied: Revision,
    view: RequestView,
}

/// A subscription that is running on the instance that answered, for operators.
#[Object]
impl Watcher {
    /// The subscription's UUID, valid while it runs.
    async fn id(&self) -> ID {
        to_id(self.watcher.id)
    }

    /// The stream that it watches.
    async fn watched(&self) -> Watched {
        self.watcher.watched.into()
    }

    /// The caller that subscribed.
    async fn actor(&self) -> Actor {
        let actor = self.watcher.caller.actor();
        Actor::new(actor.kind, actor.id, self.view.clone())
    }

    /// The caller's name in its credential: a user's subject, or the name of an API key or service token.
    async fn name(&self) -> &str {
        match &self.watcher.caller.principal {
            Principal::User(user) => &user.subject,
            Principal::ApiKey(key) => &key.name,
            Principal::Service(service) => &service.name,
            Principal::System => "system",
        }
    }

    /// The UUID of the customer in its arguments; null if it watches every customer that it can see.
    async fn customer_id(&self) -> Option<ID> {
        self.watcher.filter.customer_id.map(to_id)
    }

    /// The key of the only environment that it watches; null if it watches several, or is about none.
    async fn environment_key(&self) -> Option<&str> {
        self.watcher.environment().map(|key| key.as_str())
    }

    /// `clientInfo.name` of the socket's `connection_init`, at most 100 characters; null if it sent none.
    async fn client_name(&self) -> Option<&str> {
        self.watcher
            .caller
            .origin
            .connection
            .as_ref()
            .and_then(|connection| connection.client_name.as_deref())
    }

    /// `clientInfo.version` of the socket's `connection_init`, at most 100 characters; null if it sent none.
    async fn client_version(&self) -> Option<&str> {
        let connection = self.watcher.caller.origin.connection.as_ref();
        connection.and_then(|connection| connection.client_version.as_deref())
    }

    /// How many agents its arguments name; null if they name none.
    async fn agents(&self) -> Option<usize> {
        self.watcher.filter.agent_ids.as_ref().map(|agents| agents.len())
    }

    /// The caller's network, such as 192.0.2.0/24 (/48 for IPv6); null if unknown.
    async fn network(&self) -> Option<String> {
        self.watcher.caller.origin.network.map(|network| network.to_string())
    }

    /// When the subscription began.
    async fn since(&self) -> DateTime {
        self.watcher.since.into()
    }

    /// The last commit whose events it has received, or is receiving.
    async fn revision(&self) -> Revision {
        self.watcher.revision()
    }

    /// How many commits it lags behind this instance; 0 if it's up to date.
    async fn behind(&self) -> i64 {
        self.watcher.revision().behind(self.applied)
    }
}

/// What `totalCount` returns: how many subscriptions are running.
pub struct Count(u64);

async fn count(Count(count): &Count) -> async_graphql::Result<BoundedCount> {
    Ok(BoundedCount::of(*count))
}

connection!(
    /// A page of running subscriptions.
    WatcherConnection, WatcherEdge, Watcher, |node: &Watcher| node.watcher.id, count, Count
);

/// The root field of `Query` that lists running subscriptions.
#[derive(Default)]
pub struct WatcherQuery;

#[Object]
impl WatcherQuery {
    /// The subscriptions that run on the instance that answers, oldest first; other instances have their own. For
    /// operators.
    async fn watchers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<WatcherConnection> {
        let request = request(ctx)?;
        let list = ListId::all(WATCHERS);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        let all = request.hub.watchers(&request.caller).map_err(|err| to_graphql_error(&err))?;
        let (count, applied, view) = (all.len(), request.hub.applied(), request.view());
        let page: Page<Arc<feed::Watcher>> = args.page_of_list(all, |watcher| watcher.id);
        let page = page.map(|watcher| Watcher { watcher, applied, view: view.clone() });
        Ok(WatcherConnection::new(page, list, Count(u64::try_from(count).unwrap_or(u64::MAX))))
    }
}
