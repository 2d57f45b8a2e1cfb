//! The list of service tokens in the GraphQL schema.

use std::sync::Arc;

use async_graphql::{Context, Object};

use super::{
    error::to_graphql_error,
    page::{SERVICE_TOKENS, connection, page_args},
    service_token::ServiceToken,
};
use crate::{
    domain::{BoundedCount, page::ListId},
    graphql::engine::context::{RequestView, request},
};

async fn count(view: &RequestView) -> async_graphql::Result<BoundedCount> {
    let counted = view.registry().count_service_tokens(view.reading()).await;
    counted.map_err(|err| to_graphql_error(&err))
}

connection!(
    /// A page of service tokens.
    ServiceTokenConnection, ServiceTokenEdge, ServiceToken, ServiceToken::key, count, RequestView
);

/// The root field of `Query` that lists service tokens.
#[derive(Default)]
pub struct ServiceTokenQuery;

#[Object]
impl ServiceTokenQuery {
    /// The service tokens without their secrets, newest first, expired and revoked ones too. For operators.
    async fn service_tokens(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<ServiceTokenConnection> {
        let list = ListId::all(SERVICE_TOKENS);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        let view = request(ctx)?.view();
        let page = view.registry().service_token_page(view.reading(), &args).await;
        let page = page.map_err(|err| to_graphql_error(&err))?;
        let page = page.map(|row| ServiceToken::new(Arc::new(row), view.clone()));
        Ok(ServiceTokenConnection::new(page, list, view))
    }
}
