//! A gateway's stream of active configurations: a snapshot of one commit, then each change, with bookmarks to
//! resume from. Each event shows the configuration as of its commit, however late it is read.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout};

use super::{
    affected_configs::{AffectedConfigs, affected_configs},
    config_read_cache::ConfigReadKey,
    subscriber_registry::Watched,
    watch::Watch,
    watch_source::{WatchFilter, WatchSource},
};
use crate::{
    domain::{
        Caller, Error, Registry, Result, Scope,
        change::{Change, ChangeAction, Cursor},
        config::{ActiveConfig, ConfigAt, ConfigSelection, NotServed},
        environment::EnvironmentKey,
        policy::{self, Action},
    },
    id::{AgentId, CustomerId, Revision},
};

/// How many configurations one query reads: sixteen of the largest take 25 MiB.
const PAGE: u64 = 16;
/// How long after a bookmark the next one is due, whether the stream is idle or busy. After an event that the reader
/// takes later than that, an idle stream waits this long once more.
const IDLE: Duration = Duration::from_secs(10);
/// How many bytes of the hash over scope and filter a bookmark carries.
const BINDING_BYTES: usize = 4;

/// An event of the stream.
#[derive(Clone, Debug)]
pub enum ConfigEvent {
    /// A configuration of the snapshot, active as of the snapshot's commit. A bookmark follows the last one.
    Snapshot(Revision, Arc<ActiveConfig>),
    /// A configuration that is active from this commit on.
    Upsert(Revision, Arc<ActiveConfig>),
    /// An agent that isn't served from this commit on, and why.
    Remove(Revision, AgentId, NotServed),
    /// All events up to this commit have been sent. The text is the cursor to resume from.
    Bookmark(Revision, String),
}

/// A set of configurations to read page by page: the snapshot, or all of one customer.
#[derive(Clone, Copy, Debug)]
struct Sweep {
    /// The commit at whose end the configurations are read.
    revision: Revision,
    customer_id: Option<CustomerId>,
    is_snapshot: bool,
    after: Option<AgentId>,
}

/// A gateway's watch of configurations.
#[derive(Debug)]
pub struct ConfigWatch {
    registry: Registry,
    caller: Arc<Caller>,
    filter: WatchFilter,
    environment: EnvironmentKey,
    binding: String,
    watch: Watch,
    sweeps: VecDeque<Sweep>,
    ready: VecDeque<ConfigEvent>,
    /// The removals of agents that the caller names and can't see. They follow the snapshot, because gateways accept
    /// no removal within one.
    unknown: VecDeque<ConfigEvent>,
    /// The bookmark to send once `ready` and `sweeps` are empty.
    due: Option<Cursor>,
    /// When the last bookmark was sent, or the watch began.
    bookmarked_at: Instant,
    /// Whether the watch was resumed and hasn't reached the log's head yet.
    behind: bool,
}

