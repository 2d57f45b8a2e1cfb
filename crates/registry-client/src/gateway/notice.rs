//! The notices with which a gateway reports events to its caller.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::event::ActiveConfig;
use crate::AgentId;

/// A notice about the connection, the state file, or a configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// The state file was loaded, and its configurations are served.
    Loaded {
        /// The state file.
        path: PathBuf,
        /// The number of agents served.
        agents: usize,
        /// The revision of the configurations.
        revision: i64,
        /// The time since they were saved.
        age: Duration,
    },
    /// The state file is damaged, and was moved aside unused.
    Damaged {
        /// The state file.
        path: PathBuf,
        /// The reason.
        why: String,
        /// The path that it was moved to.
        kept: PathBuf,
    },
    /// A stream has started.
    Connected {
        /// The revision that the stream resumes after. `None` when it starts with a snapshot.
        after: Option<i64>,
    },
    /// The connection is lost; the gateway retries. Sent once for consecutive failures with the same reason.
    Disconnected {
        /// The reason.
        why: String,
        /// The number of agents that the gateway keeps serving.
        agents: usize,
    },
    /// The registry rejected the cursor; a snapshot follows.
    StartingOver {
        /// The reason.
        why: String,
    },
    /// Saving failed. Sent once until a save succeeds.
    Unsaved {
        /// The reason.
        why: String,
    },
    /// A snapshot replaced all configurations.
    Snapshot {
        /// The snapshot's revision.
        revision: i64,
        /// The number of agents served.
        agents: usize,
        /// The agents that were served before and aren't in the snapshot.
        gone: Vec<AgentId>,
    },
    /// This configuration is active from this revision on.
    Upsert(i64, Arc<ActiveConfig>),
    /// This agent isn't served from this revision on, with the reason.
    Remove(i64, AgentId, String),
    /// The configurations are complete up to this revision.
    Bookmark(i64),
}
