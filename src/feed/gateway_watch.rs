//! Subscriptions to gateways and to convergence. They read the tables once a second, as every instance does, so that they
//! show what any instance would answer.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::{
    clock,
    domain::{
        Caller, Error, Reading, Registry, Result,
        environment::EnvironmentKey,
        gateway::{Convergence, Gateway, GatewayFilter, GatewayState},
        policy::{self, Action},
    },
    id::{AgentId, GatewayId, Revision},
};

/// The time between two reads.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is compared of a gateway.
type Shown = (GatewayState, Option<Revision>, i64, Option<clock::Instant>);

/// Sleeps from one read to the next.
#[derive(Debug, Default)]
struct Pace(Option<Instant>);

impl Pace {
    async fn wait(&mut self) {
        if let Some(last) = self.0 {
            sleep_until(last + INTERVAL).await;
        }
        self.0 = Some(Instant::now());
    }
}

/// A watch of the gateways of an environment.
#[derive(Debug)]
pub struct GatewayWatch {
    registry: Registry,
    caller: Arc<Caller>,
    environment: EnvironmentKey,
    filter: GatewayFilter,
    /// The gateways that the filter admitted at the last read; `None` before the first one.
    known: Option<HashMap<GatewayId, Gateway>>,
    ready: VecDeque<Arc<Gateway>>,
    pace: Pace,
}

impl GatewayWatch {
    /// Starts a watch. It returns what changes from now on.
    ///
    /// # Errors
    /// [`Error::Forbidden`] unless the caller is an operator or the system; [`Error::Unavailable`].
    pub async fn open(
        registry: &Registry,
        caller: Arc<Caller>,
        environment: EnvironmentKey,
        filter: GatewayFilter,
    ) -> Result<Self> {
        policy::allow(&caller, Action::ReadGateways)?;
        let (registry, ready) = (registry.clone(), VecDeque::new());
        let mut watch =
            Self { registry, caller, environment, filter, known: None, ready, pace: Pace::default() };
        watch.read().await?;
        Ok(watch)
    }

    /// Returns the next gateway that has changed.
    ///
    /// # Errors
    /// The watch is over after an error. [`Error::Unavailable`] when the database is.
    pub async fn next(&mut self) -> Result<Arc<Gateway>> {
        loop {
            if let Some(gateway) = self.ready.pop_front() {
                return Ok(gateway);
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<()> {
        self.pace.wait().await;
        let reading = self.registry.nested_reading(&self.caller);
        let key = std::slice::from_ref(&self.environment);
        let gateways = self.registry.gateways_of_each(&reading, key).await?.remove(&self.environment);
        let commits = match self.filter.is_behind {
            Some(_) => self.registry.newest_serving_commits(&reading, key).await?.remove(&self.environment),
            None => None,
        };
        let commits = commits.unwrap_or_default();
        let mut admitted = HashMap::new();
        let mut known = self.known.take();
        for gateway in gateways.unwrap_or_default() {
            let before = known.as_mut().and_then(|known| known.remove(&gateway.id));
            let is_admitted = self.filter.admits(&gateway, &commits);
            let has_changed = match (&before, &known) {
                (Some(before), _) => shown(before) != shown(&gateway),
                // New, and not of the first read.
                (None, Some(_)) => is_admitted,
                (None, None) => false,
            };
            if has_changed {
                self.ready.push_back(Arc::new(gateway.clone()));
            }
            if is_admitted {
                admitted.insert(gateway.id, gateway);
            }
        }
        // Gateways that aren't listed any more.
        let gone = known.into_iter().flatten().map(|(_, gateway)| gateway);
        let gone = gone.filter(|gateway| gateway.state != GatewayState::Gone);
        self.ready.extend(gone.map(|gateway| Arc::new(Gateway { state: GatewayState::Gone, ..gateway })));
        self.known = Some(admitted);
        Ok(())
    }
}

fn shown(gateway: &Gateway) -> Shown {
    (gateway.state, gateway.applied, gateway.rejections, gateway.rejected_at)
}

/// A watch of an agent's convergence.
#[derive(Debug)]
pub struct ConvergenceWatch {
    registry: Registry,
    caller: Arc<Caller>,
    agent_id: AgentId,
    environment: EnvironmentKey,
    last: Option<Arc<Convergence>>,
    pace: Pace,
}

impl ConvergenceWatch {
    /// Starts a watch. Its first event is the convergence now, or the first one once something serves.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an agent that the caller may not see, and for an environment that its customer doesn't have;
    /// [`Error::Forbidden`]; [`Error::Unavailable`].
    pub async fn open(
        registry: &Registry,
        caller: Arc<Caller>,
        agent_id: AgentId,
        environment: EnvironmentKey,
    ) -> Result<Self> {
        policy::allow(&caller, Action::ReadAgents)?;
        let reading = registry.nested_reading(&caller);
        let agent = registry.agents_by_ids(&reading, &[agent_id]).await?.pop();
        let agent = agent.ok_or(Error::NotFound("agent"))?;
        registry.check_environment_exists(&reading, Some(agent.customer_id), &environment).await?;
        let (registry, pace) = (registry.clone(), Pace::default());
        Ok(Self { registry, caller, agent_id, environment, last: None, pace })
    }

    /// Returns the convergence when it has changed.
    ///
    /// # Errors
    /// As [`GatewayWatch::next`].
    pub async fn next(&mut self) -> Result<Arc<Convergence>> {
        loop {
            self.pace.wait().await;
            let reading = self.registry.nested_reading(&self.caller);
            let now = self.read(&reading).await?.map(Arc::new);
            if let Some(now) = now.filter(|now| self.last.as_ref() != Some(now)) {
                self.last = Some(Arc::clone(&now));
                return Ok(now);
            }
        }
    }

    async fn read(&self, reading: &Reading) -> Result<Option<Convergence>> {
        let place = (self.agent_id, &self.environment);
        match self.registry.convergence_target(reading, place, None).await? {
            Some(target) => self.registry.convergence(reading, target).await.map(Some),
            None => Ok(None),
        }
    }
}
