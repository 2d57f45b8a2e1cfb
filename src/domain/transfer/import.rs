//! Import: one transaction an agent. A line that can't be imported stores nothing, and ends the import there.

use std::{collections::HashSet, io};

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

use super::{
    super::{
        Caller, Error, Registry, Result,
        activation::{self, Reason},
        agent::{self, Agent, AgentFilter},
        policy::{self, Action},
        text, version,
    },
    line::{Checked, LINE_BYTES_MAX, Line},
};
use crate::{
    clock::Clock,
    db::Txn,
    entity::{Reach, agent as agent_row, agent_version, customer},
    id::CustomerId,
};

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

/// What one line came to.
struct Outcome {
    created: bool,
    versions: u64,
}

/// A line that has been checked.
struct Plan {
    name: String,
    description: Option<String>,
    archived: Option<bool>,
    active: Option<i32>,
    versions: Vec<Checked>,
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
        let failed = |line, agent, done| {
            move |source| ImportError {
                line,
                agent,
                done,
                source,
            }
        };
        self.may_import(caller, &input)
            .await
            .map_err(failed(0, None, done))?;
        let (mut line, mut number, mut bytes) = (Vec::new(), 0, 0);
        // Names only: a million of them are some 30 MB.
        let mut names = HashSet::new();
        loop {
            number += 1;
            line.clear();
            let size = read_line(from, &mut line)
                .await
                .map_err(failed(number, None, done))?;
            if size == 0 {
                return Ok(done);
            }
            bytes += size as u64;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let read = Line::read(&line).map_err(failed(number, None, done))?;
            let name = read.agent.clone();
            let outcome = if names.insert(name.clone()) {
                self.import_line(caller, &input, read).await
            } else {
                Err(invalid("an earlier line of this file has an agent of this name"))
            };
            match outcome.map_err(failed(number, Some(name), done))? {
                None => done.unchanged += 1,
                Some(Outcome { created, versions }) => {
                    done.created += u64::from(created);
                    done.updated += u64::from(!created);
                    done.versions += versions;
                }
            }
            progress(bytes);
        }
    }

    async fn may_import(&self, caller: &Caller, input: &ImportAgents) -> Result<()> {
        policy::allow_on(caller, Action::WriteAgents, input.customer_id, "customer")?;
        text::name("modelName", &input.model_name)?;
        let (reach, id) = (Reach::Only(vec![input.customer_id]), input.customer_id);
        let found = self
            .reading(caller)
            .view
            .one(customer::by_ids(&reach, &[id]))
            .await?;
        super::super::refuse_suspended(caller, &found.ok_or(Error::NotFound("customer"))?)
    }

    /// Imports one agent; answers none when all was so already.
    async fn import_line(
        &self,
        caller: &Caller,
        input: &ImportAgents,
        line: Line,
    ) -> Result<Option<Outcome>> {
        let plan = check(line, input, self.clock.now())?;
        let ImportAgents {
            customer_id,
            model_name: _,
            activate,
        } = *input;
        let (clock, by) = (self.clock.clone(), caller.clone());
        let made = self
            .write(caller, move |txn| async move {
                make_so(&txn, &clock, &by, customer_id, plan, activate).await
            })
            .await?;
        Ok(made.revision.map(|_| made.value))
    }
}

/// Reads up to the next line feed; answers how many bytes that was.
async fn read_line(from: &mut (dyn AsyncBufRead + Send + Unpin), line: &mut Vec<u8>) -> Result<usize> {
    let limit = LINE_BYTES_MAX as u64 + 1;
    let mut limited = tokio::io::AsyncReadExt::take(from, limit);
    let broken = |err: io::Error| Error::Invalid {
        field: None,
        message: format!("it can't be read: {err}"),
    };
    let size = limited.read_until(b'\n', line).await.map_err(broken)?;
    if size > LINE_BYTES_MAX && line.last() != Some(&b'\n') {
        let (field, unit) = ("the line".to_owned(), "bytes or more");
        return Err(Error::TooLarge {
            field,
            actual: size,
            limit: LINE_BYTES_MAX,
            unit,
        });
    }
    Ok(size)
}

/// Checks every limit before anything is written.
fn check(line: Line, input: &ImportAgents, now: crate::clock::Instant) -> Result<Plan> {
    let Line {
        agent,
        description,
        archived,
        active,
        versions,
    } = line;
    agent::check(Some(&agent), description.as_deref())?;
    let count = i32::try_from(versions.len()).map_err(|_| invalid("it has too many versions"))?;
    if active.is_some_and(|active| !(1..=count).contains(&active)) {
        return Err(invalid(format!(
            "active must be the number of one of its {count} versions"
        )));
    }
    if active.is_some() && archived == Some(true) {
        return Err(invalid(
            "an archived agent serves nothing: it can't have an active version",
        ));
    }
    let mut checked = Vec::with_capacity(versions.len());
    for (version, number) in versions.into_iter().zip(1..) {
        checked.push(
            version
                .check(&input.model_name, now)
                .map_err(|err| at_version(number, err))?,
        );
    }
    Ok(Plan {
        name: agent,
        description,
        archived,
        active,
        versions: checked,
    })
}

