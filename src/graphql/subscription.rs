//! Subscriptions: what of the log a caller may see, first what it missed, then live.

use std::sync::Arc;

use async_graphql::{Context, ID, Subscription};
use futures_util::{Stream, stream};

use super::{
    activation::Activation,
    change::Change,
    config::{ActiveConfig, ConfigEvent, Of},
    context::{Request, request},
    error::refuse,
    scalar::{Cursor, id},
};
use crate::{
    domain::{Error, activation as verbs},
    feed::{self, ConfigWatch, Watch, WatchFilter, Watched},
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
        let request = request(ctx)?.clone();
        let watch = open(&request, Watched::Activations, customer_id, agent_ids, after)
            .await
            .map_err(|err| refuse(&err))?;
        Ok(stream::unfold(Some((watch, request)), |state| async move {
            let (mut watch, request) = state?;
            match next_activation(&mut watch, &request).await {
                Ok(activation) => Some((Ok(activation), Some((watch, request)))),
                Err(err) => Some((Err(err), None)),
            }
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
        let request = request(ctx)?.clone();
        let opened = async {
            let filter = filter(customer_id, agent_ids)?;
            let after = after.as_ref().map(|cursor| cursor.0.as_str());
            request.hub.watch_configs(Arc::clone(&request.caller), filter, after).await
        };
        let watch = opened.await.map_err(|err| refuse(&err))?;
        Ok(stream::unfold(Some((watch, request)), |state| async move {
            let (mut watch, request) = state?;
            match next_config(&mut watch, &request).await {
                Ok(event) => Some((Ok(event), Some((watch, request)))),
                Err(err) => Some((Err(refuse(&err)), None)),
            }
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
        let request = request(ctx)?.clone();
        let watch = open(&request, Watched::Changes, customer_id, None, after).await;
        let watch = watch.map_err(|err| refuse(&err))?;
        Ok(stream::unfold(Some((watch, request)), |state| async move {
            let (mut watch, request) = state?;
            match watch.next().await {
                Ok(change) => Some((Ok(Change::new(change, request.event())), Some((watch, request)))),
                Err(err) => Some((Err(refuse(&err)), None)),
            }
        }))
    }
}

async fn next_config(watch: &mut ConfigWatch, request: &Request) -> crate::domain::Result<ConfigEvent> {
    let shown = |config: Box<_>| ActiveConfig(Of::Told(config), request.event());
    Ok(match watch.next().await? {
        feed::ConfigEvent::Snapshot(revision, config) => ConfigEvent::snapshot(revision, shown(config)),
        feed::ConfigEvent::Upsert(revision, config) => ConfigEvent::upsert(revision, shown(config)),
        feed::ConfigEvent::Remove(revision, agent, why) => ConfigEvent::remove(revision, agent, why),
        feed::ConfigEvent::Bookmark(revision, cursor) => ConfigEvent::bookmark(revision, cursor),
    })
}

async fn open(
    request: &Request,
    watched: Watched,
    customer: Option<ID>,
    agents: Option<Vec<ID>>,
    after: Option<Cursor>,
) -> crate::domain::Result<Watch> {
    let after = after.map(|cursor| cursor.read()).transpose()?;
    request.hub.watch(Arc::clone(&request.caller), watched, filter(customer, agents)?, after).await
}

/// What of the log these arguments ask for.
fn filter(customer: Option<ID>, agents: Option<Vec<ID>>) -> crate::domain::Result<WatchFilter> {
    let customer_id = customer.map(|customer| id("customerId", &customer)).transpose()?;
    if let Some(agents) = agents.as_ref().filter(|agents| agents.len() > AGENTS_MAX) {
        let (field, unit) = ("agentIds".to_owned(), "ids");
        return Err(Error::TooLarge { field, actual: agents.len(), limit: AGENTS_MAX, unit });
    }
    let agent_ids =
        agents.map(|agents| agents.iter().map(|agent| id("agentIds", agent)).collect()).transpose()?;
    Ok(WatchFilter { customer_id, agent_ids })
}

/// Waits for the next change that is an activation, and reads it as of now.
async fn next_activation(watch: &mut Watch, request: &Request) -> async_graphql::Result<Activation> {
    loop {
        let change = watch.next().await.map_err(|err| refuse(&err))?;
        if let Some(id) = verbs::Activation::recorded_by(&change) {
            let activation = request.event().activation(id).await?;
            return activation
                .ok_or_else(|| refuse(&Error::Internal("a change without its activation".into())));
        }
    }
}
