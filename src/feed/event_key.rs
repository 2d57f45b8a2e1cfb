//! Keys of events, under which responses rendered for one subscriber are reused for others.

use super::ConfigEvent;
use crate::{
    domain::change::{Change, LogPosition},
    id::{AgentId, Revision},
};

/// The key of an event. Two events with equal keys show the same to callers with the same rights, as of their
/// commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EventKey {
    /// An entry of the log, by revision and position.
    Change(Revision, i32),
    /// An agent's configuration in the snapshot of this commit.
    Snapshot(Revision, AgentId),
    /// An agent's configuration, active from this commit on.
    Upsert(Revision, AgentId),
    /// The removal of an agent's configuration by this commit.
    Remove(Revision, AgentId),
    /// A bookmark, by its cursor.
    Bookmark(String),
}

impl EventKey {
    /// The key of a log entry.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        let LogPosition { revision, position } = LogPosition::of(change);
        Self::Change(revision, position)
    }
}

impl ConfigEvent {
    /// The key of this event.
    #[must_use]
    pub fn event_key(&self) -> EventKey {
        match self {
            Self::Snapshot(revision, config) => EventKey::Snapshot(*revision, config.agent_id),
            Self::Upsert(revision, config) => EventKey::Upsert(*revision, config.agent_id),
            Self::Remove(revision, agent, _) => EventKey::Remove(*revision, *agent),
            Self::Bookmark(_, cursor) => EventKey::Bookmark(cursor.clone()),
        }
    }
}
