//! An in-memory cache of active configurations as ready-made response bodies. An entry is loaded on its first
//! request, and reloaded when the log says that it has changed.
//!
//! A stale read never overwrites a newer one. Each load is registered before it reads the database; a change that
//! arrives meanwhile marks the load stale, and its result is discarded and read again.

use std::{
    collections::{HashMap, hash_map::RandomState},
    fmt,
    hash::BuildHasher,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard},
};

use futures_util::FutureExt;
use quick_cache::unsync::Cache;
use tokio::sync::watch;

use super::{
    affected_configs::{AffectedConfigs, affected_configs},
    config_entry::{CacheEntry, ConfigKey, Render, RenderedConfig},
};
use crate::{
    cache::{ByBytes, Weighed, fair_cache},
    domain::{
        Error, Registry, Result,
        change::{Change, ConfigEffect},
        config::{ActiveConfig, ConfigAt},
    },
    id::AgentId,
    task::{Tasks, lock},
};

/// How many shards the cache has at most, each with its own lock.
const SHARDS: usize = 16;
/// What a shard holds at least, if the whole cache is that large. It takes entries of up to half of that, and the largest
/// configuration takes 1.6 MiB.
const SHARD_BYTES: usize = 4 * 1024 * 1024;
/// How many configurations one query reads: sixteen of the largest take 25 MiB.
const PAGE: usize = 16;
/// How many such queries run at once: after a restart every agent is a miss, and requests need connections too.
pub(super) const READERS: usize = 2;
/// How often a load that became stale is repeated, before its waiters read the database themselves.
const RELOADS_MAX: u8 = 3;
/// About what an entry takes, to estimate how many there are.
const ENTRY_BYTES: usize = 16 * 1024;

/// The result of a load.
#[derive(Clone, Debug)]
enum LoadResult {
    /// The entry; `None` when no such agent exists, or its customer has no such environment.
    Read(Option<Arc<CacheEntry>>),
    /// The agent changed again during each repetition of the load.
    Contended,
    /// The database couldn't be read, or the configuration couldn't be serialised.
    Failed,
}

/// The cache of active configurations. Cheap to clone; clones share state.
#[derive(Clone)]
pub(super) struct ConfigCache(Arc<Inner>);

struct Inner {
    registry: Registry,
    tasks: Tasks,
    render: Render,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    /// How many of the shards hold entries: fewer in a small cache.
    used: usize,
    queue: Mutex<Queue>,
}

/// The configurations to load, and how many readers run.
#[derive(Default)]
struct Queue {
    waiting: Vec<ConfigKey>,
    readers: usize,
}

/// A load in progress.
struct Load {
    done: watch::Sender<Option<LoadResult>>,
    /// Whether the agent has changed since this load, or its last repetition, was registered.
    is_stale: bool,
    rounds: u8,
}

struct Shard {
    /// An entry heavier than half of the shard is refused: its requests read the database each time, and such an agent
    /// has no fallback while the database is down.
    entries: Cache<ConfigKey, Weighed<Arc<CacheEntry>>, ByBytes>,
    loading: HashMap<ConfigKey, Load>,
}

impl fmt::Debug for ConfigCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigCache").finish_non_exhaustive()
    }
}

impl ConfigCache {
    /// Creates an empty cache of at most about `bytes_max` bytes.
    pub(super) fn new(registry: Registry, tasks: Tasks, render: Render, bytes_max: usize) -> Self {
        let used = (bytes_max / SHARD_BYTES).clamp(1, SHARDS);
        let (count, bytes) = (bytes_max / used / ENTRY_BYTES, u64::try_from(bytes_max / used));
        let shard = |_| {
            let entries = fair_cache(count, bytes.unwrap_or(u64::MAX), ByBytes);
            Mutex::new(Shard { entries, loading: HashMap::new() })
        };
        let shards = std::array::from_fn(shard);
        Self(Arc::new(Inner {
            registry,
            tasks,
            render,
            hasher: RandomState::new(),
            shards,
            used,
            queue: Mutex::default(),
        }))
    }

    /// Returns the entry of this agent and environment, loading it on a miss; `None` when no such agent exists, or its
    /// customer has no such environment.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is, or when the agent changes faster than it can be read.
    pub(super) async fn get(&self, key: &ConfigKey) -> Result<Option<Arc<CacheEntry>>> {
        let (mut done, is_new) = {
            let mut shard = self.shard(key.0);
            if let Some(known) = shard.entries.get(key) {
                return Ok(Some(Arc::clone(&known.value)));
            }
            shard.join_or_start_load(key)
        };
        metrics::counter!("registry_configs_missed_total").increment(1);
        if is_new {
            self.enqueue(key.clone());
        }
        let outcome = done.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
        match outcome {
            Ok(Some(LoadResult::Read(known))) => Ok(known),
            Ok(Some(LoadResult::Contended)) => Err(Error::Unavailable("the configuration is changing")),
            Ok(Some(LoadResult::Failed) | None) | Err(_) => {
                Err(Error::Unavailable("the database can't be reached"))
            }
        }
    }

