//! Agents in the graph.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::{
    activation::ActivationConnection,
    context::{Lens, request},
    customer::Customer,
    error::{Outcome, UserError, refuse, settle},
    loader::Fetch,
    page::{connection, page_args},
    scalar::{Revision, id, to_id},
    user::User,
    version::{AgentVersion, AgentVersionConnection, VersionDiff},
};
use crate::{
    domain::{self, Error, Page, PageArgs, Reading, Registry, agent as verbs},
    id::{AgentId, CustomerId},
};

/// What a customer runs, under a name that stays while its versions come and go.
#[derive(Clone)]
pub struct Agent {
    pub(super) row: Arc<verbs::Agent>,
    pub(super) lens: Lens,
}

/// Which of the agents.
#[derive(Clone, Debug, Default, InputObject)]
pub struct AgentFilter {
    /// True: only archived ones. False: only others.
    archived: Option<bool>,
    /// Only those of exactly this name.
    name: Option<String>,
}

impl From<AgentFilter> for verbs::AgentFilter {
    fn from(AgentFilter { archived, name }: AgentFilter) -> Self {
        Self { archived, name }
    }
}

/// What a customer runs, under a name that stays while its versions come and go.
#[Object]
impl Agent {
    /// Its UUID.
    pub(super) async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// Its name, unique within the customer.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.row.description.as_deref()
    }

    /// Whose it is.
    async fn customer(&self) -> async_graphql::Result<Customer> {
        let customer = self.lens.customer(self.row.customer_id).await?;
        customer.ok_or_else(|| refuse(&Error::NotFound("customer")))
    }

    /// Who answers for it.
    async fn owner(&self) -> async_graphql::Result<Option<User>> {
        match self.row.owner_id {
            Some(owner) => self.lens.user(owner).await,
            None => Ok(None),
        }
    }

    /// The version that serves; null when none does.
    async fn active_version(&self) -> async_graphql::Result<Option<AgentVersion>> {
        match self.row.active_version_id {
            Some(version) => self.lens.version(version).await,
            None => Ok(None),
        }
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
    ) -> async_graphql::Result<Option<AgentVersion>> {
        self.lens.version_of(self.row.id, number).await
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

    /// What differs between two of its versions; null when either does not exist.
    async fn diff(
        &self,
        #[graphql(desc = "The number of the older one.")] from: i32,
        #[graphql(desc = "The number of the newer one.")] to: i32,
    ) -> async_graphql::Result<Option<VersionDiff>> {
        let (from, to) = (
            self.lens.version_of(self.row.id, from),
            self.lens.version_of(self.row.id, to),
        );
        Ok(from
            .await?
            .zip(to.await?)
            .map(|(from, to)| VersionDiff { from, to }))
    }

    /// Since when it is put away; null when it is not.
    async fn archived_at(&self) -> Option<DateTime<Utc>> {
        self.row.archived_at
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }
}

/// What a list of agents counts.
pub struct Count {
    lens: Lens,
    customer: Option<CustomerId>,
    filter: verbs::AgentFilter,
}

async fn count(of: &Count) -> async_graphql::Result<u64> {
    let Count {
        lens,
        customer,
        filter,
    } = of;
    match customer {
        Some(customer) => Ok(lens
            .agent_counts
            .load((*customer, filter.clone()))
            .await?
            .map_or(0, |count| *count)),
        None => lens
            .registry
            .count_agents(&lens.reading, filter)
            .await
            .map_err(|err| refuse(&err)),
    }
}

connection!(
    /// A page of agents.
    AgentConnection, AgentEdge, Agent, |node: &Agent| node.row.id, count, Count
);

impl AgentConnection {
    pub(super) async fn of_customer(
        lens: &Lens,
        customer: CustomerId,
        filter: Option<AgentFilter>,
        args: PageArgs<AgentId>,
    ) -> async_graphql::Result<Self> {
        let filter = verbs::AgentFilter::from(filter.unwrap_or_default());
        let page = lens.agent_pages.load((customer, filter.clone(), args)).await?;
        let page = page.map_or_else(Page::empty, |page| {
            page.each(|row| Agent {
                row: Arc::clone(row),
                lens: lens.clone(),
            })
        });
        Ok(Self::new(
            page,
            Count {
                lens: lens.clone(),
                customer: Some(customer),
                filter,
            },
        ))
    }
}

