//! Models and tools of active versions in the GraphQL schema.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    chart::{customer_argument, unsigned},
    environment::key_argument,
    error::to_graphql_error,
    scalar::DateTime,
};
use crate::{
    domain::in_use::{InUse, InUseKind},
    graphql::engine::context::request,
};

/// A model, and how much uses it.
#[derive(SimpleObject)]
pub struct ModelInUse {
    /// The model's name, as versions have it.
    name: String,
    /// How many agents serve a version with this model.
    agent_count: u64,
    /// How many customers these agents are of.
    customer_count: u64,
    /// How many active versions use it.
    version_count: u64,
    /// The latest activation of one of these versions.
    last_activated_at: Option<DateTime>,
}

/// A tool by its name, and how much uses it.
#[derive(SimpleObject)]
pub struct ToolInUse {
    /// The tool's name, as versions have it. Tools of one name may differ.
    name: String,
    /// How many agents serve a version with this tool.
    agent_count: u64,
    /// How many customers these agents are of.
    customer_count: u64,
    /// How many active versions have it.
    version_count: u64,
    /// The latest activation of one of these versions.
    last_activated_at: Option<DateTime>,
}

impl From<InUse> for ModelInUse {
    fn from(row: InUse) -> Self {
        let InUse { name, agent_count, customer_count, version_count, last_activated_at, rows_read: _ } = row;
        Self {
            name,
            agent_count: unsigned(agent_count),
            customer_count: unsigned(customer_count),
            version_count: unsigned(version_count),
            last_activated_at: last_activated_at.map(Into::into),
        }
    }
}

impl From<InUse> for ToolInUse {
    fn from(row: InUse) -> Self {
        let ModelInUse { name, agent_count, customer_count, version_count, last_activated_at } = row.into();
        Self { name, agent_count, customer_count, version_count, last_activated_at }
    }
}

async fn read<T: From<InUse>>(
    ctx: &Context<'_>,
    kind: InUseKind,
    customer: Option<ID>,
    environment: Option<String>,
    first: i32,
) -> async_graphql::Result<Vec<T>> {
    let customer = customer_argument(customer)?;
    let environment = environment.map(|key| key_argument(Some(&key))).transpose()?;
    let view = request(ctx)?.view();
    let found = view.registry().in_use(view.reading(), kind, customer, environment, first).await;
    Ok(found.map_err(|err| to_graphql_error(&err))?.into_iter().map(Into::into).collect())
}

/// The root fields of `Query` that say what active versions use.
#[derive(Default)]
pub struct InUseQuery;

#[Object]
impl InUseQuery {
    /// The models of active versions, most agents first. Counts at most 100,000 active versions, else BAD_USER_INPUT. API
    /// keys need `agents:read`.
    async fn models_in_use(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only those of this customer's agents; of every customer that you can see if left out."
        )]
        customer_id: Option<ID>,
        #[graphql(desc = "The key of the environment; all that you reach if left out.")] environment: Option<
            String,
        >,
        #[graphql(default = 100, desc = "How many models, 1 to 1,000. Multiplies the query's cost.")]
        first: i32,
    ) -> async_graphql::Result<Vec<ModelInUse>> {
        read(ctx, InUseKind::Models, customer_id, environment, first).await
    }

    /// The tools of active versions, most agents first. Counts at most 100,000 tools of active versions, else
    /// BAD_USER_INPUT. API keys need `agents:read`.
    async fn tools_in_use(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only those of this customer's agents; of every customer that you can see if left out."
        )]
        customer_id: Option<ID>,
        #[graphql(desc = "The key of the environment; all that you reach if left out.")] environment: Option<
            String,
        >,
        #[graphql(default = 100, desc = "How many tools, 1 to 1,000. Multiplies the query's cost.")]
        first: i32,
    ) -> async_graphql::Result<Vec<ToolInUse>> {
        read(ctx, InUseKind::Tools, customer_id, environment, first).await
    }
}
