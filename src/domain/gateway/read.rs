//! Reads gateways, and how far they have applied what serves. All of it comes from the tables, never from this instance's
//! memory, so that each instance answers the same.

use std::collections::HashMap;

use super::{
    Convergence, ConvergenceTimes, GONE_AFTER, Gateway, INSTANCE_LIFE, LATE_AFTER, NamedRejection,
    ServingCommit, roll,
};
use crate::{
    clock::Instant,
    domain::{
        Reading, Registry, Result,
        activation_plan::ActivationPlan,
        grouped, permitted,
        policy::{self, Action},
    },
    entity::{agent, gateway, gateway_watch, serving, serving_commit, serving_rejection},
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId, GatewayId, Revision},
};

/// A commit that gateways apply.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConvergenceTarget {
    /// The customer whose agents it changed.
    pub customer_id: CustomerId,
    /// The only agent that is looked at; `None` for all of the customer's.
    pub agent_id: Option<AgentId>,
    /// The environment.
    pub environment_key: EnvironmentKey,
    /// The commit.
    pub revision: Revision,
}

impl ConvergenceTarget {
    /// What serves before the activation that a plan is about.
    #[must_use]
    pub fn of_plan(plan: &ActivationPlan) -> Self {
        let ActivationPlan { agent_id, customer_id, environment, serving_revision, .. } = plan;
        Self {
            customer_id: *customer_id,
            agent_id: Some(*agent_id),
            environment_key: environment.key.clone(),
            revision: *serving_revision,
        }
    }
}

/// The time since which no report was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(pub Instant);

/// A customer's environment.
type Place = (CustomerId, EnvironmentKey);

impl Registry {
    /// The gateways in each of these environments that may serve a customer of the reader, by name. For counting: the caller
    /// checks `ReadGateways` before it shows one, and `ReadAgents` before it shows numbers. A plan has some of these, also for
    /// an API key that activates.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden) for a credential without any scope.
    pub async fn gateways_of_each(
        &self,
        reading: &Reading,
        environments: &[EnvironmentKey],
    ) -> Result<HashMap<EnvironmentKey, Vec<Gateway>>> {
        let tenants = reading.tenant_filter(Action::ReadServing)?;
        let (reach, now) = (reading.view.environment_filter(), self.clock().now());
        let rows = reading.view.all(gateway::in_environments(&tenants, &reach, environments)).await?;
        let alive = now - INSTANCE_LIFE;
        let watches = gateway_watch::in_environments(&tenants, &reach, environments, alive);
        let watches = reading.view.all(watches).await?;
        Ok(grouped(roll::gateways(rows, watches, now), |gateway| gateway.environment_key.clone()))
    }

    /// The rejections of what each of these customers serves now in an environment, newest first.
    ///
    /// # Errors
    /// As [`Registry::gateways_of_each`].
    pub async fn serving_rejections_of_each(
        &self,
        reading: &Reading,
        places: &[Place],
    ) -> Result<HashMap<Place, Vec<NamedRejection>>> {
        let customers: Vec<CustomerId> = places.iter().map(|(customer, _)| *customer).collect();
        let customers = permitted(reading, Action::ReadServing, &customers)?;
        let keys: Vec<EnvironmentKey> = places.iter().map(|(_, key)| key.clone()).collect();
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        let rows = serving_rejection::of_servings(&tenants, &reach, &customers, &keys);
        let rows = reading.view.all(rows).await?;
        Ok(grouped(rows, |row| (row.customer_id, row.environment_key.clone())))
    }

    /// The rejections of each of these gateways, newest first.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden) unless the reader is an operator or the system.
    pub async fn rejections_of_gateways(
        &self,
        reading: &Reading,
        gateways: &[GatewayId],
    ) -> Result<HashMap<GatewayId, Vec<NamedRejection>>> {
        policy::allow(&reading.caller, Action::ReadGateways)?;
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        let rows = reading.view.all(serving_rejection::of_gateways(&tenants, &reach, gateways)).await?;
        Ok(grouped(rows, |row| row.gateway_id))
    }

