//! The recording of a subscriber over all its connections: its requests and the events received.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

/// A position in the log: the revision, and the entry within the commit.
pub(super) type LogPosition = (i64, i32);

/// A subscription of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Activations,
    Configs,
    /// All entries of the log.
    Changes,
    /// The entries about customers, environments, agents and versions.
    CustomerEvents,
}

impl Field {
    pub(super) fn query(self) -> &'static str {
        match self {
            Self::Activations => {
                "subscription ($customer: ID, $agents: [ID!], $in: String! = \"production\", $after: Cursor) {
                    activations(customerId: $customer, agentIds: $agents, environments: [$in], after: $after) { id cursor agent { id } } }"
            }
            Self::Configs => {
                "subscription ($customer: ID, $agents: [ID!], $in: String! = \"production\", $after: Cursor) {
                    configs(customerId: $customer, agentIds: $agents, environment: $in, after: $after) { kind reason revision cursor agentId
                        config { customerId name versionId systemPrompt revision } } }"
            }
            Self::Changes => {
                "subscription ($customer: ID, $after: Cursor) { changes(customerId: $customer, after: $after) { cursor } }"
            }
            Self::CustomerEvents => {
                "subscription ($customer: ID, $after: Cursor) { customerEvents(customerId: $customer, after: $after) { cursor } }"
            }
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Activations => "activations",
            Self::Configs => "configs",
            Self::Changes => "changes",
            Self::CustomerEvents => "customerEvents",
        }
    }
}

/// A subscriber: its credential, its arguments, and its visibility.
#[derive(Clone, Debug)]
pub(super) struct Subscriber {
    pub(super) name: String,
    pub(super) token: String,
    pub(super) field: Field,
    /// The customers whose rows it may see. None means all rows, those of the platform too.
    pub(super) sees: Option<BTreeSet<String>>,
    /// Its `customerId` argument.
    pub(super) customer: Option<String>,
    /// Its `agentIds` argument.
    pub(super) agents: Option<BTreeSet<String>>,
    /// Its `environment` argument.
    pub(super) environment: &'static str,
    /// Whether it starts without a cursor on each connection.
    pub(super) forgets: bool,
}

impl Subscriber {
    /// Whether it must receive events of this customer's agent.
    pub(super) fn wants(&self, customer: Option<&str>, agent: Option<&str>) -> bool {
        let among = |set: &Option<BTreeSet<String>>, one: Option<&str>| {
            set.as_ref().is_none_or(|set| one.is_some_and(|one| set.contains(one)))
        };
        among(&self.sees, customer)
            && self.customer.as_deref().is_none_or(|wanted| customer == Some(wanted))
            && among(&self.agents, agent)
    }
}

/// The active configuration of an agent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Served {
    pub(super) customer: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) prompt: String,
    pub(super) revision: i64,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EventContent {
    /// An entry of the log, in `activations`, `changes` and `customerEvents`.
    Entry {
        place: LogPosition,
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

impl EventContent {
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

/// An event and its arrival time.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at: SystemTime,
    pub(super) what: EventContent,
}

/// The start of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Without a cursor.
    Now,
    /// After this revision.
    Revision(i64),
    /// After the last event received.
    Cursor(String, LogPosition),
    /// After an invalid cursor, or one of another log or subscriber.
    Bad(String),
}

/// The end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The subscriber left.
    Left,
    /// The connection broke, or was never made.
    Lost,
    /// The service closed the socket with this code.
    Closed(u16),
    /// The subscription ended with this error.
    Refused(String),
    /// The subscription ended without an error.
    Mute,
    /// Every due event was received.
    Done,
    /// A due event didn't come in time.
    Silent,
}

/// One connection.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) instance: usize,
    pub(super) after: After,
    /// The newest revision that was acknowledged to any caller before the connection began.
    pub(super) floor: i64,
    pub(super) began: SystemTime,
    pub(super) ended: SystemTime,
    /// When the subscription was sent. None if it wasn't.
    pub(super) asked: Option<SystemTime>,
    pub(super) events: Vec<Event>,
    pub(super) end: End,
}

/// All connections of a subscriber.
#[derive(Clone, Debug)]
pub(super) struct Recording {
    pub(super) who: Subscriber,
    pub(super) sessions: Vec<Session>,
}

impl Recording {
    /// Runs of connections that each resume where the one before ended.
    pub(super) fn chapters(&self) -> Vec<&[Session]> {
        let begins = |session: &Session| matches!(session.after, After::Now | After::Revision(_));
        self.sessions.chunk_by(|_, next| !begins(next)).collect()
    }

    pub(super) fn events(&self) -> usize {
        self.sessions.iter().map(|session| session.events.len()).sum()
    }
}

/// The time of an injected fault.
#[derive(Clone, Debug)]
pub(super) struct FaultPeriod {
    pub(super) from: SystemTime,
    pub(super) until: SystemTime,
}

/// How long after its end a fault may still have effects.
const AFTERMATH: Duration = Duration::from_secs(5);

/// Whether a fault was active between these times.
pub(super) fn is_troubled(troubles: &[FaultPeriod], from: SystemTime, until: SystemTime) -> bool {
    troubles.iter().any(|trouble| trouble.from <= until && trouble.until + AFTERMATH >= from)
}
