//! The batching loaders of one request. Each reads, in one statement, what one level of a query asks for, and is
//! declared once, as an entry of `loaders!` below.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use super::loader::Loader;
use crate::{
    clock::Instant,
    domain::{
        Actor, BoundedCount, Page, PageArgs, Reading, Registry,
        activation::{Activation, ActivationFilter},
        agent::{Agent, AgentListing, AgentPosition, ListedAgent},
        api_key::ApiKey,
        audit::{AuditSubject, ChangeFilter},
        change::{Change, LogPosition},
        customer::{Customer, CustomerStatus},
        environment::{Environment, EnvironmentKey},
        gateway::{ConvergenceTarget, ConvergenceTimes, Epoch, Gateway, NamedRejection, ServingCommit},
        identity::Identity,
        invitation::Invitation,
        limit::Usage,
        member::Membership,
        pinned::{PinnedKey, PinnedVersion},
        service_token::ServiceToken,
        serving::Serving,
        user::User,
        version::{BodyKey, VersionBody, VersionSummary},
    },
    id::{
        ActivationId, AgentId, ApiKeyId, CustomerId, EnvironmentId, GatewayId, InvitationId, Revision,
        ServiceTokenId, UserId, VersionId,
    },
};

/// The type of a loader of one kind; see [`loaders`] for the kinds.
macro_rules! loader_of {
    (rows[$Id:ty => $Row:ty, $read:ident]) => { Loader<$Id, $Row> };
    (keyed_rows[$Key:ty => $Row:ty, by ($($column:ident),*), $read:ident]) => { Loader<$Key, $Row> };
    (values[$Key:ty => $Value:ty, $read:ident]) => { Loader<$Key, $Value> };
    (pages[$Parent:ty => $Row:ty, by $Key:ty, $read:ident]) => {
        Loader<($Parent, PageArgs<$Key>), Page<Arc<$Row>>>
    };
    (counts[$Parent:ty, $count:ident]) => { Loader<$Parent, BoundedCount> };
    (filtered_pages[$Parent:ty, $Filter:ty => $Row:ty, by $Key:ty, $read:ident]) => {
        Loader<($Parent, $Filter, PageArgs<$Key>), Page<Arc<$Row>>>
    };
    (filtered_counts[$Parent:ty, $Filter:ty, $count:ident]) => { Loader<($Parent, $Filter), BoundedCount> };
}

/// The function that reads one batch of a loader's kind.
macro_rules! fetch_of {
    (rows[$Id:ty => $Row:ty, $read:ident]) => {
        |registry, reading, keys| {
            Box::pin(async move {
                Ok(registry.$read(reading, keys).await?.into_iter().map(|row| (row.id, row)).collect())
            })
        }
    };
    (keyed_rows[$Key:ty => $Row:ty, by ($($column:ident),*), $read:ident]) => {
        |registry, reading, keys| {
            Box::pin(async move {
                let rows = registry.$read(reading, keys).await?;
                Ok(rows.into_iter().map(|row| (($(row.$column),*), row)).collect())
            })
        }
    };
    (values[$Key:ty => $Value:ty, $read:ident]) => {
        |registry, reading, keys| Box::pin(async move { registry.$read(reading, keys).await })
    };
    (pages[$Parent:ty => $Row:ty, by $Key:ty, $read:ident]) => {
        |registry, reading, keys| {
            Box::pin(async move {
                let mut found = HashMap::new();
                for (args, parents) in grouped(keys, |(parent, args)| (args.clone(), *parent)) {
                    for (parent, page) in registry.$read(reading, &parents, &args).await? {
                        found.insert((parent, args.clone()), page.map(Arc::new));
                    }
                }
                Ok(found)
            })
        }
    };
    (counts[$Parent:ty, $count:ident]) => {
        |registry, reading, keys| {
            Box::pin(async move { Ok(registry.$count(reading, keys).await?.into_iter().collect()) })
        }
    };
    (filtered_pages[$Parent:ty, $Filter:ty => $Row:ty, by $Key:ty, $read:ident]) => {
        |registry, reading, keys| {
            Box::pin(async move {
                let mut found = HashMap::new();
                for ((filter, args), parents) in
                    grouped(keys, |(parent, filter, args)| ((filter.clone(), args.clone()), *parent))
                {
                    for (parent, page) in registry.$read(reading, &parents, &filter, &args).await? {
                        found.insert((parent, filter.clone(), args.clone()), page.map(Arc::new));
                    }
                }
                Ok(found)
            })
        }
    };
    (filtered_counts[$Parent:ty, $Filter:ty, $count:ident]) => {
        |registry, reading, keys| {
            Box::pin(async move {
                let mut found = HashMap::new();
                for (filter, parents) in grouped(keys, |(parent, filter)| (filter.clone(), *parent)) {
                    let counts = registry.$count(reading, &parents, &filter).await?;
                    found.extend(counts.into_iter().map(|(parent, count)| ((parent, filter.clone()), count)));
                }
                Ok(found)
            })
        }
    };
}

