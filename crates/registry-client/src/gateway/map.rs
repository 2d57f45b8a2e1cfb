//! What a gateway holds of the stream, twice.
//!
//! `live` is what it serves. An UPSERT or a REMOVE is applied to it the moment it comes: nobody can tell from an event
//! whether its commit has another, and to wait for the next BOOKMARK could mean to serve for ten seconds what was
//! suspended. No agent in it ever goes back to an earlier commit, also not while a resumed stream tells again what is
//! known.
//!
//! `marked` is what it saves: exactly what served at the last BOOKMARK, together with its cursor. What came since is
//! staged until the next one, and forgotten when the stream breaks: it is told again from the cursor.
//!
//! A snapshot is gathered beside both and takes their place at its BOOKMARK, so that neither is ever half.

use std::{collections::BTreeMap, sync::Arc};

use super::event::{ActiveConfig, ConfigEvent};
use crate::{AgentId, ClientError};

/// Configurations, by their agents.
pub(super) type Configs = BTreeMap<AgentId, Arc<ActiveConfig>>;

/// What served at a bookmark, and where to come back to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Marked {
    pub(super) revision: i64,
    pub(super) cursor: String,
    pub(super) configs: Configs,
}

/// What is known of an agent since this commit; no configuration when it is not served.
#[derive(Debug)]
struct Slot {
    revision: i64,
    config: Option<Arc<ActiveConfig>>,
}

/// What an event has changed of `live`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Applied {
    /// Nothing: it is part of a snapshot, or was known.
    Nothing,
    /// This serves now.
    Upsert(i64, Arc<ActiveConfig>),
    /// This agent is not served any more, for this reason.
    Remove(i64, AgentId, String),
    /// All of it is that of this commit now; these agents are not in it any more.
    Snapshot(i64, Vec<AgentId>),
    /// It is known up to this commit; true when that changed what is to be saved.
    Bookmark(i64, bool),
}

/// A gateway's configurations.
#[derive(Debug, Default)]
pub(super) struct Map {
    live: BTreeMap<AgentId, Slot>,
    marked: Option<Marked>,
    staged: Vec<(AgentId, Option<Arc<ActiveConfig>>)>,
    /// A snapshot that is being told.
    gathered: Option<Configs>,
    /// The cursor of `marked` is not accepted any more.
    is_cursor_refused: bool,
}

impl Map {
    /// What was saved once.
    pub(super) fn of(marked: Marked) -> Self {
        let mut map = Self::default();
        map.serve(&marked);
        map.marked = Some(marked);
        map
    }

    /// How many agents it serves.
    pub(super) fn len(&self) -> usize {
        self.live.values().filter(|slot| slot.config.is_some()).count()
    }

    /// What is to be saved.
    pub(super) fn marked(&self) -> Option<&Marked> {
        self.marked.as_ref()
    }

    /// Whether a snapshot is being told.
    pub(super) fn is_gathering(&self) -> bool {
        self.gathered.is_some()
    }

    /// Begins a stream anew; answers the cursor to begin it after, or none when it begins with a snapshot.
    pub(super) fn resume(&mut self) -> Option<String> {
        self.staged.clear();
        let from = self.marked.as_ref().filter(|_| !self.is_cursor_refused);
        let cursor = from.map(|marked| marked.cursor.clone());
        self.gathered = cursor.is_none().then(Configs::new);
        cursor
    }

    /// The registry does not know the cursor any more: the next stream begins with a snapshot. Until that is whole,
    /// what is known is served.
    pub(super) fn forget_cursor(&mut self) {
        self.is_cursor_refused = true;
    }

    /// Takes an event over.
    ///
    /// # Errors
    /// [`ClientError::Protocol`] for one that has no place where it comes.
    pub(super) fn apply(&mut self, event: ConfigEvent) -> Result<Applied, ClientError> {
        match (event, &mut self.gathered) {
            (ConfigEvent::Snapshot(config), Some(gathered)) => {
                gathered.insert(config.agent_id, config);
                Ok(Applied::Nothing)
            }
            (ConfigEvent::Bookmark(revision, cursor), Some(gathered)) => {
                let configs = std::mem::take(gathered);
                Ok(self.swap(Marked { revision, cursor, configs }))
            }
            (ConfigEvent::Upsert(revision, config), None) => {
                let is_new = self.put(config.agent_id, revision, Some(Arc::clone(&config)));
                Ok(if is_new { Applied::Upsert(revision, config) } else { Applied::Nothing })
            }
            (ConfigEvent::Remove(revision, agent, reason), None) => {
                let is_new = self.put(agent, revision, None);
                Ok(if is_new { Applied::Remove(revision, agent, reason) } else { Applied::Nothing })
            }
            (ConfigEvent::Bookmark(revision, cursor), None) => {
                let is_changed = !self.staged.is_empty();
                self.mark(revision, cursor);
                Ok(Applied::Bookmark(revision, is_changed))
            }
            (ConfigEvent::Snapshot(_), None) => {
                Err(ClientError::Protocol("a SNAPSHOT where none was asked for".to_owned()))
            }
            (ConfigEvent::Upsert(..) | ConfigEvent::Remove(..), Some(_)) => {
                Err(ClientError::Protocol("a change in the middle of a snapshot".to_owned()))
            }
        }
    }

    /// Stages what an agent has come to; serves it too, and says so, unless as much is known already.
    fn put(&mut self, agent: AgentId, revision: i64, config: Option<Arc<ActiveConfig>>) -> bool {
        self.staged.push((agent, config.clone()));
        if self.live.get(&agent).is_some_and(|known| known.revision >= revision) {
            return false;
        }
        self.live.insert(agent, Slot { revision, config });
        true
    }

    /// All up to this commit is known.
    fn mark(&mut self, revision: i64, cursor: String) {
        let mut configs = self.marked.take().map(|marked| marked.configs).unwrap_or_default();
        for (agent, config) in self.staged.drain(..) {
            match config {
                Some(config) => configs.insert(agent, config),
                None => configs.remove(&agent),
            };
        }
        // That an agent was taken away need not be remembered longer: nothing of before is told again.
        self.live.retain(|_, slot| slot.config.is_some() || slot.revision > revision);
        self.marked = Some(Marked { revision, cursor, configs });
    }

    /// Puts a snapshot in the place of all that was.
    fn swap(&mut self, marked: Marked) -> Applied {
        let served = self.live.iter().filter(|(_, slot)| slot.config.is_some()).map(|(agent, _)| *agent);
        let gone = served.filter(|agent| !marked.configs.contains_key(agent)).collect();
        let revision = marked.revision;
        self.serve(&marked);
        self.marked = Some(marked);
        self.gathered = None;
        self.is_cursor_refused = false;
        Applied::Snapshot(revision, gone)
    }

    fn serve(&mut self, marked: &Marked) {
        let slots = marked.configs.iter().map(|(agent, config)| {
            (*agent, Slot { revision: marked.revision, config: Some(Arc::clone(config)) })
        });
        self.live = slots.collect();
    }
}

#[cfg(test)]
mod tests;
