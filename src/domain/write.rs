//! Every write of the domain goes through this file, and every write of a client through [`Registry::write`]. An
//! operation of [`Registry`] first asks the policy by the caller as it signed in, and then passes its work on. From
//! there:
//!
//! 1. **Idempotency.** The caller's key is claimed before any row of a customer is locked. Only an operator's first
//!    write does something before it: it creates the operator's profile. A key that an earlier write has completed
//!    replays that write's result instead of the work.
//! 2. **Lock and right.** The work gets an [`OpenTxn`], which can't write. Each of its locks reads the caller's right
//!    again, asks the policy with it, and returns a [`super::right::GrantedTxn`], which can (see `right/mod.rs`).
//! 3. **Changes.** The work writes rows, records a [`crate::db::ChangeRecord`] for each change, and returns an
//!    [`Outcome`].
//! 4. **Commit.** [`crate::db::Db::write`] appends the recorded changes to the log, completes the key, and commits. An
//!    error before that rolls back everything, including the claim of the key.
//!
//! No other file of the domain may call [`crate::db::Db::write`].

use std::{convert::Infallible, future::Future, sync::Arc};

use sea_orm::Select;

use super::{
    Caller, Error, Principal, Registry, Result,
    auth::Used,
    change::{ActorKind, ChangeAction},
    idempotency::{self, Replayable},
    right::{GrantedTxn, OpenTxn},
};
use crate::{
    clock::Instant,
    db::{Access, Actor, Author, CommitResult, DbError, Scope, Txn},
    entity::{api_key, change, identity, log, service_token, session},
    id::{CustomerId, Revision},
    share::ShareHolder,
};

/// The result of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteResult<T> {
    /// The row as it is after the write.
    pub value: T,
    /// The commit that brought the row to this state: this write's, or an earlier one when this write changed
    /// nothing.
    pub revision: Revision,
}

/// What a write's work returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome<T> {
    /// The work recorded a change. Its revision is known after the commit.
    Changed(T),
    /// The row was already as requested.
    Unchanged {
        /// The row.
        value: T,
        /// The earlier commit that brought the row to this state.
        since: Revision,
    },
}

impl<T> Outcome<T> {
    /// The row, changed or not.
    pub(super) fn value(&self) -> &T {
        match self {
            Self::Changed(value) | Self::Unchanged { value, .. } => value,
        }
    }

    /// The result, after a commit with this revision.
    fn committed(self, revision: Option<Revision>) -> Result<WriteResult<T>> {
        match (self, revision) {
            (Self::Changed(value) | Self::Unchanged { value, .. }, Some(revision))
            | (Self::Unchanged { value, since: revision }, None) => Ok(WriteResult { value, revision }),
            (Self::Changed(_), None) => Err(Error::Internal("a write recorded no change".into())),
        }
    }
}

/// Why a rehearsed write was rolled back.
enum RolledBack<T> {
    /// It succeeded, with this result.
    Rehearsed(T),
    /// It failed.
    Failed(Error),
}

impl<T> From<Error> for RolledBack<T> {
    fn from(err: Error) -> Self {
        Self::Failed(err)
    }
}

impl<T> From<DbError> for RolledBack<T> {
    fn from(err: DbError) -> Self {
        Self::Failed(err.into())
    }
}

impl Registry {
    /// Runs one write for `caller`. If the caller has sent the same request with the same idempotency key before,
    /// replays that result instead. A concurrent request with the same key waits. A write that fails releases its
    /// key.
    pub(super) async fn write<T, F, W>(&self, caller: &Caller, work: F) -> Result<WriteResult<T>>
    where
        T: Replayable,
        F: FnOnce(OpenTxn) -> W + Send + 'static,
        W: Future<Output = Result<Outcome<T>>> + Send,
    {
        self.write_in(caller.scope(), caller, work).await
    }

