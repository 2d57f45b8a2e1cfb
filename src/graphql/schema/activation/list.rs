//! Lists of activations in the GraphQL schema: of an agent, of a customer, and of all.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{Activation, ActivationReason};
use crate::{
    domain::{
        BoundedCount, Page, PageArgs,
        activation::{self, ActivationFilter, activation_filter},
        environment::EnvironmentKey,
        page::ListId,
    },
    graphql::{
        engine::context::{RequestView, request},
        schema::{
            error::to_graphql_error,
            page::{ACTIVATIONS, connection, page_args},
            scalar::id,
        },
    },
    id::{ActivationId, AgentId, CustomerId},
};

/// What `totalCount` counts, when a client asks for it.
pub struct Count {
    view: RequestView,
    of: ActivationListScope,
}

/// Which activations a list holds.
enum ActivationListScope {
    /// Those of one agent in some environments.
    Agent(AgentId, Vec<EnvironmentKey>),
    /// Those of one customer that the filter matches.
    Customer(CustomerId, ActivationFilter),
    /// All that the reader can see and the filter matches.
    All(ActivationFilter),
}

async fn count(Count { view, of }: &Count) -> async_graphql::Result<BoundedCount> {
    let counted = match of {
        ActivationListScope::Agent(agent, environments) => {
            view.loaders().activation_counts.load((*agent, environments.clone())).await?
        }
        ActivationListScope::Customer(customer, filter) => {
            view.loaders().customer_activation_counts.load((*customer, filter.clone())).await?
        }
        ActivationListScope::All(filter) => {
            let counted = view.registry().count_activations(view.reading(), filter).await;
            return counted.map_err(|err| to_graphql_error(&err));
        }
    };
    Ok(counted.map(|count| *count).unwrap_or_default())
}

connection!(
    /// A page of activations.
    ActivationConnection, ActivationEdge, Activation, |node: &Activation| node.row.id, count, Count
);

/// The loaded page as objects.
fn page_of(view: &RequestView, page: Option<Arc<Page<Arc<activation::Activation>>>>) -> Page<Activation> {
    page.map_or_else(Page::empty, |page| {
        page.each(|row| Activation { row: Arc::clone(row), view: view.clone() })
    })
}

impl ActivationConnection {
    pub(in crate::graphql) async fn of_agent(
        view: &RequestView,
        agent: AgentId,
        environments: Vec<EnvironmentKey>,
        args: PageArgs<ActivationId>,
    ) -> async_graphql::Result<Self> {
        let page = view.loaders().activation_pages.load((agent, environments.clone(), args)).await?;
        let (list, of) = (ListId::below(ACTIVATIONS, agent), ActivationListScope::Agent(agent, environments));
        Ok(Self::new(page_of(view, page), list, Count { view: view.clone(), of }))
    }

    pub(in crate::graphql) async fn of_customer(
        view: &RequestView,
        customer: CustomerId,
        filter: ActivationFilter,
        args: PageArgs<ActivationId>,
    ) -> async_graphql::Result<Self> {
        let page = view.loaders().customer_activation_pages.load((customer, filter.clone(), args)).await?;
        let (list, of) =
            (ListId::below(ACTIVATIONS, customer), ActivationListScope::Customer(customer, filter));
        Ok(Self::new(page_of(view, page), list, Count { view: view.clone(), of }))
    }
}

/// Reads the arguments of a list of activations.
pub(in crate::graphql) fn activation_list(
    environments: Option<&[String]>,
    reasons: Option<Vec<ActivationReason>>,
) -> async_graphql::Result<ActivationFilter> {
    let reasons = reasons.map(|reasons| reasons.into_iter().map(Into::into).collect());
    activation_filter(environments, reasons).map_err(|err| to_graphql_error(&err))
}

/// The root field of `Query` that lists activations.
#[derive(Default)]
pub struct ActivationQuery;

#[Object]
impl ActivationQuery {
    /// Each change of what agents serve in these environments that you can see, newest first. API keys need `agents:read`.
    async fn activations(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only this customer's activations; those of every customer that you can see if left out."
        )]
        customer_id: Option<ID>,
        #[graphql(desc = "The keys of the environments, 1 to 100; `production` alone if left out.")]
        environments: Option<Vec<String>>,
        #[graphql(desc = "Only these kinds of changes, 1 or more; all if left out.")] reasons: Option<
            Vec<ActivationReason>,
        >,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<ActivationConnection> {
        let customer = customer_id.map(|customer| id::<CustomerId>("customerId", &customer)).transpose();
        let customer = customer.map_err(|err| to_graphql_error(&err))?;
        let filter = activation_list(environments.as_deref(), reasons)?;
        let below = |customer| ListId::below(ACTIVATIONS, customer);
        let list = customer.map_or_else(|| ListId::all(ACTIVATIONS), below);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        let view = request(ctx)?.view();
        if let Some(customer) = customer {
            return ActivationConnection::of_customer(&view, customer, filter, args).await;
        }
        let page = view.registry().activations(view.reading(), &filter, &args).await;
        let page = page.map_err(|err| to_graphql_error(&err))?;
        let page = page.map(|row| Activation { row: Arc::new(row), view: view.clone() });
        Ok(ActivationConnection::new(page, list, Count { view, of: ActivationListScope::All(filter) }))
    }
}
