//! The active configurations, kept in memory, ready to send: read when they are first asked for, and again when the log
//! says that they have changed.
//!
//! Nothing older than the log overwrites what is newer. A reading is entered before it begins; a change that arrives
//! meanwhile marks it, and what it brings is not kept, but read anew.

use std::{
    collections::{HashMap, hash_map::RandomState},
    fmt,
    hash::BuildHasher,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard},
};

use bytes::Bytes;
use futures_util::FutureExt;
use lru::LruCache;
use tokio::sync::watch;

use super::touched::{Touched, touched};
use crate::{
    domain::{
        Error, Registry, Result,
        change::{Change, ChangeAction},
        config::{ActiveConfig, ConfigAt, NotServed},
        version,
    },
    id::{AgentId, CustomerId},
    task::{Tasks, lock},
};

/// Into how many parts the memory is divided, each behind a lock of its own.
const SHARDS: usize = 16;
/// How many configurations are read with one query: sixteen of the largest are 25 MiB.
const PAGE: usize = 16;
/// How many such queries run at once: a restart asks for everything, and must leave connections to others.
pub(super) const READERS: usize = 2;
/// How often what changed while it was read is read anew, before whoever waits for it asks the database itself.
const ROUNDS: u8 = 3;
/// What a configuration takes beside its texts and JSON, in bytes, and what knowing that an agent serves nothing takes.
pub(super) const OVERHEAD: usize = 1024;

/// Makes of a configuration the body that is sent, and its entity tag.
pub type Render = fn(&ActiveConfig) -> Result<(Bytes, String)>;

/// A configuration, ready to send.
#[derive(Clone, Debug)]
pub struct Hot {
    /// What it is.
    pub config: Arc<ActiveConfig>,
    /// The same as a body.
    pub body: Bytes,
    /// That body's entity tag.
    pub etag: String,
}

/// What is known of an agent.
#[derive(Debug)]
pub(super) struct Known {
    /// Whose it is.
    pub(super) customer_id: CustomerId,
    /// What it serves, or why nothing.
    pub(super) serves: std::result::Result<Arc<Hot>, NotServed>,
}

/// What came of asking for it.
#[derive(Clone, Debug)]
enum Outcome {
    /// This; none when there is no such agent.
    Read(Option<Arc<Known>>),
    /// It changes faster than it can be read.
    Restless,
    /// The database could not be read.
    Failed,
}

/// The configurations in memory. Clones are the same.
#[derive(Clone)]
pub(super) struct Configs(Arc<Inner>);

struct Inner {
    registry: Registry,
    tasks: Tasks,
    render: Render,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    queue: Mutex<Queue>,
}

/// What is to be read, and how many are reading.
#[derive(Default)]
struct Queue {
    waiting: Vec<AgentId>,
    readers: usize,
}

/// A reading that has been entered, and not ended.
struct Load {
    done: watch::Sender<Option<Outcome>>,
    /// Whether what it is about has changed since it was entered, or begun anew.
    is_stale: bool,
    rounds: u8,
}

struct Shard {
    ready: LruCache<AgentId, (Arc<Known>, usize)>,
    bytes: usize,
    bytes_max: usize,
    loading: HashMap<AgentId, Load>,
}

impl fmt::Debug for Configs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Configs").finish_non_exhaustive()
    }
}

impl Configs {
    /// None yet; at most about `bytes_max` bytes of them.
    pub(super) fn new(registry: Registry, tasks: Tasks, render: Render, bytes_max: usize) -> Self {
        let shard = |_| {
            let (ready, loading) = (LruCache::unbounded(), HashMap::new());
            Mutex::new(Shard { ready, bytes: 0, bytes_max: bytes_max / SHARDS, loading })
        };
        let shards = std::array::from_fn(shard);
        Self(Arc::new(Inner {
            registry,
            tasks,
            render,
            hasher: RandomState::new(),
            shards,
            queue: Mutex::default(),
        }))
    }