impl WatchSource {
    /// Starts a watch of the configurations that `caller` may see and `filter` admits: from a snapshot, or with
    /// the changes after the bookmark `after`.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::NotFound`] for a customer that the caller may not see;
    /// [`Error::CursorInvalid`], also for a bookmark of another scope or filter; [`Error::CursorTooOld`];
    /// [`Error::Unavailable`].
    pub(super) async fn watch_configs(
        &self,
        caller: Arc<Caller>,
        filter: WatchFilter,
        environment: EnvironmentKey,
        after: Option<&str>,
    ) -> Result<ConfigWatch> {
        policy::allow(&caller, Action::ReadConfigs)?;
        let binding = binding(&caller.scope(), &filter, &environment);
        let after = after.map(|text| parse_bookmark(text, &binding)).transpose()?;
        let wanted = WatchFilter { environments: Some([environment.clone()].into()), ..filter.clone() };
        let watch = self.watch(Arc::clone(&caller), Watched::Configs, wanted, after).await?;
        // Agents that the caller names and can't see will have no other event.
        let (customer, agents) = (filter.customer_id, filter.agent_ids.as_deref().unwrap_or_default());
        let unknown = match agents {
            [] => Vec::new(),
            _ => {
                let reading = watch.registry().reading(&caller);
                watch.registry().unknown_agents(&reading, customer, agents).await?
            }
        };
        let revision = watch.cursor().or(after).map_or(Revision::ZERO, |cursor| cursor.revision());
        let unknown = unknown.into_iter().map(|id| ConfigEvent::Remove(revision, id, NotServed::NotFound));
        // The snapshot's commit, unless the watch is resumed.
        let begins = watch.cursor().filter(|_| after.is_none());
        let snapshot = begins.map(|cursor| Sweep {
            revision: cursor.revision(),
            customer_id: None,
            is_snapshot: true,
            after: None,
        });
        Ok(ConfigWatch {
            registry: watch.registry().clone(),
            caller,
            filter,
            environment,
            binding,
            sweeps: snapshot.into_iter().collect(),
            ready: VecDeque::new(),
            unknown: unknown.collect(),
            due: begins,
            bookmarked_at: Instant::now(),
            behind: after.is_some(),
            watch,
        })
    }
}

