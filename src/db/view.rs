//! A read-only, repeatable-read snapshot. Its transaction begins at the first query.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use futures_util::{FutureExt, TryFutureExt, future::BoxFuture};
use sea_orm::{
    DatabaseTransaction, DbErr, EntityTrait, FromQueryResult, Select, Selector, SelectorRaw, SelectorTrait,
};
use tokio::sync::Mutex;

use super::{
    Access, Db, DbError,
    pool::{ConnectionLease, LeaseClaim},
};
use crate::{
    entity::{EnvironmentFilter, TenantFilter},
    id::Revision,
};

/// A snapshot under a scope. All queries through one View, and through its clones, read the same state of the database,
/// or fail.
#[derive(Clone, Debug)]
pub struct View(Arc<ViewInner>);

#[derive(Debug)]
struct ViewInner {
    db: Db,
    access: Access,
    claim: LeaseClaim,
    tenants: TenantFilter,
    environments: EnvironmentFilter,
    state: Mutex<ViewState>,
    /// Whether [`View::release_while`] returns the connection.
    may_release: AtomicBool,
    /// The number of [`View::release_while`] in progress.
    pauses: AtomicUsize,
    /// Whether a later snapshot was of another revision than the first one.
    has_moved: AtomicBool,
}

#[derive(Debug, Default)]
struct ViewState {
    /// The open snapshot. `None` before the first query, and after it was released.
    snapshot: Option<Arc<Snapshot>>,
    /// The revision of the first snapshot.
    revision: Option<Revision>,
}

/// An open snapshot. Dropping it rolls the transaction back, which for reads is the cheapest way to end.
#[derive(Debug)]
struct Snapshot {
    txn: DatabaseTransaction,
    /// Dropped last: it returns the transaction's connection.
    lease: ConnectionLease,
}

/// A select that a View or a Txn can run.
pub trait Query: Send + 'static {
    /// The type of a row.
    type Row: Send + 'static;

    /// Runs the query and returns all rows.
    fn fetch(self, txn: &DatabaseTransaction) -> impl Future<Output = Result<Vec<Self::Row>, DbErr>> + Send;
}

impl<E: EntityTrait> Query for Select<E>
where
    E::Model: FromQueryResult + Send + Sync + 'static,
{
    type Row = E::Model;

    async fn fetch(self, txn: &DatabaseTransaction) -> Result<Vec<E::Model>, DbErr> {
        self.all(txn).await
    }
}

impl<S> Query for Selector<S>
where
    S: SelectorTrait + Send + 'static,
    S::Item: Send + 'static,
{
    type Row = S::Item;

    async fn fetch(self, txn: &DatabaseTransaction) -> Result<Vec<S::Item>, DbErr> {
        self.all(txn).await
    }
}

impl<S> Query for SelectorRaw<S>
where
    S: SelectorTrait + Send + 'static,
    S::Item: Send + 'static,
{
    type Row = S::Item;

    async fn fetch(self, txn: &DatabaseTransaction) -> Result<Vec<S::Item>, DbErr> {
        self.all(txn).await
    }
}

impl View {
    pub(super) fn new(db: &Db, access: Access, claim: LeaseClaim) -> Self {
        let (tenants, environments) = db.filters(&access);
        Self(Arc::new(ViewInner {
            db: db.clone(),
            access,
            claim,
            tenants,
            environments,
            state: Mutex::default(),
            may_release: AtomicBool::default(),
            pauses: AtomicUsize::default(),
            has_moved: AtomicBool::default(),
        }))
    }

    /// Returns the tenant filter of the reader's scope, for selects that take one and for rows to filter.
    #[must_use]
    pub fn tenant_filter(&self) -> TenantFilter {
        self.0.tenants.clone()
    }

    /// Returns the environments that the reader reaches, for selects that take them.
    #[must_use]
    pub fn environment_filter(&self) -> EnvironmentFilter {
        self.0.environments.clone()
    }

