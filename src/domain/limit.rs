//! The limits of each plan, and how much of them a customer uses.

use super::{
    Error, Reading, Registry, Result,
    customer::{Customer, Plan},
    policy::Action,
    right::GrantedTxn,
};
use crate::{
    clock::Instant,
    entity::{customer, membership},
    id::CustomerId,
};

pub use customer::{QuotaKind, Usage};

/// The points that one request may cost within the rate of its plan. A dearer one counts as several requests. With it,
/// a query of the highest cost (100,000 points, one for each field that it may return) counts as ten.
pub const POINTS_PER_REQUEST: u64 = 10_000;

/// The environments of a customer of any plan. Each adds a row for each agent that serves there.
const ENVIRONMENTS: i64 = 8;

/// How many objects a customer may have, and how many requests it may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Agents, including archived ones.
    pub agents: i64,
    /// Versions of one agent.
    pub versions: i32,
    /// API keys that are accepted: neither revoked nor expired.
    pub api_keys: i64,
    /// Members and open invitations together.
    pub members: i64,
    /// Environments, without archived ones.
    pub environments: i64,
    /// Requests of up to [`POINTS_PER_REQUEST`] points per second, of one user or API key on one instance, as a
    /// sustained rate. Bursts may be twice as large.
    pub requests_per_second: u32,
}

impl Plan {
    /// The limits of this plan. FREE is for trying the registry, PRO for a team, ENTERPRISE for a city with all its
    /// departments.
    #[must_use]
    pub fn limits(self) -> Limits {
        match self {
            Self::Free => Limits {
                agents: 500,
                versions: 500,
                api_keys: 5,
                members: 10,
                environments: ENVIRONMENTS,
                requests_per_second: 50,
            },
            Self::Pro => Limits {
                agents: 2_000,
                versions: 2_000,
                api_keys: 50,
                members: 100,
                environments: ENVIRONMENTS,
                requests_per_second: 200,
            },
            Self::Enterprise => Limits {
                agents: 20_000,
                versions: 20_000,
                api_keys: 500,
                members: 2_000,
                environments: ENVIRONMENTS,
                requests_per_second: 1_000,
            },
        }
    }
}

/// The limits of each plan, from the lowest to the highest.
pub fn limits_of_plans() -> impl Iterator<Item = (Plan, Limits)> {
    <Plan as sea_orm::Iterable>::iter().map(|plan| (plan, plan.limits()))
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitedResource {
    /// See [`Limits::agents`].
    Agents,
    /// See [`Limits::versions`].
    Versions,
    /// See [`Limits::api_keys`].
    ApiKeys,
    /// See [`Limits::members`].
    Members,
    /// See [`Limits::environments`].
    Environments,
}

impl LimitedResource {
    /// The plural noun for error messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Versions => "versions of one agent",
            Self::ApiKeys => "API keys",
            Self::Members => "members and invitations",
            Self::Environments => "environments",
        }
    }

    /// This plan's limit.
    #[must_use]
    pub fn of(self, plan: Plan) -> i64 {
        let Limits { agents, versions, api_keys, members, environments, requests_per_second: _ } =
            plan.limits();
        match self {
            Self::Agents => agents,
            Self::Versions => versions.into(),
            Self::ApiKeys => api_keys,
            Self::Members => members,
            Self::Environments => environments,
        }
    }

    /// Checks that `would_be` of these are within the plan's limit.
    ///
    /// # Errors
    /// [`Error::LimitReached`].
    pub fn check(self, plan: Plan, would_be: i64) -> Result<()> {
        let limit = self.of(plan);
        if would_be > limit { Err(Error::LimitReached { limited: self, limit }) } else { Ok(()) }
    }
}

/// Checks that a locked customer's plan has room for `more` objects. Always succeeds for 0. The customer's row must
/// be locked exclusively, so that concurrent checks of the same customer serialise.
pub(super) async fn check_quota(
    txn: &GrantedTxn,
    customer: &Customer,
    what: QuotaKind,
    more: usize,
    now: Instant,
) -> Result<()> {
    if more == 0 {
        return Ok(());
    }
    let has = txn.one(customer::count(what, customer.id, now)).await?.ok_or(Error::NotFound("customer"))?;
    let limited = match what {
        QuotaKind::Agents => LimitedResource::Agents,
        QuotaKind::ApiKeys => LimitedResource::ApiKeys,
        QuotaKind::Members => LimitedResource::Members,
        QuotaKind::Environments => LimitedResource::Environments,
    };
    limited.check(customer.plan, has.count.saturating_add(i64::try_from(more).unwrap_or(i64::MAX)))
}

/// Checks that a locked customer's plan has room for one more member. Invitations aren't counted: they had room when
/// they were sent, but the plan may have become smaller.
pub(super) async fn check_members(txn: &GrantedTxn, customer: &Customer) -> Result<()> {
    let has = txn.one(membership::count_each(&[customer.id])).await?.map_or(0, |row| row.count);
    LimitedResource::Members.check(customer.plan, has.saturating_add(1))
}

impl Registry {
    /// How much each of these customers uses of what its plan limits. Leaves out customers that the reader may not
    /// see.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for an API key or a service.
    pub async fn usage_of_each(&self, reading: &Reading, customers: &[CustomerId]) -> Result<Vec<Usage>> {
        super::policy::allow(&reading.caller, Action::ReadBilling)?;
        let visible = super::visible(reading, customers, |id| *id);
        Ok(reading.view.all(customer::usage(&visible, self.clock().now())).await?)
    }
}
