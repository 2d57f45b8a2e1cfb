//! Import: several agents in each transaction, each agent completely. The first line that can't be imported changes
//! nothing and ends the import.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::Arc,
};

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::{
    super::{
        Caller, Error, Reading, Registry, Result, customer,
        limit::LimitedResource,
        policy::{self, Action},
        right, text,
    },
    line::{LINE_BYTES_MAX, Line},
    plan::{self, AppliedLine, CheckedLine, invalid},
};
use crate::{
    clock::Instant,
    entity::{self, TenantFilter, agent},
    id::CustomerId,
};

/// How many agents' names are read at once.
const NAMES_AT_ONCE: u64 = 1000;
/// The most agents of one transaction. All their log entries are appended at its end, and other writers wait for
/// that.
const AGENTS_AT_ONCE: usize = 32;
/// A transaction takes no more lines once it has this many versions.
const VERSIONS_AT_ONCE: usize = 320;
/// A transaction takes no more lines once they have this many bytes.
const BYTES_AT_ONCE: u64 = 1024 * 1024;

/// The options of an import.
#[derive(Clone, Debug)]
pub struct ImportAgents {
    /// The customer that the agents will belong to.
    pub customer_id: CustomerId,
    /// The model of versions that name none.
    pub model_name: String,
    /// Whether to activate the last version of each agent that the import creates, where its line has no `active`.
    pub activate: bool,
}

/// An agent in a file whose size is checked in advance.
struct WantedAgent {
    line: u64,
    versions: i64,
    /// How many versions the agent has in the registry; `None` when it doesn't exist.
    has: Option<i64>,
}

/// The counts of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Agents that were created.
    pub created: u64,
    /// Agents that existed and were changed.
    pub updated: u64,
    /// Agents that were already as their line says.
    pub unchanged: u64,
    /// Versions that were added.
    pub versions: u64,
}

impl Imported {
    /// How many agents were imported, including unchanged ones.
    #[must_use]
    pub fn agents(self) -> u64 {
        self.created + self.updated + self.unchanged
    }
}

/// A reader of a file's lines.
struct LineReader<'a> {
    from: &'a mut (dyn AsyncBufRead + Send + Unpin),
    line: Vec<u8>,
    /// The number of the line that was read last.
    number: u64,
    /// How many bytes have been read.
    bytes: u64,
    /// The names of the agents so far; a million of them take some 30 MB.
    names: HashSet<String>,
}

/// Checked lines with their numbers.
type Batch = Vec<(u64, CheckedLine)>;

/// Why reading ended.
enum ReadEnd {
    /// The file has no more lines.
    EndOfFile,
    /// A line can't be read; its number, the agent's name if known, and the reason.
    Unreadable(u64, Option<String>, Error),
}

/// An import that failed at a line. The lines before it have been imported.
#[derive(Debug, thiserror::Error)]
#[error("{}{source}{}", place(*.line, .agent.as_deref()), before(*.line, *.done))]
pub struct ImportError {
    /// The number of the line that failed; 0 when the import failed before the first.
    pub line: u64,
    /// The agent that the line names, if known.
    pub agent: Option<String>,
    /// The counts of the lines before it.
    pub done: Imported,
    /// The reason.
    pub source: Error,
}

fn place(line: u64, agent: Option<&str>) -> String {
    match (line, agent) {
        (0, _) => String::new(),
        (line, None) => format!("line {line}: "),
        (line, Some(agent)) => format!("line {line}, agent {agent:?}: "),
    }
}

fn before(line: u64, done: Imported) -> String {
    match (line, done.agents()) {
        (0, _) => String::new(),
        (_, 0) => "; nothing was imported".to_owned(),
        (_, 1) => "; 1 agent was imported before it".to_owned(),
        (_, agents) => format!("; {agents} agents were imported before it"),
    }
}

