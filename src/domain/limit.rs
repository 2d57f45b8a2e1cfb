//! What a plan limits, and how much of it a customer has.

use super::{
    Error, Reading, Registry, Result,
    customer::{Customer, Plan},
    policy::Action,
};
use crate::{clock::Instant, db::Txn, entity::customer as row, id::CustomerId};

pub use row::{Counted, Usage};

/// How much a customer may have, and ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Agents, archived ones too: they are kept.
    pub agents: i64,
    /// Versions of one agent.
    pub versions: i32,
    /// API keys that are accepted.
    pub api_keys: i64,
    /// Members and open invitations together.
    pub members: i64,
    /// Requests a second of one user or API key, on one instance, over a while; twice as many at once.
    pub requests_per_second: u32,
}

impl Plan {
    /// What this plan limits. Sizes: one who tries it, a team, a city with all its departments.
    #[must_use]
    pub fn limits(self) -> Limits {
        match self {
            Self::Free => {
                Limits { agents: 500, versions: 500, api_keys: 5, members: 10, requests_per_second: 50 }
            }
            Self::Pro => Limits {
                agents: 2_000,
                versions: 2_000,
                api_keys: 50,
                members: 100,
                requests_per_second: 200,
            },
            Self::Enterprise => Limits {
                agents: 20_000,
                versions: 20_000,
                api_keys: 500,
                members: 2_000,
                requests_per_second: 1_000,
            },
        }
    }
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// See [`Limits::agents`].
    Agents,
    /// See [`Limits::versions`].
    Versions,
    /// See [`Limits::api_keys`].
    ApiKeys,
    /// See [`Limits::members`].
    Members,
}

impl Limited {
    /// How messages call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Versions => "versions of one agent",
            Self::ApiKeys => "API keys",
            Self::Members => "members and invitations",
        }
    }

    /// How many of it this plan has.
    #[must_use]
    pub fn of(self, plan: Plan) -> i64 {
        let Limits { agents, versions, api_keys, members, requests_per_second: _ } = plan.limits();
        match self {
            Self::Agents => agents,
            Self::Versions => versions.into(),
            Self::ApiKeys => api_keys,
            Self::Members => members,
        }
    }

    /// Refuses when a customer of this plan would have more than it may.
    ///
    /// # Errors
    /// [`Error::LimitReached`].
    pub fn check(self, plan: Plan, would_be: i64) -> Result<()> {
        let limit = self.of(plan);
        if would_be > limit { Err(Error::LimitReached { limited: self, limit }) } else { Ok(()) }
    }
}

/// Refuses when a customer has no room for so many more; none always find room. Its row must be locked for a change: who
/// counts beside us waits.
pub(super) async fn room_for(
    txn: &Txn,
    customer: &Customer,
    what: Counted,
    more: usize,
    now: Instant,
) -> Result<()> {
    if more == 0 {
        return Ok(());
    }
    let has = txn.one(row::count(what, customer.id, now)).await?.ok_or(Error::NotFound("customer"))?;
    let limited = match what {
        Counted::Agents => Limited::Agents,
        Counted::ApiKeys => Limited::ApiKeys,
        Counted::Members => Limited::Members,
    };
    limited.check(customer.plan, has.count.saturating_add(i64::try_from(more).unwrap_or(i64::MAX)))
}

impl Registry {
    /// How much each of these customers has of what its plan limits.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for an API key or a service.
    pub async fn usage_of_each(&self, reading: &Reading, customers: &[CustomerId]) -> Result<Vec<Usage>> {
        super::policy::allow(&reading.caller, Action::ReadBilling)?;
        let visible = super::visible(reading, customers, |id| *id);
        Ok(reading.view.all(row::usage(&visible, self.clock.now())).await?)
    }
}
