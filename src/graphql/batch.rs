//! The kinds of batch: what one level of a query reads in one statement.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use super::loader::Fetch;
use crate::{
    domain::{
        Page, PageArgs, Reading, Registry, Result,
        activation::Activation,
        agent::{Agent, AgentFilter},
        customer::Customer,
        user::User,
        version::{VersionBody, VersionSummary},
    },
    id::{ActivationId, AgentId, CustomerId, UserId, VersionId},
};

/// Customers by id.
pub(super) struct CustomerById;

impl Fetch for CustomerById {
    type Key = CustomerId;
    type Value = Customer;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[CustomerId],
    ) -> Result<HashMap<CustomerId, Customer>> {
        Ok(registry.customers_by_ids(reading, keys).await?.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// Users by id.
pub(super) struct UserById;

impl Fetch for UserById {
    type Key = UserId;
    type Value = User;

    async fn fetch(registry: &Registry, reading: &Reading, keys: &[UserId]) -> Result<HashMap<UserId, User>> {
        Ok(registry.users_by_ids(reading, keys).await?.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// Agents by id.
pub(super) struct AgentById;

impl Fetch for AgentById {
    type Key = AgentId;
    type Value = Agent;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[AgentId],
    ) -> Result<HashMap<AgentId, Agent>> {
        Ok(registry.agents_by_ids(reading, keys).await?.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// Pages of agents by customer.
pub(super) struct AgentPage;

impl Fetch for AgentPage {
    type Key = (CustomerId, AgentFilter, PageArgs<AgentId>);
    type Value = Page<Arc<Agent>>;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[Self::Key],
    ) -> Result<HashMap<Self::Key, Self::Value>> {
        let mut found = HashMap::new();
        for ((filter, args), customers) in
            grouped(keys, |(customer, filter, args)| ((filter.clone(), args.clone()), *customer))
        {
            for (customer, page) in registry.agents_of_each(reading, &customers, &filter, &args).await? {
                found.insert((customer, filter.clone(), args.clone()), page.map(Arc::new));
            }
        }
        Ok(found)
    }
}

/// Counts of agents by customer.
pub(super) struct AgentCount;

impl Fetch for AgentCount {
    type Key = (CustomerId, AgentFilter);
    type Value = u64;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[Self::Key],
    ) -> Result<HashMap<Self::Key, u64>> {
        let mut found = HashMap::new();
        for (filter, customers) in grouped(keys, |(customer, filter)| (filter.clone(), *customer)) {
            let counts = registry.count_agents_of_each(reading, &customers, &filter).await?;
            found.extend(counts.into_iter().map(|(customer, count)| ((customer, filter.clone()), count)));
        }
        Ok(found)
    }
}

/// Versions by id.
pub(super) struct VersionById;

impl Fetch for VersionById {
    type Key = VersionId;
    type Value = VersionSummary;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[VersionId],
    ) -> Result<HashMap<VersionId, VersionSummary>> {
        Ok(registry.versions_by_ids(reading, keys).await?.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// What versions hold, by id and how much that is.
pub(super) struct VersionBodies;

impl Fetch for VersionBodies {
    type Key = (VersionId, usize);
    type Value = Arc<VersionBody>;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[Self::Key],
    ) -> Result<HashMap<Self::Key, Self::Value>> {
        let (ids, sizes): (Vec<VersionId>, Vec<usize>) = keys.iter().copied().unzip();
        let sizes: HashMap<VersionId, usize> = ids.iter().copied().zip(sizes).collect();
        let bodies = registry.version_bodies(reading, &ids, sizes.values().sum()).await?;
        let keyed =
            bodies.into_iter().filter_map(|body| Some(((body.id, *sizes.get(&body.id)?), Arc::new(body))));
        Ok(keyed.collect())
    }
}

/// Versions by agent and number.
pub(super) struct VersionByNumber;

impl Fetch for VersionByNumber {
    type Key = (AgentId, i32);
    type Value = Arc<VersionSummary>;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[Self::Key],
    ) -> Result<HashMap<Self::Key, Self::Value>> {
        let rows = registry.versions_by_numbers(reading, keys).await?;
        Ok(rows.into_iter().map(|row| ((row.agent_id, row.number), Arc::new(row))).collect())
    }
}

/// Pages of versions by agent.
pub(super) struct VersionPage;

impl Fetch for VersionPage {
    type Key = (AgentId, PageArgs<i32>);
    type Value = Page<Arc<VersionSummary>>;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[Self::Key],
    ) -> Result<HashMap<Self::Key, Self::Value>> {
        let mut found = HashMap::new();
        for (args, agents) in grouped(keys, |(agent, args)| (args.clone(), *agent)) {
            let pages = registry.versions_of_each(reading, &agents, &args).await?;
            found.extend(pages.into_iter().map(|(agent, page)| ((agent, args.clone()), page.map(Arc::new))));
        }
        Ok(found)
    }
}

/// Activations by id.
pub(super) struct ActivationById;

impl Fetch for ActivationById {
    type Key = ActivationId;
    type Value = Activation;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[ActivationId],
    ) -> Result<HashMap<ActivationId, Activation>> {
        Ok(registry.activations_by_ids(reading, keys).await?.into_iter().map(|row| (row.id, row)).collect())
    }
}

/// Pages of activations by agent.
pub(super) struct ActivationPage;

impl Fetch for ActivationPage {
    type Key = (AgentId, PageArgs<ActivationId>);
    type Value = Page<Arc<Activation>>;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[Self::Key],
    ) -> Result<HashMap<Self::Key, Self::Value>> {
        let mut found = HashMap::new();
        for (args, agents) in grouped(keys, |(agent, args)| (args.clone(), *agent)) {
            let pages = registry.activations_of_each(reading, &agents, &args).await?;
            found.extend(pages.into_iter().map(|(agent, page)| ((agent, args.clone()), page.map(Arc::new))));
        }
        Ok(found)
    }
}

/// Counts of activations by agent.
pub(super) struct ActivationCount;

impl Fetch for ActivationCount {
    type Key = AgentId;
    type Value = u64;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[AgentId],
    ) -> Result<HashMap<AgentId, u64>> {
        Ok(registry.count_activations_of_each(reading, keys).await?.into_iter().collect())
    }
}

/// Sorts the keys of a batch by what must be asked for apart.
fn grouped<T, G: Eq + Hash, K>(keys: &[T], split: impl Fn(&T) -> (G, K)) -> HashMap<G, Vec<K>> {
    let mut groups: HashMap<G, Vec<K>> = HashMap::new();
    for key in keys {
        let (group, key) = split(key);
        groups.entry(group).or_default().push(key);
    }
    groups
}
