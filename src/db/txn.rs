//! Proof of an open write. Changes recorded on it are appended to the log as its last statement; then it commits.

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

use super::{Actor, Author, Fault, pool::Loan, view::Query};
use crate::{
    clock::Instant,
    entity::{
        Reach,
        change::{self, Action},
        idempotency_key::{self, Earlier},
        publication::Publication,
    },
    id::{AgentId, CustomerId, VersionId},
    task::lock,
};

/// How long a statement of a write that takes its time may run. Between statements it may take no longer than any other:
/// it may hold the log's head by then.
const PATIENCE: &str = "SET LOCAL statement_timeout = '15min'";
/// The same.
const PATIENCE_TIME: Duration = Duration::from_secs(15 * 60);

/// A change to be recorded: what happened to what. The log adds who, when and in which commit.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What happened.
    pub action: Action,
    /// Whose data changed; none for the platform's own.
    pub customer_id: Option<CustomerId>,
    /// Which agent's.
    pub agent_id: Option<AgentId>,
    /// Which version's.
    pub version_id: Option<VersionId>,
    /// The row that was made or changed, where it is none of these.
    pub subject_id: Option<Uuid>,
    /// Before and after; a JSON object without anything personal or secret.
    pub details: Value,
}

impl Entry {
    /// A change of the platform's own.
    #[must_use]
    pub fn platform(action: Action) -> Self {
        Self {
            action,
            customer_id: None,
            agent_id: None,
            version_id: None,
            subject_id: None,
            details: json!({}),
        }
    }

    /// A change of a customer's.
    #[must_use]
    pub fn of(action: Action, customer: CustomerId) -> Self {
        Self { customer_id: Some(customer), ..Self::platform(action) }
    }

    /// The same, about this agent.
    #[must_use]
    pub fn agent(self, agent: AgentId) -> Self {
        Self { agent_id: Some(agent), ..self }
    }

    /// The same, about this version.
    #[must_use]
    pub fn version(self, version: Option<VersionId>) -> Self {
        Self { version_id: version, ..self }
    }

    /// The same, about this row.
    #[must_use]
    pub fn subject(self, subject: impl Into<Uuid>) -> Self {
        Self { subject_id: Some(subject.into()), ..self }
    }

    /// The same, with before and after.
    #[must_use]
    pub fn details(self, details: Value) -> Self {
        Self { details, ..self }
    }
}

/// An open write. Only [`super::Db::write`] makes one, and it alone commits.
#[derive(Debug)]
pub struct Txn {
    txn: DatabaseTransaction,
    loan: Loan,
    reach: Reach,
    log: Mutex<Log>,
}

#[derive(Debug)]
struct Log {
    author: Author,
    permit: Option<Permit>,
    entries: Vec<Entry>,
    claim: Option<Claim>,
}

/// What a write was found to have the right to change. Entries about anything else are refused at the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Anything.
    Platform,
    /// What is this customer's, and what is nobody's, such as the profile of who joins it.
    Customer(CustomerId),
}

impl Permit {
    fn covers(self, entry: &Entry) -> bool {
        match self {
            Self::Platform => true,
            Self::Customer(customer) => entry.customer_id.is_none_or(|id| id == customer),
        }
    }
}

/// An idempotency key that this write has claimed, and what the write came to.
#[derive(Debug)]
struct Claim {
    principal: Uuid,
    key_hash: [u8; 32],
    subject: Option<(Uuid, Option<Uuid>, i64)>,
}

impl Txn {
    pub(super) fn new(txn: DatabaseTransaction, loan: Loan, reach: Reach, author: Author) -> Self {
        Self {
            txn,
            loan,
            reach,
            log: Mutex::new(Log { author, permit: None, entries: Vec::new(), claim: None }),
        }
    }