impl Registry {
    /// Imports agents with their versions into this customer; calls `progress` with the number of bytes read. An
    /// existing agent must have the line's first versions: then the others are added, and the agent's state is set as
    /// in the line. A field that the line omits stays unchanged.
    ///
    /// # Errors
    /// [`ImportError`] with the line's number: [`Error::NotFound`] for the customer, [`Error::Forbidden`],
    /// [`Error::Suspended`], [`Error::Archived`], [`Error::LimitReached`], [`Error::Invalid`] or [`Error::TooLarge`]
    /// for the line's content.
    pub async fn import_agents(
        &self,
        caller: &Caller,
        input: ImportAgents,
        from: &mut (dyn AsyncBufRead + Send + Unpin),
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> std::result::Result<Imported, ImportError> {
        let mut done = Imported::default();
        let failed = |line, agent, done| move |source| ImportError { line, agent, done, source };
        self.check_import(caller, &input).await.map_err(failed(0, None, done))?;
        let mut lines = LineReader { from, line: Vec::new(), number: 0, bytes: 0, names: HashSet::new() };
        loop {
            let (batch, end) = lines.batch(&input.model_name, self.clock().now()).await;
            self.import_batch(caller, &input, batch, &mut done).await?;
            progress(lines.bytes);
            match end {
                None => {}
                Some(ReadEnd::EndOfFile) => return Ok(done),
                Some(ReadEnd::Unreadable(line, agent, source)) => {
                    return Err(failed(line, agent, done)(source));
                }
            }
        }
    }

    /// Reads a whole file and checks, before anything is written, that its agents and versions are within the limits
    /// of the customer's plan. Ignores lines that can't be parsed: [`Registry::import_agents`] reports these.
    ///
    /// # Errors
    /// [`ImportError`]: [`Error::LimitReached`], or why the import may not start.
    pub async fn check_room_to_import(
        &self,
        caller: &Caller,
        input: &ImportAgents,
        from: &mut (dyn AsyncBufRead + Send + Unpin),
    ) -> std::result::Result<(), ImportError> {
        let done = Imported::default();
        let failed = |line, agent| move |source| ImportError { line, agent, done, source };
        let plan = self.check_import(caller, input).await.map_err(failed(0, None))?;
        let (mut line, mut number, mut wanted) = (Vec::new(), 0, HashMap::new());
        loop {
            number += 1;
            line.clear();
            if read_line(from, &mut line).await.map_err(failed(number, None))? == 0 {
                break;
            }
            if let Ok(read) = Line::read(&line) {
                let versions = i64::try_from(read.versions.len()).unwrap_or(i64::MAX);
                wanted.insert(read.agent, WantedAgent { line: number, versions, has: None });
            }
        }
        let reading = self.reading(caller);
        let agents = self
            .find_wanted_agents(&reading, input.customer_id, &mut wanted)
            .await
            .map_err(failed(0, None))?;
        // A file that adds nothing is accepted even if the customer is above its plan's limits.
        let new = wanted.values().filter(|wanted| wanted.has.is_none()).count();
        if new > 0 {
            let would_be = agents + i64::try_from(new).unwrap_or(i64::MAX);
            LimitedResource::Agents.check(plan, would_be).map_err(failed(0, None))?;
        }
        let mut growing: Vec<_> =
            wanted.into_iter().filter(|(_, wanted)| wanted.versions > wanted.has.unwrap_or(0)).collect();
        growing.sort_by_key(|(_, wanted)| wanted.line);
        for (agent, WantedAgent { line, versions, has: _ }) in growing {
            LimitedResource::Versions.check(plan, versions).map_err(failed(line, Some(agent)))?;
        }
        Ok(())
    }

    /// Sets for each wanted agent how many versions it has in the registry. Returns how many agents the customer has.
    async fn find_wanted_agents(
        &self,
        reading: &Reading,
        customer: CustomerId,
        wanted: &mut HashMap<String, WantedAgent>,
    ) -> Result<i64> {
        let (mut after, mut count) = (None, 0);
        loop {
            let agents = reading.view.all(agent::by_name(customer, after.as_deref(), NAMES_AT_ONCE)).await?;
            let Some(last) = agents.last() else { break };
            after = Some(last.name.clone());
            count += i64::try_from(agents.len()).unwrap_or(i64::MAX);
            for agent in agents {
                if let Some(wanted) = wanted.get_mut(&agent.name) {
                    wanted.has = Some(agent.latest_number.into());
                }
            }
        }
        Ok(count)
    }

    async fn check_import(&self, caller: &Caller, input: &ImportAgents) -> Result<customer::Plan> {
        for action in [Action::WriteAgents, Action::PublishVersions, Action::ActivateVersions] {
            policy::allow_on(caller, action, input.customer_id, "customer")?;
        }
        text::check_name("modelName", &input.model_name)?;
        let (tenants, id) = (TenantFilter::Only(vec![input.customer_id]), input.customer_id);
        let found = self.reading(caller).view.one(entity::customer::by_ids(&tenants, &[id])).await?;
        let found = found.ok_or(Error::NotFound("customer"))?;
        right::check_status(caller, Action::WriteAgents, found.status())?;
        Ok(found.plan)
    }

    /// Imports a batch in one transaction. If that fails, imports its lines one by one up to the one that fails, so
    /// that the error can name it and the lines before it are imported.
    async fn import_batch(
        &self,
        caller: &Caller,
        input: &ImportAgents,
        batch: Batch,
        done: &mut Imported,
    ) -> std::result::Result<(), ImportError> {
        let (numbers, plans): (Vec<u64>, Vec<CheckedLine>) = batch.into_iter().unzip();
        let plans = Arc::new(plans);
        if plans.len() > 1
            && let Ok(outcomes) = self.import_range(caller, input, &plans, 0..plans.len()).await
        {
            outcomes.into_iter().for_each(|outcome| done.count(outcome));
            return Ok(());
        }
        for (place, line) in numbers.into_iter().enumerate() {
            match self.import_range(caller, input, &plans, place..place + 1).await {
                Ok(outcomes) => outcomes.into_iter().for_each(|outcome| done.count(outcome)),
                Err(source) => {
                    let agent = plans.get(place).map(|plan| plan.name().to_owned());
                    return Err(ImportError { line, agent, done: *done, source });
                }
            }
        }
        Ok(())
    }

    async fn import_range(
        &self,
        caller: &Caller,
        input: &ImportAgents,
        plans: &Arc<Vec<CheckedLine>>,
        range: std::ops::Range<usize>,
    ) -> Result<Vec<AppliedLine>> {
        let ImportAgents { customer_id, model_name: _, activate } = *input;
        let (clock, plans) = (self.clock().clone(), Arc::clone(plans));
        let made = self
            .run(caller, move |txn| async move {
                let some = plans.get(range).unwrap_or_default();
                plan::apply(some, txn, &clock, customer_id, activate).await
            })
            .await?;
        Ok(made.value)
    }
}

impl Imported {
    fn count(&mut self, AppliedLine { created, versions, changed }: AppliedLine) {
        self.created += u64::from(created);
        self.updated += u64::from(changed && !created);
        self.unchanged += u64::from(!changed);
        self.versions += versions;
    }
}

impl LineReader<'_> {
    /// Reads the next batch of lines. Also returns why reading ended, if it did.
    async fn batch(&mut self, model: &str, now: Instant) -> (Batch, Option<ReadEnd>) {
        let (mut batch, before, mut versions) = (Batch::new(), self.bytes, 0);
        while batch.len() < AGENTS_AT_ONCE
            && versions < VERSIONS_AT_ONCE
            && self.bytes - before < BYTES_AT_ONCE
        {
            match self.next(model, now).await {
                Ok(plan) => {
                    versions += plan.versions();
                    batch.push((self.number, plan));
                }
                Err(end) => return (batch, Some(end)),
            }
        }
        (batch, None)
    }

