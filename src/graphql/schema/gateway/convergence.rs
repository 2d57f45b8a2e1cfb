//! Convergence in the GraphQL schema: how many gateways have applied what serves.

use std::{sync::Arc, time::Duration};

use async_graphql::{Context, ID, Object};
use tokio::time::{Instant, sleep};

use super::ServingRejection;
use crate::{
    domain::{
        Error,
        environment::EnvironmentKey,
        gateway::{self, ConvergenceTarget, ConvergenceTimes, GatewayCounts},
        policy::Action,
    },
    graphql::{
        engine::context::{Request, RequestView, request},
        schema::{
            environment::key_argument,
            error::{Nullable, nullable_root, to_graphql_error},
            scalar::{DateTime, Revision, id},
        },
    },
    id::{AgentId, CustomerId},
};

/// The longest wait for a share of the gateways, in seconds.
const WAIT_SECONDS_MAX: i32 = 60;
/// The time between two counts of a wait.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many gateways have applied a commit: `applied` + `pending` + `rejected` + `silent` = `gateways`; LATE ones are among
/// the pending ones.
pub struct Convergence {
    pub(in crate::graphql) row: Arc<gateway::Convergence>,
    pub(in crate::graphql) view: RequestView,
}

/// How many gateways have applied a commit: `applied` + `pending` + `rejected` + `silent` = `gateways`; LATE ones are among
/// the pending ones.
#[Object]
impl Convergence {
    /// The commit that is counted.
    async fn revision(&self) -> Revision {
        self.row.target.revision
    }

    /// How many gateways may serve it: their token, and their subscription if it is known, reach its customer, its environment
    /// and its agent.
    async fn gateways(&self) -> usize {
        self.row.counts.all()
    }

    /// How many report at least this commit, and refuse nothing of it.
    async fn applied(&self) -> usize {
        self.row.counts.applied
    }

    /// How many haven't reported it yet, or haven't reported for 90 seconds.
    async fn pending(&self) -> usize {
        self.row.counts.pending
    }

    /// How many of the pending ones haven't reported for 90 seconds: state LATE.
    async fn late(&self) -> usize {
        self.row.counts.late
    }

    /// How many refuse the version that it activated.
    async fn rejected(&self) -> usize {
        self.row.counts.rejected
    }

    /// How many are subscribed and never report.
    async fn silent(&self) -> usize {
        self.row.counts.silent
    }

    /// Whether no gateway is pending or rejected; silent ones are not waited for.
    async fn is_complete(&self) -> bool {
        self.row.counts.is_complete()
    }

    /// After how many seconds half of the gateways had applied it, as they reported it. Null until then, and after about half
    /// an hour of other reports. Gateways that began with it don't count.
    async fn p50_seconds(&self) -> async_graphql::Result<Option<f64>> {
        Ok(self.times().await?.p50)
    }

    /// After how many seconds 90 % of the gateways had applied it; null as for `p50Seconds`.
    async fn p90_seconds(&self) -> async_graphql::Result<Option<f64>> {
        Ok(self.times().await?.p90)
    }

    /// After how many seconds all gateways had applied it; null as for `p50Seconds`.
    async fn all_seconds(&self) -> async_graphql::Result<Option<f64>> {
        Ok(self.times().await?.all)
    }

    /// The time since which reports are counted, for 90 seconds after earlier ones about this commit may have been lost because
    /// the database crashed. Null in the ordinary case.
    async fn recounting_since(&self) -> Option<DateTime> {
        self.row.recounting_since.map(Into::into)
    }

    /// The rejections, newest first.
    async fn rejections(
        &self,
        #[graphql(default = 20, desc = "The most that are returned: 1 to 100. Multiplies the query's cost.")]
        first: i32,
    ) -> async_graphql::Result<Vec<ServingRejection>> {
        ServingRejection::all(&self.row.rejections, first, &self.view)
    }
}

impl Convergence {
    async fn times(&self) -> async_graphql::Result<ConvergenceTimes> {
        let times = self.view.loaders().convergence_times.load(self.row.target.clone()).await?;
        Ok(times.map(|times| *times).unwrap_or_default())
    }
}

impl RequestView {
    /// How many gateways have applied this commit.
    pub(in crate::graphql) async fn convergence(
        &self,
        target: ConvergenceTarget,
    ) -> async_graphql::Result<Convergence> {
        self.allow_on(Action::ReadAgents, target.customer_id)?;
        self.count_gateways(target).await
    }

    /// As [`RequestView::convergence`], for a caller that may not read agents, but sees a plan.
    async fn count_gateways(&self, target: ConvergenceTarget) -> async_graphql::Result<Convergence> {
        let loaders = self.loaders();
        let place = (target.customer_id, target.environment_key.clone());
        let gateways = loaders.gateways.load(target.environment_key.clone()).await?;
        let rejections = loaders.serving_rejections.load(place).await?;
        let epoch = loaders.gateway_epochs.load(()).await?;
        let since =
            self.registry().recounting_since(self.reading(), &target, epoch.map(|epoch| *epoch)).await;
        let since = since.map_err(|err| to_graphql_error(&err))?;
        let gateways = gateways.as_deref().map_or(&[] as &[_], Vec::as_slice);
        let rejections = rejections.as_deref().map_or(&[] as &[_], Vec::as_slice);
        let row = Arc::new(gateway::Convergence::of(target, gateways, rejections, since));
        Ok(Convergence { row, view: self.clone() })
    }