    /// Whose rows each query must name.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// All rows of `query`.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub async fn all<Q: Query>(&self, query: Q) -> Result<Vec<Q::Row>, Fault> {
        Ok(query.fetch(&self.txn).await?)
    }

    /// The first row of `query`.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub async fn one<Q: Query>(&self, query: Q) -> Result<Option<Q::Row>, Fault> {
        Ok(self.all(query).await?.into_iter().next())
    }

    /// Inserts one row, without reading it back.
    ///
    /// # Errors
    /// [`Fault::Unique`] or [`Fault::Constraint`] by name when a constraint refuses it, or any other [`Fault`].
    pub async fn insert<A>(&self, row: A) -> Result<(), Fault>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        A::Entity::insert(row).exec_without_returning(&self.txn).await?;
        Ok(())
    }

    /// Inserts these rows, if there are any, in one statement and without reading them back.
    ///
    /// # Errors
    /// As [`Txn::insert`].
    pub async fn insert_all<A>(&self, rows: Vec<A>) -> Result<(), Fault>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        if !rows.is_empty() {
            A::Entity::insert_many(rows).exec_without_returning(&self.txn).await?;
        }
        Ok(())
    }

    /// Writes new versions, what serves, and what their agents are then, in one statement.
    ///
    /// # Errors
    /// [`Fault::Constraint`] by name when a constraint refuses it, or any other [`Fault`].
    pub async fn publish(&self, publication: Publication) -> Result<(), Fault> {
        let agents = u64::try_from(publication.agents.len()).unwrap_or(u64::MAX);
        if publication.is_empty() {
            return Ok(());
        }
        let written = self.txn.execute_raw(publication.statement()).await?.rows_affected();
        if written != agents {
            return Err(Fault::Unexpected(DbErr::RecordNotUpdated));
        }
        Ok(())
    }

    /// How many changes have been noted.
    #[must_use]
    pub fn recorded(&self) -> usize {
        self.log().entries.len()
    }

    /// Inserts one row unless a unique constraint, whichever, has one like it already; says whether it did. Naming the one
    /// constraint that counts would not do: two that insert the very same row may both find that one free, and then meet at
    /// another, which refuses the second.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub async fn insert_new<A>(&self, row: A) -> Result<bool, Fault>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        let skip = OnConflict::new().do_nothing().to_owned();
        Ok(A::Entity::insert(row).on_conflict(skip).exec_without_returning(&self.txn).await? > 0)
    }

    /// Updates the set columns of one row, by its primary key, and answers the row.
    ///
    /// # Errors
    /// [`Fault::Unique`] or [`Fault::Constraint`] by name when a constraint refuses it, or any other [`Fault`].
    pub async fn update<A>(&self, row: A) -> Result<<A::Entity as EntityTrait>::Model, Fault>
    where
        A: ActiveModelTrait + ActiveModelBehavior + Send + 'static,
        <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
    {
        Ok(row.update(&self.txn).await?)
    }

    /// Updates the rows of `rows`; answers how many there were.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub async fn update_all<E: EntityTrait>(&self, rows: UpdateMany<E>) -> Result<u64, Fault> {
        Ok(rows.exec(&self.txn).await?.rows_affected)
    }

    /// Deletes the rows of `rows`; answers how many there were.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub async fn delete<E: EntityTrait>(&self, rows: DeleteMany<E>) -> Result<u64, Fault> {
        Ok(rows.exec(&self.txn).await?.rows_affected)
    }

    /// Gives each statement from here on as long as an operator would wait, not as long as a request may take.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub async fn extend_statement_timeout(&self) -> Result<(), Fault> {
        self.txn.execute_unprepared(PATIENCE).await?;
        self.loan.allow(PATIENCE_TIME);
        Ok(())
    }

    /// From here on, this is who acts.
    pub fn act_as(&self, actor: Actor) {
        self.log().author.actor = actor;
    }

    /// Who acts.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.log().author.actor.clone()
    }

    /// Claims an idempotency key for who acts, unless it was claimed after `over`: then answers what was written with it.
    /// Waits for an open write that has claimed it.
    ///
    /// # Errors
    /// Any [`Fault`] of the database.
    pub async fn claim(
        &self,
        key_hash: [u8; 32],
        request_hash: [u8; 32],
        now: Instant,
        over: Instant,
    ) -> Result<Option<Earlier>, Fault> {
        let Some(principal) = self.actor().id else { return Ok(None) };
        let claim = idempotency_key::claim(principal, &key_hash, &request_hash, now, over);
        let earlier = self.one(claim).await?;
        if earlier.is_none() {
            self.log().claim = Some(Claim { principal, key_hash, subject: None });
        }
        Ok(earlier)
    }

    /// Notes what a write with a claimed key came to. It is written with the commit's revision, or with `since` when
    /// nothing was recorded.
    pub fn complete_idempotency_key(&self, subject: Uuid, other: Option<Uuid>, since: i64) {
        if let Some(claim) = &mut self.log().claim {
            claim.subject = Some((subject, other, since));
        }
    }

    /// Lets this write record changes of what the permit covers.
    pub fn permit(&self, permit: Permit) {
        self.log().permit = Some(permit);
    }

    /// Notes a change; it is written just before the commit, if a permit covers it.
    pub fn record(&self, entry: Entry) {
        self.log().entries.push(entry);
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    /// Appends what was recorded, then commits. Answers the commit's revision, or none when nothing was recorded.
    pub(super) async fn commit(self) -> Result<Option<i64>, DbErr> {
        let revision = self.append().await?;
        let claim = self.log().claim.take();
        if let Some(Claim { principal, key_hash, subject: Some((subject, other, since)) }) = claim {
            let revision = revision.unwrap_or(since);
            let key = idempotency_key::came_to(principal, key_hash.to_vec(), subject, other, revision);
            key.exec(&self.txn).await?;
        }
        self.txn.commit().await?;
        Ok(revision)
    }

    async fn append(&self) -> Result<Option<i64>, DbErr> {
        let entries = {
            let mut log = self.log();
            let entries = mem::take(&mut log.entries);
            if !entries.iter().all(|entry| log.permit.is_some_and(|permit| permit.covers(entry))) {
                return Err(DbErr::Custom("a write without the right to what it changes".to_owned()));
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
        let answer = answer.ok_or_else(|| DbErr::Custom("append_changes answered nothing".to_owned()))?;
        answer.try_get("", "revision").map(Some)
    }
}

/// One entry as `append_changes` reads it.
fn row(log: &Log, entry: Entry) -> Result<Value, DbErr> {
    use sea_orm::ActiveEnum;
    let Author { actor, origin } = &log.author;
    let Entry { action, customer_id, agent_id, version_id, subject_id, details } = entry;
    let details =
        serde_json_canonicalizer::to_string(&details).map_err(|err| DbErr::Json(err.to_string()))?;
    Ok(json!({
        "customer_id": customer_id, "agent_id": agent_id, "version_id": version_id, "subject_id": subject_id,
        "action": action.to_value(), "actor_kind": actor.kind.to_value(), "actor_id": actor.id,
        "request_id": origin.request_id, "channel": origin.channel.to_value(),
        "network": origin.network.map(|network| network.to_string()), "details": details,
    }))
}
