//! The root fields of `Subscription`. Each one runs in two phases: it opens its watch, and then renders one event at
//! a time (`engine/render_cache.rs`).

use std::sync::Arc;

use async_graphql::{Context, ID, Subscription};
use futures_util::{Stream, stream};

use super::{
    activation::Activation,
    change::Change,
    config::{ActiveConfig, ConfigEvent, ConfigSource},
    customer_event::CustomerEvent,
    error::to_graphql_error,
    gateway::{Convergence, Gateway, GatewayFilter},
    scalar::{Cursor, id},
};
use crate::{
    domain::{
        self, Error, Result, activation,
        environment::{key_or_default, keys_or_default},
    },
    feed::{self, ConvergenceWatch, GatewayWatch, WatchFilter, Watched},
    graphql::engine::{
        context::{Request, request},
        render_cache::{Event, EventSource, SubscriptionPhase},
    },
    task::lock,
};

/// The most agents that one subscription may name. For more, a client subscribes to a customer, or to all.
const AGENTS_MAX: usize = 1000;

/// The root type of all subscriptions.
#[derive(Default)]
pub struct SubscriptionRoot;

/// Subscriptions first replay what you missed, if you pass `after`, and then continue live.
#[Subscription(name = "Subscription")]
impl SubscriptionRoot {
    /// Each activation and deactivation that you can see, in commit order, each once. An event shows its own record,
    /// and nested objects as they are now. For members, operators, and API keys and service tokens with
    /// `activations:watch`.
    async fn activations<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(
            desc = "Only this customer's activations; those of every customer that you can see if left out."
        )]
        customer_id: Option<ID>,
        #[graphql(desc = "Only these agents, 1 to 1,000; all if left out.")] agent_ids: Option<Vec<ID>>,
        #[graphql(
            desc = "Those in the environments with these keys, 1 to 100; in `production` alone if left out."
        )]
        environments: Option<Vec<String>>,
        #[graphql(
            desc = "Continue after this event's cursor or this revision. If left out, only events from now on."
        )]
        after: Option<Cursor>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Activation>> + 'a> {
        let request = request(ctx)?;
        let opened = async {
            let keys = keys_or_default("environments", environments.as_deref())?;
            let filter = WatchFilter { environments: Some(keys.into()), ..filter(customer_id, agent_ids)? };
            open(request, Watched::Activations, filter, after).await
        };
        Ok(stream::iter(match run_phase(request, opened).await? {
            Some(Event::Change(change)) => Some(activation(&change, request).await),
            other => resolve_other(other),
        }))
    }

    /// For gateways: all active configurations of an environment (SNAPSHOT), then each change (UPSERT, REMOVE), with BOOKMARKs in
    /// between. The snapshot shows the moment of the BOOKMARK that ends it. A BOOKMARK also follows a commit with
    /// several events, and is sent about every ten seconds, twenty at most, even if nothing happens. A named agent that
    /// you can't see gets a REMOVE with NOT_FOUND after the snapshot; a customer that you can't see fails. For members,
    /// operators, and API keys and service tokens with both `configs:read` and `activations:watch`.
    async fn configs<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(
            desc = "Only this customer's configurations; those of every customer that you can see if left out."
        )]
        customer_id: Option<ID>,
        #[graphql(desc = "Only these agents, 1 to 1,000; all if left out.")] agent_ids: Option<Vec<ID>>,
        #[graphql(desc = "The key of the environment; `production` if left out.")] environment: Option<
            String,
        >,
        #[graphql(
            desc = "Continue after this BOOKMARK's cursor or this revision; with a snapshot if left out. A cursor is valid only for the same arguments and rights."
        )]
        after: Option<Cursor>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<ConfigEvent>> + 'a> {
        let request = request(ctx)?;
        let opened = async {
            let filter = filter(customer_id, agent_ids)?;
            let key = key_or_default("environment", environment.as_deref())?;
            let after = after.as_ref().map(|cursor| cursor.0.as_str());
            let watch = request.hub.watch_configs(Arc::clone(&request.caller), filter, key, after).await?;
            Ok(EventSource::Configs(Box::new(watch)))
        };
        Ok(stream::iter(match run_phase(request, opened).await? {
            Some(Event::Config(event)) => Some(Ok(config(event, request))),
            other => resolve_other(other),
        }))
    }

    /// For dashboards: each entry of the audit log that you can see, in commit order, each once. For ADMINs,
    /// operators, and API keys with `changes:read`; operators also get the platform's own entries.
    async fn changes<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(
            desc = "Only this customer's entries; those of every customer whose audit you can read if left out."
        )]
        customer_id: Option<ID>,
        #[graphql(
            desc = "Continue after this entry's cursor or this revision. If left out, only entries from now on."
        )]
        after: Option<Cursor>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Change>> + 'a> {
        let request = request(ctx)?;
        let opened = async { open(request, Watched::Changes, filter(customer_id, None)?, after).await };
        Ok(stream::iter(match run_phase(request, opened).await? {
            Some(Event::Change(change)) => Some(Ok(Change::new(change, request.fresh_view()))),
            other => resolve_other(other),
        }))
    }

    /// For dashboards: each change of a customer, its environments, agents and versions that you can see, in commit order,
    /// each once. Members and keys appear in `changes` only. For members, operators, and API keys with `agents:read`; a key
    /// that is limited to environments gets the events of these, and those of no environment.
    async fn customer_events<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(
            desc = "Only this customer's events; those of every customer that you can see if left out."
        )]
        customer_id: Option<ID>,
        #[graphql(
            desc = "Continue after this event's cursor or this revision, such as `Query.revision`. If left out, only events from now on."
        )]
        after: Option<Cursor>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<CustomerEvent>> + 'a> {
        let request = request(ctx)?;
        let opened =
            async { open(request, Watched::CustomerEvents, filter(customer_id, None)?, after).await };
        Ok(stream::iter(match run_phase(request, opened).await? {
            Some(Event::Change(change)) => Some(Ok(CustomerEvent::new(change, request.fresh_view()))),
            other => resolve_other(other),
        }))
    }

    /// Each change of a gateway's state, revision or rejections from now on, read once a second; the same on every instance. A
    /// gateway that isn't listed any more comes once more as GONE. Subscribe, then query the list. For operators.
    async fn gateways<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The key of the environment; `production` if left out.")] environment: Option<
            String,
        >,
        #[graphql(
            desc = "Only gateways that match, or matched until then; all if left out. `behind` alone makes no event."
        )]
        filter: Option<GatewayFilter>,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Gateway>> + 'a> {
        let request = request(ctx)?;
        let opened = async {
            let key = key_or_default("environment", environment.as_deref())?;
            let (registry, caller) = (&request.registry, Arc::clone(&request.caller));
            let watch = GatewayWatch::open(registry, caller, key, filter.unwrap_or_default().into()).await?;
            Ok(EventSource::Gateways(Box::new(watch)))
        };
        Ok(stream::iter(match run_phase(request, opened).await? {
            Some(Event::Gateway(row)) => Some(Ok(Gateway { row, view: request.fresh_view() })),
            other => resolve_other(other),
        }))
    }

    /// An agent's convergence, now and at each change, at most once a second. Its first event comes once something has served.
    /// Needs READ_AGENTS.
    async fn convergence<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The UUID of the agent.")] agent_id: ID,
        #[graphql(desc = "The key of the environment; `production` if left out.")] environment: Option<
            String,
        >,
    ) -> async_graphql::Result<impl Stream<Item = async_graphql::Result<Convergence>> + 'a> {
        let request = request(ctx)?;
        let opened = async {
            let agent = id("agentId", &agent_id)?;
            let key = key_or_default("environment", environment.as_deref())?;
            let (registry, caller) = (&request.registry, Arc::clone(&request.caller));
            let watch = ConvergenceWatch::open(registry, caller, agent, key).await?;
            Ok(EventSource::Convergence(Box::new(watch)))
        };
        Ok(stream::iter(match run_phase(request, opened).await? {
            Some(Event::Convergence(row)) => Some(Ok(Convergence { row, view: request.fresh_view() })),
            other => resolve_other(other),
        }))
    }
}

