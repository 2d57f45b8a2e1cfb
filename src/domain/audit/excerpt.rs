//! Excerpts of the log for one customer: its own entries in full, and only the hashes of all others. A reader of an
//! excerpt can verify the whole hash chain without access to the registry, and learns nothing about other customers.

use std::collections::VecDeque;

use sea_orm::ActiveEnum;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    clock::Instant,
    domain::{
        Caller, Error, Registry, Result,
        change::{ActorKind, Change, ChangeAction, Channel, Head, LogPosition, floor, head},
        policy::{self, Action},
    },
    entity::{TenantFilter, audit, change, customer},
    id::{CustomerId, Revision},
};

/// The name of the format.
pub(super) const FORMAT: &str = "agent-registry-audit/1";
/// The number of entries that are read at once.
const PAGE: u64 = 250;
/// The number of the customer's own entries in a piece. At their largest, with two descriptions each, they have 1 MiB.
const OWN_MAX: usize = 64;

/// One line of an excerpt, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ExcerptLine {
    /// The first line: the log, the customer, and the entry that the excerpt starts after.
    Begin {
        format: String,
        log_id: Uuid,
        customer_id: CustomerId,
        revision: Revision,
        position: i32,
        chain_hash: String,
    },
    /// An entry of the customer.
    Change(Box<ExcerptEntry>),
    /// The hashes of consecutive entries of others.
    Hashes(Vec<String>),
    /// The last line: the end of the log.
    End { revision: Revision, position: i32, at: Option<Instant>, chain_hash: String },
}

/// An entry, with all columns that its hash covers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExcerptEntry {
    revision: Revision,
    position: i32,
    at: Instant,
    customer_id: CustomerId,
    agent_id: Option<Uuid>,
    version_id: Option<Uuid>,
    subject_id: Option<Uuid>,
    action: String,
    actor_kind: String,
    actor_id: Option<Uuid>,
    request_id: Option<String>,
    details: String,
    channel: Option<String>,
    network: Option<String>,
    salt: Option<Uuid>,
}

impl ExcerptEntry {
    fn of(change: Change, customer_id: CustomerId) -> Self {
        Self {
            revision: change.revision,
            position: change.position,
            at: change.at,
            customer_id,
            agent_id: change.agent_id.map(Into::into),
            version_id: change.version_id.map(Into::into),
            subject_id: change.subject_id,
            action: change.action.to_value(),
            actor_kind: change.actor_kind.to_value(),
            actor_id: change.actor_id,
            request_id: change.request_id,
            details: change.details,
            channel: change.channel.map(|channel| channel.to_value()),
            network: change.network,
            salt: change.salt,
        }
    }

    /// Converts back to an entry, without its hashes. `None` when an enum's value is unknown.
    pub(super) fn read(self) -> Option<Change> {
        Some(Change {
            revision: self.revision,
            position: self.position,
            at: self.at,
            customer_id: Some(self.customer_id),
            agent_id: self.agent_id.map(Into::into),
            version_id: self.version_id.map(Into::into),
            subject_id: self.subject_id,
            action: ChangeAction::try_from_value(&self.action).ok()?,
            actor_kind: ActorKind::try_from_value(&self.actor_kind).ok()?,
            actor_id: self.actor_id,
            request_id: self.request_id,
            details: self.details,
            channel: self.channel.map(|channel| Channel::try_from_value(&channel)).transpose().ok()?,
            network: self.network,
            salt: self.salt,
            row_hash: Vec::new(),
            chain_hash: Vec::new(),
        })
    }
}

/// An excerpt that is written piece by piece.
#[derive(Debug)]
pub struct Excerpt {
    registry: Registry,
    caller: Caller,
    customer: CustomerId,
    head: Head,
    place: LogPosition,
    next: Next,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Begin,
    Entries,
    End,
    Nothing,
}

impl Registry {
    /// Starts an excerpt of the log for this customer, up to the current end of the log.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the customer, [`Error::Forbidden`] unless the caller may read its audit log.
    pub async fn excerpt(&self, caller: &Caller, customer: CustomerId) -> Result<Excerpt> {
        let missing = Error::NotFound("customer");
        policy::allow_on(caller, Action::ReadChanges, customer, "customer")?;
        let reading = self.reading(caller);
        let tenants = reading.tenant_filter(Action::ReadChanges)?;
        reading.view.one(customer::by_ids(&tenants, &[customer])).await?.ok_or(missing)?;
        // One connection at a time: if each holder of a connection waited for a second one, all could wait for ever.
        drop(reading);
        let (registry, caller, head) = (self.clone(), caller.clone(), self.head().await?);
        let place = LogPosition::end_of(head.floor);
        Ok(Excerpt { registry, caller, customer, head, place, next: Next::Begin })
    }
}

