//! Agents in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, ScalarType};

mod mutation;

pub use mutation::AgentMutation;
pub(in crate::graphql) use mutation::patch;

use super::{
    activation::ActivationConnection,
    change::{ChangeConnection, ChangeFilter},
    customer::Customer,
    diff::VersionDiff,
    error::{Nullable, linked, nullable, refuse, root},
    page::{connection, page_args},
    scalar::{DateTime, id, to_id},
    user::User,
    version::{AgentVersion, AgentVersionConnection},
};
use crate::{
    domain::{Error, Page, PageArgs, agent as verbs, audit::Subject, policy::Action},
    graphql::engine::{
        context::{Lens, request},
        inline_fields::Plain,
    },
    id::{AgentId, CustomerId, UserId},
};

/// What a customer runs, under a name that stays while its versions come and go.
#[derive(Clone)]
pub struct Agent {
    pub(in crate::graphql) row: Arc<verbs::Agent>,
    pub(in crate::graphql) lens: Lens,
}

/// Which of the agents.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AgentFilter {
    /// True: only archived ones. False: only others.
    archived: Option<bool>,
    /// Only those of exactly this name.
    name: Option<String>,
    /// Only those whose name begins so, whatever its case: 1 to 200 characters.
    name_starts_with: Option<String>,
    /// Only those whose name holds this, whatever its case: 1 to 200 characters.
    name_contains: Option<String>,
    /// Only those whose active version uses this model.
    model_name: Option<String>,
    /// Only those whose active version has a tool of this name.
    tool_name: Option<String>,
}

impl From<AgentFilter> for verbs::AgentFilter {
    fn from(filter: AgentFilter) -> Self {
        let AgentFilter { archived, name, name_starts_with, name_contains, model_name, tool_name } = filter;
        Self { archived, name, name_starts_with, name_contains, model_name, tool_name }
    }
}

/// What a customer runs, under a name that stays while its versions come and go.
#[Object]
impl Agent {
    /// Its UUID.
    pub(in crate::graphql) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// Its name, unique within the customer.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// What it is for. Not for services of the platform.
    async fn description(&self) -> Nullable<&str> {
        nullable(async {
            self.lens.allow(Action::ReadNotes)?;
            let description = self.row.description.as_deref();
            self.lens.weigh(description.map_or(0, str::len))?;
            Ok(description)
        })
        .await
    }

    /// Whose it is.
    async fn customer(&self) -> async_graphql::Result<Customer> {
        let customer = self.lens.customer(self.row.customer_id).await?;
        customer.ok_or_else(|| refuse(&Error::NotFound("customer")))
    }

    /// Who answers for it.
    async fn owner(&self) -> Nullable<User> {
        linked(self.row.owner_id, |id| self.lens.user(id)).await
    }

    /// The version that serves; null when none does.
    async fn active_version(&self) -> Nullable<AgentVersion> {
        linked(self.row.active_version_id, |id| self.lens.version(id)).await
    }

    /// Its versions, newest first.
    async fn versions(
        &self,
        #[graphql(desc = "The first so many, 1 to 100; 20 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<AgentVersionConnection> {
        let args = page_args(first, after.as_deref(), last, before.as_deref())?;
        AgentVersionConnection::of_agent(&self.lens, &self.row, args).await
    }

    /// Its version of this number; null when there is none.
    async fn version(
        &self,
        #[graphql(desc = "1 for the first one published.")] number: i32,
    ) -> Nullable<AgentVersion> {
        nullable(async { self.lens.version_of(self.row.id, number).await }).await
    }

    /// Each time its active version changed, newest first.
    async fn activations(
        &self,
        #[graphql(desc = "The first so many, 1 to 100; 20 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<ActivationConnection> {
        let args = page_args(first, after.as_deref(), last, before.as_deref())?;
        ActivationConnection::of_agent(&self.lens, self.row.id, args).await
    }

    /// What became of it, newest first: its part of the audit. For ADMINs, operators, and API keys that may read the audit; null
    /// for others.
    async fn changes(
        &self,
        #[graphql(desc = "Which of the entries; all when left out.")] filter: Option<ChangeFilter>,
        #[graphql(desc = "The first so many, 1 to 100; 20 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> Nullable<ChangeConnection> {
        nullable(async {
            self.lens.allow_on(Action::ReadChanges, self.row.customer_id)?;
            let args = page_args(first, after.as_deref(), last, before.as_deref())?;
            ChangeConnection::of(&self.lens, Subject::Agent(self.row.id), filter, args).await.map(Some)
        })
        .await
    }

