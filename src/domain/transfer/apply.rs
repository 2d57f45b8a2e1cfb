//! How checked lines are applied to a customer's agents, within one transaction.

use std::{collections::HashMap, mem};

use sha2::{Digest, Sha256};

use super::{
    super::{
        Error, Result,
        activation::{self, Reason},
        agent::{self, Agent},
        customer,
        limit::{self, LimitedResource, QuotaKind},
        policy::Action,
        right::{GrantedTxn, OpenTxn},
        version,
    },
    checked::{CheckedLine, VersionRecord},
    line::{CheckedLineVersion, invalid},
};
use crate::{
    clock::Clock,
    entity::{self, agent_version, publication::Publication},
    id::{AgentId, CustomerId, VersionId},
};

/// The size of the contents from which they are written, in bytes of text. One statement has about as many.
const WRITE_BYTES: u64 = 4 * 1024 * 1024;
/// How many versions of the registry are compared at once.
const COMPARED_AT_ONCE: usize = 1000;
/// The most numbers of versions in one note.
const NAMED_MAX: usize = 5;

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
#[derive(Clone, Copy, Debug)]
pub(super) struct ApplyOptions {
    pub(super) customer_id: CustomerId,
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
    clock: &Clock,
    options: ApplyOptions,
) -> Result<Vec<AppliedLine>> {
    let ApplyOptions { customer_id, activate, exact, rehearsed } = options;
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
    let (rows, bytes) = (Publication::default(), 0);
    let mut writer = Writer { txn, clock, plan: customer.plan, activate, exact, rows, bytes };
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

/// Collects the rows to write, and writes them in batches.
struct Writer<'a> {
    txn: &'a GrantedTxn,
    clock: &'a Clock,
    plan: customer::Plan,
    activate: bool,
    exact: bool,
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

    /// Activates the version that the line names, or none. Changes nothing when that is so already.
    async fn set_active(
        &mut self,
        line: &CheckedLine,
        agent: &mut Agent,
        created: bool,
        ids: &HashMap<i32, VersionId>,
    ) -> Result<()> {
        let last = Some(agent.latest_number)
            .filter(|last| self.activate && created && line.archived != Some(true) && *last > 0);
        let wanted = match (line.active, last) {
            (Some(Some(number)), _) | (None, Some(number)) => match ids.get(&number) {
                Some(id) => Some(*id),
                None => Some(known_version(self.txn, agent, number).await?),
            },
            (Some(None), _) => None,
            (None, None) => return Ok(()),
        };
        if agent.active_version_id == wanted {
            return Ok(());
        }
        if agent.archived_at.is_some() {
            return Err(Error::Archived);
        }
        let reason = if wanted.is_some() { Reason::Activate } else { Reason::Deactivate };
        let activation = activation::record_activation(self.txn, self.clock, agent, wanted, reason);
        self.rows.activations.push(activation);
        Ok(())
    }

    /// Writes the rows that have been collected.
    async fn flush(&mut self) -> Result<()> {
        self.bytes = 0;
        Ok(self.txn.publish(mem::take(&mut self.rows)).await?)
    }
}

/// How many of the line's versions the agent already has. They must be the line's first ones, with the same content.
/// Notes what else differs, because a published version never changes.
async fn compare_versions(
    txn: &GrantedTxn,
    agent: &Agent,
    line: &CheckedLine,
    exact: bool,
    notes: &mut Vec<String>,
) -> Result<usize> {
    let known = usize::try_from(agent.latest_number).unwrap_or(0);
    if known > line.versions.len() {
        let (has, first) = (line.versions.len(), line.versions.len() + 1);
        return Err(invalid(format!(
            "the registry has version {first} of this agent, but the line has only {has} versions: the histories differ"
        )));
    }
    let (mut texts, mut messages, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for (page, records) in line.versions.get(..known).unwrap_or_default().chunks(COMPARED_AT_ONCE).enumerate()
    {
        let first = page * COMPARED_AT_ONCE + 1;
        let numbers = (first..first + records.len()).filter_map(|number| i32::try_from(number).ok());
        let pairs: Vec<_> = numbers.map(|number| (agent.id, number)).collect();
        let mut rows = txn.all(agent_version::summaries_by_numbers(&pairs)).await?;
        rows.sort_by_key(|row| row.number);
        for (row, record) in rows.iter().zip(records) {
            let VersionRecord { content_hash, bytes_hash, message, published_at, .. } = record;
            if row.content_hash != content_hash {
                return Err(invalid(format!(
                    "version {} differs from the one in the registry in its prompt, model, parameters, tools or extensions",
                    row.number
                )));
            }
            // Versions of older releases have no hash of their bytes.
            if row.bytes_hash.as_ref().is_some_and(|there| there != bytes_hash) {
                texts.push(row.number);
            }
            let there = row.message.as_ref().map(|message| <[u8; 32]>::from(Sha256::digest(message)));
            if message.is_some_and(|message| message != there) {
                messages.push(row.number);
            }
            if published_at.is_some_and(|at| at != row.created_at) {
                times.push(row.number);
            }
        }
    }
    let differences =
        [(texts, "order of keys or form of numbers"), (messages, "message"), (times, "time of publication")];
    for (numbers, what) in differences {
        let Some(note) = differs(&numbers, what) else { continue };
        if exact {
            return Err(invalid(format!("{note}; a published version never changes")));
        }
        notes.push(note);
    }
    Ok(known)
}

/// The note that these versions differ in this field.
fn differs(numbers: &[i32], what: &str) -> Option<String> {
    let named: Vec<String> = numbers.iter().take(NAMED_MAX).map(i32::to_string).collect();
    let named = named.join(", ");
    match numbers.len() {
        0 => None,
        1 => Some(format!("version {named} differs from the one in the registry in its {what}")),
        more if more > NAMED_MAX => {
            let others = more - NAMED_MAX;
            Some(format!(
                "versions {named} and {others} more differ from those in the registry in their {what}"
            ))
        }
        _ => Some(format!("versions {named} differ from those in the registry in their {what}")),
    }
}

/// The id of the agent's version with this number.
async fn known_version(txn: &GrantedTxn, agent: &Agent, number: i32) -> Result<VersionId> {
    let found = txn.one(agent_version::summaries_by_numbers(&[(agent.id, number)])).await?;
    Ok(found.ok_or(Error::NotFound("version of this agent"))?.id)
}
