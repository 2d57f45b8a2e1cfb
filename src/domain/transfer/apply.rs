//! How checked lines are applied to a customer's agents, within one transaction.

use std::{collections::HashMap, mem};

use super::{
    super::{
        Error, Registry, Result,
        activation::{self, Reason},
        activation_plan::{Clearance, PlannedVersion},
        agent::{self, Agent},
        customer,
        diff::ComparedContent,
        environment::{Environment, EnvironmentKey},
        limit::{self, LimitedResource, QuotaKind},
        plan::PlanConfirmation,
        policy::Action,
        right::{GrantedTxn, OpenTxn},
        serving::{LockedServing, Serving},
        version,
    },
    checked::CheckedLine,
    compare::compare_versions,
    line::{CheckedLineVersion, invalid},
};
use crate::{
    clock::Clock,
    entity::{self, TenantFilter, agent_version, publication::Publication},
    id::{AgentId, CustomerId, EnvironmentId, VersionId},
};

/// The size of the contents from which they are written, in bytes of text. One statement has about as many.
const WRITE_BYTES: u64 = 4 * 1024 * 1024;

/// The result of one line.
#[derive(Debug)]
pub(super) struct AppliedLine {
    /// The agent's id.
    pub(super) id: AgentId,
    /// Whether the agent was created.
    pub(super) created: bool,
    /// How many versions were added.
    pub(super) versions: u64,
    /// Whether anything was changed.
    pub(super) changed: bool,
    /// What differs from the line and stays, for people.
    pub(super) notes: Vec<String>,
}

/// How lines are applied.
#[derive(Clone, Debug)]
pub(super) struct ApplyOptions {
    pub(super) customer_id: CustomerId,
    /// The environment that a line's `active` is about.
    pub(super) environment: EnvironmentKey,
    /// Whether to activate the last version of each new agent whose line doesn't say which version is active.
    pub(super) activate: bool,
    /// Whether published versions that differ from their line in anything are refused.
    pub(super) exact: bool,
    /// How many agents a rehearsal has created before, in transactions that were rolled back.
    pub(super) rehearsed: usize,
}

/// Applies the lines to the agents of one customer: all of them or none. Returns the result of each line. Records
/// nothing for agents that are already as their line says.
pub(super) async fn apply(
    lines: &[CheckedLine],
    txn: OpenTxn,
    registry: &Registry,
    options: ApplyOptions,
) -> Result<Vec<AppliedLine>> {
    let clock = registry.clock();
    let ApplyOptions { customer_id, environment, activate, exact, rehearsed } = options;
    // The customer is locked before any agent, so that nobody adds an agent meanwhile, and two imports don't deadlock
    // on each other's agents.
    let (txn, customer) = txn.customer(Action::ImportAgents, customer_id, "customer").await?;
    let txn = &txn;
    let mut known = KnownAgents::lock(txn, customer_id, lines).await?;
    let mut agents = Vec::with_capacity(lines.len());
    for line in lines {
        agents.push(match known.take(line) {
            Some(agent) => (agent, false),
            None => {
                let (name, description) = (line.normal_name()?, line.description.clone().flatten());
                let agent = agent::new_agent(clock, customer_id, name, description);
                (Agent { source_id: line.id, ..agent }, true)
            }
        });
    }
    let new: Vec<_> = agents
        .iter()
        .filter(|(_, created)| *created)
        .map(|(agent, _)| entity::agent::ActiveModel::from(agent.clone()))
        .collect();
    let more = if new.is_empty() { 0 } else { new.len() + rehearsed };
    limit::check_quota(txn, &customer, QuotaKind::Agents, more, clock.now()).await?;
    txn.insert_all(new).await?;
    let ids: Vec<AgentId> = agents.iter().map(|(agent, _)| agent.id).collect();
    let places = KnownPlaces::read(txn, customer_id, environment, lines, &ids, exact).await?;
    let (rows, bytes) = (Publication::default(), 0);
    let mut writer =
        Writer { txn, registry, clock, plan: customer.plan, activate, exact, places, rows, bytes };
    let mut outcomes = Vec::with_capacity(lines.len());
    for (line, (agent, created)) in lines.iter().zip(agents) {
        outcomes.push(writer.apply(line, agent, created).await?);
    }
    writer.flush().await?;
    Ok(outcomes)
}

/// The locked agents that lines may mean: by id, or else by name.
struct KnownAgents {
    agents: HashMap<AgentId, Agent>,
    by_source: HashMap<AgentId, AgentId>,
    by_name: HashMap<String, AgentId>,
}