    /// What differs between two of its versions; null when either does not exist.
    async fn diff(
        &self,
        #[graphql(desc = "The number of the older one.")] from: i32,
        #[graphql(desc = "The number of the newer one.")] to: i32,
    ) -> Nullable<VersionDiff> {
        nullable(async {
            let (from, to) = (self.lens.version_of(self.row.id, from), self.lens.version_of(self.row.id, to));
            Ok(from.await?.zip(to.await?).map(|(from, to)| VersionDiff { from, to }))
        })
        .await
    }

    /// Since when it is put away; null when it is not.
    async fn archived_at(&self) -> Option<DateTime> {
        self.row.archived_at.map(Into::into)
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// What a list of agents counts.
pub struct Count {
    lens: Lens,
    of: Of,
}

/// Whose agents a list shows.
enum Of {
    /// All that the reading may see and the filter lets pass.
    All(verbs::AgentFilter),
    /// Those of a customer that the filter lets pass.
    Customer(CustomerId, verbs::AgentFilter),
    /// Those that a user owns.
    Owner(UserId),
}

async fn count(Count { lens, of }: &Count) -> async_graphql::Result<u64> {
    let counted = match of {
        Of::All(filter) => {
            return lens.registry.count_agents(&lens.reading, filter).await.map_err(|err| refuse(&err));
        }
        Of::Customer(customer, filter) => lens.agent_counts.load((*customer, filter.clone())).await?,
        Of::Owner(owner) => lens.owned_counts.load(*owner).await?,
    };
    Ok(counted.map_or(0, |count| *count))
}

impl Plain for Agent {
    fn plain(&self, field: &str) -> Option<async_graphql::Value> {
        match field {
            "id" => Some(to_id(self.row.id).to_value()),
            "name" => Some(self.row.name.as_str().into()),
            _ => None,
        }
    }
}

connection!(
    /// A page of agents.
    AgentConnection, AgentEdge, Agent, |node: &Agent| node.row.id, count, Count
);

impl AgentConnection {
    pub(in crate::graphql) async fn of_customer(
        lens: &Lens,
        customer: CustomerId,
        filter: Option<AgentFilter>,
        args: PageArgs<AgentId>,
    ) -> async_graphql::Result<Self> {
        let filter = verbs::AgentFilter::from(filter.unwrap_or_default());
        let page = lens.agent_pages.load((customer, filter.clone(), args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| Agent { row: Arc::clone(row), lens: lens.clone() })
        });
        Ok(Self::new(page, Count { lens: lens.clone(), of: Of::Customer(customer, filter) }))
    }

    pub(in crate::graphql) async fn of_owner(
        lens: &Lens,
        owner: UserId,
        args: PageArgs<AgentId>,
    ) -> async_graphql::Result<Self> {
        let page = lens.owned_pages.load((owner, args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| Agent { row: Arc::clone(row), lens: lens.clone() })
        });
        Ok(Self::new(page, Count { lens: lens.clone(), of: Of::Owner(owner) }))
    }
}

impl Lens {
    pub(in crate::graphql) async fn agent(&self, id: AgentId) -> async_graphql::Result<Option<Agent>> {
        Ok(self.agents.load(id).await?.map(|row| Agent { row, lens: self.clone() }))
    }
}

/// Its queries.
#[derive(Default)]
pub struct AgentQuery;

#[Object]
impl AgentQuery {
    /// One agent; null when there is none, or none that you may see.
    async fn agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "id", desc = "Its UUID.")] which: ID,
    ) -> Nullable<Agent> {
        root(async {
            let lens = request(ctx)?.lens();
            lens.allow(Action::ReadAgents)?;
            lens.agent(id("id", &which).map_err(|err| refuse(&err))?).await
        })
        .await
    }

    /// The agents that you may see, oldest first.
    async fn agents(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only those of this customer; of all that you may see when left out.")] customer_id: Option<ID>,
        #[graphql(desc = "Which of them; all when left out.")] filter: Option<AgentFilter>,
        #[graphql(desc = "The first so many, 1 to 100; 20 when neither first nor last is given.")]
        first: Option<i32>,
        #[graphql(desc = "Only those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only those before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<AgentConnection> {
        let args = page_args(first, after.as_deref(), last, before.as_deref())?;
        let lens = request(ctx)?.lens();
        if let Some(customer) = customer_id {
            let customer = id("customerId", &customer).map_err(|err| refuse(&err))?;
            return AgentConnection::of_customer(&lens, customer, filter, args).await;
        }
        let filter = verbs::AgentFilter::from(filter.unwrap_or_default());
        let page = lens.registry.agents(&lens.reading, &filter, &args).await.map_err(|err| refuse(&err))?;
        let page = page.map(|row| Agent { row: Arc::new(row), lens: lens.clone() });
        Ok(AgentConnection::new(page, Count { lens, of: Of::All(filter) }))
    }
}