/// Agents by id.
pub(super) struct AgentById;

impl Fetch for AgentById {
    type Key = AgentId;
    type Value = verbs::Agent;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[AgentId],
    ) -> domain::Result<HashMap<AgentId, verbs::Agent>> {
        Ok(registry
            .agents_by_ids(reading, keys)
            .await?
            .into_iter()
            .map(|row| (row.id, row))
            .collect())
    }
}

/// Pages of agents by customer.
pub(super) struct AgentPage;

impl Fetch for AgentPage {
    type Key = (CustomerId, verbs::AgentFilter, PageArgs<AgentId>);
    type Value = Page<Arc<verbs::Agent>>;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[Self::Key],
    ) -> domain::Result<HashMap<Self::Key, Self::Value>> {
        let mut found = HashMap::new();
        for ((filter, args), customers) in super::grouped(keys, |(customer, filter, args)| {
            ((filter.clone(), args.clone()), *customer)
        }) {
            for (customer, page) in registry
                .agents_of_each(reading, &customers, &filter, &args)
                .await?
            {
                found.insert((customer, filter.clone(), args.clone()), page.map(Arc::new));
            }
        }
        Ok(found)
    }
}

/// Counts of agents by customer.
pub(super) struct AgentCount;

impl Fetch for AgentCount {
    type Key = (CustomerId, verbs::AgentFilter);
    type Value = u64;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[Self::Key],
    ) -> domain::Result<HashMap<Self::Key, u64>> {
        let mut found = HashMap::new();
        for (filter, customers) in super::grouped(keys, |(customer, filter)| (filter.clone(), *customer)) {
            let counts = registry
                .count_agents_of_each(reading, &customers, &filter)
                .await?;
            found.extend(
                counts
                    .into_iter()
                    .map(|(customer, count)| ((customer, filter.clone()), count)),
            );
        }
        Ok(found)
    }
}

impl Lens {
    pub(super) async fn agent(&self, id: AgentId) -> async_graphql::Result<Option<Agent>> {
        Ok(self.agents.load(id).await?.map(|row| Agent {
            row,
            lens: self.clone(),
        }))
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
    ) -> async_graphql::Result<Option<Agent>> {
        let lens = request(ctx)?.lens();
        domain::policy::allow(&lens.reading.caller, domain::policy::Action::ReadAgents)
            .map_err(|err| refuse(&err))?;
        lens.agent(id("id", &which).map_err(|err| refuse(&err))?).await
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
        let page = lens
            .registry
            .agents(&lens.reading, &filter, &args)
            .await
            .map_err(|err| refuse(&err))?;
        let page = page.map(|row| Agent {
            row: Arc::new(row),
            lens: lens.clone(),
        });
        Ok(AgentConnection::new(
            page,
            Count {
                lens,
                customer: None,
                filter,
            },
        ))
    }
}

/// A new agent.
#[derive(Clone, Debug, InputObject)]
pub struct CreateAgentInput {
    /// Whose it is.
    customer_id: ID,
    /// Unique within the customer: 1 to 200 characters.
    name: String,
    /// What it is for: at most 2,000 characters.
    description: Option<String>,
    /// Who answers for it: a member of the customer.
    owner_id: Option<ID>,
}

/// What an agent is to become; what is left out stays, null takes away.
#[derive(Clone, Debug, InputObject)]
pub struct UpdateAgentInput {
    /// Which one.
    agent_id: ID,
    /// Its new name: 1 to 200 characters.
    name: Option<String>,
    /// What it is for: at most 2,000 characters.
    description: MaybeUndefined<String>,
    /// Who answers for it: a member of the customer.
    owner_id: MaybeUndefined<ID>,
}

