//! Import: some agents a transaction, and each whole. A line that can't be imported stores nothing, and ends the import there.

use std::{
    collections::{HashMap, HashSet},
    io,
    sync::Arc,
};

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::{
    super::{
        Caller, Error, Reading, Registry, Result, customer,
        limit::Limited,
        policy::{self, Action},
        right, text,
    },
    line::{LINE_BYTES_MAX, Line},
    plan::{self, Outcome, Plan, invalid},
};
use crate::{
    clock::Instant,
    entity::{Reach, agent as agent_row, customer as customer_row},
    id::CustomerId,
};

/// How many agents' names are read at a time.
const NAMES_AT_ONCE: u64 = 1000;
/// How many agents are written in one transaction at most. All of their changes are appended to the log at once, and whoever
/// else writes waits for that.
const AGENTS_AT_ONCE: usize = 32;
/// From how many versions on they are written.
const VERSIONS_AT_ONCE: usize = 320;
/// From how many bytes of lines on they are written.
const BYTES_AT_ONCE: u64 = 1024 * 1024;

/// What is to be imported.
#[derive(Clone, Debug)]
pub struct ImportAgents {
    /// Whose the agents are to be.
    pub customer_id: CustomerId,
    /// The model of versions that name none.
    pub model_name: String,
    /// Whether the last version of each agent that this import creates is to serve, where its line does not say
    /// which one is.
    pub activate: bool,
}

/// An agent that a file names.
struct Wanted {
    line: u64,
    versions: i64,
    /// How many of them it has; none when it is not there.
    has: Option<i64>,
}

/// What an import came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Agents that were not there.
    pub created: u64,
    /// Agents that were there, and took versions or a state from their line.
    pub updated: u64,
    /// Agents that were as their line says.
    pub unchanged: u64,
    /// Versions written.
    pub versions: u64,
}

impl Imported {
    /// How many agents were read.
    #[must_use]
    pub fn agents(self) -> u64 {
        self.created + self.updated + self.unchanged
    }
}

/// A file, read line by line.
struct Lines<'a> {
    from: &'a mut (dyn AsyncBufRead + Send + Unpin),
    line: Vec<u8>,
    /// The number of the last line that was read.
    number: u64,
    /// How many bytes were read.
    bytes: u64,
    /// The agents so far. Names only: a million of them are some 30 MB.
    names: HashSet<String>,
}

/// Some lines of a file, checked, each with its number.
type Batch = Vec<(u64, Plan)>;

/// Why no more lines are to be read.
enum End {
    /// There are none.
    Whole,
    /// This line, which may name this agent, can't be read.
    Broken(u64, Option<String>, Error),
}

