//! Checked lines of an import, and how they are applied within one transaction.

use std::{collections::HashMap, mem};

use super::{
    super::{
        Error, InputErrors, Result,
        activation::{self, Reason},
        agent::{self, Agent},
        customer,
        limit::{self, LimitedResource, QuotaKind},
        policy::Action,
        right::{GrantedTxn, OpenTxn},
        text, version,
    },
    line::{CheckedLineVersion, Line},
};
use crate::{
    clock::{Clock, Instant},
    entity::{self, agent_version, publication::Publication},
    id::{CustomerId, VersionId},
};

/// The result of one line.
pub(super) struct AppliedLine {
    /// Whether the agent was created.
    pub(super) created: bool,
    /// How many versions were added.
    pub(super) versions: u64,
    /// Whether anything was changed.
    pub(super) changed: bool,
}

/// A checked line.
pub(super) struct CheckedLine {
    name: String,
    description: Option<String>,
    archived: Option<bool>,
    active: Option<i32>,
    versions: Vec<CheckedLineVersion>,
}

impl CheckedLine {
    /// Checks all limits, before anything is written.
    pub(super) fn of(line: Line, model: &str, now: Instant) -> Result<Self> {
        let Line { agent, description, archived, active, versions } = line;
        let mut errors = InputErrors::default();
        errors.note(text::check_name("agent", &agent));
        errors.note(agent::check_purpose(description.as_deref()));
        errors.into_result()?;
        let count = i32::try_from(versions.len()).map_err(|_| invalid("the line has too many versions"))?;
        if active.is_some_and(|active| !(1..=count).contains(&active)) {
            return Err(invalid(format!(
                "active must be 1 to {count}, the number of one of the line's versions"
            )));
        }
        if active.is_some() && archived == Some(true) {
            return Err(invalid(
                "an archived agent can't have an active version; leave out archived or active",
            ));
        }
        let mut checked = Vec::with_capacity(versions.len());
        for (version, number) in versions.into_iter().zip(1..) {
            checked.push(version.check(model, now).map_err(|err| at_version(number, err))?);
        }
        Ok(Self { name: agent, description, archived, active, versions: checked })
    }

    /// The agent's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The name that a new agent gets: without white space at its ends, in Unicode's normal form C.
    fn normal_name(&self) -> Result<String> {
        text::normal_name("agent", self.name.trim())
    }

    /// How many versions the line has.
    pub(super) fn versions(&self) -> usize {
        self.versions.len()
    }
}

/// Applies the lines to the agents of one customer: all of them or none. Returns the result of each line. Records
/// nothing for agents that are already as their line says.
pub(super) async fn apply(
    plans: &[CheckedLine],
    txn: OpenTxn,
    clock: &Clock,
    customer_id: CustomerId,
    activate: bool,
) -> Result<Vec<AppliedLine>> {
    let names: Vec<String> =
        plans.iter().flat_map(|plan| [Some(plan.name.clone()), plan.normal_name().ok()]).flatten().collect();
    // The customer is locked before any agent, so that nobody adds an agent meanwhile, and two imports don't deadlock
    // on each other's agents.
    let (txn, customer) = txn.customer(Action::WriteAgents, customer_id, "customer").await?;
    for action in [Action::PublishVersions, Action::ActivateVersions] {
        txn.require(action, customer_id, "customer")?;
    }
    let txn = &txn;
    let known = txn.all(entity::agent::locked_by_name(customer_id, &names)).await?;
    let mut known: HashMap<String, Agent> =
        known.into_iter().map(|agent| (agent.name.clone(), agent)).collect();
    let mut agents: Vec<(Agent, bool)> = Vec::with_capacity(plans.len());
    for plan in plans {
        // An agent keeps a name from before today's rules; a new one gets the name in its normal form.
        let found = known.remove(&plan.name).or_else(|| known.remove(&plan.normal_name().ok()?));
        agents.push(match found {
            Some(agent) => (agent, false),
            None => {
                let (name, description) = (plan.normal_name()?, plan.description.clone());
                (agent::new_agent(clock, customer_id, name, description), true)
            }
        });
    }
    let new: Vec<_> = agents
        .iter()
        .filter(|(_, created)| *created)
        .map(|(agent, _)| entity::agent::ActiveModel::from(agent.clone()))
        .collect();
    limit::check_quota(txn, &customer, QuotaKind::Agents, new.len(), clock.now()).await?;
    txn.insert_all(new).await?;
    let mut writer = Writer { txn, clock, plan: customer.plan, activate, rows: Publication::default() };
    let mut outcomes = Vec::with_capacity(plans.len());
    for (plan, (agent, created)) in plans.iter().zip(agents) {
        outcomes.push(writer.apply(plan, agent, created).await?);
    }
    writer.flush().await?;
    Ok(outcomes)
}

/// Collects the rows to write, and writes them in batches.
struct Writer<'a> {
    txn: &'a GrantedTxn,
    clock: &'a Clock,
    plan: customer::Plan,
    activate: bool,
    rows: Publication,
}

