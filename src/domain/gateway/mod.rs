//! Gateways: processes that run agents, and what they say that they serve. A report is a claim of a gateway about itself:
//! it decides nothing about rights, and isn't in the log.
//!
//! *Delivered* is the last commit that was sent to a gateway's subscription. *Applied* is the commit that the gateway
//! reported. The two are never mixed. All instances read the same tables, so they answer alike.

mod convergence;
mod read;
mod report;
mod roll;
mod store;

use std::{fmt, str::FromStr};

use chrono::TimeDelta;
use uuid::Uuid;

use super::change::ActorKind;
use crate::{
    clock::Instant,
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, GatewayId, Revision},
};

pub use crate::entity::{
    gateway::PER_TOKEN_MAX,
    gateway_watch::Model as GatewayWatchRow,
    serving_commit::ServingCommit,
    serving_rejection::{NamedRejection, RejectionCode},
};
pub use convergence::{Convergence, ConvergenceTimes, GatewayCounts};
pub use read::{ConvergenceTarget, Epoch};
pub use report::{CheckedReport, REJECTIONS_MAX, ReportedRejection, ServingReport, TEXT_CHARS_MAX};
pub use store::{GatewayChanges, ReportOutcome, StoredReports};

/// How long after its report a gateway is LATE.
pub const LATE_AFTER: TimeDelta = TimeDelta::seconds(90);
/// How long after its report a gateway is GONE.
pub const GONE_AFTER: TimeDelta = TimeDelta::hours(1);
/// For how long a subscription that hasn't reported may belong to a gateway that reported on an earlier one.
const RECONNECT_TIME: TimeDelta = TimeDelta::seconds(30);
/// How long after it was last seen an instance counts as dead, with its subscriptions.
const INSTANCE_LIFE: TimeDelta = TimeDelta::seconds(15);

/// Whether a gateway reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GatewayState {
    /// It reported within 90 seconds.
    Live,
    /// It reported before, but not for 90 seconds.
    Late,
    /// It is subscribed, and has never reported.
    Silent,
    /// It hasn't reported for an hour. Its row is about to be deleted.
    Gone,
}

impl GatewayState {
    /// The state of a gateway whose latest report was at `last`.
    fn of(last: Instant, now: Instant) -> Self {
        match now - last {
            age if age >= GONE_AFTER => Self::Gone,
            age if age >= LATE_AFTER => Self::Late,
            _ => Self::Live,
        }
    }
}

/// A gateway: a process that reports what it serves, or a subscription that never reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// The gateway's id; the subscription's for one that never reports.
    pub id: GatewayId,
    /// The kind of its token.
    pub principal_kind: ActorKind,
    /// Its token.
    pub principal_id: Uuid,
    /// Its own name; the token's for one that never reports.
    pub name: String,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// The customers whose configurations it receives; `None` for all.
    pub customer_ids: Option<Vec<CustomerId>>,
    /// The agents whose configurations it receives; `None` for all.
    pub agent_ids: Option<Vec<AgentId>>,
    /// Where it runs, in its own words.
    pub region: Option<String>,
    /// What it runs, in its own words.
    pub build: Option<String>,
    /// Its client library.
    pub client_name: Option<String>,
    /// The library's version.
    pub client_version: Option<String>,
    /// Its first report; the beginning of its subscription for one that never reports.
    pub since: Instant,
    /// Its latest report.
    pub last_report_at: Option<Instant>,
    /// Whether it reports.
    pub state: GatewayState,
    /// The last commit that was sent to its subscription, if that is known.
    pub delivered: Option<Revision>,
    /// The revision in its latest report.
    pub applied: Option<Revision>,
    /// How many versions it refuses.
    pub rejections: i64,
    /// When it first reported the newest of them.
    pub rejected_at: Option<Instant>,
}

impl Gateway {
    /// Whether it may serve this customer's agents, or this one of them.
    #[must_use]
    pub fn concerns(&self, customer: CustomerId, agent: Option<AgentId>) -> bool {
        self.customer_ids.as_ref().is_none_or(|ids| ids.contains(&customer))
            && self.agent_ids.as_ref().is_none_or(|ids| agent.is_none_or(|agent| ids.contains(&agent)))
    }

    /// The number of these commits that concern it and that it hasn't applied. 0 for one that never reports.
    #[must_use]
    pub fn behind(&self, commits: &[ServingCommit]) -> usize {
        let Some(applied) = self.applied else { return 0 };
        let concerns = |commit: &&ServingCommit| {
            commit.revision > applied && self.concerns(commit.customer_id, Some(commit.agent_id))
        };
        let revisions: std::collections::BTreeSet<Revision> =
            commits.iter().filter(concerns).map(|commit| commit.revision).collect();
        revisions.len()
    }

    /// Its place in lists.
    #[must_use]
    pub fn place(&self) -> GatewayPlace {
        GatewayPlace { name: self.name.clone(), id: self.id }
    }
}

/// The place of a gateway in lists, which are ordered by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GatewayPlace {
    name: String,
    id: GatewayId,
}

impl fmt::Display for GatewayPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.name)
    }
}

impl FromStr for GatewayPlace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (id, name) = text.split_once(' ').ok_or("not the place of a gateway")?;
        Ok(Self { name: name.to_owned(), id: id.parse().map_err(|_| "not the place of a gateway")? })
    }
}

/// Which gateways a list or a subscription has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct GatewayFilter {
    /// True: only those that are behind, or that refuse a version. False: only the others.
    pub is_behind: Option<bool>,
    /// Only those in these states.
    pub states: Option<Vec<GatewayState>>,
    /// Only those in this region.
    pub region: Option<String>,
}

impl GatewayFilter {
    /// Whether it admits this gateway. `commits` are the environment's newest.
    #[must_use]
    pub fn admits(&self, gateway: &Gateway, commits: &[ServingCommit]) -> bool {
        let Self { is_behind, states, region } = self;
        let is_late = || gateway.rejections > 0 || gateway.behind(commits) > 0;
        states.as_ref().is_none_or(|states| states.contains(&gateway.state))
            && region.as_ref().is_none_or(|region| gateway.region.as_ref() == Some(region))
            && is_behind.is_none_or(|wanted| wanted == is_late())
    }
}
