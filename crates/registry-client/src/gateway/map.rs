//! A gateway's two copies of the configurations.
//!
//! `live` is the copy that the gateway serves. Each UPSERT and REMOVE is applied to it at once. Waiting for the next
//! BOOKMARK could serve a suspended customer's agents for up to twenty seconds more. Redelivered events are
//! idempotent: they never move an agent to an older revision.
//!
//! `checkpoint` is the copy that the gateway saves: the configurations at the last BOOKMARK, with its cursor. Later
//! events are staged until the next BOOKMARK. They are discarded when the stream breaks, because the registry sends
//! them again after the cursor.
//!
//! A snapshot is collected separately and replaces both copies at its BOOKMARK, so that neither is ever incomplete.

use std::{collections::BTreeMap, sync::Arc};

use super::event::{ActiveConfig, ConfigEvent};
use crate::{AgentId, ClientError};

/// Configurations by agent.
pub(super) type Configs = BTreeMap<AgentId, Arc<ActiveConfig>>;

/// The configurations at a BOOKMARK, and the cursor to resume from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Checkpoint {
    pub(super) revision: i64,
    pub(super) cursor: String,
    pub(super) configs: Configs,
}

/// The latest state of an agent, and its revision. No configuration means that the agent isn't served.
#[derive(Debug)]
struct Slot {
    revision: i64,
    config: Option<Arc<ActiveConfig>>,
}

/// What an event changed in `live`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum MapChange {
    /// Nothing: the event is part of a snapshot, or was redelivered.
    Nothing,
    /// This configuration is active from this revision on.
    Upsert(i64, Arc<ActiveConfig>),
    /// This agent isn't served from this revision on, with the reason.
    Remove(i64, AgentId, String),
    /// A snapshot of this revision replaced everything; these agents were served before and aren't in it.
    Snapshot(i64, Vec<AgentId>),
    /// Nothing: the snapshot of another log is empty, and the current configurations are kept.
    Withheld,
    /// The map is complete up to this revision. True when configurations changed since the last BOOKMARK.
    Bookmark(i64, bool),
}

/// A gateway's configurations.
#[derive(Debug, Default)]
pub(super) struct Map {
    live: BTreeMap<AgentId, Slot>,
    checkpoint: Option<Checkpoint>,
    staged: Vec<(AgentId, Option<Arc<ActiveConfig>>)>,
    /// The configurations of an unfinished snapshot.
    snapshot: Option<Configs>,
    /// The registry has rejected the cursor of `checkpoint`.
    is_cursor_refused: bool,
    /// An empty snapshot must not replace the configurations, since the registry's log is another one.
    keeps_if_empty: bool,
}

impl Map {
    /// Makes a map from saved configurations.
    pub(super) fn of(checkpoint: Checkpoint) -> Self {
        let mut map = Self::default();
        map.serve(&checkpoint);
        map.checkpoint = Some(checkpoint);
        map
    }

    /// Returns the number of agents served.
    pub(super) fn len(&self) -> usize {
        self.live.values().filter(|slot| slot.config.is_some()).count()
    }

