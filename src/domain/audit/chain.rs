//! The log's hash chain, by a reckoning of our own: what Postgres says that a hash is, is not believed.

use std::fmt;

use sea_orm::ActiveEnum;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    clock::Instant,
    domain::change::{Change, Place},
    entity::log::Floor,
};

/// A SHA-256.
pub type Hash = [u8; 32];

/// How an instant enters a hash.
const INSTANT: &str = "%Y-%m-%dT%H:%M:%S%.6fZ";

/// Why an entry does not fit into the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its number is not the one after the entry before: entries were taken away, put in between, or moved.
    Numbered,
    /// It is older than the entry before, or not as old as the others of its commit.
    Dated,
    /// Its hash is not that of what it says: it was changed.
    Changed,
    /// It was not chained to the entry before: that one, or this one's place, is not what it was.
    Chained,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Numbered => "its number is not the next one: entries were taken away, put in or moved",
            Self::Dated => "its time is not what it must be after the entry before",
            Self::Changed => "its hash is not that of what it says: it was changed",
            Self::Chained => "it was not chained to the entry that comes before it now",
        })
    }
}

/// How far a chain has been followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    place: Place,
    at: Option<Instant>,
    hash: Hash,
}

impl Chain {
    /// The beginning of the log of this name.
    #[must_use]
    pub fn genesis(log: Uuid) -> Self {
        let hash = Sha256::digest(format!("agent-registry change log {log}")).into();
        Self { place: Place { revision: 0, position: 0 }, at: None, hash }
    }

    /// From the last entry on that is not kept any more; none when what is kept of it is no hash.
    #[must_use]
    pub fn from(floor: &Floor) -> Option<Self> {
        let Floor { revision, position, chain_hash } = floor;
        let hash = chain_hash.as_slice().try_into().ok()?;
        Some(Self { place: Place { revision: *revision, position: *position }, at: None, hash })
    }

    /// The entry that it has been followed to.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// The chain hash there.
    #[must_use]
    pub fn hash(&self) -> &Hash {
        &self.hash
    }

    /// Follows it over the next entry.
    ///
    /// # Errors
    /// The first [`Flaw`] that is found.
    pub fn follow(&mut self, change: &Change) -> Result<(), Flaw> {
        let Place { revision, position } = self.place;
        let next = Place::of(change);
        let continues = next == Place { revision, position: position + 1 };
        if !continues && next != (Place { revision: revision + 1, position: 1 }) {
            return Err(Flaw::Numbered);
        }
        let is_dated = self.at.is_none_or(|at| if continues { at == change.at } else { at <= change.at });
        if !is_dated {
            return Err(Flaw::Dated);
        }
        let hash = row_hash(change);
        if hash.as_slice() != change.row_hash {
            return Err(Flaw::Changed);
        }
        self.link(&hash);
        if self.hash.as_slice() != change.chain_hash {
            return Err(Flaw::Chained);
        }
        (self.place, self.at) = (next, Some(change.at));
        Ok(())
    }

    /// Follows it over an entry of which only the hash is known.
    pub fn link(&mut self, row_hash: &[u8]) {
        self.hash = linked(&self.hash, row_hash);
    }
}

/// The chain hash of an entry of this hash that comes after one of this chain hash.
#[must_use]
pub fn linked(chain_hash: &[u8], row_hash: &[u8]) -> Hash {
    Sha256::new().chain_update(chain_hash).chain_update(row_hash).finalize().into()
}

/// The hash of an entry: over each of its columns, with its length before it, in the order of the table.
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
        // A length that no text has.
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
    // Entries from before these were kept have none of them, and keep the hash that they had.
    if channel.is_some() || network.is_some() || salt.is_some() {
        field(channel.map(|channel| channel.to_value()).as_deref());
        field(network.as_deref());
        field(id(salt).as_deref());
    }
    hash.finalize().into()
}
