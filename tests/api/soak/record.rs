//! What a watcher asked for and what it was sent, across all its connections: what the checkers look at.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

/// A place in the log: the commit, and the entry within it.
pub(super) type Place = (i64, i32);

/// A subscription of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Activations,
    Configs,
    /// All of the log, where the schema has it.
    Changes,
}

impl Field {
    pub(super) fn query(self) -> &'static str {
        match self {
            Self::Activations => {
                "subscription ($customer: ID, $agents: [ID!], $after: Cursor) {
                    activations(customerId: $customer, agentIds: $agents, after: $after) { id cursor agent { id } } }"
            }
            Self::Configs => {
                "subscription ($customer: ID, $agents: [ID!], $after: Cursor) {
                    configs(customerId: $customer, agentIds: $agents, after: $after) { kind reason revision cursor agentId
                        config { customerId name versionId systemPrompt revision } } }"
            }
            Self::Changes => {
                "subscription ($customer: ID, $after: Cursor) { changes(customerId: $customer, after: $after) { cursor } }"
            }
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Activations => "activations",
            Self::Configs => "configs",
            Self::Changes => "changes",
        }
    }
}

/// A watcher: with which credential it asks for what, and what it may see.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) name: String,
    pub(super) token: String,
    pub(super) field: Field,
    /// Whose rows it may see; all, also the platform's own, when there is none.
    pub(super) sees: Option<BTreeSet<String>>,
    /// Whose it asks for.
    pub(super) customer: Option<String>,
    /// Which agents it asks for.
    pub(super) agents: Option<BTreeSet<String>>,
    /// Whether it begins anew with each connection.
    pub(super) forgets: bool,
}

impl Who {
    /// Whether it is to be told of this customer's agent.
    pub(super) fn wants(&self, customer: Option<&str>, agent: Option<&str>) -> bool {
        let among = |set: &Option<BTreeSet<String>>, one: Option<&str>| {
            set.as_ref().is_none_or(|set| one.is_some_and(|one| set.contains(one)))
        };
        among(&self.sees, customer)
            && self.customer.as_deref().is_none_or(|wanted| customer == Some(wanted))
            && among(&self.agents, agent)
    }
}

/// What an agent serves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Served {
    pub(super) customer: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) prompt: String,
    pub(super) revision: i64,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// An entry of the log: of `activations` and `changes`.
    Entry {
        place: Place,
        hash: String,
        agent: Option<String>,
        subject: Option<String>,
    },
    Snapshot {
        revision: i64,
        agent: String,
        served: Served,
    },
    Upsert {
        revision: i64,
        agent: String,
        served: Served,
    },
    Remove {
        revision: i64,
        agent: String,
        reason: String,
    },
    Bookmark {
        revision: i64,
        cursor: String,
    },
}

impl What {
    pub(super) fn revision(&self) -> i64 {
        match self {
            Self::Entry { place, .. } => place.0,
            Self::Snapshot { revision, .. }
            | Self::Upsert { revision, .. }
            | Self::Remove { revision, .. }
            | Self::Bookmark { revision, .. } => *revision,
        }
    }

    pub(super) fn agent(&self) -> Option<&str> {
        match self {
            Self::Entry { agent, .. } => agent.as_deref(),
            Self::Snapshot { agent, .. } | Self::Upsert { agent, .. } | Self::Remove { agent, .. } => {
                Some(agent)
            }
            Self::Bookmark { .. } => None,
        }
    }

    pub(super) fn is_bookmark(&self) -> bool {
        matches!(self, Self::Bookmark { .. })
    }
}

/// An event, and when it came.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: SystemTime,
    pub(super) what: What,
}

/// Where a connection begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// With what is now.
    Now,
    /// After this commit.
    Revision(i64),
    /// After what was received last.
    Cursor(String, Place),
    /// After what is not a cursor of this log, or not of this watcher.
    Bad(String),
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The watcher left.
    Left,
    /// The connection broke, or was never made.
    Lost,
    /// The service closed it with this code.
    Closed(u16),
    /// The subscription ended with this error.
    Refused(String),
    /// The subscription ended without a word.
    Mute,
    /// All was received that was to come.
    Done,
    /// What was to come did not come in time.
    Silent,
}

/// One connection.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) instance: usize,
    pub(super) after: After,
    /// The newest commit that had been acknowledged to anybody before it began.
    pub(super) floor: i64,
    pub(super) began: SystemTime,
    pub(super) ended: SystemTime,
    /// When the subscription was sent; not at all when it did not come that far.
    pub(super) asked: Option<SystemTime>,
    pub(super) events: Vec<Event>,
    pub(super) end: End,
}

/// All connections of a watcher.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub(super) who: Who,
    pub(super) sessions: Vec<Session>,
}

impl Recording {
    /// The runs of connections that each go on where the one before ended.
    pub(super) fn chapters(&self) -> Vec<&[Session]> {
        let begins = |session: &Session| matches!(session.after, After::Now | After::Revision(_));
        self.sessions.chunk_by(|_, next| !begins(next)).collect()
    }

    pub(super) fn events(&self) -> usize {
        self.sessions.iter().map(|session| session.events.len()).sum()
    }
}

/// A time in which something was broken on purpose.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) from: SystemTime,
    pub(super) until: SystemTime,
}

/// How long after something was broken it may still be felt.
const AFTERMATH: Duration = Duration::from_secs(5);

/// Whether anything was broken between these times.
pub(super) fn is_troubled(troubles: &[Trouble], from: SystemTime, until: SystemTime) -> bool {
    troubles.iter().any(|trouble| trouble.from <= until && trouble.until + AFTERMATH >= from)
}