/// Defines [`Loaders`]: a field for each entry, `name: kind[key => value, function of Registry]`. The kinds are
/// - `rows` and `keyed_rows`: rows by their own ids, or by several columns,
/// - `values`: values by any key, as the function returns them,
/// - `pages` and `counts`: pages of the rows below each parent, and their number,
/// - `filtered_pages` and `filtered_counts`: the same, of the rows that match a filter.
///
/// Keys with equal filters and page arguments share a statement.
macro_rules! loaders {
    ($($(#[$doc:meta])* $name:ident: $kind:ident $spec:tt;)*) => {
        /// The loaders of one request.
        pub(in crate::graphql) struct Loaders {
            $($(#[$doc])* pub(in crate::graphql) $name: loader_of!($kind $spec),)*
        }

        impl Loaders {
            /// Makes the loaders of a request that reads through this snapshot.
            pub(in crate::graphql) fn new(registry: &Registry, reading: &Reading) -> Self {
                let through = Arc::new((registry.clone(), reading.clone()));
                Self { $($name: Loader::new(&through, fetch_of!($kind $spec)),)* }
            }
        }
    };
}

loaders! {
    /// Customers by id.
    customers: rows[CustomerId => Customer, customers_by_ids];
    /// The times of customers' latest entries of the log.
    last_activities: values[CustomerId => Instant, last_activity_of_each];
    /// Customers' use of their plans' limits.
    usages: rows[CustomerId => Usage, usage_of_each];
    /// Pages of members by customer.
    member_pages: pages[CustomerId => Membership, by UserId, members_of_each];
    /// Numbers of members by customer.
    member_counts: counts[CustomerId, count_members_of_each];
    /// Pages of invitations by customer.
    invitation_pages: pages[CustomerId => Invitation, by InvitationId, invitations_of_each];
    /// Numbers of invitations by customer.
    invitation_counts: counts[CustomerId, count_invitations_of_each];
    /// Pages of API keys by customer.
    api_key_pages: pages[CustomerId => ApiKey, by ApiKeyId, api_keys_of_each];
    /// API keys by id.
    api_keys: rows[ApiKeyId => ApiKey, api_keys_by_ids];
    /// Open invitations by id.
    invitations: rows[InvitationId => Invitation, invitations_by_ids];
    /// Statuses of customers, also for readers of an agent alone.
    customer_statuses: values[CustomerId => CustomerStatus, customer_statuses];
    /// When agents were last changed.
    agent_updates: values[AgentId => Instant, agent_updates];
    /// Numbers of API keys by customer.
    api_key_counts: counts[CustomerId, count_api_keys_of_each];
    /// Names of API keys by id.
    api_key_names: values[ApiKeyId => String, api_key_names];
    /// Service tokens by id.
    service_tokens: rows[ServiceTokenId => ServiceToken, service_tokens_by_ids];
    /// Creators of service tokens, as the log has them, by id.
    service_token_creators: values[ServiceTokenId => Actor, service_token_creators];
    /// Names of service tokens by id.
    service_token_names: values[ServiceTokenId => String, service_token_names];
    /// Identities by user.
    identities: values[UserId => Vec<Identity>, identities_of_each];
    /// Environments by id.
    environments: rows[EnvironmentId => Environment, environments_by_ids];
    /// All environments of a customer, by rank.
    customer_environments: values[CustomerId => Vec<Environment>, environments_of_each];
    /// What agents serve, in each environment.
    servings: values[AgentId => Vec<Serving>, servings_of_each];
    /// Gateways by environment.
    gateways: values[EnvironmentKey => Vec<Gateway>, gateways_of_each];
    /// Rejections of what a customer serves now in an environment.
    serving_rejections: values[(CustomerId, EnvironmentKey) => Vec<NamedRejection>, serving_rejections_of_each];
    /// Rejections by gateway.
    gateway_rejections: values[GatewayId => Vec<NamedRejection>, rejections_of_gateways];
    /// The newest commits that changed what serves, by environment.
    serving_commits: values[EnvironmentKey => Vec<ServingCommit>, newest_serving_commits];
    /// The last commit that changed what a customer serves in an environment.
    last_serving_commits: values[(CustomerId, EnvironmentKey) => Revision, last_serving_commits];
    /// The time since which no report of a gateway was lost.
    gateway_epochs: values[() => Epoch, gateway_epochs];
    /// How long gateways took to apply a commit.
    convergence_times: values[ConvergenceTarget => ConvergenceTimes, convergence_times];
    /// Users by id.
    users: rows[UserId => User, users_by_ids];
    /// Whether users are operators.
    operators: values[UserId => bool, are_operators];
    /// Agents by id.
    agents: rows[AgentId => Agent, agents_by_ids];
    /// Pages of agents by customer.
    agent_pages: filtered_pages[CustomerId, AgentListing => ListedAgent, by AgentPosition, agents_of_each];
    /// Numbers of agents by customer.
    agent_counts: filtered_counts[CustomerId, AgentListing, count_agents_of_each];
    /// Pages of agents by owner.
    owned_pages: pages[UserId => Agent, by AgentId, agents_of_each_owner];
    /// Numbers of agents by owner.
    owned_counts: counts[UserId, count_agents_of_each_owner];
    /// Versions, without their content, by id.
    versions: rows[VersionId => VersionSummary, versions_by_ids];
    /// The content of versions: prompt, parameters and tools.
    version_bodies: values[BodyKey => Arc<VersionBody>, version_bodies];
    /// Versions that serve or have served, without their content, by agent and id.
    pinned_versions: values[(AgentId, VersionId) => PinnedVersion, pinned_versions];
    /// The content of versions that serve or have served.
    pinned_bodies: values[PinnedKey => Arc<VersionBody>, pinned_bodies];
    /// Versions, without their content, by agent and number.
    version_numbers: keyed_rows[(AgentId, i32) => VersionSummary, by (agent_id, number), versions_by_numbers];
    /// Pages of versions by agent.
    version_pages: pages[AgentId => VersionSummary, by i32, versions_of_each];
    /// Activations by id.
    activations: rows[ActivationId => Activation, activations_by_ids];
    /// The versions that a rollback would activate, by agent and environment.
    rollback_targets: values[(AgentId, EnvironmentKey) => VersionId, rollback_targets_of_each];
    /// Pages of activations by agent, in some environments.
    activation_pages: filtered_pages[AgentId, Vec<EnvironmentKey> => Activation, by ActivationId, activations_of_each];
    /// Numbers of activations by agent, in some environments.
    activation_counts: filtered_counts[AgentId, Vec<EnvironmentKey>, count_activations_of_each];
    /// Pages of activations by customer.
    customer_activation_pages: filtered_pages[CustomerId, ActivationFilter => Activation, by ActivationId, activations_of_each_customer];
    /// Numbers of activations by customer.
    customer_activation_counts: filtered_counts[CustomerId, ActivationFilter, count_activations_of_each_customer];
    /// Pages of the audit log by the customer or agent that the entries are about.
    change_pages: filtered_pages[AuditSubject, ChangeFilter => Change, by LogPosition, changes_of_each];
    /// Numbers of entries of the audit log by the customer or agent that they are about.
    change_counts: filtered_counts[AuditSubject, ChangeFilter, count_changes_of_each];
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
