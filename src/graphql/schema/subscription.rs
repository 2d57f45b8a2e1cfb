//! Subscriptions: what of the log a caller may see, first what it missed, then live.

use std::sync::Arc;

use async_graphql::{Context, ID, Subscription};
use futures_util::{Stream, stream};

use super::{
    activation::Activation,
    change::Change,
    config::{ActiveConfig, ConfigEvent, Of},
    error::refuse,
    scalar::{Cursor, id},
};
use crate::{
    domain::{self, Error, Result, activation as verbs},
    feed::{self, WatchFilter, Watched},
    graphql::engine::{
        context::{Request, request},
        render_cache::{Event, Part, Source},
    },
    task::lock,
};

/// The most agents that one subscription may name: more want a customer, or all.
const AGENTS_MAX: usize = 1000;

/// All subscriptions.
#[derive(Default)]
pub struct SubscriptionRoot;

/// What of the log you may see, first what you missed, then live.
#[Subscription(name = "Subscription")]
impl SubscriptionRoot {
    /// Each activation and deactivation that the caller may see, in order; `after` replays what was missed.
    async fn activations<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "Only those of this customer; of all that you may see when left out.")] customer_id: Option<ID>,
        #[graphql(desc = "Only those of these agents, at most 1000.")] agent_ids: Option<Vec<ID>>,
        #[graphql(
            desc = "Begin right after this event's cursor, or after this revision; with what happens from now on when left out."
        )]
        after: Option<Cursor>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Activation>> + 'a> {
        let request = request(ctx)?;
        let opened = open(request, Watched::Activations, customer_id, agent_ids, after);
        Ok(stream::iter(match part(request, opened).await? {
            Some(Event::Change(change)) => Some(activation(&change, request).await),
            other => unshown(other),
        }))
    }

    /// For gateways: first every active config (SNAPSHOT), then each change (UPSERT, REMOVE), with BOOKMARKs between. A
    /// snapshot is of one moment: the one of the BOOKMARK that follows it. After several events of one commit, and when
    /// nothing happens for ten seconds, a BOOKMARK follows too. Needs the right to read configurations and to watch.
    async fn configs<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "Only those of this customer; of all that you may see when left out.")] customer_id: Option<ID>,
        #[graphql(desc = "Only those of these agents, at most 1000.")] agent_ids: Option<Vec<ID>>,
        #[graphql(
            desc = "Begin right after this BOOKMARK's cursor, or after this revision; with a snapshot when left out. A cursor is good for the same arguments and the same rights only."
        )]
        after: Option<Cursor>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<ConfigEvent>> + 'a> {
        let request = request(ctx)?;
        let opened = async {
            let filter = filter(customer_id, agent_ids)?;
            let after = after.as_ref().map(|cursor| cursor.0.as_str());
            let watch = request.hub.watch_configs(Arc::clone(&request.caller), filter, after).await?;
            Ok(Source::Configs(Box::new(watch)))
        };
        Ok(stream::iter(match part(request, opened).await? {
            Some(Event::Config(event)) => Some(Ok(config(event, request))),
            other => unshown(other),
        }))
    }

    /// For dashboards: every change of the log that the caller may see, in order; `after` replays what was missed. Needs
    /// the right to read the audit. Operators are sent the platform's own entries too.
    async fn changes<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "Only those of this customer; of all whose audit you may read when left out.")]
        customer_id: Option<ID>,
        #[graphql(
            desc = "Begin right after this change's cursor, or after this revision; with what happens from now on when left out."
        )]
        after: Option<Cursor>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Change>> + 'a> {
        let request = request(ctx)?;
        let opened = open(request, Watched::Changes, customer_id, None, after);
        Ok(stream::iter(match part(request, opened).await? {
            Some(Event::Change(change)) => Some(Ok(Change::new(change, request.event()))),
            other => unshown(other),
        }))
    }
}

/// The event that is to be shown; or none, and what is watched from now on has been opened.
async fn part(
    request: &Request,
    opened: impl Future<Output = Result<Source>>,
) -> async_graphql::Result<Option<Event>> {
    match &request.part {
        Some(Part::Show(event)) => Ok(Some(event.clone())),
        Some(Part::Open(slot)) => {
            let source = opened.await.map_err(|err| refuse(&err))?;
            *lock(slot) = Some(source);
            Ok(None)
        }
        None => Err(refuse(&Error::Internal("a subscription that was run as a query".into()))),
    }
}

/// What there is to say when there is no event of the kind that was asked for.
fn unshown<T>(event: Option<Event>) -> Option<async_graphql::Result<T>> {
    match event? {
        Event::Over(err) => Some(Err(refuse(&err))),
        Event::Change(_) | Event::Config(_) => {
            Some(Err(refuse(&Error::Internal("an event of another subscription".into()))))
        }
    }
}

fn config(event: feed::ConfigEvent, request: &Request) -> ConfigEvent {
    let shown = |config| ActiveConfig(Of::Told(config), request.event());
    match event {
        feed::ConfigEvent::Snapshot(revision, config) => ConfigEvent::snapshot(revision, shown(config)),
        feed::ConfigEvent::Upsert(revision, config) => ConfigEvent::upsert(revision, shown(config)),
        feed::ConfigEvent::Remove(revision, agent, why) => ConfigEvent::remove(revision, agent, why),
        feed::ConfigEvent::Bookmark(revision, cursor) => ConfigEvent::bookmark(revision, cursor),
    }
}

async fn open(
    request: &Request,
    watched: Watched,
    customer: Option<ID>,
    agents: Option<Vec<ID>>,
    after: Option<Cursor>,
) -> Result<Source> {
    let after = after.map(|cursor| cursor.read()).transpose()?;
    let filter = filter(customer, agents)?;
    let watch = Box::new(request.hub.watch(Arc::clone(&request.caller), watched, filter, after).await?);
    Ok(match watched {
        Watched::Activations => Source::Activations(watch),
        Watched::Changes | Watched::Configs => Source::Changes(watch),
    })
}

/// What of the log these arguments ask for.
fn filter(customer: Option<ID>, agents: Option<Vec<ID>>) -> Result<WatchFilter> {
    let customer_id = customer.map(|customer| id("customerId", &customer)).transpose()?;
    if let Some(agents) = agents.as_ref().filter(|agents| agents.len() > AGENTS_MAX) {
        let (field, unit) = ("agentIds".to_owned(), "ids");
        return Err(Error::TooLarge { field, actual: agents.len(), limit: AGENTS_MAX, unit });
    }
    let agent_ids =
        agents.map(|agents| agents.iter().map(|agent| id("agentIds", agent)).collect()).transpose()?;
    Ok(WatchFilter { customer_id, agent_ids })
}

/// The activation that a change tells of, as of now.
async fn activation(change: &domain::change::Change, request: &Request) -> async_graphql::Result<Activation> {
    let id = verbs::Activation::recorded_by(change);
    let id = id.ok_or_else(|| refuse(&Error::Internal("a change that is no activation".into())))?;
    let activation = request.event().activation(id).await?;
    activation.ok_or_else(|| refuse(&Error::Internal("a change without its activation".into())))
}
