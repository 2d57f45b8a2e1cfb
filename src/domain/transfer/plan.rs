//! What one line asks for, checked; and how an agent is made so, within one transaction.

use super::{
    super::{
        Caller, Error, Result,
        activation::{self, Reason},
        agent::{self, Agent, AgentFilter},
        limit::{self, Counted, Limited},
        policy::Action,
        version,
    },
    line::{Checked, Line},
};
use crate::{
    clock::{Clock, Instant},
    db::Txn,
    entity::{Reach, agent as agent_row, agent_version},
    id::CustomerId,
};

/// What one line came to.
pub(super) struct Outcome {
    pub(super) created: bool,
    pub(super) versions: u64,
}

/// A line that has been checked.
pub(super) struct Plan {
    name: String,
    description: Option<String>,
    archived: Option<bool>,
    active: Option<i32>,
    versions: Vec<Checked>,
}

impl Plan {
    /// Checks every limit before anything is written.
    pub(super) fn of(line: Line, model: &str, now: Instant) -> Result<Self> {
        let Line { agent, description, archived, active, versions } = line;
        agent::check(Some(&agent), description.as_deref())?;
        let count = i32::try_from(versions.len()).map_err(|_| invalid("it has too many versions"))?;
        if active.is_some_and(|active| !(1..=count).contains(&active)) {
            return Err(invalid(format!("active must be the number of one of its {count} versions")));
        }
        if active.is_some() && archived == Some(true) {
            return Err(invalid("an archived agent serves nothing: it can't have an active version"));
        }
        let mut checked = Vec::with_capacity(versions.len());
        for (version, number) in versions.into_iter().zip(1..) {
            checked.push(version.check(model, now).map_err(|err| at_version(number, err))?);
        }
        Ok(Self { name: agent, description, archived, active, versions: checked })
    }

    /// Makes the agent what its line says. Records nothing when it is so already.
    pub(super) async fn make_so(
        self,
        txn: &Txn,
        clock: &Clock,
        by: &Caller,
        customer_id: CustomerId,
        activate: bool,
    ) -> Result<Outcome> {
        let Plan { name, description, archived, active, versions } = self;
        let filter = AgentFilter { name: Some(name.clone()), ..AgentFilter::default() };
        let found = txn.one(agent_row::filtered(&Reach::Only(vec![customer_id]), &filter)).await?;
        let created = found.is_none();
        let (customer, mut agent) = match found {
            Some(found) => agent::lock_both(txn, by, Action::WriteAgents, found.id).await?,
            None => {
                let customer = super::super::growing_customer(txn, by, customer_id).await?;
                limit::room_for(txn, &customer, Counted::Agents, clock.now()).await?;
                let agent = agent::insert(txn, clock, customer_id, name, description.clone(), None).await?;
                (customer, agent)
            }
        };
        if archived == Some(false) && agent.archived_at.is_some() {
            agent = agent::take_back(txn, clock, agent).await?;
        }
        if let Some(description) = description.filter(|new| agent.description.as_ref() != Some(new)) {
            let after = Agent { description: Some(description), ..agent.clone() };
            agent = agent::rewrite(txn, clock, agent, after).await?;
        }
        let known = compare(txn, &agent, &versions).await?;
        if versions.len() > known && agent.archived_at.is_some() {
            return Err(Error::Archived);
        }
        if versions.len() > known {
            let count = i64::try_from(versions.len()).unwrap_or(i64::MAX);
            Limited::Versions.check(customer.plan, count)?;
        }
        let mut appended = 0;
        for Checked { content, hash, message, published_at } in versions.into_iter().skip(known) {
            let created_at = published_at.unwrap_or_else(|| clock.now());
            let new = version::New { content, hash, message, created_at };
            agent = version::append(txn, clock, agent, new).await?.0;
            appended += 1;
        }
        let last = Some(agent.latest_number)
            .filter(|last| activate && created && archived != Some(true) && *last > 0);
        if let Some(number) = active.or(last) {
            agent = serve(txn, clock, agent, number).await?;
        }
        if archived == Some(true) && agent.archived_at.is_none() {
            agent::put_away(txn, clock, agent).await?;
        }
        Ok(Outcome { created, versions: appended })
    }
}

/// The same error, about this version.
fn at_version(number: i32, err: Error) -> Error {
    match err {
        Error::Invalid { field, message } => {
            Error::Invalid { field, message: format!("version {number}: {message}") }
        }
        Error::TooLarge { field, actual, limit, unit } => {
            Error::TooLarge { field: format!("version {number}: {field}"), actual, limit, unit }
        }
        other => other,
    }
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::Invalid { field: None, message: message.into() }
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
    let rows = txn.all(agent_version::history(agent.id)).await?;
    match rows.iter().zip(versions).find(|(row, version)| row.content_hash != version.hash) {
        Some((row, _)) => Err(invalid(format!(
            "version {} in the registry is another: its prompt, model, parameters or tools differ",
            row.number
        ))),
        None => Ok(known),
    }
}

/// Makes this version serve, unless it does.
async fn serve(txn: &Txn, clock: &Clock, agent: Agent, number: i32) -> Result<Agent> {
    let found = txn.one(agent_version::summaries_by_numbers(&[(agent.id, number)])).await?;
    let id = found.ok_or(Error::NotFound("version of this agent"))?.id;
    if agent.active_version_id == Some(id) {
        return Ok(agent);
    }
    if agent.archived_at.is_some() {
        return Err(Error::Archived);
    }
    Ok(activation::switch(txn, clock, agent, Some(id), Reason::Activate).await?.0)
}
