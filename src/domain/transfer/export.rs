//! Export: all agents of one moment, one line each, in the byte order of their names.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use super::{
    super::{
        Caller, Error, Reading, Registry, Result,
        policy::{self, Action},
    },
    line::{CLOSING, LineHead, LineVersion},
};
use crate::{
    entity::{EnvironmentFilter, TenantFilter, agent, agent_version, customer, serving},
    environment_key::EnvironmentKey,
    id::{AgentId, CustomerId},
    share::{MemoryShare, Reservation},
};

/// How many agents are read at once.
const AGENTS_AT_ONCE: u64 = 500;
/// Of how many versions the sizes are read at once.
const SIZES_AT_ONCE: usize = 500;
/// About how many bytes of contents are read at once.
const READ_BYTES: i64 = 1024 * 1024;
/// Of how many agents the versions are in one piece, at most.
const AGENTS_A_PIECE: usize = 100;
/// The size from which a piece takes no further agents without versions, in bytes.
const PIECE_BYTES: usize = 256 * 1024;

/// The number of the active version in each environment.
type ActiveNumbers = BTreeMap<EnvironmentKey, Option<i32>>;

/// What to export.
#[derive(Clone, Debug)]
pub struct ExportAgents {
    /// The customer whose agents are exported.
    pub customer_id: CustomerId,
    /// The environment whose active versions are exported as such; all that the caller reaches for `None`.
    pub environment: Option<EnvironmentKey>,
    /// The names or ids of the agents; all agents when empty.
    pub agents: Vec<String>,
    /// The share of the memory in which the agents are counted, without their versions. `None` counts nothing, for
    /// the command line.
    pub memory: Option<MemoryShare>,
}

/// The counts of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many agents, and so how many lines.
    pub agents: u64,
    /// How many versions of all agents.
    pub versions: u64,
}

/// An export that is written piece by piece. Between two pieces it holds no connection of the database.
#[derive(Debug)]
pub struct Export {
    registry: Registry,
    caller: Caller,
    customer: CustomerId,
    /// The agents that aren't written completely.
    agents: VecDeque<ExportedAgent>,
    total: u64,
    /// The first versions that aren't written, with their sizes: of one agent, or of several.
    sizes: VecDeque<SizedVersion>,
    done: Exported,
    _memory: Option<Reservation>,
}

/// An agent as it was when the export began.
#[derive(Debug)]
struct ExportedAgent {
    id: AgentId,
    head: LineHead,
    latest_number: i32,
    /// The number of the last version that is written; `None` before the line begins.
    written: Option<i32>,
}

#[derive(Clone, Copy, Debug)]
struct SizedVersion {
    agent: AgentId,
    number: i32,
    bytes: i64,
}