impl KnownAgents {
    async fn lock(txn: &GrantedTxn, customer_id: CustomerId, lines: &[CheckedLine]) -> Result<Self> {
        let names = |line: &CheckedLine| [Some(line.name.clone()), line.normal_name().ok()];
        let names: Vec<String> = lines.iter().flat_map(names).flatten().collect();
        let ids: Vec<AgentId> = lines.iter().filter_map(|line| line.id).collect();
        let found = txn.all(entity::agent::locked_by_name_or_id(customer_id, &names, &ids)).await?;
        let mut known = Self { agents: HashMap::new(), by_source: HashMap::new(), by_name: HashMap::new() };
        for agent in found {
            known.by_name.insert(agent.name.clone(), agent.id);
            known.by_source.extend(agent.source_id.map(|source| (source, agent.id)));
            known.agents.insert(agent.id, agent);
        }
        Ok(known)
    }

    /// Takes the agent of this line, so that no other line gets it.
    fn take(&mut self, line: &CheckedLine) -> Option<Agent> {
        let by_id = line.id.and_then(|id| {
            let source = self.by_source.get(&id).copied();
            self.agents.remove(&id).or_else(|| self.agents.remove(&source?))
        });
        // An agent keeps a name from before today's rules.
        by_id
            .or_else(|| self.agents.remove(self.by_name.get(&line.name)?))
            .or_else(|| self.agents.remove(self.by_name.get(&line.normal_name().ok()?)?))
    }
}

/// The environments of the customer, and what its agents serve there. Nothing changes it meanwhile, since the customer is
/// locked against all who activate.
struct KnownPlaces {
    /// The environment that a line's `active` is about.
    environment: EnvironmentKey,
    /// The environments that aren't archived.
    environments: Vec<Environment>,
    servings: HashMap<(AgentId, EnvironmentId), Serving>,
}

impl KnownPlaces {
    async fn read(
        txn: &GrantedTxn,
        customer_id: CustomerId,
        environment: EnvironmentKey,
        lines: &[CheckedLine],
        agents: &[AgentId],
        exact: bool,
    ) -> Result<Self> {
        let mut environments =
            txn.all(entity::environment::of_customers(&[customer_id], txn.environment_filter())).await?;
        environments.retain(|environment| environment.archived_at.is_none());
        let is_elsewhere = !environment.is_default()
            || lines.iter().any(|line| !line.active_in.is_empty())
            || (exact && environments.len() > 1);
        let rows = if is_elsewhere {
            let tenants = TenantFilter::Only(vec![customer_id]);
            txn.all(entity::serving::of_agents(&tenants, txn.environment_filter(), agents)).await?
        } else {
            Vec::new()
        };
        let servings = rows.into_iter().map(|row| ((row.agent_id, row.environment_id), row)).collect();
        Ok(Self { environment, environments, servings })
    }

    /// What an agent serves in the environment with this key.
    fn of(&self, agent: &Agent, key: &EnvironmentKey) -> Result<LockedServing> {
        let environment = self.environments.iter().find(|environment| environment.key == *key);
        let environment = environment.ok_or_else(|| {
            invalid(format!("the customer has no environment `{key}`; create it, or restore it, first"))
        })?;
        let row = self.servings.get(&(agent.id, environment.id)).cloned();
        Ok(LockedServing::of(agent.clone(), environment.clone(), row))
    }

    /// The environments that no member of this line is about.
    fn others(&self, line: &CheckedLine) -> Vec<EnvironmentKey> {
        let is_named = |key: &EnvironmentKey| *key == self.environment || line.active_in.contains_key(key);
        self.environments
            .iter()
            .map(|environment| environment.key.clone())
            .filter(|key| !is_named(key))
            .collect()
    }
}

/// Collects the rows to write, and writes them in batches.
struct Writer<'a> {
    txn: &'a GrantedTxn,
    registry: &'a Registry,
    clock: &'a Clock,
    plan: customer::Plan,
    activate: bool,
    exact: bool,
    places: KnownPlaces,
    rows: Publication,
    /// The size of the collected contents.
    bytes: u64,
}

