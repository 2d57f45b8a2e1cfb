//! The memory of one operation: reserved from its caller's share before the operation runs, grown while its answer is
//! made, and kept until the answer is written.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use tokio::{sync::Notify, task::yield_now};

use super::json_text::written_bytes;
use crate::{
    domain::Error,
    graphql::{
        GraphQlResponse,
        schema::error::{response_too_large, to_graphql_error},
    },
    id::VersionId,
    share::{BudgetFull, MemoryShare, Reservation},
    task::lock,
};

/// The most that one response may write, in bytes of JSON: about sixty of the largest prompts. A document's cost
/// bounds how many fields it selects, but their lengths are known only here.
const WRITTEN_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The memory of an operation in addition to its texts, in bytes.
const OPERATION_BYTES: usize = 16 * 1024;
/// The memory of a field in addition to its text, in bytes. A point of cost is about a field.
const POINT_BYTES: usize = 256;
/// The memory with which an event of a subscription begins. Most events are small, and rendered already.
const EVENT_BYTES: usize = 2 * 1024;
/// The size of a text above which the texts of an answer are made one after the other, in bytes.
const LARGE_TEXT_BYTES: usize = 64 * 1024;
/// How often a subscription waits for the memory of an event: five seconds each.
const EVENT_ATTEMPTS: usize = 12;
/// The step in which a reservation grows, in bytes.
const STEP: usize = 64 * 1024;

/// The memory of one operation. Clones share it.
#[derive(Clone, Debug)]
pub(in crate::graphql) struct AnswerMemory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    held: Mutex<Held>,
    /// Notified when a field was refused.
    refused: Notify,
    /// Held by the field that makes a large text: see [`AnswerMemory::write_prompt`].
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Held {
    /// `None` once it was taken out.
    reservation: Option<Reservation>,
    /// What the operation needs so far.
    needed: usize,
    /// What its answer writes so far.
    written: usize,
    /// The versions whose content was counted. A loader reads each once, however many fields ask for it.
    contents: HashSet<VersionId>,
    /// The bytes that the prompts of these versions take when they are written.
    prompts: HashMap<VersionId, usize>,
    /// Why the reservation could not grow. The answer isn't complete then.
    shortage: Option<BudgetFull>,
}

impl AnswerMemory {
    /// Reserves what an operation of this cost is likely to need. Waits for it.
    ///
    /// # Errors
    /// [`BudgetFull`] if it doesn't become free in time.
    pub(in crate::graphql) async fn for_operation(
        share: &MemoryShare,
        cost: usize,
    ) -> Result<Self, BudgetFull> {
        let likely = likely_bytes(cost);
        Ok(Self::new(share.reserve(likely.min(share.largest())).await?, likely))
    }

    /// Reserves as much as any operation may need: for one that ran short. Waits for it.
    ///
    /// # Errors
    /// [`BudgetFull`] if it doesn't become free in time.
    pub(in crate::graphql) async fn for_any_operation(
        share: &MemoryShare,
        cost: usize,
    ) -> Result<Self, BudgetFull> {
        Ok(Self::new(share.reserve(share.largest()).await?, likely_bytes(cost)))
    }

    /// Reserves what one event of a subscription is likely to need, or this many bytes. Waits up to a minute: the
    /// subscription's watch keeps its position meanwhile.
    ///
    /// # Errors
    /// [`BudgetFull`] after that.
    pub(in crate::graphql) async fn for_event(share: &MemoryShare, bytes: usize) -> Result<Self, BudgetFull> {
        let bytes = bytes.clamp(EVENT_BYTES, share.largest());
        for _ in 1..EVENT_ATTEMPTS {
            if let Ok(reservation) = share.reserve(bytes).await {
                return Ok(Self::of(reservation));
            }
        }
        share.reserve(bytes).await.map(Self::of)
    }

    /// The memory of an event, within this reservation.
    pub(in crate::graphql) fn of(reservation: Reservation) -> Self {
        Self::new(reservation, EVENT_BYTES)
    }

    fn new(reservation: Reservation, needed: usize) -> Self {
        let (written, contents, prompts, shortage) = (0, HashSet::new(), HashMap::new(), None);
        let reservation = Some(reservation);
        let held = Mutex::new(Held { reservation, needed, written, contents, prompts, shortage });
        Self(Arc::new(Inner { held, refused: Notify::new(), turn: tokio::sync::Mutex::default() }))
    }