impl ConfigWatch {
    /// Returns the next event.
    ///
    /// # Errors
    /// The watch is over after an error. [`Error::Unavailable`] when the database must be read and can't be, or
    /// this instance doesn't follow the log any more; [`Error::CursorTooOld`] when entries that it hasn't read
    /// were pruned; [`Error::CursorInvalid`] when the log has diverged.
    pub async fn next(&mut self) -> Result<ConfigEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            if let Some(sweep) = self.sweeps.pop_front() {
                self.sweep(sweep).await?;
                continue;
            }
            if let Some(cursor) = self.due.take() {
                return Ok(self.bookmark(cursor));
            }
            if let Some(event) = self.unknown.pop_front() {
                return Ok(event);
            }
            if self.behind {
                self.watch.catch_up().await?;
                if let Some(cursor) = self.watch.cursor() {
                    self.behind = false;
                    return Ok(self.bookmark(cursor));
                }
            }
            let wait =
                IDLE.checked_sub(self.bookmarked_at.elapsed()).filter(|wait| !wait.is_zero()).unwrap_or(IDLE);
            match timeout(wait, self.watch.next_commit()).await {
                Ok(commit) => self.queue_events(&commit?).await?,
                Err(_) if !self.watch.is_log_followed() => {
                    return Err(Error::Unavailable("this instance does not follow the log"));
                }
                Err(_) => {
                    if let Some(cursor) = self.watch.cursor() {
                        return Ok(self.bookmark(cursor));
                    }
                }
            }
        }
    }

    fn bookmark(&mut self, cursor: Cursor) -> ConfigEvent {
        self.bookmarked_at = Instant::now();
        ConfigEvent::Bookmark(cursor.revision(), format!("{cursor}.{}", self.binding))
    }

    /// Reads the next page of a sweep into `ready`.
    async fn sweep(&mut self, sweep: Sweep) -> Result<()> {
        let Sweep { revision, customer_id, is_snapshot, after } = sweep;
        let which = ConfigSelection {
            environment: &self.environment,
            customer_id: customer_id.or(self.filter.customer_id),
            agent_ids: self.filter.agent_ids.as_deref(),
        };
        let asked = ConfigReadKey::Page {
            scope: self.caller.scope(),
            environment: self.environment.clone(),
            revision,
            customer_id: which.customer_id,
            agent_ids: self.filter.agent_ids.clone(),
            after,
        };
        let (registry, caller, which) = (&self.registry, &self.caller, &which);
        let read = || async move {
            registry.configs_page_at(&registry.reading(caller), revision, *which, after, PAGE).await
        };
        let page = self.watch.config_reads().get(asked, self.caller.share_holder(), read).await?;
        if let Some(last) = page.last().filter(|_| u64::try_from(page.len()).is_ok_and(|len| len >= PAGE)) {
            self.sweeps.push_front(Sweep { after: Some(last.agent_id), ..sweep });
        }
        for ConfigAt { agent_id, environment_key: _, customer_id: _, config } in page.iter().cloned() {
            match config {
                Ok(config) if is_snapshot => self.ready.push_back(ConfigEvent::Snapshot(revision, config)),
                Ok(config) => self.ready.push_back(ConfigEvent::Upsert(revision, config)),
                // A snapshot lists only configurations that are served.
                Err(_) if is_snapshot => {}
                Err(why) => self.ready.push_back(ConfigEvent::Remove(revision, agent_id, why)),
            }
        }
        Ok(())
    }

    /// Turns a commit into events, and into sweeps where it affects a whole customer.
    async fn queue_events(&mut self, commit: &[Arc<Change>]) -> Result<()> {
        let Some(last) = commit.last() else { return Ok(()) };
        let revision = last.revision;
        let mut agents = BTreeSet::new();
        for change in commit {
            match affected_configs(change) {
                AffectedConfigs::Nothing => {}
                AffectedConfigs::Customer(customer) => self.sweeps.push_back(Sweep {
                    revision,
                    customer_id: Some(customer),
                    is_snapshot: false,
                    after: None,
                }),
                AffectedConfigs::Serving(_, environment) if environment != self.environment => {}
                AffectedConfigs::Serving(agent, _) | AffectedConfigs::Agent(agent) => {
                    let wanted = self.filter.agent_ids.as_ref().is_none_or(|ids| ids.contains(&agent));
                    agents.extend(wanted.then_some(agent));
                }
            }
        }
        let stopped = |agent| {
            let stops = |change: &Arc<Change>| {
                change.action == ChangeAction::AgentDeactivated
                    && change.environment_key() == self.environment
            };
            commit.iter().filter(|change| change.agent_id == Some(agent)).any(stops)
        };
        let agents: Vec<AgentId> = agents.into_iter().collect();
        let configs = match agents.as_slice() {
            [] => Arc::default(),
            some => {
                let (scope, environment) = (self.caller.scope(), self.environment.clone());
                let asked = ConfigReadKey::Agents(scope, environment, revision, agents.clone());
                let (registry, caller, at) = (&self.registry, &self.caller, (revision, &self.environment));
                let read = || async move { registry.configs_at(&registry.reading(caller), at, some).await };
                self.watch.config_reads().get(asked, self.caller.share_holder(), read).await?
            }
        };
        for ConfigAt { agent_id, environment_key: _, customer_id: _, config } in configs.iter().cloned() {
            match config {
                Ok(config) => self.ready.push_back(ConfigEvent::Upsert(revision, config)),
                // The sweep of the commit that suspended the customer has sent the removal.
                Err(NotServed::Suspended | NotServed::Canceled) => {}
                Err(why) if stopped(agent_id) => {
                    self.ready.push_back(ConfigEvent::Remove(revision, agent_id, why));
                }
                // The agent was renamed, and was not active before either.
                Err(_) => {}
            }
        }
        // A bookmark never splits a commit, or resuming would miss its rest. On a stream that is never idle, one
        // is due every [`IDLE`].
        if self.ready.len() > 1 || !self.sweeps.is_empty() || self.bookmarked_at.elapsed() >= IDLE {
            self.due = Some(Cursor::of(last));
        }
        Ok(())
    }
}

/// Hashes scope, filter and environment into a bookmark, because a caller that sees other rows would miss changes when it
/// resumes.
fn binding(scope: &Scope, filter: &WatchFilter, environment: &EnvironmentKey) -> String {
    let digest = Sha256::digest(hashed_text(scope, filter, environment));
    hex::encode(digest.get(..BINDING_BYTES).unwrap_or_default())
}

