//! Export: all agents of one snapshot, one line each, in the byte order of their names.

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::{
    super::{
        Caller, Error, Reading, Registry, Result,
        agent::Agent,
        policy::{self, Action},
    },
    line::{CLOSING, LINE_BYTES_MAX, Line, LineVersion},
};
use crate::{
    entity::{TenantFilter, agent, agent_version, customer},
    id::CustomerId,
};

/// How many agents are read at once.
const AGENTS_AT_ONCE: u64 = 200;
/// How many versions are in memory at once: sixteen of the largest are 25 MiB.
const VERSIONS_AT_ONCE: i32 = 16;

/// The counts of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many agents, and so how many lines.
    pub agents: u64,
    /// How many versions of all agents.
    pub versions: u64,
}

impl Registry {
    /// Writes all agents of a customer with their versions, from one snapshot; calls `progress` after each agent.
    /// Omits the owners, which are personal data. The snapshot's transaction stays open meanwhile, and the database
    /// aborts it when a write to `to` takes longer than half a minute.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer, [`Error::Forbidden`] for a service token and for an API key without
    /// `agents:read`, [`Error::TooLarge`] for an agent whose line would be too long, [`Error::Internal`] when `to`
    /// can't be written.
    pub async fn export_agents(
        &self,
        caller: &Caller,
        customer_id: CustomerId,
        to: &mut (dyn AsyncWrite + Send + Unpin),
        progress: &mut (dyn FnMut(Exported) + Send),
    ) -> Result<Exported> {
        policy::allow_on(caller, Action::ReadAgents, customer_id, "customer")?;
        let reading = self.reading(caller);
        let tenants = TenantFilter::Only(vec![customer_id]);
        if reading.view.one(customer::by_ids(&tenants, &[customer_id])).await?.is_none() {
            return Err(Error::NotFound("customer"));
        }
        let (mut done, mut after) = (Exported::default(), None);
        loop {
            let select = agent::by_name(customer_id, after.as_deref(), AGENTS_AT_ONCE);
            let agents = reading.view.all(select).await?;
            let Some(last) = agents.last() else { break };
            after = Some(last.name.clone());
            for agent in agents {
                done.versions += write_agent(&reading, agent, to).await?;
                done.agents += 1;
                progress(done);
            }
        }
        to.flush().await.map_err(broken)?;
        Ok(done)
    }
}

/// Writes the line of one agent. Returns how many versions it contains.
async fn write_agent(
    reading: &Reading,
    agent: Agent,
    to: &mut (dyn AsyncWrite + Send + Unpin),
) -> Result<u64> {
    let active = match agent.active_version_id {
        Some(id) => reading.view.one(agent_version::summaries(&[id])).await?,
        None => None,
    };
    let line = Line {
        agent: agent.name,
        description: agent.description,
        archived: agent.archived_at.map(|_| true),
        active: active.map(|version| version.number),
        versions: Vec::new(),
    };
    let mut text = line.opening();
    let (mut written, mut versions, mut next) = (CLOSING.len(), 0, 1);
    while next <= agent.latest_number {
        let end = next.saturating_add(VERSIONS_AT_ONCE).min(agent.latest_number.saturating_add(1));
        let pairs: Vec<_> = (next..end).map(|number| (agent.id, number)).collect();
        let mut rows = reading.view.all(agent_version::by_numbers(&pairs)).await?;
        rows.sort_by_key(|version| version.number);
        for row in rows {
            if versions > 0 {
                text.push(',');
            }
            text += &LineVersion::of(row).write();
            versions += 1;
            written += text.len();
            if written > LINE_BYTES_MAX {
                let (field, unit) =
                    (format!("the history of the agent {:?}", line.agent), "bytes at its start");
                return Err(Error::TooLarge { field, actual: written, limit: LINE_BYTES_MAX, unit });
            }
            to.write_all(text.as_bytes()).await.map_err(broken)?;
            text.clear();
        }
        next = end;
    }
    text += CLOSING;
    text.push('\n');
    to.write_all(text.as_bytes()).await.map_err(broken)?;
    Ok(versions)
}

fn broken(err: std::io::Error) -> Error {
    Error::Internal(Box::new(err))
}