impl Registry {
    /// Begins an export of a customer's agents with their versions. Reads all agents in one snapshot. Their versions
    /// are read later, because they never change. Omits the owners, which are personal data.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer, [`Error::Forbidden`] unless the caller may export, [`Error::Invalid`] for
    /// an agent that doesn't exist, [`Error::NoMemory`].
    pub async fn export(&self, caller: &Caller, input: ExportAgents) -> Result<Export> {
        let ExportAgents { customer_id, environment, agents: named, memory } = input;
        policy::allow_on(caller, Action::ExportAgents, customer_id, "customer")?;
        let reading = self.reading(caller);
        check_customer(&reading, customer_id).await?;
        if let Some(environment) = &environment {
            self.check_environment_exists(&reading, Some(customer_id), environment).await?;
        }
        let reach = reading.view.environment_filter();
        let mut memory = match memory {
            Some(share) => Some(share.try_reserve(1).map_err(Error::NoMemory)?),
            None => None,
        };
        let mut missing: HashSet<&str> = named.iter().map(String::as_str).collect();
        let (mut agents, mut after, mut bytes) = (VecDeque::new(), None, 0);
        loop {
            let page =
                reading.view.all(agent::by_name(customer_id, after.as_deref(), AGENTS_AT_ONCE)).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.name.clone());
            let ids: Vec<AgentId> = page.iter().map(|agent| agent.id).collect();
            let mut active: HashMap<AgentId, ActiveNumbers> = HashMap::new();
            for row in reading.view.all(serving::active_numbers(customer_id, &reach, &ids)).await? {
                active.entry(row.agent_id).or_default().insert(row.environment_key, Some(row.number));
            }
            for agent in page {
                if !named.is_empty() && !take_named(&mut missing, &named, &agent) {
                    continue;
                }
                let active = active.remove(&agent.id).unwrap_or_default();
                let agent = ExportedAgent::of(agent, environment.as_ref(), &reach, active);
                bytes += agent.bytes();
                agents.push_back(agent);
            }
            if let Some(memory) = &mut memory {
                memory.grow_to(bytes).map_err(Error::NoMemory)?;
            }
        }
        if let Some(missing) = missing.into_iter().next() {
            let message = format!("the customer has no agent with the name or id {missing:?}");
            return Err(Error::invalid("agent", message));
        }
        let total = u64::try_from(agents.len()).unwrap_or(u64::MAX);
        Ok(Export {
            registry: self.clone(),
            caller: caller.clone(),
            customer: customer_id,
            agents,
            total,
            sizes: VecDeque::new(),
            done: Exported::default(),
            _memory: memory,
        })
    }
}

/// Whether the agent is one of `named`, by its name or one of its ids. Takes it out of `missing`.
fn take_named<'a>(missing: &mut HashSet<&'a str>, named: &'a [String], agent: &agent::Model) -> bool {
    let (id, source) = (agent.id.to_string(), agent.source_id.map(|id| id.to_string()));
    let is_it = |text: &str| {
        let is_id = |id: &str| text.eq_ignore_ascii_case(id);
        text == agent.name || is_id(&id) || source.as_deref().is_some_and(is_id)
    };
    let mut found = false;
    for name in named.iter().filter(|name| is_it(name)) {
        found = true;
        missing.remove(name.as_str());
    }
    found
}

/// Checks that the customer exists and isn't erased.
async fn check_customer(reading: &Reading, id: CustomerId) -> Result<()> {
    let tenants = TenantFilter::Only(vec![id]);
    let found = reading.view.one(customer::by_ids(&tenants, &[id])).await?;
    match found {
        Some(found) if found.erased_at.is_none() => Ok(()),
        _ => Err(Error::NotFound("customer")),
    }
}

impl ExportedAgent {
    /// An agent that serves these versions. Of one environment, `active` is that one's version; else the default
    /// environment's, if the reader reaches it, and the other environments follow where the agent serves.
    fn of(
        agent: agent::Model,
        environment: Option<&EnvironmentKey>,
        reach: &EnvironmentFilter,
        mut places: ActiveNumbers,
    ) -> Self {
        let default = EnvironmentKey::default();
        let key = environment.unwrap_or(&default);
        let active = reach.admits(key).then(|| places.remove(key).flatten());
        let active_in = Some(places).filter(|places| environment.is_none() && !places.is_empty());
        let head = LineHead {
            id: Some(agent.source_id.unwrap_or(agent.id)),
            agent: agent.name,
            description: Some(agent.description),
            archived: Some(agent.archived_at.is_some()),
            active,
            active_in,
        };
        Self { id: agent.id, head, latest_number: agent.latest_number, written: None }
    }

    /// Begins the agent's line, unless it has begun.
    fn open(&mut self, text: &mut Vec<u8>) {
        if self.written.is_none() {
            text.extend(self.head.opening().into_bytes());
            self.written = Some(0);
        }
    }

    /// The approximate memory of the agent.
    fn bytes(&self) -> usize {
        let LineHead { agent, description, .. } = &self.head;
        let text = agent.len() + description.iter().flatten().map(String::len).sum::<usize>();
        size_of::<Self>() + text
    }
}

