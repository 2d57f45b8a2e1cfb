//! A gateway's stream of active configurations: first what serves at one moment, then each change, with bookmarks to
//! come back to. What an event shows was so by its commit, however late it is read.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout};

use super::{
    hub::{Hub, WatchFilter},
    roster::Watched,
    told::Asked,
    touched::{Touched, touched},
    watch::Watch,
};
use crate::{
    domain::{
        Caller, Error, Registry, Result, Scope,
        change::{Change, ChangeAction, Cursor},
        config::{ActiveConfig, ConfigAt, NotServed, Which},
        policy::{self, Action},
    },
    id::{AgentId, CustomerId},
};

/// How many configurations are read at once: sixteen of the largest are 25 MiB.
const PAGE: u64 = 16;
/// How long after a bookmark another says how far the log has been seen, whatever happens meanwhile.
const IDLE: Duration = Duration::from_secs(10);
/// How many bytes of the hash over caller and filter a bookmark's cursor carries.
const BINDING_BYTES: usize = 4;

/// What a gateway is told.
#[derive(Clone, Debug)]
pub enum ConfigEvent {
    /// This serves, at the moment of the bookmark that follows.
    Snapshot(i64, Arc<ActiveConfig>),
    /// This serves from this commit on.
    Upsert(i64, Arc<ActiveConfig>),
    /// From this commit on this agent is not served.
    Remove(i64, AgentId, NotServed),
    /// All up to here has been told: where to come back to.
    Bookmark(i64, String),
}

/// Configurations to be told page by page.
#[derive(Clone, Copy, Debug)]
struct Sweep {
    /// As they were at the end of this commit.
    revision: i64,
    customer_id: Option<CustomerId>,
    is_snapshot: bool,
    after: Option<AgentId>,
}

/// One gateway's way through the configurations.
#[derive(Debug)]
pub struct ConfigWatch {
    registry: Registry,
    caller: Arc<Caller>,
    filter: WatchFilter,
    binding: String,
    watch: Watch,
    sweeps: VecDeque<Sweep>,
    ready: VecDeque<ConfigEvent>,
    /// The bookmark that follows what is being told.
    due: Option<Cursor>,
    /// When the last one was given.
    marked: Instant,
    /// Whether it has come back and not caught up yet.
    behind: bool,
}

impl Hub {
    /// Watches the configurations that `caller` may see and `filter` lets pass: all of them first, or what changed after
    /// the bookmark `after`.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::NotFound`] for a customer that it may not see; [`Error::CursorInvalid`] also for a
    /// bookmark of another caller's scope or another filter.
    pub async fn watch_configs(
        &self,
        caller: Arc<Caller>,
        filter: WatchFilter,
        after: Option<&str>,
    ) -> Result<ConfigWatch> {
        policy::allow(&caller, Action::ReadConfigs)?;
        let binding = binding(&caller.scope(), &filter);
        let after = after.map(|text| unbound(text, &binding)).transpose()?;
        // Changes of a customer name no agent, so agents are sorted out here and not by the hub.
        let of_customer = WatchFilter { customer_id: filter.customer_id, agent_ids: None };
        let watch = self.watch(Arc::clone(&caller), Watched::Configs, of_customer, after).await?;
        // Where it begins, when it begins with a snapshot.
        let begins = watch.mark().filter(|_| after.is_none());
        let snapshot = begins.map(|mark| Sweep {
            revision: mark.revision(),
            customer_id: None,
            is_snapshot: true,
            after: None,
        });
        Ok(ConfigWatch {
            registry: watch.registry().clone(),
            caller,
            filter,
            binding,
            sweeps: snapshot.into_iter().collect(),
            ready: VecDeque::new(),
            due: begins,
            marked: Instant::now(),
            behind: after.is_some(),
            watch,
        })
    }
}

