//! Lists of agents in the GraphQL schema, their filter and their orders, and the queries that read agents.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object};

use super::{
    super::{
        environment::key_argument,
        error::{Nullable, nullable_root, to_graphql_error},
        page::{AGENTS, OWNED_AGENTS, OrderDirection, connection, page_args},
        scalar::{DateTime, id},
    },
    Agent,
};
use crate::{
    domain::{
        self, BoundedCount, Page, PageArgs,
        agent::{self, AgentListing, AgentPosition, ListedAgent},
        page::ListId,
        policy::Action,
    },
    graphql::engine::context::{RequestView, request},
    id::{AgentId, CustomerId, UserId},
};

/// Conditions on agents; all given ones must hold. Those on the active version are about the version that is active in the
/// list's `environment`.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AgentFilter {
    /// True: only archived agents. False: only agents that aren't archived. Left out: both.
    archived: Option<bool>,
    /// Only the agents of exactly this name, in the same case.
    name: Option<String>,
    /// Only agents whose name starts with this text of at most 200 characters, in any case; an empty one filters
    /// nothing.
    name_starts_with: Option<String>,
    /// Only agents whose name contains this text of at most 200 characters, in any case; an empty one filters nothing.
    name_contains: Option<String>,
    /// Only agents whose active version uses exactly this model.
    #[graphql(deprecation = "Use modelNames instead.")]
    model_name: Option<String>,
    /// Only agents whose active version has a tool of exactly this name.
    tool_name: Option<String>,
    /// Only agents of these UUIDs, at most 100.
    ids: Option<Vec<ID>>,
    /// Only agents that this user owns.
    owner_id: Option<ID>,
    /// Only agents whose active version uses one of these models, at most 20; with `modelName` both must hold.
    model_names: Option<Vec<String>>,
    /// True: only agents with an active version in the list's `environment`. False: only agents without one.
    serving: Option<bool>,
    /// True: only agents whose newest version is active there. False: only agents with versions that serve an older one there,
    /// or nothing.
    serves_latest: Option<bool>,
    /// Only agents of which a version was activated in the list's `environment` at or after this instant.
    activated_since: Option<DateTime>,
    /// Only agents of which anything changed at or after this instant: own fields, versions, or what they serve anywhere.
    /// FORBIDDEN for credentials that are limited to environments.
    updated_since: Option<DateTime>,
}

impl AgentFilter {
    fn read(self, environment: domain::environment::EnvironmentKey) -> domain::Result<agent::AgentFilter> {
        let Self {
            archived,
            name,
            name_starts_with,
            name_contains,
            model_name,
            tool_name,
            ids,
            owner_id,
            model_names,
            serving,
            serves_latest,
            activated_since,
            updated_since,
        } = self;
        let agent = |agent: &ID| id::<AgentId>("filter.ids", agent);
        Ok(agent::AgentFilter {
            archived,
            name,
            name_starts_with,
            name_contains,
            model_name,
            tool_name,
            environment,
            ids: ids.map(|ids| ids.iter().map(agent).collect::<domain::Result<_>>()).transpose()?,
            owner_id: owner_id.map(|owner| id::<UserId>("filter.ownerId", &owner)).transpose()?,
            model_names,
            serving,
            serves_latest,
            activated_since: activated_since.map(DateTime::instant),
            updated_since: updated_since.map(DateTime::instant),
        })
    }
}

/// What agents can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "agent::OrderField")]
pub enum AgentOrderField {
    /// The name, in any case, by the code points of its lower-case letters.
    Name,
    /// When the agent was created.
    CreatedAt,
    /// `updatedAt`. FORBIDDEN for credentials that are limited to environments.
    UpdatedAt,
    /// The latest activation in the list's `environment`, also when nothing is active there now.
    LastActivatedAt,
    /// The model of the version that is active in the list's `environment`.
    ModelName,
}

/// The order of a list of agents. Agents of equal values are ordered by age.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct AgentOrder {
    /// What the agents are ordered by.
    field: AgentOrderField,
    /// Ascending or descending; rows without a value come last in both.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

impl From<AgentOrder> for agent::AgentOrder {
    fn from(AgentOrder { field, direction }: AgentOrder) -> Self {
        Self { field: field.into(), is_descending: direction == OrderDirection::Desc }
    }
}

/// Reads the arguments of a list of agents.
pub(in crate::graphql) fn listing(
    environment: Option<&str>,
    filter: Option<AgentFilter>,
    order: Option<AgentOrder>,
) -> async_graphql::Result<AgentListing> {
    let environment = key_argument(environment)?;
    let filter = filter.unwrap_or_default().read(environment).map_err(|err| to_graphql_error(&err))?;
    Ok(AgentListing { filter, order: order.map_or(agent::AgentOrder::OLDEST_FIRST, Into::into) })
}