    /// What is known of this agent, read first if nothing is; none when there is no such agent.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is, or changes faster than it can be read.
    pub(super) async fn get(&self, id: AgentId) -> Result<Option<Arc<Known>>> {
        let (mut done, is_new) = {
            let mut shard = self.shard(id);
            if let Some((known, _)) = shard.ready.get(&id) {
                return Ok(Some(Arc::clone(known)));
            }
            shard.enter(id)
        };
        metrics::counter!("registry_configs_missed_total").increment(1);
        if is_new {
            self.queue(id);
        }
        let outcome = done.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
        match outcome {
            Ok(Some(Outcome::Read(known))) => Ok(known),
            Ok(Some(Outcome::Restless)) => Err(Error::Unavailable("the configuration is changing")),
            Ok(Some(Outcome::Failed) | None) | Err(_) => {
                Err(Error::Unavailable("the database can't be reached"))
            }
        }
    }

    /// What is known of this agent, if it is; then it is what was asked for last.
    pub(super) fn ready(&self, id: AgentId) -> Option<Arc<Known>> {
        self.shard(id).ready.get(&id).map(|(known, _)| Arc::clone(known))
    }

    /// What is known of this agent, however old.
    pub(super) fn known(&self, id: AgentId) -> Option<Arc<Known>> {
        self.shard(id).ready.peek(&id).map(|(known, _)| Arc::clone(known))
    }

    /// A configuration that was read elsewhere, ready to send.
    ///
    /// # Errors
    /// [`Error::Internal`] when it can't be written as JSON.
    pub(super) fn render(&self, config: Arc<ActiveConfig>) -> Result<Arc<Hot>> {
        let (body, etag) = (self.0.render)(&config)?;
        Ok(Arc::new(Hot { config, body, etag }))
    }

    /// Takes note of a commit, before anybody is told that it has arrived: what it is about is forgotten, and read again
    /// at once if it was known, so that who asks next need not wait for long.
    pub(super) fn note(&self, changes: &[Arc<Change>]) {
        for change in changes {
            match touched(change) {
                Touched::Nothing => {}
                Touched::Agent(id) => {
                    let is_wanted = {
                        let mut shard = self.shard(id);
                        shard.forget(id) && shard.enter(id).1
                    };
                    if is_wanted {
                        self.queue(id);
                    }
                }
                Touched::Customer(customer) => self.forget(|known| known.customer_id == customer),
            }
            if let (ChangeAction::CustomerErased, Some(customer)) = (change.action, change.customer_id) {
                self.forget(|known| known.customer_id == customer);
            }
        }
    }

    /// Forgets all.
    pub(super) fn clear(&self) {
        self.forget(|_| true);
    }

    /// How many configurations are known, and how many bytes they take.
    pub(super) fn size(&self) -> (usize, usize) {
        let sizes = self.0.shards.iter().map(|shard| {
            let shard = lock(shard);
            (shard.ready.len(), shard.bytes)
        });
        sizes.fold((0, 0), |(count, bytes), (more, size)| (count + more, bytes + size))
    }

    /// Forgets what is like this. Of what is being read it is not known whether it is.
    fn forget(&self, is_like: impl Fn(&Known) -> bool) {
        for shard in &self.0.shards {
            let mut shard = lock(shard);
            let those = shard.ready.iter().filter(|(_, (known, _))| is_like(known));
            for id in those.map(|(id, _)| *id).collect::<Vec<_>>() {
                shard.forget(id);
            }
            shard.loading.values_mut().for_each(|load| load.is_stale = true);
        }
    }

