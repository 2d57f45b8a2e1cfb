//! The kinds of batches. Each reads, in one statement, what one level of a query asks for.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use super::loader::Fetch;
use crate::{
    domain::{
        Page, PageArgs, Reading, Registry, Result,
        activation::Activation,
        agent::{Agent, AgentFilter},
        api_key::ApiKey,
        audit::{AuditSubject, ChangeFilter},
        change::{Change, LogPosition},
        customer::Customer,
        invitation::Invitation,
        limit::Usage,
        member::Membership,
        user::User,
        version::{BodyKey, VersionBody, VersionSummary},
    },
    id::{ActivationId, AgentId, ApiKeyId, CustomerId, InvitationId, UserId, VersionId},
};

/// Defines a batch of rows by their own ids.
macro_rules! by_id {
    ($($(#[$doc:meta])* $Name:ident: $Id:ty => $Row:ty, $verb:ident;)*) => {$(
        $(#[$doc])*
        pub(in crate::graphql) struct $Name;

        impl Fetch for $Name {
            type Key = $Id;
            type Value = $Row;

            async fn fetch(registry: &Registry, reading: &Reading, keys: &[$Id]) -> Result<HashMap<$Id, $Row>> {
                Ok(registry.$verb(reading, keys).await?.into_iter().map(|row| (row.id, row)).collect())
            }
        }
    )*};
}

by_id! {
    /// Reads customers by id.
    CustomerById: CustomerId => Customer, customers_by_ids;
    /// Reads customers' use of their plans' limits.
    UsageByCustomer: CustomerId => Usage, usage_of_each;
    /// Reads users by id.
    UserById: UserId => User, users_by_ids;
    /// Reads agents by id.
    AgentById: AgentId => Agent, agents_by_ids;
    /// Reads versions, without their content, by id.
    VersionById: VersionId => VersionSummary, versions_by_ids;
    /// Reads activations by id.
    ActivationById: ActivationId => Activation, activations_by_ids;
}

/// Defines a batch of pages of rows below each parent. Keys with equal page arguments share a statement.
macro_rules! pages {
    ($($(#[$doc:meta])* $Name:ident: $Parent:ty => $Row:ty, by $Key:ty, $verb:ident;)*) => {$(
        $(#[$doc])*
        pub(in crate::graphql) struct $Name;

        impl Fetch for $Name {
            type Key = ($Parent, PageArgs<$Key>);
            type Value = Page<Arc<$Row>>;

            async fn fetch(
                registry: &Registry,
                reading: &Reading,
                keys: &[Self::Key],
            ) -> Result<HashMap<Self::Key, Self::Value>> {
                let mut found = HashMap::new();
                for (args, parents) in grouped(keys, |(parent, args)| (args.clone(), *parent)) {
                    let pages = registry.$verb(reading, &parents, &args).await?;
                    let keyed = pages.into_iter().map(|(parent, page)| ((parent, args.clone()), page.map(Arc::new)));
                    found.extend(keyed);
                }
                Ok(found)
            }
        }
    )*};
}

pages! {
    /// Reads pages of versions by agent.
    VersionPage: AgentId => VersionSummary, by i32, versions_of_each;
    /// Reads pages of activations by agent.
    ActivationPage: AgentId => Activation, by ActivationId, activations_of_each;
    /// Reads pages of members by customer.
    MemberPage: CustomerId => Membership, by UserId, members_of_each;
    /// Reads pages of invitations by customer.
    InvitationPage: CustomerId => Invitation, by InvitationId, invitations_of_each;
    /// Reads pages of API keys by customer.
    ApiKeyPage: CustomerId => ApiKey, by ApiKeyId, api_keys_of_each;
    /// Reads pages of agents by owner.
    OwnedPage: UserId => Agent, by AgentId, agents_of_each_owner;
}

/// Defines a batch that counts the rows below each parent.
macro_rules! counts {
    ($($(#[$doc:meta])* $Name:ident: $Parent:ty, $verb:ident;)*) => {$(
        $(#[$doc])*
        pub(in crate::graphql) struct $Name;

        impl Fetch for $Name {
            type Key = $Parent;
            type Value = u64;

            async fn fetch(registry: &Registry, reading: &Reading, keys: &[$Parent]) -> Result<HashMap<$Parent, u64>> {
                Ok(registry.$verb(reading, keys).await?.into_iter().collect())
            }
        }
    )*};
}

counts! {
    /// Counts activations by agent.
    ActivationCount: AgentId, count_activations_of_each;
    /// Counts members by customer.
    MemberCount: CustomerId, count_members_of_each;
    /// Counts invitations by customer.
    InvitationCount: CustomerId, count_invitations_of_each;
    /// Counts API keys by customer.
    ApiKeyCount: CustomerId, count_api_keys_of_each;
    /// Counts agents by owner.
    OwnedCount: UserId, count_agents_of_each_owner;
}

/// Defines a batch of pages, and one of counts, of filtered rows below each parent. Keys with equal filters and
/// page arguments share a statement.
macro_rules! filtered {
    ($($(#[$doc:meta])* $Page:ident, $Count:ident: $Parent:ty => $Row:ty, $Filter:ty, by $Key:ty, $verb:ident, $count:ident;)*) => {$(
        $(#[$doc])*
        pub(in crate::graphql) struct $Page;

        impl Fetch for $Page {
            type Key = ($Parent, $Filter, PageArgs<$Key>);
            type Value = Page<Arc<$Row>>;

            async fn fetch(
                registry: &Registry,
                reading: &Reading,
                keys: &[Self::Key],
            ) -> Result<HashMap<Self::Key, Self::Value>> {
                let mut found = HashMap::new();
                for ((filter, args), parents) in
                    grouped(keys, |(parent, filter, args)| ((filter.clone(), args.clone()), *parent))
                {
                    for (parent, page) in registry.$verb(reading, &parents, &filter, &args).await? {
                        found.insert((parent, filter.clone(), args.clone()), page.map(Arc::new));
                    }
                }
                Ok(found)
            }
        }

        $(#[$doc])*
        pub(in crate::graphql) struct $Count;

        impl Fetch for $Count {
            type Key = ($Parent, $Filter);
            type Value = u64;

            async fn fetch(
                registry: &Registry,
                reading: &Reading,
                keys: &[Self::Key],
            ) -> Result<HashMap<Self::Key, u64>> {
                let mut found = HashMap::new();
                for (filter, parents) in grouped(keys, |(parent, filter)| (filter.clone(), *parent)) {
                    let counts = registry.$count(reading, &parents, &filter).await?;
                    found.extend(counts.into_iter().map(|(parent, count)| ((parent, filter.clone()), count)));
                }
                Ok(found)
            }
        }
    )*};
}

filtered! {
    /// Reads or counts agents by customer.
    AgentPage, AgentCount: CustomerId => Agent, AgentFilter, by AgentId, agents_of_each, count_agents_of_each;
    /// Reads or counts entries of the audit log by the customer or agent that they're about.
    ChangePage, ChangeCount: AuditSubject => Change, ChangeFilter, by LogPosition, changes_of_each, count_changes_of_each;
}

/// Reads the content of versions: prompt, parameters and tools.
pub(in crate::graphql) struct VersionBodies;

impl Fetch for VersionBodies {
    type Key = BodyKey;
    type Value = Arc<VersionBody>;

    async fn fetch(
        registry: &Registry,
        reading: &Reading,
        keys: &[BodyKey],
    ) -> Result<HashMap<BodyKey, Arc<VersionBody>>> {
        registry.version_bodies(reading, keys).await
    }
}

/// Reads versions, without their content, by agent and number.
pub(in crate::graphql) struct VersionByNumber;

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

/// Groups the keys of a batch by the part that needs a statement of its own, such as page arguments.
fn grouped<T, G: Eq + Hash, K>(keys: &[T], split: impl Fn(&T) -> (G, K)) -> HashMap<G, Vec<K>> {
    let mut groups: HashMap<G, Vec<K>> = HashMap::new();
    for key in keys {
        let (group, key) = split(key);
        groups.entry(group).or_default().push(key);
    }
    groups
}