    /// The newest commits that changed what serves in each of these environments, of all customers.
    ///
    /// # Errors
    /// As [`Registry::rejections_of_gateways`].
    pub async fn newest_serving_commits(
        &self,
        reading: &Reading,
        environments: &[EnvironmentKey],
    ) -> Result<HashMap<EnvironmentKey, Vec<ServingCommit>>> {
        policy::allow(&reading.caller, Action::ReadGateways)?;
        let (tenants, reach) = (reading.view.tenant_filter(), reading.view.environment_filter());
        let rows = reading.view.all(serving_commit::newest(&tenants, &reach, environments)).await?;
        Ok(grouped(rows, |row| row.environment_key.clone()))
    }

    /// The last commit that changed what each of these customers serves in an environment.
    ///
    /// # Errors
    /// [`Error::Forbidden`](crate::domain::Error::Forbidden) for a service token, and for an API key without `agents:read`.
    pub async fn last_serving_commits(
        &self,
        reading: &Reading,
        places: &[Place],
    ) -> Result<HashMap<Place, Revision>> {
        let tenants = reading.tenant_filter(Action::ReadAgents)?;
        let reach = reading.view.environment_filter();
        let rows = reading.view.all(serving_commit::last(&tenants, &reach, places)).await?;
        Ok(rows.into_iter().map(|row| ((row.customer_id, row.environment_key), row.revision)).collect())
    }

    /// The time since which no report was lost; `None` when none was ever stored. The key is the only one.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::domain::Error::Unavailable) when the database is.
    pub async fn gateway_epochs(&self, reading: &Reading, keys: &[()]) -> Result<HashMap<(), Epoch>> {
        let row = reading.view.one(gateway::epoch()).await?;
        Ok(row.into_iter().flat_map(|row| keys.iter().map(move |()| ((), Epoch(row.begun_at)))).collect())
    }

    /// The time since which reports are counted, for 90 seconds after those about this commit may have been lost.
    ///
    /// # Errors
    /// As [`Registry::gateways_of_each`].
    pub async fn recounting_since(
        &self,
        reading: &Reading,
        target: &ConvergenceTarget,
        epoch: Option<Epoch>,
    ) -> Result<Option<Instant>> {
        let Some(Epoch(begun_at)) = epoch.filter(|Epoch(at)| self.clock().now() - *at < LATE_AFTER) else {
            return Ok(None);
        };
        // A pruned entry is old.
        let at = self.commit_time(reading, target).await?;
        Ok(at.is_none_or(|at| at < begun_at).then_some(begun_at))
    }

    /// When the target was committed; `None` when it isn't a commit of its customer, or the log has been pruned.
    async fn commit_time(&self, reading: &Reading, target: &ConvergenceTarget) -> Result<Option<Instant>> {
        let tenants = reading.tenant_filter(Action::ReadServing)?;
        let time = serving_commit::time(&tenants, target.customer_id, target.revision);
        Ok(reading.view.one(time).await?.map(|time| time.at))
    }

    /// The commit that gateways apply to serve what this agent serves in this environment: the last one, or `revision`.
    /// `None` when the reader sees no such agent, and when nothing ever served there.
    ///
    /// # Errors
    /// As [`Registry::last_serving_commits`].
    pub async fn convergence_target(
        &self,
        reading: &Reading,
        (agent_id, environment): (AgentId, &EnvironmentKey),
        revision: Option<Revision>,
    ) -> Result<Option<ConvergenceTarget>> {
        let tenants = reading.tenant_filter(Action::ReadAgents)?;
        let Some(agent) = reading.view.one(agent::by_ids(&tenants, &[agent_id])).await? else {
            return Ok(None);
        };
        let reach = reading.view.environment_filter();
        let rows = reading.view.all(serving::of_agents(&tenants, &reach, &[agent_id])).await?;
        let served = rows.into_iter().find(|row| row.environment_key == *environment);
        let last = served.map(|row| row.config_revision).filter(|last| *last > Revision::ZERO);
        Ok(last.map(|last| ConvergenceTarget {
            customer_id: agent.customer_id,
            agent_id: Some(agent_id),
            environment_key: environment.clone(),
            revision: revision.unwrap_or(last),
        }))
    }