    /// Counts the content of a version, before it is read.
    pub(in crate::graphql) fn read(&self, version: VersionId, bytes: usize) -> async_graphql::Result<()> {
        let mut held = lock(&self.0.held);
        if !held.contents.insert(version) {
            return Ok(());
        }
        held.grow(bytes).inspect_err(|_| self.0.refused.notify_one())
    }

    /// Counts what a field writes into the answer. Returns QUERY_TOO_COMPLEX beyond [`WRITTEN_BYTES_MAX`].
    pub(in crate::graphql) fn write(&self, bytes: usize) -> async_graphql::Result<()> {
        let mut held = lock(&self.0.held);
        held.written = held.written.saturating_add(bytes);
        if held.written > WRITTEN_BYTES_MAX {
            self.0.refused.notify_one();
            return Err(response_too_large(WRITTEN_BYTES_MAX));
        }
        held.grow(bytes).inspect_err(|_| self.0.refused.notify_one())
    }

    /// The response to an operation that ran short of the memory that [`AnswerMemory::for_any_operation`] reserves.
    pub(in crate::graphql) fn never_fits(request_id: &str) -> GraphQlResponse {
        let message = "the answer needs more memory than one caller may have; select fewer objects or fields";
        GraphQlResponse::refusal(message, "QUERY_TOO_COMPLEX", request_id)
    }

    /// Resolves when a field is refused.
    pub(in crate::graphql) async fn refused(&self) {
        self.0.refused.notified().await;
    }

    /// The response to a query whose answer exceeds [`WRITTEN_BYTES_MAX`].
    pub(in crate::graphql) fn too_large(request_id: &str) -> GraphQlResponse {
        GraphQlResponse::refusal(
            response_too_large(WRITTEN_BYTES_MAX).message,
            "QUERY_TOO_COMPLEX",
            request_id,
        )
    }

    /// Whether a field was refused.
    pub(in crate::graphql) fn is_refused(&self) -> bool {
        let held = lock(&self.0.held);
        held.shortage.is_some() || held.written > WRITTEN_BYTES_MAX
    }

    /// Why the answer isn't complete; `None` if it is.
    pub(in crate::graphql) fn shortage(&self) -> Option<BudgetFull> {
        lock(&self.0.held).shortage
    }

    /// Counts a version's prompt, each time that a field writes it. Many large ones in one answer are made one after the
    /// other, and other requests are served in between.
    pub(in crate::graphql) async fn write_prompt(
        &self,
        version: VersionId,
        prompt: &str,
    ) -> async_graphql::Result<()> {
        let _turn = match prompt.len() > LARGE_TEXT_BYTES {
            true => {
                let turn = self.0.turn.lock().await;
                yield_now().await;
                Some(turn)
            }
            false => None,
        };
        // The answer may have been refused meanwhile.
        if let Some(full) = self.shortage() {
            return Err(to_graphql_error(&Error::NoMemory(full)));
        }
        if self.is_refused() {
            return Err(response_too_large(WRITTEN_BYTES_MAX));
        }
        let known = lock(&self.0.held).prompts.get(&version).copied();
        let bytes = known.unwrap_or_else(|| {
            let bytes = written_bytes(prompt);
            lock(&self.0.held).prompts.insert(version, bytes);
            bytes
        });
        self.write(bytes)
    }

    /// The bytes of the texts so far, as they are written.
    pub(in crate::graphql) fn written(&self) -> usize {
        lock(&self.0.held).written
    }

    /// Takes the reservation out. Later fields aren't counted.
    pub(in crate::graphql) fn into_reservation(self) -> Option<Reservation> {
        lock(&self.0.held).reservation.take()
    }
}

/// What an operation of this cost is likely to need, in addition to its texts.
fn likely_bytes(cost: usize) -> usize {
    OPERATION_BYTES.saturating_add(POINT_BYTES.saturating_mul(cost))
}

impl Held {
    fn grow(&mut self, bytes: usize) -> async_graphql::Result<()> {
        self.needed = self.needed.saturating_add(bytes);
        let Some(reservation) = self.reservation.as_mut().filter(|held| held.bytes() < self.needed) else {
            return Ok(());
        };
        let ample = self.needed.saturating_add(STEP);
        let grown = reservation.grow_to(ample).or_else(|_| reservation.grow_to(self.needed));
        grown.map_err(|full| {
            self.shortage.get_or_insert(full);
            to_graphql_error(&Error::NoMemory(full))
        })
    }
}