impl ConfigWatch {
    /// The next event.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is, while it must be read, or this instance does not follow the log; [`Error::CursorTooOld`] when it has fallen
    /// behind what is kept. The watch is over then.
    pub async fn next(&mut self) -> Result<ConfigEvent> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            if let Some(sweep) = self.sweeps.pop_front() {
                self.sweep(sweep).await?;
                continue;
            }
            if let Some(mark) = self.due.take() {
                return Ok(self.bookmark(mark));
            }
            if self.behind {
                self.watch.catch_up().await?;
                if let Some(mark) = self.watch.mark() {
                    self.behind = false;
                    return Ok(self.bookmark(mark));
                }
            }
            let wait = IDLE.checked_sub(self.marked.elapsed()).filter(|wait| !wait.is_zero()).unwrap_or(IDLE);
            match timeout(wait, self.watch.next_commit()).await {
                Ok(commit) => self.tell(&commit?).await?,
                Err(_) if !self.watch.is_followed() => {
                    return Err(Error::Unavailable("this instance does not follow the log"));
                }
                Err(_) => {
                    if let Some(mark) = self.watch.mark() {
                        return Ok(self.bookmark(mark));
                    }
                }
            }
        }
    }

    fn bookmark(&mut self, mark: Cursor) -> ConfigEvent {
        self.marked = Instant::now();
        ConfigEvent::Bookmark(mark.revision(), format!("{mark}.{}", self.binding))
    }

    /// Reads the next page of a sweep.
    async fn sweep(&mut self, sweep: Sweep) -> Result<()> {
        let Sweep { revision, customer_id, is_snapshot, after } = sweep;
        let which = Which {
            customer_id: customer_id.or(self.filter.customer_id),
            agent_ids: self.filter.agent_ids.as_deref(),
        };
        let asked = Asked::Page {
            scope: self.caller.scope(),
            revision,
            customer_id: which.customer_id,
            agent_ids: self.filter.agent_ids.clone(),
            after,
        };
        let reading = self.registry.reading(&self.caller);
        let read = self.registry.configs_page_at(&reading, revision, which, after, PAGE);
        let page = self.watch.readings().get(asked, read).await?;
        if let Some(last) = page.last().filter(|_| u64::try_from(page.len()).is_ok_and(|len| len >= PAGE)) {
            self.sweeps.push_front(Sweep { after: Some(last.agent_id), ..sweep });
        }
        for ConfigAt { agent_id, customer_id: _, config } in page.iter().cloned() {
            match config {
                Ok(config) if is_snapshot => self.ready.push_back(ConfigEvent::Snapshot(revision, config)),
                Ok(config) => self.ready.push_back(ConfigEvent::Upsert(revision, config)),
                // A snapshot holds what is served; what is not is not told of.
                Err(_) if is_snapshot => {}
                Err(why) => self.ready.push_back(ConfigEvent::Remove(revision, agent_id, why)),
            }
        }
        Ok(())
    }

    /// Tells what a commit changed of the configurations.
    async fn tell(&mut self, commit: &[Arc<Change>]) -> Result<()> {
        let Some(last) = commit.last() else { return Ok(()) };
        let revision = last.revision;
        let mut agents = BTreeSet::new();
        for change in commit {
            match touched(change) {
                Touched::Nothing => {}
                Touched::Customer(customer) => self.sweeps.push_back(Sweep {
                    revision,
                    customer_id: Some(customer),
                    is_snapshot: false,
                    after: None,
                }),
                Touched::Agent(agent) => {
                    let wanted = self.filter.agent_ids.as_ref().is_none_or(|ids| ids.contains(&agent));
                    agents.extend(wanted.then_some(agent));
                }
            }
        }
        let stopped = |agent| {
            let stops = |change: &Arc<Change>| change.action == ChangeAction::AgentDeactivated;
            commit.iter().filter(|change| change.agent_id == Some(agent)).any(stops)
        };
        let agents: Vec<AgentId> = agents.into_iter().collect();
        let configs = match agents.as_slice() {
            [] => Arc::default(),
            some => {
                let asked = Asked::Agents(self.caller.scope(), revision, agents.clone());
                let reading = self.registry.reading(&self.caller);
                let read = self.registry.configs_at(&reading, revision, some);
                self.watch.readings().get(asked, read).await?
            }
        };
        for ConfigAt { agent_id, customer_id: _, config } in configs.iter().cloned() {
            match config {
                Ok(config) => self.ready.push_back(ConfigEvent::Upsert(revision, config)),
                // Whose customer is not served was taken away when that began.
                Err(NotServed::Suspended | NotServed::Canceled) => {}
                Err(why) if stopped(agent_id) => {
                    self.ready.push_back(ConfigEvent::Remove(revision, agent_id, why));
                }
                // It has another name now, and served nothing before and after.
                Err(_) => {}
            }
        }
        // Who comes back to the middle of a commit would miss the rest of it; and where there is always something to
        // tell, nobody would ever be told where to come back to.
        if self.ready.len() > 1 || !self.sweeps.is_empty() || self.marked.elapsed() >= IDLE {
            self.due = Some(Cursor::of(last));
        }
        Ok(())
    }
}