    /// Reads and checks the next line that isn't blank.
    async fn next(&mut self, model: &str, now: Instant) -> std::result::Result<CheckedLine, ReadEnd> {
        loop {
            self.number += 1;
            self.line.clear();
            let number = self.number;
            let broken = |agent| move |source| ReadEnd::Unreadable(number, agent, source);
            let size = read_line(self.from, &mut self.line).await.map_err(broken(None))?;
            if size == 0 {
                return Err(ReadEnd::EndOfFile);
            }
            self.bytes += size as u64;
            if self.line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let line = Line::read(&self.line).map_err(broken(None))?;
            // Gives memory back after a long line.
            self.line.shrink_to(BYTES_AT_ONCE as usize);
            let broken = broken(Some(line.agent.clone()));
            if !self.names.insert(line.agent.clone()) {
                return Err(broken(invalid("an earlier line of this file has an agent with this name")));
            }
            return CheckedLine::of(line, model, now).map_err(broken);
        }
    }
}

/// Reads up to the next line feed, and returns the number of bytes.
async fn read_line(from: &mut (dyn AsyncBufRead + Send + Unpin), line: &mut Vec<u8>) -> Result<usize> {
    let limit = LINE_BYTES_MAX as u64 + 1;
    let mut limited = tokio::io::AsyncReadExt::take(from, limit);
    let broken =
        |err: io::Error| Error::Invalid { field: None, message: format!("the file can't be read: {err}") };
    let size = limited.read_until(b'\n', line).await.map_err(broken)?;
    if size > LINE_BYTES_MAX && line.last() != Some(&b'\n') {
        let (field, unit) = ("the line".to_owned(), "bytes or more");
        return Err(Error::TooLarge { field, actual: size, limit: LINE_BYTES_MAX, unit });
    }
    Ok(size)
}
