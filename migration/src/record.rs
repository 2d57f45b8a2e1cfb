//! What a database records of its migrations, in two tables: sea-orm's `seaql_migrations` has those up to 0013, and
//! `schema_migrations` the later ones. A row that this binary doesn't know may belong to a newer one, and is no error
//! here. Takes no lock; callers must hold one (see `db::migrate`).

use sea_orm_migration::sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement, TransactionTrait,
};

use super::{FIRST_STEPS, STEPS, Step};

/// A row of `schema_migrations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The migration's number.
    pub number: i32,
    /// The migration's name.
    pub name: String,
    /// The lowest schema number of a binary that can serve the result. `None` if the migration only expands.
    pub oldest_binary: Option<i32>,
}

/// The migrations that a database records as applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The names in `seaql_migrations`. A migration that doesn't only expand is in both tables.
    pub first: Vec<String>,
    /// The rows of `schema_migrations`, in order.
    pub later: Vec<Recorded>,
}

impl Record {
    /// Reads both tables. A table that doesn't exist yet has no rows.
    ///
    /// # Errors
    /// [`DbErr`] when Postgres refuses.
    pub async fn read(db: &DatabaseConnection) -> Result<Self, DbErr> {
        let first = "SELECT version FROM registry.seaql_migrations ORDER BY version";
        let later = "SELECT number, name, oldest_binary FROM registry.schema_migrations ORDER BY number";
        let first = rows(db, "seaql_migrations", first).await?;
        let later = rows(db, "schema_migrations", later).await?;
        Ok(Self {
            first: first.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?,
            later: later.iter().map(Recorded::from_row).collect::<Result<_, _>>()?,
        })
    }

    /// Whether this step has been applied.
    #[must_use]
    pub fn has(&self, step: &Step) -> bool {
        self.first.iter().any(|name| name == step.name) || self.later.iter().any(|row| row.name == step.name)
    }

    /// Returns the schema number of the database: that of its last migration, 0 if it has none.
    #[must_use]
    pub fn schema(&self) -> i32 {
        let first = FIRST_STEPS.iter().filter(|step| self.has(step)).map(|step| step.number);
        first.chain(self.later.iter().map(|row| row.number)).max().unwrap_or(0)
    }

    /// Returns the lowest schema number of a binary that can serve the database.
    #[must_use]
    pub fn oldest_binary(&self) -> i32 {
        self.later.iter().filter_map(|row| row.oldest_binary).max().unwrap_or(1)
    }

    /// Returns the rows with a higher number than any migration of this binary.
    pub fn newer(&self) -> impl Iterator<Item = &Recorded> {
        let binary = super::binary_schema();
        self.later.iter().filter(move |row| row.number > binary)
    }

    /// Returns the name of a migration that neither this binary nor a newer one has, if there is one.
    #[must_use]
    pub fn foreign(&self) -> Option<&str> {
        let is_known = |name: &str| FIRST_STEPS.iter().chain(STEPS).any(|step| step.name == name);
        let is_newer = |name: &str| self.newer().any(|row| row.name == name);
        let names = self.first.iter().chain(self.later.iter().map(|row| &row.name));
        names.map(String::as_str).find(|name| !is_known(name) && !is_newer(name))
    }
}

/// Returns the rows of a table of the schema, none if there is no such table.
async fn rows(db: &DatabaseConnection, table: &str, query: &str) -> Result<Vec<QueryResult>, DbErr> {
    let exists = "SELECT 1 FROM pg_tables WHERE schemaname = 'registry' AND tablename = $1";
    let exists = Statement::from_sql_and_values(DbBackend::Postgres, exists, [table.into()]);
    match db.query_one_raw(exists).await? {
        Some(_) => db.query_all_raw(Statement::from_string(DbBackend::Postgres, query)).await,
        None => Ok(Vec::new()),
    }
}

/// Applies those of `steps`, from 0014 on, that aren't recorded yet, each in a transaction of its own. Returns their
/// number.
///
/// # Errors
/// [`DbErr`] when a step fails. Those applied before it stay applied.
pub async fn apply_pending(db: &DatabaseConnection, steps: &[Step], record: &Record) -> Result<usize, DbErr> {
    let mut applied = 0;
    for step in steps.iter().filter(|step| !record.has(step)) {
        let txn = db.begin().await?;
        txn.execute_unprepared(step.up).await?;
        let insert =
            "INSERT INTO registry.schema_migrations (number, name, oldest_binary) VALUES ($1, $2, $3)";
        let values = [step.number.into(), step.name.into(), step.oldest_binary.into()];
        txn.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, insert, values)).await?;
        if step.oldest_binary.is_some() {
            // Releases that know no other table refuse to start on a row that they don't know.
            let bar = "INSERT INTO registry.seaql_migrations (version, applied_at) VALUES ($1, extract(epoch FROM now())::bigint)";
            txn.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, bar, [step.name.into()]))
                .await?;
        }
        txn.commit().await?;
        applied += 1;
    }
    Ok(applied)
}

/// Reverts all recorded steps from 0014 on, the last one first.
///
/// # Errors
/// [`DbErr`] when a step fails.
pub async fn revert_recorded(db: &DatabaseConnection, record: &Record) -> Result<(), DbErr> {
    for step in STEPS.iter().rev().filter(|step| record.has(step)) {
        let txn = db.begin().await?;
        for delete in [
            "DELETE FROM registry.schema_migrations WHERE name = $1",
            "DELETE FROM registry.seaql_migrations WHERE version = $1",
        ] {
            let delete = Statement::from_sql_and_values(DbBackend::Postgres, delete, [step.name.into()]);
            txn.execute_raw(delete).await?;
        }
        txn.execute_unprepared(step.down).await?;
        txn.commit().await?;
    }
    Ok(())
}

impl Recorded {
    fn from_row(row: &QueryResult) -> Result<Self, DbErr> {
        Ok(Self {
            number: row.try_get("", "number")?,
            name: row.try_get("", "name")?,
            oldest_binary: row.try_get("", "oldest_binary")?,
        })
    }
}