/// What binds a bookmark to whom it was given and for what: who sees other rows would miss some.
fn binding(scope: &Scope, filter: &WatchFilter) -> String {
    let digest = Sha256::digest(bound(scope, filter));
    hex::encode(digest.get(..BINDING_BYTES).unwrap_or_default())
}

/// What a bookmark's hash is over. Saved bookmarks hold it, so it is spelled out here and never changes: as the first release
/// spelled it, whatever types are called by now. A caller's customers come sorted.
fn bound(scope: &Scope, filter: &WatchFilter) -> String {
    let WatchFilter { customer_id, agent_ids } = filter;
    let customer = |id: &CustomerId| format!("CustomerId({id})");
    let scope = match scope {
        Scope::Auth => "Auth".to_owned(),
        Scope::Joining(id) => format!("Joining({})", customer(id)),
        Scope::Runtime => "Runtime".to_owned(),
        Scope::Platform => "Platform".to_owned(),
        Scope::Customers(ids) => {
            format!("Customers([{}])", ids.iter().map(customer).collect::<Vec<_>>().join(", "))
        }
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
    format!("{scope} {only} {agents}")
}

/// The place in the log that a bookmark names, if it was given to such a caller for such a filter. A bare revision is
/// bound to nobody.
fn unbound(text: &str, binding: &str) -> Result<Cursor> {
    match text.rsplit_once('.') {
        None => text.parse(),
        Some((cursor, bound)) if bound == binding => cursor.parse(),
        Some(_) => Err(Error::CursorInvalid),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Bookmarks that were saved by the first release hold these.
    #[test]
    fn what_binds_a_bookmark_is_what_it_always_was() {
        let customer = |nth: u128| CustomerId::from(Uuid::from_u128(nth));
        let agent = |nth: u128| AgentId::from(Uuid::from_u128(nth));
        let filter = |customer_id: Option<CustomerId>, agents: Option<&[AgentId]>| WatchFilter {
            customer_id,
            agent_ids: agents.map(Arc::from),
        };
        let all = filter(None, None);
        let cases = [
            (Scope::Runtime, all.clone(), "bcc43f57"),
            (Scope::Platform, all.clone(), "2be2a927"),
            (Scope::Customers(vec![]), all.clone(), "5e3a7024"),
            (Scope::Customers(vec![customer(0xa1)]), all.clone(), "0b979548"),
            (Scope::Customers(vec![customer(0xa1), customer(0xb2)]), all, "54a7179c"),
            (Scope::Runtime, filter(Some(customer(0xa1)), None), "217ac9ce"),
            // In whatever order, and however often, agents are named.
            (Scope::Runtime, filter(None, Some(&[agent(2), agent(1), agent(2)])), "b60b07ed"),
            (Scope::Runtime, filter(None, Some(&[agent(1), agent(2)])), "b60b07ed"),
            (Scope::Runtime, filter(None, Some(&[])), "4603111d"),
        ];
        for (scope, filter, expected) in cases {
            assert_eq!(binding(&scope, &filter), expected, "{scope:?} {filter:?}");
        }
    }
}
