//! Lists of agents in the GraphQL schema, and the queries that read agents.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{Agent, AgentFilter};
use crate::{
    domain::{BoundedCount, Page, PageArgs, agent, page::ListId, policy::Action},
    graphql::{
        engine::context::{RequestView, request},
        schema::{
            error::{Nullable, nullable_root, to_graphql_error},
            page::{AGENTS, OWNED_AGENTS, connection, page_args},
            scalar::id,
        },
    },
    id::{AgentId, CustomerId, UserId},
};

/// What `totalCount` counts, when a client asks for it.
pub struct Count {
    view: RequestView,
    of: AgentListScope,
}

/// Which agents a list holds.
enum AgentListScope {
    /// All agents that the reader can see and the filter matches.
    All(agent::AgentFilter),
    /// The agents of one customer that the filter matches.
    Customer(CustomerId, agent::AgentFilter),
    /// The agents that one user owns.
    Owner(UserId),
}

async fn count(Count { view, of }: &Count) -> async_graphql::Result<BoundedCount> {
    let counted = match of {
        AgentListScope::All(filter) => {
            return view
                .registry()
                .count_agents(view.reading(), filter)
                .await
                .map_err(|err| to_graphql_error(&err));
        }
        AgentListScope::Customer(customer, filter) => {
            view.loaders().agent_counts.load((*customer, filter.clone())).await?
        }
        AgentListScope::Owner(owner) => view.loaders().owned_counts.load(*owner).await?,
    };
    Ok(counted.map(|count| *count).unwrap_or_default())
}

connection!(
    /// A page of agents.
    AgentConnection, AgentEdge, Agent, |node: &Agent| node.row.id, count, Count
);

impl AgentConnection {
    pub(in crate::graphql) async fn of_customer(
        view: &RequestView,
        customer: CustomerId,
        filter: Option<AgentFilter>,
        args: PageArgs<AgentId>,
    ) -> async_graphql::Result<Self> {
        let filter = agent::AgentFilter::from(filter.unwrap_or_default());
        let page = view.loaders().agent_pages.load((customer, filter.clone(), args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| Agent { row: Arc::clone(row), view: view.clone() })
        });
        let list = ListId::below(AGENTS, customer);
        Ok(Self::new(
            page,
            list,
            Count { view: view.clone(), of: AgentListScope::Customer(customer, filter) },
        ))
    }

    pub(in crate::graphql) async fn of_owner(
        view: &RequestView,
        owner: UserId,
        args: PageArgs<AgentId>,
    ) -> async_graphql::Result<Self> {
        let page = view.loaders().owned_pages.load((owner, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| Agent { row: Arc::clone(row), view: view.clone() })
        });
        let list = ListId::below(OWNED_AGENTS, owner);
        Ok(Self::new(page, list, Count { view: view.clone(), of: AgentListScope::Owner(owner) }))
    }
}

impl RequestView {
    pub(in crate::graphql) async fn agent(&self, id: AgentId) -> async_graphql::Result<Option<Agent>> {
        Ok(self.loaders().agents.load(id).await?.map(|row| Agent { row, view: self.clone() }))
    }
}

/// The root fields of `Query` that read agents.
#[derive(Default)]
pub struct AgentQuery;

#[Object]
impl AgentQuery {
    /// The agent with this id; null if it doesn't exist or you can't see it. API keys need `agents:read`.
    async fn agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "id", desc = "The agent's UUID.")] which: ID,
    ) -> Nullable<Agent> {
        nullable_root(async {
            let view = request(ctx)?.view();
            view.allow(Action::ReadAgents)?;
            view.agent(id("id", &which).map_err(|err| to_graphql_error(&err))?).await
        })
        .await
    }

    /// The agents that you can see, oldest first, including archived ones. API keys need `agents:read`.
    async fn agents(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only this customer's agents; those of every customer that you can see if left out."
        )]
        customer_id: Option<ID>,
        #[graphql(desc = "Only matching agents; all if left out.")] filter: Option<AgentFilter>,
        #[graphql(desc = "Page size from the start: 1 to 100, 20 by default. Multiplies the query's cost.")]
        first: Option<i32>,
        #[graphql(desc = "Only objects after this cursor: an edge's `cursor`, or `pageInfo.endCursor`.")]
        after: Option<String>,
        #[graphql(desc = "Page size from the end: 1 to 100. Not together with `first`.")] last: Option<i32>,
        #[graphql(desc = "Only objects before this cursor: an edge's `cursor`, or `pageInfo.startCursor`.")]
        before: Option<String>,
    ) -> async_graphql::Result<AgentConnection> {
        let customer = customer_id.map(|customer| id::<CustomerId>("customerId", &customer)).transpose();
        let customer = customer.map_err(|err| to_graphql_error(&err))?;
        let list = customer.map_or_else(|| ListId::all(AGENTS), |customer| ListId::below(AGENTS, customer));
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        let view = request(ctx)?.view();
        if let Some(customer) = customer {
            return AgentConnection::of_customer(&view, customer, filter, args).await;
        }
        let filter = agent::AgentFilter::from(filter.unwrap_or_default());
        let page = view
            .registry()
            .agents(view.reading(), &filter, &args)
            .await
            .map_err(|err| to_graphql_error(&err))?;
        let page = page.map(|row| Agent { row: Arc::new(row), view: view.clone() });
        Ok(AgentConnection::new(page, list, Count { view, of: AgentListScope::All(filter) }))
    }
}
