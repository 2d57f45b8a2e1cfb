//! Idempotency keys: a write that is sent again with the same key takes effect once, and its result is replayed.

use std::future::Future;

use chrono::TimeDelta;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Caller, Error, Outcome, Registry, Result, policy::Action, right::OpenTxn, text};
use crate::{
    clock::Instant,
    entity::idempotency_key,
    id::{CustomerId, Revision},
};

/// The most characters of a key.
pub const KEY_CHARS_MAX: usize = 255;
/// How long a key is stored.
const KEY_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// The hash of a key that the caller chose for one write, and the hash of that write's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    key_hash: [u8; 32],
    request_hash: [u8; 32],
}

/// The ids from which a write's result can be loaded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReplayIds {
    /// The id of the row that the write changed.
    pub(super) id: Uuid,
    /// The second part of that row's key, or the id of a second row.
    pub(super) other: Option<Uuid>,
}

/// The result of a write that can be replayed from ids alone. Secrets can't be replayed.
pub(super) trait Replayable: Sized + Send + 'static {
    /// The ids to store with the key.
    fn replay_ids(&self) -> ReplayIds;

    /// Loads the result in its current state. Reads the caller's right again in this transaction, and fails if the
    /// caller has lost the right that the write needs.
    fn replay(txn: &OpenTxn, subject: ReplayIds) -> impl Future<Output = Result<Self>> + Send;
}

impl IdempotencyKey {
    /// Makes the key for a request from the request's name and its input. JSON that differs only in layout is equal.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a key that is not 1 to [`KEY_CHARS_MAX`] printable ASCII characters.
    pub fn new(key: &str, request: &str, input: &Value) -> Result<Self> {
        if key.is_empty()
            || key.len() > KEY_CHARS_MAX
            || !key.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        {
            let message = format!("idempotencyKey must be 1 to {KEY_CHARS_MAX} printable ASCII characters");
            return Err(Error::invalid("idempotencyKey", message));
        }
        let mut hash = Sha256::new();
        hash.update(request);
        hash.update([0]);
        hash.update(text::canonical(input)?);
        Ok(Self { key_hash: Sha256::digest(key).into(), request_hash: hash.finalize().into() })
    }

    /// Claims the key for this write, and returns `None`. If an earlier write of the caller has completed the key,
    /// returns that write's result, loaded again. Waits for an open transaction that has claimed the key.
    ///
    /// # Errors
    /// [`Error::KeyReused`] when the earlier write was another request, and as [`Replayable::replay`].
    pub(super) async fn replay_or_claim<T: Replayable>(
        self,
        txn: &OpenTxn,
        now: Instant,
    ) -> Result<Option<Outcome<T>>> {
        let Self { key_hash, request_hash } = self;
        let earlier = txn.claim(key_hash, request_hash, now, now - KEY_LIFETIME).await?;
        let Some(earlier) = earlier else { return Ok(None) };
        if earlier.request_hash != request_hash {
            return Err(Error::KeyReused);
        }
        metrics::counter!("registry_idempotent_replays_total").increment(1);
        let ids = ReplayIds { id: earlier.subject_id, other: earlier.other_id };
        Ok(Some(Outcome::Unchanged { value: T::replay(txn, ids).await?, since: earlier.revision }))
    }
}

/// Completes the claimed key with the ids of the write's result. The commit adds the revision.
pub(super) fn complete<T: Replayable>(txn: &OpenTxn, outcome: &Outcome<T>) {
    let ReplayIds { id, other } = outcome.value().replay_ids();
    let since = match outcome {
        Outcome::Changed(_) => Revision::ZERO,
        Outcome::Unchanged { since, .. } => *since,
    };
    txn.complete_idempotency_key(id, other, since);
}

impl ReplayIds {
    /// The ids of a result with one row.
    pub(super) fn row(id: impl Into<Uuid>) -> Self {
        Self { id: id.into(), other: None }
    }

    /// Adds a second id.
    pub(super) fn and(self, other: impl Into<Uuid>) -> Self {
        Self { other: Some(other.into()), ..self }
    }

    /// The customer with the second id, if the caller may still do `action` there.
    pub(super) async fn customer(
        self,
        txn: &OpenTxn,
        action: Action,
        what: &'static str,
    ) -> Result<CustomerId> {
        let customer = self.other()?.into();
        txn.allow_on(action, customer, what).await?;
        Ok(customer)
    }

    /// The second id, for a result that has one.
    pub(super) fn other(self) -> Result<Uuid> {
        self.other
            .ok_or_else(|| Error::Internal("an idempotency key was stored without its second id".into()))
    }
}

/// The row that a write changed, if the caller may still do `action` at the row's customer.
pub(super) async fn require_allowed<T>(
    found: Option<T>,
    txn: &OpenTxn,
    action: Action,
    what: &'static str,
    customer: impl Fn(&T) -> CustomerId,
) -> Result<T> {
    let found = found.ok_or(Error::NotFound(what))?;
    txn.allow_on(action, customer(&found), what).await?;
    Ok(found)
}

impl Registry {
    /// Deletes idempotency keys that are older than 24 hours. Returns how many.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn forget_idempotency_keys(&self) -> Result<u64> {
        let until = self.clock().now() - KEY_LIFETIME;
        let forget = async move |txn: OpenTxn| -> Result<u64> {
            let txn = txn.platform(Action::ManagePlatform).await?;
            txn.extend_statement_timeout().await?;
            Ok(txn.delete(idempotency_key::forget(until)).await?)
        };
        Ok(self.run(&Caller::system("retention"), forget).await?.value)
    }
}