/// Runs the phase that the request names. In the open phase it opens the watch, stores it and returns no event; in
/// the render phase it returns the event to render.
async fn run_phase(
    request: &Request,
    opened: impl Future<Output = Result<EventSource>>,
) -> async_graphql::Result<Option<Event>> {
    match &request.phase {
        Some(SubscriptionPhase::Render(event)) => Ok(Some(event.clone())),
        Some(SubscriptionPhase::Open(slot)) => {
            let source = opened.await.map_err(|err| to_graphql_error(&err))?;
            *lock(slot) = Some(source);
            Ok(None)
        }
        None => Err(to_graphql_error(&Error::Internal("a subscription was run without a phase".into()))),
    }
}

/// Resolves what isn't an event of this subscription: nothing in the open phase, the error that ended the watch, or
/// an internal error.
fn resolve_other<T>(event: Option<Event>) -> Option<async_graphql::Result<T>> {
    match event? {
        Event::Ended(err) => Some(Err(to_graphql_error(&err))),
        Event::Change(_) | Event::Config(_) | Event::Gateway(_) | Event::Convergence(_) => {
            Some(Err(to_graphql_error(&Error::Internal("an event of another subscription".into()))))
        }
    }
}

fn config(event: feed::ConfigEvent, request: &Request) -> ConfigEvent {
    let shown = |config| ActiveConfig(ConfigSource::Event(config), request.fresh_view());
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
    filter: WatchFilter,
    after: Option<Cursor>,
) -> Result<EventSource> {
    let after = after.map(|cursor| cursor.read()).transpose()?;
    let watch = Box::new(request.hub.watch(Arc::clone(&request.caller), watched, filter, after).await?);
    Ok(match watched {
        Watched::Activations => EventSource::Activations(watch),
        Watched::Changes | Watched::Configs | Watched::CustomerEvents => EventSource::Changes(watch),
    })
}

/// Checks the arguments, and makes the filter of a watch.
fn filter(customer: Option<ID>, agents: Option<Vec<ID>>) -> Result<WatchFilter> {
    let customer_id = customer.map(|customer| id("customerId", &customer)).transpose()?;
    if let Some(agents) = agents.as_ref().filter(|agents| agents.len() > AGENTS_MAX) {
        let (field, unit) = ("agentIds".to_owned(), "ids");
        return Err(Error::TooLarge { field, actual: agents.len(), limit: AGENTS_MAX, unit });
    }
    if agents.as_ref().is_some_and(Vec::is_empty) {
        return Err(Error::invalid("agentIds", "agentIds must name an agent; leave it out to watch all"));
    }
    let agent_ids =
        agents.map(|agents| agents.iter().map(|agent| id("agentIds", agent)).collect()).transpose()?;
    Ok(WatchFilter { customer_id, agent_ids, environments: None })
}

/// Loads the activation that an entry of the log records, through a view of its own.
async fn activation(change: &domain::change::Change, request: &Request) -> async_graphql::Result<Activation> {
    let id = activation::Activation::recorded_by(change);
    let id =
        id.ok_or_else(|| to_graphql_error(&Error::Internal("the change records no activation".into())))?;
    let activation = request.fresh_view().activation(id).await?;
    activation
        .ok_or_else(|| to_graphql_error(&Error::Internal("the change's activation does not exist".into())))
}