    /// Returns the configurations to save.
    pub(super) fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// Whether a snapshot is unfinished.
    pub(super) fn has_unfinished_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }

    /// Prepares for a new stream. Returns the cursor for `after`, or `None` when the stream starts with a snapshot.
    pub(super) fn resume(&mut self) -> Option<String> {
        self.staged.clear();
        let from = self.checkpoint.as_ref().filter(|_| !self.is_cursor_refused);
        let cursor = from.map(|checkpoint| checkpoint.cursor.clone());
        self.snapshot = cursor.is_none().then(Configs::new);
        cursor
    }

    /// Marks the cursor as rejected, so that the next stream starts with a snapshot. The current configurations are
    /// served until that snapshot is complete, and with `keeps_if_empty` also if it is empty.
    pub(super) fn forget_cursor(&mut self, keeps_if_empty: bool) {
        self.is_cursor_refused = true;
        self.keeps_if_empty = keeps_if_empty;
    }

    /// Applies an event.
    ///
    /// # Errors
    /// [`ClientError::Protocol`] for a SNAPSHOT outside a snapshot, or an UPSERT or REMOVE within one.
    pub(super) fn apply(&mut self, event: ConfigEvent) -> Result<MapChange, ClientError> {
        let keeps_if_empty = self.keeps_if_empty && self.len() > 0;
        match (event, &mut self.snapshot) {
            (ConfigEvent::Snapshot(config), Some(snapshot)) => {
                snapshot.insert(config.agent_id, config);
                Ok(MapChange::Nothing)
            }
            (ConfigEvent::Bookmark(..), Some(snapshot)) if keeps_if_empty && snapshot.is_empty() => {
                // The cursor is tried again: the registry of the log may be back.
                self.is_cursor_refused = false;
                Ok(MapChange::Withheld)
            }
            (ConfigEvent::Bookmark(revision, cursor), Some(snapshot)) => {
                let configs = std::mem::take(snapshot);
                Ok(self.swap(Checkpoint { revision, cursor, configs }))
            }
            (ConfigEvent::Upsert(revision, config), None) => {
                let is_new = self.stage(config.agent_id, revision, Some(Arc::clone(&config)));
                Ok(if is_new { MapChange::Upsert(revision, config) } else { MapChange::Nothing })
            }
            (ConfigEvent::Remove(revision, agent, reason), None) => {
                let is_new = self.stage(agent, revision, None);
                Ok(if is_new { MapChange::Remove(revision, agent, reason) } else { MapChange::Nothing })
            }
            (ConfigEvent::Bookmark(revision, cursor), None) => {
                let is_changed = !self.staged.is_empty();
                self.commit_staged(revision, cursor);
                Ok(MapChange::Bookmark(revision, is_changed))
            }
            (ConfigEvent::Snapshot(_), None) => {
                Err(ClientError::Protocol("a SNAPSHOT on a stream that was resumed".to_owned()))
            }
            (ConfigEvent::Upsert(..) | ConfigEvent::Remove(..), Some(_)) => {
                Err(ClientError::Protocol("an UPSERT or REMOVE within a snapshot".to_owned()))
            }
        }
    }

    /// Stages an agent's new state, and applies it to `live` unless `live` is as new. Returns whether `live` changed.
    fn stage(&mut self, agent: AgentId, revision: i64, config: Option<Arc<ActiveConfig>>) -> bool {
        self.staged.push((agent, config.clone()));
        if self.live.get(&agent).is_some_and(|known| known.revision >= revision) {
            return false;
        }
        self.live.insert(agent, Slot { revision, config });
        true
    }

    /// Moves staged changes to `checkpoint`.
    fn commit_staged(&mut self, revision: i64, cursor: String) {
        let mut configs = self.checkpoint.take().map(|checkpoint| checkpoint.configs).unwrap_or_default();
        for (agent, config) in self.staged.drain(..) {
            match config {
                Some(config) => configs.insert(agent, config),
                None => configs.remove(&agent),
            };
        }
        // Tombstones up to this revision can go: no later stream redelivers older events.
        self.live.retain(|_, slot| slot.config.is_some() || slot.revision > revision);
        self.checkpoint = Some(Checkpoint { revision, cursor, configs });
    }

    /// Replaces both copies by a snapshot.
    fn swap(&mut self, checkpoint: Checkpoint) -> MapChange {
        let served = self.live.iter().filter(|(_, slot)| slot.config.is_some()).map(|(agent, _)| *agent);
        let gone = served.filter(|agent| !checkpoint.configs.contains_key(agent)).collect();
        let revision = checkpoint.revision;
        self.serve(&checkpoint);
        self.checkpoint = Some(checkpoint);
        self.snapshot = None;
        (self.is_cursor_refused, self.keeps_if_empty) = (false, false);
        MapChange::Snapshot(revision, gone)
    }

    fn serve(&mut self, checkpoint: &Checkpoint) {
        let slots = checkpoint.configs.iter().map(|(agent, config)| {
            (*agent, Slot { revision: checkpoint.revision, config: Some(Arc::clone(config)) })
        });
        self.live = slots.collect();
    }
}

#[cfg(test)]
mod tests;