/// The text that is hashed into bookmarks. Clients keep bookmarks, so it must stay byte for byte as the first
/// release wrote it, even when types are renamed. The customers of a scope are sorted already.
fn hashed_text(scope: &Scope, filter: &WatchFilter, environment: &EnvironmentKey) -> String {
    let WatchFilter { customer_id, agent_ids, environments: _ } = filter;
    let customer = |id: &CustomerId| format!("CustomerId({id})");
    let customers = |ids: &[CustomerId]| ids.iter().map(customer).collect::<Vec<_>>().join(", ");
    let scope = match scope {
        Scope::Auth => "Auth".to_owned(),
        Scope::Joining(id) => format!("Joining({})", customer(id)),
        Scope::Runtime => "Runtime".to_owned(),
        Scope::Platform => "Platform".to_owned(),
        Scope::LimitedRuntime(ids) => format!("LimitedRuntime([{}])", customers(ids)),
        Scope::Customers(ids) => format!("Customers([{}])", customers(ids)),
    };
    let only = customer_id.as_ref().map_or_else(|| "None".to_owned(), |id| format!("Some({})", customer(id)));
    let agents = agent_ids.as_ref().map_or_else(
        || "None".to_owned(),
        |ids| {
            let sorted: BTreeSet<AgentId> = ids.iter().copied().collect();
            let names: Vec<_> = sorted.iter().map(|id| format!("AgentId({id})")).collect();
            format!("Some({{{}}})", names.join(", "))
        },
    );
    // The default environment isn't in the text, as no environment was in that of the first release.
    let place = if environment.is_default() { String::new() } else { format!(" Environment({environment})") };
    format!("{scope} {only} {agents}{place}")
}

/// Parses a bookmark and checks that it was issued for this scope and filter. A bare revision isn't bound to
/// either.
fn parse_bookmark(text: &str, binding: &str) -> Result<Cursor> {
    match text.rsplit_once('.') {
        None => text.parse(),
        Some((cursor, bound)) if bound == binding => cursor.parse(),
        // Of other arguments, or of a subscription whose cursors aren't bound to any.
        Some(_) => Err(text.parse::<Cursor>().err().unwrap_or(Error::CursorOfAnother)),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// These hashes are in bookmarks that clients saved with the first release.
    #[test]
    fn what_binds_a_bookmark_is_what_it_always_was() {
        let customer = |nth: u128| CustomerId::from(Uuid::from_u128(nth));
        let agent = |nth: u128| AgentId::from(Uuid::from_u128(nth));
        let filter = |customer_id: Option<CustomerId>, agents: Option<&[AgentId]>| WatchFilter {
            customer_id,
            agent_ids: agents.map(Arc::from),
            environments: None,
        };
        let all = filter(None, None);
        let cases = [
            (Scope::Runtime, all.clone(), "bcc43f57"),
            (Scope::LimitedRuntime(vec![customer(0xa1)]), all.clone(), "9828ba3e"),
            (Scope::Platform, all.clone(), "2be2a927"),
            (Scope::Customers(vec![]), all.clone(), "5e3a7024"),
            (Scope::Customers(vec![customer(0xa1)]), all.clone(), "0b979548"),
            (Scope::Customers(vec![customer(0xa1), customer(0xb2)]), all, "54a7179c"),
            (Scope::Runtime, filter(Some(customer(0xa1)), None), "217ac9ce"),
            // The order and repetition of agents don't matter.
            (Scope::Runtime, filter(None, Some(&[agent(2), agent(1), agent(2)])), "b60b07ed"),
            (Scope::Runtime, filter(None, Some(&[agent(1), agent(2)])), "b60b07ed"),
            (Scope::Runtime, filter(None, Some(&[])), "4603111d"),
        ];
        for (scope, filter, expected) in cases {
            let (default, staging) = (EnvironmentKey::default(), "staging".parse().unwrap());
            assert_eq!(binding(&scope, &filter, &default), expected, "{scope:?} {filter:?}");
            assert_ne!(binding(&scope, &filter, &staging), expected, "{scope:?} {filter:?}");
        }
    }
}
