//! The change log: its entries, and cursors into it. `object.rs` says what an entry is about, `event.rs` who receives it as
//! an event of a customer, and `fields.rs` which fields it changes.

use std::{fmt, str::FromStr};

use serde_json::json;

use super::{
    Caller, Error, Reading, Registry, Result, customer::BillingStatus, policy::Action, right::OpenTxn,
};
use crate::{
    clock::{self, Instant},
    db::View,
    entity::{TenantFilter, change, log},
    id::{CustomerId, Revision},
};

pub use crate::entity::change::{
    ActorKind, ChangeAction, Channel, ConfigEffect, LogPosition, Model as Change,
};
pub use crate::entity::log::Head;

mod event;
mod fields;
mod object;

pub use object::{ChangedEnvironment, ChangedObject};

/// The details of a log entry that archives or restores something.
pub(super) fn archival_details(before: Option<Instant>, after: Option<Instant>) -> serde_json::Value {
    let [before, after] = [before, after].map(|at| json!({ "archived_at": at.map(clock::to_text) }));
    json!({ "before": before, "after": after })
}

/// How many bytes of the chain hash a cursor contains: enough that another log's cursor doesn't match by chance.
const HASH_BYTES: usize = 8;

/// A position in the log, right after an entry. Written as `revision.position.hash`. A bare revision is the end of
/// that commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    revision: Revision,
    entry: Option<(i32, [u8; HASH_BYTES])>,
}

impl Cursor {
    /// The cursor right after this entry.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        Self::new(change.revision, change.position, &change.chain_hash)
    }

    /// The commit that the position is in, or at the end of.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The cursor right after the entry at this position, from the entry's chain hash.
    #[must_use]
    pub fn new(revision: Revision, position: i32, chain_hash: &[u8]) -> Self {
        let mut hash = [0; HASH_BYTES];
        hash.iter_mut().zip(chain_hash).for_each(|(to, from)| *to = *from);
        Self { revision, entry: Some((position, hash)) }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            None => write!(f, "{}", self.revision),
            Some((position, hash)) => write!(f, "{}.{position}.{}", self.revision, hex::encode(hash)),
        }
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number =
            |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0 && !text.starts_with('+'));
        let parts: Vec<&str> = text.split('.').collect();
        let cursor = match parts.as_slice() {
            [revision] => number(revision).map(|number| Self { revision: Revision(number), entry: None }),
            [revision, position, hash] => (|| {
                let mut bytes = [0; HASH_BYTES];
                hex::decode_to_slice(hash, &mut bytes).ok()?;
                let position = i32::try_from(number(position)?).ok()?;
                Some(Self { revision: Revision(number(revision)?), entry: Some((position, bytes)) })
            })(),
            // A bookmark of `configs`: a cursor with the hash of that subscription's arguments.
            [revision, position, hash, _] => {
                let cursor = [*revision, *position, *hash].join(".").parse::<Self>();
                return Err(cursor.map_or(Error::CursorInvalid, |_| Error::CursorOfAnother));
            }
            _ => None,
        };
        cursor.ok_or(Error::CursorInvalid)
    }
}

impl Change {
    /// Whether this entry is a change of billing status by which the customer starts or stops being served.
    pub(crate) fn starts_or_stops_serving(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct Turn {
            before: String,
            after: String,
        }
        let is_served = |status: &String| {
            <BillingStatus as sea_orm::ActiveEnum>::try_from_value(status)
                .is_ok_and(|status| status.not_served().is_none())
        };
        json_reader::read_as::<Turn>(self.details.as_bytes(), &json_reader::Limits::DEPTH_ONLY)
            .is_ok_and(|turn| is_served(&turn.before) != is_served(&turn.after))
    }
}

impl Change {
    /// Whether this entry changes its agent's name.
    pub(crate) fn renames(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct Renaming {
            before: Named,
            after: Named,
        }
        #[derive(serde::Deserialize)]
        struct Named {
            name: String,
        }
        // An entry that can't be read may be a renaming.
        json_reader::read_as::<Renaming>(self.details.as_bytes(), &json_reader::Limits::DEPTH_ONLY)
            .map_or(true, |Renaming { before, after }| before.name != after.name)
    }
}

