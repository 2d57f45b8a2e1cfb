//! Which event it is, among all that watchers are told.

use super::ConfigEvent;
use crate::{
    domain::change::{Change, Place},
    id::AgentId,
};

/// Names an event: under the same rights, what has the same name shows the same, as of its commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// An entry of the log.
    Change(i64, i32),
    /// What an agent served at the moment of a snapshot.
    Snapshot(i64, AgentId),
    /// What it serves from a commit on.
    Upsert(i64, AgentId),
    /// That it does not serve from a commit on.
    Remove(i64, AgentId),
    /// Where to come back to.
    Bookmark(String),
}

impl Mark {
    /// That of an entry of the log.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        let Place { revision, position } = Place::of(change);
        Self::Change(revision, position)
    }
}

impl ConfigEvent {
    /// Which one it is.
    #[must_use]
    pub fn mark(&self) -> Mark {
        match self {
            Self::Snapshot(revision, config) => Mark::Snapshot(*revision, config.agent_id),
            Self::Upsert(revision, config) => Mark::Upsert(*revision, config.agent_id),
            Self::Remove(revision, agent, _) => Mark::Remove(*revision, *agent),
            Self::Bookmark(_, cursor) => Mark::Bookmark(cursor.clone()),
        }
    }
}