    fn shard(&self, id: AgentId) -> MutexGuard<'_, Shard> {
        let [first, ..] = &self.0.shards;
        let place = usize::try_from(self.0.hasher.hash_one(id)).unwrap_or(0) % SHARDS;
        lock(self.0.shards.get(place).unwrap_or(first))
    }

    /// Has this read, together with what else is to be.
    fn queue(&self, id: AgentId) {
        let mut queue = lock(&self.0.queue);
        queue.waiting.push(id);
        if queue.readers < READERS {
            queue.readers += 1;
            let this = self.clone();
            // To its end, or those who wait for it would wait for ever.
            self.0.tasks.attended(async move { this.read_all().await });
        }
    }

    /// Reads until there is nothing to read.
    async fn read_all(&self) {
        loop {
            let ids: Vec<_> = {
                let mut queue = lock(&self.0.queue);
                if queue.waiting.is_empty() {
                    queue.readers -= 1;
                    return;
                }
                let first = queue.waiting.len().min(PAGE);
                queue.waiting.drain(..first).collect()
            };
            // Nobody may wait for ever for what came to a bad end.
            if AssertUnwindSafe(self.read(&ids)).catch_unwind().await.is_err() {
                tracing::error!("reading configurations panicked");
                ids.iter().for_each(|id| self.settle(*id, Outcome::Failed));
            }
        }
    }

    async fn read(&self, ids: &[AgentId]) {
        let mut found: HashMap<_, _> = match self.0.registry.configs_now(ids).await {
            Ok(configs) => configs.into_iter().map(|config| (config.agent_id, config)).collect(),
            Err(err) => {
                tracing::warn!(error = %err, "configurations can't be read");
                return ids.iter().for_each(|id| self.settle(*id, Outcome::Failed));
            }
        };
        for id in ids {
            let known = found.remove(id).map(|config| self.known_of(config)).transpose();
            let outcome = known.map_or_else(
                |err| {
                    tracing::error!(error = %err, agent = %id, "a configuration can't be sent");
                    Outcome::Failed
                },
                Outcome::Read,
            );
            self.settle(*id, outcome);
        }
    }

    fn known_of(&self, ConfigAt { agent_id: _, customer_id, config }: ConfigAt) -> Result<Arc<Known>> {
        let serves = match config {
            Ok(config) => Ok(self.render(config)?),
            Err(why) => Err(why),
        };
        Ok(Arc::new(Known { customer_id, serves }))
    }

    /// Keeps what was read and tells who waits for it, unless it has changed meanwhile: then it is read anew.
    fn settle(&self, id: AgentId, outcome: Outcome) {
        let is_again = {
            let mut shard = self.shard(id);
            shard.settle(id, outcome)
        };
        if is_again {
            self.queue(id);
        }
    }
}

impl Shard {
    /// Whom to wait for, and whether its reading is still to be queued.
    fn enter(&mut self, id: AgentId) -> (watch::Receiver<Option<Outcome>>, bool) {
        if let Some(load) = self.loading.get(&id) {
            return (load.done.subscribe(), false);
        }
        let (done, wait) = watch::channel(None);
        self.loading.insert(id, Load { done, is_stale: false, rounds: 0 });
        (wait, true)
    }

    /// Forgets what is known; says whether something was.
    fn forget(&mut self, id: AgentId) -> bool {
        if let Some(load) = self.loading.get_mut(&id) {
            load.is_stale = true;
        }
        let Some((_, bytes)) = self.ready.pop(&id) else { return false };
        self.bytes -= bytes;
        true
    }

    /// Answers whether it is to be read anew.
    fn settle(&mut self, id: AgentId, outcome: Outcome) -> bool {
        let Some(mut load) = self.loading.remove(&id) else { return false };
        let outcome = match outcome {
            Outcome::Read(_) if load.is_stale && load.rounds >= ROUNDS => Outcome::Restless,
            Outcome::Read(_) if load.is_stale => {
                load.is_stale = false;
                load.rounds += 1;
                self.loading.insert(id, load);
                return true;
            }
            Outcome::Read(known) => {
                if let Some(known) = &known {
                    self.keep(id, Arc::clone(known));
                }
                Outcome::Read(known)
            }
            failed @ (Outcome::Restless | Outcome::Failed) => failed,
        };
        load.done.send_replace(Some(outcome));
        false
    }

    fn keep(&mut self, id: AgentId, known: Arc<Known>) {
        let bytes = known.bytes();
        self.bytes += bytes;
        if let Some((_, before)) = self.ready.put(id, (known, bytes)) {
            self.bytes -= before;
        }
        while self.bytes > self.bytes_max {
            let Some((_, (_, bytes))) = self.ready.pop_lru() else { return };
            self.bytes -= bytes;
        }
    }
}

impl Known {
    /// About how much memory this takes: the texts and the JSON, and the same as a body.
    fn bytes(&self) -> usize {
        let Ok(hot) = &self.serves else { return OVERHEAD };
        OVERHEAD + hot.body.len() + weight_of(&hot.config)
    }
}

/// About how much memory a configuration's texts and JSON take.
pub(super) fn weight_of(config: &ActiveConfig) -> usize {
    let version = &config.version;
    version::weight(&version.system_prompt, &version.model_parameters, &version.tools)
}
