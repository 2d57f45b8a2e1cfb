//! A read-only, repeatable-read snapshot. Its transaction begins at the first query.

use std::{future::Future, sync::Arc};

use futures_util::{FutureExt, TryFutureExt, future::BoxFuture};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, FromQueryResult, PaginatorTrait,
    QueryTrait, Select, Selector, SelectorRaw, SelectorTrait, TryGetable,
};
use tokio::sync::Mutex;

use super::{
    Db, DbError, Scope,
    pool::{ConnectionLease, LeaseClaim},
};
use crate::entity::TenantFilter;

/// A snapshot under a scope. All queries through one View, and through its clones, read the same state of the database.
#[derive(Clone, Debug)]
pub struct View(Arc<ViewInner>);

#[derive(Debug)]
struct ViewInner {
    db: Db,
    scope: Scope,
    claim: LeaseClaim,
    tenants: TenantFilter,
    state: Mutex<ViewState>,
}

#[derive(Debug, Default)]
struct ViewState {
    /// The open snapshot, from the first query on.
    snapshot: Option<Arc<Snapshot>>,
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
    pub(super) fn new(db: &Db, scope: Scope, claim: LeaseClaim) -> Self {
        let tenants = db.tenant_filter(&scope);
        Self(Arc::new(ViewInner { db: db.clone(), scope, claim, tenants, state: Mutex::default() }))
    }

    /// Returns the tenant filter of the reader's scope, for selects that take one and for rows to filter.
    #[must_use]
    pub fn tenant_filter(&self) -> TenantFilter {
        self.0.tenants.clone()
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

    /// Returns the number of rows of `select`.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub fn count<E>(&self, select: Select<E>) -> BoxFuture<'static, Result<u64, DbError>>
    where
        E: EntityTrait,
        E::Model: FromQueryResult + Send + Sync + 'static,
    {
        self.run(|snapshot| async move { select.count(&snapshot.txn).await }.boxed())
    }

    /// Returns the first two columns of `select`, such as a group and its count.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub fn pairs<E, A, B>(&self, select: Select<E>) -> BoxFuture<'static, Result<Vec<(A, B)>, DbError>>
    where
        E: EntityTrait,
        A: TryGetable + Send + 'static,
        B: TryGetable + Send + 'static,
    {
        let work = |snapshot: Arc<Snapshot>| {
            async move {
                let rows = snapshot.txn.query_all_raw(select.build(DbBackend::Postgres)).await?;
                rows.into_iter()
                    .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
                    .collect::<Result<_, DbErr>>()
            }
            .boxed()
        };
        self.run(work)
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
            lease.run_with_timeouts(async { lease.check(work.await) }.boxed()).await
        };
        async move { tasks.run_to_completion(work).await? }.boxed()
    }

    /// Returns the open snapshot, and begins it if needed.
    async fn snapshot(&self) -> Result<Arc<Snapshot>, DbError> {
        let ViewInner { db, scope, claim, tenants: _, state } = &*self.0;
        let mut state = state.lock().await;
        if let Some(open) = &state.snapshot {
            return Ok(Arc::clone(open));
        }
        let lease = db.lease(claim.clone());
        let (txn, revision) = lease.run_with_timeouts(lease.begin_read(scope).boxed()).await?;
        db.seen.raise(revision);
        let open = Arc::new(Snapshot { txn, lease });
        state.snapshot = Some(Arc::clone(&open));
        Ok(open)
    }
}