impl Excerpt {
    /// The caller that the excerpt is written for.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The revision that has been written, and the last one.
    #[must_use]
    pub fn progress(&self) -> (Revision, Revision) {
        (self.place.revision, self.head.revision)
    }

    /// The next lines; `None` after the last one.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::CursorTooOld`] when the log was pruned during the export.
    pub async fn next(&mut self) -> Result<Option<String>> {
        let lines = match self.next {
            Next::Begin => vec![self.begin().await?],
            Next::Entries => self.entries().await?,
            Next::End => {
                self.next = Next::Nothing;
                let Head { revision, position, at, chain_hash, .. } = &self.head;
                let chain_hash = hex::encode(chain_hash);
                vec![ExcerptLine::End { revision: *revision, position: *position, at: *at, chain_hash }]
            }
            Next::Nothing => return Ok(None),
        };
        let mut text = String::new();
        for line in lines {
            text += &serde_json::to_string(&line).map_err(|err| Error::Internal(Box::new(err)))?;
            text.push('\n');
        }
        Ok(Some(text))
    }

    async fn begin(&mut self) -> Result<ExcerptLine> {
        let view = self.registry.reading(&Caller::system("excerpt")).view;
        let floor = floor(&view).await?;
        if floor.revision != self.head.floor {
            return Err(Error::CursorTooOld { floor: floor.revision });
        }
        self.next = Next::Entries;
        Ok(ExcerptLine::Begin {
            format: FORMAT.to_owned(),
            log_id: self.head.log_id,
            customer_id: self.customer,
            revision: floor.revision,
            position: floor.position,
            chain_hash: hex::encode(&floor.chain_hash),
        })
    }

    /// The lines of the next page. Reads the hashes with the service's rights, since they reveal nothing, and the
    /// customer's entries with the caller's rights, so that row-level security applies to them too.
    async fn entries(&mut self) -> Result<Vec<ExcerptLine>> {
        let system = self.registry.reading(&Caller::system("excerpt")).view;
        let head = head(&system).await?;
        if head.has_pruned_after(self.place) {
            return Err(Error::CursorTooOld { floor: head.floor });
        }
        let hashes = audit::hashes(self.customer, self.place, self.head.revision, PAGE);
        let mut hashes = system.all(hashes).await?;
        drop(system);
        let beyond = hashes.iter().enumerate().filter(|(_, hash)| hash.is_own).nth(OWN_MAX);
        if let Some((beyond, _)) = beyond {
            hashes.truncate(beyond);
        }
        let own_count = hashes.iter().filter(|hash| hash.is_own).count();
        let mut own = VecDeque::new();
        if own_count > 0 {
            let tenants = TenantFilter::Only(vec![self.customer]);
            let limit = u64::try_from(own_count).unwrap_or(PAGE);
            let reading = self.registry.reading(&self.caller);
            own = reading.view.all(change::after(&tenants, self.place, limit)).await?.into();
        }
        let Some(last) = hashes.last() else {
            self.next = Next::End;
            return Ok(Vec::new());
        };
        self.place = LogPosition { revision: last.revision, position: last.position };
        let mut lines = Vec::new();
        for hash in &hashes {
            if hash.is_own {
                let is_it = |entry: &Change| {
                    LogPosition::of(entry)
                        == (LogPosition { revision: hash.revision, position: hash.position })
                };
                let entry = own.pop_front().filter(is_it);
                let entry = entry.ok_or(Error::Unavailable("the log was pruned during the export"))?;
                lines.push(ExcerptLine::Change(Box::new(ExcerptEntry::of(entry, self.customer))));
            } else if let Some(ExcerptLine::Hashes(run)) = lines.last_mut() {
                run.push(hex::encode(&hash.row_hash));
            } else {
                lines.push(ExcerptLine::Hashes(vec![hex::encode(&hash.row_hash)]));
            }
        }
        Ok(lines)
    }
}