    /// How many gateways have applied the last commit that changed what this customer serves in an environment; `None` before
    /// the first one.
    pub(in crate::graphql) async fn convergence_of_environment(
        &self,
        customer_id: CustomerId,
        environment_key: &EnvironmentKey,
    ) -> async_graphql::Result<Option<Convergence>> {
        let place = (customer_id, environment_key.clone());
        let Some(revision) = self.loaders().last_serving_commits.load(place).await? else {
            return Ok(None);
        };
        let target = ConvergenceTarget {
            customer_id,
            agent_id: None,
            environment_key: environment_key.clone(),
            revision: *revision,
        };
        self.convergence(target).await.map(Some)
    }

    /// How many gateways have applied what this agent serves; `None` when the reader sees no such agent, and when nothing ever
    /// served there.
    async fn convergence_of_agent(
        &self,
        place: (AgentId, &EnvironmentKey),
        revision: Option<Revision>,
    ) -> async_graphql::Result<Option<Convergence>> {
        let target = self.registry().convergence_target(self.reading(), place, revision).await;
        match target.map_err(|err| to_graphql_error(&err))? {
            Some(target) => self.convergence(target).await.map(Some),
            None => Ok(None),
        }
    }

    /// The gateways that may serve what this agent serves, by what they have done with this commit.
    pub(in crate::graphql) async fn gateway_counts(
        &self,
        target: ConvergenceTarget,
    ) -> async_graphql::Result<GatewayCounts> {
        Ok(self.count_gateways(target).await?.row.counts)
    }
}

/// The root field of `Query` that counts the gateways which have applied what an agent serves.
#[derive(Default)]
pub struct ConvergenceQuery;

#[Object]
impl ConvergenceQuery {
    /// How many gateways have applied an agent's latest activation, or `revision`. With `minShare` it waits until that share
    /// of the gateways that report have applied it, at most `waitSeconds`, and shows the moment of its end; without, that of
    /// the whole answer. Null if nothing ever served there, or you can't see the agent. Needs READ_AGENTS.
    async fn convergence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The UUID of the agent.")] agent_id: ID,
        #[graphql(desc = "The key of the environment; `production` if left out.")] environment: Option<
            String,
        >,
        #[graphql(desc = "The commit to count; the agent's latest activation there if left out.")]
        revision: Option<Revision>,
        #[graphql(
            desc = "Wait for this share, from 0 to 1, of the gateways that report. Without such a gateway the share is 0."
        )]
        min_share: Option<f64>,
        #[graphql(default = 30, desc = "How long to wait for `minShare`: 0 to 60.")] wait_seconds: i32,
    ) -> Nullable<Convergence> {
        nullable_root(async {
            let request = request(ctx)?;
            request.view().allow(Action::ReadAgents)?;
            let agent = id("agentId", &agent_id).map_err(|err| to_graphql_error(&err))?;
            let key = key_argument(environment.as_deref())?;
            let wait = check_wait(min_share, wait_seconds).map_err(|err| to_graphql_error(&err))?;
            match min_share {
                None => request.view().convergence_of_agent((agent, &key), revision).await,
                Some(share) => wait_for_share(request, (agent, &key), revision, (share, wait)).await,
            }
        })
        .await
    }
}

/// Checks how long to wait, and for what.
fn check_wait(min_share: Option<f64>, wait_seconds: i32) -> Result<Duration, Error> {
    if let Some(share) = min_share.filter(|share| !(0.0..=1.0).contains(share)) {
        return Err(Error::invalid("minShare", format!("minShare must be 0 to 1, got {share}")));
    }
    match u64::try_from(wait_seconds) {
        Ok(seconds) if wait_seconds <= WAIT_SECONDS_MAX => Ok(Duration::from_secs(seconds)),
        _ => {
            let message = format!("waitSeconds must be 0 to {WAIT_SECONDS_MAX}, got {wait_seconds}");
            Err(Error::invalid("waitSeconds", message))
        }
    }
}

/// Counts once a second, each time through a new view, until the share is reached or the time is over. Holds no snapshot and
/// no connection in between.
async fn wait_for_share(
    request: &Request,
    place: (AgentId, &EnvironmentKey),
    revision: Option<Revision>,
    (share, wait): (f64, Duration),
) -> async_graphql::Result<Option<Convergence>> {
    let until = Instant::now() + wait;
    request.extend_deadline(wait);
    loop {
        let found = request.fresh_view().convergence_of_agent(place, revision).await?;
        let has_share = |found: &Convergence| found.row.counts.share() >= share;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() || found.as_ref().is_none_or(has_share) {
            return Ok(found);
        }
        // The next count reads through a view of its own.
        drop(found);
        sleep(INTERVAL.min(left)).await;
    }
}