/// An import that did not come to its end. What came before that line is imported.
#[derive(Debug, thiserror::Error)]
#[error("{}{source}{}", place(*.line, .agent.as_deref()), before(*.line, *.done))]
pub struct ImportError {
    /// The line that could not be imported; 0 before the first.
    pub line: u64,
    /// The agent that it names, once that is known.
    pub agent: Option<String>,
    /// What was done before.
    pub done: Imported,
    /// What is wrong.
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
    /// Reads agents with their histories and makes them so at this customer; `progress` hears how many bytes were
    /// read. An agent that is there must have had the same first versions: then it takes the rest, and the state that
    /// its line names. What a line leaves out stays.
    ///
    /// # Errors
    /// [`ImportError`], naming the line: [`Error::NotFound`] for the customer, [`Error::Forbidden`],
    /// [`Error::Suspended`], [`Error::Archived`], [`Error::Invalid`] or [`Error::TooLarge`] for what is in it.
    pub async fn import_agents(
        &self,
        caller: &Caller,
        input: ImportAgents,
        from: &mut (dyn AsyncBufRead + Send + Unpin),
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> std::result::Result<Imported, ImportError> {
        let mut done = Imported::default();
        let failed = |line, agent, done| move |source| ImportError { line, agent, done, source };
        self.may_import(caller, &input).await.map_err(failed(0, None, done))?;
        let mut lines = Lines { from, line: Vec::new(), number: 0, bytes: 0, names: HashSet::new() };
        loop {
            let (batch, end) = lines.batch(&input.model_name, self.clock.now()).await;
            self.import_batch(caller, &input, batch, &mut done).await?;
            progress(lines.bytes);
            match end {
                None => {}
                Some(End::Whole) => return Ok(done),
                Some(End::Broken(line, agent, source)) => return Err(failed(line, agent, done)(source)),
            }
        }
    }

    /// Reads the same and says before anything is stored whether the customer's plan has room for it. Whatever else is
    /// wrong with a line is left to [`Registry::import_agents`], which names it.
    ///
    /// # Errors
    /// [`ImportError`]: [`Error::LimitReached`], or why the import may not begin.
    pub async fn room_to_import(
        &self,
        caller: &Caller,
        input: &ImportAgents,
        from: &mut (dyn AsyncBufRead + Send + Unpin),
    ) -> std::result::Result<(), ImportError> {
        let done = Imported::default();
        let failed = |line, agent| move |source| ImportError { line, agent, done, source };
        let plan = self.may_import(caller, input).await.map_err(failed(0, None))?;
        let (mut line, mut number, mut wanted) = (Vec::new(), 0, HashMap::new());
        loop {
            number += 1;
            line.clear();
            if read_line(from, &mut line).await.map_err(failed(number, None))? == 0 {
                break;
            }
            if let Ok(read) = Line::read(&line) {
                let versions = i64::try_from(read.versions.len()).unwrap_or(i64::MAX);
                wanted.insert(read.agent, Wanted { line: number, versions, has: None });
            }
        }
        let reading = self.reading(caller);
        let agents =
            self.look_for(&reading, input.customer_id, &mut wanted).await.map_err(failed(0, None))?;
        // What adds nothing is fine also where there is more than the plan has by now.
        let new = wanted.values().filter(|wanted| wanted.has.is_none()).count();
        if new > 0 {
            let would_be = agents + i64::try_from(new).unwrap_or(i64::MAX);
            Limited::Agents.check(plan, would_be).map_err(failed(0, None))?;
        }
        let mut growing: Vec<_> =
            wanted.into_iter().filter(|(_, wanted)| wanted.versions > wanted.has.unwrap_or(0)).collect();
        growing.sort_by_key(|(_, wanted)| wanted.line);
        for (agent, Wanted { line, versions, has: _ }) in growing {
            Limited::Versions.check(plan, versions).map_err(failed(line, Some(agent)))?;
        }
        Ok(())
    }

    /// Notes how many versions the wanted agents have that are there; answers how many agents the customer has.
    async fn look_for(
        &self,
        reading: &Reading,
        customer: CustomerId,
        wanted: &mut HashMap<String, Wanted>,
    ) -> Result<i64> {
        let (mut after, mut count) = (None, 0);
        loop {
            let agents =
                reading.view.all(agent_row::by_name(customer, after.as_deref(), NAMES_AT_ONCE)).await?;
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

    async fn may_import(&self, caller: &Caller, input: &ImportAgents) -> Result<customer::Plan> {
        for action in [Action::WriteAgents, Action::PublishVersions, Action::ActivateVersions] {
            policy::allow_on(caller, action, input.customer_id, "customer")?;
        }
        text::name("modelName", &input.model_name)?;
        let (reach, id) = (Reach::Only(vec![input.customer_id]), input.customer_id);
        let found = self.reading(caller).view.one(customer_row::by_ids(&reach, &[id])).await?;
        let found = found.ok_or(Error::NotFound("customer"))?;
        right::refuse_state(caller, Action::WriteAgents, found.standing())?;
        Ok(found.plan)
    }

    /// Imports some agents, in one transaction when none of them is refused. Else they go one by one, up to the one that is:
    /// so that it can be named, and what comes before it is imported.
    async fn import_batch(
        &self,
        caller: &Caller,
        input: &ImportAgents,
        batch: Batch,
        done: &mut Imported,
    ) -> std::result::Result<(), ImportError> {
        let (numbers, plans): (Vec<u64>, Vec<Plan>) = batch.into_iter().unzip();
        let plans = Arc::new(plans);
        if plans.len() > 1
            && let Ok(outcomes) = self.import_some(caller, input, &plans, 0..plans.len()).await
        {
            outcomes.into_iter().for_each(|outcome| done.count(outcome));
            return Ok(());
        }
        for (place, line) in numbers.into_iter().enumerate() {
            match self.import_some(caller, input, &plans, place..place + 1).await {
                Ok(outcomes) => outcomes.into_iter().for_each(|outcome| done.count(outcome)),
                Err(source) => {
                    let agent = plans.get(place).map(|plan| plan.name().to_owned());
                    return Err(ImportError { line, agent, done: *done, source });
                }
            }
        }
        Ok(())
    }

    async fn import_some(
        &self,
        caller: &Caller,
        input: &ImportAgents,
        plans: &Arc<Vec<Plan>>,
        range: std::ops::Range<usize>,
    ) -> Result<Vec<Outcome>> {
        let ImportAgents { customer_id, model_name: _, activate } = *input;
        let (clock, plans) = (self.clock.clone(), Arc::clone(plans));
        let made = self
            .run(caller, move |txn| async move {
                let some = plans.get(range).unwrap_or_default();
                plan::make_so(some, txn, &clock, customer_id, activate).await
            })
            .await?;
        Ok(made.value)
    }
}

impl Imported {
    fn count(&mut self, Outcome { created, versions, changed }: Outcome) {
        self.created += u64::from(created);
        self.updated += u64::from(changed && !created);
        self.unchanged += u64::from(!changed);
        self.versions += versions;
    }
}

impl Lines<'_> {
    /// The next lines, as many as are written together, and whether they are the last that can be read.
    async fn batch(&mut self, model: &str, now: Instant) -> (Batch, Option<End>) {
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

    /// The next agent.
    async fn next(&mut self, model: &str, now: Instant) -> std::result::Result<Plan, End> {
        loop {
            self.number += 1;
            self.line.clear();
            let number = self.number;
            let broken = |agent| move |source| End::Broken(number, agent, source);
            let size = read_line(self.from, &mut self.line).await.map_err(broken(None))?;
            if size == 0 {
                return Err(End::Whole);
            }
            self.bytes += size as u64;
            if self.line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let line = Line::read(&self.line).map_err(broken(None))?;
            // What a long line took is not kept for all others.
            self.line.shrink_to(BYTES_AT_ONCE as usize);
            let broken = broken(Some(line.agent.clone()));
            if !self.names.insert(line.agent.clone()) {
                return Err(broken(invalid("an earlier line of this file has an agent of this name")));
            }
            return Plan::of(line, model, now).map_err(broken);
        }
    }
}

/// Reads up to the next line feed; answers how many bytes that was.
async fn read_line(from: &mut (dyn AsyncBufRead + Send + Unpin), line: &mut Vec<u8>) -> Result<usize> {
    let limit = LINE_BYTES_MAX as u64 + 1;
    let mut limited = tokio::io::AsyncReadExt::take(from, limit);
    let broken = |err: io::Error| Error::Invalid { field: None, message: format!("it can't be read: {err}") };
    let size = limited.read_until(b'\n', line).await.map_err(broken)?;
    if size > LINE_BYTES_MAX && line.last() != Some(&b'\n') {
        let (field, unit) = ("the line".to_owned(), "bytes or more");
        return Err(Error::TooLarge { field, actual: size, limit: LINE_BYTES_MAX, unit });
    }
    Ok(size)
}