impl Writer<'_> {
    /// Applies a line to a locked agent.
    async fn apply(&mut self, line: &CheckedLine, agent: Agent, created: bool) -> Result<AppliedLine> {
        let (txn, clock, before) = (self.txn, self.clock, self.txn.recorded());
        if created {
            txn.record(agent::creation_entry(&agent));
        }
        let mut notes = Vec::new();
        let mut agent = self.set_fields(line, agent, &mut notes).await?;
        let known = compare_versions(txn, &agent, line, self.exact, &mut notes).await?;
        if line.versions.len() > known {
            if agent.archived_at.is_some() && line.archived != Some(true) {
                return Err(Error::Archived);
            }
            let count = i64::try_from(line.versions.len()).unwrap_or(i64::MAX);
            LimitedResource::Versions.check(self.plan, count)?;
        }
        let was = agent.clone();
        let ids = self.add_versions(line, known, &mut agent).await?;
        self.set_active(line, &mut agent, created, &ids).await?;
        let id = agent.id;
        if agent != was {
            self.rows.agents.push(agent.clone());
        }
        if line.archived == Some(true) && agent.archived_at.is_none() {
            self.flush().await?;
            agent::archive_locked(txn, clock, agent).await?;
        }
        let versions = u64::try_from(line.versions.len() - known).unwrap_or(u64::MAX);
        Ok(AppliedLine { id, created, versions, changed: txn.recorded() > before, notes })
    }

    /// Restores the agent, and sets its name and description, if the line says so.
    async fn set_fields(
        &self,
        line: &CheckedLine,
        mut agent: Agent,
        notes: &mut Vec<String>,
    ) -> Result<Agent> {
        let (txn, clock) = (self.txn, self.clock);
        if line.archived == Some(false) && agent.archived_at.is_some() {
            agent = agent::restore_locked(txn, clock, agent).await?;
        }
        let description = line.description.clone().unwrap_or_else(|| agent.description.clone());
        let name = if line.name == agent.name { line.name.clone() } else { line.normal_name()? };
        let after = Agent { name, description, ..agent.clone() };
        if after.name != agent.name {
            notes.push(format!("renamed from {:?}", agent.name));
        }
        if after == agent { Ok(agent) } else { agent::update_locked(txn, clock, agent, after).await }
    }

    /// Adds the line's versions from this index on. Returns their ids by number.
    async fn add_versions(
        &mut self,
        line: &CheckedLine,
        known: usize,
        agent: &mut Agent,
    ) -> Result<HashMap<i32, VersionId>> {
        let (mut next, mut ids) = (known, HashMap::new());
        while next < line.versions.len() {
            let versions = line.read_versions(next, self.clock.now()).await?;
            let records = line.versions.get(next..).unwrap_or_default();
            next += versions.len();
            for (version, record) in versions.into_iter().zip(records) {
                let CheckedLineVersion { content, message, published_at } = version;
                let created_at = published_at.unwrap_or_else(|| self.clock.now());
                self.bytes += record.bytes();
                let message = message.flatten();
                let new = version::CheckedVersion { content, message, created_at };
                let version = version::append_version(self.txn, self.clock, agent, new);
                ids.insert(version.number, version.id);
                self.rows.versions.push(version);
                if self.rows.is_full() || self.bytes >= WRITE_BYTES {
                    self.rows.agents.push(agent.clone());
                    self.flush().await?;
                }
            }
        }
        Ok(ids)
    }

    /// Activates the versions that the line names, or none, in each environment that it names. Changes nothing where that
    /// is so already.
    async fn set_active(
        &mut self,
        line: &CheckedLine,
        agent: &mut Agent,
        created: bool,
        ids: &HashMap<i32, VersionId>,
    ) -> Result<()> {
        let last = Some(agent.latest_number)
            .filter(|last| self.activate && created && line.archived != Some(true) && *last > 0);
        let here = line.active.or(last.map(Some)).map(|wanted| (self.places.environment.clone(), wanted));
        let elsewhere = line.active_in.iter().map(|(key, wanted)| (key.clone(), *wanted));
        let mut wanted: Vec<(EnvironmentKey, Option<i32>)> = here.into_iter().chain(elsewhere).collect();
        if self.exact {
            wanted.extend(self.places.others(line).into_iter().map(|key| (key, None)));
        }
        for (key, number) in wanted {
            let mut place = self.places.of(agent, &key)?;
            let version = match number {
                Some(number) => match ids.get(&number) {
                    Some(id) => Some(*id),
                    None => Some(known_version(self.txn, agent, number).await?),
                },
                None => None,
            };
            if place.active_version_id == version {
                continue;
            }
            if agent.archived_at.is_some() {
                return Err(Error::Archived);
            }
            let reason = if version.is_some() { Reason::Activate } else { Reason::Deactivate };
            let (txn, clock) = (self.txn, self.clock);
            let clearance = self.clear(&place, version).await?;
            let activation =
                activation::record_activation(txn, clock, &mut place, version, reason, clearance);
            self.rows.activations.push(activation);
            if !place.environment.is_default {
                place.put(&mut self.rows);
            }
            *agent = place.agent;
        }
        Ok(())
    }

    /// Checks the activation of a version, or the deactivation. A file confirms nothing.
    async fn clear(&self, place: &LockedServing, version: Option<VersionId>) -> Result<Clearance> {
        let Some(id) = version else { return Clearance::of_role(self.txn, place) };
        let unwritten = self.rows.versions.iter().find(|version| version.id == id);
        let next = match unwritten {
            Some(version) => PlannedVersion::New(ComparedContent::of_version(version.clone())),
            None => id.into(),
        };
        self.registry.clear(self.txn, place, next, &PlanConfirmation::default()).await
    }

    /// Writes the rows that have been collected.
    async fn flush(&mut self) -> Result<()> {
        self.bytes = 0;
        Ok(self.txn.publish(mem::take(&mut self.rows)).await?)
    }
}

/// The id of the agent's version with this number.
async fn known_version(txn: &GrantedTxn, agent: &Agent, number: i32) -> Result<VersionId> {
    let found = txn.one(agent_version::summaries_by_numbers(&[(agent.id, number)])).await?;
    Ok(found.ok_or(Error::NotFound("version of this agent"))?.id)
}
