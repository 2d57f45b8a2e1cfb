//! Gateways in the GraphQL schema: what runs agents, and what it says that it serves.

mod convergence;
mod list;
mod report;

use std::sync::Arc;

use async_graphql::{Enum, ID, InputObject, Object};

pub use convergence::{Convergence, ConvergenceQuery};
pub use list::GatewayQuery;
pub use report::GatewayMutation;

use super::{
    actor::Actor,
    agent::Agent,
    error::to_graphql_error,
    scalar::{DateTime, Revision, to_id},
    version::AgentVersion,
};
use crate::{
    domain::{
        Error,
        gateway::{self, NamedRejection},
        policy::{self, Action},
    },
    graphql::engine::context::RequestView,
};

/// The most rejections that a field returns.
const REJECTIONS_MAX: i32 = 100;

/// A process that runs agents and says what it serves. For operators. Kept for an hour after its last report; never in the
/// audit log. Its own words are shown as they are, and decide nothing.
#[derive(Clone)]
pub struct Gateway {
    pub(in crate::graphql) row: Arc<gateway::Gateway>,
    pub(in crate::graphql) view: RequestView,
}

/// Whether a gateway reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "gateway::GatewayState")]
pub enum GatewayState {
    /// It reported within 90 seconds.
    Live,
    /// It reported before, but not for 90 seconds.
    Late,
    /// It is subscribed to `configs`, and never reports.
    Silent,
    /// It hasn't reported for an hour, or has ended its subscription without ever reporting.
    Gone,
}

/// The reason for which a gateway refused a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "gateway::RejectionCode")]
pub enum RejectionCode {
    /// It doesn't know the model.
    UnknownModel,
    /// It doesn't know a tool.
    UnknownTool,
    /// It can't use the schema of a tool.
    InvalidSchema,
    /// The configuration is too large for it.
    TooLarge,
    /// It failed for another reason, which `message` may tell.
    Internal,
}

/// Which of the gateways.
#[derive(Clone, Debug, Default, InputObject)]
pub struct GatewayFilter {
    /// True: only those with `behind` over 0 or with rejections. False: only the others.
    is_behind: Option<bool>,
    /// Only those in one of these states.
    states: Option<Vec<GatewayState>>,
    /// Only those that report exactly this region.
    region: Option<String>,
}

impl From<GatewayFilter> for gateway::GatewayFilter {
    fn from(filter: GatewayFilter) -> Self {
        let GatewayFilter { is_behind, states, region } = filter;
        let states = states.map(|states| states.into_iter().map(Into::into).collect());
        Self { is_behind, states, region }
    }
}

/// A process that runs agents and says what it serves. For operators. Kept for an hour after its last report; never in the
/// audit log. Its own words are shown as they are, and decide nothing.
#[Object]
impl Gateway {
    /// The gateway's UUID, for clients' caches; not for `node`. Another one after an hour without a report.
    async fn id(&self) -> ID {
        to_id(self.row.id)
    }

    /// The name that it chose, unique within its token and environment. For one that never reports, its token's name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// The service token or API key that it uses.
    async fn actor(&self) -> Actor {
        Actor::new(self.row.principal_kind, Some(self.row.principal_id), self.view.clone())
    }

    /// The key of the environment whose configurations it serves.
    async fn environment_key(&self) -> &str {
        self.row.environment_key.as_str()
    }

    /// The region in its own words, such as `eu-1`; null if it doesn't say.
    async fn region(&self) -> Option<&str> {
        self.row.region.as_deref()
    }

    /// The build that it runs, in its own words, such as a commit; null if it doesn't say.
    async fn build(&self) -> Option<&str> {
        self.row.build.as_deref()
    }

    /// `clientInfo.name` of its `connection_init`; null if it sent none, or reports by HTTP.
    async fn client_name(&self) -> Option<&str> {
        self.row.client_name.as_deref()
    }

    /// `clientInfo.version` of its `connection_init`; null if it sent none, or reports by HTTP.
    async fn client_version(&self) -> Option<&str> {
        self.row.client_version.as_deref()
    }

    /// The time of its first report. For one that never reports, the beginning of its subscription.
    async fn since(&self) -> DateTime {
        self.row.since.into()
    }