    /// Lets [`View::release_while`] return the connection. For a reader that can start again when
    /// [`View::has_moved`].
    pub fn allow_release(&self) {
        self.0.may_release.store(true, Ordering::Relaxed);
    }

    /// Whether a query failed with [`DbError::SnapshotMoved`].
    #[must_use]
    pub fn has_moved(&self) -> bool {
        self.0.has_moved.load(Ordering::Relaxed)
    }

    /// Awaits `work`, which uses no connection. If allowed, ends the snapshot meanwhile, as soon as none of its queries
    /// is running. The next query begins another one, and fails with [`DbError::SnapshotMoved`] if there was a commit
    /// in between.
    pub async fn release_while<T>(&self, work: impl Future<Output = T>) -> T {
        let _pause = Pause::begin(&self.0);
        work.await
    }

    /// Returns all rows of `query`.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub fn all<Q: Query>(&self, query: Q) -> BoxFuture<'static, Result<Vec<Q::Row>, DbError>> {
        self.run(|snapshot| async move { query.fetch(&snapshot.txn).await }.boxed())
    }

    /// Returns the first row of `query`.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub fn one<Q: Query>(&self, query: Q) -> BoxFuture<'static, Result<Option<Q::Row>, DbError>> {
        self.all(query).map_ok(|rows| rows.into_iter().next()).boxed()
    }

    /// Returns the revision of the snapshot; `None` before the first query.
    pub async fn revision(&self) -> Option<Revision> {
        self.0.state.lock().await.revision
    }

    /// Runs `work` to completion, or until its connection is cut off. The futures are boxed, because resolvers nest
    /// them deeply and debug builds would overflow the stack.
    fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(Arc<Snapshot>) -> BoxFuture<'static, Result<T, DbErr>> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, DbError>> {
        let (this, tasks) = (self.clone(), self.0.db.tasks.clone());
        let work = async move {
            let snapshot = this.snapshot().await?;
            let lease = snapshot.lease.clone();
            let work = work(snapshot);
            let done = lease.run_with_timeouts(async { lease.check(work.await) }.boxed()).await;
            this.0.release_unused();
            done
        };
        async move { tasks.run_to_completion(work).await? }.boxed()
    }

    /// Returns the open snapshot, and begins one if needed.
    async fn snapshot(&self) -> Result<Arc<Snapshot>, DbError> {
        let ViewInner { db, access, claim, state, has_moved, .. } = &*self.0;
        let mut state = state.lock().await;
        if let Some(open) = &state.snapshot {
            return Ok(Arc::clone(open));
        }
        let lease = db.lease(claim.clone());
        let (txn, revision) = lease.run_with_timeouts(lease.begin_read(access).boxed()).await?;
        db.seen.raise(revision);
        if *state.revision.get_or_insert(revision) != revision {
            has_moved.store(true, Ordering::Relaxed);
            return Err(DbError::SnapshotMoved);
        }
        let open = Arc::new(Snapshot { txn, lease });
        state.snapshot = Some(Arc::clone(&open));
        Ok(open)
    }
}

impl ViewInner {
    /// Ends the snapshot if it may be released, a pause is in progress, and no query is running.
    fn release_unused(&self) {
        if !self.may_release.load(Ordering::Relaxed) || self.pauses.load(Ordering::SeqCst) == 0 {
            return;
        }
        // If the lock is taken, a query is about to run, and calls this method when it has ended.
        let Ok(mut state) = self.state.try_lock() else { return };
        // Queries share the snapshot, and get it only under the lock.
        if state.snapshot.as_ref().is_some_and(|open| Arc::strong_count(open) == 1) {
            state.snapshot = None;
        }
    }
}

/// A period in which a View needs no connection.
struct Pause<'v>(&'v ViewInner);

impl<'v> Pause<'v> {
    fn begin(view: &'v ViewInner) -> Self {
        view.pauses.fetch_add(1, Ordering::SeqCst);
        view.release_unused();
        Self(view)
    }
}

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.pauses.fetch_sub(1, Ordering::SeqCst);
    }
}