/// Which agent to put away.
#[derive(Clone, Debug, InputObject)]
pub struct ArchiveAgentInput {
    /// Which one.
    agent_id: ID,
}

/// Which agent to take back.
#[derive(Clone, Debug, InputObject)]
pub struct RestoreAgentInput {
    /// Which one.
    agent_id: ID,
}

macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub struct $name {
            /// The agent as it is now; null when it was not written.
            agent: Option<Agent>,
            /// The commit that made it so.
            revision: Option<Revision>,
            /// Why it was not written; empty when it was.
            user_errors: Vec<UserError>,
        }

        impl $name {
            async fn of(lens: Lens, answer: domain::Result<domain::Changed<verbs::Agent>>) -> async_graphql::Result<Self> {
                let Outcome { value, revision, user_errors } = settle(answer)?;
                let agent = match value {
                    Some(row) => lens.agent(row.id).await?,
                    None => None,
                };
                Ok(Self { agent, revision, user_errors })
            }
        }
    )*};
}

payloads! {
    /// What creating an agent came to.
    CreateAgentPayload;
    /// What changing an agent came to.
    UpdateAgentPayload;
    /// What archiving an agent came to.
    ArchiveAgentPayload;
    /// What restoring an agent came to.
    RestoreAgentPayload;
}

/// Its mutations.
#[derive(Default)]
pub struct AgentMutation;

#[Object]
impl AgentMutation {
    /// Creates an agent, without a version.
    async fn create_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The new agent.")] input: CreateAgentInput,
    ) -> async_graphql::Result<CreateAgentPayload> {
        let (
            request,
            CreateAgentInput {
                customer_id,
                name,
                description,
                owner_id,
            },
        ) = (request(ctx)?, input);
        let answer = async {
            let input = verbs::CreateAgent {
                customer_id: id("customerId", &customer_id)?,
                name,
                description,
                owner_id: owner_id.map(|owner| id("ownerId", &owner)).transpose()?,
            };
            request.registry.create_agent(&request.caller, input).await
        };
        CreateAgentPayload::of(request.fresh(), answer.await).await
    }

    /// Changes an agent's own fields. Its versions are not touched.
    async fn update_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateAgentInput,
    ) -> async_graphql::Result<UpdateAgentPayload> {
        let (
            request,
            UpdateAgentInput {
                agent_id,
                name,
                description,
                owner_id,
            },
        ) = (request(ctx)?, input);
        let answer = async {
            let owner = patch(owner_id)
                .map(|owner| owner.map(|owner| id("ownerId", &owner)).transpose())
                .transpose()?;
            let input = verbs::UpdateAgent {
                id: id("agentId", &agent_id)?,
                name,
                description: patch(description),
                owner_id: owner,
            };
            request.registry.update_agent(&request.caller, input).await
        };
        UpdateAgentPayload::of(request.fresh(), answer.await).await
    }

    /// Puts an agent away: it stops serving, and takes no version until it is restored.
    async fn archive_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ArchiveAgentInput,
    ) -> async_graphql::Result<ArchiveAgentPayload> {
        let (request, ArchiveAgentInput { agent_id }) = (request(ctx)?, input);
        let answer = async {
            request
                .registry
                .archive_agent(&request.caller, id("agentId", &agent_id)?)
                .await
        };
        ArchiveAgentPayload::of(request.fresh(), answer.await).await
    }

    /// Takes an archived agent back. It does not serve until a version is activated.
    async fn restore_agent(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RestoreAgentInput,
    ) -> async_graphql::Result<RestoreAgentPayload> {
        let (request, RestoreAgentInput { agent_id }) = (request(ctx)?, input);
        let answer = async {
            request
                .registry
                .restore_agent(&request.caller, id("agentId", &agent_id)?)
                .await
        };
        RestoreAgentPayload::of(request.fresh(), answer.await).await
    }
}

/// Left out, taken away, or set.
pub(super) fn patch<T>(value: MaybeUndefined<T>) -> domain::Patch<T> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}