impl Export {
    /// The caller that the export is written for.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What has been written, and the number of all agents.
    #[must_use]
    pub fn progress(&self) -> (Exported, u64) {
        (self.done, self.total)
    }

    /// The next piece of the text, of about a MiB or one version; `None` at its end.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the customer was erased meanwhile, [`Error::Unavailable`].
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        if self.agents.is_empty() {
            return Ok(None);
        }
        let reading = self.registry.reading(&self.caller);
        // An erasure overwrites versions, so they are no longer those of the export.
        check_customer(&reading, self.customer).await?;
        if self.sizes.is_empty() {
            self.read_sizes(&reading).await?;
        }
        let mut bytes = 0;
        let fits = |version: &&SizedVersion| {
            bytes += version.bytes;
            bytes <= READ_BYTES.max(version.bytes)
        };
        let pairs: Vec<_> =
            self.sizes.iter().take_while(fits).map(|version| (version.agent, version.number)).collect();
        let rows = reading.view.all(agent_version::by_numbers(&pairs)).await?;
        drop(reading);
        let mut rows: HashMap<_, _> = rows.into_iter().map(|row| ((row.agent_id, row.number), row)).collect();
        self.sizes.drain(..pairs.len());
        let mut text = Vec::new();
        for pair in pairs {
            let row =
                rows.remove(&pair).ok_or(Error::Unavailable("a version was removed during the export"))?;
            self.write_version(LineVersion::of(row), pair, &mut text)?;
        }
        while text.len() < PIECE_BYTES && self.close_first(&mut text) {}
        Ok(Some(text))
    }

    /// Reads the sizes of the next versions, of one agent or of several.
    async fn read_sizes(&mut self, reading: &Reading) -> Result<()> {
        let mut pairs = Vec::new();
        for agent in self.agents.iter().take(AGENTS_A_PIECE) {
            let next = agent.written.unwrap_or(0) + 1;
            let room = SIZES_AT_ONCE - pairs.len();
            pairs.extend((next..=agent.latest_number).take(room).map(|number| (agent.id, number)));
            if pairs.len() >= SIZES_AT_ONCE {
                break;
            }
        }
        let rows = reading.view.all(agent_version::sizes(&pairs)).await?;
        let sizes: HashMap<_, _> =
            rows.into_iter().map(|row| ((row.agent_id, row.number), row.content_bytes)).collect();
        self.sizes = pairs
            .into_iter()
            .map(|(agent, number)| {
                let bytes = sizes.get(&(agent, number)).copied().unwrap_or(0).into();
                SizedVersion { agent, number, bytes }
            })
            .collect();
        Ok(())
    }

    /// Ends the line of the first agent if it has no further version. Returns whether it did.
    fn close_first(&mut self, text: &mut Vec<u8>) -> bool {
        let Some(agent) = self.agents.front_mut() else { return false };
        agent.open(text);
        if agent.written < Some(agent.latest_number) {
            return false;
        }
        text.extend(CLOSING.as_bytes());
        text.push(b'\n');
        self.done.agents += 1;
        self.agents.pop_front();
        true
    }

    /// Writes a version, after the lines of the agents before it.
    fn write_version(
        &mut self,
        version: LineVersion,
        (id, number): (AgentId, i32),
        text: &mut Vec<u8>,
    ) -> Result<()> {
        while self.agents.front().is_some_and(|agent| agent.id != id) && self.close_first(text) {}
        let out_of_order = || Error::Internal("an export's versions are out of order".into());
        let agent = self.agents.front_mut().filter(|agent| agent.id == id).ok_or_else(out_of_order)?;
        agent.open(text);
        if number > 1 {
            text.push(b',');
        }
        text.extend(version.write().into_bytes());
        agent.written = Some(number);
        self.done.versions += 1;
        Ok(())
    }
}
