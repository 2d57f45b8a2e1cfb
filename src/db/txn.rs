//! An open write transaction. Its last statements append the recorded changes to the log and complete the
//! idempotency key; then it commits.

use std::{
    mem,
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr,
    DeleteMany, EntityTrait, IntoActiveModel, Statement, UpdateMany, sea_query::OnConflict,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Actor, Author, DbError, pool::ConnectionLease, view::Query};
use crate::{
    clock::Instant,
    entity::{
        EnvironmentFilter, TenantFilter,
        change::{self, ChangeAction},
        idempotency_key::{self, StoredResult},
        publication::Publication,
    },
    id::{AgentId, CustomerId, Revision, UserId, VersionId},
    task::lock,
};

/// Raises the statement timeout for a long-running write. The limit for idle time between statements stays, because the
/// transaction may hold the lock on the log's head.
const PATIENCE: &str = "SET LOCAL statement_timeout = '15min'";
/// The same time, for the pool's own timeout.
const PATIENCE_TIME: Duration = Duration::from_secs(15 * 60);

/// A change to be recorded. The log adds the author, the time and the revision.
#[derive(Clone, Debug)]
pub struct ChangeRecord {
    /// The kind of change.
    pub action: ChangeAction,
    /// The customer whose data changed. `None` for data of the platform.
    pub customer_id: Option<CustomerId>,
    /// The agent concerned.
    pub agent_id: Option<AgentId>,
    /// The version concerned.
    pub version_id: Option<VersionId>,
    /// The row that was created or changed, if it is none of these.
    pub subject_id: Option<Uuid>,
    /// The values before and after: a JSON object without personal data or secrets.
    pub details: Value,
}

impl ChangeRecord {
    /// Makes an entry for a change of the platform's data.
    #[must_use]
    pub fn platform(action: ChangeAction) -> Self {
        Self {
            action,
            customer_id: None,
            agent_id: None,
            version_id: None,
            subject_id: None,
            details: json!({}),
        }
    }

    /// Makes an entry for a change of a customer's data.
    #[must_use]
    pub fn of(action: ChangeAction, customer: CustomerId) -> Self {
        Self { customer_id: Some(customer), ..Self::platform(action) }
    }

    /// Sets the agent.
    #[must_use]
    pub fn agent(self, agent: AgentId) -> Self {
        Self { agent_id: Some(agent), ..self }
    }

    /// Sets the version.
    #[must_use]
    pub fn version(self, version: Option<VersionId>) -> Self {
        Self { version_id: version, ..self }
    }

    /// Sets the row.
    #[must_use]
    pub fn subject(self, subject: impl Into<Uuid>) -> Self {
        Self { subject_id: Some(subject.into()), ..self }
    }

    /// Sets the values before and after.
    #[must_use]
    pub fn details(self, details: Value) -> Self {
        Self { details, ..self }
    }
}

/// An open write transaction. Only [`super::Db::write`] creates and commits it.
#[derive(Debug)]
pub struct Txn {
    txn: DatabaseTransaction,
    lease: ConnectionLease,
    tenants: TenantFilter,
    environments: EnvironmentFilter,
    log: Mutex<Log>,
}

#[derive(Debug)]
struct Log {
    author: Author,
    permit: Option<Permit>,
    entries: Vec<ChangeRecord>,
    claim: Option<Claim>,
}

/// The permission that a write was granted. The commit fails if an entry isn't covered by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Permits all changes.
    Platform,
    /// Permits changes of this customer's data, and of data without a customer, such as a joining user's profile.
    Customer(CustomerId),
    /// Permits changes of this user's profile.
    Profile(UserId),
}

impl Permit {
    fn covers(self, entry: &ChangeRecord) -> bool {
        match self {
            Self::Platform => true,
            Self::Customer(customer) => entry.customer_id.is_none_or(|id| id == customer),
            Self::Profile(user) => entry.customer_id.is_none() && entry.subject_id == Some(user.into()),
        }
    }
}

/// An idempotency key claimed by this write, and the outcome of the write.
#[derive(Debug)]
struct Claim {
    principal: Uuid,
    key_hash: [u8; 32],
    subject: Option<(Uuid, Option<Uuid>, Revision)>,
}

