//! Applies migrations, one instance at a time, and grants the service's role its rights when another role owns the
//! schema.

use std::str::FromStr;

use migration::{FIRST_STEPS, Migrator, MigratorTrait, Record, STEPS};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};
use sqlx::postgres::PgConnectOptions;

use super::{
    open, options,
    schema_range::{SchemaRefusal, SchemaStatus, check},
};

/// The key of the advisory lock that serialises migrations: an arbitrary number.
const MIGRATION_LOCK: i64 = 0x6167_656e_7472;

/// Why the migrations of a database can't be applied or read.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Postgres refused.
    #[error("can't migrate the database: {0}")]
    Database(#[from] DbErr),
    /// This binary can't serve the database's schema.
    #[error(transparent)]
    Refused(#[from] SchemaRefusal),
}

/// Opens a connection for migrations that holds the migration lock. Creates the schema if it's missing.
async fn open_for_migration(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = options(url, &[("default_transaction_isolation", "read committed")]);
    // One connection, because an advisory lock belongs to a session. Acquiring it waits while another instance
    // migrates.
    options.min_connections(1).max_connections(1).set_schema_search_path(migration::SCHEMA);
    let pool = open(options).await?;
    pool.execute_unprepared(&format!("SELECT pg_advisory_lock({MIGRATION_LOCK})")).await?;
    let exists = format!("SELECT 1 FROM pg_namespace WHERE nspname = '{}'", migration::SCHEMA);
    if pool.query_one_raw(Statement::from_string(DbBackend::Postgres, exists)).await?.is_none() {
        pool.execute_unprepared(&format!("CREATE SCHEMA {}", migration::SCHEMA)).await?;
    }
    Ok(pool)
}

/// Applies all pending migrations under a lock, so that instances may start together. Returns the number applied. A
/// database that a newer binary has only expanded needs none.
///
/// # Errors
/// [`MigrateError`] when this binary can't serve the database, which is then unchanged, or when a migration fails. Those
/// applied before it stay applied.
pub async fn migrate(url: &str) -> Result<usize, MigrateError> {
    let pool = open_for_migration(url).await?;
    let applied = apply_pending(&pool).await;
    // Closed after a failure too, since the session holds the lock.
    pool.close().await?;
    applied
}

async fn apply_pending(pool: &DatabaseConnection) -> Result<usize, MigrateError> {
    let record = Record::read(pool).await?;
    check(&record)?;
    let first = FIRST_STEPS.iter().filter(|step| !record.has(step)).count();
    if first > 0 {
        Migrator::up(pool, None).await?;
    }
    Ok(first + migration::apply_pending(pool, STEPS, &record).await?)
}

/// The grants of the service's role when it isn't the owner: it may read all tables, and write only what operations
/// need. It can't disable row-level security, nor change or delete rows of append-only tables.
const GRANTS: [&str; 6] = [
    "GRANT USAGE ON SCHEMA registry TO",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA registry TO",
    "GRANT SELECT ON ALL TABLES IN SCHEMA registry TO",
    "GRANT INSERT ON registry.customers, registry.users, registry.identities, registry.memberships, registry.operators, registry.service_tokens, \
     registry.agents, registry.agent_versions, registry.activations, registry.changes, registry.invitations, \
     registry.api_keys, registry.agent_name_ends, registry.agent_active_tools, registry.idempotency_keys, \
     registry.environments, registry.servings, registry.sessions, registry.sign_in_links TO",
    "GRANT UPDATE ON registry.customers, registry.users, registry.identities, registry.memberships, registry.operators, registry.service_tokens, \
     registry.agents, registry.agent_versions, registry.activations, registry.log_head, registry.invitations, \
     registry.api_keys, registry.idempotency_keys, registry.environments, registry.servings, registry.sessions, \
     registry.sign_in_links TO",
    "GRANT DELETE ON registry.users, registry.memberships, registry.operators, registry.invitations, registry.api_keys, \
     registry.agent_name_ends, registry.agent_active_tools, registry.idempotency_keys, registry.sessions, registry.sign_in_links TO",
];

/// Revokes earlier grants, before [`GRANTS`]. Not on a database of a newer schema: its binaries may need more, and serve
/// at the same time.
const REVOKE: &str = "REVOKE ALL ON ALL TABLES IN SCHEMA registry FROM";

/// Returns a text that changes whenever the migrations or the grants change.
#[must_use]
pub fn fingerprint() -> String {
    migration::fingerprint() + &GRANTS.concat()
}

/// Grants the role of `url`, as which the service connects, its rights in the schema owned by the role of
/// `owner_url`. Does nothing if both are the same role. Idempotent.
///
/// # Errors
/// [`DbErr`] when a URL is invalid or Postgres refuses.
pub async fn grant_service_role(owner_url: &str, url: &str) -> Result<(), DbErr> {
    let options = |url| PgConnectOptions::from_str(url).map_err(|err| DbErr::Custom(err.to_string()));
    let (owner, service) = (options(owner_url)?, options(url)?);
    if owner.get_username() == service.get_username() {
        return Ok(());
    }
    let role = service.get_username().replace('"', "\"\"");
    let pool = open_for_migration(owner_url).await?;
    let has_newer = Record::read(&pool).await?.newer().next().is_some();
    let revoke = if has_newer { None } else { Some(&REVOKE) };
    // All grants are sent as one simple query, hence one transaction, so running instances never lack a right.
    let all: String =
        revoke.into_iter().chain(&GRANTS).map(|grant| format!("{grant} \"{role}\"; ")).collect();
    pool.execute_unprepared(&all).await?;
    pool.close().await
}

/// Reverts all migrations, which drops every table. For tests of the migrations.
///
/// # Errors
/// [`DbErr`] when Postgres refuses.
pub async fn revert_migrations(url: &str) -> Result<(), DbErr> {
    let pool = open_for_migration(url).await?;
    let record = Record::read(&pool).await?;
    migration::revert_recorded(&pool, &record).await?;
    Migrator::down(&pool, None).await?;
    pool.close().await
}

/// Reads which migrations have been applied, and which schemas this binary and the database have.
///
/// # Errors
/// [`DbErr`] when Postgres refuses.
pub async fn migration_status(url: &str) -> Result<SchemaStatus, DbErr> {
    let pool = open_for_migration(url).await?;
    let record = Record::read(&pool).await?;
    pool.close().await?;
    Ok(SchemaStatus::from(&record))
}