impl Writer<'_> {
    /// Applies a line to a locked agent.
    async fn apply(&mut self, plan: &CheckedLine, mut agent: Agent, created: bool) -> Result<AppliedLine> {
        let (txn, clock, before) = (self.txn, self.clock, self.txn.recorded());
        let CheckedLine { name: _, description, archived, active, versions } = plan;
        if created {
            txn.record(agent::creation_entry(&agent));
        }
        if *archived == Some(false) && agent.archived_at.is_some() {
            agent = agent::restore_locked(txn, clock, agent).await?;
        }
        if description.is_some() && agent.description != *description {
            let after = Agent { description: description.clone(), ..agent.clone() };
            agent = agent::update_locked(txn, clock, agent, after).await?;
        }
        let known = count_known_versions(txn, &agent, versions).await?;
        if versions.len() > known {
            if agent.archived_at.is_some() {
                return Err(Error::Archived);
            }
            let count = i64::try_from(versions.len()).unwrap_or(i64::MAX);
            LimitedResource::Versions.check(self.plan, count)?;
        }
        let was = agent.clone();
        let mut ids = HashMap::new();
        for CheckedLineVersion { content, message, published_at } in versions.iter().skip(known) {
            let created_at = published_at.unwrap_or_else(|| clock.now());
            let (content, message) = (content.clone(), message.clone());
            let new = version::CheckedVersion { content, message, created_at };
            let version = version::append_version(txn, clock, &mut agent, new);
            ids.insert(version.number, version.id);
            self.rows.versions.push(version);
            if self.rows.is_full() {
                self.rows.agents.push(agent.clone());
                self.flush().await?;
            }
        }
        let last = Some(agent.latest_number)
            .filter(|last| self.activate && created && *archived != Some(true) && *last > 0);
        if let Some(number) = active.or(last) {
            let id = match ids.get(&number) {
                Some(id) => *id,
                None => known_version(txn, &agent, number).await?,
            };
            self.serve(&mut agent, id)?;
        }
        if agent != was {
            self.rows.agents.push(agent.clone());
        }
        if *archived == Some(true) && agent.archived_at.is_none() {
            self.flush().await?;
            agent::archive_locked(txn, clock, agent).await?;
        }
        let versions = u64::try_from(plan.versions.len() - known).unwrap_or(u64::MAX);
        Ok(AppliedLine { created, versions, changed: txn.recorded() > before })
    }

    /// Activates this version, unless it is active already.
    fn serve(&mut self, agent: &mut Agent, id: VersionId) -> Result<()> {
        if agent.active_version_id == Some(id) {
            return Ok(());
        }
        if agent.archived_at.is_some() {
            return Err(Error::Archived);
        }
        let activation =
            activation::record_activation(self.txn, self.clock, agent, Some(id), Reason::Activate);
        self.rows.activations.push(activation);
        Ok(())
    }

    /// Writes the rows that have been collected.
    async fn flush(&mut self) -> Result<()> {
        Ok(self.txn.publish(mem::take(&mut self.rows)).await?)
    }
}

/// Adds the version's number to an error.
fn at_version(number: i32, err: Error) -> Error {
    match err {
        Error::Invalid { field, message } => {
            Error::Invalid { field, message: format!("version {number}: {message}") }
        }
        Error::TooLarge { field, actual, limit, unit } => {
            Error::TooLarge { field: format!("version {number}: {field}"), actual, limit, unit }
        }
        Error::Several(errors) => {
            Error::Several(errors.into_iter().map(|err| at_version(number, err)).collect())
        }
        other => other,
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::Invalid { field: None, message: message.into() }
}

/// How many of the line's versions the agent already has. They must be the line's first ones.
async fn count_known_versions(
    txn: &GrantedTxn,
    agent: &Agent,
    versions: &[CheckedLineVersion],
) -> Result<usize> {
    let known = usize::try_from(agent.latest_number).unwrap_or(0);
    if known > versions.len() {
        let (has, first) = (versions.len(), versions.len() + 1);
        return Err(invalid(format!(
            "the registry has version {first} of this agent, but the line has only {has} versions: the histories differ"
        )));
    }
    if known == 0 {
        return Ok(0);
    }
    let rows = txn.all(agent_version::history(agent.id)).await?;
    match rows.iter().zip(versions).find(|(row, version)| row.content_hash != version.content.content_hash) {
        Some((row, _)) => Err(invalid(format!(
            "version {} differs from the one in the registry in its prompt, model, parameters or tools",
            row.number
        ))),
        None => Ok(known),
    }
}

/// The id of the agent's version with this number.
async fn known_version(txn: &GrantedTxn, agent: &Agent, number: i32) -> Result<VersionId> {
    let found = txn.one(agent_version::summaries_by_numbers(&[(agent.id, number)])).await?;
    Ok(found.ok_or(Error::NotFound("version of this agent"))?.id)
}
