//! What a gateway tells of what happens to it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::event::ActiveConfig;
use crate::AgentId;

/// Something has happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// This was saved, and is served from now on.
    Loaded {
        /// The state file.
        path: PathBuf,
        /// How many agents it serves.
        agents: usize,
        /// The commit that they are of.
        revision: i64,
        /// How long ago that was saved.
        age: Duration,
    },
    /// The state file is damaged; nothing of it is used.
    Damaged {
        /// The state file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// Where it is kept.
        kept: PathBuf,
    },
    /// The registry has let it in.
    Connected {
        /// The commit that it goes on from; none when it begins with a snapshot.
        after: Option<i64>,
    },
    /// It is not connected, and will try again. Told once for each reason.
    Disconnected {
        /// Why.
        why: String,
        /// How many agents it serves meanwhile.
        agents: usize,
    },
    /// The registry does not accept the cursor: a snapshot follows.
    Anew {
        /// Why.
        why: String,
    },
    /// What serves can't be saved. Told once, until it can again.
    Unsaved {
        /// Why.
        why: String,
    },
    /// A snapshot has taken the place of all that was.
    Snapshot {
        /// The commit that it is of.
        revision: i64,
        /// How many agents it serves.
        agents: usize,
        /// Those that were served before and are not in it.
        gone: Vec<AgentId>,
    },
    /// This serves from this commit on.
    Upsert(i64, Arc<ActiveConfig>),
    /// This agent is not served from this commit on, for this reason.
    Remove(i64, AgentId, String),
    /// All up to this commit is known.
    Bookmark(i64),
}
