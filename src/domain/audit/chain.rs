//! The hash chain of the log, computed here: hashes that the database stores are compared, never trusted.

use std::fmt;

use sea_orm::ActiveEnum;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    clock::Instant,
    domain::change::{Change, LogPosition},
    entity::log::RetentionFloor,
    id::Revision,
};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// The format of a time within a hash.
const INSTANT: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";

/// Why an entry doesn't continue the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainError {
    /// The entry's position doesn't follow the previous one: entries were removed, inserted or moved.
    Position,
    /// The entry is older than the previous one, or has another time than its commit's other entries.
    Time,
    /// The entry's hash isn't that of its columns: the entry was changed.
    RowHash,
    /// The entry's chain hash doesn't follow from the previous one: either entry was replaced or moved.
    ChainHash,
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Position => "its position does not follow: entries were removed, inserted or moved",
            Self::Time => "its time does not follow the previous entry",
            Self::RowHash => "its hash does not match its content: the entry was changed",
            Self::ChainHash => "its chain hash does not follow: it or the entry before was replaced or moved",
        })
    }
}

/// A verified prefix of a chain: its last entry and the chain hash there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    place: LogPosition,
    at: Option<Instant>,
    hash: Hash,
}

impl Chain {
    /// The start of the log with this id.
    #[must_use]
    pub fn genesis(log: Uuid) -> Self {
        let hash = Sha256::digest(format!("agent-registry change log {log}")).into();
        Self { place: LogPosition { revision: Revision::ZERO, position: 0 }, at: None, hash }
    }

    /// A chain that continues after the last pruned entry. `None` when the stored chain hash isn't a SHA-256 hash.
    #[must_use]
    pub fn from(floor: &RetentionFloor) -> Option<Self> {
        let RetentionFloor { revision, position, chain_hash } = floor;
        let hash = chain_hash.as_slice().try_into().ok()?;
        Some(Self { place: LogPosition { revision: *revision, position: *position }, at: None, hash })
    }

    /// The position of the last entry that was followed.
    #[must_use]
    pub fn place(&self) -> LogPosition {
        self.place
    }

    /// The chain hash of that entry.
    #[must_use]
    pub fn hash(&self) -> &Hash {
        &self.hash
    }

    /// Checks the next entry, and continues the chain with it.
    ///
    /// # Errors
    /// The first [`ChainError`] of the entry.
    pub fn follow(&mut self, change: &Change) -> Result<(), ChainError> {
        let LogPosition { revision, position } = self.place;
        let next = LogPosition::of(change);
        let continues = next == LogPosition { revision, position: position + 1 };
        if !continues && next != (LogPosition { revision: revision.next(), position: 1 }) {
            return Err(ChainError::Position);
        }
        let is_dated = self.at.is_none_or(|at| if continues { at == change.at } else { at <= change.at });
        if !is_dated {
            return Err(ChainError::Time);
        }
        let hash = row_hash(change);
        if hash.as_slice() != change.row_hash {
            return Err(ChainError::RowHash);
        }
        self.link(&hash);
        if self.hash.as_slice() != change.chain_hash {
            return Err(ChainError::ChainHash);
        }
        (self.place, self.at) = (next, Some(change.at));
        Ok(())
    }

    /// Continues the chain with an entry of which only the hash is known.
    pub fn link(&mut self, row_hash: &[u8]) {
        self.hash = linked(&self.hash, row_hash);
    }
}

/// The chain hash of an entry with this hash, after an entry with this chain hash.
#[must_use]
pub fn linked(chain_hash: &[u8], row_hash: &[u8]) -> Hash {
    Sha256::new().chain_update(chain_hash).chain_update(row_hash).finalize().into()
}

/// The hash of an entry: over its columns in the table's order, each with its length in front.
#[must_use]
pub fn row_hash(change: &Change) -> Hash {
    let Change {
        revision,
        position,
        at,
        customer_id,
        agent_id,
        version_id,
        subject_id,
        action,
        actor_kind,
        actor_id,
        request_id,
        details,
        channel,
        network,
        salt,
        row_hash: _,
        chain_hash: _,
    } = change;
    let mut hash = Sha256::new();
    let mut field = |value: Option<&str>| match value {
        // A length that no text has stands for NULL.
        None => hash.update([0xff; 4]),
        Some(text) => {
            hash.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(text);
        }
    };
    let id = |id: &Option<Uuid>| id.map(|id| id.to_string());
    field(Some(&revision.to_string()));
    field(Some(&position.to_string()));
    field(Some(&at.format(INSTANT).to_string()));
    field(customer_id.map(|id| id.to_string()).as_deref());
    field(agent_id.map(|id| id.to_string()).as_deref());
    field(version_id.map(|id| id.to_string()).as_deref());
    field(id(subject_id).as_deref());
    field(Some(&action.to_value()));
    field(Some(&actor_kind.to_value()));
    field(id(actor_id).as_deref());
    field(request_id.as_deref());
    field(Some(details));
    // Older entries don't have these columns, and their hashes don't cover them.
    if channel.is_some() || network.is_some() || salt.is_some() {
        field(channel.map(|channel| channel.to_value()).as_deref());
        field(network.as_deref());
        field(id(salt).as_deref());
    }
    hash.finalize().into()
}