    /// Returns the entry of this agent and environment without loading it, and counts it as used.
    pub(super) fn get_if_cached(&self, key: &ConfigKey) -> Option<Arc<CacheEntry>> {
        self.shard(key.0).entries.get(key).map(|known| Arc::clone(&known.value))
    }

    /// Returns the entry of this agent and environment without loading it or marking it as used. The caller must accept that it
    /// may be stale.
    pub(super) fn peek(&self, key: &ConfigKey) -> Option<Arc<CacheEntry>> {
        self.shard(key.0).entries.peek(key).map(|known| Arc::clone(&known.value))
    }

    /// Serialises a configuration that was read elsewhere.
    ///
    /// # Errors
    /// [`Error::Internal`] when it can't be serialised as JSON.
    pub(super) fn render(&self, config: Arc<ActiveConfig>) -> Result<Arc<RenderedConfig>> {
        let (body, etag) = (self.0.render)(&config)?;
        Ok(Arc::new(RenderedConfig { config, body, etag }))
    }

    /// Evicts the entries that a commit affects, before the commit is broadcast. A changed agent that was cached
    /// is reloaded at once, so that the next request for it waits less.
    pub(super) fn invalidate(&self, changes: &[Arc<Change>]) {
        for change in changes {
            match affected_configs(change) {
                AffectedConfigs::Nothing | AffectedConfigs::Customer(_) => {}
                AffectedConfigs::Serving(agent, environment) => {
                    self.reload(agent, |shard| {
                        let key = (agent, environment);
                        if shard.evict(&key) { vec![key] } else { Vec::new() }
                    });
                }
                AffectedConfigs::Agent(agent) => self.reload(agent, |shard| shard.evict_agent(agent)),
            }
            // Also when a suspended customer is canceled: the entries say why nothing is served.
            let effects = change.action.effects();
            if (effects.erases || matches!(effects.configs, ConfigEffect::OfCustomer))
                && let Some(customer) = change.customer_id
            {
                self.evict_matching(|known| known.customer_id == customer);
            }
        }
    }

    /// Evicts entries of an agent, and loads those again that were cached.
    fn reload(&self, agent: AgentId, evict: impl FnOnce(&mut Shard) -> Vec<ConfigKey>) {
        let wanted: Vec<ConfigKey> = {
            let mut shard = self.shard(agent);
            let evicted = evict(&mut shard);
            evicted.into_iter().filter(|key| shard.join_or_start_load(key).1).collect()
        };
        wanted.into_iter().for_each(|key| self.enqueue(key));
    }

    /// Evicts all entries.
    pub(super) fn clear(&self) {
        self.evict_matching(|_| true);
    }

    /// How many entries the cache holds, and how many bytes they take.
    pub(super) fn size(&self) -> (usize, usize) {
        let sizes = self.0.shards.iter().map(|shard| {
            let shard = lock(shard);
            (shard.entries.len(), usize::try_from(shard.entries.weight()).unwrap_or(usize::MAX))
        });
        sizes.fold((0, 0), |(count, bytes), (more, size)| (count + more, bytes + size))
    }

    /// Evicts entries that match. Loads in progress are always marked stale, since we can't tell yet whether they
    /// match.
    fn evict_matching(&self, is_like: impl Fn(&CacheEntry) -> bool) {
        for shard in &self.0.shards {
            let mut shard = lock(shard);
            shard.entries.retain(|_, known| !is_like(&known.value));
            shard.loading.values_mut().for_each(|load| load.is_stale = true);
        }
    }

