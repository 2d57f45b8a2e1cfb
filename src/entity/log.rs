//! The tables `log_head` and `log_floor`: the last entry of the log, and the last one that was pruned.

use sea_orm::{DbBackend, FromQueryResult, SelectModel, SelectorRaw, Statement};
use uuid::Uuid;

use super::change::LogPosition;
use crate::{clock::Instant, id::Revision};

/// The last entry of the log, and the last one that was pruned.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Head {
    /// The log's id; unique for each database.
    pub log_id: Uuid,
    /// The last commit; 0 while there is none.
    pub revision: Revision,
    /// The position of its last entry.
    pub position: i32,
    /// When the last commit got its number; `None` while there is none.
    pub at: Option<Instant>,
    /// The chain hash of the last entry.
    pub chain_hash: Vec<u8>,
    /// The last pruned commit; 0 when none was pruned.
    pub floor: Revision,
    /// The position of its last entry.
    pub floor_position: i32,
}

impl Head {
    /// Whether entries after this position were pruned.
    #[must_use]
    pub fn has_pruned_after(&self, place: LogPosition) -> bool {
        place < LogPosition { revision: self.floor, position: self.floor_position }
    }
}

/// The last pruned entry, to which the chain's next entry links.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct RetentionFloor {
    /// The entry's commit; 0 when none was pruned.
    pub revision: Revision,
    /// The entry's position in that commit.
    pub position: i32,
    /// The entry's chain hash.
    pub chain_hash: Vec<u8>,
}

/// Reads [`Head`].
pub fn head() -> SelectorRaw<SelectModel<Head>> {
    let read = "SELECT h.log_id, h.revision, h.position, CASE WHEN isfinite(h.at) THEN h.at END AS at, h.chain_hash, \
        f.revision AS floor, f.position AS floor_position FROM registry.log_head AS h, registry.log_floor AS f";
    Head::find_by_statement(Statement::from_string(DbBackend::Postgres, read))
}

/// Reads [`RetentionFloor`].
pub fn floor() -> SelectorRaw<SelectModel<RetentionFloor>> {
    let read = "SELECT revision, position, chain_hash FROM registry.log_floor";
    RetentionFloor::find_by_statement(Statement::from_string(DbBackend::Postgres, read))
}

/// The result of a pruning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct PruneResult {
    /// The last pruned commit; `None` when there was nothing to prune.
    pub floor: Option<Revision>,
}

/// Prunes about `most` of the oldest entries from before `until`, in whole commits, and logs that. The database
/// keeps each entry for at least its `log_floor.keep`, and always keeps the last commit.
pub fn prune(until: Instant, most: i32) -> SelectorRaw<SelectModel<PruneResult>> {
    let prune = "SELECT registry.prune_changes($1, $2) AS floor";
    let values = [until.into(), most.into()];
    PruneResult::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, prune, values))
}

/// A commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct CommitNumber {
    /// The commit's number; `None` when no such commit exists yet.
    pub revision: Option<Revision>,
}

/// The first commit, of any customer, that got its number at `at` or later.
pub fn first_commit_since(at: Instant) -> SelectorRaw<SelectModel<CommitNumber>> {
    let read = "SELECT registry.revision_at($1) AS revision";
    CommitNumber::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, read, [at.into()]))
}
