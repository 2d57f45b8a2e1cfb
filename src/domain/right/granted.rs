//! A transaction that can write. It offers the statements of [`Txn`], and neither its permit nor its idempotency key:
//! those belong to the locks and to `write.rs`.

use std::sync::Arc;

use sea_orm::{ActiveModelBehavior, ActiveModelTrait, DeleteMany, EntityTrait, IntoActiveModel, UpdateMany};

use crate::{
    clock::Instant,
    db::{Actor, ChangeRecord, DbError, Query, Txn},
    domain::{
        Caller, Result, UserPrincipal,
        member::Role,
        policy::{self, Action},
    },
    entity::{EnvironmentFilter, TenantFilter, publication::Publication},
    id::{CustomerId, UserId},
};

/// The result of a statement.
type DbResult<T> = std::result::Result<T, DbError>;

/// An open transaction that can write, since its caller's right was confirmed inside it.
#[derive(Debug)]
pub(in crate::domain) struct GrantedTxn {
    txn: Arc<Txn>,
    /// The caller, with its current rights at the customer that the write changes.
    caller: Caller,
}

impl GrantedTxn {
    /// Only for the locks: the caller's right must have been read again in this transaction.
    pub(super) fn new(txn: Arc<Txn>, caller: Caller) -> Self {
        Self { txn, caller }
    }

    /// Checks that the caller may also do this to the customer that was locked.
    ///
    /// # Errors
    /// As [`policy::allow_on`].
    pub(in crate::domain) fn require(
        &self,
        action: Action,
        customer: CustomerId,
        what: &'static str,
    ) -> Result<()> {
        policy::allow_on(&self.caller, action, customer, what)
    }

    /// The caller, with its current rights at the customer that the write changes.
    pub(in crate::domain) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The role that the caller counts as, as [`policy::role_of`].
    pub(in crate::domain) fn role_at(&self, customer: CustomerId) -> Role {
        policy::role_of(&self.caller, customer)
    }

    /// Creates a user's profile, as [`super::OpenTxn::make_profile`] does.
    pub(in crate::domain) async fn make_profile(&self, user: &UserPrincipal, now: Instant) -> Result<()> {
        super::make_profile(&self.txn, user, now).await
    }

    /// Records the changes of this write as this user's: the caller is known as another user from now on.
    pub(in crate::domain) fn act_as_user(&self, user: UserId) {
        self.txn.act_as(Actor { id: Some(user.into()), ..self.txn.actor() });
    }

    /// As [`Txn::tenant_filter`].
    pub(in crate::domain) fn tenant_filter(&self) -> &TenantFilter {
        self.txn.tenant_filter()
    }

    /// As [`Txn::environment_filter`].
    pub(in crate::domain) fn environment_filter(&self) -> &EnvironmentFilter {
        self.txn.environment_filter()
    }

    /// As [`Txn::actor`].
    pub(in crate::domain) fn actor(&self) -> Actor {
        self.txn.actor()
    }

    /// As [`Txn::all`].
    pub(in crate::domain) async fn all<Q: Query>(&self, query: Q) -> DbResult<Vec<Q::Row>> {
        self.txn.all(query).await
    }

    /// As [`Txn::one`].
    pub(in crate::domain) async fn one<Q: Query>(&self, query: Q) -> DbResult<Option<Q::Row>> {
        self.txn.one(query).await
    }

    /// As [`Txn::insert`].
    pub(in crate::domain) async fn insert<A>(&self, row: A) -> DbResult<()>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        self.txn.insert(row).await
    }

    /// As [`Txn::insert_all`].
    pub(in crate::domain) async fn insert_all<A>(&self, rows: Vec<A>) -> DbResult<()>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        self.txn.insert_all(rows).await
    }

    /// As [`Txn::insert_new`].
    pub(in crate::domain) async fn insert_new<A>(&self, row: A) -> DbResult<bool>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        self.txn.insert_new(row).await
    }

    /// As [`Txn::update`].
    pub(in crate::domain) async fn update<A>(&self, row: A) -> DbResult<<A::Entity as EntityTrait>::Model>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        self.txn.update(row).await
    }

    /// As [`Txn::update_all`].
    pub(in crate::domain) async fn update_all<E: EntityTrait>(&self, rows: UpdateMany<E>) -> DbResult<u64> {
        self.txn.update_all(rows).await
    }

    /// As [`Txn::delete`].
    pub(in crate::domain) async fn delete<E: EntityTrait>(&self, rows: DeleteMany<E>) -> DbResult<u64> {
        self.txn.delete(rows).await
    }

    /// As [`Txn::publish`].
    pub(in crate::domain) async fn publish(&self, publication: Publication) -> DbResult<()> {
        self.txn.publish(publication).await
    }

    /// As [`Txn::record`].
    pub(in crate::domain) fn record(&self, entry: ChangeRecord) {
        self.txn.record(entry);
    }

    /// As [`Txn::recorded`].
    pub(in crate::domain) fn recorded(&self) -> usize {
        self.txn.recorded()
    }

    /// As [`Txn::extend_statement_timeout`].
    pub(in crate::domain) async fn extend_statement_timeout(&self) -> DbResult<()> {
        self.txn.extend_statement_timeout().await
    }
}