    /// The shard of an agent, with its configurations in all environments.
    fn shard(&self, id: AgentId) -> MutexGuard<'_, Shard> {
        let [first, ..] = &self.0.shards;
        let place = usize::try_from(self.0.hasher.hash_one(id)).unwrap_or(0) % self.0.used;
        lock(self.0.shards.get(place).unwrap_or(first))
    }

    /// Queues a load, and starts a reader unless [`READERS`] run already.
    fn enqueue(&self, key: ConfigKey) {
        let mut queue = lock(&self.0.queue);
        queue.waiting.push(key);
        if queue.readers < READERS {
            queue.readers += 1;
            let this = self.clone();
            // Runs to completion even if the request is dropped: others wait for its result.
            self.0.tasks.spawn_tracked(async move { this.read_all().await });
        }
    }

    /// Loads queued configurations, up to [`PAGE`] at once, until the queue is empty.
    async fn read_all(&self) {
        loop {
            let keys: Vec<_> = {
                let mut queue = lock(&self.0.queue);
                if queue.waiting.is_empty() {
                    queue.readers -= 1;
                    return;
                }
                let first = queue.waiting.len().min(PAGE);
                queue.waiting.drain(..first).collect()
            };
            // After a panic the loads must still end, or their waiters would wait for ever.
            if AssertUnwindSafe(self.read(&keys)).catch_unwind().await.is_err() {
                tracing::error!("reading configurations panicked");
                keys.iter().for_each(|key| self.finish_load(key, LoadResult::Failed));
            }
        }
    }

    async fn read(&self, keys: &[ConfigKey]) {
        let mut found: HashMap<_, _> = match self.0.registry.configs_now(keys).await {
            Ok(configs) => {
                let key = |config: &ConfigAt| (config.agent_id, config.environment_key.clone());
                configs.into_iter().map(|config| (key(&config), config)).collect()
            }
            Err(err) => {
                tracing::warn!(error = %err, "can't read configurations");
                return keys.iter().for_each(|key| self.finish_load(key, LoadResult::Failed));
            }
        };
        for key in keys {
            let known = found.remove(key).map(|config| self.cache_entry(config)).transpose();
            let outcome = known.map_or_else(
                |err| {
                    tracing::error!(error = %err, agent = %key.0, "can't serialise a configuration");
                    LoadResult::Failed
                },
                LoadResult::Read,
            );
            self.finish_load(key, outcome);
        }
    }

    fn cache_entry(
        &self,
        ConfigAt { agent_id: _, environment_key: _, customer_id, config }: ConfigAt,
    ) -> Result<Arc<CacheEntry>> {
        let serves = match config {
            Ok(config) => Ok(self.render(config)?),
            Err(why) => Err(why),
        };
        Ok(Arc::new(CacheEntry { customer_id, serves }))
    }

    /// Ends a load: stores the result and wakes its waiters. If the configuration has changed meanwhile, queues the load
    /// again.
    fn finish_load(&self, key: &ConfigKey, outcome: LoadResult) {
        let is_again = {
            let mut shard = self.shard(key.0);
            shard.finish_load(key, outcome)
        };
        if is_again {
            self.enqueue(key.clone());
        }
    }
}

impl Shard {
    /// Joins the load of this configuration, or registers a new one. Returns the channel to wait on, and whether the
    /// caller must queue the load.
    fn join_or_start_load(&mut self, key: &ConfigKey) -> (watch::Receiver<Option<LoadResult>>, bool) {
        if let Some(load) = self.loading.get(key) {
            return (load.done.subscribe(), false);
        }
        let (done, wait) = watch::channel(None);
        self.loading.insert(key.clone(), Load { done, is_stale: false, rounds: 0 });
        (wait, true)
    }

    /// Evicts this configuration and marks its load stale. Returns whether it was cached.
    fn evict(&mut self, key: &ConfigKey) -> bool {
        if let Some(load) = self.loading.get_mut(key) {
            load.is_stale = true;
        }
        self.entries.remove(key).is_some()
    }

    /// Evicts an agent's configurations in all environments, and marks their loads stale. Returns those that were cached.
    fn evict_agent(&mut self, agent: AgentId) -> Vec<ConfigKey> {
        let loading = self.loading.iter_mut().filter(|((id, _), _)| *id == agent);
        loading.for_each(|(_, load)| load.is_stale = true);
        let cached = self.entries.iter().map(|(key, _)| key).filter(|(id, _)| *id == agent);
        let evicted: Vec<ConfigKey> = cached.cloned().collect();
        evicted.iter().for_each(|key| drop(self.entries.remove(key)));
        evicted
    }

    /// Ends a load. Returns whether it must be queued again.
    fn finish_load(&mut self, key: &ConfigKey, outcome: LoadResult) -> bool {
        let Some(mut load) = self.loading.remove(key) else { return false };
        let outcome = match outcome {
            LoadResult::Read(_) if load.is_stale && load.rounds >= RELOADS_MAX => LoadResult::Contended,
            LoadResult::Read(_) if load.is_stale => {
                load.is_stale = false;
                load.rounds += 1;
                self.loading.insert(key.clone(), load);
                return true;
            }
            LoadResult::Read(known) => {
                if let Some(known) = &known {
                    self.entries.insert(key.clone(), Weighed::new(Arc::clone(known), known.bytes()));
                }
                LoadResult::Read(known)
            }
            failed @ (LoadResult::Contended | LoadResult::Failed) => failed,
        };
        load.done.send_replace(Some(outcome));
        false
    }
}
