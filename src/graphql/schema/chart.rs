//! Counts for charts in the GraphQL schema: activations a day, and entries of the audit log by group.

use async_graphql::{Context, Enum, ID, Object, SimpleObject};

use super::{
    activation::ActivationReason,
    actor::Actor,
    agent::Agent,
    change::{ChangeAction, ChangeFilter},
    customer::Customer,
    environment::keys_argument,
    error::{Nullable, linked, to_graphql_error},
    scalar::{Date, DateTime, id},
};
use crate::{
    domain::{
        activation::ActivationKind,
        chart::{self, ActivationChart},
    },
    graphql::engine::context::{RequestView, request},
    id::CustomerId,
};

/// Activations of one day, environment and reason.
#[derive(SimpleObject)]
pub struct ActivationCount {
    /// The day, in the time zone of the query.
    day: Date,
    /// The key of the environment.
    environment_key: String,
    /// The reason, as `Activation.reason`.
    reason: ActivationReason,
    /// How many there are: at least 1, since days without any are left out.
    count: u64,
}

/// What entries of the audit log can be counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "chart::ChangeGroup")]
pub enum ChangeCountGroup {
    /// Entries of one day each: `day` is set.
    Day,
    /// Entries of one action each: `action` is set.
    Action,
    /// Entries of one actor each: `actor` is set.
    Actor,
    /// Entries of one agent each: `agent` is set.
    Agent,
    /// Entries of one customer each: `customer` is set.
    Customer,
}

/// Entries of the audit log of one group. A field is null when it is not grouped by, and when the entries have no such
/// object.
pub struct ChangeCount {
    row: chart::ChangeCount,
    view: RequestView,
}

/// Entries of the audit log of one group. A field is null when it is not grouped by, and when the entries have no such
/// object.
#[Object]
impl ChangeCount {
    /// The day, in the time zone of the query.
    async fn day(&self) -> Option<Date> {
        self.row.day.map(Date)
    }

    /// The kind of change.
    async fn action(&self) -> Option<ChangeAction> {
        self.row.action.map(Into::into)
    }

    /// The caller that made the changes.
    async fn actor(&self) -> Option<Actor> {
        let chart::ChangeCount { actor_kind, actor_id, .. } = self.row;
        actor_kind.map(|kind| Actor::new(kind, actor_id, self.view.clone()))
    }

    /// The agent that the entries are about.
    async fn agent(&self) -> Nullable<Agent> {
        linked(self.row.agent_id, |id| self.view.agent(id)).await
    }

    /// The customer that the entries are about.
    async fn customer(&self) -> Nullable<Customer> {
        linked(self.row.customer_id, |id| self.view.customer(id)).await
    }

    /// How many entries there are: at least 1.
    async fn count(&self) -> u64 {
        unsigned(self.row.count)
    }
}

/// A count of Postgres, which is never negative.
pub(super) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// Reads the id of a customer in an argument.
pub(super) fn customer_argument(customer: Option<ID>) -> async_graphql::Result<Option<CustomerId>> {
    let customer = customer.map(|customer| id("customerId", &customer)).transpose();
    customer.map_err(|err| to_graphql_error(&err))
}

/// The root fields of `Query` that count for charts.
#[derive(Default)]
pub struct ChartQuery;

#[Object]
impl ChartQuery {
    /// Activations a day, for charts; at most 366 days and 100,000 activations, else BAD_USER_INPUT. For every member, and
    /// API keys with `agents:read`.
    async fn activation_counts(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this customer's; those of every customer that you can see if left out.")]
        customer_id: Option<ID>,
        #[graphql(desc = "The keys of the environments, 1 to 100; all that you reach if left out.")]
        environments: Option<Vec<String>>,
        #[graphql(desc = "Only activations at or after this instant.")] since: DateTime,
        #[graphql(desc = "Only activations before this instant; until now if left out.")] until: Option<
            DateTime,
        >,
        #[graphql(
            default = "UTC",
            desc = "The time zone of the days: `UTC`, or a name of the IANA database, such as `Europe/Berlin`."
        )]
        time_zone: String,
    ) -> async_graphql::Result<Vec<ActivationCount>> {
        let environments = match environments {
            Some(keys) => Some(keys_argument(Some(&keys))?),
            None => None,
        };
        let chart = ActivationChart {
            customer: customer_argument(customer_id)?,
            environments,
            since: since.instant(),
            until: until.map(DateTime::instant),
            time_zone,
        };
        let view = request(ctx)?.view();
        let counts = view.registry().activation_counts(view.reading(), chart).await;
        let count = |row: chart::ActivationCount| ActivationCount {
            day: Date(row.day),
            environment_key: row.environment_key.to_string(),
            reason: ActivationKind::new(row.reason, row.is_promoted).into(),
            count: unsigned(row.count),
        };
        Ok(counts.map_err(|err| to_graphql_error(&err))?.into_iter().map(count).collect())
    }

    /// Entries of the audit log by group: by day, then most entries first. At most 366 days, 1,000 groups and 100,000
    /// entries, else BAD_USER_INPUT. For ADMINs, operators, and API keys with `changes:read`.
    async fn change_counts(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only this customer's entries; those of every customer whose audit you can read if left out."
        )]
        customer_id: Option<ID>,
        #[graphql(desc = "Only matching entries. `since` must be given.")] filter: Option<ChangeFilter>,
        #[graphql(desc = "What to group by, at least one.")] group_by: Vec<ChangeCountGroup>,
        #[graphql(
            default = "UTC",
            desc = "The time zone of the days: `UTC`, or a name of the IANA database, such as `Europe/Berlin`."
        )]
        time_zone: String,
    ) -> async_graphql::Result<Vec<ChangeCount>> {
        let customer = customer_argument(customer_id)?;
        let filter = filter.unwrap_or_default().read().map_err(|err| to_graphql_error(&err))?;
        let groups: Vec<chart::ChangeGroup> = group_by.into_iter().map(Into::into).collect();
        let view = request(ctx)?.view();
        let counts = view
            .registry()
            .grouped_change_counts(view.reading(), customer, &filter, &groups, &time_zone)
            .await
            .map_err(|err| to_graphql_error(&err))?;
        Ok(counts.into_iter().map(|row| ChangeCount { row, view: view.clone() }).collect())
    }
}