    /// The time of its latest report; null if it never reports.
    async fn last_report_at(&self) -> Option<DateTime> {
        self.row.last_report_at.map(Into::into)
    }

    /// Whether it reports, by the clock of the instance that answers.
    async fn state(&self) -> GatewayState {
        self.row.state.into()
    }

    /// The last revision that was sent to its subscription, at most about five seconds old. Null while it isn't subscribed,
    /// and if it doesn't report on the socket of its only subscription, since it isn't known which one is its own.
    async fn delivered_revision(&self) -> Option<Revision> {
        self.row.delivered
    }

    /// The last revision that it reported as applied; null if it never reports.
    async fn applied_revision(&self) -> Option<Revision> {
        self.row.applied
    }

    /// How many commits after `appliedRevision` changed what serves at its customers in its environment, as far as the newest
    /// 1,000 of each kind of activation go. 0 if it never reports.
    async fn behind(&self) -> async_graphql::Result<usize> {
        let key = self.row.environment_key.clone();
        let commits = self.view.loaders().serving_commits.load(key).await?;
        Ok(self.row.behind(commits.as_deref().map_or(&[], Vec::as_slice)))
    }

    /// The versions that it refuses now, newest first, at most 100.
    async fn rejections(
        &self,
        #[graphql(default = 20, desc = "The most that are returned: 1 to 100. Multiplies the query's cost.")]
        first: i32,
    ) -> async_graphql::Result<Vec<ServingRejection>> {
        let rows = match self.row.rejections {
            0 => None,
            _ => self.view.loaders().gateway_rejections.load(self.row.id).await?,
        };
        ServingRejection::all(rows.as_deref().map_or(&[], Vec::as_slice), first, &self.view)
    }
}

/// A version that a gateway refused: the gateway serves what it had before. It never counts as applied.
#[derive(Clone)]
pub struct ServingRejection {
    row: Arc<NamedRejection>,
    view: RequestView,
}

/// A version that a gateway refused: the gateway serves what it had before. It never counts as applied.
#[Object]
impl ServingRejection {
    /// The agent whose version it refused.
    async fn agent(&self) -> async_graphql::Result<Agent> {
        let agent = self.view.agent(self.row.agent_id).await?;
        agent.ok_or_else(|| to_graphql_error(&Error::NotFound("agent")))
    }

    /// The version that it refused.
    async fn version(&self) -> async_graphql::Result<AgentVersion> {
        let version = self.view.version(self.row.version_id).await?;
        version.ok_or_else(|| to_graphql_error(&Error::NotFound("version")))
    }

    /// The revision of the event that it refused.
    async fn revision(&self) -> Revision {
        self.row.revision
    }

    /// The reason, for programs.
    async fn code(&self) -> RejectionCode {
        self.row.code.into()
    }

    /// The gateway's own words, at most 500 characters; null if it has none.
    async fn message(&self) -> async_graphql::Result<Option<&str>> {
        let message = self.row.message.as_deref();
        message.map(|message| self.view.weigh_text(message)).transpose()?;
        Ok(message)
    }

    /// When the gateway first reported it.
    async fn reported_at(&self) -> DateTime {
        self.row.reported_at.into()
    }

    /// The name that the gateway chose. For operators; null for others.
    async fn gateway_name(&self) -> Option<&str> {
        let may_see = policy::allow(self.view.caller(), Action::ReadGateways).is_ok();
        may_see.then_some(self.row.gateway_name.as_str())
    }
}

impl ServingRejection {
    /// The first of these rejections.
    fn all(rows: &[NamedRejection], first: i32, view: &RequestView) -> async_graphql::Result<Vec<Self>> {
        if !(1..=REJECTIONS_MAX).contains(&first) {
            let message = format!("first must be 1–{REJECTIONS_MAX}, got {first}");
            return Err(to_graphql_error(&Error::invalid("first", message)));
        }
        let most = usize::try_from(first).unwrap_or(0);
        let rejection = |row: &NamedRejection| Self { row: Arc::new(row.clone()), view: view.clone() };
        Ok(rows.iter().take(most).map(rejection).collect())
    }
}