impl Txn {
    pub(super) fn new(
        txn: DatabaseTransaction,
        lease: ConnectionLease,
        (tenants, environments): (TenantFilter, EnvironmentFilter),
        author: Author,
    ) -> Self {
        Self {
            txn,
            lease,
            tenants,
            environments,
            log: Mutex::new(Log { author, permit: None, entries: Vec::new(), claim: None }),
        }
    }

    /// Returns the tenant filter of the caller's scope, for selects that take one.
    #[must_use]
    pub fn tenant_filter(&self) -> &TenantFilter {
        &self.tenants
    }

    /// Returns the environments that the caller reaches, for selects that take them.
    #[must_use]
    pub fn environment_filter(&self) -> &EnvironmentFilter {
        &self.environments
    }

    /// Returns all rows of `query`.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub async fn all<Q: Query>(&self, query: Q) -> Result<Vec<Q::Row>, DbError> {
        self.lease.check(query.fetch(&self.txn).await)
    }

    /// Returns the first row of `query`.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub async fn one<Q: Query>(&self, query: Q) -> Result<Option<Q::Row>, DbError> {
        Ok(self.all(query).await?.into_iter().next())
    }

    /// Inserts one row, without reading it back.
    ///
    /// # Errors
    /// [`DbError::Unique`] or [`DbError::Constraint`] when a constraint is violated, or any other [`DbError`].
    pub async fn insert<A>(&self, row: A) -> Result<(), DbError>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        self.lease.check(A::Entity::insert(row).exec_without_returning(&self.txn).await).map(drop)
    }

    /// Inserts rows in one statement, without reading them back. Does nothing for an empty list.
    ///
    /// # Errors
    /// As [`Txn::insert`].
    pub async fn insert_all<A>(&self, rows: Vec<A>) -> Result<(), DbError>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        if !rows.is_empty() {
            self.lease.check(A::Entity::insert_many(rows).exec_without_returning(&self.txn).await)?;
        }
        Ok(())
    }

    /// Writes new versions, activations and their agents' columns, in one statement.
    ///
    /// # Errors
    /// [`DbError::Constraint`] when a constraint is violated, [`DbError::Unexpected`] when an agent is missing, or any
    /// other [`DbError`].
    pub async fn publish(&self, publication: Publication) -> Result<(), DbError> {
        for (statement, rows) in publication.statements() {
            let written = self.txn.execute_raw(statement).await;
            if self.lease.check(written)?.rows_affected() != rows {
                return Err(DbError::Unexpected(DbErr::RecordNotUpdated));
            }
        }
        Ok(())
    }

    /// Returns the number of changes recorded so far.
    #[must_use]
    pub fn recorded(&self) -> usize {
        self.log().entries.len()
    }

    /// Inserts one row, unless any unique constraint conflicts with it. Returns whether it inserted the row. The
    /// statement names no conflict target. With one, the second of two concurrent inserts of the same row could pass
    /// that constraint and violate another.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub async fn insert_new<A>(&self, row: A) -> Result<bool, DbError>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        let skip = OnConflict::new().do_nothing().to_owned();
        let inserted = A::Entity::insert(row).on_conflict(skip).exec_without_returning(&self.txn).await;
        Ok(self.lease.check(inserted)? > 0)
    }

    /// Updates the set columns of one row, by its primary key, and returns the row.
    ///
    /// # Errors
    /// [`DbError::Unique`] or [`DbError::Constraint`] when a constraint is violated, or any other [`DbError`].
    pub async fn update<A>(&self, row: A) -> Result<<A::Entity as EntityTrait>::Model, DbError>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        self.lease.check(row.update(&self.txn).await)
    }

    /// Runs an update and returns the number of updated rows.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub async fn update_all<E: EntityTrait>(&self, rows: UpdateMany<E>) -> Result<u64, DbError> {
        Ok(self.lease.check(rows.exec(&self.txn).await)?.rows_affected)
    }

    /// Runs a delete and returns the number of deleted rows.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub async fn delete<E: EntityTrait>(&self, rows: DeleteMany<E>) -> Result<u64, DbError> {
        Ok(self.lease.check(rows.exec(&self.txn).await)?.rows_affected)
    }

    /// Raises the time limit for each further statement to 15 minutes. For operators' commands, not for requests.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub async fn extend_statement_timeout(&self) -> Result<(), DbError> {
        self.lease.check(self.txn.execute_unprepared(PATIENCE).await)?;
        self.lease.extend_timeout(PATIENCE_TIME);
        Ok(())
    }

    /// Changes the actor of this write.
    pub fn act_as(&self, actor: Actor) {
        self.log().author.actor = actor;
    }

    /// Returns the actor of this write.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.log().author.actor.clone()
    }

    /// Claims an idempotency key for the actor. If the key was already claimed after `over`, returns the outcome of
    /// that earlier write instead. Waits for an open transaction that has claimed the same key. Does nothing for an
    /// actor without an id.
    ///
    /// # Errors
    /// Any [`DbError`] of the database.
    pub async fn claim(
        &self,
        key_hash: [u8; 32],
        request_hash: [u8; 32],
        now: Instant,
        over: Instant,
    ) -> Result<Option<StoredResult>, DbError> {
        let Some(principal) = self.actor().id else { return Ok(None) };
        let claim = idempotency_key::claim(principal, &key_hash, &request_hash, now, over);
        let earlier = self.one(claim).await?;
        if earlier.is_none() {
            self.log().claim = Some(Claim { principal, key_hash, subject: None });
        }
        Ok(earlier)
    }

    /// Sets the outcome of a write with a claimed key: up to two ids of rows. The commit stores it with its
    /// revision, or with `since` when no change was recorded.
    pub fn complete_idempotency_key(&self, subject: Uuid, other: Option<Uuid>, since: Revision) {
        if let Some(claim) = &mut self.log().claim {
            claim.subject = Some((subject, other, since));
        }
    }

    /// Grants this write a permit. The commit fails if a recorded change isn't covered by it.
    pub fn permit(&self, permit: Permit) {
        self.log().permit = Some(permit);
    }

    /// Records a change, to be appended to the log at the commit.
    pub fn record(&self, entry: ChangeRecord) {
        self.log().entries.push(entry);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    /// Appends the recorded changes and commits. Returns the commit's revision, or `None` when nothing was recorded.
    pub(super) async fn commit(self) -> Result<Option<Revision>, DbError> {
        let lease = self.lease.clone();
        lease.check(self.append_and_commit().await)
    }

    async fn append_and_commit(self) -> Result<Option<Revision>, DbErr> {
        let revision = self.append().await?;
        let claim = self.log().claim.take();
        if let Some(Claim { principal, key_hash, subject: Some((subject, other, since)) }) = claim {
            let revision = revision.unwrap_or(since);
            let key = idempotency_key::complete(principal, key_hash.to_vec(), subject, other, revision);
            key.exec(&self.txn).await?;
        }
        self.txn.commit().await?;
        Ok(revision)
    }

    async fn append(&self) -> Result<Option<Revision>, DbErr> {
        let entries = {
            let mut log = self.log();
            let entries = mem::take(&mut log.entries);
            if !entries.iter().all(|entry| log.permit.is_some_and(|permit| permit.covers(entry))) {
                return Err(DbErr::Custom("a write recorded a change without a permit for it".to_owned()));
            }
            entries.into_iter().map(|entry| row(&log, entry)).collect::<Result<Vec<_>, _>>()?
        };
        if entries.is_empty() {
            return Ok(None);
        }
        let append = Statement::from_sql_and_values(
            DbBackend::Postgres,
            change::APPEND,
            [Value::from(entries).into()],
        );
        let answer = self.txn.query_one_raw(append).await?;
        let answer = answer.ok_or_else(|| DbErr::Custom("append_changes returned no row".to_owned()))?;
        answer.try_get("", "revision").map(Some)
    }
}

/// Formats an entry for `append_changes`.
fn row(log: &Log, entry: ChangeRecord) -> Result<Value, DbErr> {
    use sea_orm::ActiveEnum;
    let Author { actor, origin } = &log.author;
    let ChangeRecord { action, customer_id, agent_id, version_id, subject_id, details } = entry;
    let details =
        serde_json_canonicalizer::to_string(&details).map_err(|err| DbErr::Json(err.to_string()))?;
    Ok(json!({
        "customer_id": customer_id, "agent_id": agent_id, "version_id": version_id, "subject_id": subject_id,
        "action": action.to_value(), "actor_kind": actor.kind.to_value(), "actor_id": actor.id,
        "request_id": origin.request_id, "channel": origin.channel.to_value(),
        "network": origin.network.map(|network| network.to_string()), "details": details,
    }))
}
