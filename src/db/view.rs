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

use super::{Db, Fault, Scope, pool::Loan};
use crate::entity::Reach;

/// A snapshot under a scope. All queries through one View, and through its clones, read the same state of the database.
#[derive(Clone, Debug)]
pub struct View {
    db: Db,
    /// The lease, from the first query on.
    loan: Arc<OnceLock<Loan>>,
    scope: Scope,
    reach: Reach,
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
        let reach = db.reach(&scope);
        Self { db: db.clone(), loan: Arc::default(), scope, reach, open: Arc::default() }
    }

    fn loan(&self) -> &Loan {
        self.loan.get_or_init(|| self.db.lend())
    }

    /// Returns the tenant filter that each query must apply.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.reach.clone()
    }

    /// Returns all rows of `query`.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub fn all<Q: Query>(&self, query: Q) -> BoxFuture<'static, Result<Vec<Q::Row>, Fault>> {
        let this = self.clone();
        self.run(async move { query.fetch(this.begin().await?).await }.boxed())
    }

    /// Returns the first row of `query`.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub fn one<Q: Query>(&self, query: Q) -> BoxFuture<'static, Result<Option<Q::Row>, Fault>> {
        self.all(query).map_ok(|rows| rows.into_iter().next()).boxed()
    }

    /// Returns the number of rows of `select`.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub fn count<E>(&self, select: Select<E>) -> BoxFuture<'static, Result<u64, Fault>>
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
    /// Any [`Fault`] of the database.
    pub fn pairs<E, A, B>(&self, select: Select<E>) -> BoxFuture<'static, Result<Vec<(A, B)>, Fault>>
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
    ) -> BoxFuture<'static, Result<T, Fault>> {
        let (loan, tasks) = (self.loan().clone(), self.db.tasks.clone());
        let work = async move { loan.watch(work.map_err(Fault::from).boxed()).await };
        async move { tasks.shielded(work).await? }.boxed()
    }

    /// Returns the snapshot's transaction, and begins it if needed. Dropping the last View rolls it back, which for
    /// reads is the cheapest way to end.
    async fn begin(&self) -> Result<&DatabaseTransaction, DbErr> {
        let open = || async {
            let txn = self.loan().begin().await?;
            self.db.seen.note(self.scope.read(&txn).await?);
            Ok(txn)
        };
        self.open.get_or_try_init(open).await
    }
}