    /// As [`Registry::write`], in another scope than the caller's: [`Scope::Auth`] for its own profile,
    /// [`Scope::Joining`] for a user that it can't see yet.
    pub(super) async fn write_in<T, F, W>(
        &self,
        scope: Scope,
        caller: &Caller,
        work: F,
    ) -> Result<WriteResult<T>>
    where
        T: Replayable,
        F: FnOnce(OpenTxn) -> W + Send + 'static,
        W: Future<Output = Result<Outcome<T>>> + Send,
    {
        let (key, now) = (caller.idempotency.clone(), self.clock().now());
        let work = move |txn: OpenTxn| async move {
            let Some(key) = key else { return work(txn).await };
            if let Some(replayed) = key.replay_or_claim(&txn, now).await? {
                return Ok(replayed);
            }
            let outcome = work(txn.clone()).await?;
            idempotency::complete(&txn, &outcome);
            Ok(outcome)
        };
        let CommitResult { value: outcome, revision } = self.run_in(scope, caller, work).await?;
        outcome.committed(revision)
    }

    /// Runs one write for `caller`, without looking at its idempotency key. [`Registry::write`] does that first; the
    /// command line and the service's own tasks call this directly. Creates an operator's profile in its first write.
    /// Members have a profile already, and no other user may write.
    pub(super) async fn run<T, F, W>(&self, caller: &Caller, work: F) -> Result<CommitResult<T>>
    where
        T: Send + 'static,
        F: FnOnce(OpenTxn) -> W + Send + 'static,
        W: Future<Output = Result<T>> + Send,
    {
        self.run_in(caller.scope(), caller, work).await
    }

    /// Runs one write for `caller` and rolls it back, whatever its result: nothing is stored, and nothing is in the
    /// log.
    pub(super) async fn rehearse<T, F, W>(&self, caller: &Caller, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(OpenTxn) -> W + Send + 'static,
        W: Future<Output = Result<T>> + Send,
    {
        let work = move |txn| async move {
            match work(txn).await {
                Ok(value) => Err(RolledBack::Rehearsed(value)),
                Err(err) => Err(RolledBack::Failed(err)),
            }
        };
        match self.run_in::<Infallible, _, _, _>(caller.scope(), caller, work).await {
            Ok(CommitResult { value, .. }) => match value {},
            Err(RolledBack::Rehearsed(value)) => Ok(value),
            Err(RolledBack::Failed(err)) => Err(err),
        }
    }

    /// As [`Registry::run`], in another scope than the caller's.
    pub(super) async fn run_in<T, E, F, W>(
        &self,
        scope: Scope,
        caller: &Caller,
        work: F,
    ) -> std::result::Result<CommitResult<T>, E>
    where
        T: Send + 'static,
        E: From<DbError> + From<Error> + Send + 'static,
        F: FnOnce(OpenTxn) -> W + Send + 'static,
        W: Future<Output = std::result::Result<T, E>> + Send,
    {
        let newcomer = match &caller.principal {
            Principal::User(user) if user.operator && !user.has_profile => Some(user.clone()),
            _ => None,
        };
        let (now, clock, by) = (self.clock().now(), self.clock().clone(), caller.clone());
        let work = move |txn| async move {
            let txn = OpenTxn::new(txn, by, clock);
            if let Some(user) = newcomer {
                txn.make_profile(&user, now).await?;
            }
            work(txn).await
        };
        let access = Access { scope, ..caller.access() };
        let made = self.db().write(access, caller.share_holder(), caller.author(), work).await;
        if !made.as_ref().is_ok_and(|made| made.revision.is_some()) {
            // The result may depend on a commit that this call didn't make: later reads on this instance must be at
            // least as new.
            self.db().observe_head().await;
        }
        made
    }

    /// Runs a write that a user's sign-in causes: it accepts an invitation, or takes over the claims of its token. The
    /// user may have no right at the customer yet: [`OpenTxn::invitation`] and [`OpenTxn::claimed_membership`] read what
    /// gives it one.
    pub(super) async fn run_sign_in<T, F, W>(
        &self,
        caller: Caller,
        scope: Scope,
        work: F,
    ) -> Result<CommitResult<T>>
    where
        T: Send + 'static,
        F: FnOnce(OpenTxn) -> W + Send + 'static,
        W: Future<Output = Result<T>> + Send,
    {
        let actor = Actor { kind: ActorKind::User, ..caller.actor() };
        let (author, clock) = (Author { actor, origin: caller.origin.clone() }, self.clock().clone());
        let holder = caller.share_holder();
        let work = move |txn| work(OpenTxn::new(txn, caller, clock));
        self.db().write(scope, holder, author, work).await
    }

    /// Runs a write of the service itself that records no change: what gateways report, which isn't in the log.
    pub(super) async fn run_unlogged<T, F, W>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Txn>) -> W + Send + 'static,
        W: Future<Output = Result<T>> + Send,
    {
        let author = Caller::system("gateways").author();
        let made = self.db().write(Scope::Platform, ShareHolder::System, author, work).await;
        made.map(|CommitResult { value, revision: _ }| value)
    }

