//! A read-only, repeatable-read snapshot. Its transaction begins at the first query.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use futures_util::{FutureExt, TryFutureExt, future::BoxFuture};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, FromQueryResult, PaginatorTrait,
    QueryTrait, Select, Selector, SelectorRaw, SelectorTrait, TryGetable,
};
use tokio::sync::OnceCell;

use super::{Db, DbError, Scope, pool::ConnectionLease};
use crate::entity::TenantFilter;

/// A snapshot under a scope. All queries through one View, and through its clones, read the same state of the database.
#[derive(Clone, Debug)]
pub struct View {
    db: Db,
    /// The lease, from the first query on.
    lease: Arc<OnceLock<ConnectionLease>>,
    scope: Scope,
    tenants: TenantFilter,
    open: Arc<OnceCell<DatabaseTransaction>>,
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
    pub(super) fn new(db: &Db, scope: Scope) -> Self {
        let tenants = db.tenant_filter(&scope);
        Self { db: db.clone(), lease: Arc::default(), scope, tenants, open: Arc::default() }
    }

    fn lease(&self) -> &ConnectionLease {
        self.lease.get_or_init(|| self.db.lease())
    }

    /// Returns the tenant filter of the reader's scope, for selects that take one and for rows to filter.
    #[must_use]
    pub fn tenant_filter(&self) -> TenantFilter {
        self.tenants.clone()
    }

    /// Returns all rows of `query`.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub fn all<Q: Query>(&self, query: Q) -> BoxFuture<'static, Result<Vec<Q::Row>, DbError>> {
        let this = self.clone();
        self.run(async move { query.fetch(this.begin().await?).await }.boxed())
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
        let this = self.clone();
        self.run(async move { select.count(this.begin().await?).await }.boxed())
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
        let this = self.clone();
        let work = async move {
            let statement = select.build(DbBackend::Postgres);
            let rows = this.begin().await?.query_all_raw(statement).await?;
            rows.into_iter()
                .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
                .collect::<Result<_, DbErr>>()
        };
        self.run(work.boxed())
    }

    /// Runs `work` to completion, or until its connection is cut off. The futures are boxed, because resolvers nest
    /// them deeply and debug builds would overflow the stack.
    fn run<T: Send + 'static>(
        &self,
        work: BoxFuture<'static, Result<T, DbErr>>,
    ) -> BoxFuture<'static, Result<T, DbError>> {
        let (lease, tasks) = (self.lease().clone(), self.db.tasks.clone());
        let work = async move { lease.run_with_timeouts(work.map_err(DbError::from).boxed()).await };
        async move { tasks.run_to_completion(work).await? }.boxed()
    }

    /// Returns the snapshot's transaction, and begins it if needed. Dropping the last View rolls it back, which for
    /// reads is the cheapest way to end.
    async fn begin(&self) -> Result<&DatabaseTransaction, DbErr> {
        let open = || async {
            let txn = self.lease().begin().await?;
            self.db.seen.raise(self.scope.begin_read(&txn).await?);
            Ok(txn)
        };
        self.open.get_or_try_init(open).await
    }
}