/// The same error, about this version.
fn at_version(number: i32, err: Error) -> Error {
    match err {
        Error::Invalid { field, message } => Error::Invalid {
            field,
            message: format!("version {number}: {message}"),
        },
        Error::TooLarge {
            field,
            actual,
            limit,
            unit,
        } => Error::TooLarge {
            field: format!("version {number}: {field}"),
            actual,
            limit,
            unit,
        },
        other => other,
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::Invalid {
        field: None,
        message: message.into(),
    }
}

/// Makes the agent what its line says. Records nothing when it is so already.
async fn make_so(
    txn: &Txn,
    clock: &Clock,
    by: &Caller,
    customer_id: CustomerId,
    plan: Plan,
    activate: bool,
) -> Result<Outcome> {
    let Plan {
        name,
        description,
        archived,
        active,
        versions,
    } = plan;
    let filter = AgentFilter {
        archived: None,
        name: Some(name.clone()),
    };
    let found = txn
        .one(agent_row::filtered(&Reach::Only(vec![customer_id]), &filter))
        .await?;
    let created = found.is_none();
    let mut agent = match found {
        Some(found) => agent::lock(txn, by, found.id).await?,
        None => {
            super::super::open_customer(txn, by, customer_id).await?;
            agent::insert(txn, clock, customer_id, name, description.clone(), None).await?
        }
    };
    if archived == Some(false) && agent.archived_at.is_some() {
        agent = agent::take_back(txn, clock, agent).await?;
    }
    if let Some(description) = description.filter(|new| agent.description.as_ref() != Some(new)) {
        let after = Agent {
            description: Some(description),
            ..agent.clone()
        };
        agent = agent::rewrite(txn, clock, agent, after).await?;
    }
    let known = compare(txn, &agent, &versions).await?;
    if versions.len() > known && agent.archived_at.is_some() {
        return Err(Error::Archived);
    }
    let mut appended = 0;
    for Checked {
        content,
        hash,
        message,
        published_at,
    } in versions.into_iter().skip(known)
    {
        let created_at = published_at.unwrap_or_else(|| clock.now());
        let new = version::New {
            content,
            hash,
            message,
            created_at,
        };
        agent = version::append(txn, clock, agent, new).await?.0;
        appended += 1;
    }
    let last =
        Some(agent.latest_number).filter(|last| activate && created && archived != Some(true) && *last > 0);
    if let Some(number) = active.or(last) {
        agent = serve(txn, clock, agent, number).await?;
    }
    if archived == Some(true) && agent.archived_at.is_none() {
        agent::put_away(txn, clock, agent).await?;
    }
    Ok(Outcome {
        created,
        versions: appended,
    })
}

/// How many of the line's versions the agent has. Those it has must be the line's first ones.
async fn compare(txn: &Txn, agent: &Agent, versions: &[Checked]) -> Result<usize> {
    let known = usize::try_from(agent.latest_number).unwrap_or(0);
    if known > versions.len() {
        let (has, first) = (versions.len(), versions.len() + 1);
        return Err(invalid(format!(
            "the registry has a version {first} of it, and the line has only {has}: the histories differ"
        )));
    }
    if known == 0 {
        return Ok(0);
    }
    let rows = txn
        .all(agent_version::of_agents(
            &Reach::Only(vec![agent.customer_id]),
            &[agent.id],
        ))
        .await?;
    match rows
        .iter()
        .zip(versions)
        .find(|(row, version)| row.content_hash != version.hash)
    {
        Some((row, _)) => Err(invalid(format!(
            "version {} in the registry is another: its prompt, model, parameters or tools differ",
            row.number
        ))),
        None => Ok(known),
    }
}

/// Makes this version serve, unless it does.
async fn serve(txn: &Txn, clock: &Clock, agent: Agent, number: i32) -> Result<Agent> {
    let found = txn.one(agent_version::by_numbers(&[(agent.id, number)])).await?;
    let id = found.ok_or(Error::NotFound("version of this agent"))?.id;
    if agent.active_version_id == Some(id) {
        return Ok(agent);
    }
    if agent.archived_at.is_some() {
        return Err(Error::Archived);
    }
    Ok(activation::switch(txn, clock, agent, Some(id), Reason::Activate)
        .await?
        .0)
}