    /// Sets when a token of this identity last updated the user's profile and memberships. Needs no right and isn't
    /// recorded in the log.
    pub(super) async fn set_synced(&self, issuer: &str, subject: &str, now: Instant) -> Result<()> {
        let author = Caller::system("sign-in").author();
        let rows = identity::set_synced(issuer, subject, now);
        let touch = async move |txn: Arc<Txn>| -> Result<u64> { Ok(txn.update_all(rows).await?) };
        self.db().write(Scope::Auth, ShareHolder::System, author, touch).await.map(drop)
    }

    /// The revision of the last change of the caller's own profile of the first of these kinds that there is. Entries of
    /// the platform aren't in the scope of such a write. As [`since`] when there is none.
    pub(super) async fn last_change_of_own(
        &self,
        caller: &Caller,
        actions: &[ChangeAction],
    ) -> Result<Revision> {
        let Some(id) = caller.profile() else { return Ok(Revision::ZERO) };
        let view = self.db().internal_view(Scope::Platform);
        for action in actions {
            if let Some(entry) = view.one(change::last_of_platform(id.into(), *action)).await? {
                return Ok(entry.revision);
            }
        }
        Ok(view.one(log::floor()).await?.map_or(Revision::ZERO, |floor| floor.revision))
    }

    /// Sets when a credential was last used, unless it was used after `before`. Needs no right and isn't recorded in
    /// the log.
    pub(super) async fn touch(&self, used: Used, now: Instant, before: Instant) -> Result<()> {
        let author = Caller::system("note").author();
        let scope = match used {
            Used::Session(_) => Scope::Auth,
            Used::ApiKey(_, customer) => Scope::Customers(vec![customer]),
            Used::Service(_) => Scope::Platform,
        };
        let touch = async move |txn: Arc<Txn>| -> Result<u64> {
            Ok(match used {
                Used::Session(id) => txn.update_all(session::touch(id, now, before)).await?,
                Used::ApiKey(id, _) => txn.update_all(api_key::touch(id, now, before)).await?,
                Used::Service(id) => txn.update_all(service_token::touch(id, now, before)).await?,
            })
        };
        self.db().write(scope, ShareHolder::System, author, touch).await.map(drop)
    }
}

/// The revision of this entry, for [`Outcome::Unchanged`]. When the entry was pruned or never existed, the last pruned
/// revision: the state is at least that old.
pub(super) async fn since(txn: &GrantedTxn, entry: Select<change::Entity>) -> Result<Revision> {
    if let Some(entry) = txn.one(entry).await? {
        return Ok(entry.revision);
    }
    Ok(txn.one(log::floor()).await?.map_or(Revision::ZERO, |floor| floor.revision))
}

/// The revision of this customer's last change of this kind, or of its creation when there was none: the commit that
/// brought it to its current state.
pub(super) async fn last_change_of_customer(
    txn: &GrantedTxn,
    id: CustomerId,
    action: ChangeAction,
) -> Result<Revision> {
    let actions = [action, ChangeAction::CustomerCreated];
    since(txn, change::last_of_customer(id, actions)).await
}
