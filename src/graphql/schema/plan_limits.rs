//! What each plan allows in the GraphQL schema.

use async_graphql::{Object, SimpleObject};

use super::customer::Plan;
use crate::domain::{
    customer,
    limit::{Limits, limits_of_plans},
};

/// How much a plan allows. `Customer.usage` has what a customer uses of it.
#[derive(Clone, Debug, SimpleObject)]
pub struct PlanLimits {
    /// The plan that has these limits.
    plan: Plan,
    /// Agents, including archived ones.
    agents: i64,
    /// API keys that are accepted: expired and revoked ones don't count.
    api_keys: i64,
    /// Environments, without archived ones.
    environments: i64,
    /// Members and open invitations together.
    members: i64,
    /// Requests of up to 10,000 points per second, of each user and each API key in the long run.
    requests_per_second: u32,
    /// Versions of one agent.
    versions_per_agent: i32,
}

impl From<(customer::Plan, Limits)> for PlanLimits {
    fn from((plan, limits): (customer::Plan, Limits)) -> Self {
        let Limits { agents, versions, api_keys, members, environments, requests_per_second } = limits;
        Self {
            plan: plan.into(),
            agents,
            api_keys,
            environments,
            members,
            requests_per_second,
            versions_per_agent: versions,
        }
    }
}

/// The root field of `Query` that lists the plans.
#[derive(Default)]
pub struct PlanLimitsQuery;

#[Object]
impl PlanLimitsQuery {
    /// What each plan allows, from the lowest limits to the highest.
    async fn plans(&self) -> Vec<PlanLimits> {
        limits_of_plans().map(PlanLimits::from).collect()
    }
}
