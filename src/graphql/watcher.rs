//! Who watches, for operators.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};

use super::{
    context::{Lens, request},
    error::refuse,
    page::{connection, page_args},
    plain::Plain,
    scalar::{DateTime, Revision, to_id},
    user::Actor,
};
use crate::{
    domain::{Page, Principal},
    feed,
};

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "feed::Watched")]
pub enum Watched {
    /// Activations and deactivations.
    Activations,
    /// Active configurations.
    Configs,
    /// All of the log.
    Changes,
}

/// A subscription that runs on this instance.
#[derive(Clone)]
pub struct Watcher {
    watcher: Arc<feed::Watcher>,
    /// How far this instance had followed the log when it was asked.
    applied: i64,
    lens: Lens,
}

/// A subscription that runs on this instance.
#[Object]
impl Watcher {
    /// Names it for as long as it runs.
    async fn id(&self) -> ID {
        to_id(self.watcher.id)
    }

    /// What it watches.
    async fn watched(&self) -> Watched {
        self.watcher.watched.into()
    }

    /// Who it is.
    async fn actor(&self) -> Actor {
        let actor = self.watcher.caller.actor();
        Actor::new(actor.kind, actor.id, self.lens.clone())
    }

    /// What its credential calls it: a user's subject, an API key's or a service token's name.
    async fn name(&self) -> &str {
        match &self.watcher.caller.principal {
            Principal::User(user) => &user.subject,
            Principal::ApiKey(key) => &key.name,
            Principal::Service(service) => &service.name,
            Principal::System => "system",
        }
    }

    /// The customer that it named, by its id; null when it watches all that it may see.
    async fn customer_id(&self) -> Option<ID> {
        self.watcher.filter.customer_id.map(to_id)
    }

    /// How many agents it named; null when it named none.
    async fn agents(&self) -> Option<usize> {
        self.watcher.filter.agent_ids.as_ref().map(|agents| agents.len())
    }

    /// The network that it comes from, such as 192.0.2.0/24.
    async fn network(&self) -> Option<String> {
        self.watcher.caller.origin.network.map(|network| network.to_string())
    }

    /// Since when it runs.
    async fn since(&self) -> DateTime {
        self.watcher.since.into()
    }

    /// The last commit of which it has been handed all that it may see.
    async fn revision(&self) -> Revision {
        Revision(self.watcher.revision())
    }

    /// How many commits it is behind what this instance knows.
    async fn behind(&self) -> i64 {
        (self.applied - self.watcher.revision()).max(0)
    }
}

/// How many watch.
pub struct Count(u64);

async fn count(Count(count): &Count) -> async_graphql::Result<u64> {
    Ok(*count)
}

impl Plain for Watcher {}

connection!(
    /// A page of those who watch.
    WatcherConnection, WatcherEdge, Watcher, |node: &Watcher| node.watcher.id, count, Count
);

/// Their queries.
#[derive(Default)]
pub struct WatcherQuery;

#[Object]
impl WatcherQuery {
    /// The subscriptions that run on the instance which answers this, oldest first. For operators.
    async fn watchers(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")] after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")] before: Option<String>,
    ) -> async_graphql::Result<WatcherConnection> {
        let request = request(ctx)?;
        let args = page_args(first, after.as_deref(), last, before.as_deref())?;
        let all = request.hub.watchers(&request.caller).map_err(|err| refuse(&err))?;
        let (count, applied, lens) = (all.len(), request.hub.applied(), request.lens());
        let page: Page<Arc<feed::Watcher>> = args.cut(all, |watcher| watcher.id);
        let page = page.map(|watcher| Watcher { watcher, applied, lens: lens.clone() });
        Ok(WatcherConnection::new(page, Count(u64::try_from(count).unwrap_or(u64::MAX))))
    }
}