/// The list in this order, for its cursors. Positions by what serves are of one environment.
pub(in crate::graphql) fn ordered_list(list: ListId, listing: &AgentListing) -> ListId {
    let AgentListing { filter, order } = listing;
    if *order == agent::AgentOrder::OLDEST_FIRST {
        return list;
    }
    let agent::AgentOrder { field, is_descending } = order;
    let name = match field {
        agent::OrderField::Name => "name",
        agent::OrderField::CreatedAt => "created at",
        agent::OrderField::UpdatedAt => "updated at",
        agent::OrderField::LastActivatedAt => "last activated at",
        agent::OrderField::ModelName => "model name",
    };
    let direction = if *is_descending { "descending" } else { "ascending" };
    let environment = if order.is_of_environment() { filter.environment.as_str() } else { "" };
    list.ordered(&format!("{name} {direction} {environment}"))
}

/// What `totalCount` counts, when a client asks for it.
pub struct Count {
    view: RequestView,
    of: AgentListScope,
}

/// Which agents a list holds.
enum AgentListScope {
    /// All agents that the reader can see and the filter matches.
    All(AgentListing),
    /// The agents of one customer that the filter matches.
    Customer(CustomerId, AgentListing),
    /// The agents that one user owns.
    Owner(UserId),
}

async fn count(Count { view, of }: &Count) -> async_graphql::Result<BoundedCount> {
    let counted = match of {
        AgentListScope::All(listing) => {
            return view
                .registry()
                .count_agents(view.reading(), listing)
                .await
                .map_err(|err| to_graphql_error(&err));
        }
        AgentListScope::Customer(customer, listing) => {
            view.loaders().agent_counts.load((*customer, listing.clone())).await?
        }
        AgentListScope::Owner(owner) => view.loaders().owned_counts.load(*owner).await?,
    };
    Ok(counted.map(|count| *count).unwrap_or_default())
}

connection!(
    /// A page of agents.
    AgentConnection, AgentEdge, Agent, Agent::position, count, Count
);

impl AgentConnection {
    /// The agents of one customer, or all that the reader can see.
    pub(in crate::graphql) async fn of(
        view: &RequestView,
        customer: Option<CustomerId>,
        listing: AgentListing,
        list: ListId,
        args: PageArgs<AgentPosition>,
    ) -> async_graphql::Result<Self> {
        let node = |listed: &ListedAgent| {
            let ListedAgent { agent, position } = listed;
            let position = (*position != AgentPosition::of_id(agent.id)).then(|| Arc::new(position.clone()));
            Agent { row: Arc::new(agent.clone()), view: view.clone(), position }
        };
        let (page, of) = match customer {
            Some(customer) => {
                let page = view.loaders().agent_pages.load((customer, listing.clone(), args)).await?;
                let page = page.map_or_else(Page::empty, |page| page.each(|listed| node(listed)));
                (page, AgentListScope::Customer(customer, listing))
            }
            None => {
                let page = view.registry().agents(view.reading(), &listing, &args).await;
                let page = page.map_err(|err| to_graphql_error(&err))?.each(node);
                (page, AgentListScope::All(listing))
            }
        };
        Ok(Self::new(page, list, Count { view: view.clone(), of }))
    }

    pub(in crate::graphql) async fn of_owner(
        view: &RequestView,
        owner: UserId,
        args: PageArgs<AgentId>,
    ) -> async_graphql::Result<Self> {
        let page = view.loaders().owned_pages.load((owner, args)).await?;
        let page =
            page.map_or_else(Page::empty, |page| page.each(|row| Agent::new(Arc::clone(row), view.clone())));
        let list = ListId::below(OWNED_AGENTS, owner);
        Ok(Self::new(page, list, Count { view: view.clone(), of: AgentListScope::Owner(owner) }))
    }
}

impl RequestView {
    pub(in crate::graphql) async fn agent(&self, id: AgentId) -> async_graphql::Result<Option<Agent>> {
        Ok(self.loaders().agents.load(id).await?.map(|row| Agent::new(row, self.clone())))
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

    /// The agents that you can see, oldest first unless `orderBy` says otherwise, including archived ones. API keys need
    /// `agents:read`.
    async fn agents(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only this customer's agents; those of every customer that you can see if left out."
        )]
        customer_id: Option<ID>,
        #[graphql(
            desc = "The key of the environment that the filter and the order are about; `production` if left out. A list that is ordered by LAST_ACTIVATED_AT or MODEL_NAME has only the agents of customers with this environment."
        )]
        environment: Option<String>,
        #[graphql(desc = "Only matching agents; all if left out.")] filter: Option<AgentFilter>,
        #[graphql(desc = "The order; oldest first if left out. Cursors are of one order.")] order_by: Option<
            AgentOrder,
        >,
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
        let listing = listing(environment.as_deref(), filter, order_by)?;
        let list = customer.map_or_else(|| ListId::all(AGENTS), |customer| ListId::below(AGENTS, customer));
        let list = ordered_list(list, &listing);
        let args = page_args(&list, first, after.as_deref(), last, before.as_deref())?;
        AgentConnection::of(&request(ctx)?.view(), customer, listing, list, args).await
    }
}