    /// How many gateways have applied a commit.
    ///
    /// # Errors
    /// As [`Registry::gateways_of_each`].
    pub async fn convergence(&self, reading: &Reading, target: ConvergenceTarget) -> Result<Convergence> {
        let place = (target.customer_id, target.environment_key.clone());
        let gateways = self.gateways_of_each(reading, std::slice::from_ref(&place.1)).await?.remove(&place.1);
        let rejections = self.serving_rejections_of_each(reading, std::slice::from_ref(&place)).await?;
        let rejections = rejections.get(&place).cloned().unwrap_or_default();
        let epoch = self.gateway_epochs(reading, &[()]).await?.remove(&());
        let since = self.recounting_since(reading, &target, epoch).await?;
        Ok(Convergence::of(target, &gateways.unwrap_or_default(), &rejections, since))
    }

    /// After how many seconds the gateways have applied each of these commits: of the gateways that had reported before it,
    /// and of those that came later and didn't begin with it.
    ///
    /// # Errors
    /// As [`Registry::gateways_of_each`].
    pub async fn convergence_times(
        &self,
        reading: &Reading,
        targets: &[ConvergenceTarget],
    ) -> Result<HashMap<ConvergenceTarget, ConvergenceTimes>> {
        let mut found = HashMap::new();
        for target in targets {
            found.insert(target.clone(), self.times_of(reading, target).await?);
        }
        Ok(found)
    }

    async fn times_of(&self, reading: &Reading, target: &ConvergenceTarget) -> Result<ConvergenceTimes> {
        let Some(begun) = self.commit_time(reading, target).await? else {
            return Ok(ConvergenceTimes::default());
        };
        let tenants = reading.tenant_filter(Action::ReadAgents)?;
        let place = (&target.environment_key, target.revision);
        let times = gateway::applied_times(&tenants, &reading.view.environment_filter(), place);
        let times: HashMap<GatewayId, _> =
            reading.view.all(times).await?.into_iter().map(|row| (row.id, row)).collect();
        let convergence = self.convergence(reading, target.clone()).await?;
        let gateways = self.gateways_of_each(reading, std::slice::from_ref(place.0)).await?.remove(place.0);
        let (mut seconds, mut newcomers, now) = (Vec::new(), 0, self.clock().now());
        for gateway in gateways.unwrap_or_default() {
            let is_late = gateway.last_report_at.is_none_or(|at| now - at >= LATE_AFTER);
            let refuses = convergence.rejections.iter().any(|rejection| rejection.gateway_id == gateway.id);
            let Some(time) = times.get(&gateway.id) else { continue };
            if is_late || refuses || !gateway.concerns(target.customer_id, target.agent_id) {
                continue;
            }
            match time.applied_at {
                Some(at) if at == time.since && at > begun => newcomers += 1,
                Some(at) => seconds.push(elapsed(begun, at)),
                // It was too long ago to be known.
                None => return Ok(ConvergenceTimes::default()),
            }
        }
        let counts = convergence.counts;
        Ok(ConvergenceTimes::of(seconds, (counts.all() - counts.silent).saturating_sub(newcomers)))
    }

    /// Deletes the gateways that haven't reported for an hour.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::domain::Error::Unavailable) when the database is.
    pub async fn forget_gateways(&self) -> Result<()> {
        let gone = self.clock().now() - GONE_AFTER;
        self.run_unlogged(async move |txn| Ok(txn.delete(gateway::forget(gone)).await?)).await.map(drop)
    }
}

/// The seconds from one time to another; 0 when it is earlier.
fn elapsed(from: Instant, to: Instant) -> f64 {
    (to - from).to_std().map_or(0.0, |elapsed| elapsed.as_secs_f64())
}
