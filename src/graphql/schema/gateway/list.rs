//! The list of gateways, for operators.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::{Gateway, GatewayFilter};
use crate::{
    domain::{BoundedCount, Page, gateway, page::ListId, policy::Action},
    graphql::{
        engine::context::request,
        schema::{
            environment::key_argument,
            page::{GATEWAYS, connection, page_args},
        },
    },
};

/// What `totalCount` returns: how many gateways match.
pub struct Count(u64);

async fn count(Count(count): &Count) -> async_graphql::Result<BoundedCount> {
    Ok(BoundedCount::of(*count))
}

connection!(
    /// A page of gateways.
    GatewayConnection, GatewayEdge, Gateway, |node: &Gateway| node.row.place(), count, Count
);

/// The root field of `Query` that lists gateways.
#[derive(Default)]
pub struct GatewayQuery;

#[Object]
impl GatewayQuery {
    /// The gateways of an environment, by name: those that report, and the subscriptions that belong to none of these. Every
    /// instance answers the same, a second after a report at the latest. For operators.
    async fn gateways(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The key of the environment; `production` if left out.")] environment: Option<
            String,
        >,
        #[graphql(desc = "Only matching gateways; all if left out.")] filter: Option<GatewayFilter>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<GatewayConnection> {
        let view = request(ctx)?.view();
        view.allow(Action::ReadGateways)?;
        let key = key_argument(environment.as_deref())?;
        let filter = gateway::GatewayFilter::from(filter.unwrap_or_default());
        let list = ListId::all(GATEWAYS);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        let all = view.loaders().gateways.load(key.clone()).await?;
        let commits = match filter.is_behind {
            Some(_) => view.loaders().serving_commits.load(key).await?,
            None => None,
        };
        let commits = commits.as_deref().map_or(&[] as &[_], Vec::as_slice);
        let all = all.as_deref().map_or(&[] as &[_], Vec::as_slice);
        let all: Vec<gateway::Gateway> =
            all.iter().filter(|gateway| filter.admits(gateway, commits)).cloned().collect();
        let count = u64::try_from(all.len()).unwrap_or(u64::MAX);
        let page: Page<gateway::Gateway> = args.page_of_list(all, gateway::Gateway::place);
        let page = page.map(|row| Gateway { row: Arc::new(row), view: view.clone() });
        Ok(GatewayConnection::new(page, list, Count(count)))
    }
}