impl Registry {
    /// The end of the log now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn head(&self) -> Result<Head> {
        Ok(self.db().head().await?)
    }

    /// The commit of whose moment the snapshot is. Opens the snapshot if nothing was read yet.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn revision(&self, reading: &Reading) -> Result<Revision> {
        match reading.view.revision().await {
            Some(revision) => Ok(revision),
            None => Ok(head(&reading.view).await?.revision),
        }
    }

    /// The position of a cursor, if the cursor is one of this log and nothing after it has been pruned.
    ///
    /// # Errors
    /// [`Error::CursorInvalid`] when the position is in the future, or this log has another hash there;
    /// [`Error::CursorTooOld`] when entries after it have been pruned.
    pub async fn resolve_cursor(&self, cursor: Cursor) -> Result<LogPosition> {
        let Cursor { revision, entry } = cursor;
        // The hash doesn't reveal the row's content, so any caller may have it checked against any row.
        let view = self.reading(&Caller::system("cursor")).view;
        let head = head(&view).await?;
        if revision > head.revision {
            return Err(Error::CursorInvalid);
        }
        let place = match entry {
            Some((position, _)) => LogPosition { revision, position },
            None => LogPosition::end_of(revision),
        };
        if head.has_pruned_after(place) {
            return Err(Error::CursorTooOld { floor: head.floor });
        }
        let Some((position, hash)) = entry else { return Ok(place) };
        let found = match view.one(change::at(revision, position)).await? {
            Some(found) => Some(found.chain_hash),
            None => {
                let floor = floor(&view).await?;
                ((floor.revision, floor.position) == (revision, position)).then_some(floor.chain_hash)
            }
        };
        match found {
            Some(found) if found.starts_with(&hash) => Ok(place),
            _ => Err(Error::CursorInvalid),
        }
    }

    /// Up to `limit` entries after `place`, in order, and the end of the log in the same snapshot. Returns entries of
    /// this customer, or of all customers at which the reader may do `action`. Fewer than `limit` entries mean that
    /// the reader has seen everything up to that end.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::NotFound`] for the customer; [`Error::CursorTooOld`] when entries after `place`
    /// have been pruned; [`Error::Unavailable`] when the database is.
    pub(crate) async fn changes_after(
        &self,
        reading: &Reading,
        action: Action,
        customer: Option<CustomerId>,
        place: LogPosition,
        limit: u64,
    ) -> Result<(Vec<Change>, Head)> {
        let (view, mut tenants) = (&reading.view, reading.tenant_filter(action)?);
        if let Some(customer) = customer {
            reading.allow_on(action, customer, "customer")?;
            tenants = TenantFilter::Only(vec![customer]);
        }
        let head = head(view).await?;
        if head.has_pruned_after(place) {
            return Err(Error::CursorTooOld { floor: head.floor });
        }
        let changes = view.all(change::after(&tenants, place, limit)).await?;
        Ok((changes, head))
    }

    /// Prunes the oldest entries of the log, of those before `until`: about 10,000 at most. Returns whether it pruned
    /// any, in which case there may be more. Records the pruning in the log.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn prune(&self, until: Instant) -> Result<bool> {
        let system = Caller::system("retention");
        let prune = async move |txn: OpenTxn| -> Result<bool> {
            let txn = txn.platform(Action::ManagePlatform).await?;
            txn.extend_statement_timeout().await?;
            let pruned = txn.one(log::prune(until, PRUNED_AT_ONCE)).await?;
            Ok(pruned.is_some_and(|pruned| pruned.floor.is_some()))
        };
        Ok(self.run(&system, prune).await?.value)
    }
}

/// The end of the log and the last pruned entry, in this view's snapshot. Every migrated database has both.
pub(super) async fn head(view: &View) -> Result<Head> {
    view.one(log::head()).await?.ok_or(Error::Unavailable("the log has no head"))
}

/// The last pruned entry, in this view's snapshot.
pub(super) async fn floor(view: &View) -> Result<log::RetentionFloor> {
    view.one(log::floor()).await?.ok_or(Error::Unavailable("the log has no beginning"))
}

/// About how many entries are pruned in one transaction, which takes about a second.
const PRUNED_AT_ONCE: i32 = 10_000;
