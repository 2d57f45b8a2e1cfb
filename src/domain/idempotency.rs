//! Idempotency keys: a write that is sent again with the same key has its effect once, and is told again.

use std::future::Future;

use chrono::TimeDelta;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Caller, Error, Registry, Result, policy::Action, right::OpenTxn, text};
use crate::{db::Committed, entity::idempotency_key, id::CustomerId};

/// How many characters a key may have.
pub const KEY_CHARS_MAX: usize = 255;
/// How long a write is remembered by its key.
const KEPT: TimeDelta = TimeDelta::hours(24);

/// A key that its caller chose for one write, and what it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    key_hash: [u8; 32],
    request_hash: [u8; 32],
}

/// Which rows a write came to, by their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// The row itself.
    pub(super) id: Uuid,
    /// What else is needed to name it, or the other row.
    pub(super) other: Option<Uuid>,
}

/// What a write comes to, so far as it can be told again by ids alone. Secrets can't.
pub(super) trait Retold: Sized + Send + 'static {
    /// What it is about.
    fn subject(&self) -> Subject;

    /// The commit that made it so, when this write found it so.
    fn since(&self) -> i64 {
        0
    }

    /// The same as it is now, for who wrote it then and still may: that is read again in this transaction.
    fn again(txn: &OpenTxn, subject: Subject) -> impl Future<Output = Result<Self>> + Send;
}

impl IdempotencyKey {
    /// A key for one request: its name, and all that comes with it. JSON that only differs in layout is the same.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a key that is not 1 to [`KEY_CHARS_MAX`] printable ASCII characters.
    pub fn new(key: &str, request: &str, input: &Value) -> Result<Self> {
        if key.is_empty()
            || key.len() > KEY_CHARS_MAX
            || !key.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        {
            let message = format!("an idempotency key is 1 to {KEY_CHARS_MAX} printable ASCII characters");
            return Err(Error::invalid("idempotencyKey", message));
        }
        let mut hash = Sha256::new();
        hash.update(request);
        hash.update([0]);
        hash.update(text::canonical(input)?);
        Ok(Self { key_hash: Sha256::digest(key).into(), request_hash: hash.finalize().into() })
    }
}

impl Subject {
    /// A row with an id of its own.
    pub(super) fn row(id: impl Into<Uuid>) -> Self {
        Self { id: id.into(), other: None }
    }

    /// The same, with another id.
    pub(super) fn and(self, other: impl Into<Uuid>) -> Self {
        Self { other: Some(other.into()), ..self }
    }

    /// The customer that the other id names, for who still may do this there.
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

    /// The other id, of a subject that has one.
    pub(super) fn other(self) -> Result<Uuid> {
        self.other.ok_or_else(|| Error::Internal("an idempotency key names half of its subject".into()))
    }
}

/// The row that a write was about, for who still may do at its customer what the write did.
pub(super) async fn allowed<T>(
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

impl<T: Retold> Retold for (T, i64) {
    fn subject(&self) -> Subject {
        self.0.subject()
    }

    fn since(&self) -> i64 {
        self.1
    }

    async fn again(txn: &OpenTxn, subject: Subject) -> Result<Self> {
        Ok((T::again(txn, subject).await?, 0))
    }
}

impl Registry {
    /// Runs `work` as [`Registry::run`] does; but when the caller has sent the same before with the same idempotency key,
    /// nothing is done and what it came to then is told again. Who sends it meanwhile waits. A write that fails leaves its
    /// key free.
    pub(super) async fn write<T, F, W>(&self, caller: &Caller, work: F) -> Result<Committed<T>>
    where
        T: Retold,
        F: FnOnce(OpenTxn) -> W + Send + 'static,
        W: Future<Output = Result<T>> + Send,
    {
        let Some(IdempotencyKey { key_hash, request_hash }) = caller.idempotency.clone() else {
            return self.run(caller, work).await;
        };
        let now = self.clock.now();
        let work = move |txn: OpenTxn| async move {
            let earlier = txn.claim(key_hash, request_hash, now, now - KEPT).await?;
            let Some(earlier) = earlier else {
                let value = work(txn.clone()).await?;
                let Subject { id, other } = value.subject();
                txn.came_to(id, other, value.since());
                return Ok((value, None));
            };
            if earlier.request_hash != request_hash {
                return Err(Error::KeyReused);
            }
            metrics::counter!("registry_idempotent_replays_total").increment(1);
            let subject = Subject { id: earlier.subject_id, other: earlier.other_id };
            Ok((T::again(&txn, subject).await?, Some(earlier.revision)))
        };
        let Committed { value: (value, earlier), revision } = self.run(caller, work).await?;
        Ok(Committed { value, revision: earlier.or(revision) })
    }

    /// Forgets the idempotency keys of writes that are longer ago than they are kept.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database is.
    pub async fn forget_idempotency_keys(&self) -> Result<u64> {
        let until = self.clock.now() - KEPT;
        let forget = async move |txn: OpenTxn| -> Result<u64> {
            let txn = txn.platform(Action::ManagePlatform).await?;
            txn.take_time().await?;
            Ok(txn.delete(idempotency_key::forget(until)).await?)
        };
        Ok(self.run(&Caller::system("retention"), forget).await?.value)
    }
}
