//! `log_head` and `log_floor`: where the log ends, and where what is kept of it begins.

use sea_orm::{DbBackend, FromQueryResult, SelectModel, SelectorRaw, Statement};
use uuid::Uuid;

use super::change::Place;
use crate::clock::Instant;

/// Where the log ends, and after which commit it begins.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Head {
    /// Names the log: no other has it.
    pub log_id: Uuid,
    /// The last commit.
    pub revision: i64,
    /// Its last entry.
    pub position: i32,
    /// When that commit took its number; none when there was none yet.
    pub at: Option<Instant>,
    /// That entry's chain hash.
    pub chain_hash: Vec<u8>,
    /// The last commit that is not kept any more; 0 when all are.
    pub floor: i64,
    /// That commit's last entry.
    pub floor_position: i32,
}

impl Head {
    /// Whether some of what comes after this place is not kept any more.
    #[must_use]
    pub fn has_lost(&self, place: Place) -> bool {
        place < Place { revision: self.floor, position: self.floor_position }
    }
}

/// The last entry that is not kept any more: the chain goes on from it.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Floor {
    /// Its commit; 0 when all are kept.
    pub revision: i64,
    /// Its place in that.
    pub position: i32,
    /// Its chain hash.
    pub chain_hash: Vec<u8>,
}

/// Reads [`Head`].
pub fn head() -> SelectorRaw<SelectModel<Head>> {
    let read = "SELECT h.log_id, h.revision, h.position, CASE WHEN isfinite(h.at) THEN h.at END AS at, h.chain_hash, \
        f.revision AS floor, f.position AS floor_position FROM registry.log_head AS h, registry.log_floor AS f";
    Head::find_by_statement(Statement::from_string(DbBackend::Postgres, read))
}

/// Reads [`Floor`].
pub fn floor() -> SelectorRaw<SelectModel<Floor>> {
    let read = "SELECT revision, position, chain_hash FROM registry.log_floor";
    Floor::find_by_statement(Statement::from_string(DbBackend::Postgres, read))
}

/// Where the log begins after a pruning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Pruned {
    /// The last commit that is not kept any more; none when there was nothing to take away.
    pub floor: Option<i64>,
}

/// Takes away about `most` of the oldest entries from before `until`, by whole commits, and records that.
pub fn prune(until: Instant, most: i32) -> SelectorRaw<SelectModel<Pruned>> {
    let prune = "SELECT registry.prune_changes($1, $2) AS floor";
    let values = [until.into(), most.into()];
    Pruned::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, prune, values))
}

/// A commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Since {
    /// Its number; none when there is none yet.
    pub revision: Option<i64>,
}

/// The first commit that took its number at this moment or after it, whoever's it is.
pub fn since(at: Instant) -> SelectorRaw<SelectModel<Since>> {
    let read = "SELECT registry.revision_at($1) AS revision";
    Since::find_by_statement(Statement::from_sql_and_values(DbBackend::Postgres, read, [at.into()]))
}
