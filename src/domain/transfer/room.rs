//! Checks a whole file against the limits of the customer's plan, before an import begins.

use std::collections::HashMap;

use tokio::io::AsyncBufRead;

use super::{
    super::{Caller, Reading, Registry, Result, limit::LimitedResource},
    import::ImportAgents,
    reader::{LinePart, LineReader},
    report::{ImportError, Imported},
};
use crate::{
    entity::agent,
    id::{AgentId, CustomerId},
};

/// How many agents' names are read at once.
const NAMES_AT_ONCE: u64 = 1000;

/// The agents of a file.
#[derive(Default)]
struct WantedAgents {
    agents: Vec<WantedAgent>,
    by_name: HashMap<String, usize>,
    by_id: HashMap<AgentId, usize>,
}

struct WantedAgent {
    line: u64,
    name: String,
    versions: i64,
    /// How many versions the agent has in the registry; `None` when it doesn't exist.
    has: Option<i64>,
}

impl Registry {
    /// Reads a whole file and checks, before anything is written, that its agents and versions are within the limits
    /// of the customer's plan. Ignores lines that can't be read: the import reports these.
    ///
    /// # Errors
    /// [`ImportError`]: [`super::super::Error::LimitReached`], or why the import may not start.
    pub async fn check_room_to_import(
        &self,
        caller: &Caller,
        input: &ImportAgents,
        from: &mut (dyn AsyncBufRead + Send + Unpin),
    ) -> std::result::Result<(), ImportError> {
        let plan = self.check_import(caller, input).await.map_err(ImportError::before_lines)?;
        let mut wanted = read_agents(from, input.version_bytes).await?;
        let reading = self.reading(caller);
        let agents = self
            .find_wanted(&reading, input.customer_id, &mut wanted)
            .await
            .map_err(ImportError::before_lines)?;
        // A file that adds nothing is accepted even if the customer is above its plan's limits.
        let new = wanted.agents.iter().filter(|wanted| wanted.has.is_none()).count();
        if new > 0 {
            let would_be = agents + i64::try_from(new).unwrap_or(i64::MAX);
            LimitedResource::Agents.check(plan, would_be).map_err(ImportError::before_lines)?;
        }
        for WantedAgent { line, name, versions, has } in wanted.agents {
            if versions > has.unwrap_or(0) {
                LimitedResource::Versions.check(plan, versions).map_err(|source| ImportError {
                    line,
                    agent: Some(name),
                    done: Imported::default(),
                    source,
                })?;
            }
        }
        Ok(())
    }

    /// Sets for each wanted agent how many versions it has in the registry. Returns how many agents the customer has.
    async fn find_wanted(
        &self,
        reading: &Reading,
        customer: CustomerId,
        wanted: &mut WantedAgents,
    ) -> Result<i64> {
        let (mut after, mut count) = (None, 0);
        loop {
            let agents = reading.view.all(agent::by_name(customer, after.as_deref(), NAMES_AT_ONCE)).await?;
            let Some(last) = agents.last() else { break };
            after = Some(last.name.clone());
            count += i64::try_from(agents.len()).unwrap_or(i64::MAX);
            for agent in agents {
                let ids = [Some(agent.id), agent.source_id].into_iter().flatten();
                let by_id = ids.filter_map(|id| wanted.by_id.get(&id)).next();
                let place = by_id.or_else(|| wanted.by_name.get(&agent.name)).copied();
                if let Some(wanted) = place.and_then(|place| wanted.agents.get_mut(place)) {
                    wanted.has = Some(agent.latest_number.into());
                }
            }
        }
        Ok(count)
    }
}

/// Reads the agents of a file, with their numbers of versions.
async fn read_agents(
    from: &mut (dyn AsyncBufRead + Send + Unpin),
    version_bytes: usize,
) -> std::result::Result<WantedAgents, ImportError> {
    let (mut lines, mut wanted) = (LineReader::new(from, version_bytes), WantedAgents::default());
    loop {
        let began = lines.begin().await;
        let line = lines.number();
        let failed = |source| ImportError { line, agent: None, done: Imported::default(), source };
        if !began.map_err(failed)? {
            return Ok(wanted);
        }
        let mut versions = 0;
        let head = loop {
            match lines.next().await {
                Ok(LinePart::Version(_)) => versions += 1,
                Ok(LinePart::End(head)) => break Some(head),
                Err(source) if lines.is_broken() => return Err(failed(source)),
                Err(_) => break None,
            }
        };
        let Some(head) = head else {
            lines.skip_line().await.map_err(failed)?;
            continue;
        };
        let place = wanted.agents.len();
        wanted.by_name.insert(head.agent.clone(), place);
        wanted.by_id.extend(head.id.map(|id| (id, place)));
        wanted.agents.push(WantedAgent { line, name: head.agent, versions, has: None });
    }
}
